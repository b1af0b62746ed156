import { TaktError } from '../base/error.ts'
import type { MachineState, PackmlMode, PackmlState, TimeElement } from '../messages/machine-state.ts'
import type { Sample } from '../messages/sample.ts'
import type { Signal, SignalRole } from '../plant/model.ts'
import { packmlMode, packmlState, timeElement } from './packml.ts'
import { roleRank } from './sample.ts'
import { attribute, type CountKind, EMPTY_TALLY, nameJob, type Parts, presentJob, readCounter, settle, type Tally } from './tally.ts'

/**
 * Something said about one unit: a checked sample of a signal with a machine role, or that the unit fell silent or was heard again.
 * `order` tells facts of the same moment apart: the place of a guaranteed message in the inbox, the same when it comes again.
 */
export type UnitFact =
  | { readonly what: 'state'; readonly time: number; readonly received: number; readonly order?: number; readonly state: PackmlState }
  | { readonly what: 'mode'; readonly time: number; readonly received: number; readonly order?: number; readonly mode: PackmlMode }
  | { readonly what: 'job'; readonly time: number; readonly received: number; readonly order?: number; readonly job: string | null }
  | {
      readonly what: 'count'
      readonly time: number
      readonly received: number
      readonly order?: number
      readonly kind: CountKind
      readonly signal: string
      readonly raw: number
      readonly rollover: number | undefined
    }
  | { readonly what: 'silent' | 'heard'; readonly time: number; readonly received: number; readonly order?: number; readonly why?: string }

/** What a unit does now; the row of its history that has no end yet. */
export interface Present {
  readonly state: MachineState['state']
  readonly mode: PackmlMode | null
  readonly element: TimeElement | null
  readonly reason: string | null
  readonly jobOrder: string | null
  readonly since: number
}

interface Timed<T> {
  readonly value: T
  readonly time: number
  readonly order?: number
}

/** All that is remembered of one unit between two samples; plain JSON, never changed in place. */
export interface UnitMemory {
  readonly state: Timed<PackmlState> | null
  readonly mode: Timed<PackmlMode> | null
  readonly tally: Tally
  readonly silent: { readonly why: string | null } | null
  readonly present: Present | null
  /** the newest source time of all its signals */
  readonly newest: number
  /** since when (plant time) everything was older, and how often it moved on nevertheless */
  readonly late: { readonly since: number; readonly newest: number; readonly moved: number } | null
}

export const NEW_UNIT: UnitMemory = { state: null, mode: null, tally: EMPTY_TALLY, silent: null, present: null, newest: 0, late: null }

/**
 * A unit that sends nothing but values from its past for so long, ms, and of so many moments, each later than the one before, has had its clock set back:
 * then the time of arrival counts. Anything less is messages that come late, or once more.
 */
const CLOCK_SET_BACK_MS = 60_000
const CLOCK_SET_BACK_MOMENTS = 5

/** How the parts of one job order changed; `added` are new, the rest of the difference was booked on another job order before. */
export interface PartsChange {
  readonly jobOrder: string | null
  readonly difference: { readonly good: number; readonly scrap: number }
  readonly added: { readonly good: number; readonly scrap: number }
  readonly first: number
  readonly last: number
}

export interface UnitStep {
  readonly memory: UnitMemory
  /** The states it went through, oldest first; the last one is present. */
  readonly states: readonly Present[]
  readonly parts: readonly PartsChange[]
  /** Whether anything worth keeping was learned, even if nothing is to be told. */
  readonly learned: boolean
}

export const MACHINE_ROLES: ReadonlySet<SignalRole | undefined> = new Set<SignalRole>(['packml-state', 'packml-mode', 'job-order', 'good-count', 'scrap-count'])

/**
 * What a sample says about its unit; nothing when its signal has another role or its quality is bad. Throws TAKT_MACHINE_STATE_UNKNOWN,
 * TAKT_MACHINE_MODE_UNKNOWN, TAKT_MACHINE_COUNT_INVALID, TAKT_MACHINE_JOB_INVALID.
 */
