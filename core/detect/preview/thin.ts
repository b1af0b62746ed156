/** One sample as it is drawn. Expected and band are null where the method has none, or could not judge yet. */
export interface PreviewPoint {
  /** source time, epoch ms */
  readonly time: number
  readonly value: number
  readonly expected: number | null
  readonly lower: number | null
  readonly upper: number | null
  /** in [0, 1], 0.5 at the threshold */
  readonly score: number
  /** false: it was passed over, because the unit did not run, its quality was bad, or the detector still learns */
  readonly judged: boolean
}

/** Of each stretch are kept its least, its greatest and its most unusual value. */
const KEPT = 3

/** At most `most` points (3 or more), in their order: stretches of equal time, of each its extremes and the one of the highest score. Fewer stay as they are. */
export function thin(points: readonly PreviewPoint[], most: number): readonly PreviewPoint[] {
  const [first] = points
  const last = points.at(-1)
  if (points.length <= most || first === undefined || last === undefined) return points
  const stretches = Math.max(1, Math.floor(most / KEPT))
  // an integer more, so that the last one falls into the last stretch
  const length = (last.time - first.time + 1) / stretches
  const kept: PreviewPoint[] = []
  let from = 0
  for (let stretch = 1; stretch <= stretches && from < points.length; stretch++) {
    let to = from
    while (to < points.length && (stretch === stretches || (points[to]?.time ?? 0) < first.time + stretch * length)) to++
    keep(points, from, to, kept)
    from = to
  }
  return kept
}

function keep(points: readonly PreviewPoint[], from: number, to: number, kept: PreviewPoint[]): void {
  let least = from
  let greatest = from
  let oddest = from
  for (let at = from; at < to; at++) {
    const point = points[at]
    if (point === undefined) continue
    if (point.value < (points[least]?.value ?? 0)) least = at
    if (point.value > (points[greatest]?.value ?? 0)) greatest = at
    if (point.score > (points[oddest]?.score ?? 0)) oddest = at
  }
  for (let at = from; at < to; at++) {
    const point = points[at]
    if (point !== undefined && (at === least || at === greatest || at === oddest)) kept.push(point)
  }
}
