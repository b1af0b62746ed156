import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { closedLoop } from '../support/closed-loop.ts'

const MB = 1024 * 1024
const EVERY_MS = 5_000

export interface Memory {
  /** Resident megabytes at the end. */
  readonly rss: number
  /** Megabytes an hour that the resident set grows, by a line through the second half. */
  readonly growth: number
}

function residentMb(pid: number): number {
  const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1])
  return (pages * 4096) / MB
}

/** The slope of a line through points, least squares. */
function slope(points: readonly { readonly x: number; readonly y: number }[]): number {
  const meanX = points.reduce((sum, { x }) => sum + x, 0) / points.length
  const meanY = points.reduce((sum, { y }) => sum + y, 0) / points.length
  const over = points.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0)
  return over / points.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0)
}

/** Runs the reference flow at 60× and watches its resident set (Linux). */
export async function memory(minutes: number): Promise<Memory> {
  const folder = mkdtempSync(join(tmpdir(), 'takt-bench-'))
  const red = await closedLoop(folder)
  const points: { x: number; y: number }[] = []
  try {
    await red.start()
    const start = performance.now()
    while (performance.now() - start < minutes * 60_000) {
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS))
      points.push({ x: (performance.now() - start) / 3_600_000, y: residentMb(red.pid) })
    }
  } finally {
    await red.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  const secondHalf = points.slice(Math.floor(points.length / 2))
  return { rss: points.at(-1)?.y ?? Number.NaN, growth: slope(secondHalf) }
}
