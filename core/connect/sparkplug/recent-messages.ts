const KEPT = 32
/** Larger ones are not worth the memory. */
const LARGEST_BYTES = 65_536

/** The last messages of an edge node: a broker may deliver one of them again, which is no gap. */
export class RecentMessages {
  readonly #kept: { readonly seq: number; readonly payload: Buffer }[] = []
  #next = 0

  add(seq: number, payload: Buffer): void {
    if (payload.length > LARGEST_BYTES) return
    this.#kept[this.#next] = { seq, payload }
    this.#next = (this.#next + 1) % KEPT
  }

  isRepetition(seq: number, payload: Buffer): boolean {
    return this.#kept.some((kept) => kept.seq === seq && kept.payload.equals(payload))
  }

  clear(): void {
    this.#kept.length = 0
    this.#next = 0
  }
}
