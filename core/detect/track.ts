import type { Evidence, ScoredSample, Severity } from '../messages/anomaly.ts'
import type { CyclePlace } from './cycles.ts'
import { type Detector, type DetectorState, scoreOf } from './detector.ts'
import { type BudgetShare, type BudgetState, FalseAlarmBudget } from './false-alarm-budget.ts'
import { Latch, type LatchChange, type LatchOptions, type LatchState, QUIET } from './latch.ts'
import type { AlarmLimits } from './methods.ts'

/** Why an alarm ended and everything is learned anew. */
export const REPAIRED: Evidence = { source: 'repair', text: 'the unit came out of maintenance' }

/** What is further out than this is no measurement. */
const NO_MEASUREMENT = 1e30
/** Times older than the newest, so many in a row, mean that a clock was set back; fewer are values that come late. */
const LATE_BEFORE_SET_BACK = 10

export interface TrackState {
  readonly detector: DetectorState
  readonly latch: LatchState
  readonly time: number
  readonly value: number
  readonly late: number
  /** since when it learns, source time */
  readonly begun?: number
  /** what is being made, or the like; the detector is of that */
  readonly context?: string
  /** what was learned in other contexts, those left longest ago first */
  readonly others?: ReadonlyArray<readonly [string, DetectorState]>
  /** their names in that order, where what was learned in them is written apart */
  readonly order?: readonly string[]
  /** it is told to judge and not to learn */
  readonly frozen?: boolean
  /** what a person said of the alarm that stands */
  readonly verdict?: Verdict
  readonly budget?: BudgetState
}

type Verdict = 'confirmed' | 'refused'

/** Contexts of one signal with a baseline of their own. */
export const CONTEXTS_KEPT = 20

/** An alarm that began, grew worse or ended. */
export interface Alarm {
  readonly id: string
  readonly change: LatchChange
  readonly since: number
  readonly severity: Severity
  readonly score: number
  readonly evidence: readonly Evidence[]
}

/** One signal under watch: its detector, its alarm, and the order of its values. */
export class Track {
  /** It judges and does not learn. */
  frozen: boolean
  /** A record of it is in the memory that outlives the process. */
  isWritten = false
  /** The signal's own alarm limits that its detector was made with. */
  limits: AlarmLimits | undefined
  readonly #options: LatchOptions
  #detector: Detector
  #latch: Latch
  #begun: number
  #heard: number
  #time: number
  #value: number
  #late: number
  #context: string
  /** absent: it never left a context, as most signals do */
  #others: Map<string, DetectorState> | undefined
  /** contexts left since they were taken to be written */
  #left: Set<string> | undefined
  #taken = 0
  #verdict: Verdict | undefined
  #budget: FalseAlarmBudget | undefined
  readonly #share: BudgetShare | undefined
  #judged = false
  #deviation = 0
  #factor = 1
  #expected: number | null = null
  #lower: number | null = null
  #upper: number | null = null
  #onset: number | null = null

  /** `share`: false alarms that it may raise; absent: the method's own threshold is in force. */
  constructor(detector: Detector, options: LatchOptions, state?: Partial<TrackState>, share?: BudgetShare) {
    this.#detector = detector
    this.#options = options
    this.#latch = new Latch(options, state?.latch ?? QUIET)
    this.#begun = state?.begun ?? 0
    this.#heard = state?.time ?? 0
    this.#time = state?.time ?? 0
    this.#value = state?.value ?? Number.NaN
    this.#late = state?.late ?? 0
    this.#context = state?.context ?? ''
    this.#others = state?.others === undefined ? undefined : new Map(state.others)
    this.frozen = state?.frozen ?? false
    this.#verdict = state?.verdict
    this.#budget = share === undefined ? undefined : new FalseAlarmBudget(share, options.confirm, state?.budget)
    this.#share = share
  }

