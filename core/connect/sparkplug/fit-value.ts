import { DATA_TYPES, dataTypeName, INTEGER_RANGES } from './datatypes.ts'
import type { Scalar } from './payload.ts'
import { integerBits, Misfit } from './values.ts'

/** Whole numbers as a text, for those that a JavaScript number does not hold exactly. */
const WHOLE = /^[+-]?\d{1,20}$/
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i

/**
 * A plain value as a metric's data type takes it: exact, in range, never rounded to an integer. Texts that spell a number are taken for numbers; a Float takes what
 * single precision makes of it.
 */
export function fitValue(value: string | number | boolean | null, datatype: number): Scalar | Misfit {
  const misfit = (): Misfit =>
    new Misfit(`${typeof value === 'string' ? `'${value.slice(0, 40)}'` : String(value)} does not fit ${dataTypeName(datatype) ?? `type ${datatype}`}`)
  if (value === null) return misfit()
  switch (datatype) {
    case DATA_TYPES.String:
    case DATA_TYPES.Text:
      return String(value)
    case DATA_TYPES.UUID:
      return typeof value === 'string' && /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(value) ? value : misfit()
    case DATA_TYPES.Boolean:
      return typeof value === 'boolean' ? value : value === 'true' ? true : value === 'false' ? false : misfit()
    case DATA_TYPES.Double:
    case DATA_TYPES.Float: {
      const number = typeof value === 'number' ? value : typeof value === 'string' && NUMBER.test(value.trim()) ? Number(value) : Number.NaN
      if (!Number.isFinite(number)) return misfit()
      const single = Math.fround(number)
      if (datatype === DATA_TYPES.Double) return number
      return Number.isFinite(single) ? single : misfit()
    }
    default: {
      if (!INTEGER_RANGES.has(datatype)) return misfit()
      const whole = typeof value === 'number' ? value : typeof value === 'string' && WHOLE.test(value.trim()) ? BigInt(value.trim()) : undefined
      if (whole === undefined || integerBits(whole, datatype) === undefined) return misfit()
      return typeof whole === 'bigint' && Number.isSafeInteger(Number(whole)) ? Number(whole) : whole
    }
  }
}

export { Misfit }
