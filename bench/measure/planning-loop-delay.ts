import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks'
import { ManualClock } from '../../core/base/clock.ts'
import { createWorkOrder } from '../../core/orders/create-work-order.ts'
import { requestMaintenance } from '../../core/orders/maintenance.ts'
import { Planner } from '../../core/orders/planning/planner.ts'
import { releaseWorkOrder } from '../../core/orders/release-work-order.ts'
import { checkPlant } from '../../core/plant/check-plant.ts'
import { openStore } from '../../core/store/open-store.ts'

const UNITS = 50
const CLASSES = 10
const ORDERS = 1000
const OPERATIONS = 5
const RUNS = 5
const NOW = Date.UTC(2026, 0, 12, 6)
const HOUR_MS = 3_600_000
const RESOLUTION_MS = 1

/** Fifty units in ten classes, of five units each, in two shifts; five operations an order. */
function plant() {
  return checkPlant(
    {
      plant: 'bench',
      equipment: Array.from({ length: UNITS }, (_, i) => ({
        id: `bench/u${i}`,
        level: 'workUnit',
        classes: [`c${i % CLASSES}`],
        calendar: 'shifts',
        maintenance: { planned: { durationMs: HOUR_MS }, unplanned: { durationMs: 3 * HOUR_MS } },
      })),
      calendars: { shifts: { shifts: [{ name: 'day', days: 'Mon-Fri', from: '06:00', to: '22:00' }] } },
      materials: [{ id: 'part', unit: 'pcs' }],
      workMasters: Array.from({ length: CLASSES }, (_, m) => ({
        id: `m${m}`,
        version: 1,
        produces: 'part',
        operations: Array.from({ length: OPERATIONS }, (_, o) => ({
          id: String(10 * (o + 1)),
          ...(o === 0 ? {} : { after: [String(10 * o)] }),
          setupFamily: `f${m}`,
          alternatives: [{ class: `c${(m + o * 3) % CLASSES}`, setupMs: 300_000 + 60_000 * m, perPieceMs: 60_000 + 7_000 * ((m * 5 + o * 3) % 9) }],
        })),
      })),
    },
    'bench',
  )
}

/**
 * The longest that the event loop was held up while a plan of 5 × 1,000 operations was worked out, ms: facts read, problem built, sent, searched for, written down; and
 * while it was published. `maxMs` is the worst of a few plans after the first, `publishMaxMs` that of writing 5,000 job orders.
 */
export async function planningLoopDelay(
  searchMs = 600,
): Promise<{ readonly maxMs: number; readonly gcMaxMs: number; readonly repairedMs: number; readonly publishMaxMs: number }> {
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
  let gcMaxMs = 0
  const collections = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) gcMaxMs = Math.max(gcMaxMs, duration)
  })
  try {
    for (let first = 0; first < ORDERS; first += 50) {
      await store.transaction(async (tx) => {
        for (let i = first; i < first + 50; i++) {
          const request = { id: `o${i}`, product: `m${i % CLASSES}`, quantity: 5 + (i % 7), due: NOW + (4 + i) * HOUR_MS }
          const { order } = await createWorkOrder(tx, model, request as never, because)
          await releaseWorkOrder(tx, model, order.id, because)
        }
      })
    }
    const draft = await planner.draft({ type: 'start' })
    const publishMaxMs = (await delayed(() => planner.publish(draft))).maxMs
    let maxMs = 0
    let repairedMs = 0
    collections.observe({ entryTypes: ['gc'] })
    for (let run = 0; run < RUNS; run++) {
      const { workOrder } = await store.transaction((tx) =>
        requestMaintenance(tx, model, { equipment: `bench/u${run}`, kind: 'planned', deadline: NOW + 2 * HOUR_MS, cause: 'bench', actor: 'bench' }),
      )
      const begun = performance.now()
      const onRepaired = (): void => {
        repairedMs = Math.max(repairedMs, performance.now() - begun)
      }
      maxMs = Math.max(maxMs, (await delayed(() => planner.draft({ type: 'disruption', id: workOrder.id }, { onRepaired }))).maxMs)
    }
    return { maxMs, gcMaxMs, repairedMs, publishMaxMs }
  } finally {
    collections.disconnect()
    await planner.close()
    await store.close()
  }
}

async function delayed(work: () => Promise<unknown>): Promise<{ readonly maxMs: number }> {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  histogram.enable()
  // the first tick has nothing to compare itself with
  await new Promise((resolve) => setTimeout(resolve, 20))
  histogram.reset()
  await work()
  await new Promise((resolve) => setTimeout(resolve, 20))
  histogram.disable()
  return { maxMs: histogram.max / 1e6 - RESOLUTION_MS }
}

if (import.meta.main) console.log(JSON.stringify(await planningLoopDelay()))
