import { isUtf8 } from 'node:buffer'
import { DATA_TYPES, dataTypeName, ELEMENT_TYPES, INTEGER_RANGES } from './datatypes.ts'
import type { Integer, Scalar, Value, WireForm } from './payload.ts'
import { shrink } from './wire.ts'

/** A value that is not what its data type says. */
export class Misfit {
  readonly why: string

  constructor(why: string) {
    this.why = why
  }
}

const T = DATA_TYPES

/**
 * What a value on the wire means as a data type. Integers may stand in either integer form, as encoders differ in that, as long as the value fits;
 * anything else must have the form of its type. Without a data type the value stays as it stood.
 */
export function interpret(form: WireForm, raw: Value, type: number | undefined): Value | Misfit {
  if (type === undefined) return raw
  const due = FORMS[type]
  if (due === form) return raw
  if (due !== undefined) return misfit(form, type)
  const range = INTEGER_RANGES.get(type)
  if (range !== undefined) {
    if (type === T.Int64) return form === 'long' ? signed64(raw as Integer) : misfit(form, type)
    if (form !== 'int' && form !== 'long') return misfit(form, type)
    return range.signed ? narrowSigned(raw as Integer, type, range.bits) : unsigned(raw as Integer, type, range.bits)
  }
  if (ELEMENT_TYPES.has(type)) return form === 'bytes' ? arrayOf(raw as Uint8Array, type) : misfit(form, type)
  return new Misfit(`data type ${type} is not known`)
}

/** By data type: the one form that its values have, where there is only one and it needs no conversion. */
const FORMS: ReadonlyArray<WireForm | undefined> = Array.from({ length: 22 }, (_, type): WireForm | undefined => {
  switch (type) {
    case T.Float:
      return 'float'
    case T.Double:
      return 'double'
    case T.Boolean:
      return 'boolean'
    case T.String:
    case T.Text:
    case T.UUID:
      return 'string'
    case T.Bytes:
    case T.File:
      return 'bytes'
    case T.DataSet:
      return 'dataset'
    case T.Template:
      return 'template'
    case T.PropertySet:
      return 'propertyset'
    case T.PropertySetList:
      return 'propertysets'
    default:
      return undefined
  }
})

function misfit(form: WireForm, type: number): Misfit {
  return new Misfit(`${form}_value on the wire where ${dataTypeName(type)} is due`)
}

/** Two's complement in the type's own width or widened to 32 or 64 bits: encoders do all three. */
function narrowSigned(raw: Integer, type: number, bits: number): number | Misfit {
  if (typeof raw === 'number' && raw >= 0) {
    if (raw <= 0xffff_ffff >>> (32 - bits)) return (raw << (32 - bits)) >> (32 - bits)
    if (raw <= 0xffff_ffff && raw >= 2 ** 32 - 2 ** (bits - 1)) return raw | 0
  } else {
    const value = BigInt.asIntN(64, BigInt(raw))
    if (value < 0n && value >= -(1n << BigInt(bits - 1))) return Number(value)
  }
  return new Misfit(`${raw} does not fit ${dataTypeName(type)}`)
}

function signed64(raw: Integer): Integer {
  return typeof raw === 'number' ? raw : shrink(BigInt.asIntN(64, raw))
}

function unsigned(raw: Integer, type: number, bits: number): Integer | Misfit {
  return raw >= 0 && (bits === 64 || raw < 2 ** bits) ? raw : new Misfit(`${raw} does not fit ${dataTypeName(type)}`)
}

/** The packed arrays of 3.0: little endian; booleans as a count and bits from the highest down; texts ended by a NUL each. */
function arrayOf(bytes: Uint8Array, type: number): readonly Scalar[] | Misfit {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (type === T.BooleanArray) return booleans(buffer)
  if (type === T.StringArray) return texts(buffer)
  const read = READERS.get(type)
  if (read === undefined || buffer.length % read.size !== 0)
    return new Misfit(`${buffer.length} bytes are no whole number of elements of ${dataTypeName(type)}`)
  return Array.from({ length: buffer.length / read.size }, (_, index) => read.at(buffer, index * read.size))
}

interface ElementReader {
  readonly size: number
  at(buffer: Buffer, offset: number): Scalar
}

