import type { DetectorState } from './detector.ts'
import type { TrackState } from './track.ts'

/** What a watch remembers, in records of their own: what it is about, units, orders, each signal, and each context that a signal is not in. */
export type WatchRecords = ReadonlyMap<string, unknown>

/** What was learned, as records to write and records to remove. */
export interface WatchChanges {
  readonly put: WatchRecords
  readonly drop: readonly string[]
}

export const ABOUT = 'about'
export const UNITS = 'units'
export const ORDERS = 'orders'
export const CYCLES = 'cycles'
/** The one record of all signals, of versions before. */
export const LEGACY = 'watch'

/** Whether a record under a node's id is of its watch: others keep theirs there too. */
export function isOfWatch(key: string): boolean {
  return key === ABOUT || key === UNITS || key === ORDERS || key === LEGACY || key.startsWith('[')
}

/** Baselines of another method or by other contexts are of no use. */
export interface About {
  readonly format: 2
  readonly method: string
  /** absent: none */
  readonly context?: string
}

/** The key of a signal's record, or of what it learned in a context. Names from outside may hold any character. */
export function keyOf(equipment: string, signal: string, context?: string): string {
  return JSON.stringify(context === undefined ? [equipment, signal] : [equipment, signal, context])
}

interface SignalRecord {
  readonly equipment: string
  readonly signal: string
  readonly state: TrackState
}

/** The signals of the records, each with what it learned in other contexts; undefined when they are of no use to this method and these contexts. */
export function signalsOf(records: WatchRecords, method: string, context: string): SignalRecord[] | undefined {
  const about = records.get(ABOUT) as Partial<About> | undefined
  if (about?.format !== 2 || about.method !== method || (about.context ?? 'none') !== context) return undefined
  const others = new Map<string, Array<readonly [string, DetectorState]>>()
  const signals: SignalRecord[] = []
  for (const [key, state] of records) {
    const [equipment, signal, of] = partsOf(key)
    if (equipment === undefined || signal === undefined || typeof state !== 'object' || state === null) continue
    if (of === undefined) signals.push({ equipment, signal, state: state as TrackState })
    else listOf(others, keyOf(equipment, signal)).push([of, state as DetectorState])
  }
  return signals.map(({ equipment, signal, state }) => {
    const parked = inOrder(others.get(keyOf(equipment, signal)), state)
    return { equipment, signal, state: parked.length === 0 ? state : { ...state, others: parked } }
  })
}

/** The one record of versions before, and what `AnomalyWatch.state` gives, as records; undefined when it is neither. */
export function recordsOf(saved: unknown): Map<string, unknown> | undefined {
  if (saved instanceof Map) return saved
  if (typeof saved !== 'object' || saved === null) return undefined
  const { format, method, context, tracks, units, orders, cycles } = saved as Record<string, unknown>
  if (format !== 1 || typeof method !== 'string' || !Array.isArray(tracks)) return undefined
  const records = new Map<string, unknown>()
  const about: About = { format: 2, method, ...(typeof context === 'string' ? { context } : {}) }
  records.set(ABOUT, about)
  if (units !== undefined) records.set(UNITS, units)
  if (orders !== undefined) records.set(ORDERS, orders)
  if (cycles !== undefined) records.set(CYCLES, cycles)
  for (const [equipment, signals] of tracks as ReadonlyArray<readonly [string, ReadonlyArray<readonly [string, TrackState]>]>) {
    for (const [signal, { others, ...state }] of signals) {
      records.set(keyOf(equipment, signal), others === undefined ? state : { ...state, order: others.map(([of]) => of) })
      for (const [of, learned] of others ?? []) records.set(keyOf(equipment, signal, of), learned)
    }
  }
  return records
}

/** Contexts in the order in which they were left; only those that the signal's record names: others were forgotten, or are older than its own. */
function inOrder(parked: ReadonlyArray<readonly [string, DetectorState]> | undefined, { order }: TrackState): ReadonlyArray<readonly [string, DetectorState]> {
  if (parked === undefined || !Array.isArray(order)) return []
  return parked.filter(([of]) => order.includes(of)).toSorted(([a], [b]) => order.indexOf(a) - order.indexOf(b))
}

/** Equipment, signal and context of a key; empty where it is none of a signal. */
export function partsOf(key: string): Array<string | undefined> {
  if (!key.startsWith('[')) return []
  try {
    const parts: unknown = JSON.parse(key)
    return Array.isArray(parts) ? parts.map((part) => (typeof part === 'string' ? part : undefined)) : []
  } catch {
    return []
  }
}

function listOf<T>(lists: Map<string, T[]>, key: string): T[] {
  let list = lists.get(key)
  if (list === undefined) lists.set(key, (list = []))
  return list
}
