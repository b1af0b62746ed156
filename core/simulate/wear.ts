import type { Dice } from './dice.ts'

/**
 * How a machine wears: a gamma process (only ever forwards, in small random steps) with rare shocks, 0 new, 1 failed. Worn machines wear faster, so that
 * a healthy one lasts a day or two of cutting and the last third of its wear is gone in two to three hours: long enough to see it coming and to act.
 * Survey of the model: van Noortwijk, "A survey of the application of gamma processes in maintenance", 2009.
 */
const HOUR_MS = 3_600_000
const RATE_PER_HOUR = 0.025
const ONSET = 0.6
const ACCELERATION = 30
/** Variance over mean of an increment: how bumpy the road is. */
const ROUGHNESS = 0.0015
const SHOCKS_PER_HOUR = 1 / 60

/** Wear that `executedMs` of cutting adds to a machine already worn by `wear`. */
export function wearStep(wear: number, executedMs: number, dice: Dice): number {
  const hours = executedMs / HOUR_MS
  if (hours <= 0) return 0
  const mean = RATE_PER_HOUR * (1 + ACCELERATION * Math.max(0, wear - ONSET)) * hours
  const shock = dice.chance(SHOCKS_PER_HOUR * hours) ? dice.between(0.02, 0.1) : 0
  return dice.gamma(mean / ROUGHNESS, ROUGHNESS) + shock
}

/** How much of the wear can be felt, heard and measured: 0 until the onset, 1 at failure. */
export function severity(wear: number): number {
  return Math.min(1.1, (Math.max(0, wear - ONSET) / (1 - ONSET)) ** 1.2)
}

/** Share of its parts that a worn machine finds to be scrap itself. */
export function scrapShare(wear: number): number {
  return 0.006 + 0.06 * severity(wear)
}
