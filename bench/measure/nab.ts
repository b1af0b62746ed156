import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { packageRoot } from '../../core/base/package-root.ts'

interface Profile {
  /** At the threshold that is best over the whole set, as is the custom. */
  readonly score: number
  /** At the threshold 0.5: what people have who change nothing. */
  readonly fixed: number
  readonly found: number
  readonly windows: number
  readonly falsePositives: number
}

export interface NabResult {
  readonly files: number
  readonly rows: number
  /** Start of the processes included. */
  readonly microsARow: number
  readonly profiles: Readonly<Record<'standard' | 'low FP' | 'low FN', Profile>>
}

/** The folder with the benchmark's data, labels and scorer. */
export const nabFolder = join(resolve(packageRoot, process.env.TAKT_BENCH_DATA ?? '../shared'), 'bench', 'nab')

export function hasNab(): boolean {
  return existsSync(join(nabFolder, 'score-nab.mjs')) && existsSync(join(nabFolder, 'labels', 'combined_windows.json'))
}

/** Scores a detector, a script of this package that reads CSV and prints a score a row, by the rule of the Numenta Anomaly Benchmark. */
export function scoreOnNab(script: string, ...args: readonly string[]): NabResult {
  const folder = mkdtempSync(join(tmpdir(), 'takt-nab-'))
  const file = join(folder, 'result.json')
  try {
    const scorer = join(nabFolder, 'score-nab.mjs')
    execFileSync(process.execPath, [scorer, '--json', file, '--', process.execPath, join(packageRoot, script), ...args], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    return JSON.parse(readFileSync(file, 'utf8')) as NabResult
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
