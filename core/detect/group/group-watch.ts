import type { IdSource } from '../../base/id.ts'
import type { Anomaly, Evidence } from '../../messages/anomaly.ts'
import type { Sample } from '../../messages/sample.ts'
import { scoreOf } from '../detector.ts'
import { Latch, type LatchChange, type LatchOptions, type LatchState, QUIET } from '../latch.ts'
import type { RunningUnits } from '../running-units.ts'
import { GroupDetector, type GroupScore, type GroupSource } from './group-detector.ts'
import { GroupRows, type RowsOptions } from './group-rows.ts'
import { type LearnFor, Ripening, type RipeningState } from './ripening.ts'

export const GROUP_METHOD = 'group'

export interface GroupWatchSetting extends Pick<RowsOptions, 'everyMs' | 'holdMs'> {
  /** whose anomaly it is */
  readonly equipment: string
  /** `<equipment>/<signal>` of each, 2 to 60 */
  readonly topics: readonly string[]
  readonly caution: number
  /** Before that it says nothing. */
  readonly learnFor: LearnFor
  readonly latch: Pick<LatchOptions, 'holdOffMs' | 'clearAfterMs' | 'persistMs'>
  readonly running: RunningUnits
  readonly ids: IdSource
}

/** What is said of every row, for charts; by signal only what takes part. */
export interface ScoredRow {
  readonly equipment: string
  readonly time: number
  /** null: not judged */
  readonly score: number | null
  readonly raised: boolean
  readonly source: GroupSource | null
  readonly contributions: ReadonlyArray<{ readonly signal: string; readonly value: number | null; readonly expected: number; readonly contribution: number }>
}

export interface JudgedRow {
  readonly scored: ScoredRow
  /** an alarm that began, grew worse or ended */
  readonly anomaly: Anomaly | undefined
}

interface SavedWatch {
  readonly format: 1
  readonly topics: readonly string[]
  readonly detector: unknown
  readonly rows: GroupRows['state']
  readonly latch: LatchState
  readonly ripening: RipeningState
  /** since when it learns, source time */
  readonly begun: number
  readonly guilty: readonly string[]
  readonly units: unknown
}

/** Rows in a row that raise an alarm, and that clear it. */
const CONFIRM = 5
const CLEAR_CONFIRM = 5
/** An anomaly names the signals that make up so much of it, as many at most. */
const NAMED_SHARE = 0.8
const NAMED_MOST = 8
/** What each source means, for the technician. */
const MEANING: Readonly<Record<GroupSource, string>> = {
  level: 'the signals keep together but are off their usual level',
  relation: 'does not go with the other signals',
  spread: 'varies more than usual, together with others',
  noise: 'varies more than usual against the others',
}

/** Watches one group of signals: gathers their samples into rows, judges them together, raises and clears. Synchronous and without a store. */
export class GroupWatch {
  readonly #setting: GroupWatchSetting
  readonly #names: readonly string[]
  readonly #places: ReadonlyMap<string, ReadonlyMap<string, number>>
  readonly #latchOptions: LatchOptions
  readonly #rows: GroupRows
  readonly #detector: GroupDetector
  readonly #ripening: Ripening
  #latch: Latch
  #begun: number
  #guilty: readonly string[]

  /** `saved`: what `state` gave before a restart; of other signals it is of no use. */
  constructor(setting: GroupWatchSetting, saved?: unknown) {
    const { equipment, topics } = setting
    this.#setting = setting
    this.#names = topics.map((topic) => (topic.startsWith(`${equipment}/`) ? topic.slice(equipment.length + 1) : topic))
    this.#places = placesOf(topics)
    this.#latchOptions = { ...setting.latch, confirm: CONFIRM, clearConfirm: CLEAR_CONFIRM }
    const state = isSaved(saved, topics) ? saved : undefined
    this.#rows = new GroupRows({ size: topics.length, everyMs: setting.everyMs, holdMs: setting.holdMs }, state?.rows)
    this.#detector = new GroupDetector({ size: topics.length, caution: setting.caution }, state?.detector)
    this.#ripening = new Ripening(setting.learnFor, state?.ripening ?? learnedBefore(this.#detector.rows, setting.learnFor))
    this.#latch = new Latch(this.#latchOptions, state?.latch ?? QUIET)
    this.#begun = state?.begun ?? 0
    this.#guilty = state?.guilty ?? []
    if (state !== undefined) setting.running.restore(state.units)
  }

