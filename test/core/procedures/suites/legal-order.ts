import assert from 'node:assert/strict'
import { ManualClock } from '../../../../core/base/clock.ts'
import { TaktError } from '../../../../core/base/error.ts'
import { seededRandom } from '../../../../core/base/random.ts'
import { settleRun, viewRun } from '../../../../core/procedures/run.ts'
import type { Store } from '../../../../core/store/store.ts'
import type { StoreBench } from '../../store/support/store.ts'
import { begin, inForce, JOB, NODE, opened, perform, planned, RIGHT, runs, STEPS, view } from '../support.ts'

const ASKED = STEPS.filter(({ id }) => id !== 'which' && id !== 'cool').map(({ id }) => id)

/** The legal way through STEPS, kept apart from the code that is tested: what may come next after what was done. */
function legal(done: readonly string[], width: number, choice: string, started: boolean, cooled: boolean): string | undefined {
  const way = ['read', 'lot', 'tool', 'width', ...(width < 10 ? ['note'] : []), 'pack', ...(choice === 'box' ? ['last'] : [])]
  const next = way[done.length]
  if (next === undefined) return undefined
  if (done.length >= 3 && !started) return undefined
  return next === 'pack' && !cooled ? undefined : next
}

/** Both dialects have to pass. */
export function legalOrder(newBench: () => StoreBench, seeds: readonly number[]): void {
  describe('any sequence of requests', function () {
    this.timeout(30_000)
    let bench: StoreBench
    beforeEach(() => {
      bench = newBench()
    })
    afterEach(() => bench.close())

    for (const seed of seeds) {
      it(`does only the legal order, each step once, whenever it is started anew (seed ${seed})`, async () => {
        const random = seededRandom(seed)
        const clock = new ManualClock(1_000_000)
        const open = (): Store => opened(bench, clock).store
        let store = open()
        await inForce(store)
        await planned(store)
        await begin(store)
        const width = 9.5 + random()
        const choice = random() < 0.5 ? 'box' : 'bag'
        const done: string[] = []
        let started = false
        let cooledAt = Number.POSITIVE_INFINITY
        for (let round = 0; round < 90; round++) {
          const dice = random()
          if (dice < 0.04) {
            const before = await view(store)
            await store.close()
            store = open()
            assert.deepEqual(await view(store), before)
            continue
          }
          if (dice < 0.09 && !started) {
            await runs(store, 1_000_500)
            started = true
            continue
          }
          if (dice < 0.2) {
            clock.advance(40_000)
            await store.transaction(async (tx) => settleRun(tx, await viewRun(tx, JOB), NODE))
            continue
          }
          const step = ASKED[Math.floor(random() * ASKED.length)]!
          const expected = legal(done, width, choice, started, clock.now() >= cooledAt)
          const given = step === 'width' ? { value: width } : step === 'pack' ? { choice } : RIGHT[step]
          const before = await view(store)
          try {
            await perform(store, step, given)
            assert.equal(step, expected, `after ${done.join(', ')}`)
            done.push(step)
            // cooling begins when the step before it was done
            if (step === (width < 10 ? 'note' : 'width')) cooledAt = clock.now() + 60_000
          } catch (thrown) {
            assert.ok(thrown instanceof TaktError, String(thrown))
            assert.match(thrown.code, /^TAKT_PROCEDURE_(STEP_ORDER|STEP_DONE|NOT_STARTED)$/)
            assert.notEqual(step, expected, thrown.message)
            assert.deepEqual((await view(store)).run.done, before.run.done)
          }
        }
        const { run } = await view(store)
        assert.deepEqual(
          run.done.map(({ step }) => step).filter((step) => ASKED.includes(step)),
          done,
        )
        assert.equal(new Set(run.done.map(({ step }) => step)).size, run.done.length)
        const rows = (await store.events(0, 5000)).filter(({ type }) => type === 'procedure-run.step-done' || type === 'procedure-run.done')
        assert.equal(rows.length, run.done.length, 'one row of the ledger a step')
        assert.equal((await store.verify()).ok, true)
        await store.close()
      })
    }
  })
}
