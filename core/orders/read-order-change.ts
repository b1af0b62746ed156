import { TaktError } from '../base/error.ts'
import type { Plant } from '../plant/plant.ts'
import type { OrderChange } from './change-work-order.ts'
import { readTime } from './times.ts'

/** What a rush order's priority is when nobody says another; ordinary orders have 5. */
const RUSH_PRIORITY = 10

/** `{ priority?, weight?, due?, quantity? }`; a rush order gets its priority without being asked. Throws TAKT_MESSAGE_INVALID, TAKT_ORDER_TIME. */
export function readOrderChange(payload: unknown, plant: Plant, rush: boolean, where: string): OrderChange {
  const { priority = rush ? RUSH_PRIORITY : undefined, weight, due, quantity } = payload as Readonly<Record<string, unknown>>
  const numbers = Object.entries({ priority, weight, quantity }).flatMap(([name, value]) => {
    if (value === undefined) return []
    if (typeof value !== 'number' || !Number.isFinite(value)) throw new TaktError('TAKT_MESSAGE_INVALID', { what: `'${name}' is no number`, where })
    return [[name, value] as const]
  })
  const time = due === undefined || due === null ? due : readTime(due, plant.timeZone)
  if (due !== undefined && time === undefined) throw new TaktError('TAKT_ORDER_TIME', { what: `'${String(due)}' as due is not a time`, where })
  if (numbers.length === 0 && due === undefined)
    throw new TaktError('TAKT_MESSAGE_INVALID', { what: 'none of priority, weight, due and quantity is given', where })
  return { ...Object.fromEntries(numbers), ...(time === undefined ? {} : { due: time }) }
}
