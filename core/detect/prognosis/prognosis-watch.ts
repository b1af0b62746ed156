import type { Prognosis } from '../../messages/prognosis.ts'
import type { Sample } from '../../messages/sample.ts'
import type { RunningUnits } from '../running-units.ts'
import { CONFIDENCE } from './prognoser.ts'
import { PrognosisTrack, type PrognosisTrackState, type Target } from './prognosis-track.ts'

export interface PrognosisWatchSetting {
  /** Signals watched at the same time; when there are more, those heard of longest ago are forgotten. */
  readonly maxSignals: number
  readonly running: RunningUnits
  /** Where the life of a signal ends; nothing: it is not watched. */
  select(equipment: string, signal: string): Target | undefined
  /** So many signals were forgotten. */
  forgotten(signals: number): void
}

interface SavedWatch {
  readonly format: 1
  /** by equipment and signal, as entries: names from outside are no keys of an object */
  readonly tracks: ReadonlyArray<readonly [string, ReadonlyArray<readonly [string, PrognosisTrackState]>]>
  readonly units: unknown
}

/** When the memory is full, a tenth is cleared at once: a flood of new signals must not make each of them expensive. */
const CLEARED_AT_ONCE = 0.1

/** Foretells for many signals when they will reach their thresholds. Synchronous and without a store. */
export class PrognosisWatch {
  readonly #setting: PrognosisWatchSetting
  /** by equipment and signal, so that no key is built for a value; null: not watched */
  readonly #tracks = new Map<string, Map<string, PrognosisTrack | null>>()
  /** what was remembered of signals that were not heard of since the start */
  readonly #saved: Map<string, Map<string, PrognosisTrackState>>
  #watched = 0
  #ignored = 0

  /** `saved`: what `state` gave before a restart. */
  constructor(setting: PrognosisWatchSetting, saved?: unknown) {
    this.#setting = setting
    const usable = isSaved(saved)
    this.#saved = new Map(usable ? saved.tracks.map(([equipment, tracks]) => [equipment, new Map(tracks)]) : [])
    if (usable) setting.running.restore(saved.units)
  }

  /** The track of a sample's signal; nothing when it is not watched. */
  trackOf({ equipment, signal }: Pick<Sample, 'equipment' | 'signal'>): PrognosisTrack | undefined {
    const known = this.#tracks.get(equipment)?.get(signal)
    return known === undefined ? this.#open(equipment, signal) : (known ?? undefined)
  }

  /** Takes a value of the indicator; a document when there is a prognosis that differs from what was told before, or what was told is so no longer (`remainingMs` null). */
  take(track: PrognosisTrack, { equipment, signal, time, quality }: Sample, value: number): Prognosis | undefined {
    const { running } = this.#setting
    if (quality === 'bad' || !running.runs(equipment, time)) {
      track.pass(time)
      return undefined
    }
    const repaired = running.repairedAt(equipment)
    const isRenewed = repaired !== undefined && repaired > track.begun && track.renew(repaired)
    const news = track.update(time, value) ?? (isRenewed ? 'gone' : undefined)
    if (news === undefined) return undefined
    const { threshold, unit } = track.target
    const { trend, ...remaining } = news === 'gone' ? { trend: 'none' } : news
    const remainingMs = 'median' in remaining ? { median: remaining.median, lower: remaining.lower, upper: remaining.upper, confidence: CONFIDENCE } : null
    return {
      kind: 'prognosis',
      equipment,
      indicator: signal,
      threshold,
      remainingMs,
      trend,
      time,
      value: track.shown(track.smooth),
      ...(unit === undefined ? {} : { unit }),
    }
  }

  /** Forgets signals of which nothing was heard for so long, by plant time, or by the newest value where that is older: a replay forgets nothing of itself. */
  forgetIdle(now: number, idleMs: number): void {
    let newest = 0
    for (const tracks of this.#tracks.values()) for (const track of tracks.values()) newest = Math.max(newest, track?.heard ?? 0)
    const before = Math.min(now, newest || now) - idleMs
    for (const tracks of this.#saved.values()) for (const [signal, { heard }] of tracks) if (heard < before) tracks.delete(signal)
    const watched = this.#watched
    this.#drop((track) => track !== null && track.heard < before)
    if (watched > this.#watched) this.#setting.forgotten(watched - this.#watched)
  }

  /** Signals under watch. */
  get signals(): number {
    return this.#watched
  }

  /** Signals of which an end is foretold, and of those the soonest median end, epoch ms. */
  get ending(): { readonly signals: number; readonly soonest: number } {
    let signals = 0
    let soonest = Number.POSITIVE_INFINITY
    for (const tracks of this.#tracks.values())
      for (const track of tracks.values()) {
        if (track?.estimate === undefined) continue
        signals++
        soonest = Math.min(soonest, track.heard + track.estimate.median)
      }
    return { signals, soonest }
  }

  /** Everything remembered, as plain JSON, also of signals that were not heard of since the start. */
  get state(): unknown {
    const tracks = new Map([...this.#saved].map(([equipment, saved]) => [equipment, new Map(saved)]))
    for (const [equipment, open] of this.#tracks) for (const [signal, track] of open) if (track !== null) entryOf(tracks, equipment).set(signal, track.state)
    const entries = [...tracks].map(([equipment, states]) => [equipment, [...states]] as const)
    return { format: 1, tracks: entries, units: this.#setting.running.state } satisfies SavedWatch
  }

  #open(equipment: string, signal: string): PrognosisTrack | undefined {
    const target = this.#setting.select(equipment, signal)
    const track = target === undefined ? null : new PrognosisTrack(target, this.#saved.get(equipment)?.get(signal))
    this.#makeRoom(track === null)
    this.#saved.get(equipment)?.delete(signal)
    entryOf(this.#tracks, equipment).set(signal, track)
    if (track === null) this.#ignored++
    else this.#watched++
    return track ?? undefined
  }

  #makeRoom(isIgnored: boolean): void {
    const { maxSignals } = this.#setting
    if (isIgnored) {
      if (this.#ignored >= maxSignals) this.#drop((other) => other === null)
      return
    }
    if (this.#watched < maxSignals) return
    const tracks = [...this.#tracks.values()].flatMap((signals) => [...signals.values()].filter((track) => track !== null))
    const oldest = new Set(tracks.sort((a, b) => a.heard - b.heard).slice(0, Math.max(1, Math.floor(tracks.length * CLEARED_AT_ONCE))))
    this.#drop((track) => track !== null && oldest.has(track))
    this.#setting.forgotten(oldest.size)
  }

  #drop(isDropped: (track: PrognosisTrack | null) => boolean): void {
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
}

function entryOf<T>(maps: Map<string, Map<string, T>>, key: string): Map<string, T> {
  let entry = maps.get(key)
  if (entry === undefined) maps.set(key, (entry = new Map()))
  return entry
}

function isSaved(saved: unknown): saved is SavedWatch {
  return typeof saved === 'object' && saved !== null && (saved as SavedWatch).format === 1 && Array.isArray((saved as SavedWatch).tracks)
}
