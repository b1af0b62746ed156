import { Model } from './model.ts'
import type { ObjectiveWeights, Placement, ProblemOperation, ProblemOrder, ProblemUnit, Schedule, ScheduleProblem } from './problem.ts'
import { mergeSpans } from './timeline.ts'

/**
 * `fjs1`, the plain exchange format for flexible job shops that the benchmark instances and the independent validator use: numbers from 0,
 * times in one unit. Reading gives a problem; writing gives an instance with which anybody's validator can check a plan of ours.
 */
export interface Fjs1Instance {
  readonly format?: string
  readonly name?: string
  readonly objective?: 'makespan' | 'twt'
  readonly machines: number
  readonly jobs: readonly {
    readonly release?: number
    readonly due?: number | null
    readonly weight?: number
    readonly ops: readonly { readonly alts: readonly (readonly [number, number])[]; readonly family?: number | null; readonly pre?: readonly number[] }[]
  }[]
  readonly setups?: {
    readonly matrix?: readonly (readonly number[])[]
    readonly perMachine?: readonly (readonly (readonly number[])[])[]
    readonly initial?: readonly (readonly number[])[]
    readonly anticipatory?: boolean
    readonly inWorkingTime?: boolean
  } | null
  readonly calendars?: readonly (readonly (readonly [number, number])[] | null)[] | null
  readonly downtimes?: readonly { readonly machine: number; readonly from: number; readonly to: number }[]
  readonly resumable?: boolean
  readonly now?: number
  readonly frozen?: readonly Fjs1Row[]
  readonly baseline?: readonly Fjs1Row[]
}

export interface Fjs1Row {
  readonly job: number
  readonly op: number
  readonly machine: number
  readonly start: number
  readonly end: number
}

/** The problem of an instance. With a baseline, keeping to it counts too. */
export function fromFjs1(instance: Fjs1Instance): ScheduleProblem {
  const { jobs, machines, setups } = instance
  const now = instance.now ?? 0
  const key = (row: { readonly job: number; readonly op: number }): string => `${row.job}/${row.op}`
  const frozen = new Map((instance.frozen ?? []).map((row) => [key(row), row]))
  const baseline = new Map((instance.baseline ?? []).map((row) => [key(row), row]))
  const units: ProblemUnit[] = Array.from({ length: machines }, (_, machine) => ({
    id: String(machine),
    closed: [
      ...gaps(instance.calendars?.[machine] ?? null),
      ...(instance.downtimes ?? []).filter((downtime) => downtime.machine === machine).map(({ from, to }) => ({ from, to })),
    ],
    setups: setups?.perMachine?.[machine] ?? setups?.matrix,
    initialSetups: setups?.initial?.[machine],
  }))
  const orders: ProblemOrder[] = jobs.map((job, index) => ({ id: String(index), release: job.release ?? 0, due: job.due ?? null, weight: job.weight ?? 1 }))
  const operations: ProblemOperation[] = []
  jobs.forEach((job, order) => {
    const base = operations.length
    job.ops.forEach((op, at) => {
      const row = frozen.get(key({ job: order, op: at }))
      const was = baseline.get(key({ job: order, op: at }))
      operations.push({
        id: key({ job: order, op: at }),
        order,
        alternatives: op.alts.map(([unit, duration]) => ({ unit, duration, setup: 0 })),
        after: (op.pre ?? (at > 0 ? [at - 1] : [])).map((before) => base + before),
        family: op.family ?? -1,
        ...(row === undefined ? {} : { frozen: { unit: row.machine, start: row.start, end: row.end } }),
        ...(was === undefined ? {} : { baseline: { unit: was.machine, start: was.start } }),
      })
    })
  })
  return {
    now,
    units,
    orders,
    operations,
    resumable: instance.resumable ?? false,
    setupIs: 'before',
    anticipatory: setups?.anticipatory ?? true,
    setupInOpenTime: setups?.inWorkingTime ?? false,
    holdBaseline: instance.baseline !== undefined,
    weights: fjs1Weights(instance),
  }
}

function fjs1Weights(instance: Fjs1Instance): ObjectiveWeights {
  const open = Math.max(1, (instance.baseline?.length ?? 0) - (instance.frozen?.length ?? 0))
  const horizon = Math.max(1, ...(instance.baseline ?? []).map((row) => row.end))
  const replans = instance.baseline !== undefined
  const tardy = instance.objective === 'twt'
  return {
    tardiness: tardy ? 1 : 0,
    makespan: tardy ? 0 : 1,
    setup: 0,
    lateStart: 0,
    // prices at which the plan still grows little more than without them, tried on breakdowns of public instances
    reassigned: replans ? (1.3 * horizon) / open : 0,
    deviation: replans ? 12 / open : 0,
  }
}

