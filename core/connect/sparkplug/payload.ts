/**
 * A Sparkplug B payload as plain values. 64-bit integers are numbers where they are exact and BigInt otherwise; DateTime is epoch ms.
 * What a payload does not carry is absent, never `undefined`.
 */
export interface Payload {
  /** Epoch ms at which the message was made. */
  timestamp?: Integer
  metrics: Metric[]
  seq?: Integer
  uuid?: string
  body?: Uint8Array
}

export type Integer = number | bigint

export interface Metric {
  name?: string
  alias?: Integer
  /** Epoch ms at which the value was taken. */
  timestamp?: Integer
  /** A number of `DATA_TYPES`; a data message may leave it out where the birth has it. */
  datatype?: number
  isHistorical?: boolean
  isTransient?: boolean
  isNull?: boolean
  metadata?: Metadata
  properties?: PropertySet
  /** As the data type says; as it stood on the wire (see `wire`) where the metric has none. Absent when null. */
  value?: Value
  /** Only when decoded: the form of the value on the wire, which a birth's data type is compared with. */
  wire?: WireForm
  /** Only when decoded: why the value cannot be what the data type says; there is no `value` then. */
  problem?: string
}

/** The alternatives that a value has on the wire. */
export type WireForm =
  | 'int'
  | 'long'
  | 'float'
  | 'double'
  | 'boolean'
  | 'string'
  | 'bytes'
  | 'dataset'
  | 'template'
  | 'propertyset'
  | 'propertysets'
  | 'extension'

export type Scalar = number | bigint | boolean | string
export type Value = Scalar | Uint8Array | readonly Scalar[] | DataSet | Template | PropertySet | readonly PropertySet[]

export interface Metadata {
  isMultiPart?: boolean
  contentType?: string
  size?: Integer
  seq?: Integer
  fileName?: string
  fileType?: string
  md5?: string
  description?: string
}

/** By key, in the order of the wire. A Map, so that no key can alter an object. */
export type PropertySet = ReadonlyMap<string, Property>

export interface Property {
  type?: number
  isNull?: boolean
  value?: Value
}

export interface DataSet {
  columns: readonly string[]
  /** One data type a column. */
  types: readonly number[]
  /** `null` where a row has no value in a column. */
  rows: ReadonlyArray<ReadonlyArray<Scalar | null>>
}

export interface Template {
  version?: string
  metrics: readonly Metric[]
  parameters: readonly Parameter[]
  templateRef?: string
  isDefinition?: boolean
}

export interface Parameter {
  name?: string
  type?: number
  value?: Scalar
}
