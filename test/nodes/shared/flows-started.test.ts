import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { whenFlowsStarted } from '../../../nodes/shared/flows-started.ts'

describe('when flows are started', () => {
  it('calls all who wait once, in their order, but those who no longer want it', () => {
    const events = new EventEmitter()
    const called: number[] = []
    const forgets = Array.from({ length: 20 }, (_, at) => whenFlowsStarted({ events } as never, () => void called.push(at)))
    assert.equal(events.listenerCount('flows:started'), 1)
    forgets[3]?.()
    events.emit('flows:started')
    events.emit('flows:started')
    assert.deepEqual(
      called,
      Array.from({ length: 20 }, (_, at) => at).filter((at) => at !== 3),
    )
    assert.equal(events.listenerCount('flows:started'), 0)
  })

  it('serves the next deploy too, also one that is asked for meanwhile', () => {
    const events = new EventEmitter()
    let later = 0
    whenFlowsStarted({ events } as never, () => void whenFlowsStarted({ events } as never, () => later++))
    events.emit('flows:started')
    assert.equal(later, 0)
    events.emit('flows:started')
    assert.equal(later, 1)
  })
})
