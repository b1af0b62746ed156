import { TaktError } from '../../core/base/error.ts'
import { readTime } from '../../core/orders/times.ts'
import { FASTEST, SLOWEST } from '../../core/simulate/controls.ts'

/** The dialog's fields: numbers may be texts, or environment variables that were filled in. */
export interface SimulatorFields {
  /** empty: no OPC UA server */
  opcuaPort: string | number
  seed: string | number
  /** plant seconds per second, 1 to 600 */
  speed: string | number
  /** plant time at the first start, ISO 8601; without an offset local time of the plant; empty: now */
  start: string
  /** id or last part of it; empty: none */
  wornUnit: string
  /** 0 new … 1 failed */
  wornAt: string | number
  /** per plant hour; 0: none */
  orders: string | number
  /** at once at the first start */
  ordersAhead: string | number
}

export interface SimulatorSettings {
  readonly opcuaPort: number | undefined
  readonly seed: number
  readonly speed: number
  readonly start: number | undefined
  readonly wornUnit: string
  readonly wornAt: number
  readonly ordersPerHour: number
  readonly ordersAhead: number
}

/** Checks the fields. Throws TAKT_CONFIG_INVALID. */
export function simulatorSettings(fields: SimulatorFields, timeZone: string, where: string): SimulatorSettings {
  const number = (value: unknown, what: string, fallback: number, low: number, high: number): number => {
    const given = isEmpty(value) ? fallback : Number(value)
    if (!(given >= low && given <= high)) throw new TaktError('TAKT_CONFIG_INVALID', { what: `${what} is '${value}' where ${low} to ${high} is taken`, where })
    return given
  }
  const start = isEmpty(fields.start) ? undefined : readTime(fields.start, timeZone)
  if (start === undefined && !isEmpty(fields.start)) throw new TaktError('TAKT_CONFIG_INVALID', { what: `'${fields.start}' as start is not a time`, where })
  return {
    opcuaPort: isEmpty(fields.opcuaPort) ? undefined : Math.floor(number(fields.opcuaPort, 'OPC UA port', 0, 0, 65_535)),
    seed: Math.floor(number(fields.seed, 'seed', 7, 0, 0xffffffff)),
    speed: number(fields.speed, 'speed', 60, SLOWEST, FASTEST),
    start,
    wornUnit: fields.wornUnit ?? '',
    wornAt: number(fields.wornAt, 'its wear', 0.68, 0, 1),
    ordersPerHour: number(fields.orders, 'orders per hour', 2, 0, 100),
    ordersAhead: Math.floor(number(fields.ordersAhead, 'orders at the start', 6, 0, 1000)),
  }
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === 'string' && value.trim() === '')
}
