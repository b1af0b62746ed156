import type { Random } from '../../base/random.ts'
import { drawExponential, drawGamma } from './draws.ts'

/** How long a unit worked from one renewal (repair, maintenance) to the next; `failed` false when it was maintained, or looked away from, before it failed. */
export interface Life {
  readonly operatingMs: number
  readonly failed: boolean
}

/**
 * Operating time from one renewal to the next failure: a Weibull distribution. Its shape is one of a few and its rate gamma-distributed given the shape, which makes
 * learning exact: with shape k the k-th powers of lifetimes are exponential, and lifetimes that were cut short count as survived.
 */
export interface LifetimeBelief {
  /** Lifetimes are counted in units of this many ms. */
  readonly unitMs: number
  readonly candidates: readonly {
    readonly shape: number
    /** Probabilities, together 1. */
    readonly weight: number
    /** Of the gamma distribution of the rate. */
    readonly rateShape: number
    readonly rateScale: number
  }[]
}

/** Weibull shapes looked at: early failures, chance, three degrees of wear; with their probability before anything is seen, and Γ(1 + 1/shape). */
const SHAPES = [
  { shape: 0.7, prior: 0.1, gamma: 1.26582 },
  { shape: 1, prior: 0.45, gamma: 1 },
  { shape: 1.5, prior: 0.2, gamma: 0.902745 },
  { shape: 2.5, prior: 0.15, gamma: 0.887264 },
  { shape: 4, prior: 0.1, gamma: 0.906402 },
] as const

/** What is believed of a unit that usually lasts `meanMs`, which is worth `weight` failures, after having seen some lives; `ageMs`: worked since the last renewal, without failure. */
export function learnLifetime(meanMs: number, weight: number, lives: readonly Life[], ageMs = 0): LifetimeBelief {
  const failures = lives.filter(({ failed }) => failed)
  const scaled = (ms: number): number => Math.max(1e-6, ms / meanMs)
  const logs = failures.reduce((sum, life) => sum + Math.log(scaled(life.operatingMs)), 0)
  const rateShape = weight + failures.length
  const seen = SHAPES.map(({ shape, prior, gamma }) => {
    const before = weight / gamma ** shape
    const survived = lives.reduce((sum, life) => sum + scaled(life.operatingMs) ** shape, 0) + (ageMs > 0 ? scaled(ageMs) ** shape : 0)
    const rateScale = before + survived
    // logarithm of prior × marginal likelihood, without what all shapes share
    const log = Math.log(prior) + failures.length * Math.log(shape) + (shape - 1) * logs + weight * Math.log(before) - rateShape * Math.log(rateScale)
    return { shape, log, rateShape, rateScale }
  })
  const best = Math.max(...seen.map(({ log }) => log))
  const all = seen.reduce((sum, { log }) => sum + Math.exp(log - best), 0)
  return { unitMs: meanMs, candidates: seen.map(({ log, ...rest }) => ({ ...rest, weight: Math.exp(log - best) / all })) }
}

/** One possible truth of a unit, drawn from the belief. */
export class LifetimeTruth {
  #unitMs = 1
  #shape = 1
  #rate = 1

  draw(belief: LifetimeBelief, random: Random): void {
    const { candidates, unitMs } = belief
    let left = random()
    let at = 0
    while (at < candidates.length - 1 && left >= (candidates[at]?.weight ?? 1)) left -= candidates[at++]?.weight ?? 1
    const { shape, rateShape, rateScale } = candidates[at] ?? { shape: 1, rateShape: 1, rateScale: 1 }
    this.#unitMs = unitMs
    this.#shape = shape
    this.#rate = Math.max(1e-300, drawGamma(rateShape, random) / rateScale)
  }

  /** Operating ms until the failure of a unit that has worked `ageMs` since its last renewal. `hazard` multiplies its rate: 1 as usual. */
  remaining(ageMs: number, hazard: number, random: Random): number {
    const age = ageMs / this.#unitMs
    const end = (age ** this.#shape + drawExponential(random) / (this.#rate * hazard)) ** (1 / this.#shape)
    return Math.max(0, end - age) * this.#unitMs
  }
}
