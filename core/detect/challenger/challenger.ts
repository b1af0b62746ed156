import type { IdSource } from '../../base/id.ts'
import type { Anomaly, VerdictDecision } from '../../messages/anomaly.ts'
import type { MachineState } from '../../messages/machine-state.ts'
import type { Sample } from '../../messages/sample.ts'
import type { SignalRole } from '../../plant/model.ts'
import type { StoreReader } from '../../store/store.ts'
import { AnomalyWatch, type WatchCommand, type WatchSetting } from '../anomaly-watch.ts'
import { type ContextBy, Making } from '../making.ts'
import type { RecordMemory } from '../record-memory.ts'
import { RunningUnits } from '../running-units.ts'
import { pastStops } from '../scorecard/past-stops.ts'
import { type AlarmScore, scoreAlarms } from '../scorecard/score-alarms.ts'
import { DEFAULT_HORIZON_MS } from '../scorecard/scorecard.ts'
import { WatchKeeper } from '../watch-keeper.ts'
import type { WatchRecords } from '../watch-records.ts'
import { AlarmLog } from './alarm-log.ts'
import { type ChallengerRecord, LOG, recordOf } from './challenger-record.ts'
import { isSameMatter, verdictsOf, withVerdicts } from './verdicts.ts'

export interface ChallengerSetting extends Pick<WatchSetting, 'method' | 'latch' | 'maxSignals' | 'falseAlarmsAWeek' | 'select'> {
  readonly context: ContextBy
  readonly judgeOnlyIn: readonly string[]
  readonly settleMs: number
  /** What tells these settings from others. */
  readonly key: string
  readonly memory: RecordMemory
  readonly ids: IdSource
  /** Finds a job order and its work order; absent: nobody can be asked. */
  readonly ask?: ConstructorParameters<typeof Making>[2]
  /** Something could not be written; it goes on. */
  readonly failed: (thrown: unknown) => void
  /** Plant time, epoch ms. */
  readonly now: () => number
}

/** How the running detector and its challenger did, on the same values, stops and verdicts. */
export interface Duel {
  /** plant time since which both are counted, epoch ms */
  readonly from: number
  readonly to: number
  readonly running: AlarmScore
  readonly shadow: AlarmScore
}

/** What is said of a value in shadow. */
export interface ShadowScored {
  readonly score: number
  readonly raised: boolean
}

/** More units than these are not told apart: stops of all of them count. */
const UNITS_TOLD = 500

/**
 * A changed detector in the shadow of the one that runs: it judges the same values by its own settings and keeps what it learns, but tells nobody. What alarms
 * both had since it began is remembered, so that they can be compared before it takes over.
 */
export class Challenger {
  readonly #setting: ChallengerSetting
  readonly #running: RunningUnits
  readonly #making: Making | undefined
  readonly #keeper: WatchKeeper
  readonly #record: ChallengerRecord
  readonly #own: AlarmLog
  readonly #others: AlarmLog
  readonly #units: Set<string>
  #watch: AnomalyWatch | undefined
  #dirty = true

  /** `records`: what its memory holds; empty where it begins. Call `open` before the first value. */
  constructor(setting: ChallengerSetting, records: WatchRecords) {
    this.#setting = setting
    const { method, latch, maxSignals, falseAlarmsAWeek, select, context, judgeOnlyIn, settleMs, memory, ids, ask, failed, now } = setting
    this.#running = new RunningUnits(judgeOnlyIn, settleMs)
    this.#making = context === 'none' ? undefined : new Making(context, this.#running, ask)
    this.#record = recordOf(records) ?? { key: setting.key, since: now() }
    const nothing = { alarms: [], from: this.#record.since }
    this.#own = new AlarmLog(this.#record.shadow ?? nothing)
    this.#others = new AlarmLog(this.#record.running ?? nothing)
    this.#units = new Set(this.#record.units)
    const making = this.#making === undefined ? {} : { making: this.#making }
    const watchSetting = { method, latch, maxSignals, falseAlarmsAWeek, select, running: this.#running, ...making, ids, forgotten: () => {} }
    this.#keeper = new WatchKeeper({
      memory: { ...memory, load: async () => records },
      make: (saved) => new AnomalyWatch(watchSetting, saved),
      failed,
      now,
    })
  }

