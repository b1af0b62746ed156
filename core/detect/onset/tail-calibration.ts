import type { Slab } from './slab.ts'

/** Buckets of the histogram, so many to a doubling of the score, the first one for scores of (next to) nothing. */
const BUCKETS = 128
const TO_A_DOUBLING = 2
/** The bucket of the first score that is not 0. */
const MIDDLE = 64
/** Scores that it judges after, and that it looks back on. */
const JUDGES_AFTER = 100
const MEMORY = 3000
/** Beyond the highest few scores the tail is taken to fall with this power of the score. */
const TAIL_FROM = 10
const TAIL_POWER = 6

const SEEN = 0
const TOTAL = 1
const SHIFT = 2
const HAS_SHIFT = 3

/** How improbable a score of one source is, by what the same source scored on the same signal before: whatever its unit, it becomes a probability. */
export class TailCalibration {
  static readonly singles = BUCKETS
  static readonly doubles = 4
  readonly #buckets: Float32Array
  readonly #numbers: Float64Array

  constructor(slab: Slab) {
    this.#buckets = slab.singles(BUCKETS)
    this.#numbers = slab.doubles(TailCalibration.doubles)
  }

  /** Probability of a score at least as high; then it is learned, unless it is not to be. 1 while too little was seen, and for a score of 0. */
  tail(score: number, learns: boolean): number {
    const numbers = this.#numbers
    const place = this.#placeOf(score)
    const p = !(score > 0) || (numbers[SEEN] as number) < JUDGES_AFTER ? 1 : this.#tailFrom(place)
    if (!learns) return p
    const bucket = Math.floor(place)
    const share = place - bucket
    this.#buckets[bucket] = (this.#buckets[bucket] as number) + 1 - share
    if (share > 0) this.#buckets[bucket + 1] = (this.#buckets[bucket + 1] as number) + share
    numbers[SEEN] = (numbers[SEEN] as number) + 1
    numbers[TOTAL] = (numbers[TOTAL] as number) + 1
    if ((numbers[TOTAL] as number) > MEMORY) this.#halve()
    return p
  }

  /** Where it falls among the buckets: between two of them it counts for both in part, so that what is counted does not jump. */
  #placeOf(score: number): number {
    if (!(score > 0)) return 0
    const numbers = this.#numbers
    const octave = TO_A_DOUBLING * Math.log2(score)
    if (numbers[HAS_SHIFT] === 0) {
      numbers[HAS_SHIFT] = 1
      numbers[SHIFT] = MIDDLE - Math.round(octave)
    }
    return Math.max(0, Math.min(BUCKETS - 1, octave + (numbers[SHIFT] as number)))
  }

  #tailFrom(place: number): number {
    const buckets = this.#buckets
    const total = this.#numbers[TOTAL] as number
    const bucket = Math.floor(place)
    const share = place - bucket
    // half of a bucket lies above its middle
    const here = buckets[bucket] as number
    const next = bucket + 1 < BUCKETS ? (buckets[bucket + 1] as number) : 0
    let above = (1 - share) * (next + here / 2) + (share * next) / 2
    for (let at = bucket + 2; at < BUCKETS; at++) above += buckets[at] as number
    if (above >= 1) return above / total
    let top = BUCKETS - 1
    let counted = buckets[top] as number
    while (counted < TAIL_FROM && top > 0) counted += buckets[--top] as number
    return Math.min(1 / total, (TAIL_FROM / total) * 2 ** ((-TAIL_POWER * (place - top)) / TO_A_DOUBLING))
  }

  #halve(): void {
    const buckets = this.#buckets
    for (let at = 0; at < BUCKETS; at++) buckets[at] = (buckets[at] as number) / 2
    this.#numbers[TOTAL] = (this.#numbers[TOTAL] as number) / 2
  }
}
