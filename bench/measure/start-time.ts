import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { closedLoop } from '../support/closed-loop.ts'

const RUNS = 3

/** Seconds from starting the process to running flows, with the reference flow; the best of a few runs, since others may use the machine. */
export async function startSeconds(): Promise<number> {
  const times: number[] = []
  for (let run = 0; run < RUNS; run++) {
    const folder = mkdtempSync(join(tmpdir(), 'takt-bench-'))
    const red = await closedLoop(folder)
    try {
      const start = performance.now()
      await red.start()
      times.push((performance.now() - start) / 1000)
    } finally {
      await red.stop()
      rmSync(folder, { recursive: true, force: true })
    }
  }
  return Math.min(...times)
}
