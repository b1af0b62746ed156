import { gridRows, loopRows } from '../measure/loop-figures.ts'
import type { Row } from '../support/table.ts'

const MOST_SEEDS = 200

/** What the closed loop is worth: the same machines, wear and orders under four ways to maintain and plan. docs/proof-of-loop.md says what is modelled. */
export function run(): Promise<readonly Row[]> {
  if (process.env.BENCH_LOOP_GRID !== undefined) return gridRows()
  const seeds = Number(process.env.BENCH_SEEDS ?? 20)
  if (!Number.isInteger(seeds) || seeds < 2 || seeds > MOST_SEEDS) {
    console.error(`BENCH_SEEDS is '${process.env.BENCH_SEEDS}' where a whole number from 2 to ${MOST_SEEDS} is taken.`)
    process.exit(2)
  }
  return loopRows(seeds)
}
