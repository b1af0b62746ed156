import { ManualClock } from '../../core/base/clock.ts'
import { createWorkOrder } from '../../core/orders/create-work-order.ts'
import { requestMaintenance } from '../../core/orders/maintenance.ts'
import { Planner } from '../../core/orders/planning/planner.ts'
import { releaseWorkOrder } from '../../core/orders/release-work-order.ts'
import { checkPlant } from '../../core/plant/check-plant.ts'
import { openStore } from '../../core/store/open-store.ts'

const UNITS = 8
const ORDERS = 40
const OPERATIONS = 5
const RUNS = 5
const NOW = Date.UTC(2026, 0, 12, 6)
const HOUR_MS = 3_600_000

/** Eight units in four classes, forty orders of five operations each, every operation with two alternatives. */
function plant() {
  const unit = (i: number): string => `bench/u${i}`
  return checkPlant(
    {
      plant: 'bench',
      equipment: Array.from({ length: UNITS }, (_, i) => ({
        id: unit(i),
        level: 'workUnit',
        classes: [`c${i % 4}`],
        maintenance: { planned: { durationMs: HOUR_MS }, unplanned: { durationMs: 3 * HOUR_MS } },
      })),
      materials: [{ id: 'part', unit: 'pcs' }],
      workMasters: Array.from({ length: 4 }, (_, m) => ({
        id: `m${m}`,
        version: 1,
        produces: 'part',
        operations: Array.from({ length: OPERATIONS }, (_, o) => ({
          id: String(10 * (o + 1)),
          ...(o === 0 ? {} : { after: [String(10 * o)] }),
          setupFamily: `f${m}`,
          alternatives: [{ class: `c${(m + o) % 4}`, setupMs: 300_000 + 60_000 * m, perPieceMs: 60_000 + 7_000 * ((m * 5 + o * 3) % 9) }],
        })),
      })),
    },
    'bench',
  )
}

/** Milliseconds from a unit that needs repair to the published plan around it, with the scheduler node's default search; the median of a few disruptions. */
export async function replanMs(searchMs: number): Promise<number> {
  const clock = new ManualClock(NOW)
  const store = openStore({ file: ':memory:', clock })
  const model = plant()
  const because = { actor: 'bench' }
  const planner = new Planner({
    store,
    plant: () => model,
    clock,
    actor: 'bench',
    objective: 'due-dates',
    resumable: true,
    searchMs,
    seed: 1,
    toleranceMs: 60_000,
  })
  try {
    for (let i = 0; i < ORDERS; i++) {
      await store.transaction(async (tx) => {
        const { order } = await createWorkOrder(
          tx,
          model,
          { id: `o${i}`, product: `m${i % 4}`, quantity: 5 + (i % 7), due: NOW + (4 + i) * HOUR_MS } as never,
          because,
        )
        await releaseWorkOrder(tx, model, order.id, because)
      })
    }
    const replan = async (trigger: { type: string; id: string }): Promise<void> => {
      const { plan } = await planner.publish(await planner.draft(trigger))
      if (plan === null) throw new Error('nothing was published')
    }
    await replan({ type: 'orders', id: 'first' })
    const times: number[] = []
    for (let run = 0; run < RUNS; run++) {
      const { workOrder } = await store.transaction((tx) =>
        requestMaintenance(tx, model, { equipment: `bench/u${run}`, kind: 'planned', deadline: NOW + 2 * HOUR_MS, cause: 'bench', actor: 'bench' }),
      )
      const start = performance.now()
      await replan({ type: 'disruption', id: workOrder.id })
      times.push(performance.now() - start)
    }
    return times.toSorted((a, b) => a - b)[Math.floor(RUNS / 2)] ?? Number.NaN
  } finally {
    await planner.close()
    await store.close()
  }
}
