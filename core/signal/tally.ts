import { countStep } from './counter.ts'

export type CountKind = 'good' | 'scrap'

/** From `time` on the machine named `job` as the job order it has loaded or runs; null: none. */
interface Naming {
  readonly time: number
  readonly job: string | null
  readonly order?: number
}

/** A counter's value at a time, and all it had counted by then. */
interface Reading {
  readonly time: number
  readonly raw: number
  readonly total: number
}

interface CounterTrack {
  readonly kind: CountKind
  /** oldest first; the parts up to the first one are settled */
  readonly readings: readonly Reading[]
}

/**
 * What was seen lately of one unit's counters and of the job orders it named. Plain JSON; never changed in place.
 * It is kept as facts rather than as sums: which part belongs to which job order is then a function of what was seen, whatever order it came in.
 */
export interface Tally {
  readonly jobs: readonly Naming[]
  /** namings before this time are forgotten */
  readonly horizon: number
  readonly counters: Readonly<Record<string, CounterTrack>>
}

export const EMPTY_TALLY: Tally = { jobs: [], horizon: 0, counters: {} }

/** Parts of one job order. */
export interface Parts {
  good: number
  scrap: number
  /** source times of the first and the last of them */
  first: number
  last: number
}

const NAMINGS_KEPT = 16
const READINGS_KEPT = 16

/** The job order that the machine named at a time; null before the first naming that is known. */
export function jobAt(tally: Tally, time: number): string | null {
  return tally.jobs[lastAtOrBefore(tally.jobs, time)]?.job ?? null
}

/** The job order that the machine names now. */
export function presentJob(tally: Tally): string | null {
  return tally.jobs.at(-1)?.job ?? null
}

/** Parts by job order within what is remembered; null is the key of parts made without a job order. */
export function attribute(tally: Tally): ReadonlyMap<string | null, Readonly<Parts>> {
  const byJob = new Map<string | null, Parts>()
  for (const { kind, readings } of Object.values(tally.counters)) {
    for (let at = 1; at < readings.length; at++) {
      const reading = readings[at]
      const made = (reading?.total ?? 0) - (readings[at - 1]?.total ?? 0)
      if (reading === undefined || made === 0) continue
      const job = jobAt(tally, reading.time)
      const parts = byJob.get(job)
      if (parts === undefined) byJob.set(job, { good: 0, scrap: 0, first: reading.time, last: reading.time, [kind]: made })
      else {
        parts[kind] += made
        parts.first = Math.min(parts.first, reading.time)
        parts.last = Math.max(parts.last, reading.time)
      }
    }
  }
  return byJob
}

/** The same tally where the fact is known already, or is older than what is remembered. */
export function nameJob(tally: Tally, time: number, job: string | null, order?: number): Tally {
  const { jobs } = tally
  if (time < tally.horizon) return tally
  const at = lastAtOrBefore(jobs, time)
  const inForce = jobs[at]
  if (inForce !== undefined && inForce.job === job) return tally
  const changed = jobs.slice()
  const naming = order === undefined ? { time, job } : { time, job, order }
  // two namings in the same millisecond: the one that came last holds, or the one further on in the inbox where both came through it
  if (inForce?.time !== time) changed.splice(at + 1, 0, naming)
  else if (order !== undefined && inForce.order !== undefined && order < inForce.order) return tally
  else changed[at] = naming
  return { ...tally, jobs: changed.filter((naming, index) => naming.job !== changed[index - 1]?.job || index === 0) }
}

/** The total that a counter begins with when its past is known from elsewhere. */
export function beginCounter(tally: Tally, signal: string, kind: CountKind, reading: Reading): Tally {
  return { ...tally, counters: { ...tally.counters, [signal]: { kind, readings: [reading] } } }
}

/** Takes a reading; the first one of a counter is its baseline. The same tally where it tells nothing new. */
export function readCounter(tally: Tally, signal: string, kind: CountKind, time: number, raw: number, rollover?: number): Tally {
  const readings = Object.hasOwn(tally.counters, signal) ? tally.counters[signal]?.readings : undefined
  if (readings === undefined) return beginCounter(tally, signal, kind, { time, raw, total: 0 })
  const changed = insertReading(readings, time, raw, rollover)
  return changed === readings ? tally : { ...tally, counters: { ...tally.counters, [signal]: { kind, readings: changed } } }
}

function insertReading(readings: readonly Reading[], time: number, raw: number, rollover: number | undefined): readonly Reading[] {
  const last = readings.at(-1)
  if (last === undefined) return readings
  const isNew = time > last.time || (time === last.time && isAhead(last.raw, raw, rollover))
  if (isNew) return raw === last.raw ? readings : [...readings, { time, raw, total: last.total + countStep(last.raw, raw, rollover) }]
  // a late reading cannot change how many parts there are, only when they were made
  const at = lastAtOrBefore(readings, time)
  const before = readings[at]
  const after = readings[at + 1]
  if (before === undefined || after === undefined || before.raw === raw || before.time === time) return readings
  const step = countStep(before.raw, raw, rollover)
  if (before.total + step + countStep(raw, after.raw, rollover) !== after.total) return readings
  return readings.toSpliced(at + 1, 0, { time, raw, total: before.total + step })
}

/** Of two readings in the same millisecond the one further on is the later. */
function isAhead(known: number, raw: number, rollover: number | undefined): boolean {
  if (raw > known) return rollover === undefined || raw - known <= rollover / 2
  return rollover !== undefined && raw < known && raw - known + rollover <= rollover / 2
}

/** Forgets all but the latest facts; what is forgotten stays attributed as it is. */
export function settle(tally: Tally): Tally {
  const jobs = tally.jobs.length > NAMINGS_KEPT ? tally.jobs.slice(-NAMINGS_KEPT) : tally.jobs
  let counters = tally.counters
  for (const [signal, track] of Object.entries(tally.counters)) {
    if (track.readings.length <= READINGS_KEPT) continue
    counters = { ...counters, [signal]: { kind: track.kind, readings: track.readings.slice(-READINGS_KEPT) } }
  }
  if (jobs === tally.jobs && counters === tally.counters) return tally
  return { jobs, horizon: jobs === tally.jobs ? tally.horizon : (jobs[0]?.time ?? tally.horizon), counters }
}

function lastAtOrBefore(facts: readonly { readonly time: number }[], time: number): number {
  let at = facts.length - 1
  while (at >= 0 && (facts[at]?.time ?? 0) > time) at--
  return at
}
