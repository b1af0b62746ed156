import type { IdSource } from '../base/id.ts'
import type { Anomaly, Evidence } from '../messages/anomaly.ts'
import type { Context } from '../messages/common.ts'
import type { Sample } from '../messages/sample.ts'
import { type CyclePlace, Cycles } from './cycles.ts'
import type { Detector, DetectorState } from './detector.ts'
import type { BudgetShare } from './false-alarm-budget.ts'
import { type LatchOptions, QUIET } from './latch.ts'
import type { Making } from './making.ts'
import { type AlarmLimits, budgetBound, confirmationsOf, detectorOf, type Method } from './methods.ts'
import { ParkedContexts } from './parked-contexts.ts'
import type { RunningUnits } from './running-units.ts'
import { type Alarm, REPAIRED, Track, type TrackState } from './track.ts'
import { type Forgotten, TrackTable } from './track-table.ts'
import { ABOUT, type About, CYCLES, keyOf, ORDERS, partsOf, recordsOf, signalsOf, UNITS, type WatchChanges } from './watch-records.ts'

export interface WatchSetting {
  readonly method: Method
  readonly latch: Pick<LatchOptions, 'holdOffMs' | 'clearAfterMs' | 'persistMs'>
  /** Signals watched at the same time; when there are more, new ones and those heard of longest ago are forgotten. */
  readonly maxSignals: number
  /** False alarms a week that all signals together may raise; absent: the method's own threshold is in force. */
  readonly falseAlarmsAWeek?: number | undefined
  /** Bytes for what signals learned in contexts that they are not in; absent: 200 MB. */
  readonly contextBytes?: number
  readonly running: RunningUnits
  /** What separate baselines are kept by; absent: one baseline a signal. */
  readonly making?: Making
  readonly ids: IdSource
  /** Whether a signal is watched, and its own alarm limits where it has any. */
  select(equipment: string, signal: string): { readonly alarm?: AlarmLimits | undefined } | undefined
  /** So many signals were forgotten: nothing was heard of them for long, or there were too many. */
  forgotten(signals: number, why: Forgotten): void
  /** A value of a signal that there is no room for: all that are watched are in alarm. */
  refused?(equipment: string, signal: string): void
  /** What a signal had learned in a context was forgotten for a newer one. */
  contextForgotten?(equipment: string, signal: string, context: string): void
}

export const WATCH_COMMANDS = ['retrain', 'freeze', 'unfreeze', 'forget'] as const

/** What a person tells the watch. Without equipment all of it is meant, with one it and what is below it; without a signal all of its signals. */
export interface WatchCommand {
  readonly command: (typeof WATCH_COMMANDS)[number]
  readonly equipment?: string | undefined
  readonly signal?: string | undefined
}

const CONTEXT_BYTES = 200e6
/** Units without a cycle that are counted at most. */
const CYCLELESS = 10_000

const NOT_WATCHED: Evidence = { source: 'plant', text: 'it is not watched any more' }

/** Watches many signals, each with a detector of its own. Synchronous and without a store: what it says can be recorded by others. */
export class AnomalyWatch {
  readonly #setting: WatchSetting
  readonly #latchOptions: LatchOptions
  readonly #table: TrackTable
  readonly #parked: ParkedContexts
  /** false alarms that one signal may raise; the same object for all */
  readonly #share: BudgetShare | undefined
  /** what is written of units and orders: how often they had changed by then */
  #writtenUnits = 0
  #writtenOrders = 0
  #writtenCycles = 0
  readonly #cycles: Cycles | undefined
  readonly #cycleless = new Set<string>()
  #isAboutWritten: boolean

