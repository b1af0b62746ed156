import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { packageRoot } from '../../../core/base/package-root.ts'
import type { Fjs1Instance, Fjs1Row } from '../../../core/schedule/fjs1.ts'

/** Benchmark data that lies beside the repository and is not part of it. */
const folder = join(resolve(packageRoot, process.env.TAKT_BENCH_DATA ?? '../shared'), 'bench', 'schedule')

export type Validate = (instance: Fjs1Instance, rows: readonly Fjs1Row[]) => { feasible: boolean; errors: string[]; metrics: Record<string, number> }

export const hasBenchData = existsSync(join(folder, 'validate.mjs'))

export async function loadValidator(): Promise<Validate> {
  return ((await import(pathToFileURL(join(folder, 'validate.mjs')).href)) as { validate: Validate }).validate
}

export function loadInstance(name: string, kind: 'instances' | 'breakdowns' = 'instances'): Fjs1Instance {
  return JSON.parse(readFileSync(join(folder, kind, `${name}.json`), 'utf8')) as Fjs1Instance
}
