import type { Random } from '../../base/random.ts'
import { mergeSpans, Timeline } from '../timeline.ts'
import { drawExponential } from './draws.ts'
import { LifetimeTruth } from './lifetime.ts'
import { LogNormalTruth } from './log-normal.ts'
import type { LookaheadInput } from './lookahead-input.ts'

/** What a prognosis foretells is wear: failures gather around their time as with this Weibull shape. */
const WEAR_SHAPE = 3
/** A unit that fails more often than this in one operation is not a machine; the run goes on without. */
const MOST_FAILURES = 50
/** A prognosis whose time has come leaves it at least this long. */
const SOON_MS = 60_000

/**
 * A plan that can be lived through again and again. Right shift: every operation stays on its unit and in its place there, and begins as soon as its predecessors have ended,
 * its unit is free and open, and its planned start (less `earlyMs`) has come. A unit that fails while working stands still for its repair; then the operation goes on.
 * Planned maintenance renews a unit; so does the repair of a failure, which makes the maintenance that was still to come needless.
 */
export class Twin {
  /** Completion by order after a run; 0 where nothing of it is planned. */
  readonly completion: Float64Array
  /** 1 where a unit failed until the horizon in this run. */
  readonly failed: Uint8Array
  /** By operation, of the last run. */
  readonly end: Float64Array

  readonly #input: LookaheadInput
  readonly #timeline: Timeline
  readonly #calendar: Int32Array
  readonly #order: Int32Array
  /** Of each predecessor, by how much an operation may begin before its end: what the plan lets overlap. */
  readonly #overlap: readonly (readonly number[])[]
  readonly #work: readonly PlannedWork[]
  readonly #free: Float64Array
  readonly #left: Float64Array
  readonly #repaired: Uint8Array
  readonly #lifetimes: readonly LifetimeTruth[]
  readonly #repairs: readonly LogNormalTruth[]
  readonly #ratios: readonly LogNormalTruth[]
  readonly #maintenanceRatio = new LogNormalTruth()

  constructor(input: LookaheadInput) {
    const { units, orders, operations, now } = input
    this.#input = input
    this.completion = new Float64Array(orders.length)
    this.failed = new Uint8Array(units.length)
    this.end = new Float64Array(operations.length)
    const calendars = units.map((unit) => mergeSpans(unit.closed, now))
    this.#calendar = Int32Array.from(operations, (operation) =>
      operation.closed === undefined ? operation.unit : calendars.push(mergeSpans(operation.closed, now)) - 1,
    )
    this.#timeline = new Timeline(calendars)
    this.#order = inTurn(input)
    this.#overlap = operations.map(({ after, start, running }) =>
      after.map((before) => (running ? 0 : Math.min(0, start - (operations[before]?.end ?? start)))),
    )
    this.#work = units.map((_, unit) => new PlannedWork(input, unit))
    this.#free = new Float64Array(units.length)
    this.#left = new Float64Array(units.length)
    this.#repaired = new Uint8Array(units.length)
    this.#lifetimes = units.map(() => new LifetimeTruth())
    this.#repairs = units.map(() => new LogNormalTruth())
    this.#ratios = units.map(() => new LogNormalTruth())
  }

  /** Lives through the plan once; the answer is in `completion`, `failed` and `end`. */
  run(random: Random): void {
    this.#begin(random)
    for (const index of this.#order) this.#live(index, random)
  }

  #begin(random: Random): void {
    const { units, now, maintenanceRatio } = this.#input
    this.completion.fill(0)
    this.failed.fill(0)
    this.#repaired.fill(0)
    this.#free.fill(now)
    this.#maintenanceRatio.draw(maintenanceRatio, random)
    for (let unit = 0; unit < units.length; unit++) {
      const { lifetime, repair, ratio, ageMs, hazard = 1, foretold } = units[unit] as LookaheadInput['units'][number]
      this.#lifetimes[unit]?.draw(lifetime, random)
      this.#repairs[unit]?.draw(repair, random)
      this.#ratios[unit]?.draw(ratio, random)
      let left = this.#lifetimes[unit]?.remaining(ageMs, hazard, random) ?? 0
      if (foretold !== undefined) {
        const scale = Math.max(SOON_MS, foretold.by - now) / (-Math.log(1 - foretold.probability)) ** (1 / WEAR_SHAPE)
        left = Math.min(left, this.#work[unit]?.until(now + scale * drawExponential(random) ** (1 / WEAR_SHAPE)) ?? left)
      }
      this.#left[unit] = left
    }
  }

  #live(index: number, random: Random): void {
    const { operations, now, earlyMs = 0 } = this.#input
    const operation = operations[index] as LookaheadInput['operations'][number]
    const { unit, running, maintenance, workMs, order } = operation
    let ready = this.#free[unit] as number
    if (!running) {
      ready = Math.max(ready, operation.notBefore, operation.start - earlyMs)
      const overlap = this.#overlap[index] as readonly number[]
      for (let at = 0; at < operation.after.length; at++) ready = Math.max(ready, (this.end[operation.after[at] as number] as number) + (overlap[at] as number))
    }
    const start = running ? Math.max(now, ready) : this.#start(index, ready)
    const end = maintenance ? this.#maintain(index, unit, ready, start, random) : this.#workThrough(index, unit, start, workMs, random)
    this.end[index] = end
    this.#free[unit] = Math.max(this.#free[unit] as number, end)
    this.completion[order] = Math.max(this.completion[order] as number, end)
  }

  /** Where it would begin by its planned length: nobody knows beforehand that it will take longer. */
  #start(index: number, ready: number): number {
    const { workMs, resumable } = this.#input.operations[index] as LookaheadInput['operations'][number]
    this.#timeline.fit(this.#calendar[index] as number, ready, workMs, resumable)
    return this.#timeline.start
  }

  #fit(index: number, at: number, work: number): number {
    if (work <= 0) return at
    this.#timeline.fit(this.#calendar[index] as number, at, work, true)
    return this.#timeline.end
  }

  #maintain(index: number, unit: number, ready: number, start: number, random: Random): number {
    const { running, workMs } = this.#input.operations[index] as LookaheadInput['operations'][number]
    if (this.#repaired[unit] === 1 && !running) {
      this.#repaired[unit] = 0
      return ready
    }
    this.#renew(unit, random)
    return this.#fit(index, start, workMs * this.#maintenanceRatio.value(random))
  }

  #workThrough(index: number, unit: number, start: number, workMs: number, random: Random): number {
    const { horizon } = this.#input
    let at = start
    let rest = workMs * (this.#ratios[unit]?.value(random) ?? 1)
    for (let failures = 0; rest > (this.#left[unit] as number) && failures < MOST_FAILURES; failures++) {
      const left = this.#left[unit] as number
      const broken = this.#fit(index, at, left)
      if (broken <= horizon) this.failed[unit] = 1
      rest -= left
      at = broken + (this.#repairs[unit]?.value(random) ?? 0)
      this.#renew(unit, random)
      this.#repaired[unit] = 1
    }
    this.#left[unit] = (this.#left[unit] as number) - rest
    return this.#fit(index, at, rest)
  }

  #renew(unit: number, random: Random): void {
    this.#left[unit] = this.#lifetimes[unit]?.remaining(0, 1, random) ?? 0
  }
}

