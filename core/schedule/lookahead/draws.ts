import type { Random } from '../../base/random.ts'

/** A standard normal number (Box and Muller). */
export function drawNormal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

/** An exponential number with mean 1. */
export function drawExponential(random: Random): number {
  return -Math.log(1 - random())
}

/** A gamma number with scale 1 (Marsaglia and Tsang, "A simple method for generating gamma variables", 2000). */
export function drawGamma(shape: number, random: Random): number {
  if (shape < 1) return drawGamma(shape + 1, random) * (1 - random()) ** (1 / shape)
  const d = shape - 1 / 3
  const c = 1 / Math.sqrt(9 * d)
  for (;;) {
    const normal = drawNormal(random)
    const v = (1 + c * normal) ** 3
    if (v > 0 && Math.log(1 - random()) < 0.5 * normal * normal + d * (1 - v + Math.log(v))) return d * v
  }
}
