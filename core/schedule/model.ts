import { headsByUnit } from './check-problem.ts'
import { capacityLeft, closedTimeOf, needsOf } from './needs.ts'
import type { ProblemAlternative, Schedule, ScheduleCost, ScheduleProblem, Span } from './problem.ts'
import { riskCost } from './risk-cost.ts'
import { mergeSpans, Timeline } from './timeline.ts'
import { frozenLotReady } from './transfer-lots.ts'

/**
 * A checked problem in flat arrays, without its frozen rows: what they leave behind is the moment a unit is free, what it is set up for,
 * and the earliest start of their followers. Lists of lists lie one after another; `xFirst[i]` to `xFirst[i + 1]` are those of `i`.
 */
export class Model {
  readonly problem: ScheduleProblem
  readonly now: number
  /** Operations to place; `operationOf` gives each its index in the problem. */
  readonly count: number
  readonly operationOf: Int32Array
  readonly units: number
  readonly orders: number

  readonly orderOf: Int32Array
  readonly release: Float64Array
  readonly startBy: Float64Array
  readonly resumable: Uint8Array
  readonly family: Int32Array
  readonly baselineUnit: Int32Array
  readonly baselineStart: Float64Array

  readonly alternativeFirst: Int32Array
  readonly alternativeUnit: Int32Array
  readonly alternativeDuration: Float64Array
  readonly alternativeSetup: Float64Array
  readonly alternativeCalendar: Int32Array
  /** What each alternative needs beside its unit. */
  readonly needFirst: Int32Array
  readonly needResource: Int32Array
  readonly needAmount: Float64Array
  /** By resource, what operations can have of it. */
  readonly capacity: ReturnType<typeof capacityLeft>

  readonly beforeFirst: Int32Array
  readonly before: Int32Array
  readonly afterFirst: Int32Array
  readonly after: Int32Array
  /** The share that goes on to followers at once; 0: all goes on together. */
  readonly share: Float64Array
  /** What is frozen and hands transfer lots on to an operation: its end and its share. */
  readonly frozenLots: ReadonlyMap<number, readonly { readonly end: number; readonly share: number }[]>
  /** Do operations share resources beside units, or hand on transfer lots? Then more than predecessors decides when one can begin. */
  readonly coupled: boolean
  /** Does work on some unit cost because it may fail? */
  readonly risky: boolean

  readonly due: Float64Array
  readonly weight: Float64Array
  readonly counts: Uint8Array
  /** When the frozen part of an order ends. */
  readonly frozenEnd: Float64Array
  /** The operations that end an order. */
  readonly lastFirst: Int32Array
  readonly last: Int32Array
  readonly isLast: Uint8Array

  readonly unitFree: Float64Array
  readonly unitFamily: Int32Array
  /** Operations that come first on each unit, in order. */
  readonly heads: readonly (readonly number[])[]
  readonly isHead: Uint8Array
  readonly families: number
  /** Per unit `from × to`; −1 where the alternative's set-up applies. Undefined when no unit has a matrix. */
  readonly #setups: Float64Array | undefined
  readonly #initial: Float64Array
  readonly timeline: Timeline
  readonly attached: boolean
  readonly anticipatory: boolean
  readonly setupInOpenTime: boolean

