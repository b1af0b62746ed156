import type { Random } from '../../base/random.ts'
import { drawGamma, drawNormal } from './draws.ts'

/**
 * A length of time, or a ratio of two, whose logarithm is normal with a mean and a variance that are known only as well as history tells: both have the
 * normal-inverse-gamma distribution (Murphy, "Conjugate Bayesian analysis of the Gaussian distribution", 2007), so that little history gives wide answers.
 */
export interface LogNormalBelief {
  /** Of the logarithm. */
  readonly mean: number
  /** Of how many observations the mean is worth. */
  readonly meanWeight: number
  /** The variance is inverse-gamma with this shape and scale. */
  readonly shape: number
  readonly scale: number
}

/** A belief from what is typical and how far one is from another (standard deviation of the logarithm), worth so many observations each. */
export function typicalLogNormal(typical: number, deviation: number, meanWeight: number, deviationWeight: number): LogNormalBelief {
  const shape = 1 + deviationWeight / 2
  return { mean: Math.log(typical), meanWeight, shape, scale: (shape - 1) * deviation ** 2 }
}

/** What is believed after having seen the logarithms of some values. */
export function learnLogNormal(prior: LogNormalBelief, logs: readonly number[]): LogNormalBelief {
  const count = logs.length
  if (count === 0) return prior
  const seen = logs.reduce((sum, log) => sum + log, 0) / count
  const squares = logs.reduce((sum, log) => sum + (log - seen) ** 2, 0)
  const meanWeight = prior.meanWeight + count
  return {
    mean: (prior.meanWeight * prior.mean + count * seen) / meanWeight,
    meanWeight,
    shape: prior.shape + count / 2,
    scale: prior.scale + squares / 2 + (prior.meanWeight * count * (seen - prior.mean) ** 2) / (2 * meanWeight),
  }
}

/** One possible truth: mean and standard deviation of the logarithm, drawn from the belief. Filled in, not returned, because every run asks. */
export class LogNormalTruth {
  mean = 0
  deviation = 0

  draw(belief: LogNormalBelief, random: Random): void {
    const variance = belief.scale / Math.max(1e-9, drawGamma(belief.shape, random))
    this.deviation = Math.sqrt(variance)
    this.mean = belief.mean + drawNormal(random) * Math.sqrt(variance / belief.meanWeight)
  }

  /** A value; beyond e^±7 of the typical one nothing is believed. */
  value(random: Random): number {
    const off = this.deviation * drawNormal(random)
    return Math.exp(this.mean + Math.max(-7, Math.min(7, off)))
  }
}
