import type { DetectorState } from './detector.ts'
import { keyOf } from './watch-records.ts'

interface Parked {
  readonly equipment: string
  readonly signal: string
  readonly context: string
  readonly bytes: number
}

/** Which signals hold what they learned in contexts that they are not in, over all signals: bounded by bytes, those left longest ago go first. */
export class ParkedContexts {
  readonly #most: number
  /** left longest ago first */
  readonly #parked = new Map<string, Parked>()
  #bytes = 0

  /** `most`: bytes. */
  constructor(most: number) {
    this.#most = most
  }

  get bytes(): number {
    return this.#bytes
  }

  /** A signal left a context, with what it had learned; gives those that have to go for it. */
  park(equipment: string, signal: string, context: string, state: DetectorState): readonly Parked[] {
    this.taken(equipment, signal, context)
    const parked = { equipment, signal, context, bytes: bytesOf(state) }
    this.#parked.set(keyOf(equipment, signal, context), parked)
    this.#bytes += parked.bytes
    const gone: Parked[] = []
    for (const oldest of this.#parked.values()) {
      if (this.#bytes <= this.#most || oldest === parked) break
      gone.push(oldest)
      this.taken(oldest.equipment, oldest.signal, oldest.context)
    }
    return gone
  }

  /** A signal is in the context again, or has forgotten it. */
  taken(equipment: string, signal: string, context: string): void {
    const key = keyOf(equipment, signal, context)
    const parked = this.#parked.get(key)
    if (parked === undefined) return
    this.#parked.delete(key)
    this.#bytes -= parked.bytes
  }
}

/** Roughly what a state takes in memory. */
function bytesOf(state: DetectorState): number {
  let bytes = 200
  for (const value of Object.values(state)) bytes += 16 + (typeof value === 'string' ? value.length : Array.isArray(value) ? 8 * value.length : 0)
  return bytes
}
