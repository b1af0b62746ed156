/** An autocorrelation below this is no period. */
const LEAST = 0.3
/** Of the peaks this close to the highest the first is the period, the others are multiples of it. */
const CLOSE = 0.85

/** Values in a period of a series, `shortest` to `longest`, by the first high peak of its autocorrelation after it was negative; undefined where there is none. */
export function periodOf(values: readonly number[], shortest: number, longest: number): number | undefined {
  const rest = withoutTrend(values)
  const energy = rest.reduce((sum, value) => sum + value * value, 0)
  if (!(energy > 0)) return undefined
  const correlations: number[] = []
  for (let lag = 0; lag <= Math.min(longest, Math.floor(rest.length / 2)) + 1; lag++) {
    let sum = 0
    for (let at = lag; at < rest.length; at++) sum += (rest[at] ?? 0) * (rest[at - lag] ?? 0)
    correlations.push((sum / energy) * (rest.length / (rest.length - lag)))
  }
  const negative = correlations.findIndex((correlation) => correlation < 0)
  if (negative < 0) return undefined
  const peaks: number[] = []
  for (let lag = Math.max(negative, shortest); lag < correlations.length - 1; lag++) {
    const here = correlations[lag] ?? 0
    if (here >= LEAST && here >= (correlations[lag - 1] ?? 0) && here >= (correlations[lag + 1] ?? 0)) peaks.push(lag)
  }
  const highest = Math.max(...peaks.map((lag) => correlations[lag] ?? 0))
  return peaks.find((lag) => (correlations[lag] ?? 0) >= CLOSE * highest)
}

function withoutTrend(values: readonly number[]): number[] {
  const middle = (values.length - 1) / 2
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  let slope = 0
  let spread = 0
  values.forEach((value, at) => {
    slope += (at - middle) * (value - mean)
    spread += (at - middle) ** 2
  })
  const rise = spread > 0 ? slope / spread : 0
  return values.map((value, at) => value - mean - rise * (at - middle))
}