export function readFact(sample: Sample, signal: Signal, where: string): UnitFact | undefined {
  if (sample.quality === 'bad') return undefined
  const { value } = sample
  const time = Math.round(sample.time)
  const received = Math.round(sample.received)
  switch (signal.role) {
    case 'packml-state':
      return { what: 'state', time, received, state: packmlState(value, where) }
    case 'packml-mode':
      return { what: 'mode', time, received, mode: packmlMode(value, where) }
    case 'job-order':
      return { what: 'job', time, received, job: jobOrderId(value, where) }
    case 'good-count':
    case 'scrap-count': {
      const kind = signal.role === 'good-count' ? 'good' : 'scrap'
      return { what: 'count', time, received, kind, signal: signal.name, raw: runningTotal(value, where), rollover: signal.rollover }
    }
    default:
      return undefined
  }
}

function jobOrderId(value: unknown, where: string): string | null {
  if (typeof value === 'boolean' || (typeof value === 'string' && value.length > 200))
    throw new TaktError('TAKT_MACHINE_JOB_INVALID', { what: 'the job order is no id', where })
  const id = String(value).trim()
  return id === '' ? null : id
}

function runningTotal(value: unknown, where: string): number {
  if (typeof value !== 'number' || !(value >= 0) || !Number.isFinite(value))
    throw new TaktError('TAKT_MACHINE_COUNT_INVALID', { what: `the count is ${typeof value === 'string' ? `'${value.slice(0, 40)}'` : String(value)}`, where })
  return value
}

/** Job order, counts, mode, state: see `roleRank`, which the sensors use too. */
const RANKS: Readonly<Record<UnitFact['what'], number>> = {
  heard: -1,
  job: roleRank('job-order'),
  count: roleRank('good-count'),
  mode: roleRank('packml-mode'),
  state: roleRank('packml-state'),
  silent: 9,
}

/**
 * One step of a unit: the facts of a batch in the order of their source time, and what follows from them. Pure: facts that are known already, or that
 * come late, in another order or twice, lead to the same counts. `now` is plant time, `rate` plant milliseconds per real millisecond.
 */
export function stepUnit(memory: UnitMemory, arrived: readonly UnitFact[], now: number, rate = 1): UnitStep {
  const { facts: ordered, newest, late } = inOrder(memory, arrived, now, CLOCK_SET_BACK_MS * Math.max(1, rate))
  const states: Present[] = []
  let { state, mode, silent, present } = memory
  let tally = memory.tally

  ordered.forEach((fact, index) => {
    let from = fact.time
    switch (fact.what) {
      case 'state':
        if (isNewer(fact, state)) state = timed(fact.state, fact)
        break
      case 'mode':
        if (isNewer(fact, mode)) mode = timed(fact.mode, fact)
        break
      case 'job':
        tally = nameJob(tally, fact.time, fact.job, fact.order)
        break
      case 'count':
        tally = readCounter(tally, fact.signal, fact.kind, fact.time, fact.raw, fact.rollover)
        break
      case 'silent':
        silent = { why: fact.why ?? null }
        break
    }
    if (silent !== null && fact.what !== 'silent') {
      // a value may be older than the silence: the unit is seen again from when it was heard
      silent = null
      from = Math.max(from, fact.received)
    }
    // what is said of one moment is one change
    if (ordered[index + 1]?.time === fact.time) return
    const next = presentOf(state, mode, silent, tally, Math.max(from, present?.since ?? 0))
    if (next === null || (present !== null && isSame(next, present))) return
    if (states.length > 0 && states.at(-1)?.since === next.since) states.pop()
    states.push(next)
    present = next
  })

  const parts = partsChanged(memory.tally, tally)
  const learned = tally !== memory.tally || states.length > 0
  return { memory: { state, mode, silent, present, tally: settle(tally), newest, late }, states, parts, learned }
}

interface Moment {
  readonly time: number
  readonly order?: number
}

