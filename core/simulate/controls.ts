import { TaktError } from '../base/error.ts'
import { BREAK_WEAR } from './plant-simulation.ts'

/** What a person asks of the simulation itself. */
export type Control =
  | { readonly do: 'break'; readonly unit: string; readonly wear: number }
  | { readonly do: 'spoil'; readonly unit: string; readonly parts: number }
  | { readonly do: 'speed'; readonly speed: number }
  | { readonly do: 'pause' | 'resume' | 'reset' }

export const SLOWEST = 1
export const FASTEST = 600
/** Wear from which a machine fails at once. */
const FAILED = 1

/**
 * Reads a message to the simulator: topic `break` (or `wear`), `fail`, `spoil`, `speed`, `pause`, `resume`, `reset`; the payload names a unit, or holds
 * `{unit, wear}` or `{unit, parts}`, or the speed. Throws TAKT_SIMULATOR_INPUT.
 */
export function readControl(topic: unknown, payload: unknown, where: string): Control {
  const last = typeof topic === 'string' ? topic.slice(topic.lastIndexOf('/') + 1) : ''
  const wrong = (what: string): TaktError => new TaktError('TAKT_SIMULATOR_INPUT', { what, where })
  const field = (name: string): unknown =>
    typeof payload === 'object' && payload !== null && Object.hasOwn(payload, name) ? (payload as Record<string, unknown>)[name] : undefined
  const unit = (): string => {
    const named = typeof payload === 'string' ? payload : field('unit')
    if (typeof named !== 'string' || named === '') throw wrong(`'${last}' needs the name of a unit as payload, or an object with 'unit'`)
    return named
  }
  const number = (value: unknown, fallback: number, low: number, high: number, what: string): number => {
    const given = value === undefined ? fallback : value
    if (typeof given !== 'number' || !(given >= low && given <= high)) throw wrong(`${what} is not a number from ${low} to ${high}`)
    return given
  }
  switch (last) {
    case 'break':
    case 'wear':
      return { do: 'break', unit: unit(), wear: number(field('wear'), BREAK_WEAR, 0, FAILED, 'wear') }
    case 'fail':
      return { do: 'break', unit: unit(), wear: FAILED }
    case 'spoil':
      return { do: 'spoil', unit: unit(), parts: number(field('parts'), 1, 1, 10_000, 'parts') }
    case 'speed':
      return {
        do: 'speed',
        speed: number(typeof payload === 'string' && payload.trim() !== '' ? Number(payload) : payload, Number.NaN, SLOWEST, FASTEST, 'the speed'),
      }
    case 'pause':
    case 'resume':
    case 'reset':
      return { do: last }
    default:
      throw wrong(last === '' ? 'the message has no topic' : `the topic '${last.slice(0, 40)}' is not known`)
  }
}