  constructor(problem: ScheduleProblem) {
    this.problem = problem
    this.now = problem.now
    const { operations, orders, units } = problem
    const active = operations.flatMap((operation, index) => (operation.frozen === undefined ? [index] : []))
    const activeOf = new Int32Array(operations.length).fill(-1)
    active.forEach((index, at) => {
      activeOf[index] = at
    })
    this.count = active.length
    this.operationOf = Int32Array.from(active)
    this.units = units.length
    this.orders = orders.length
    const operation = (at: number) => operations[active[at] as number] as ScheduleProblem['operations'][number]
    const each = (value: (op: ScheduleProblem['operations'][number]) => number) => active.map((_, at) => value(operation(at)))

    this.orderOf = Int32Array.from(each((op) => op.order))
    this.release = Float64Array.from(
      each((op) => {
        const ends = op.after.map((index) => frozenLotReady(problem, index))
        return Math.max(problem.now, orders[op.order]?.release ?? 0, op.notBefore ?? 0, ...ends)
      }),
    )
    this.startBy = Float64Array.from(each((op) => op.startBy ?? Number.POSITIVE_INFINITY))
    this.resumable = Uint8Array.from(each((op) => ((op.resumable ?? problem.resumable) ? 1 : 0)))
    this.family = Int32Array.from(each((op) => op.family ?? -1))
    this.baselineUnit = Int32Array.from(each((op) => op.baseline?.unit ?? -1))
    this.baselineStart = Float64Array.from(each((op) => op.baseline?.start ?? 0))

    const calendars: Span[][] = units.map((unit) => mergeSpans(unit.closed, problem.now))
    const own = new Map<readonly Span[], Map<string, number>>()
    const calendarOf = (alternative: ProblemAlternative): number => {
      const needs = needsOf(alternative)
      if (alternative.closed === undefined && needs.length === 0) return alternative.unit
      const closed = alternative.closed ?? units[alternative.unit]?.closed ?? []
      const byNeeds = own.get(closed) ?? new Map<string, number>()
      const key = needs.map(({ resource, amount }) => `${resource} ${amount}`).join()
      const known = byNeeds.get(key) ?? calendars.push(mergeSpans(closedTimeOf(problem, alternative), problem.now)) - 1
      own.set(closed, byNeeds.set(key, known))
      return known
    }
    const alternatives = active.map((_, at) => operation(at).alternatives)
    this.alternativeFirst = firsts(alternatives)
    const flat = alternatives.flat()
    this.alternativeUnit = Int32Array.from(flat, (alternative) => alternative.unit)
    this.alternativeDuration = Float64Array.from(flat, (alternative) => alternative.duration)
    this.alternativeSetup = Float64Array.from(flat, (alternative) => alternative.setup)
    this.alternativeCalendar = Int32Array.from(flat, calendarOf)
    const needs = flat.map(needsOf)
    this.needFirst = firsts(needs)
    this.needResource = Int32Array.from(needs.flat(), ({ resource }) => resource)
    this.needAmount = Float64Array.from(needs.flat(), ({ amount }) => amount)
    this.capacity = this.needResource.length > 0 ? capacityLeft(problem) : []
    this.timeline = new Timeline(calendars)

    const before = active.map((_, at) => [...new Set(operation(at).after)].map((index) => activeOf[index] as number).filter((index) => index >= 0))
    const after: number[][] = active.map(() => [])
    for (const [at, list] of before.entries()) for (const index of list) after[index]?.push(at)
    this.beforeFirst = firsts(before)
    this.before = Int32Array.from(before.flat())
    this.afterFirst = firsts(after)
    this.after = Int32Array.from(after.flat())
    this.share = Float64Array.from(after, (followers, at) => (followers.length > 0 ? (operation(at).transferShare ?? 0) : 0))
    this.frozenLots = new Map(
      active.flatMap((_, at) => {
        const lots = operation(at).after.flatMap((index) => {
          const { frozen, transferShare } = operations[index] as ScheduleProblem['operations'][number]
          return frozen === undefined || transferShare === undefined ? [] : [{ end: frozen.end, share: transferShare }]
        })
        return lots.length === 0 ? [] : [[at, lots] as const]
      }),
    )
    this.coupled = this.needResource.length > 0 || this.share.some((share) => share > 0) || this.frozenLots.size > 0
    this.risky = (problem.weights.risk ?? 0) > 0 && units.some(({ risk }) => (risk?.perTime ?? 0) > 0)

    this.due = Float64Array.from(orders, (order) => order.due ?? Number.POSITIVE_INFINITY)
    this.weight = Float64Array.from(orders, (order) => order.weight)
    this.counts = Uint8Array.from(orders, (order) => (order.counts === false ? 0 : 1))
    this.frozenEnd = new Float64Array(orders.length)
    for (const { order, frozen } of operations) if (frozen !== undefined) this.frozenEnd[order] = Math.max(this.frozenEnd[order] ?? 0, frozen.end)
    const last: number[][] = orders.map(() => [])
    for (const [at, list] of after.entries()) if (!list.some((next) => this.orderOf[next] === this.orderOf[at])) last[this.orderOf[at] as number]?.push(at)
    this.lastFirst = firsts(last)
    this.last = Int32Array.from(last.flat())
    this.isLast = new Uint8Array(this.count)
    for (const at of this.last) this.isLast[at] = 1

    this.unitFree = new Float64Array(units.length).fill(problem.now)
    this.unitFamily = Int32Array.from(units, (unit) => unit.family ?? -1)
    const frozen = operations.filter((op) => op.frozen !== undefined).sort((a, b) => (a.frozen?.start ?? 0) - (b.frozen?.start ?? 0))
    for (const { frozen: row, family } of frozen) {
      if (row === undefined) continue
      this.unitFree[row.unit] = Math.max(this.unitFree[row.unit] ?? 0, row.end)
      this.unitFamily[row.unit] = family ?? -1
    }
    const heads = headsByUnit(problem)
    this.heads = units.map((_, unit) => (heads.get(unit) ?? []).map((index) => activeOf[index] as number))
    this.isHead = new Uint8Array(this.count)
    for (const at of this.heads.flat()) this.isHead[at] = 1

    this.families = Math.max(0, ...units.map((unit) => (unit.family ?? -1) + 1), ...operations.map((op) => (op.family ?? -1) + 1))
    const f = this.families
    this.#setups = units.some((unit) => unit.setups !== undefined) ? new Float64Array(units.length * f * f).fill(-1) : undefined
    this.#initial = new Float64Array(units.length * f).fill(-1)
    units.forEach((unit, u) => {
      for (let from = 0; from < f; from++) {
        this.#initial[u * f + from] = unit.initialSetups?.[from] ?? -1
        for (let to = 0; to < f && this.#setups !== undefined; to++) this.#setups[(u * f + from) * f + to] = unit.setups?.[from]?.[to] ?? -1
      }
    })
    this.attached = problem.setupIs === 'attached'
    this.anticipatory = problem.anticipatory ?? false
    this.setupInOpenTime = problem.setupInOpenTime ?? false
  }

  /** Set-up time of an alternative after the operation `previous` on its unit; −1: it is the first there. */
  setup(alternative: number, operation: number, previous: number): number {
    const unit = this.alternativeUnit[alternative] as number
    const to = this.family[operation] as number
    if (to >= 0) {
      const from = (previous < 0 ? this.unitFamily[unit] : this.family[previous]) as number
      if (from < 0) {
        const known = this.#initial[unit * this.families + to] as number
        if (known >= 0) return known
      } else if (this.#setups !== undefined) {
        const known = this.#setups[(unit * this.families + from) * this.families + to] as number
        if (known >= 0) return known
      }
    }
    return this.alternativeSetup[alternative] as number
  }

  /** Places an alternative: its predecessors end by `ready`, its unit is free at `free`. The answer is in `timeline.start` and `.end`. */
  place(operation: number, alternative: number, ready: number, free: number, setup: number): void {
    const calendar = this.alternativeCalendar[alternative] as number
    const resumable = this.resumable[operation] === 1
    const duration = this.alternativeDuration[alternative] as number
    if (this.attached) return this.timeline.fit(calendar, Math.max(free, ready), setup + duration, resumable)
    let from = this.anticipatory || ready < free ? free : ready
    if (setup > 0) {
      if (this.setupInOpenTime) {
        this.timeline.fit(calendar, from, setup, true)
        from = this.timeline.end
      } else from += setup
    }
    this.timeline.fit(calendar, Math.max(from, ready), duration, resumable)
  }

  /** The answer of a search in terms of the problem: active rows as found, frozen rows as they are. */
  toSchedule(rows: { unit(at: number): number; start(at: number): number; end(at: number): number; setup(at: number): number }, evaluations: number): Schedule {
    const placements = this.problem.operations.map((operation) => ({
      unit: operation.frozen?.unit ?? -1,
      start: operation.frozen?.start ?? 0,
      end: operation.frozen?.end ?? 0,
      setup: 0,
    }))
    for (let at = 0; at < this.count; at++) {
      placements[this.operationOf[at] as number] = { unit: rows.unit(at), start: rows.start(at), end: rows.end(at), setup: rows.setup(at) }
    }
    return { placements, cost: scheduleCost(this.problem, placements), evaluations }
  }
}

/** What a schedule costs, counted anew from its rows. */
export function scheduleCost(problem: ScheduleProblem, placements: Schedule['placements']): ScheduleCost {
  const ends = new Float64Array(problem.orders.length)
  let [setups, setupTime, lateStart, reassigned, moved, deviation] = [0, 0, 0, 0, 0, 0]
  problem.operations.forEach((operation, index) => {
    const row = placements[index]
    if (row === undefined) return
    ends[operation.order] = Math.max(ends[operation.order] ?? 0, row.end)
    if (operation.frozen !== undefined) return
    if (row.setup > 0) setups++
    setupTime += row.setup
    lateStart += Math.max(0, row.start - (operation.startBy ?? Number.POSITIVE_INFINITY))
    if (operation.baseline === undefined) return
    if (operation.baseline.unit !== row.unit) reassigned++
    if (operation.baseline.unit !== row.unit || operation.baseline.start !== row.start) moved++
    deviation += Math.abs(row.start - operation.baseline.start)
  })
  const late: number[] = []
  let [tardiness, weightedTardiness, makespan] = [0, 0, 0]
  problem.orders.forEach((order, index) => {
    const end = ends[index] ?? 0
    if (order.counts !== false) makespan = Math.max(makespan, end - problem.now)
    if (order.due === null || end <= order.due) return
    late.push(index)
    tardiness += end - order.due
    weightedTardiness += order.weight * (end - order.due)
  })
  const weights = problem.weights
  const risk = riskCost(problem, placements)
  const total =
    weights.tardiness * weightedTardiness +
    weights.makespan * makespan +
    weights.setup * setupTime +
    weights.lateStart * lateStart +
    weights.reassigned * reassigned +
    weights.deviation * deviation +
    (weights.risk ?? 0) * risk
  return { total, weightedTardiness, tardiness, late, makespan, setups, setupTime, lateStart, reassigned, moved, deviation, risk }
}

function firsts(lists: readonly { readonly length: number }[]): Int32Array {
  const first = new Int32Array(lists.length + 1)
  lists.forEach((list, index) => {
    first[index + 1] = (first[index] as number) + list.length
  })
  return first
}
