import type { Sample } from '../messages/sample.ts'
import { type DiskLevel, diskLevelOf } from './disk-budget.ts'
import { writeGap } from './gaps.ts'
import { insertRows } from './insert-rows.ts'
import type { Store, StoreTransaction } from './store.ts'
import { type SqlValue, toStorableText } from './values.ts'

export interface RingSample {
  /** source time, epoch ms */
  readonly time: number
  readonly value: Sample['value']
  readonly quality: Sample['quality']
  readonly unit?: string
}

/** Recent samples for charts: a bounded number a signal, kept in the store. Telemetry: what a crash takes is a gap of seconds at most. */
export interface SampleRing {
  /** Remembers a sample; it is written later, together with others. Costs no waiting and never throws. */
  append(sample: Sample): void
  /** Samples with `from` ≤ time ≤ `to`, oldest first; of more than `limit` the newest. Sees what is not written yet. */
  recent(equipment: string, signal: string, from: number, to: number, limit: number): Promise<readonly RingSample[]>
  /** Writes what is in memory. Rejects with a TAKT_STORE_… error; what could not be written stays in memory. */
  flush(): Promise<void>
  /** Writes what is in memory and ends. */
  close(): Promise<void>
}

export interface SampleRingOptions {
  /** Rows a signal at most. Default 2,000. */
  readonly perSignal?: number
  /** Of numbers nearer than this (source time, ms) to the last one kept, none is kept; texts and switches are kept when they change. Default 1,000. */
  readonly everyMs?: number
  /** Real ms between two writes. Default 5,000. */
  readonly flushMs?: number
  /** What the disk allows. Default: as the store's disk budget says. */
  readonly diskLevel?: () => DiskLevel
}

const rings = new WeakMap<Store, StoredRing>()

/** The one ring of a store. The first call decides on the options. */
export function sampleRingOf(store: Store, options: SampleRingOptions = {}): SampleRing {
  let ring = rings.get(store)
  if (ring === undefined) {
    ring = new StoredRing(store, options)
    rings.set(store, ring)
  }
  return ring
}

/** Writes what the ring of a store has in memory, if it has one. */
export async function closeSampleRing(store: Store): Promise<void> {
  const ring = rings.get(store)
  rings.delete(store)
  await ring?.close()
}

/** Steps are this much larger while the disk asks to thin. */
const THIN_FACTOR = 10
/** Longer texts are no values for a chart. */
const LONGEST_TEXT = 200
/** A signal is cut to its bound when it has grown by this share of it. */
const SLACK = 10
const SIGNALS_AT_MOST = 20_000

interface Track {
  readonly equipment: string
  readonly signal: string
  waiting: RingSample[]
  last: RingSample | undefined
  /** rows written since it was last cut; unknown after a start, so it is cut with the first write */
  grown: number
}

class StoredRing implements SampleRing {
  readonly #store: Store
  readonly #perSignal: number
  readonly #everyMs: number
  readonly #flushMs: number
  readonly #diskLevel: () => DiskLevel
  readonly #tracks = new Map<string, Track>()
  #dirty = new Set<Track>()
  #timer: NodeJS.Timeout | undefined
  #flushing: Promise<void> | undefined
  #pausedAt: number | undefined
  #closed = false

  constructor(store: Store, { perSignal = 2000, everyMs = 1000, flushMs = 5000, diskLevel = () => diskLevelOf(store) }: SampleRingOptions) {
    this.#store = store
    this.#perSignal = perSignal
    this.#everyMs = everyMs
    this.#flushMs = flushMs
    this.#diskLevel = diskLevel
  }