  async open(): Promise<void> {
    this.#watch = await this.#keeper.open()
  }

  told(state: MachineState): void {
    this.#running.told(state)
  }

  ordered(order: Parameters<Making['told']>[0]): void {
    this.#making?.told(order)
  }

  /** Judges a value that the running detector was given too. `role`: of a signal that is not judged, where it is known. */
  judge(sample: Sample, role?: SignalRole): ShadowScored | undefined {
    this.#watch?.hear(sample)
    const track = typeof sample.value === 'number' ? this.#watch?.trackOf(sample) : undefined
    if (this.#watch === undefined || track === undefined) {
      this.#running.saw(sample, role)
      return undefined
    }
    this.#units.add(sample.equipment)
    const own = this.#watch.judge(track, sample)
    if (own !== undefined) this.#note(own)
    const { score, raised } = track.scored()
    return { score, raised }
  }

  /** What the running detector tells. An alarm of before it began does not count. */
  incumbent(anomalies: readonly Anomaly[]): void {
    for (const anomaly of anomalies) if (anomaly.since >= this.#record.since) this.#others.take(anomaly)
    if (anomalies.length > 0) this.#dirty = true
  }

  command(command: WatchCommand): void {
    for (const cleared of this.#watch?.command(command).cleared ?? []) this.#note(cleared)
  }

  /** What a person said of an alarm of the running detector holds for its own on that signal at that time. */
  said(id: string, verdict: VerdictDecision): void {
    const theirs = this.#others.alarms.find((alarm) => alarm.id === id)
    if (theirs === undefined) return
    for (const own of this.#own.alarms) if (isSameMatter(own, theirs)) this.#watch?.[verdict](own.id)
  }

  /** Roles and limits of signals may have changed. */
  reselect(): void {
    for (const cleared of this.#watch?.reselect() ?? []) this.#note(cleared)
  }

  /** Both scores since it began; `store` undefined: nobody knows of stops and verdicts. */
  async duel(store: StoreReader | undefined): Promise<Duel> {
    // of whom more alarms were forgotten decides for both
    const from = Math.max(this.#own.from, this.#others.from)
    const to = Math.max(from, this.#setting.now())
    const units = [...this.#units]
    const asked = units.length > UNITS_TOLD ? undefined : units
    const stops = store === undefined ? [] : (await pastStops(store, asked, from, to)).filter(({ equipment }) => this.#units.has(equipment))
    const verdicts = store === undefined || units.length === 0 ? [] : await verdictsOf(store, units.slice(0, UNITS_TOLD))
    const score = (log: AlarmLog): AlarmScore =>
      scoreAlarms(withVerdicts(log.alarms, verdicts), stops, { from, to, horizonMs: DEFAULT_HORIZON_MS, knownTo: to })
    return { from, to, running: score(this.#others), shadow: score(this.#own) }
  }

  /** Writes the alarms, and what belongs to them, when there are new ones. */
  async saveAlarms(): Promise<void> {
    await this.#keeper.saveAlarms()
    if (!this.#dirty) return
    this.#dirty = false
    const record: ChallengerRecord = { ...this.#record, shadow: this.#own.state, running: this.#others.state, units: [...this.#units] }
    try {
      await this.#setting.memory.write({ put: new Map([[LOG, record]]), drop: [] })
    } catch (thrown) {
      this.#dirty = true
      throw thrown
    }
  }

  /** Writes some of what it learned. */
  async save(): Promise<void> {
    await this.saveAlarms()
    await this.#keeper.save()
  }

  /** Writes all that it learned. */
  async saveAll(): Promise<void> {
    this.#dirty = true
    await this.saveAlarms()
    await this.#keeper.saveAll()
  }

  #note(anomaly: Anomaly): void {
    this.#own.take(anomaly)
    this.#keeper.alarmed(anomaly.equipment, anomaly.signals[0] ?? '')
    this.#dirty = true
  }
}
