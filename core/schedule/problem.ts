/**
 * The scheduling problem and its answer: plain data that a worker thread can be sent. Nothing here knows of stores, documents or plants.
 * Times and durations are numbers of one unit (Takt: epoch ms and ms); indices count from 0.
 */

/** Time in which nothing can be done. `to` may be `Infinity`. */
export interface Span {
  readonly from: number
  readonly to: number
}

/** A machine that does one operation at a time. */
export interface ProblemUnit {
  readonly id: string
  /** When it takes no work: closed calendar, downtime. In any order; spans may overlap. */
  readonly closed: readonly Span[]
  /** Set-up time from family to family, `setups[from][to]`; a negative or missing value means that the alternative's own `setup` applies. */
  readonly setups?: readonly (readonly number[])[] | undefined
  /** The family it is set up for at `now`; absent or negative when unknown. */
  readonly family?: number | undefined
  /** Set-up time by family when it is not known what it is set up for (before the first operation, after one without a family). */
  readonly initialSetups?: readonly number[] | undefined
  /**
   * It may fail: what work on it is expected to lose per unit of working time (set-up included), until the operation `until` (its repair, which nothing but this unit
   * can do) has begun; always when there is none. What is frozen is left out: no plan changes it.
   */
  readonly risk?: { readonly perTime: number; readonly until?: number | undefined } | undefined
}

/** What operations need beside their unit: operators of a skill, a crew, tools, fixtures. Any of them will do. */
export interface ProblemResource {
  readonly id: string
  /** How many there are. */
  readonly capacity: number
  /** When there are fewer: shifts, leave, a tool at the grinder. `capacity` is what is left meanwhile; where spans overlap, the lowest holds. In any order. */
  readonly reduced: readonly { readonly from: number; readonly to: number; readonly capacity: number }[]
}

/**
 * So many of a resource, for as long as the operation works (set-up included, with `setupIs: 'before'` right before the start; not while closed time interrupts it).
 * Where there are fewer than that for whatever reason but other operations, it is as if the unit were closed: what is resumable is interrupted, a shift's end being
 * the end of a shift's work. A frozen row needs what the alternative of its unit does: where it is resumable, in the unit's open time; else until it ends. More
 * frozen rows than there is capacity for are facts; nothing else gets any meanwhile.
 */
export interface ProblemNeed {
  readonly resource: number
  readonly amount: number
}

/** What has to be finished by a due time: a work order. */
export interface ProblemOrder {
  readonly id: string
  readonly release: number
  readonly due: number | null
  readonly weight: number
  /** False keeps it out of the makespan (maintenance). */
  readonly counts?: boolean | undefined
}

/** One way to do an operation. */
export interface ProblemAlternative {
  readonly unit: number
  readonly duration: number
  /** Set-up where the unit's matrix says nothing. */
  readonly setup: number
  /** Replaces the unit's closed time for this operation: a repair follows its crew's calendar. */
  readonly closed?: readonly Span[] | undefined
  readonly needs?: readonly ProblemNeed[] | undefined
}

/** What is done on one unit without another in between: a job order. */
export interface ProblemOperation {
  readonly id: string
  readonly order: number
  readonly alternatives: readonly ProblemAlternative[]
  /** Operations that must have ended before; of those that hand on transfer lots, whose first lot must have been made. */
  readonly after: readonly number[]
  /**
   * Share of its pieces, above 0 and below 1, that goes on to the followers at once: they may begin when that share is made, and do the last such share after this
   * operation's end. Absent: all pieces go on together. Where a duration is a whole number, so is the share of it, rounded up. Of a frozen row the share is made when
   * that share of its time has passed (of its unit's open time, where it is resumable).
   */
  readonly transferShare?: number | undefined
  /** Set-up family; absent or negative: none. */
  readonly family?: number | undefined
  readonly notBefore?: number | undefined
  /** Should have started by then: a repair's deadline, a person's pin. Later starts cost `lateStart` per time unit. */
  readonly startBy?: number | undefined
  /** May closed time interrupt it? Default: the problem's `resumable`. */
  readonly resumable?: boolean | undefined
  /** A fact: it began at or before `now` and ends then; nothing about it is questioned. */
  readonly frozen?: { readonly unit: number; readonly start: number; readonly end: number } | undefined
  /** It is the next on its unit (already commanded, or the repair of a unit that is down): nothing comes before it but lower numbers. */
  readonly first?: number | undefined
  /** Where the plan in force has it. */
  readonly baseline?: { readonly unit: number; readonly start: number } | undefined
}

/** What a plan costs; every weight is per unit of time unless said otherwise. Zero weights are left out of the search. */
export interface ObjectiveWeights {
  /** Σ order weight × time late. */
  readonly tardiness: number
  /** End of the last counted order, from `now`. */
  readonly makespan: number
  /** Σ set-up time. */
  readonly setup: number
  /** Σ time that operations start after their `startBy`. */
  readonly lateStart: number
  /** Per operation that is on another unit than in the baseline. */
  readonly reassigned: number
  /** Σ difference between start and baseline start. */
  readonly deviation: number
  /** Σ what work on units that may fail is expected to lose (`ProblemUnit.risk`). Default 0. */
  readonly risk?: number | undefined
}

export interface ScheduleProblem {
  readonly now: number
  readonly units: readonly ProblemUnit[]
  readonly resources?: readonly ProblemResource[] | undefined
  readonly orders: readonly ProblemOrder[]
  readonly operations: readonly ProblemOperation[]
  readonly resumable: boolean
  /**
   * `attached`: set-up is the first part of the operation, which starts with it once its predecessors have ended (what a machine told to start a job does).
   * `before`: the operation starts after it; it fits into the gap on the unit before the start.
   */
  readonly setupIs: 'attached' | 'before'
  /** With `before`: may the set-up begin before the predecessors have ended, and does closed time not count for it? */
  readonly anticipatory?: boolean | undefined
  readonly setupInOpenTime?: boolean | undefined
  /** May operations that stay on their unit wait for their baseline start where nothing is gained by starting sooner? */
  readonly holdBaseline?: boolean | undefined
  readonly weights: ObjectiveWeights
}

/** Where and when an operation is done. `start` includes an attached set-up. */
export interface Placement {
  readonly unit: number
  readonly start: number
  readonly end: number
  readonly setup: number
}

export interface ScheduleCost {
  /** Weighted by the problem's weights: what the search minimises. */
  readonly total: number
  /** Σ time late, each order weighted by its weight. */
  readonly weightedTardiness: number
  readonly tardiness: number
  /** Indices of the late orders. */
  readonly late: readonly number[]
  /** End of the last counted order, from `now`. */
  readonly makespan: number
  readonly setups: number
  readonly setupTime: number
  readonly lateStart: number
  readonly reassigned: number
  /** Operations on another unit, or at another start by more than nothing. */
  readonly moved: number
  readonly deviation: number
  /** Σ what work on units that may fail is expected to lose. */
  readonly risk: number
}

export interface Schedule {
  /** By operation. */
  readonly placements: readonly Placement[]
  readonly cost: ScheduleCost
  /** What was tried. */
  readonly evaluations: number
}
