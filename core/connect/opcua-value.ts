import type { Variant } from 'node-opcua'
import { TaktError } from '../base/error.ts'
import type { Opcua } from './load-opcua.ts'

/** A plain value of a Variant: 64-bit integers as numbers where they are exact, texts of localized texts, ISO times. */
export function scalarOf(variant: Variant | null | undefined, where: string, { DataType, VariantArrayType }: Opcua): unknown {
  if (variant === null || variant === undefined) return undefined
  const { value } = variant
  if (typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean' || value === null) return value
  if (variant.arrayType !== VariantArrayType.Scalar)
    throw new TaktError('TAKT_SAMPLE_VALUE_TYPE', { what: 'value is an array where one value is taken', where })
  if (Array.isArray(value) && value.length === 2) return wideInteger(value[0], value[1], variant.dataType === DataType.Int64)
  if (value instanceof Date) return value.toISOString()
  if (typeof value === 'object' && 'text' in value) return value.text ?? ''
  return value
}

/** node-opcua gives 64-bit integers as two words, the high one first. */
function wideInteger(high: number, low: number, signed: boolean): number | bigint {
  const bits = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)
  const exact = signed ? BigInt.asIntN(64, bits) : bits
  const number = Number(exact)
  return Number.isSafeInteger(number) ? number : exact
}