const READERS: ReadonlyMap<number, ElementReader> = new Map<number, ElementReader>([
  [T.Int8Array, { size: 1, at: (buffer, offset) => buffer.readInt8(offset) }],
  [T.Int16Array, { size: 2, at: (buffer, offset) => buffer.readInt16LE(offset) }],
  [T.Int32Array, { size: 4, at: (buffer, offset) => buffer.readInt32LE(offset) }],
  [T.Int64Array, { size: 8, at: (buffer, offset) => shrink(buffer.readBigInt64LE(offset)) }],
  [T.UInt8Array, { size: 1, at: (buffer, offset) => buffer.readUInt8(offset) }],
  [T.UInt16Array, { size: 2, at: (buffer, offset) => buffer.readUInt16LE(offset) }],
  [T.UInt32Array, { size: 4, at: (buffer, offset) => buffer.readUInt32LE(offset) }],
  [T.UInt64Array, { size: 8, at: (buffer, offset) => shrink(buffer.readBigUInt64LE(offset)) }],
  [T.FloatArray, { size: 4, at: (buffer, offset) => buffer.readFloatLE(offset) }],
  [T.DoubleArray, { size: 8, at: (buffer, offset) => buffer.readDoubleLE(offset) }],
  [T.DateTimeArray, { size: 8, at: (buffer, offset) => shrink(buffer.readBigUInt64LE(offset)) }],
])

function booleans(buffer: Buffer): readonly boolean[] | Misfit {
  const count = buffer.length < 4 ? -1 : buffer.readUInt32LE(0)
  if (buffer.length !== 4 + Math.ceil(count / 8)) return new Misfit(`BooleanArray says ${count} elements in ${buffer.length} bytes`)
  return Array.from({ length: count }, (_, index) => ((buffer[4 + (index >> 3)] ?? 0) & (0x80 >> (index & 7))) !== 0)
}

function texts(buffer: Buffer): readonly string[] | Misfit {
  if (buffer.length === 0) return []
  if (buffer.at(-1) !== 0) return new Misfit('the last text of a StringArray has no end')
  if (!isUtf8(buffer)) return new Misfit('a text of a StringArray is not valid UTF-8')
  return buffer.toString('utf8', 0, buffer.length - 1).split('\0')
}

/** The bytes of a packed array, or what is wrong with the values. */
export function packArray(values: readonly Scalar[], type: number): Buffer | Misfit {
  if (type === T.BooleanArray) return packBooleans(values)
  if (type === T.StringArray) return packTexts(values)
  const element = ELEMENT_TYPES.get(type)
  const range = element === undefined ? undefined : INTEGER_RANGES.get(element)
  const size = range === undefined ? (element === T.Float ? 4 : 8) : range.bits / 8
  const buffer = Buffer.alloc(values.length * size)
  for (const [index, value] of values.entries()) {
    const at = index * size
    if (range === undefined) {
      if (typeof value !== 'number') return new Misfit(`element ${index} is no number`)
      if (element === T.Float) buffer.writeFloatLE(value, at)
      else buffer.writeDoubleLE(value, at)
      continue
    }
    const bits = element === undefined ? undefined : integerBits(value, element)
    if (bits === undefined) return new Misfit(`element ${index} (${String(value)}) does not fit ${dataTypeName(element)}`)
    if (size === 8) buffer.writeBigUInt64LE(BigInt.asUintN(64, BigInt(bits)), at)
    else buffer.writeUIntLE(Number(bits) % 2 ** range.bits, at, size)
  }
  return buffer
}

function packBooleans(values: readonly Scalar[]): Buffer | Misfit {
  const buffer = Buffer.alloc(4 + Math.ceil(values.length / 8))
  buffer.writeUInt32LE(values.length)
  for (const [index, value] of values.entries()) {
    if (typeof value !== 'boolean') return new Misfit(`element ${index} is no boolean`)
    const at = 4 + (index >> 3)
    if (value) buffer[at] = (buffer[at] ?? 0) | (0x80 >> (index & 7))
  }
  return buffer
}

function packTexts(values: readonly Scalar[]): Buffer | Misfit {
  for (const [index, value] of values.entries()) {
    if (typeof value !== 'string' || value.includes('\0')) return new Misfit(`element ${index} is no text, or has a NUL in it`)
  }
  return Buffer.from(values.length === 0 ? '' : `${values.join('\0')}\0`)
}

/** An integer as it stands on the wire: negative ones as two's complement of 32 bits (Int64: of 64). `undefined` where it does not fit the type. */
export function integerBits(value: Value | undefined, type: number): Integer | undefined {
  const range = INTEGER_RANGES.get(type)
  if (range === undefined || !(typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value)))) return undefined
  const { bits, signed } = range
  if (bits < 64) {
    const number = Number(value)
    const least = signed ? -(2 ** (bits - 1)) : 0
    return number < least || number >= least + 2 ** bits ? undefined : number >>> 0
  }
  const wide = BigInt(value)
  if (signed ? BigInt.asIntN(64, wide) !== wide : BigInt.asUintN(64, wide) !== wide) return undefined
  return typeof value === 'number' && value >= 0 ? value : BigInt.asUintN(64, wide)
}
