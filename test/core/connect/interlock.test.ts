import assert from 'node:assert/strict'
import { Interlock } from '../../../core/connect/interlock.ts'

const idle = { state: 'Idle', mode: 'Produce', jobOrder: null }
const running = { state: 'Execute', mode: 'Produce', jobOrder: 'jo-1' }

describe('Interlock', () => {
  const cases: ReadonlyArray<readonly [string, typeof idle | typeof running, string | undefined]> = [
    ['state = Idle', idle, undefined],
    ['state = Idle', running, 'state = Idle'],
    ['state == idle', idle, undefined],
    ['state in Idle, Complete', idle, undefined],
    ['state in Idle,Complete', running, 'state in Idle,Complete'],
    ['state not in Aborted, Held', running, undefined],
    ['state != Execute', running, 'state != Execute'],
    ['mode = Produce and state in Idle, Stopped', idle, undefined],
    ['mode = Maintenance AND state = Idle', idle, 'mode = Maintenance'],
    ['job = none', idle, undefined],
    ['jobOrder = none', running, 'jobOrder = none'],
    ['job in jo-1, jo-2', running, undefined],
  ]
  for (const [text, state, broken] of cases) {
    it(`${text}: ${broken === undefined ? 'holds' : 'is broken'} for ${state.state}`, () => assert.equal(new Interlock(text).broken(state), broken))
  }

  for (const text of ['', 'Idle', 'colour = red', 'state', 'state =', 'state in Idle,', 'state = Idle, Held', 'state = Idle and', 'constructor = x']) {
    it(`cannot read '${text}'`, () => assert.throws(() => new Interlock(text), SyntaxError))
  }
})