  /** Source time of the newest value that was heard of, judged or not. */
  get heard(): number {
    return Math.max(this.#heard, this.#time)
  }

  /** Values given to the detector since the start. */
  get taken(): number {
    return this.#taken
  }

  get alarm(): LatchState['alarm'] {
    return this.#latch.alarm
  }

  /** Where the value that comes next lies in the cycle of its unit. */
  place(place: CyclePlace | undefined): void {
    this.#detector.place?.(place)
  }

  /** Takes a value. What is no finite number or beyond 1e30, comes late or comes again is passed over. */
  update(time: number, value: number, newId: () => string): Alarm | undefined {
    this.#judged = false
    this.#onset = null
    if (!(Math.abs(value) < NO_MEASUREMENT) || !this.#isNext(time, value)) return undefined
    this.#time = time
    this.#value = value
    this.#taken++
    const stood = this.#latch.alarm !== null && this.#verdict !== 'refused'
    const score = this.#detector.update(time, value, this.frozen || stood, this.frozen || this.#verdict === 'confirmed')
    this.#expected = score.expected
    this.#lower = score.lower
    this.#upper = score.upper
    this.#onset = score.onset
    if (score.deviation === null) return undefined
    this.#judged = true
    const soft = score.soft === undefined ? score.deviation : score.soft
    const hard = score.hard ?? 0
    this.#factor = this.#budget?.factor ?? 1
    this.#deviation = this.#budget === undefined ? score.deviation : Math.max((soft ?? 0) / this.#factor, hard)
    const before = this.#latch.alarm
    const change = this.#latch.update(time, this.#deviation, newId)
    if (change === 'cleared') this.#verdict = undefined
    if (this.#budget !== undefined && soft !== null) this.#spend(this.#budget, time, soft, stood, change === 'raised' && hard < 1)
    return change === undefined ? undefined : this.#alarm(change, this.#latch.alarm ?? before)
  }

  #spend(budget: FalseAlarmBudget, time: number, soft: number, stood: boolean, raised: boolean): void {
    if (stood || this.frozen) budget.pass(time, soft)
    else if (raised && this.#latch.alarm !== null) {
      budget.pass(time, soft)
      budget.raised(this.#latch.alarm.id)
    } else budget.learn(time, soft)
  }

  /** A person says what an alarm of this signal was worth, while it stands or later. False: it is not one of the last of this signal. */
  judgedBy(id: string, verdict: Verdict): boolean {
    const stands = this.#latch.alarm?.id === id
    if (stands) this.#verdict = verdict
    const known = (verdict === 'confirmed' ? this.#budget?.confirmed(id) : this.#budget?.refused(id)) ?? false
    return stands || known
  }

  /** Whether the last value was judged: not passed over, and no longer only learned from. */
  get judged(): boolean {
    return this.#judged
  }

  /** What is to be said of the last value; a value that was not judged has neither score nor band. */
  scored(): ScoredSample {
    const raised = this.#latch.alarm !== null
    const scored: ScoredSample = this.#judged
      ? { score: scoreOf(this.#deviation), expected: this.#expected, lower: this.#lower, upper: this.#upper, raised }
      : { score: 0, expected: null, lower: null, upper: null, raised }
    const onset = this.#onset === null ? scored : { ...scored, onset: scoreOf(this.#onset) }
    return this.#budget === undefined ? onset : { ...onset, threshold: this.#factor }
  }

  /** The value was not given to the detector at all; that the signal was heard of is remembered. */
  pass(time: number): void {
    this.#judged = false
    this.#onset = null
    if (time > this.#heard) this.#heard = time
  }

  /** What the values are judged by: the product, or the like; empty: one baseline for all. */
  get context(): string {
    return this.#context
  }

  /**
   * The values to come are of this context: what was learned in it is taken up again, the alarm stays. `make` makes a detector of a state. Of more contexts
   * than are kept the one left longest ago is forgotten and returned.
   */
  enter(context: string, make: (state?: DetectorState) => Detector | undefined): string | undefined {
    const others = this.#others ?? new Map<string, DetectorState>()
    const detector = make(others.get(context))
    if (detector === undefined) return undefined
    others.delete(context)
    others.set(this.#context, this.#detector.state)
    this.#left = (this.#left ?? new Set()).add(this.#context)
    this.#others = others
    this.#context = context
    this.#detector = detector
    if (others.size < CONTEXTS_KEPT) return undefined
    const oldest = others.keys().next().value
    if (oldest !== undefined) this.forgetContext(oldest)
    return oldest
  }

  /** What was learned in a context that it is not in. */
  other(context: string): DetectorState | undefined {
    return this.#others?.get(context)
  }

  /** Contexts that it is not in and remembers, those left longest ago first. */
  get others(): Iterable<string> {
    return this.#others?.keys() ?? []
  }

  forgetContext(context: string): void {
    this.#others?.delete(context)
    this.#left?.delete(context)
  }

  /** Contexts left since they were asked for here; what was learned in them stands until they are entered again. */
  takeLeft(): string[] {
    const left = [...(this.#left ?? [])]
    this.#left = undefined
    return left
  }

  /** A context that was asked for there could not be written. */
  notTaken(context: string): void {
    if (this.#others?.has(context) === true) this.#left = (this.#left ?? new Set()).add(context)
  }

  get detector(): Detector {
    return this.#detector
  }

  /** The same method with what it knows, made anew: its limits have changed. */
  set detector(detector: Detector) {
    this.#detector = detector
  }

  /** Since when it learns, source time. */
  get begun(): number {
    return this.#begun
  }

  /** Begins anew: what was learned is forgotten, and an alarm that stood is cleared. */
  renew(detector: Detector, time: number, why: Evidence = REPAIRED): Alarm | undefined {
    const { alarm } = this.#latch
    this.#detector = detector
    this.#others = undefined
    this.#left = undefined
    this.#latch = new Latch(this.#options, QUIET)
    this.#verdict = undefined
    // after a repair it deviates as it did before; after anything else nobody knows
    if (this.#share !== undefined && why !== REPAIRED) this.#budget = new FalseAlarmBudget(this.#share, this.#options.confirm)
    this.#begun = time
    this.#judged = false
    this.#onset = null
    if (alarm === null) return undefined
    const { id, since, severity } = alarm
    return { id, change: 'cleared', since, severity, score: 0, evidence: [why] }
  }

  /** Everything, also what was learned in other contexts. */
  get state(): TrackState {
    return this.#others === undefined ? this.#own : { ...this.#own, others: [...this.#others] }
  }

  /** All but what was learned in other contexts, of which it gives the names. */
  get ownState(): TrackState {
    return this.#others === undefined ? this.#own : { ...this.#own, order: [...this.#others.keys()] }
  }

  get #own(): TrackState {
    return {
      detector: this.#detector.state,
      latch: this.#latch.state,
      time: this.#time,
      value: Number.isNaN(this.#value) ? 0 : this.#value,
      late: this.#late,
      begun: this.#begun,
      ...(this.#context === '' ? {} : { context: this.#context }),
      ...(this.frozen ? { frozen: true } : {}),
      ...(this.#verdict === undefined ? {} : { verdict: this.#verdict }),
      ...(this.#budget === undefined ? {} : { budget: this.#budget.state }),
    }
  }

  #isNext(time: number, value: number): boolean {
    if (time > this.#time) {
      this.#late = 0
      return true
    }
    if (time === this.#time) return value !== this.#value
    if (++this.#late <= LATE_BEFORE_SET_BACK) return false
    this.#late = 0
    return true
  }

  #alarm(change: LatchChange, alarm: LatchState['alarm']): Alarm | undefined {
    if (alarm === null) return undefined
    const { id, since, severity } = alarm
    const evidence = this.#detector.evidence()
    if (this.#budget !== undefined) evidence.push(this.#budget.evidence())
    return { id, change, since, severity, score: scoreOf(this.#deviation), evidence }
  }
}
