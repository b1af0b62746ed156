import assert from 'node:assert/strict'
import { ManualClock } from '../../../../core/base/clock.ts'
import { TaktError } from '../../../../core/base/error.ts'
import { seededRandom } from '../../../../core/base/random.ts'
import type { ProcedureStep } from '../../../../core/messages/procedure.ts'
import { checkProcedure } from '../../../../core/procedures/check-procedure.ts'
import type { StoreBench } from '../../store/support/store.ts'
import { begin, inForce, opened, perform, planned, runs, view } from '../support.ts'

/** A procedure of confirmations, instructions and choices whose ways lead anywhere ahead; what the check refuses is thrown away. */
function anyProcedure(random: () => number): ProcedureStep[] {
  for (;;) {
    const count = 3 + Math.floor(random() * 6)
    const starts = Math.floor(random() * 3)
    const ahead = (index: number): string => {
      const to = index + 1 + Math.floor(random() * (count - index))
      return to >= count ? 'end' : `s${to}`
    }
    const steps = Array.from({ length: count }, (_, index): ProcedureStep => {
      const common = { id: `s${index}`, ...(index < starts ? { before: 'start' as const } : {}) }
      if (random() < 0.3) return { ...common, type: 'branch', ways: ['left', 'right'].map((choice) => ({ choice, to: ahead(index) })) }
      const next = random() < 0.3 ? { next: ahead(index) } : {}
      return { ...common, type: random() < 0.5 ? 'confirm' : 'instruct', text: `Do ${index}`, ...next }
    })
    try {
      checkProcedure({ procedure: 'mill-shaft', why: 'x', steps }, 'test')
      return steps
    } catch (thrown) {
      assert.equal((thrown as TaktError).code, 'TAKT_PROCEDURE_INVALID')
    }
  }
}

/** Both dialects have to pass. */
export function anyProcedureInOrder(newBench: () => StoreBench, seeds: readonly number[]): void {
  describe('any procedure', () => {
    let bench: StoreBench
    beforeEach(() => {
      bench = newBench()
    })
    afterEach(() => bench.close())

    for (const seed of seeds) {
      it(`is done along its ways and in no other order, whatever is asked for (seed ${seed})`, async () => {
        const random = seededRandom(seed)
        const { store } = opened(bench, new ManualClock(1_000_000))
        const steps = anyProcedure(random)
        await inForce(store, steps)
        await planned(store)
        await begin(store)
        // kept apart from the code that is tested
        let at: string | undefined = steps[0]!.id
        let started = false
        const way: string[] = []
        for (let round = 0; round < 80; round++) {
          if (!started && random() < 0.05) {
            await runs(store, 1_000_500)
            started = true
          }
          const asked = steps[Math.floor(random() * steps.length)]!
          const choice = random() < 0.5 ? 'left' : 'right'
          const legal = asked.id === at && (asked.before === 'start' || started)
          const given = asked.type === 'confirm' ? { confirm: true } : asked.type === 'branch' ? { choice } : {}
          try {
            await perform(store, asked.id, given)
            assert.ok(legal, `${asked.id} was done after ${way.join(', ')}`)
            way.push(asked.id)
            const to: string =
              asked.type === 'branch' ? asked.ways!.find((one) => one.choice === choice)!.to : (asked.next ?? steps[steps.indexOf(asked) + 1]?.id ?? 'end')
            at = to === 'end' ? undefined : to
          } catch (thrown) {
            if (!(thrown instanceof TaktError)) throw thrown
            assert.ok(!legal, `${asked.id} was refused after ${way.join(', ')}: ${thrown.message}`)
            assert.match(thrown.code, /^TAKT_PROCEDURE_(STEP_ORDER|STEP_DONE|NOT_STARTED)$/)
          }
        }
        const { run } = await view(store)
        assert.deepEqual(
          run.done.map(({ step }) => step),
          way,
        )
        assert.deepEqual([run.step, run.phase === 'done'], [at ?? null, at === undefined])
      })
    }
  })
}
