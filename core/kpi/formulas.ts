import type { TimeModel } from './time-model.ts'

/** What was made and inspected in the span. */
export interface Quantities {
  /** Good and scrapped parts of the machines' own counts. */
  readonly GQ: number
  readonly SQ: number
  /** Parts found bad that were set aside to be made good. */
  readonly RQ: number
  /** Inspected parts, and those of them that were good at the first time. */
  readonly IP: number
  readonly GP: number
  /** What the parts made should have taken: sum over the jobs of planned run time per unit × parts, ms (PRU · PQ). */
  readonly plannedRunMs: number
}

/** A ratio whose denominator is zero says nothing: null, never 0 or 1. */
export function ratio(numerator: number, denominator: number): number | null {
  return denominator > 0 ? numerator / denominator : null
}

function product(...factors: readonly (number | null)[]): number | null {
  let result = 1
  for (const factor of factors) {
    if (factor === null) return null
    result *= factor
  }
  return result
}

const MS_PER_HOUR = 3_600_000

/**
 * The KPIs of ISO 22400-2 by name. Ratios are shares (0.61, not 61 %); throughput is parts an hour; MTBF and MTTR are ms.
 * With several products PRU · PQ is the sum over them.
 */
export function kpiValues(time: TimeModel, made: Quantities): Record<string, number | null> {
  const PQ = made.GQ + made.SQ
  const availability = ratio(time.APT, time.PBT)
  const effectiveness = ratio(made.plannedRunMs, time.APT)
  const qualityRatio = ratio(made.GQ, PQ)
  const throughput = ratio(PQ, time.AOET)
  return {
    OEE: product(availability, effectiveness, qualityRatio),
    NEE: product(ratio(time.AUPT, time.PBT), effectiveness, qualityRatio),
    availability,
    effectiveness,
    qualityRatio,
    utilization: ratio(time.APT, time.AUBT),
    allocation: ratio(time.AUBT, time.PBT),
    technical: ratio(time.APT, time.APT + time.ADET),
    setup: ratio(time.AUST, time.AUPT),
    throughput: throughput === null ? null : throughput * MS_PER_HOUR,
    scrap: ratio(made.SQ, PQ),
    rework: ratio(made.RQ, PQ),
    FPY: ratio(made.GP, made.IP),
    correctiveMaintenance: ratio(time.CMT, time.CMT + time.PMT),
    MTBF: ratio(time.AUPT, time.failures),
    MTTR: ratio(time.ADET, time.failures),
  }
}
