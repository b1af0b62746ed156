import assert from 'node:assert/strict'
import { ManualClock } from '../../../core/base/clock.ts'
import { TaktError } from '../../../core/base/error.ts'
import { DurableFollower, type DurableFollowerParts } from '../../../core/store/durable-follower.ts'
import { openStore } from '../../../core/store/open-store.ts'
import type { Store } from '../../../core/store/store.ts'

const until = async (done: () => boolean): Promise<void> => {
  for (let n = 0; n < 500 && !done(); n++) await new Promise((later) => setTimeout(later, 10))
  assert.ok(done(), 'it did not happen')
}

describe('following the ledger durably', () => {
  let store: Store
  let clock: ManualClock
  let follower: DurableFollower<string> | undefined
  let followed: string[]

  beforeEach(() => {
    clock = new ManualClock(1000)
    store = openStore({ file: ':memory:', clock })
    followed = []
  })
  afterEach(async () => {
    await follower?.stop()
    follower = undefined
    await store.close()
  })

  const happen = (subject: string, type = 'part.made') => store.transaction((tx) => tx.record({ type, subject, actor: 'test' }))
  async function follow(more: Partial<DurableFollowerParts<string>> = {}): Promise<void> {
    follower = new DurableFollower<string>({
      store,
      clock,
      name: 'reader',
      from: 'beginning',
      settleMs: 0,
      where: 'test',
      concernOf: ({ type, subject }) => (type === 'part.made' ? subject : undefined),
      follow: async (subject) => void followed.push(subject),
      failed: (problem) => assert.fail(problem),
      problem: () => {},
      ...more,
    })
    await follower.start()
  }
  async function restart(more: Partial<DurableFollowerParts<string>> = {}): Promise<void> {
    await follower?.stop()
    await follow(more)
  }

  it('tells of what concerns it, in order, and goes on where it was', async () => {
    await happen('a')
    await happen('x', 'other.thing')
    await follow()
    await happen('b')
    await until(() => followed.length === 2)
    await follower?.stop()
    await happen('c')
    await follow()
    await until(() => followed.length === 3)
    assert.deepEqual(followed, ['a', 'b', 'c'])
  })

  it('begins with what happens from then on where it is asked to', async () => {
    await happen('a')
    await follow({ from: 'now' })
    await happen('b')
    await until(() => followed.length === 1)
    assert.deepEqual(followed, ['b'])
  })

  it('follows an event only when it is old enough', async () => {
    await follow({ settleMs: 5000 })
    await happen('a')
    await new Promise((later) => setTimeout(later, 50))
    assert.deepEqual([followed, follower?.behind], [[], 1])
    clock.advance(5000)
    await until(() => followed.length === 1)
    assert.equal(follower?.behind, 0)
  })

  it('does an event again whose following was cut off, before anything later', async () => {
    const hang = new Promise<void>(() => {})
    let cut = true
    // as a kill leaves it: the place has not moved
    await follow({ follow: async (subject) => (cut && subject === 'b' ? hang : void followed.push(subject)) })
    await happen('a')
    await happen('b')
    await happen('c')
    await until(() => followed.length === 1)
    cut = false
    follower = undefined
    await restart()
    await until(() => followed.includes('c'))
    assert.deepEqual(followed.slice(-2), ['b', 'c'])
  })

  it('waits for a store that is away, and passes over what fails three times, telling so', async () => {
    let away = 1
    const failed: string[] = []
    const problems: Array<string | undefined> = []
    await follow({
      follow: async (subject) => {
        if (subject === 'bad') throw new TaktError('TAKT_INTERNAL', { what: 'cannot be', where: 'test' })
        if (away-- > 0) throw new TaktError('TAKT_STORE_AWAY', { where: 'test' })
        followed.push(subject)
      },
      failed: (_problem, concern) => failed.push(concern),
      problem: (problem) => problems.push(problem?.code),
    })
    await happen('a')
    await happen('bad')
    await happen('b')
    await until(() => followed.length === 2)
    assert.deepEqual([followed, failed], [['a', 'b'], ['bad']])
    assert.deepEqual(problems, [undefined, 'TAKT_STORE_AWAY', undefined, 'TAKT_INTERNAL', 'TAKT_INTERNAL', undefined])
  }).timeout(8000)
})
