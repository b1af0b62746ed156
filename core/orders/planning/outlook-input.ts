import type { Plan } from '../../messages/plan.ts'
import type { Plant } from '../../plant/plant.ts'
import { learnLifetime } from '../../schedule/lookahead/lifetime.ts'
import { learnLogNormal, typicalLogNormal } from '../../schedule/lookahead/log-normal.ts'
import type { LookaheadInput, LookaheadUnit } from '../../schedule/lookahead/lookahead-input.ts'
import { type PlannedRow, planRows } from '../../schedule/lookahead/plan-rows.ts'
import type { PlanningProblem } from './build-problem.ts'
import type { OutlookHistory, UnitPast } from './outlook-history.ts'
import { type Standing, threatOf, USUAL_LIFE_MS } from './unit-threat.ts'

export type { Standing } from './unit-threat.ts'

const HOUR_MS = 3_600_000
const LONGEST_HORIZON_MS = 7 * 24 * HOUR_MS

/**
 * What is believed of a machine of which nothing was seen: it works 200 h from failure to failure, is down as long as the plant model says (else 4 h), and takes what was planned, give or take 8 %.
 * History outweighs it soon: a lifetime is worth half a failure for the plant, and the plant's is worth one for a unit.
 */
const PRIOR = {
  life: { meanMs: USUAL_LIFE_MS, plantWeight: 0.5, unitWeight: 1 },
  repair: { typicalMs: 4 * HOUR_MS, deviation: 0.5, weight: 2 },
  ratio: { deviation: 0.08, plantWeight: 4, unitWeight: 4, deviationWeight: 6 },
  maintenance: { deviation: 0.15, weight: 4 },
} as const

/** What an outlook rests on. */
export interface OutlookBasis {
  /** `prior` with fewer than five jobs and no failure: then it says what is usual of machines, not of these. */
  readonly basis: 'history' | 'prior'
  readonly seen: { readonly jobs: number; readonly failures: number; readonly operatingMs: number }
}

/** The plan in force as the twin takes it, with what history and what stands say of each unit. `missing`: orders of which something is not planned. */
export function outlookInput(
  built: PlanningProblem,
  plan: Plan,
  history: OutlookHistory,
  standing: Standing,
  plant: Plant,
  earlyMs: number,
): { readonly input: LookaheadInput; readonly missing: ReadonlySet<number> } & OutlookBasis {
  const { problem, units } = built
  const { now } = problem
  const pasts = units.map((id) => history.past(id, now))
  const plantLives = pasts.flatMap((past) => [
    ...(past?.lives ?? []),
    ...(past !== undefined && past.ageMs > 0 ? [{ operatingMs: past.ageMs, failed: false }] : []),
  ])
  const failures = plantLives.filter(({ failed }) => failed).length
  const lived = plantLives.reduce((sum, life) => sum + life.operatingMs, 0)
  const { life, ratio } = PRIOR
  const meanLifeMs = (life.plantWeight * life.meanMs + lived) / (life.plantWeight + failures)
  const plantRatio = learnLogNormal(
    typicalLogNormal(1, ratio.deviation, ratio.plantWeight, ratio.deviationWeight),
    pasts.flatMap((past) => past?.ratioLogs ?? []),
  )
  const deviation = Math.sqrt(plantRatio.scale / (plantRatio.shape - 1))
  const unitRatio = typicalLogNormal(Math.exp(plantRatio.mean), deviation, ratio.unitWeight, ratio.deviationWeight)

  const unitIndex = new Map(units.map((id, index) => [id, index]))
  const assignments = new Map(plan.assignments.map((assignment) => [assignment.jobOrder, assignment]))
  const rows = built.jobs.map((job): PlannedRow | undefined => {
    const assignment = assignments.get(job.id)
    if (assignment === undefined) return undefined
    return { unit: unitIndex.get(assignment.equipment) ?? -1, start: assignment.start, end: assignment.end, setup: assignment.setupMs }
  })
  const { operations, missing } = planRows(problem, rows)
  const lastEnd = operations.reduce((last, { end }) => Math.max(last, end), now + HOUR_MS)
  const jobs = pasts.reduce((sum, past) => sum + (past?.ratioLogs.length ?? 0), 0)
  return {
    input: {
      now,
      horizon: Math.min(lastEnd, now + LONGEST_HORIZON_MS),
      earlyMs,
      units: units.map((id, index): LookaheadUnit => {
        const past = pasts[index]
        const usual = plant.equipment(id)?.maintenance?.unplanned.durationMs ?? PRIOR.repair.typicalMs
        return {
          id,
          closed: problem.units[index]?.closed ?? [],
          lifetime: learnLifetime(meanLifeMs, life.unitWeight, past?.lives ?? [], past?.ageMs ?? 0),
          ageMs: past?.ageMs ?? 0,
          repair: learnLogNormal(typicalLogNormal(usual, PRIOR.repair.deviation, PRIOR.repair.weight, PRIOR.repair.weight), past?.repairLogs ?? []),
          ratio: learnLogNormal(unitRatio, past?.ratioLogs ?? []),
          ...lookaheadThreat(id, past, standing),
        }
      }),
      orders: problem.orders.map(({ id, due, weight }) => ({ id, due, weight })),
      operations,
      maintenanceRatio: learnLogNormal(
        typicalLogNormal(1, PRIOR.maintenance.deviation, PRIOR.maintenance.weight, PRIOR.maintenance.weight),
        history.maintenanceLogs,
      ),
    },
    missing,
    basis: jobs < 5 && failures === 0 ? 'prior' : 'history',
    seen: { jobs, failures, operatingMs: pasts.reduce((sum, past) => sum + (past?.operatingMs ?? 0), 0) },
  }
}

function lookaheadThreat(unit: string, past: UnitPast | undefined, standing: Standing): Pick<LookaheadUnit, 'hazard' | 'foretold'> {
  const { hazard, foretold } = threatOf(unit, past?.renewedAt ?? Number.NEGATIVE_INFINITY, standing) ?? {}
  if (foretold !== undefined) return { foretold: { by: foretold.by, probability: foretold.probability } }
  return hazard === undefined ? {} : { hazard }
}
