import type { Characteristic } from '../plant/model.ts'
import { round } from './conditions.ts'
import type { Dice } from './dice.ts'

/** Wear moves and spreads what a machine makes earlier than it is felt. 0 below 0.55, 1 at failure. */
function spread(wear: number): number {
  return Math.max(0, (wear - 0.55) / 0.45)
}

/**
 * What the gauge reads on one part. A healthy machine holds the limits at about 4.5 standard deviations; wear shifts the mean towards the upper limit
 * and widens the spread (about 2 % out at wear 0.8, a quarter at failure). `spoiled`: a part that is out for certain.
 */
export function measure(characteristic: Characteristic, wear: number, spoiled: boolean, dice: Dice): number {
  const { lower, upper, target } = characteristic
  const noise = dice.normal()
  const worn = spread(wear)
  const draw = spoiled ? 1.15 + 0.1 * Math.abs(noise) : 0.8 * worn + (0.22 + 0.1 * worn) * noise
  if (lower !== undefined && upper !== undefined) {
    const half = (upper - lower) / 2
    return round(lower + half + half * draw, decimalsFor(half))
  }
  if (upper !== undefined) return round(Math.max(0, upper * (spoiled ? draw : 0.4 + 0.1 * noise + 0.5 * worn)), decimalsFor(upper))
  if (lower !== undefined) return round(lower * (spoiled ? 2 - draw : 1.6 - 0.1 * noise - 0.5 * worn), decimalsFor(lower))
  return round((target ?? 0) + noise, 3)
}

export function isOutOfSpec(characteristic: Characteristic, value: number): boolean {
  return (characteristic.lower !== undefined && value < characteristic.lower) || (characteristic.upper !== undefined && value > characteristic.upper)
}

/** A gauge reads about a hundredth of half the tolerance. */
function decimalsFor(half: number): number {
  return Math.min(6, Math.max(0, Math.ceil(-Math.log10(Math.max(half, 1e-6) / 100))))
}
