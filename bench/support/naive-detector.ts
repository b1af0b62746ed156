/**
 * What a detector has to beat: `node naive-detector.ts every-600 | gaussian | range`, with the same input and output as bench/detect.ts.
 * every-600: an alarm every 600 rows, whatever the data. gaussian: how improbable a value is by the mean and deviation of the last 6,400 (both grow up to there).
 * range: beyond everything seen before.
 */
import { text } from 'node:stream/consumers'
import { twoSidedTail } from '../../core/detect/detector.ts'

const EVERY = 600
const MEMORY = 6400

function every(): (value: number) => number {
  let row = 0
  return () => (++row % EVERY === 0 ? 1 : 0)
}

function gaussian(): (value: number) => number {
  let seen = 0
  let mean = 0
  let variance = 0
  return (value) => {
    const p = seen < 2 || variance === 0 ? 1 : twoSidedTail((value - mean) / Math.sqrt(variance))
    const weight = 1 / Math.min(++seen, MEMORY)
    const distance = value - mean
    mean += weight * distance
    variance = (1 - weight) * (variance + weight * distance * distance)
    return 1 - p
  }
}

function range(): (value: number) => number {
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  return (value) => {
    const beyond = value < low || value > high
    low = Math.min(low, value)
    high = Math.max(high, value)
    return beyond ? 1 : 0
  }
}

const NAIVE: Readonly<Record<string, () => (value: number) => number>> = { 'every-600': every, gaussian, range }
const make = NAIVE[process.argv[2] ?? '']
if (make === undefined) {
  console.error(`One of ${Object.keys(NAIVE).join(', ')} is needed.`)
  process.exit(2)
}
const judge = make()
const rows = (await text(process.stdin)).trim().split(/\r?\n/).slice(1)
process.stdout.write(`${rows.map((row) => judge(Number(row.slice(row.indexOf(',') + 1)))).join('\n')}\n`)
