/** Probability that a standard normal variable is below `z` (Abramowitz & Stegun 26.2.17, error below 1e-7). */
export function standardNormal(z: number): number {
  if (z < -8) return 0
  if (z > 8) return 1
  const x = Math.abs(z)
  const t = 1 / (1 + 0.2316419 * x)
  const tail = 0.3989422804014327 * Math.exp((-x * x) / 2) * t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
  return z > 0 ? 1 - tail : tail
}
