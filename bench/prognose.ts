import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { Prognoser } from '../core/detect/prognosis/prognoser.ts'

/**
 * `node bench/prognose.ts --threshold 7.1 < indicator.csv`: a header `timestamp,value` and rows on stdin; for each row, once it was read, one line `median,lower,upper` in rows left until the
 * threshold (nominal 90 % between lower and upper), or `none`. Rows whose value or time cannot be used change nothing: what was said before them is said again.
 */
const { values } = parseArgs({ options: { threshold: { type: 'string' }, direction: { type: 'string' } } })
const threshold = Number(values.threshold ?? Number.NaN)
const direction = values.direction
if (!Number.isFinite(threshold) || (direction !== undefined && direction !== 'rising' && direction !== 'falling')) {
  console.error('usage: node bench/prognose.ts --threshold <number> [--direction rising|falling] < indicator.csv')
  process.exit(2)
}

const prognoser = new Prognoser({ threshold, direction })
const lines = createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })
let isHeader = true
let said: string[] = []
for await (const line of lines) {
  if (isHeader) {
    isHeader = false
    continue
  }
  if (line.trim() === '') continue
  const [timestamp = '', value = ''] = line.split(',')
  prognoser.update(timeOf(timestamp.trim()), value.trim() === '' ? Number.NaN : Number(value))
  const rows = prognoser.estimate()?.rows
  said.push(rows === undefined ? 'none' : `${round(rows.median)},${round(rows.lower)},${round(rows.upper)}`)
  if (said.length >= 1000) tell()
}
tell()

function tell(): void {
  if (said.length > 0) process.stdout.write(`${said.join('\n')}\n`)
  said = []
}

/** Epoch ms, or a date with or without T and zone; without a zone it is UTC. */
function timeOf(text: string): number {
  if (/^[+-]?\d+(\.\d+)?$/.test(text)) return Number(text)
  const hasZone = /(?:z|[+-]\d\d:?\d\d)$/i.test(text)
  return Date.parse(hasZone || /^\d{4}-\d\d-\d\d$/.test(text) ? text : `${text.replace(' ', 'T')}Z`)
}

function round(rows: number): number {
  return Math.round(rows * 100) / 100
}
