import type { Track, TrackState } from './track.ts'
import { keyOf } from './watch-records.ts'

/** Why signals are forgotten: nothing was heard of them, or there is no room. */
export type Forgotten = 'idle' | 'room'

export interface TableSetting {
  /** Signals kept at the same time, and as many that are known not to be watched. */
  readonly most: number
  /** Makes the track of a signal, with what was saved of it; null: it is not watched. */
  open(equipment: string, signal: string, saved: TrackState | undefined): Track | null
  /** So many signals were forgotten. */
  forgotten(signals: number, why: Forgotten): void
  /** There is no room for a signal: all that are kept are in alarm. */
  refused(equipment: string, signal: string): void
  /** A track is dropped. */
  dropped(equipment: string, signal: string, track: Track): void
}

interface Name {
  readonly equipment: string
  readonly signal: string
}

/** A signal of fewer values than this has learned nothing worth keeping: of too many signals these go first. */
const NEW_VALUES = 10
/** When there is no room, this share goes at once, so that a flood of new signals does not make each of them expensive. */
const CLEARED_AT_ONCE = 0.1

/**
 * The tracks of all signals, bounded. When there is no room, the new signal heard of longest ago goes first: a flood of names that come once each does not push
 * out what has learned. Signals in alarm stay.
 */
export class TrackTable {
  readonly #setting: TableSetting
  /** by equipment and signal, so that no key is built for a value; null: not watched */
  readonly #tracks = new Map<string, Map<string, Track | null>>()
  /** what was remembered of signals that were not heard of since the start */
  readonly #saved = new Map<string, Map<string, TrackState>>()
  /** new signals, the one heard of longest ago first */
  readonly #newcomers = new Map<Track, Name>()
  readonly #unsaved = new Map<Track, Name>()
  /** keys of records that are of no use any more */
  readonly #gone = new Set<string>()
  #open = 0
  #closed = 0
  #ignored = 0
  /** nothing can be dropped, until an alarm ends */
  #isFull = false

  constructor(setting: TableSetting) {
    this.#setting = setting
  }

  /** Signals kept that were heard of since the start. */
  get size(): number {
    return this.#open
  }

  /** Signals kept, heard of since the start or not. */
  get all(): number {
    return this.#open + this.#closed
  }

  /** Names that are remembered as not watched. */
  get ignored(): number {
    return this.#ignored
  }

  /** No signal can be taken on any more. */
  get isFull(): boolean {
    return this.#isFull
  }

