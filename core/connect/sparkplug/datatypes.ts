/** The data types of Sparkplug B 3.0 (section 6.4.16), by name; the numbers are what stands on the wire. */
export const DATA_TYPES = Object.freeze({
  Int8: 1,
  Int16: 2,
  Int32: 3,
  Int64: 4,
  UInt8: 5,
  UInt16: 6,
  UInt32: 7,
  UInt64: 8,
  Float: 9,
  Double: 10,
  Boolean: 11,
  String: 12,
  DateTime: 13,
  Text: 14,
  UUID: 15,
  DataSet: 16,
  Bytes: 17,
  File: 18,
  Template: 19,
  PropertySet: 20,
  PropertySetList: 21,
  Int8Array: 22,
  Int16Array: 23,
  Int32Array: 24,
  Int64Array: 25,
  UInt8Array: 26,
  UInt16Array: 27,
  UInt32Array: 28,
  UInt64Array: 29,
  FloatArray: 30,
  DoubleArray: 31,
  BooleanArray: 32,
  StringArray: 33,
  DateTimeArray: 34,
} as const)

export type DataTypeName = keyof typeof DATA_TYPES
export type DataType = (typeof DATA_TYPES)[DataTypeName]

const NAMES: readonly (DataTypeName | undefined)[] = Object.entries(DATA_TYPES).reduce<(DataTypeName | undefined)[]>((names, [name, type]) => {
  names[type] = name as DataTypeName
  return names
}, [])

/** The name of a type's number; `undefined` for 0 (Unknown) and for numbers that the specification does not have. */
export function dataTypeName(type: number | undefined): DataTypeName | undefined {
  return type === undefined ? undefined : NAMES[type]
}

/** Ranges of the integer types, by number. DateTime is unsigned milliseconds since 1970. */
export const INTEGER_RANGES: ReadonlyMap<number, { readonly bits: number; readonly signed: boolean }> = new Map([
  [DATA_TYPES.Int8, { bits: 8, signed: true }],
  [DATA_TYPES.Int16, { bits: 16, signed: true }],
  [DATA_TYPES.Int32, { bits: 32, signed: true }],
  [DATA_TYPES.Int64, { bits: 64, signed: true }],
  [DATA_TYPES.UInt8, { bits: 8, signed: false }],
  [DATA_TYPES.UInt16, { bits: 16, signed: false }],
  [DATA_TYPES.UInt32, { bits: 32, signed: false }],
  [DATA_TYPES.UInt64, { bits: 64, signed: false }],
  [DATA_TYPES.DateTime, { bits: 64, signed: false }],
])

/** The type of an array's elements, by the array type's number. */
export const ELEMENT_TYPES: ReadonlyMap<number, DataType> = new Map([
  [DATA_TYPES.Int8Array, DATA_TYPES.Int8],
  [DATA_TYPES.Int16Array, DATA_TYPES.Int16],
  [DATA_TYPES.Int32Array, DATA_TYPES.Int32],
  [DATA_TYPES.Int64Array, DATA_TYPES.Int64],
  [DATA_TYPES.UInt8Array, DATA_TYPES.UInt8],
  [DATA_TYPES.UInt16Array, DATA_TYPES.UInt16],
  [DATA_TYPES.UInt32Array, DATA_TYPES.UInt32],
  [DATA_TYPES.UInt64Array, DATA_TYPES.UInt64],
  [DATA_TYPES.FloatArray, DATA_TYPES.Float],
  [DATA_TYPES.DoubleArray, DATA_TYPES.Double],
  [DATA_TYPES.BooleanArray, DATA_TYPES.Boolean],
  [DATA_TYPES.StringArray, DATA_TYPES.String],
  [DATA_TYPES.DateTimeArray, DATA_TYPES.DateTime],
])
