import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { packageRoot } from '../../core/base/package-root.ts'

export interface DetectCost {
  /** Microseconds a sample, one signal and many. */
  readonly micros: number
  readonly manyMicros: number
  readonly signals: number
  /** Resident megabytes that the many signals add. */
  readonly megabytes: number
  /** Bytes of one signal's state, written as JSON. */
  readonly stateBytes: number
}

export function detectCost(): DetectCost {
  const output = execFileSync(process.execPath, [join(packageRoot, 'bench', 'support', 'detect-load.ts')], { encoding: 'utf8' })
  return JSON.parse(output) as DetectCost
}
