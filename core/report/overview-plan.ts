import type { JobOrder } from '../messages/job-order.ts'
import type { Assignment, Plan, PlanChange } from '../messages/plan.ts'
import type { Plant } from '../plant/plant.ts'
import { clockText } from './format.ts'
import { operationName, productOf } from './names.ts'
import type { OverviewBar, OverviewChange, OverviewOrder, OverviewPlace, OverviewPlan } from './overview.ts'
import type { Known } from './overview-source.ts'

const MOST_BARS = 400
const MOST_CHANGES = 50
const LONGEST_VIEW_MS = 3 * 86_400_000

/** The plan as a chart: what has been done since `since`, what runs, what comes, and what the latest version moved. */
export function overviewPlan(known: Known, orders: readonly OverviewOrder[], plan: Plan, previous: Plan | undefined, since: number): OverviewPlan {
  const { plant, now } = known
  const late = new Set(orders.filter((order) => order.late).map(({ id }) => id))
  const moved = new Set(plan.changes.filter(({ from, to }) => from !== null && to !== null).map(({ jobOrder }) => jobOrder))
  const bars = [...doneBars(known, since, late), ...comingBars(known, plan, late, moved)].sort((a, b) => a.start - b.start).slice(0, MOST_BARS)
  const from = Math.min(now, ...bars.map(({ start }) => start))
  const to = Math.min(now + LONGEST_VIEW_MS, Math.max(now, ...bars.map(({ end }) => end)))
  const { version, now: made, trigger, objective, effect, doNothing, problems } = plan
  return {
    version,
    made,
    trigger: trigger.id === undefined ? trigger.type : `${trigger.type} ${trigger.id}`,
    tardinessMs: objective.tardinessMs,
    makespanMs: objective.makespanMs,
    setups: objective.setups,
    moved: objective.moved,
    doNothingTardinessMs: doNothing?.tardinessMs ?? null,
    effect: effect === undefined || effect.text === '' ? null : effect.text,
    from,
    to,
    bars,
    closed: closedTimes(plant, from, to),
    changes: changesOf(known, plan, previous),
    problems: problems.slice(0, MOST_CHANGES).map(({ workOrder, code, why }) => ({ workOrder, code, why })),
  }
}

function doneBars(known: Known, since: number, late: ReadonlySet<string>): OverviewBar[] {
  const bars: OverviewBar[] = []
  for (const job of known.jobs.values()) {
    const { equipment, actualStart, actualEnd } = job
    if (equipment === null || actualStart === null || actualEnd === null || actualEnd < since) continue
    bars.push({
      ...describe(known, job, late),
      equipment,
      unit: known.plant.nameOf(equipment),
      start: actualStart,
      end: actualEnd,
      setupMs: 0,
      status: 'done',
      moved: false,
    })
  }
  return bars
}

function comingBars(known: Known, plan: Plan, late: ReadonlySet<string>, moved: ReadonlySet<string>): OverviewBar[] {
  const bars: OverviewBar[] = []
  for (const assignment of plan.assignments) {
    const job = known.jobs.get(assignment.jobOrder)
    if (job === undefined || job.state === 'Ended' || job.state === 'Aborted') continue
    const running = job.state === 'Running' || job.state === 'Interrupted'
    const equipment = running ? (job.equipment ?? assignment.equipment) : assignment.equipment
    bars.push({
      ...describe(known, job, late),
      equipment,
      unit: known.plant.nameOf(equipment),
      start: running ? (job.actualStart ?? assignment.start) : assignment.start,
      // what runs over its time is not over
      end: running ? Math.max(known.now, assignment.end) : assignment.end,
      setupMs: assignment.setupMs,
      status: running ? 'running' : 'planned',
      moved: moved.has(job.id),
    })
  }
  return bars
}

function describe(
  { orders, plant }: Known,
  job: JobOrder,
  late: ReadonlySet<string>,
): Pick<OverviewBar, 'jobOrder' | 'workOrder' | 'operation' | 'product' | 'maintenance' | 'late'> {
  const order = orders.get(job.workOrder)
  const maintenance = job.maintenance !== undefined
  return {
    jobOrder: job.id,
    workOrder: job.workOrder,
    operation: operationName(order, job, plant),
    product: maintenance ? 'maintenance' : order === undefined ? job.workOrder : productOf(order, plant),
    maintenance,
    late: late.has(job.workOrder),
  }
}

function changesOf({ plant }: Known, plan: Plan, previous: Plan | undefined): readonly OverviewChange[] {
  const now = new Map(plan.assignments.map((assignment) => [assignment.jobOrder, assignment]))
  const before = new Map((previous?.assignments ?? []).map((assignment) => [assignment.jobOrder, assignment]))
  return plan.changes
    .map((change): OverviewChange => {
      const { jobOrder, because } = change
      const from = placeOf(plant, change.from, before.get(jobOrder) ?? now.get(jobOrder))
      const to = placeOf(plant, change.to, now.get(jobOrder) ?? before.get(jobOrder))
      const moved = from === null ? 'new' : to === null ? 'gone' : from.equipment === to.equipment ? 'time' : 'unit'
      return { jobOrder, because, moved, from, to, text: change.text ?? changeText(jobOrder, from, to, plant) }
    })
    .sort((a, b) => Number(b.moved === 'unit') - Number(a.moved === 'unit'))
    .slice(0, MOST_CHANGES)
}

/** A change tells where a bar begins; how long it is, the assignment tells. */
function placeOf(plant: Plant, place: PlanChange['from'], assignment: Assignment | undefined): OverviewPlace | null {
  if (place === null) return null
  const { equipment, start } = place
  return { equipment, unit: plant.nameOf(equipment), start, end: start + (assignment === undefined ? 0 : assignment.end - assignment.start) }
}

function changeText(jobOrder: string, from: OverviewPlace | null, to: OverviewPlace | null, { timeZone }: Plant): string {
  if (to === null) return `${jobOrder} is no longer planned`
  const at = clockText(to.start, timeZone)
  if (from === null) return `${jobOrder} on ${to.unit} at ${at}`
  const was = clockText(from.start, timeZone)
  return from.equipment === to.equipment
    ? `${jobOrder} on ${to.unit} at ${at} instead of ${was}`
    : `${jobOrder} from ${from.unit} (${was}) to ${to.unit} (${at})`
}

/** Between the open windows of each unit. Calendars are few and units many, so each calendar is asked once. */
function closedTimes(plant: Plant, from: number, to: number): OverviewPlan['closed'] {
  const gapsOf = new Map<unknown, readonly { from: number; to: number }[]>()
  return plant.units.flatMap(({ id: equipment }) => {
    const calendar = plant.calendarOf(equipment)
    if (calendar === undefined) return []
    let gaps = gapsOf.get(calendar)
    if (gaps === undefined) {
      gaps = gapsBetween(plant.openWindows(equipment, from, to), from, to)
      gapsOf.set(calendar, gaps)
    }
    return gaps.map((gap) => ({ equipment, ...gap }))
  })
}

function gapsBetween(windows: readonly { from: number; to: number }[], from: number, to: number): readonly { from: number; to: number }[] {
  const gaps: { from: number; to: number }[] = []
  let at = from
  for (const window of windows) {
    if (window.from > at) gaps.push({ from: at, to: window.from })
    at = Math.max(at, window.to)
  }
  if (to > at) gaps.push({ from: at, to })
  return gaps
}
