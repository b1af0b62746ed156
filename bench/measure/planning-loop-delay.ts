import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { ManualClock } from '../../core/base/clock.ts'
import { createWorkOrder } from '../../core/orders/create-work-order.ts'
import { requestMaintenance } from '../../core/orders/maintenance.ts'
import { Planner } from '../../core/orders/planning/planner.ts'
import { releaseWorkOrder } from '../../core/orders/release-work-order.ts'
import { checkPlant } from '../../core/plant/check-plant.ts'
import { openStore } from '../../core/store/open-store.ts'
import { type HeldUp, heldUpBy, heldUpByNothing } from '../support/loop-probe.ts'

const CLASSES = 10
const OPERATIONS = 5
const REPLANS = 5
const NOW = Date.UTC(2026, 0, 12, 6)
const HOUR_MS = 3_600_000

/** Units in ten classes, in two shifts; five operations an order, each with as many alternatives as a class has units. */
function plant(units: number) {
  return checkPlant(
    {
      plant: 'bench',
      equipment: Array.from({ length: units }, (_, i) => ({
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

export interface LoopDelay {
  readonly jobs: number
  /** The first plan, worked out and published: every job order is written. */
  readonly first: HeldUp
  /** The worst of a few re-plans for a unit to be repaired, worked out and published. */
  readonly replan: HeldUp
  /** The loop with nothing to do, for as long as a re-plan took. */
  readonly idle: HeldUp
  /** Until a plan could be published in a re-plan if nothing better came, ms; the worst. */
  readonly repairedMs: number
  /** Job orders written by the re-plans, the mean. */
  readonly written: number
}

/** How long planning so many job orders holds the event loop up, with a plan in force; in a process of its own, for its heap. */
export function planningLoopDelay(jobs: number): Promise<LoopDelay> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [fileURLToPath(import.meta.url), String(jobs)], { encoding: 'utf8' }, (error, stdout) => {
      if (error === null) resolve(JSON.parse(stdout) as LoopDelay)
      else reject(error)
    })
  })
}

/** Five job orders an order, a unit per hundred job orders; every re-plan is for a repair more. */
async function measure(jobs: number, searchMs = 600): Promise<LoopDelay> {
  const clock = new ManualClock(NOW)
  const store = openStore({ file: ':memory:', clock })
  const model = plant(Math.max(CLASSES, Math.round(jobs / 100)))
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
    for (let first = 0; first < jobs / OPERATIONS; first += 50) {
      await store.transaction(async (tx) => {
        for (let i = first; i < Math.min(first + 50, jobs / OPERATIONS); i++) {
          const request = { id: `o${i}`, product: `m${i % CLASSES}`, quantity: 5 + (i % 7), due: NOW + (4 + i) * HOUR_MS }
          const { order } = await createWorkOrder(tx, model, request as never, because)
          await releaseWorkOrder(tx, model, order.id, because)
        }
      })
    }
    const first = await heldUpBy(async () => planner.publish(await planner.draft({ type: 'start' })))
    let replan: HeldUp = { cpuMs: 0, wallMs: 0, tookMs: 0, workedMs: 0 }
    let repairedMs = 0
    let written = 0
    for (let run = 0; run < REPLANS; run++) {
      const { workOrder } = await store.transaction((tx) =>
        requestMaintenance(tx, model, { equipment: `bench/u${run}`, kind: 'planned', deadline: NOW + 2 * HOUR_MS, cause: 'bench', actor: 'bench' }),
      )
      const begun = performance.now()
      const onRepaired = (): void => {
        repairedMs = Math.max(repairedMs, performance.now() - begun)
      }
      const held = await heldUpBy(async () => {
        const { plan } = await planner.publish(await planner.draft({ type: 'disruption', id: workOrder.id }, { onRepaired }))
        written += (plan?.changes.length ?? 0) / REPLANS
      })
      replan = worse(replan, held)
    }
    return { jobs, first, replan, idle: await heldUpByNothing(replan.tookMs), repairedMs, written }
  } finally {
    await planner.close()
    await store.close()
  }
}

function worse(a: HeldUp, b: HeldUp): HeldUp {
  const most = (key: keyof HeldUp): number => Math.max(a[key], b[key])
  return { cpuMs: most('cpuMs'), wallMs: most('wallMs'), tookMs: most('tookMs'), workedMs: most('workedMs') }
}

if (import.meta.main) for (const jobs of process.argv.slice(2).map(Number)) console.log(JSON.stringify(await measure(jobs)))
