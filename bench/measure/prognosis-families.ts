import { drift, readCondition } from '../../core/simulate/conditions.ts'
import { Dice } from '../../core/simulate/dice.ts'
import { severity, wearStep } from '../../core/simulate/wear.ts'

/** One life of a machine as an indicator shows it; `failure` is the row at which the true damage reaches the threshold, Infinity when it never does. */
export interface Life {
  readonly values: readonly number[]
  readonly threshold: number
  readonly failure: number
}

export type Family = (seed: number) => Life

/** Runs until the true level is at the threshold, or `rows` are over. */
function live(rows: number, threshold: number, level: (row: number) => number, show: (level: number, row: number) => number): Life {
  const values: number[] = []
  for (let row = 0; row < rows; row++) {
    const now = level(row)
    if (now >= threshold) return { values, threshold, failure: row }
    values.push(show(now, row))
  }
  return { values, threshold, failure: Number.POSITIVE_INFINITY }
}

/** Wandering load: an autoregressive share about 0. */
function load(dice: Dice, keep: number, step: number): () => number {
  let share = 0
  return () => (share = keep * share + step * dice.normal())
}

function linear(seed: number): Life {
  const dice = new Dice(seed)
  const rows = Math.round(dice.between(200, 3000))
  const onset = dice.between(0, 0.4) * rows
  const noise = dice.between(0.01, 0.06)
  return live(
    2 * rows,
    1,
    (row) => 0.2 + (0.8 * Math.max(0, row - onset)) / (rows - onset),
    (level) => level + noise * dice.normal(),
  )
}

function exponential(seed: number): Life {
  const dice = new Dice(seed)
  const rows = Math.round(dice.between(200, 3000))
  const rate = dice.between(3, 7)
  const noise = dice.between(0.01, 0.04)
  return live(
    2 * rows,
    1,
    (row) => 0.2 + 0.8 * (Math.expm1((rate * row) / rows) / Math.expm1(rate)),
    (level) => level + noise * dice.normal(),
  )
}

function gammaShocks(seed: number): Life {
  const dice = new Dice(seed)
  const rows = Math.round(dice.between(200, 3000))
  const roughness = dice.between(0.002, 0.015)
  const noise = dice.between(0.005, 0.03)
  let damage = 0
  return live(
    5 * rows,
    1,
    () => (damage += dice.gamma(0.85 / rows / roughness, roughness) + (dice.chance(3 / rows) ? dice.between(0.02, 0.08) : 0)),
    (level) => level + noise * dice.normal(),
  )
}

/** Run-in and crack closure: fast at first, then slower and slower. */
function fading(seed: number): Life {
  const dice = new Dice(seed)
  const rows = Math.round(dice.between(200, 3000))
  const power = dice.between(0.45, 0.8)
  const noise = dice.between(0.01, 0.04)
  return live(
    2 * rows,
    1,
    (row) => 0.2 + 0.8 * (row / rows) ** power,
    (level) => level + noise * dice.normal(),
  )
}

function loadModulated(seed: number): Life {
  const dice = new Dice(seed)
  const rows = Math.round(dice.between(400, 3000))
  const power = dice.between(1, 3)
  const share = load(dice, 0.97, 0.006)
  return live(
    2 * rows,
    7,
    (row) => 2 + 5 * (row / rows) ** power,
    (level) => level * (1 + share()) * (1 + 0.05 * dice.normal()),
  )
}

/** Bearings: long healthy, then a fault that grows by itself, with a bump on the way, and outliers. */
function bearing(seed: number): Life {
  const dice = new Dice(seed)
  const rows = Math.round(dice.between(400, 2500))
  const onset = dice.between(0.3, 0.8) * rows
  const rate = dice.between(2, 4.5)
  const bump = dice.between(onset, rows)
  const height = dice.between(0, 0.12)
  const noise = dice.between(0.01, 0.04)
  const level = (row: number): number => 0.15 + (0.85 * Math.max(0, Math.expm1((rate * (row - onset)) / (rows - onset)))) / Math.expm1(rate)
  return live(2 * rows, 1, level, (now, row) => {
    const extra = height * Math.exp(-(((row - bump) / (0.03 * rows)) ** 2))
    return (now + extra) * (1 + noise * 2 * dice.normal()) + (dice.chance(0.005) ? dice.between(-0.3, 0.6) : 0)
  })
}

/** Engines: a health index that falls, slowly and then fast, over a few hundred flights. */
function engine(seed: number): Life {
  const dice = new Dice(seed)
  const rows = Math.round(dice.between(130, 360))
  const power = dice.between(1.8, 4)
  const noise = dice.between(0.02, 0.06)
  return mirrored(
    live(
      2 * rows,
      1,
      (row) => 0.02 + (0.98 * row ** power) / rows ** power,
      (level) => level + noise * dice.normal(),
    ),
  )
}

const VIBRATION = { name: 'vibration', role: 'condition', unit: 'mm/s', alarm: { high: 7.1 } } as const

/** Reads without noise. */
class Still extends Dice {
  override normal(): number {
    return 0
  }
}
const STILL = new Still(0)

/** The simulator's machine while it cuts: a reading each 30 s, from a wear that cannot be felt yet. */
export function simulatedWear(seed: number, wornAt = 0.3): Life {
  const dice = new Dice(seed)
  const unitFactor = dice.between(0.94, 1.06)
  const feel = { activity: 'running', productFactor: 1, unitFactor, temperature: 50 } as const
  let wear = wornAt
  let loadDrift = 0
  return live(
    20_000,
    VIBRATION.alarm.high,
    () => {
      wear += wearStep(wear, 30_000, dice)
      loadDrift = drift(loadDrift, dice)
      return readCondition(VIBRATION, { ...feel, severity: severity(wear), loadDrift: 0 }, STILL)
    },
    () => readCondition(VIBRATION, { ...feel, severity: severity(wear), loadDrift }, dice),
  )
}

function healthy(seed: number): Life {
  const dice = new Dice(seed)
  const share = load(dice, dice.between(0.9, 0.99), 0.006)
  return live(
    3000,
    7,
    () => 3,
    (level) => level * (1 + share()) * (1 + 0.05 * dice.normal()),
  )
}

/** A healthy machine that makes another product every hour or so: each has a level of its own. */
function products(seed: number): Life {
  const dice = new Dice(seed)
  const share = load(dice, 0.97, 0.006)
  let factor = 1
  let left = 0
  return live(
    3000,
    7,
    () => {
      if (left-- <= 0) {
        left = Math.round(dice.between(30, 200))
        factor = dice.between(0.93, 1.07)
      }
      return 2.1 * factor
    },
    (level) => level * (1 + share()) * (1 + 0.055 * dice.normal()),
  )
}

function step(seed: number): Life {
  const dice = new Dice(seed)
  const at = dice.between(500, 2500)
  const height = dice.between(0.3, 2)
  return live(
    3000,
    7,
    (row) => (row < at ? 3 : 3 + height),
    (level) => level * (1 + 0.04 * dice.normal()),
  )
}

function mirrored({ values, threshold, failure }: Life): Life {
  return { values: values.map((value) => 1 - value), threshold: 1 - threshold, failure }
}

/** Those that end at their threshold. */
export const WEARING: Readonly<Record<string, Family>> = {
  linear,
  exponential,
  'gamma process with shocks': gammaShocks,
  fading,
  'load-modulated': loadModulated,
  bearing,
  engine,
  "simulator's wear": (seed) => simulatedWear(seed),
}

/** Those that have no trend. */
export const STEADY: Readonly<Record<string, Family>> = { healthy, 'healthy on many products': products, 'step change': step }
