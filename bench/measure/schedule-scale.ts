import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { packageRoot } from '../../core/base/package-root.ts'

export interface Scale {
  readonly operations: number
  /** From the problem as plain data to a feasible plan. */
  readonly firstMs: number
  /** Cost of the best dispatch rule; null where trying them takes too long. */
  readonly rule: number | null
  readonly plan: number
  readonly residentMb: number
}

/** A large plan in a process of its own. */
export function scale(units: number, jobs: number, operations: number, seconds: number): Scale {
  const script = join(packageRoot, 'bench', 'support', 'schedule-scale.ts')
  const args = [units, jobs, operations, seconds].map(String)
  return JSON.parse(execFileSync(process.execPath, [script, ...args], { encoding: 'utf8' })) as Scale
}
