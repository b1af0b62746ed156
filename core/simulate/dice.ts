/**
 * Seeded random numbers whose whole state is one integer, so that a simulation can be saved at any moment and continued exactly.
 * (mulberry32, as in core/base/random.ts, with its state open.)
 */
export class Dice {
  #state: number

  constructor(state: number) {
    this.#state = state >>> 0
  }

  get state(): number {
    return this.#state
  }

  /** Uniform in [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let t = this.#state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }

  between(low: number, high: number): number {
    return low + this.next() * (high - low)
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  /** Standard normal (Box–Muller; the second value is thrown away so that the state stays one integer). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next())
  }

  /** Gamma with mean `shape · scale`. Marsaglia & Tsang, "A simple method for generating gamma variables", 2000, with their step for shapes below 1. */
  gamma(shape: number, scale: number): number {
    if (shape <= 0) return 0
    if (shape < 1) return this.gamma(shape + 1, scale) * (1 - this.next()) ** (1 / shape)
    const d = shape - 1 / 3
    const c = 1 / Math.sqrt(9 * d)
    for (;;) {
      const x = this.normal()
      const v = (1 + c * x) ** 3
      if (v > 0 && Math.log(1 - this.next()) < 0.5 * x * x + d * (1 - v + Math.log(v))) return d * v * scale
    }
  }
}

/** A seed of its own for each thing with a name (FNV-1a over the name, started from the plant's seed). */
export function seedOf(seed: number, name: string): number {
  let hash = (0x811c9dc5 ^ seed) >>> 0
  for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193) >>> 0
  return Math.imul(hash ^ (hash >>> 16), 0x45d9f3b) >>> 0
}
