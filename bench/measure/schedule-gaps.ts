import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { packageRoot } from '../../core/base/package-root.ts'
import type { Fjs1Instance, Fjs1Row } from '../../core/schedule/fjs1.ts'

/** The folder with instances, best known values and the independent validator. */
export const scheduleFolder = join(resolve(packageRoot, process.env.TAKT_BENCH_DATA ?? '../shared'), 'bench', 'schedule')

export function hasInstances(): boolean {
  return existsSync(join(scheduleFolder, 'validate.mjs')) && existsSync(join(scheduleFolder, 'sets.json'))
}

export interface Metrics {
  readonly objective: number
  readonly makespan: number
  readonly movedShare: number
  readonly reassigned: number
  readonly comparable: number
  readonly meanStartDeviation: number
}

export interface Checked {
  readonly feasible: boolean
  readonly metrics: Metrics | null
}

type Validate = (instance: Fjs1Instance, schedule: { readonly ops: readonly Fjs1Row[] }) => Checked

export async function validator(): Promise<Validate> {
  const { validate } = (await import(pathToFileURL(join(scheduleFolder, 'validate.mjs')).href)) as { validate: Validate }
  return validate
}

export function instanceFile(name: string): string {
  return join(scheduleFolder, 'instances', `${name}.json`)
}

export function breakdownFiles(): readonly string[] {
  const folder = join(scheduleFolder, 'breakdowns')
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => join(folder, file))
}

/** What a script that follows the benchmark's contract says of an instance. */
export function scheduleBy(script: string, file: string, seconds: number, env: Readonly<Record<string, string>>): { readonly ops: readonly Fjs1Row[] } {
  const output = execFileSync(process.execPath, [script, file, String(seconds)], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  })
  return JSON.parse(output.trim().split('\n').at(-1) ?? '') as { ops: Fjs1Row[] }
}

export interface Gaps {
  readonly runs: number
  readonly infeasible: number
  /** Mean of the relative gaps to the best known values, per cent; of those that are not 0. */
  readonly meanGap: number
  /** Sum of the values over the sum of the best known ones: says more where these are tiny. */
  readonly ratio: number
}

/** A set of public instances, solved by `bench/schedule.ts` and checked by the validator, with seeds 1, 2, …. */
export async function gapsOn(set: string, seconds: number, seeds: number): Promise<Gaps> {
  const validate = await validator()
  const sets = readJson<Record<string, readonly string[]>>('sets.json')
  const best = readJson<Record<string, { readonly ub: number }>>('bks.json')
  const gaps: number[] = []
  const sums = { value: 0, best: 0 }
  let runs = 0
  let infeasible = 0
  for (const name of sets[set] ?? []) {
    const instance = JSON.parse(readFileSync(instanceFile(name), 'utf8')) as Fjs1Instance
    const known = best[name]?.ub ?? Number.NaN
    for (let seed = 1; seed <= seeds; seed++) {
      runs++
      const { feasible, metrics } = validate(
        instance,
        scheduleBy(join(packageRoot, 'bench', 'schedule.ts'), instanceFile(name), seconds, { SEED: String(seed) }),
      )
      if (!feasible || metrics === null) {
        infeasible++
        continue
      }
      sums.value += metrics.objective
      sums.best += known
      if (known > 0) gaps.push((100 * (metrics.objective - known)) / known)
    }
  }
  return { runs, infeasible, meanGap: gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length, ratio: sums.value / sums.best }
}

function readJson<T>(file: string): T {
  return JSON.parse(readFileSync(join(scheduleFolder, file), 'utf8')) as T
}
