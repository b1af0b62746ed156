import assert from 'node:assert/strict'
import type { ManualClock } from '../../../../core/base/clock.ts'
import { commandJobOrder } from '../../../../core/orders/control-work-order.ts'
import { openSteps } from '../../../../core/orders/open-steps.ts'
import { stopWorkOrder } from '../../../../core/orders/stop-work-order.ts'
import { settleRun, viewRun } from '../../../../core/procedures/run.ts'
import { releaseFinishedLots } from '../../../../core/quality/finished-lots.ts'
import { disposeLot } from '../../../../core/quality/held-lots.ts'
import type { Store } from '../../../../core/store/store.ts'
import { code, show, tester } from '../../orders/fixture.ts'
import { rejection, type StoreBench } from '../../store/support/store.ts'
import { begin, inForce, JOB, NODE, opened, perform, planned, plant, RIGHT, runs } from '../support.ts'

const LOT = 'lot-wo-1'

/** Both dialects have to pass. */
export function lotRelease(newBench: () => StoreBench): void {
  describe('a lot whose procedure has open steps', () => {
    let bench: StoreBench
    let store: Store
    let clock: ManualClock

    beforeEach(async () => {
      bench = newBench()
      ;({ store, clock } = opened(bench))
      await inForce(store)
      await planned(store)
      await begin(store)
      for (const step of ['read', 'lot', 'tool']) await perform(store, step, RIGHT[step])
      await runs(store)
      await perform(store, 'width', RIGHT.width)
    })
    afterEach(() => bench.close())

    const settle = () => store.transaction((tx) => releaseFinishedLots(tx, plant, NODE))
    const dispose = (disposition: 'hold' | 'release', more: { readonly concession?: string } = {}) =>
      store.transaction((tx) => disposeLot(tx, { disposition, lot: LOT, why: 'seen', by: 'Quinn', ...more }))
    const disposition = async () => (await store.get('lot', LOT))?.disposition
    const machineEnds = () => show(store, 'p/mill-1', 'Complete', JOB, { since: 3_000_000 })
    async function restOfSteps(): Promise<void> {
      await perform(store, 'note', RIGHT.note)
      clock.advance(9_000_000)
      await store.transaction(async (tx) => settleRun(tx, await viewRun(tx, JOB), NODE))
      await perform(store, 'pack', RIGHT.pack)
      await perform(store, 'last', RIGHT.last)
    }

    it('is not released with its order, says which step is open, and is released when all are done', async () => {
      assert.equal(await code(store.transaction((tx) => stopWorkOrder(tx, 'wo-1', tester))), 'TAKT_PROCEDURE_OPEN', 'people do not complete it')
      await machineEnds()
      assert.equal((await store.get('work-order', 'wo-1'))?.state, 'Completed', 'a machine does not ask')
      const { released, waiting, open } = await settle()
      assert.deepEqual([released.length, waiting, open[0]?.lot.id], [0, 1, LOT])
      const [step] = open[0]!.steps
      assert.deepEqual([step?.code, step?.jobOrder, step?.procedure, step?.step], ['TAKT_PROCEDURE_OPEN', JOB, 'mill-shaft@1', 'note'])
      assert.match(step?.what ?? '', /step 'note' of mill-shaft@1 is open/)
      await restOfSteps()
      assert.deepEqual((await settle()).released.map(({ id }) => id), [LOT]) // biome-ignore format: one line
      assert.deepEqual(await openSteps(store, LOT), [])
    })

    it('is not released by a person either, who can end its hold so that the steps can be done', async () => {
      await machineEnds()
      const refused = await rejection(dispose('release'))
      assert.deepEqual([refused.code, await disposition()], ['TAKT_PROCEDURE_OPEN', 'in-process'])
      assert.match(refused.message, /step 'note'/)
      await dispose('hold')
      await dispose('release')
      assert.equal(await disposition(), 'in-process')
      await restOfSteps()
      await dispose('release')
      assert.equal(await disposition(), 'released')
    })

    it('is released by concession, which the ledger keeps with the steps that were open', async () => {
      await machineEnds()
      await dispose('release', { concession: 'the box was closed before' })
      assert.equal(await disposition(), 'released')
      const event = (await store.events(0, 1000)).find(({ type }) => type === 'lot.steps-conceded')
      assert.deepEqual(
        [event?.actor, event?.why, (event!.after as { open: Array<{ step: string }> }).open[0]?.step],
        ['Quinn', 'the box was closed before', 'note'],
      )
    })

    it('is held back by a job order that was aborted with parts, whose steps nobody can do any more', async () => {
      await store.transaction((tx) => commandJobOrder(tx, JOB, 'Abort', tester))
      assert.equal((await store.get('job-order', JOB))?.state, 'Aborted')
      assert.equal(await code(perform(store, 'note', RIGHT.note)), 'TAKT_PROCEDURE_OVER')
      assert.equal((await openSteps(store, LOT))[0]?.step, 'note')
    })
  })
}