/** How much a unit will have worked by a time, as planned: turns the time that a prognosis names into wear. */
class PlannedWork {
  readonly #rows: readonly { readonly start: number; readonly end: number; readonly workMs: number }[]

  constructor({ operations, now }: LookaheadInput, unit: number) {
    this.#rows = operations
      .filter((operation) => operation.unit === unit && !operation.maintenance)
      .map(({ start, end, workMs }) => ({ start: Math.max(start, now), end: Math.max(end, now), workMs }))
      .sort((a, b) => a.start - b.start)
  }

  /** Operating ms until a time; `Infinity` when all planned work is done before. */
  until(time: number): number {
    let work = 0
    for (const { start, end, workMs } of this.#rows) {
      if (time <= start) return work
      if (time < end) return work + (workMs * (time - start)) / (end - start)
      work += workMs
    }
    return Number.POSITIVE_INFINITY
  }
}

/** The operations so that none comes before what it waits for: in its order, and on its unit by planned start. What waits in a circle comes last, by planned start. */
function inTurn({ operations }: LookaheadInput): Int32Array {
  const count = operations.length
  const byStart = [...operations.keys()].sort((a, b) => {
    const [one, other] = [operations[a], operations[b]] as [LookaheadInput['operations'][number], LookaheadInput['operations'][number]]
    return Number(other.running) - Number(one.running) || one.start - other.start || one.end - other.end || a - b
  })
  const followers: number[][] = Array.from({ length: count }, () => [])
  const waits = new Int32Array(count)
  const wait = (before: number, after: number): void => {
    if (before === after || operations[before] === undefined || operations[after]?.running === true) return
    followers[before]?.push(after)
    waits[after] = (waits[after] as number) + 1
  }
  const last = new Map<number, number>()
  for (const index of byStart) {
    const { unit, after } = operations[index] as LookaheadInput['operations'][number]
    for (const before of after) wait(before, index)
    const previous = last.get(unit)
    if (previous !== undefined) wait(previous, index)
    last.set(unit, index)
  }
  const turn = byStart.filter((index) => waits[index] === 0)
  for (let at = 0; at < turn.length; at++) {
    for (const next of followers[turn[at] as number] ?? []) {
      waits[next] = (waits[next] as number) - 1
      if (waits[next] === 0) turn.push(next)
    }
  }
  const done = new Set(turn)
  return Int32Array.from([...turn, ...byStart.filter((index) => !done.has(index))])
}