  /** Takes a sample; what is to be said of the row that was done before it came, or nothing. Samples of other signals tell nothing. */
  take(sample: Sample): JudgedRow | undefined {
    const { equipment, signal, time, value, quality } = sample
    const place = this.#places.get(equipment)?.get(signal)
    if (place === undefined || typeof value !== 'number' || quality === 'bad') return undefined
    const { running } = this.#setting
    if (!running.runs(equipment, time)) {
      this.#rows.drop()
      return undefined
    }
    const before = this.#rows.time
    const row = this.#rows.take(place, time, value)
    if (row === undefined) return undefined
    const elapsed = Number.isNaN(before) ? 0 : Math.min(this.#rows.time - before, Math.max(this.#setting.holdMs, this.#setting.everyMs))
    const repaired = running.repairedAt(this.#setting.equipment)
    if (repaired !== undefined && repaired > this.#begun) return this.forget(repaired, 'repair', 'the unit came out of maintenance')
    return this.#judge(row, this.#rows.time, elapsed)
  }

  /** Learns anew from the next row on; an alarm that stands is cleared. Undefined when there is none. */
  forget(time: number, source: string, text: string): JudgedRow | undefined {
    const { alarm } = this.#latch
    this.#detector.forget()
    this.#ripening.forget()
    this.#latch = new Latch(this.#latchOptions, QUIET)
    this.#begun = time
    if (alarm === null) return undefined
    const scored: ScoredRow = { equipment: this.#setting.equipment, time, score: null, raised: false, source: null, contributions: [] }
    return { scored, anomaly: this.#document('cleared', alarm, time, 0, [{ source, text }]) }
  }

  /** An alarm that stands in the store is taken on where a restart lost it, and one that does not is dropped. Before the first sample. */
  reconcile(standing: readonly Anomaly[]): void {
    const own = standing.find(({ id }) => id === this.#latch.alarm?.id)
    if (own !== undefined) return
    const { equipment } = this.#setting
    const lost = standing.findLast(
      (found) => found.method === GROUP_METHOD && found.equipment === equipment && found.signals.every((name) => this.#names.includes(name)),
    )
    this.#guilty = lost?.signals ?? []
    const alarm = lost === undefined ? null : { id: lost.id, since: lost.since, severity: lost.severity, worst: 0 }
    this.#latch = new Latch(this.#latchOptions, { ...QUIET, alarm })
  }

  get raised(): boolean {
    return this.#latch.alarm !== null
  }

  /** Rows learned. */
  get learned(): number {
    return this.#detector.rows
  }

  /** How far it has learned, `120/300`; empty once it judges. */
  get learning(): string {
    return this.#ripening.progress
  }

  /** An alarm stands for so long, of what is well known, that a person should say whether it is a fault or the new normal. */
  get asksPerson(): boolean {
    return this.raised && this.#ripening.isLong
  }

  /** Everything remembered, as plain JSON. */
  get state(): unknown {
    return {
      format: 1,
      topics: this.#setting.topics,
      detector: this.#detector.state,
      rows: this.#rows.state,
      latch: this.#latch.state,
      ripening: this.#ripening.state,
      begun: this.#begun,
      guilty: this.#guilty,
      units: this.#setting.running.state,
    } satisfies SavedWatch
  }

  #judge(row: Float64Array, time: number, elapsedMs: number): JudgedRow {
    const before = this.#latch.alarm
    const { learning } = this.#ripening
    const score = this.#detector.update(row, before !== null, learning)
    if (before === null || learning) this.#ripening.learned(elapsedMs)
    // an alarm taken over from before a restart stands all the same
    if (learning)
      return { scored: { equipment: this.#setting.equipment, time, score: null, raised: before !== null, source: null, contributions: [] }, anomaly: undefined }
    const { deviation } = score
    if (before !== null && this.#ripening.stood(deviation ?? 0)) {
      const learnedAnew = this.forget(
        time,
        'learned-anew',
        `it stood for ${this.#ripening.standing} rows without a change, longer than what was known before: from now on this is learned as normal`,
      )
      if (learnedAnew !== undefined) return learnedAnew
    }
    const change = deviation === null ? undefined : this.#latch.update(time, deviation, () => this.#setting.ids('an'))
    const { alarm } = this.#latch
    const contributions = this.#contributions(row, score)
    const { equipment } = this.#setting
    const scored = { equipment, time, score: deviation === null ? null : scoreOf(deviation), raised: alarm !== null, source: score.source, contributions }
    const standing = alarm ?? before
    if (change === undefined || standing === null || deviation === null) return { scored, anomaly: undefined }
    if (change !== 'cleared') this.#guilty = contributions.map(({ signal }) => signal)
    return { scored, anomaly: this.#document(change, standing, time, scoreOf(deviation), change === 'cleared' ? [] : evidenceOf(scored)) }
  }

  /** The signals that most of the deviation comes from, the guiltiest first. */
  #contributions(row: Float64Array, { contributions, expected, deviation }: GroupScore): ScoredRow['contributions'] {
    if (deviation === null) return []
    const all = Array.from(contributions, (contribution, i) => ({
      signal: this.#names[i] ?? '',
      value: Number.isNaN(row[i]) ? null : (row[i] ?? null),
      expected: expected[i] ?? 0,
      contribution,
    })).sort((a, b) => b.contribution - a.contribution)
    let sum = 0
    const named = all.findIndex(({ contribution }) => (sum += contribution) >= NAMED_SHARE * deviation * deviation)
    return all.slice(0, Math.min(NAMED_MOST, named < 0 ? NAMED_MOST : named + 1))
  }

  #document(state: LatchChange, alarm: NonNullable<LatchState['alarm']>, time: number, score: number, evidence: readonly Evidence[]): Anomaly {
    const { equipment, running } = this.#setting
    const { id, since, severity } = alarm
    const signals = this.#guilty.length > 0 ? [...this.#guilty] : [...this.#names]
    const jobOrder = running.jobOrderOf(equipment)
    const context = jobOrder === null ? {} : { context: { jobOrder } }
    return { kind: 'anomaly', id, equipment, signals, state, method: GROUP_METHOD, score, severity, since, time, evidence: [...evidence], ...context }
  }
}

function evidenceOf({ source, contributions }: ScoredRow): Evidence[] {
  if (source === null) return []
  const total = contributions.reduce((sum, { contribution }) => sum + contribution, 0)
  return contributions.map(({ signal, value, expected, contribution }) => ({
    source: `group:${signal}`.slice(0, 100),
    ...(value === null ? {} : { value }),
    expected,
    text: `${signal}: ${MEANING[source]} (${Math.round((100 * contribution) / Math.max(total, 1e-12))} % of what is named)`,
  }))
}

/** What an older version remembered has no age: it is that of the rows learned. */
function learnedBefore(rows: number, { ms }: LearnFor): RipeningState | undefined {
  return rows === 0 ? undefined : { rows, ms, stood: 0, level: 0, mark: 0 }
}

function placesOf(topics: readonly string[]): Map<string, Map<string, number>> {
  const places = new Map<string, Map<string, number>>()
  topics.forEach((topic, place) => {
    const slash = topic.lastIndexOf('/')
    const equipment = topic.slice(0, slash)
    const signals = places.get(equipment) ?? new Map<string, number>()
    places.set(equipment, signals.set(topic.slice(slash + 1), place))
  })
  return places
}

function isSaved(saved: unknown, topics: readonly string[]): saved is SavedWatch {
  if (typeof saved !== 'object' || saved === null || (saved as SavedWatch).format !== 1) return false
  const { topics: of } = saved as SavedWatch
  return Array.isArray(of) && of.length === topics.length && topics.every((topic, i) => of[i] === topic)
}