  /** Takes on what was saved of a signal before a restart. */
  restore(equipment: string, signal: string, state: TrackState): void {
    const states = entryOf(this.#saved, equipment)
    if (!states.has(signal)) this.#closed++
    states.set(signal, state)
  }

  /** What was saved of a signal that was not heard of since. */
  saved(equipment: string, signal: string): TrackState | undefined {
    return this.#saved.get(equipment)?.get(signal)
  }

  /** The track of a signal, opened where there is room; undefined: it is not watched. */
  get(equipment: string, signal: string): Track | undefined {
    const known = this.#tracks.get(equipment)?.get(signal)
    return known === undefined ? this.#add(equipment, signal) : (known ?? undefined)
  }

  /** Its track is given a value. */
  touch(track: Track, equipment: string, signal: string): void {
    const newcomer = this.#newcomers.size === 0 ? undefined : this.#newcomers.get(track)
    if (!this.#unsaved.has(track)) this.#unsaved.set(track, newcomer ?? { equipment, signal })
    // its first value leaves it the newest
    if (newcomer === undefined || track.taken === 0) return
    this.#newcomers.delete(track)
    if (track.taken + 1 < NEW_VALUES && track.alarm === null) this.#newcomers.set(track, newcomer)
  }

  /** An alarm has ended: there may be room again. */
  eased(): void {
    this.#isFull = false
  }

  *[Symbol.iterator](): Generator<readonly [string, string, Track]> {
    for (const [equipment, tracks] of this.#tracks) for (const [signal, track] of tracks) if (track !== null) yield [equipment, signal, track]
  }

  /** Signals that were not heard of since the start. */
  *waiting(): Generator<readonly [string, string, TrackState]> {
    for (const [equipment, states] of this.#saved) for (const [signal, state] of states) yield [equipment, signal, state]
  }

  /** Forgets a signal. */
  drop(equipment: string, signal: string): void {
    const tracks = this.#tracks.get(equipment)
    const track = tracks?.get(signal)
    if (track !== undefined) {
      tracks?.delete(signal)
      if (tracks?.size === 0) this.#tracks.delete(equipment)
      if (track === null) this.#ignored--
      else {
        this.#open--
        this.#newcomers.delete(track)
        this.#unsaved.delete(track)
        if (track.isWritten) this.#left(equipment, signal, track.others)
        this.#setting.dropped(equipment, signal, track)
      }
    }
    const saved = this.#take(equipment, signal)
    if (saved !== undefined) this.#left(equipment, signal, contextsOf(saved))
    this.#isFull = false
  }

  /** Forgets signals of which nothing was heard since, except those in alarm. */
  forgetIdle(before: number): void {
    const idle: Name[] = []
    for (const [equipment, signal, state] of this.waiting()) if (state.time < before && state.latch.alarm === null) idle.push({ equipment, signal })
    for (const [equipment, signal, track] of this) if (track.heard < before && track.alarm === null) idle.push({ equipment, signal })
    for (const { equipment, signal } of idle) this.drop(equipment, signal)
    if (idle.length > 0) this.#setting.forgotten(idle.length, 'idle')
  }

  /** Names that are not watched are asked for anew. */
  forgetIgnored(): void {
    for (const [equipment, tracks] of this.#tracks) {
      for (const [signal, track] of tracks) if (track === null) tracks.delete(signal)
      if (tracks.size === 0) this.#tracks.delete(equipment)
    }
    this.#ignored = 0
  }

  /** Tracks that learned something since they were taken here, those that wait longest first. They count as saved from now on. */
  *takeUnsaved(): Generator<readonly [string, string, Track]> {
    for (const [track, { equipment, signal }] of this.#unsaved) {
      this.#unsaved.delete(track)
      track.isWritten = true
      yield [equipment, signal, track]
    }
  }

  /** The same for one signal; undefined where there is nothing to save. */
  takeUnsavedOf(equipment: string, signal: string): Track | undefined {
    const track = this.#tracks.get(equipment)?.get(signal) ?? undefined
    if (track === undefined || !this.#unsaved.delete(track)) return undefined
    track.isWritten = true
    return track
  }

  /** A record is of no use any more. */
  leave(key: string): void {
    this.#gone.add(key)
  }

  /** A record is of use again. */
  stays(key: string): void {
    if (this.#gone.size > 0) this.#gone.delete(key)
  }

  /** Keys of records to be removed, since they were taken here. */
  takeGone(): string[] {
    const keys = [...this.#gone]
    this.#gone.clear()
    return keys
  }

  /** What was taken could not be saved. */
  notSaved(equipment: string, signal: string, context: string | undefined): void {
    const track = this.#tracks.get(equipment)?.get(signal)
    if (track === undefined || track === null) return
    if (context !== undefined) track.notTaken(context)
    this.touch(track, equipment, signal)
  }

  get hasUnsaved(): boolean {
    return this.#unsaved.size > 0 || this.#gone.size > 0
  }

  #left(equipment: string, signal: string, contexts: Iterable<string>): void {
    this.#gone.add(keyOf(equipment, signal))
    for (const context of contexts) this.#gone.add(keyOf(equipment, signal, context))
  }

  #add(equipment: string, signal: string): Track | undefined {
    const saved = this.#take(equipment, signal)
    // one that is refused again and again must cost next to nothing
    if (saved === undefined && this.#isFull) {
      this.#setting.refused(equipment, signal)
      return undefined
    }
    const track = this.#setting.open(equipment, signal, saved)
    if (track === null) {
      if (saved !== undefined) this.#left(equipment, signal, contextsOf(saved))
      if (this.#ignored >= this.#setting.most) this.forgetIgnored()
      this.#ignored++
    } else {
      if (saved === undefined && !this.#makeRoom()) {
        this.#setting.refused(equipment, signal)
        return undefined
      }
      this.#open++
      // one that was forgotten a moment ago has a record still
      track.isWritten = saved !== undefined || (this.#gone.size > 0 && this.#gone.has(keyOf(equipment, signal)))
      if (saved === undefined) this.#newcomers.set(track, { equipment, signal })
    }
    entryOf(this.#tracks, equipment).set(signal, track)
    return track ?? undefined
  }

  #take(equipment: string, signal: string): TrackState | undefined {
    const states = this.#saved.get(equipment)
    const state = states?.get(signal)
    if (states === undefined || state === undefined) return undefined
    states.delete(signal)
    if (states.size === 0) this.#saved.delete(equipment)
    this.#closed--
    return state
  }

  #makeRoom(): boolean {
    const { most, forgotten } = this.#setting
    if (this.#open + this.#closed < most) return true
    // some at once: a map is slow to give its first entry when many before it were deleted
    let left = Math.ceil(this.#newcomers.size * CLEARED_AT_ONCE)
    let gone = 0
    for (const [track, { equipment, signal }] of this.#newcomers) {
      if (left-- === 0) break
      this.#newcomers.delete(track)
      if (track.alarm !== null) continue
      this.drop(equipment, signal)
      gone++
    }
    if (gone > 0) {
      forgotten(gone, 'room')
      return true
    }
    const others: Array<{ readonly time: number; readonly equipment: string; readonly signal: string }> = []
    for (const [equipment, signal, state] of this.waiting()) if (state.latch.alarm === null) others.push({ time: state.time, equipment, signal })
    for (const [equipment, signal, track] of this) if (track.alarm === null) others.push({ time: track.heard, equipment, signal })
    others.sort((a, b) => a.time - b.time)
    others.length = Math.min(others.length, Math.max(Math.ceil(others.length * CLEARED_AT_ONCE), this.#open + this.#closed + 1 - most))
    for (const { equipment, signal } of others) this.drop(equipment, signal)
    if (others.length > 0) forgotten(others.length, 'room')
    this.#isFull = this.#open + this.#closed >= most
    return !this.#isFull
  }
}

function contextsOf({ others }: TrackState): string[] {
  return (others ?? []).map(([context]) => context)
}

function entryOf<T>(maps: Map<string, Map<string, T>>, key: string): Map<string, T> {
  let entry = maps.get(key)
  if (entry === undefined) maps.set(key, (entry = new Map()))
  return entry
}
