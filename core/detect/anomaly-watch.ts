import type { IdSource } from '../base/id.ts'
import type { Anomaly } from '../messages/anomaly.ts'
import type { Context } from '../messages/common.ts'
import type { Sample } from '../messages/sample.ts'
import type { Detector, DetectorState } from './detector.ts'
import { type LatchOptions, QUIET } from './latch.ts'
import type { Making } from './making.ts'
import { type AlarmLimits, confirmationsOf, detectorOf, type Method } from './methods.ts'
import type { RunningUnits } from './running-units.ts'
import { type Alarm, Track, type TrackState } from './track.ts'

export interface WatchSetting {
  readonly method: Method
  readonly latch: Pick<LatchOptions, 'holdOffMs' | 'clearAfterMs' | 'persistMs'>
  /** Signals watched at the same time; when there are more, those heard of longest ago are forgotten. */
  readonly maxSignals: number
  readonly running: RunningUnits
  /** What separate baselines are kept by; absent: one baseline a signal. */
  readonly making?: Making
  readonly ids: IdSource
  /** Whether a signal is watched, and its own alarm limits where it has any. */
  select(equipment: string, signal: string): { readonly alarm?: AlarmLimits | undefined } | undefined
  /** So many signals were forgotten. */
  forgotten(signals: number): void
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

interface SavedWatch {
  readonly format: 1
  readonly method: string
  /** absent: none */
  readonly context?: string
  /** by equipment and signal, as entries: names from outside are no keys of an object */
  readonly tracks: ReadonlyArray<readonly [string, ReadonlyArray<readonly [string, TrackState]>]>
  readonly units: unknown
  readonly orders?: unknown
}

/** When the memory is full, a tenth is cleared at once: a flood of new signals must not make each of them expensive. */
const CLEARED_AT_ONCE = 0.1

/** Watches many signals, each with a detector of its own. Synchronous and without a store: what it says can be recorded by others. */
export class AnomalyWatch {
  readonly #setting: WatchSetting
  readonly #latchOptions: LatchOptions
  /** by equipment and signal, so that no key is built for a value; null: not watched */
  readonly #tracks = new Map<string, Map<string, Track | null>>()
  #watched = 0
  #ignored = 0
  /** what was remembered of signals that were not heard of since the start */
  readonly #saved: Map<string, Map<string, TrackState>>

  /** `saved`: what `state` gave before a restart; of another method it is of no use. */
  constructor(setting: WatchSetting, saved?: unknown) {
    this.#setting = setting
    this.#latchOptions = { ...setting.latch, ...confirmationsOf(setting.method) }
    const usable = isSaved(saved) && saved.method === setting.method.name && (saved.context ?? 'none') === (setting.making?.by ?? 'none')
    this.#saved = new Map(usable ? saved.tracks.map(([equipment, tracks]) => [equipment, new Map(tracks)]) : [])
    if (usable) setting.running.restore(saved.units)
    if (usable) setting.making?.restore(saved.orders)
  }

  /** The track of a sample's signal; nothing when it is not watched. */
  trackOf({ equipment, signal }: Pick<Sample, 'equipment' | 'signal'>): Track | undefined {
    return this.#tracks.get(equipment)?.get(signal) ?? this.#open(equipment, signal)
  }

