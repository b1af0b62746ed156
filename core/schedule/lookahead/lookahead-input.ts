import type { Span } from '../problem.ts'
import type { LifetimeBelief } from './lifetime.ts'
import type { LogNormalBelief } from './log-normal.ts'

/** A plan to be lived through many times: plain data that a worker thread can be sent. Times are epoch ms, durations ms; indices count from 0. */
export interface LookaheadInput {
  readonly now: number
  /** Failures are told of until then. */
  readonly horizon: number
  readonly units: readonly LookaheadUnit[]
  readonly orders: readonly LookaheadOrder[]
  readonly operations: readonly LookaheadOperation[]
  /** Actual time of a maintenance job over its planned time. */
  readonly maintenanceRatio: LogNormalBelief
  /** An operation may begin by so much before its planned start when all it waits for is over sooner. Default 0: never before its planned start. */
  readonly earlyMs?: number | undefined
}

export interface LookaheadUnit {
  readonly id: string
  /** When it takes no work. */
  readonly closed: readonly Span[]
  readonly lifetime: LifetimeBelief
  /** Worked since it was last repaired or maintained. */
  readonly ageMs: number
  /** What its failure rate is multiplied by until the next repair: above 1 while an anomaly stands. */
  readonly hazard?: number | undefined
  /** A prognosis: it fails before `by` with this probability, and then soon. */
  readonly foretold?: { readonly by: number; readonly probability: number } | undefined
  /** Down time of a failure, ms of the calendar on the wall. */
  readonly repair: LogNormalBelief
  /** Actual over planned time of its job orders. */
  readonly ratio: LogNormalBelief
}

export interface LookaheadOrder {
  readonly id: string
  readonly due: number | null
  readonly weight: number
}

/** One row of the plan. */
export interface LookaheadOperation {
  readonly order: number
  readonly unit: number
  /** As planned; of what runs already, `start` is in the past. */
  readonly start: number
  readonly end: number
  /** Open time it takes from its start, or from `now` when it runs, set-up included. */
  readonly workMs: number
  readonly after: readonly number[]
  /** Not before, whatever the plan says: release, pin. */
  readonly notBefore: number
  readonly running: boolean
  readonly maintenance: boolean
  /** May closed time interrupt it? */
  readonly resumable: boolean
  /** Replaces the unit's closed time: a repair follows its crew's calendar. */
  readonly closed?: readonly Span[] | undefined
}

export interface LookaheadLimits {
  /** How often to live through the plan at most. */
  readonly runs: number
  readonly seed: number
  /** Ends sooner when true; asked between runs. */
  readonly enough?: () => boolean
}

/** What came of it. */
export interface Lookahead {
  /** How often the plan was lived through. */
  readonly runs: number
  /** By order; null where none of its operations is planned. */
  readonly orders: readonly (OrderLookahead | null)[]
  /** By unit: probability that it fails at least once until the horizon. */
  readonly failure: readonly number[]
  /** Mean of Σ weight × ms late. */
  readonly weightedTardiness: number
}

export interface OrderLookahead {
  /** Probability of being finished by the due time; null without one. */
  readonly onTime: number | null
  /** The times before which it is finished with 10, 50 and 90 % probability. */
  readonly p10: number
  readonly p50: number
  readonly p90: number
  /** Mean ms late, 0 when on time. */
  readonly lateMs: number
}