/** Of one moment the last fact holds: the one that comes later, or the one further on in the inbox where both came through it. */
function isNewer(fact: Moment, known: Moment | null): boolean {
  if (known === null || fact.time > known.time) return true
  return fact.time === known.time && (fact.order === undefined || known.order === undefined || fact.order >= known.order)
}

function timed<T>(value: T, { time, order }: Moment): Timed<T> {
  return order === undefined ? { value, time } : { value, time, order }
}

/** The facts by their time; the time of arrival takes its place where the unit's clock was set back. */
function inOrder(
  memory: UnitMemory,
  arrived: readonly UnitFact[],
  now: number,
  setBackMs: number,
): { readonly facts: readonly UnitFact[]; readonly newest: number; readonly late: UnitMemory['late'] } {
  let { newest, late } = memory
  const byTime = (a: UnitFact, b: UnitFact): number => a.time - b.time || RANKS[a.what] - RANKS[b.what]
  const facts = arrived.toSorted(byTime).map((fact) => {
    if (fact.what === 'silent' || fact.what === 'heard') return fact
    if (fact.time >= newest) {
      newest = fact.time
      late = null
      return fact
    }
    late = { since: late?.since ?? now, newest: Math.max(fact.time, late?.newest ?? 0), moved: (late?.moved ?? 0) + (fact.time > (late?.newest ?? 0) ? 1 : 0) }
    const isReplay = now - fact.received >= setBackMs
    if (isReplay || now - late.since < setBackMs || late.moved < CLOCK_SET_BACK_MOMENTS) return fact
    newest = Math.max(newest, fact.received)
    return { ...fact, time: fact.received }
  })
  return { facts: facts.sort(byTime), newest, late }
}

function presentOf(
  state: Timed<PackmlState> | null,
  mode: Timed<PackmlMode> | null,
  silent: UnitMemory['silent'],
  tally: Tally,
  since: number,
): Present | null {
  if (silent === null && state === null) return null
  const name = silent !== null || state === null ? 'NoSignal' : state.value
  const inMode = mode?.value ?? null
  return { state: name, mode: inMode, element: timeElement(name, inMode), reason: silent?.why ?? null, jobOrder: presentJob(tally), since }
}

function isSame(a: Present, b: Present): boolean {
  return a.state === b.state && a.mode === b.mode && a.jobOrder === b.jobOrder && a.reason === b.reason
}

/** The difference of two attributions. Parts that only moved to another job order are no new parts. */
function partsChanged(before: Tally, after: Tally): PartsChange[] {
  if (before === after) return []
  const old = attribute(before)
  const now = attribute(after)
  const changes: PartsChange[] = []
  const fresh = { good: totalOf(now, 'good') - totalOf(old, 'good'), scrap: totalOf(now, 'scrap') - totalOf(old, 'scrap') }
  const latestFirst = [...new Set([...now.keys(), ...old.keys()])].sort((a, b) => (now.get(b)?.last ?? 0) - (now.get(a)?.last ?? 0))
  for (const jobOrder of latestFirst) {
    const parts = now.get(jobOrder)
    const was = old.get(jobOrder)
    const difference = { good: (parts?.good ?? 0) - (was?.good ?? 0), scrap: (parts?.scrap ?? 0) - (was?.scrap ?? 0) }
    if (difference.good === 0 && difference.scrap === 0) continue
    const added = { good: Math.min(fresh.good, Math.max(0, difference.good)), scrap: Math.min(fresh.scrap, Math.max(0, difference.scrap)) }
    fresh.good -= added.good
    fresh.scrap -= added.scrap
    const first = parts?.first ?? was?.first ?? 0
    changes.push({ jobOrder, difference, added, first, last: parts?.last ?? first })
  }
  return changes.reverse()
}

function totalOf(byJob: ReadonlyMap<string | null, Readonly<Parts>>, kind: CountKind): number {
  let total = 0
  for (const parts of byJob.values()) total += parts[kind]
  return total
}