  /** Judges a sample on its track; a document when an alarm began, grew worse or ended. */
  judge(track: Track, sample: Sample): Anomaly | undefined {
    const { equipment, time, value, quality } = sample
    const { running } = this.#setting
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
    const alarm = cleared ?? track.update(time, value, this.#newId)
    return alarm === undefined ? undefined : this.#document(sample, alarm)
  }

  /** The baseline of what is being made; false while nobody knows what that is. */
  #enter(track: Track, sample: Sample, making: Making): boolean {
    const context = making.of(sample)
    if (context === null) return false
    if (context === track.context) return true
    const { equipment, signal } = sample
    const make = (state?: DetectorState): Detector | undefined => detectorOf(this.#setting.method, this.#setting.select(equipment, signal)?.alarm, state)
    const forgotten = track.enter(context, make)
    if (forgotten !== undefined) this.#setting.contextForgotten?.(equipment, signal, forgotten)
    return true
  }

  /** Does what a person says; how many signals it was about, and the alarms that it cleared. */
  command({ command, equipment, signal }: WatchCommand): { readonly signals: number; readonly cleared: readonly Anomaly[] } {
    const isMeant = (other: string): boolean => equipment === undefined || other === equipment || other.startsWith(`${equipment}/`)
    // what was not heard of since the start is meant too
    for (const [unit, tracks] of this.#saved)
      if (isMeant(unit)) for (const name of [...tracks.keys()]) if (signal === undefined || name === signal) this.#open(unit, name)
    const cleared: Anomaly[] = []
    let signals = 0
    for (const [unit, tracks] of this.#tracks) {
      if (!isMeant(unit)) continue
      for (const [name, track] of tracks) {
        if (track === null || (signal !== undefined && name !== signal)) continue
        signals++
        const alarm = this.#command(command, track, unit, name)
        if (alarm !== undefined) cleared.push(this.#document({ equipment: unit, signal: name, time: track.heard }, alarm))
        if (command !== 'forget') continue
        tracks.delete(name)
        this.#watched--
      }
      if (tracks.size === 0) this.#tracks.delete(unit)
    }
    return { signals, cleared }
  }

  #command(command: WatchCommand['command'], track: Track, equipment: string, signal: string): Alarm | undefined {
    if (command === 'freeze' || command === 'unfreeze') {
      track.frozen = command === 'freeze'
      return undefined
    }
    const detector = detectorOf(this.#setting.method, this.#setting.select(equipment, signal)?.alarm)
    track.frozen = false
    const text = command === 'retrain' ? 'it is learned anew, as was asked for' : 'it is forgotten, as was asked for'
    return detector === undefined ? undefined : track.renew(detector, track.heard, { source: command, text })
  }

  /** After a repair a unit behaves otherwise than when it was worn: it is learned anew. */
  #renew(track: Track, { equipment, signal }: Sample, repaired: number): Alarm | undefined {
    const detector = detectorOf(this.#setting.method, this.#setting.select(equipment, signal)?.alarm)
    return detector === undefined ? undefined : track.renew(detector, repaired)
  }

  /** Alarms that stand in the store are taken on where a restart lost them, and alarms that do not are dropped. Before the first sample. */
  reconcile(standing: readonly Anomaly[]): void {
    const { method } = this.#setting
    for (const tracks of this.#saved.values()) for (const [signal, track] of tracks) tracks.set(signal, { ...track, latch: QUIET })
    for (const { id, equipment, signals, since, severity, method: by } of standing) {
      const [signal] = signals
      if (by !== method.name || signal === undefined || signals.length > 1) continue
      const tracks = entryOf(this.#saved, equipment)
      const track = tracks.get(signal) ?? { detector: {}, time: 0, value: 0, late: 0 }
      tracks.set(signal, { ...track, latch: { ...QUIET, alarm: { id, since, severity, worst: 0 } } })
    }
  }

  /** A person says that an alarm was none. Whether it is one that this watch knows. */
  refused(id: string): boolean {
    return this.#knows(id)
  }

  /** A person says that an alarm was one. Whether it is one that this watch knows. */
  confirmed(id: string): boolean {
    return this.#knows(id)
  }

  #knows(id: string): boolean {
    for (const tracks of this.#tracks.values()) for (const track of tracks.values()) if (track?.alarm?.id === id) return true
    return false
  }

  /** Forgets signals of which nothing was heard since, except those in alarm. */
  forgetIdle(before: number): void {
    for (const tracks of this.#saved.values()) {
      for (const [signal, { time, latch }] of tracks) if (time < before && latch.alarm === null) tracks.delete(signal)
    }
    const watched = this.#watched
    this.#drop((track) => track !== null && track.heard < before && track.alarm === null)
    if (watched > this.#watched) this.#setting.forgotten(watched - this.#watched)
  }

  /** Signals under watch. */
  get signals(): number {
    return this.#watched
  }

  /** Alarms that stand. */
  get alarms(): number {
    let alarms = 0
    for (const tracks of this.#tracks.values()) for (const track of tracks.values()) if (track !== null && track.alarm !== null) alarms++
    return alarms
  }

  /** Everything remembered, as plain JSON, also of signals that were not heard of since the start. */
  get state(): unknown {
    const tracks = new Map([...this.#saved].map(([equipment, saved]) => [equipment, new Map(saved)]))
    for (const [equipment, open] of this.#tracks) {
      for (const [signal, track] of open) if (track !== null) entryOf(tracks, equipment).set(signal, track.state)
    }
    const entries = [...tracks].map(([equipment, states]) => [equipment, [...states]] as const)
    const { method, running, making } = this.#setting
    const context = making === undefined || making.by === 'none' ? {} : { context: making.by, orders: making.state }
    return { format: 1, method: method.name, ...context, tracks: entries, units: running.state } satisfies SavedWatch
  }

  readonly #newId = (): string => this.#setting.ids('an')

  #open(equipment: string, signal: string): Track | undefined {
    if (this.#tracks.get(equipment)?.has(signal) === true) return undefined
    const selected = this.#setting.select(equipment, signal)
    const saved = this.#saved.get(equipment)?.get(signal)
    const detector = selected === undefined ? undefined : detectorOf(this.#setting.method, selected.alarm, saved?.detector)
    const track = detector === undefined ? null : new Track(detector, this.#latchOptions, saved)
    if (!this.#hasRoom(track)) return undefined
    this.#saved.get(equipment)?.delete(signal)
    entryOf(this.#tracks, equipment).set(signal, track)
    if (track === null) this.#ignored++
    else this.#watched++
    return track ?? undefined
  }

  #hasRoom(track: Track | null): boolean {
    const { maxSignals } = this.#setting
    if (track === null) {
      if (this.#ignored >= maxSignals) this.#drop((other) => other === null)
      return true
    }
    if (this.#watched >= maxSignals) {
      const times = [...this.#tracks.values()].flatMap((tracks) => [...tracks.values()].flatMap((other) => (other?.alarm === null ? other.heard : [])))
      times.sort((a, b) => a - b)
      this.forgetIdle((times[Math.floor(times.length * CLEARED_AT_ONCE)] ?? 0) + 1)
    }
    return this.#watched < maxSignals
  }

  #drop(isDropped: (track: Track | null) => boolean): void {
    for (const [equipment, tracks] of this.#tracks) {
      for (const [signal, track] of tracks) {
        if (!isDropped(track)) continue
        tracks.delete(signal)
        if (track === null) this.#ignored--
        else this.#watched--
      }
      if (tracks.size === 0) this.#tracks.delete(equipment)
    }
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

function entryOf<T>(maps: Map<string, Map<string, T>>, key: string): Map<string, T> {
  let entry = maps.get(key)
  if (entry === undefined) maps.set(key, (entry = new Map()))
  return entry
}

function contextOf(context: Context | undefined, jobOrder: string | null): Context | undefined {
  return jobOrder === null || context?.jobOrder !== undefined ? context : { ...context, jobOrder }
}

function isSaved(saved: unknown): saved is SavedWatch {
  return typeof saved === 'object' && saved !== null && (saved as SavedWatch).format === 1 && Array.isArray((saved as SavedWatch).tracks)
}
