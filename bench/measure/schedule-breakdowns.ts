import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../core/base/package-root.ts'
import type { Fjs1Instance } from '../../core/schedule/fjs1.ts'
import { breakdownFiles, type Metrics, scheduleBy, scheduleFolder, validator } from './schedule-gaps.ts'

export interface Repair {
  readonly infeasible: number
  /** Of the planned makespan, per cent; means over all breakdowns. */
  readonly growth: number
  readonly deviation: number
  /** Of the operations that had not begun, per cent. */
  readonly moved: number
  readonly reassigned: number
}

interface Breakdown extends Fjs1Instance {
  readonly scenario: { readonly baselineMakespan: number }
}

/** Machine breakdowns in plans under way: Takt's repair in so many seconds, and the reference's repair of the affected operations alone. */
export async function repairs(seconds: number): Promise<{ readonly takt: Repair; readonly affected: Repair; readonly breakdowns: number }> {
  const files = breakdownFiles()
  return {
    takt: await repair(join(packageRoot, 'bench', 'schedule.ts'), seconds, { SEED: '1' }),
    affected: await repair(join(scheduleFolder, 'repair.mjs'), seconds, { REPAIR: 'aor' }),
    breakdowns: files.length,
  }
}

async function repair(script: string, seconds: number, env: Readonly<Record<string, string>>): Promise<Repair> {
  const validate = await validator()
  const rows: { readonly metrics: Metrics; readonly planned: number }[] = []
  let infeasible = 0
  for (const file of breakdownFiles()) {
    const instance = JSON.parse(readFileSync(file, 'utf8')) as Breakdown
    const { feasible, metrics } = validate(instance, scheduleBy(script, file, seconds, env))
    if (feasible && metrics !== null) rows.push({ metrics, planned: instance.scenario.baselineMakespan })
    else infeasible++
  }
  const mean = (of: (row: (typeof rows)[number]) => number): number => (100 * rows.reduce((sum, row) => sum + of(row), 0)) / rows.length
  return {
    infeasible,
    growth: mean(({ metrics, planned }) => (metrics.makespan - planned) / planned),
    deviation: mean(({ metrics, planned }) => metrics.meanStartDeviation / planned),
    moved: mean(({ metrics }) => metrics.movedShare),
    reassigned: mean(({ metrics }) => (metrics.comparable === 0 ? 0 : metrics.reassigned / metrics.comparable)),
  }
}