/** What lies between open windows. */
function gaps(windows: readonly (readonly [number, number])[] | null): { from: number; to: number }[] {
  if (windows === null) return []
  const closed: { from: number; to: number }[] = []
  let open = Number.NEGATIVE_INFINITY
  for (const [from, to] of windows) {
    if (from > open) closed.push({ from: open, to: from })
    open = Math.max(open, to)
  }
  closed.push({ from: open, to: Number.POSITIVE_INFINITY })
  return closed
}

/**
 * A problem as an instance, for an independent check. Each operation is its own family, so that whatever decides a set-up is in the matrix.
 * Repairs that follow their own calendar, operations that differ from the rest in `resumable`, resources and transfer lots have no counterpart: leave them out first.
 */
export function toFjs1(problem: ScheduleProblem, placements: readonly Placement[]): { readonly instance: Fjs1Instance; readonly rows: readonly Fjs1Row[] } {
  const at: { job: number; op: number }[] = []
  const perOrder: number[][] = problem.orders.map(() => [])
  problem.operations.forEach((operation, index) => {
    const list = perOrder[operation.order] as number[]
    at[index] = { job: operation.order, op: list.length }
    list.push(index)
  })
  const model = new Model({ ...problem, operations: problem.operations.map(({ frozen: _frozen, first: _first, ...operation }) => operation) })
  const count = problem.operations.length
  const alternativeOn = (operation: number, unit: number): number => {
    for (let k = model.alternativeFirst[operation] as number; k < (model.alternativeFirst[operation + 1] as number); k++)
      if (model.alternativeUnit[k] === unit) return k
    return -1
  }
  const setup = (unit: number, operation: number, previous: number): number => {
    const alternative = alternativeOn(operation, unit)
    return alternative < 0 ? 0 : model.setup(alternative, operation, previous)
  }
  const row = (index: number, start: number, end: number, machine: number): Fjs1Row => ({ ...(at[index] as { job: number; op: number }), machine, start, end })
  const instance: Fjs1Instance = {
    format: 'fjs1',
    objective: 'twt',
    machines: problem.units.length,
    // precedence between orders is left to the frozen rows and the release; inside an order it is `pre`
    jobs: problem.orders.map((order, job) => ({
      release: order.release,
      due: order.due,
      weight: order.weight,
      ops: (perOrder[job] as number[]).map((index) => {
        const operation = problem.operations[index] as ProblemOperation
        return {
          alts: operation.alternatives.map(({ unit, duration }) => [unit, duration] as const),
          family: index,
          pre: operation.after.filter((before) => at[before]?.job === job).map((before) => at[before]?.op ?? 0),
        }
      }),
    })),
    setups: {
      perMachine: problem.units.map((_, unit) =>
        Array.from({ length: count }, (_from, from) => Array.from({ length: count }, (_to, to) => setup(unit, to, from))),
      ),
      initial: problem.units.map((_, unit) => Array.from({ length: count }, (_to, to) => setup(unit, to, -1))),
      anticipatory: problem.setupIs === 'before' && (problem.anticipatory ?? false),
      inWorkingTime: problem.setupIs === 'attached' || (problem.setupInOpenTime ?? false),
    },
    downtimes: problem.units.flatMap((unit, machine) => mergeSpans(unit.closed, problem.now).map(({ from, to }) => ({ machine, from, to }))),
    resumable: problem.resumable,
    now: problem.now,
    frozen: problem.operations.flatMap((operation, index) =>
      operation.frozen === undefined ? [] : [row(index, operation.frozen.start, operation.frozen.end, operation.frozen.unit)],
    ),
  }
  const rows = placements.map((placement, index) => {
    if (problem.setupIs === 'before' || placement.setup === 0 || problem.operations[index]?.frozen !== undefined)
      return row(index, placement.start, placement.end, placement.unit)
    // an attached set-up is the head of the span: the work itself begins after so much open time
    const alternative = alternativeOn(index, placement.unit)
    model.place(index, alternative, placement.start, placement.start, 0)
    const calendar = model.alternativeCalendar[alternative] as number
    model.timeline.fit(calendar, placement.start, placement.setup, problem.resumable)
    model.timeline.fit(calendar, model.timeline.end, Math.min(1, placement.end - model.timeline.end), problem.resumable)
    return row(index, model.timeline.start, placement.end, placement.unit)
  })
  return { instance, rows }
}

/** Rows of a schedule as the benchmark's contract prints them. */
export function toFjs1Rows(instance: Fjs1Instance, schedule: Schedule): readonly Fjs1Row[] {
  let index = 0
  return instance.jobs.flatMap((job, order) =>
    job.ops.map((_, op) => {
      const placement = schedule.placements[index++] as Placement
      return { job: order, op, machine: placement.unit, start: placement.start, end: placement.end }
    }),
  )
}
