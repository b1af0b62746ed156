import type { TimeElement } from '../messages/machine-state.ts'
import type { Window } from '../plant/calendar.ts'

/** One stay of a unit in a state, as the store keeps it; `until` null: it is still in it. */
export interface StateSpan {
  readonly state: string
  readonly element: TimeElement | null
  readonly jobOrder: string | null
  readonly since: number
  readonly until: number | null
  /** A maintenance job ran: planned, or after a failure. */
  readonly maintenance: 'planned' | 'unplanned' | null
}

/**
 * ISO 22400-2 time model of one unit over a span, all in ms except `failures`.
 * PBT = POT - PDOT = AUBT + ADOT, AUBT = AUPT + ADET, AUPT = APT + AUST, wherever the unit was seen.
 */
export interface TimeModel {
  /** Planned operation time: open by the calendar and seen by us, and the time it worked beyond. */
  readonly POT: number
  /** Planned downtime: planned maintenance, closed for another reason. */
  readonly PDOT: number
  /** Planned busy time. */
  readonly PBT: number
  /** Actual production time. */
  readonly APT: number
  /** Actual set-up time. */
  readonly AUST: number
  /** Actual processing time. */
  readonly AUPT: number
  /** Actual delay: failures, and the repair of them. */
  readonly ADET: number
  /** Actual idle time: blocked, starved, without an order. */
  readonly ADOT: number
  /** Actual busy time. */
  readonly AUBT: number
  /** Execution time of orders: from the set-up to the end of a job, its delays included. */
  readonly AOET: number
  /** Planned and corrective maintenance. */
  readonly PMT: number
  readonly CMT: number
  /** Open time in which nothing was seen of the unit; in no other element, because it would be a guess. */
  readonly unseen: number
  /** Failures that began in the span: stays in ADET, one after another without work between, are one. */
  readonly failures: number
}

type Sums = { -readonly [K in keyof TimeModel]: TimeModel[K] }

const NONE: TimeModel = { POT: 0, PDOT: 0, PBT: 0, APT: 0, AUST: 0, AUPT: 0, ADET: 0, ADOT: 0, AUBT: 0, AOET: 0, PMT: 0, CMT: 0, unseen: 0, failures: 0 }

/**
 * Time elements of one unit between two times. `spans` in order of time; `open` are the windows of its calendar within the span.
 * Work outside the calendar counts (overtime lengthens POT), standing still outside it does not.
 */
export function timeModel(spans: readonly StateSpan[], open: readonly Window[], from: number, to: number): TimeModel {
  const sum: Sums = { ...NONE }
  const windows = merged(open)
  let seenOpen = 0
  let failing = false
  for (const span of spans) {
    const start = Math.max(from, span.since)
    const end = Math.min(to, span.until ?? to)
    if (end <= start) continue
    const inside = overlap(windows, start, end)
    const element = elementOf(span)
    const works = element === 'APT' || element === 'AUST'
    const counted = works ? end - start : inside
    if (element === null) continue
    sum[element] += counted
    sum.POT += counted
    seenOpen += inside
    if (span.jobOrder !== null && element !== 'PDOT' && span.maintenance === null && span.state !== 'Complete') sum.AOET += counted
    if (span.maintenance === 'planned') sum.PMT += end - start
    if (span.maintenance === 'unplanned') sum.CMT += end - start
    if (element === 'ADET' && !failing && span.since >= from) sum.failures++
    failing = element === 'ADET'
  }
  sum.unseen = Math.max(0, overlap(windows, from, to) - seenOpen)
  return derive(sum)
}

/** The elements of several units together, for a line. */
export function sumOf(models: readonly TimeModel[]): TimeModel {
  const sum: Sums = { ...NONE }
  for (const model of models) for (const key of Object.keys(NONE) as (keyof TimeModel)[]) sum[key] += model[key]
  return sum
}

function derive(sum: Sums): TimeModel {
  sum.AUPT = sum.APT + sum.AUST
  sum.AUBT = sum.AUPT + sum.ADET
  sum.PBT = sum.POT - sum.PDOT
  return sum
}

/** The repair of a failure is delay, not planned downtime, whatever mode the unit was in. */
function elementOf(span: StateSpan): TimeElement | null {
  return span.maintenance === 'unplanned' ? 'ADET' : span.element
}

/** Windows in order that neither overlap nor touch. */
function merged(windows: readonly Window[]): readonly { from: number; to: number }[] {
  const result: { from: number; to: number }[] = []
  for (const window of windows) {
    const last = result.at(-1)
    if (last !== undefined && window.from <= last.to) last.to = Math.max(last.to, window.to)
    else result.push({ from: window.from, to: window.to })
  }
  return result
}

function overlap(windows: readonly { from: number; to: number }[], from: number, to: number): number {
  let total = 0
  for (const window of windows) total += Math.max(0, Math.min(to, window.to) - Math.max(from, window.from))
  return total
}