  /** `saved`: records that were written before a restart, or what `state` gave; of another method it is of no use. */
  constructor(setting: WatchSetting, saved?: unknown) {
    this.#setting = setting
    this.#latchOptions = { ...setting.latch, ...confirmationsOf(setting.method) }
    this.#parked = new ParkedContexts(setting.contextBytes ?? CONTEXT_BYTES)
    const budget = setting.falseAlarmsAWeek
    const signals = (): number => this.#table.all
    this.#share =
      budget === undefined
        ? undefined
        : {
            ...budgetBound(setting.method),
            get perWeek() {
              return budget / Math.max(1, signals())
            },
          }
    this.#table = new TrackTable({
      most: setting.maxSignals,
      open: (equipment, signal, state) => this.#open(equipment, signal, state),
      forgotten: setting.forgotten,
      refused: (equipment, signal) => setting.refused?.(equipment, signal),
      dropped: (equipment, signal, track) => {
        for (const context of track.others) this.#parked.taken(equipment, signal, context)
      },
    })
    this.#cycles = setting.method.name === 'seasonal' && setting.method.cycle !== undefined ? new Cycles(setting.method.cycle) : undefined
    const records = recordsOf(saved)
    const known = records === undefined ? undefined : signalsOf(records, setting.method.name, setting.making?.by ?? 'none')
    this.#isAboutWritten = known !== undefined
    if (records === undefined) return
    if (known === undefined) {
      for (const key of records.keys()) if (partsOf(key).length > 0) this.#table.leave(key)
      return
    }
    for (const { equipment, signal, state } of known) this.#table.restore(equipment, signal, state)
    setting.running.restore(records.get(UNITS))
    setting.making?.restore(records.get(ORDERS))
    this.#cycles?.restore(records.get(CYCLES))
    this.#writtenCycles = this.#cycles?.changes ?? 0
    this.#writtenUnits = setting.running.changes
    this.#writtenOrders = setting.making?.changes ?? 0
  }

  /** The track of a sample's signal; nothing when it is not watched. */
  trackOf({ equipment, signal }: Pick<Sample, 'equipment' | 'signal'>): Track | undefined {
    return this.#table.get(equipment, signal)
  }

  /** Judges a sample on its track; a document when an alarm began, grew worse or ended. */
  judge(track: Track, sample: Sample): Anomaly | undefined {
    const { equipment, signal, time, value, quality } = sample
    const { running } = this.#setting
    this.#table.touch(track, equipment, signal)
    if (typeof value !== 'number' || quality === 'bad' || !running.runs(equipment, time)) {
      track.pass(time)
      return undefined
    }
    if (this.#setting.making !== undefined && !this.#enter(track, sample, this.#setting.making)) {
      track.pass(time)
      return undefined
    }
    const repaired = running.repairedAt(equipment)
    const cleared = repaired !== undefined && repaired > track.begun ? this.#renew(track, sample, repaired) : undefined
    if (this.#cycles !== undefined) track.place(this.#place(this.#cycles, equipment, time))
    const alarm = cleared ?? track.update(time, value, this.#newId)
    if (alarm === undefined) return undefined
    if (alarm.change === 'cleared') this.#table.eased()
    return this.#document(sample, alarm)
  }

  /** Any sample, watched or not, before it is judged: it may begin a cycle of its unit. */
  hear(sample: Sample): void {
    this.#cycles?.saw(sample)
  }

  #place(cycles: Cycles, equipment: string, time: number): CyclePlace | undefined {
    const place = cycles.of(equipment, time)
    if (place !== undefined) this.#cycleless.delete(equipment)
    else if (this.#cycleless.size < CYCLELESS) this.#cycleless.add(equipment)
    return place
  }

  /** Units with values that could not be judged because no cycle of theirs was seen. */
  get cycleless(): number {
    return this.#cycleless.size
  }

  /** The baseline of what is being made; false while nobody knows what that is. */
  #enter(track: Track, sample: Sample, making: Making): boolean {
    const context = making.of(sample)
    if (context === null) return false
    if (context === track.context) return true
    const { equipment, signal } = sample
    const left = track.context
    const forgotten = track.enter(context, (state) => this.#detector(equipment, signal, state))
    this.#parked.taken(equipment, signal, context)
    this.#table.stays(keyOf(equipment, signal, left))
    if (forgotten !== undefined) this.#forgetContext(equipment, signal, forgotten)
    const learned = track.other(left)
    if (learned === undefined) return true
    for (const gone of this.#parked.park(equipment, signal, left, learned)) this.#forgetContext(gone.equipment, gone.signal, gone.context)
    return true
  }

  #forgetContext(equipment: string, signal: string, context: string): void {
    this.#table.get(equipment, signal)?.forgetContext(context)
    this.#parked.taken(equipment, signal, context)
    this.#table.leave(keyOf(equipment, signal, context))
    this.#setting.contextForgotten?.(equipment, signal, context)
  }

  #detector(equipment: string, signal: string, state?: DetectorState): Detector | undefined {
    return detectorOf(this.#setting.method, this.#setting.select(equipment, signal)?.alarm, state)
  }

  /** Does what a person says; how many signals it was about, and the alarms that it cleared. */
  command({ command, equipment, signal }: WatchCommand): { readonly signals: number; readonly cleared: readonly Anomaly[] } {
    const isMeant = (unit: string, name: string): boolean =>
      (equipment === undefined || unit === equipment || unit.startsWith(`${equipment}/`)) && (signal === undefined || name === signal)
    // what was not heard of since the start is meant too
    for (const [unit, name] of [...this.#table.waiting()]) if (isMeant(unit, name)) this.#table.get(unit, name)
    const cleared: Anomaly[] = []
    const meant = [...this.#table].filter(([unit, name]) => isMeant(unit, name))
    for (const [unit, name, track] of meant) {
      const alarm = this.#command(command, track, unit, name)
      if (alarm !== undefined) cleared.push(this.#document({ equipment: unit, signal: name, time: track.heard }, alarm))
      if (command === 'forget') this.#table.drop(unit, name)
      else this.#table.touch(track, unit, name)
    }
    if (cleared.length > 0) this.#table.eased()
    return { signals: meant.length, cleared }
  }

  #command(command: WatchCommand['command'], track: Track, equipment: string, signal: string): Alarm | undefined {
    if (command === 'freeze' || command === 'unfreeze') {
      track.frozen = command === 'freeze'
      return undefined
    }
    track.frozen = false
    const text = command === 'retrain' ? 'it is learned anew, as was asked for' : 'it is forgotten, as was asked for'
    return this.#begin(track, equipment, signal, track.heard, { source: command, text })
  }

  /** After a repair a unit behaves otherwise than when it was worn: it is learned anew. */
  #renew(track: Track, { equipment, signal }: Sample, repaired: number): Alarm | undefined {
    return this.#begin(track, equipment, signal, repaired, REPAIRED)
  }

  #begin(track: Track, equipment: string, signal: string, time: number, why: Evidence): Alarm | undefined {
    const detector = this.#detector(equipment, signal)
    if (detector === undefined) return undefined
    for (const context of track.others) {
      this.#parked.taken(equipment, signal, context)
      this.#table.leave(keyOf(equipment, signal, context))
    }
    return track.renew(detector, time, why)
  }

  /** Roles and limits may have changed: signals that are watched no more are dropped, their alarms cleared; what was learned of the others stays. */
  reselect(): Anomaly[] {
    const { select, method } = this.#setting
    this.#table.forgetIgnored()
    const cleared: Anomaly[] = []
    for (const [equipment, signal, track] of [...this.#table]) {
      const selected = select(equipment, signal)
      if (selected !== undefined && isSame(selected.alarm, track.limits)) continue
      const remade = selected === undefined ? undefined : detectorOf(method, selected.alarm, track.detector.state)
      if (remade === undefined) {
        const alarm = track.renew(track.detector, track.heard, NOT_WATCHED)
        if (alarm !== undefined) cleared.push(this.#document({ equipment, signal, time: track.heard }, alarm))
        this.#table.drop(equipment, signal)
      } else {
        track.limits = selected?.alarm
        track.detector = remade
      }
    }
    return cleared
  }

  /** Alarms that stand in the store are taken on where a restart lost them, and alarms that do not are dropped. Before the first sample. */
  reconcile(standing: readonly Anomaly[]): void {
    const { method } = this.#setting
    const alarms = new Map<string, Anomaly>()
    for (const anomaly of standing) {
      const [signal] = anomaly.signals
      if (anomaly.method === method.name && signal !== undefined && anomaly.signals.length === 1) alarms.set(keyOf(anomaly.equipment, signal), anomaly)
    }
    for (const [equipment, signal, state] of [...this.#table.waiting()])
      if (state.latch.alarm !== null && !alarms.has(keyOf(equipment, signal))) this.#table.restore(equipment, signal, { ...state, latch: QUIET })
    for (const { id, equipment, signals, since, severity } of alarms.values()) {
      const signal = signals[0] ?? ''
      const state = this.#table.saved(equipment, signal) ?? { detector: {}, time: 0, value: 0, late: 0, latch: QUIET }
      const { latch } = state
      const alarm = latch.alarm?.id === id ? { ...latch.alarm, severity } : { id, since, severity, worst: 0 }
      this.#table.restore(equipment, signal, { ...state, latch: { ...(latch.alarm?.id === id ? latch : QUIET), alarm } })
    }
  }

  /** A person says that an alarm was none: what it saw counts as usual. Whether it is one of the last of a signal that is watched. */
  refused(id: string): boolean {
    return this.#judgedBy(id, 'refused')
  }

  /** A person says that an alarm was one: nothing is learned from it. Whether it is one of the last of a signal that is watched. */
  confirmed(id: string): boolean {
    return this.#judgedBy(id, 'confirmed')
  }

  #judgedBy(id: string, verdict: 'confirmed' | 'refused'): boolean {
    for (const [equipment, signal, { latch, budget }] of [...this.#table.waiting()])
      if (latch.alarm?.id === id || budget?.alarms.some((alarm) => alarm.id === id) === true) this.#table.get(equipment, signal)
    for (const [equipment, signal, track] of this.#table) {
      if (!track.judgedBy(id, verdict)) continue
      this.#table.touch(track, equipment, signal)
      return true
    }
    return false
  }

  /** Forgets signals of which nothing was heard since, except those in alarm. */
  forgetIdle(before: number): void {
    this.#table.forgetIdle(before)
  }

  /** Signals under watch. */
  get signals(): number {
    return this.#table.size
  }

  /** Names that are remembered as not watched. */
  get ignored(): number {
    return this.#table.ignored
  }

  /** Alarms that stand. */
  get alarms(): number {
    let alarms = 0
    for (const [, , track] of this.#table) if (track.alarm !== null) alarms++
    return alarms
  }

  /** All that are watched are in alarm, and there is no room for another. */
  get isFull(): boolean {
    return this.#table.isFull
  }

  /** Everything remembered, as plain JSON, also of signals that were not heard of since the start. */
  get state(): unknown {
    const tracks = new Map<string, Array<readonly [string, TrackState]>>()
    const add = (equipment: string, signal: string, state: TrackState): void => {
      const states = tracks.get(equipment)
      if (states === undefined) tracks.set(equipment, [[signal, state]])
      else states.push([signal, state])
    }
    for (const [equipment, signal, state] of this.#table.waiting()) add(equipment, signal, state)
    for (const [equipment, signal, track] of this.#table) add(equipment, signal, track.state)
    const { method, running, making } = this.#setting
    const context = making === undefined || making.by === 'none' ? {} : { context: making.by, orders: making.state }
    const cycles = this.#cycles === undefined ? {} : { cycles: this.#cycles.state }
    return { format: 1, method: method.name, ...context, ...cycles, tracks: [...tracks], units: running.state }
  }

  /** Something was learned that is not written yet. */
  get hasChanges(): boolean {
    const { running, making } = this.#setting
    if (this.#table.hasUnsaved || running.changes !== this.#writtenUnits) return true
    return (making?.changes ?? 0) !== this.#writtenOrders || (this.#cycles?.changes ?? 0) !== this.#writtenCycles
  }

  /** What was learned since it was written, of so many signals at most, those that wait longest first. What is given here counts as written. */
  changes(signals: number): WatchChanges {
    const put = this.#about()
    const { running, making } = this.#setting
    if (running.changes !== this.#writtenUnits) put.set(UNITS, running.state)
    if (making !== undefined && making.changes !== this.#writtenOrders) put.set(ORDERS, making.state)
    if (this.#cycles !== undefined && this.#cycles.changes !== this.#writtenCycles) put.set(CYCLES, this.#cycles.state)
    this.#writtenUnits = running.changes
    this.#writtenOrders = making?.changes ?? 0
    this.#writtenCycles = this.#cycles?.changes ?? 0
    let left = signals
    if (left > 0) {
      for (const [equipment, signal, track] of this.#table.takeUnsaved()) {
        this.#put(put, equipment, signal, track)
        if (--left <= 0) break
      }
    }
    return { put, drop: this.#table.takeGone().filter((key) => !put.has(key)) }
  }

  /** The same of these signals and nothing else. */
  changesOf(signals: ReadonlyArray<readonly [equipment: string, signal: string]>): WatchChanges {
    const put = this.#about()
    for (const [equipment, signal] of signals) {
      const track = this.#table.takeUnsavedOf(equipment, signal)
      if (track !== undefined) this.#put(put, equipment, signal, track)
    }
    return { put, drop: [] }
  }

  /** They could not be written. */
  notWritten({ put, drop }: WatchChanges): void {
    for (const key of drop) this.#table.leave(key)
    for (const key of put.keys()) {
      if (key === ABOUT) this.#isAboutWritten = false
      else if (key === UNITS) this.#writtenUnits = -1
      else if (key === ORDERS) this.#writtenOrders = -1
      else if (key === CYCLES) this.#writtenCycles = -1
      else {
        const [equipment, signal, context] = partsOf(key)
        if (equipment !== undefined && signal !== undefined) this.#table.notSaved(equipment, signal, context)
      }
    }
  }

  #about(): Map<string, unknown> {
    const put = new Map<string, unknown>()
    if (this.#isAboutWritten) return put
    this.#isAboutWritten = true
    const { method, making } = this.#setting
    const about: About = { format: 2, method: method.name, ...(making === undefined || making.by === 'none' ? {} : { context: making.by }) }
    return put.set(ABOUT, about)
  }

  #put(put: Map<string, unknown>, equipment: string, signal: string, track: Track): void {
    // first what its own record names
    for (const context of track.takeLeft()) {
      const learned = track.other(context)
      if (learned !== undefined) put.set(keyOf(equipment, signal, context), learned)
    }
    put.set(keyOf(equipment, signal), track.ownState)
    this.#table.stays(keyOf(equipment, signal))
  }

  readonly #newId = (): string => this.#setting.ids('an')

  #open(equipment: string, signal: string, saved: TrackState | undefined): Track | null {
    const selected = this.#setting.select(equipment, signal)
    const detector = selected === undefined ? undefined : detectorOf(this.#setting.method, selected.alarm, saved?.detector)
    if (detector === undefined) return null
    const track = new Track(detector, this.#latchOptions, saved, this.#share)
    track.limits = selected?.alarm
    for (const [context, state] of saved?.others ?? []) this.#parked.park(equipment, signal, context, state)
    return track
  }

  #document(sample: Pick<Sample, 'equipment' | 'signal' | 'time' | 'context'>, alarm: Alarm): Anomaly {
    const { equipment, signal, time } = sample
    const { id, change, since, severity, score, evidence } = alarm
    const context = contextOf(sample.context, this.#setting.running.jobOrderOf(equipment))
    return {
      kind: 'anomaly',
      id,
      equipment,
      signals: [signal],
      state: change,
      method: this.#setting.method.name,
      score,
      severity,
      since,
      time,
      evidence: [...evidence],
      ...(context === undefined ? {} : { context }),
    }
  }
}

function isSame(a: AlarmLimits | undefined, b: AlarmLimits | undefined): boolean {
  return a?.low === b?.low && a?.high === b?.high
}

function contextOf(context: Context | undefined, jobOrder: string | null): Context | undefined {
  return jobOrder === null || context?.jobOrder !== undefined ? context : { ...context, jobOrder }
}
