import type { Signal } from '../plant/model.ts'
import type { Dice } from './dice.ts'

/** What a machine is doing as far as its sensors can feel: standing, being set up, cutting. */
export type Activity = 'idle' | 'setup' | 'running'

/** The part of a unit's state that its sensors feel, and change. */
export interface Feel {
  readonly activity: Activity
  /** 0 healthy … 1 failing, from wear.ts */
  readonly severity: number
  /** about 1: the product's share in load and vibration */
  readonly productFactor: number
  /** about 1: no two machines are alike */
  readonly unitFactor: number
  /** slow wander of the load, about 0 */
  readonly loadDrift: number
  /** °C, of the spindle */
  readonly temperature: number
}

const AMBIENT = 21
const WARM_UP_MS = 12 * 60_000
const DEFAULT_HIGH = { vibration: 7.1, temperature: 70, load: 95 } as const
type Sort = keyof typeof DEFAULT_HIGH

/** What a condition signal measures, told by its name; anything unknown behaves like vibration. */
function sortOf(signal: Signal): Sort {
  if (/temp/i.test(signal.name)) return 'temperature'
  if (/load|power|current|torque/i.test(signal.name)) return 'load'
  return 'vibration'
}

/** Upper alarm limit: it sets the scale, so that any plant's healthy units run well below their alarms and failing ones beyond. */
function highOf(signal: Signal, sort: Sort): number {
  return signal.alarm?.high ?? DEFAULT_HIGH[sort]
}

/** One reading of a condition signal, with the noise of its sensor. */
export function readCondition(signal: Signal, feel: Feel, dice: Dice): number {
  const sort = sortOf(signal)
  const high = highOf(signal, sort)
  const cut = feel.productFactor * (1 + feel.loadDrift)
  switch (sort) {
    case 'vibration': {
      const level = { idle: 0.04, setup: 0.09, running: 0.3 * feel.unitFactor * cut * (1 + 2.6 * feel.severity) }[feel.activity]
      return round(Math.max(0, high * level * (1 + 0.055 * dice.normal())), 3)
    }
    case 'temperature':
      return round(feel.temperature + 0.3 * dice.normal(), 2)
    case 'load': {
      const level = { idle: 6, setup: 14, running: high * 0.58 * feel.unitFactor * cut * (1 + 0.5 * feel.severity) }[feel.activity]
      return round(Math.max(0, level + (feel.activity === 'running' ? 2.2 : 0.4) * dice.normal()), 2)
    }
  }
}

/** Spindle temperature after `elapsedMs`: it follows the load slowly, and friction of a worn machine comes on top. */
export function warm(feel: Feel, elapsedMs: number, high: number): number {
  const rise = high - AMBIENT
  const target =
    AMBIENT + { idle: 0.02, setup: 0.1, running: 0.46 * feel.productFactor * (1 + 0.5 * feel.loadDrift) * (1 + 1.2 * feel.severity) }[feel.activity] * rise
  return target + (feel.temperature - target) * Math.exp(-elapsedMs / WARM_UP_MS)
}

/** Upper temperature of a unit, from its own signal. */
export function temperatureHigh(signals: readonly Signal[]): number {
  const signal = signals.find((candidate) => candidate.role === 'condition' && sortOf(candidate) === 'temperature')
  return signal === undefined ? DEFAULT_HIGH.temperature : highOf(signal, 'temperature')
}

/** Next value of the load's slow wander: an autoregressive step that stays within about ±6 %. */
export function drift(loadDrift: number, dice: Dice): number {
  return 0.97 * loadDrift + 0.006 * dice.normal()
}

export function round(value: number, decimals: number): number {
  const factor = 10 ** decimals
  return Math.round(value * factor) / factor
}
