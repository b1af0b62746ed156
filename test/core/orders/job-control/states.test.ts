import assert from 'node:assert/strict'
import { seededRandom } from '../../../../core/base/random.ts'
import { RECEIVER_METHODS, type ReceiverMethod } from '../../../../core/connect/job-control/vocabulary.ts'
import { complete, jobOrder, run, type World, world } from './fixture.ts'

type Top = 'Absent' | 'NotAllowedToStart' | 'AllowedToStart' | 'Running' | 'Interrupted' | 'Ended' | 'Aborted'

/** What OPC 10031-4 makes of each state by each method, written down again here; what is not listed is refused. `Absent`: not on the list. */
const LEGAL: Readonly<Record<ReceiverMethod, Partial<Record<Top, Top>>>> = {
  Store: { Absent: 'NotAllowedToStart' },
  StoreAndStart: { Absent: 'AllowedToStart' },
  Update: { NotAllowedToStart: 'NotAllowedToStart', AllowedToStart: 'AllowedToStart' },
  Start: { NotAllowedToStart: 'AllowedToStart' },
  RevokeStart: { AllowedToStart: 'NotAllowedToStart' },
  Pause: { Running: 'Interrupted' },
  Resume: { Interrupted: 'Running' },
  Stop: { Running: 'Ended', Interrupted: 'Ended' },
  Abort: { NotAllowedToStart: 'Aborted', AllowedToStart: 'Aborted', Running: 'Aborted', Interrupted: 'Aborted' },
  Cancel: { NotAllowedToStart: 'Absent', AllowedToStart: 'Absent' },
  Clear: { Ended: 'Absent', Aborted: 'Absent' },
}

/** How a job order gets into each state. */
const INTO: Readonly<Record<Top, (w: World) => Promise<unknown>>> = {
  Absent: async () => {},
  NotAllowedToStart: (w) => w.call('Store', 'J'),
  AllowedToStart: (w) => w.call('StoreAndStart', 'J'),
  Running: async (w) => {
    await INTO.AllowedToStart(w)
    await run(w, 'J', 3)
  },
  Interrupted: async (w) => {
    await INTO.Running(w)
    await w.call('Pause', 'J')
  },
  Ended: async (w) => {
    await INTO.Running(w)
    await complete(w, 'J', 10)
  },
  Aborted: async (w) => {
    await INTO.Running(w)
    await w.call('Abort', 'J')
  },
}

const topOf = (w: World): Top => (w.state('J')?.split('/')[0] ?? 'Absent') as Top

describe('job control: every command in every state', () => {
  for (const from of Object.keys(INTO) as Top[]) {
    for (const method of RECEIVER_METHODS) {
      const to = LEGAL[method][from]
      it(`${from} + ${method}: ${to ?? 'refused, and nothing changes'}`, async () => {
        const w = await world()
        try {
          await INTO[from](w)
          assert.equal(topOf(w), from)
          const { sequence } = await w.store.head()
          // another body: the same one again is a repetition, and that is another test
          const outcome = await w.call(method, jobOrder('J', { description: 'changed' }))
          assert.equal(topOf(w), to ?? from)
          if (to !== undefined) return assert.deepEqual(outcome.bits, ['NoError'])
          assert.equal((await w.store.head()).sequence, sequence, 'nothing is written')
          const adds = method === 'Store' || method === 'StoreAndStart'
          assert.deepEqual(
            outcome.bits,
            adds ? ['UnableToAcceptJobOrder', 'JobOrderIdInUse'] : from === 'Absent' ? ['UnknownJobOrderId'] : ['InvalidJobOrderStatus'],
          )
          assert.ok(outcome.why)
        } finally {
          await w.close()
        }
      })
    }
  }

  it('random sequences of commands and of what machines do go as a model of the standard goes', async function () {
    this.timeout(60_000)
    const random = seededRandom(20_261_122)
    for (let round = 0; round < 25; round++) {
      const w = await world()
      let state: Top = 'Absent'
      let used = false
      const history: string[] = []
      for (let step = 0; step < 14; step++) {
        const machine: 'begins' | 'ends' | undefined =
          state === 'AllowedToStart' && random() < 0.3 ? 'begins' : state === 'Running' && random() < 0.2 ? 'ends' : undefined
        if (machine !== undefined) {
          history.push(machine)
          await (machine === 'begins' ? run(w, 'J', 1) : complete(w, 'J', 10))
          state = machine === 'begins' ? 'Running' : 'Ended'
        } else {
          const method: ReceiverMethod = RECEIVER_METHODS[Math.floor(random() * RECEIVER_METHODS.length)]!
          history.push(method)
          const adds = method === 'Store' || method === 'StoreAndStart'
          const target: Top | undefined = adds && used ? undefined : LEGAL[method][state]
          const { bits } = await w.call(method, jobOrder('J', { description: `step ${step}` }))
          assert.equal(bits.includes('NoError'), target !== undefined, `round ${round}: ${history.join(', ')}`)
          used ||= adds
          state = target ?? state
        }
        assert.equal(topOf(w), state, `round ${round}: ${history.join(', ')}`)
      }
      assert.equal((await w.store.verify()).ok, true)
      await w.close()
    }
  })
})
