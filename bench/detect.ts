import { scoreOf } from '../core/detect/detector.ts'
import { detectorOf } from '../core/detect/methods.ts'

/**
 * `node bench/detect.ts < FILE.csv`: the detector `auto` as shipped, row by row. A header, then `timestamp,value` (`2014-04-01 00:00:00` in UTC, ISO 8601 or epoch ms);
 * one score in [0, 1] a row comes out, 0.5 at the threshold. With more than one value column it is the group detector that judges.
 * A row without a number or without a time has the score 0 and is not learned; times that repeat or go back are judged like any other.
 */

type Scorer = (time: number, values: readonly number[]) => number

function oneSignal(): Scorer {
  const detector = detectorOf({ name: 'auto' }, undefined)
  if (detector === undefined) throw new Error('auto judges any signal')
  return (time, [value = Number.NaN]) => {
    if (!Number.isFinite(time) || !Number.isFinite(value)) return 0
    const { onset } = detector.update(time, value, false)
    return onset === null ? 0 : scoreOf(onset)
  }
}

async function scorerOf(columns: number): Promise<Scorer> {
  if (columns <= 1) return oneSignal()
  const { groupScorer } = (await import('./support/group-scores.ts')) as { groupScorer(columns: number): Scorer }
  return groupScorer(columns)
}

function timeOf(text: string): number {
  const trimmed = text.trim()
  if (/^[+-]?\d+(\.\d+)?$/.test(trimmed)) return Number(trimmed)
  const iso = trimmed.replace(' ', 'T')
  return Date.parse(/[zZ]$|[+-]\d\d:?\d\d$/.test(iso.slice(10)) ? iso : /T/.test(iso) ? `${iso}Z` : iso)
}

function numberOf(text: string): number {
  return text.trim() === '' ? Number.NaN : Number(text)
}

let scorer: Scorer | undefined
let columns = 1
let rest = ''

async function take(lines: readonly string[]): Promise<void> {
  let out = ''
  for (const line of lines) {
    const cells = line.split(',')
    if (scorer === undefined) {
      columns = Math.max(1, cells.length - 1)
      scorer = await scorerOf(columns)
      continue
    }
    const values: number[] = []
    for (let at = 1; at <= columns; at++) values.push(numberOf(cells[at] ?? ''))
    out += `${scorer(timeOf(cells[0] ?? ''), values)}\n`
  }
  if (out !== '' && !process.stdout.write(out)) await new Promise((resolve) => process.stdout.once('drain', resolve))
}

process.stdin.setEncoding('utf8')
for await (const chunk of process.stdin) {
  const lines = (rest + String(chunk)).split(/\r?\n/)
  rest = lines.pop() ?? ''
  await take(lines)
}
if (rest !== '') await take([rest])
