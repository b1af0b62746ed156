import { type Random, seededRandom } from '../../core/base/random.ts'
import { detectorOf, type Method } from '../../core/detect/methods.ts'
import type { Row } from '../support/table.ts'

/** A periodic signal in which one stretch is not as the others. */
interface Case {
  readonly values: readonly number[]
  readonly period: number
  readonly from: number
  readonly to: number
}

const KINDS = ['frequency', 'amplitude', 'missing cycle', 'shape'] as const
type Kind = (typeof KINDS)[number]
const SEEDS = 25
const ROWS = 4000
/** Not before this row: every method may learn for as long. */
const LEARNING = 1500

const METHODS: ReadonlyArray<{ readonly what: string; readonly method: Method }> = [
  { what: 'discord', method: { name: 'discord', memory: 1024, caution: 1 } },
  { what: 'auto, for comparison', method: { name: 'auto' } },
]

/**
 * Shape anomalies in seeded periodic signals: for each kind of change, the share of series in which the highest deviation of all rows is at the change, with the
 * settings as shipped. Periods of 16 to 120 rows, three harmonics, noise of 2 to 15 % of the amplitude, a level and a size that wander slowly, changes of one
 * or two cycles at any phase.
 */
export function shapeRows(): Promise<readonly Row[]> {
  const rows: Row[] = []
  for (const { what, method } of METHODS) {
    let found = 0
    let falseAlarms = 0
    let told = 0
    const parts: string[] = []
    for (const kind of KINDS) {
      let foundOfKind = 0
      for (let seed = 1; seed <= SEEDS; seed++) {
        const result = judge(method, makeCase(kind, 1000 * KINDS.indexOf(kind) + seed))
        if (result.isTop) foundOfKind++
        if (result.isTold) told++
        falseAlarms += result.falseAlarms
      }
      found += foundOfKind
      parts.push(`${kind} ${foundOfKind}/${SEEDS}`)
    }
    const total = KINDS.length * SEEDS
    const isDiscord = method.name === 'discord'
    const target = isDiscord ? { target: { atLeast: 0.9 } } : {}
    rows.push({ what: `shape anomalies that are the top alarm, ${what}`, figure: found / total, unit: '', ...target, note: parts.join(', ') })
    if (!isDiscord) continue
    rows.push({ what: '  of them beyond the threshold as shipped', figure: told / total, unit: '', note: `of ${total} series` })
    rows.push({ what: '  alarms elsewhere, per 10,000 rows', figure: (falseAlarms * 10_000) / (total * ROWS), unit: '' })
  }
  rows.push({ what: 'a sample by discord, 1024 values remembered', figure: microsASample(), unit: 'µs' })
  return Promise.resolve(rows)
}

function judge(method: Method, { values, period, from, to }: Case): { readonly isTop: boolean; readonly isTold: boolean; readonly falseAlarms: number } {
  const detector = detectorOf(method, undefined)
  let highest = 0
  let top = -1
  let standing = false
  let isTold = false
  let falseAlarms = 0
  values.forEach((value, row) => {
    const deviation = detector?.update(row * 1000, value, standing).deviation ?? 0
    const isHere = row >= from && row < to + period
    if (deviation > highest) {
      highest = deviation
      top = row
    }
    if (deviation >= 1 && isHere) isTold = true
    if (deviation >= 1 && !standing && !isHere) falseAlarms++
    standing = deviation >= (standing ? 0.7 : 1)
  })
  return { isTop: top >= from && top < to + period, isTold, falseAlarms }
}

function makeCase(kind: Kind, seed: number): Case {
  const random = seededRandom(seed)
  const between = (low: number, high: number): number => low + (high - low) * random()
  const period = Math.round(16 * (120 / 16) ** random())
  const harmonics = [1, between(0, 0.6), between(0, 0.4)].map((size) => ({ size, phase: between(0, 2 * Math.PI) }))
  const wave = (phase: number, of: typeof harmonics): number =>
    of.reduce((sum, { size, phase: shift }, at) => sum + size * Math.sin((at + 1) * phase + shift), 0)
  const noise = between(0.02, 0.15)
  const level = between(-50, 50)
  const cycles = 1 + Math.floor(2 * random())
  const from = Math.round(between(LEARNING, ROWS - 5 * period))
  const to = from + cycles * period
  const faster = random() < 0.5 ? between(1.4, 2) : between(0.5, 0.7)
  const larger = random() < 0.5 ? between(1.4, 2) : between(0.3, 0.6)
  // as large as before, with other harmonics
  const other = [0.4, 0.9, between(0.4, 0.8)].map((size) => ({ size, phase: between(0, 2 * Math.PI) }))
  const scale = Math.hypot(...harmonics.map(({ size }) => size)) / Math.hypot(...other.map(({ size }) => size))
  let phase = between(0, 2 * Math.PI)
  let drift = 0
  const values = Array.from({ length: ROWS }, (_, row) => {
    const isHere = row >= from && row < to
    phase += ((2 * Math.PI) / period) * (isHere && kind === 'frequency' ? faster : 1)
    drift = 0.999 * drift + 0.01 * normal(random)
    const size = 1 + 0.05 * Math.sin(row / 400)
    let value = size * wave(phase, harmonics)
    if (isHere && kind === 'amplitude') value *= larger
    if (isHere && kind === 'missing cycle') value = 0
    if (isHere && kind === 'shape') value = size * scale * wave(phase, other)
    return level + drift + value + noise * normal(random)
  })
  return { values, period, from, to }
}

function microsASample(): number {
  const { values } = makeCase('shape', 1)
  const detector = detectorOf({ name: 'discord', memory: 1024, caution: 1 }, undefined)
  values.forEach((value, row) => void detector?.update(row, value, false))
  const begun = performance.now()
  for (let round = 0; round < 5; round++) values.forEach((value, row) => void detector?.update(row, value, false))
  return ((performance.now() - begun) * 1000) / (5 * values.length)
}

function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}
