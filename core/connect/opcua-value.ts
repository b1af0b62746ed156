import type { Variant } from 'node-opcua'
import { TaktError } from '../base/error.ts'
import { readPath } from '../base/json.ts'
import type { Opcua } from './load-opcua.ts'

/** A plain value of a Variant: 64-bit integers as numbers where they are exact, texts of localized texts, ISO times. Throws TAKT_SAMPLE_VALUE_TYPE for an array. */
export function scalarOf(variant: Variant | null | undefined, where: string, opcua: Opcua): unknown {
  if (variant === null || variant === undefined) return undefined
  const { value } = variant
  if (typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean' || value === null) return value
  if (variant.arrayType !== opcua.VariantArrayType.Scalar)
    throw new TaktError('TAKT_SAMPLE_VALUE_TYPE', { what: 'value is an array where one value is taken; a path such as [0] takes one of it', where })
  return plainScalar(value, variant.dataType, opcua)
}

/**
 * The part of an array or a structure that a path names: `[3]`, `[1][2]` of a matrix, `.speed`, `[3].speed`. `cut`: the server has cut the array to
 * that element. Throws TAKT_SAMPLE_VALUE_MISSING where the path leads nowhere.
 */
export function partOf(variant: Variant | null | undefined, path: string, cut: boolean, where: string, opcua: Opcua): unknown {
  if (variant === null || variant === undefined || variant.value === null || variant.value === undefined) return undefined
  const whole = plainOf(variant, opcua)
  const part = cut ? innermost(whole) : (readPath(whole, path) ?? readPath(whole, lowerFirst(path)))
  if (part === undefined) throw new TaktError('TAKT_SAMPLE_VALUE_MISSING', { what: `the value has nothing at '${path}'`, where })
  return plainScalar(part, undefined, opcua)
}

/** A Variant as plain JavaScript: lists, lists of lists for a matrix, structures as the library decodes them. */
export function plainOf(variant: Variant, opcua: Opcua): unknown {
  const { value, dataType, arrayType } = variant
  if (arrayType === opcua.VariantArrayType.Scalar) return plainScalar(value, dataType, opcua)
  if (value === null || value === undefined) return value
  const list = Array.from(value as ArrayLike<unknown>, (each) => plainScalar(each, dataType, opcua))
  return arrayType === opcua.VariantArrayType.Matrix ? nested(list, variant.dimensions ?? [list.length]) : list
}

function plainScalar(value: unknown, dataType: number | undefined, { DataType }: Opcua): unknown {
  if (Array.isArray(value) && value.length === 2 && (dataType === DataType.Int64 || dataType === DataType.UInt64))
    return wideInteger(value[0], value[1], dataType === DataType.Int64)
  if (value instanceof Date) return value.toISOString()
  if (typeof value === 'object' && value !== null && 'text' in value && 'locale' in value) return value.text ?? ''
  return value
}

function nested(list: readonly unknown[], dimensions: readonly number[]): unknown {
  const [, ...inner] = dimensions
  if (inner.length === 0) return list
  const size = inner.reduce((product, each) => product * each, 1)
  return Array.from({ length: dimensions[0] ?? 0 }, (_, row) => nested(list.slice(row * size, (row + 1) * size), inner))
}

function innermost(value: unknown): unknown {
  return Array.isArray(value) ? innermost(value[0]) : value
}

/** The library begins the names of members with a small letter, servers mostly with a capital one. */
function lowerFirst(path: string): string {
  return path.replace(/\.([A-Z])/g, (_whole, letter: string) => `.${letter.toLowerCase()}`)
}

/** node-opcua gives 64-bit integers as two words, the high one first. */
function wideInteger(high: number, low: number, signed: boolean): number | bigint {
  const bits = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)
  const exact = signed ? BigInt.asIntN(64, bits) : bits
  const number = Number(exact)
  return Number.isSafeInteger(number) ? number : exact
}