  append(sample: Sample): void {
    const { equipment, signal, value, quality, time, unit } = sample
    if (this.#closed || (typeof value === 'string' && value.length > LONGEST_TEXT) || (typeof value === 'number' && !Number.isFinite(value))) return
    const level = this.#diskLevel()
    if (level === 'stop' || level === 'refuse') {
      this.#pausedAt ??= time
      return
    }
    const track = this.#trackOf(equipment, signal)
    if (track === undefined) return
    const kept = { time, value, quality, ...(unit !== undefined && { unit }) }
    if (!isWorth(track.last, kept, level === 'thin' ? this.#everyMs * THIN_FACTOR : this.#everyMs)) return
    track.last = kept
    track.waiting.push(kept)
    if (track.waiting.length > this.#perSignal) track.waiting.shift()
    this.#dirty.add(track)
    this.#timer ??= setInterval(() => void this.flush().catch(() => {}), this.#flushMs).unref()
    if (this.#pausedAt !== undefined) this.#tellGap(this.#pausedAt, time)
  }

  async recent(equipment: string, signal: string, from: number, to: number, limit: number): Promise<readonly RingSample[]> {
    const rows = await this.#store.db
      .selectFrom('sample_ring')
      .select(['time', 'value', 'quality', 'unit'])
      .where('equipment', '=', equipment)
      .where('signal', '=', signal)
      .where('time', '>=', from)
      .where('time', '<=', to)
      .orderBy('time', 'desc')
      .limit(limit)
      .execute()
    const byTime = new Map<number, RingSample>()
    for (const { time, value, quality, unit } of rows) {
      byTime.set(time, { time, value: JSON.parse(value) as Sample['value'], quality: quality as Sample['quality'], ...(unit !== null && { unit }) })
    }
    for (const sample of this.#tracks.get(nameOf(equipment, signal))?.waiting ?? []) {
      if (sample.time >= from && sample.time <= to) byTime.set(sample.time, sample)
    }
    return [...byTime.values()].sort((a, b) => a.time - b.time).slice(-limit)
  }

  /** One at a time; a call during another waits for it. */
  flush(): Promise<void> {
    this.#flushing ??= this.#flush().finally(() => {
      this.#flushing = undefined
    })
    return this.#flushing
  }

  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#timer)
    await this.#flushing?.catch(() => {})
    await this.flush()
  }

  async #flush(): Promise<void> {
    const dirty = this.#dirty
    if (dirty.size === 0) return
    this.#dirty = new Set()
    const batches = [...dirty].map((track) => ({ track, rows: track.waiting.slice() }))
    try {
      await this.#store.transaction((tx) => this.#write(tx, batches))
    } catch (error) {
      for (const { track } of batches) this.#dirty.add(track)
      throw error
    }
    for (const { track, rows } of batches) {
      const written = new Set(rows)
      track.waiting = track.waiting.filter((sample) => !written.has(sample))
      track.grown = this.#isDue(track, rows.length) ? 0 : track.grown + rows.length
    }
  }

  async #write(tx: StoreTransaction, batches: ReadonlyArray<{ readonly track: Track; readonly rows: readonly RingSample[] }>): Promise<void> {
    const rows = batches.flatMap(({ track, rows }) =>
      rows.map((sample): SqlValue[] => [track.equipment, track.signal, sample.time, JSON.stringify(sample.value), sample.quality, sample.unit ?? null]),
    )
    await insertRows(tx.db, 'sample_ring', ['equipment', 'signal', 'time', 'value', 'quality', 'unit'], rows, { keyColumns: 3 })
    await Promise.all(batches.filter(({ track, rows }) => this.#isDue(track, rows.length)).map(({ track }) => this.#cut(tx, track)))
  }

  /** Whether it is cut with the next write. */
  #isDue({ grown }: Track, rows: number): boolean {
    return grown + rows >= this.#perSignal / SLACK
  }

  async #cut(tx: StoreTransaction, { equipment, signal }: Track): Promise<void> {
    const newest = tx.db.selectFrom('sample_ring').select('time').where('equipment', '=', equipment).where('signal', '=', signal).orderBy('time', 'desc')
    await tx.db
      .deleteFrom('sample_ring')
      .where('equipment', '=', equipment)
      .where('signal', '=', signal)
      .where('time', '<=', newest.offset(this.#perSignal).limit(1))
      .execute()
  }

  #trackOf(equipment: string, signal: string): Track | undefined {
    const name = nameOf(equipment, signal)
    let track = this.#tracks.get(name)
    if (track === undefined && this.#tracks.size < SIGNALS_AT_MOST && isStorable(name)) {
      track = { equipment, signal, waiting: [], last: undefined, grown: this.#perSignal }
      this.#tracks.set(name, track)
    }
    return track
  }

  #tellGap(from: number, to: number): void {
    this.#pausedAt = undefined
    const why = 'recent samples were not kept while the disk was nearly full'
    const gap = { kind: 'gap' as const, source: 'sample ring', from: Math.min(from, to), to: Math.max(from, to), code: 'TAKT_STORE_DISK_BUDGET', why }
    void this.#store.transaction((tx) => writeGap(tx, gap, 'store')).catch(() => {})
  }
}

function isWorth(last: RingSample | undefined, { time, value }: RingSample, everyMs: number): boolean {
  if (last === undefined) return true
  if (typeof value !== 'number') return value !== last.value || Math.abs(time - last.time) >= everyMs * 60
  return Math.abs(time - last.time) >= everyMs
}

function nameOf(equipment: string, signal: string): string {
  return `${equipment}/${signal}`
}

function isStorable(name: string): boolean {
  return toStorableText(name) === name
}
