import { crc32 } from 'node:zlib'

const KEPT = 32

interface Recent {
  readonly seq: number
  readonly bytes: number
  readonly print: number
}

/** The last messages of an edge node: a broker may deliver one of them again, which is no gap. */
export class RecentMessages {
  readonly #kept: Recent[] = []
  #next = 0

  add(seq: number, payload: Buffer): void {
    this.#kept[this.#next] = { seq, bytes: payload.length, print: crc32(payload) }
    this.#next = (this.#next + 1) % KEPT
  }

  isRepetition(seq: number, payload: Buffer): boolean {
    const found = this.#kept.find((kept) => kept.seq === seq && kept.bytes === payload.length)
    return found !== undefined && found.print === crc32(payload)
  }

  clear(): void {
    this.#kept.length = 0
    this.#next = 0
  }
}
