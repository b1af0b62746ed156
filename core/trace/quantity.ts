import { TaktError } from '../base/error.ts'
import { TOLERANCE } from '../base/quantity.ts'

export { kept, rest, same, suffices, sum, TOLERANCE } from '../base/quantity.ts'

/** More than this is no quantity of a lot. */
const LARGEST = 1e12

/** Throws TAKT_TRACE_QUANTITY for what cannot be booked: not finite, zero, negative, below the tolerance or absurdly large. */
export function assertQuantity(value: number, where: string): void {
  if (Number.isFinite(value) && value >= TOLERANCE && value <= LARGEST) return
  throw new TaktError('TAKT_TRACE_QUANTITY', { what: `the quantity is ${value} where ${TOLERANCE} to ${LARGEST} is taken`, where })
}
