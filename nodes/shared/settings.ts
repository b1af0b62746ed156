import { DEFAULT_TOLERANCE, type TimeTolerance } from '../../core/signal/sample.ts'
import type { PlantNode } from '../plant/plant.ts'

const DAY_MS = 86_400_000

import { TaktError } from '../../core/base/error.ts'

/** Reads whole numbers from a dialog's fields, which may be empty, texts, or environment variables that were filled in. Throws TAKT_CONFIG_INVALID. */
export function numberSetting(where: string): (value: unknown, what: string, fallback: number, lowest: number, highest: number) => number {
  return (value, what, fallback, lowest, highest) => {
    const number = value === undefined || value === null || value === '' ? fallback : Number(value)
    if (!Number.isInteger(number) || number < lowest || number > highest)
      throw new TaktError('TAKT_CONFIG_INVALID', { what: `${what} is '${value}' where a whole number from ${lowest} to ${highest} is taken`, where })
    return number
  }
}

export interface ToleranceFields {
  readonly maxFutureSeconds?: unknown
  readonly maxAgeDays?: unknown
}

/** The fields of a sensor that say how far a source time may be off. */
export function toleranceSetting(config: ToleranceFields, where: string): TimeTolerance {
  const number = numberSetting(where)
  return {
    futureMs: number(config.maxFutureSeconds, 'ahead at most', DEFAULT_TOLERANCE.futureMs / 1000, 0, 31_622_400) * 1000,
    ageMs: number(config.maxAgeDays, 'behind at most', DEFAULT_TOLERANCE.ageMs / DAY_MS, 1, 36_525) * DAY_MS,
  }
}

const QUIET_MS = 60_000

/** Real ms after which a connection that brings no values is no longer called good: the shortest `staleAfterMs` bound to it, a minute where there is none. */
export function quietAfterMs(plantNode: PlantNode, connection: string): number {
  const stale = plantNode
    .plant()
    .signalsOfConnection(connection)
    .flatMap(({ signal }) => signal.staleAfterMs ?? [])
  return stale.length === 0 ? QUIET_MS : Math.max(5000, Math.min(...stale) / Math.max(plantNode.clock.rate, 1e-9))
}
