import { TaktError } from '../../base/error.ts'
import { DATA_TYPES, ELEMENT_TYPES } from './datatypes.ts'
import type { DataSet, Metadata, Metric, Parameter, Payload, Property, PropertySet, Scalar, Template, Value, WireForm } from './payload.ts'
import { interpret, Misfit } from './values.ts'
import { WireReader } from './wire.ts'

export interface PayloadLimits {
  readonly maxBytes: number
  /** Metrics in all, those inside templates too. */
  readonly maxMetrics: number
  /** Everything that has a size of its own: properties, rows, elements of arrays and data sets. */
  readonly maxItems: number
  /** Bytes of one text. */
  readonly maxTextBytes: number
  /** Templates and property sets inside one another. */
  readonly maxDepth: number
  /** For errors: the topic. */
  readonly where: string
}

/** Room for the birth of a large edge node; memory stays below some tens of megabytes whatever is sent. */
export const PAYLOAD_LIMITS: PayloadLimits = Object.freeze({
  maxBytes: 4 * 1024 * 1024,
  maxMetrics: 50_000,
  maxItems: 250_000,
  maxTextBytes: 1024 * 1024,
  maxDepth: 32,
  where: 'a Sparkplug B payload',
})

/**
 * Reads a Sparkplug B payload (Protocol Buffers, proto2). Unknown fields and extensions are passed over. Throws TAKT_SPARKPLUG_INVALID for
 * bytes that are no such message and TAKT_SPARKPLUG_TOO_LARGE beyond a limit. A metric whose value is not what its data type says carries a
 * `problem` instead of a value: the other metrics of the message are good.
 */
export function decodePayload(bytes: Uint8Array, limits: Partial<PayloadLimits> = {}): Payload {
  return new PayloadDecoder(bytes, { ...PAYLOAD_LIMITS, ...limits }).payload()
}

/**
 * A plain object that has room for a metric's fields from the beginning: V8 learns it from the first ones that are made,
 * where an empty literal would grow field by field.
 */
const RoomyMetric = function RoomyMetric() {} as unknown as new () => Metric
Object.defineProperty(RoomyMetric, 'prototype', { value: Object.prototype })

class PayloadDecoder {
  readonly #reader: WireReader
  readonly #limits: PayloadLimits
  #metrics = 0
  #items = 0
  /** Of the metric that is being read: why its value is none. */
  #misfit: string | undefined

  constructor(bytes: Uint8Array, limits: PayloadLimits) {
    this.#limits = limits
    if (bytes.length > limits.maxBytes) this.#tooLarge(`${bytes.length} bytes where at most ${limits.maxBytes} are taken`)
    this.#reader = new WireReader(bytes, limits.where)
  }

  payload(): Payload {
    const reader = this.#reader
    const end = reader.buffer.length
    const payload: Payload = { metrics: [] }
    while (reader.position < end) {
      const key = reader.key(end)
      switch (key) {
        case 0x08:
          payload.timestamp = reader.uint64(end)
          break
        case 0x12:
          payload.metrics.push(this.#metric(reader.length(end), 0))
          break
        case 0x18:
          payload.seq = reader.uint64(end)
          break
        case 0x22:
          payload.uuid = this.#text(end)
          break
        case 0x2a:
          payload.body = reader.bytes(end)
          break
        default:
          this.#other(key, 5, end, 'the payload')
      }
    }
    return payload
  }

  #metric(end: number, depth: number): Metric {
    if (++this.#metrics > this.#limits.maxMetrics) this.#tooLarge(`more than ${this.#limits.maxMetrics} metrics`)
    const reader = this.#reader
    const metric = new RoomyMetric()
    let form: WireForm | undefined
    let raw: Value | undefined
    let misfit: string | undefined
    while (reader.position < end) {
      const key = reader.key(end)
      switch (key) {
        case 0x0a:
          metric.name = this.#text(end)
          break
        case 0x10:
          metric.alias = reader.uint64(end)
          break
        case 0x18:
          metric.timestamp = reader.uint64(end)
          break
        case 0x20:
          metric.datatype = reader.uint32(end)
          break
        case 0x28:
          metric.isHistorical = reader.boolean(end)
          break
        case 0x30:
          metric.isTransient = reader.boolean(end)
          break
        case 0x38:
          metric.isNull = reader.boolean(end)
          break
        case 0x42:
          metric.metadata = this.#metadata(reader.length(end))
          break
        case 0x4a:
          metric.properties = this.#propertySet(reader.length(end), depth + 1)
          break
        case 0x50:
          form = 'int'
          raw = reader.uint32(end)
          break
        case 0x58:
          form = 'long'
          raw = reader.uint64(end, metric.datatype === DATA_TYPES.Int64)
          break
        case 0x65:
          form = 'float'
          raw = reader.float(end)
          break
        case 0x69:
          form = 'double'
          raw = reader.double(end)
          break
        case 0x70:
          form = 'boolean'
          raw = reader.boolean(end)
          break
        case 0x7a:
          form = 'string'
          raw = this.#text(end)
          break
        case 0x82:
          form = 'bytes'
          raw = reader.bytes(end)
          // its elements, should it be an array of them; booleans are packed eight to a byte
          this.#count(
            metric.datatype === DATA_TYPES.BooleanArray ? raw.length * 8 : metric.datatype !== undefined && ELEMENT_TYPES.has(metric.datatype) ? raw.length : 0,
          )
          break
        case 0x8a:
          form = 'dataset'
          this.#misfit = undefined
          raw = this.#dataSet(reader.length(end))
          misfit = this.#misfit
          break
        case 0x92:
          form = 'template'
          this.#misfit = undefined
          raw = this.#template(reader.length(end), depth + 1)
          misfit = this.#misfit
          break
        case 0x9a:
          form = 'extension'
          reader.skip(key, end)
          raw = undefined
          break
        default:
          this.#other(key, 19, end, 'a metric')
      }
    }
    if (form !== undefined) metric.wire = form
    if (metric.isNull === true || form === undefined) return metric
    const value = misfit !== undefined ? new Misfit(misfit) : raw === undefined ? new Misfit('an extension as value') : interpret(form, raw, metric.datatype)
    if (value instanceof Misfit) metric.problem = value.why
    else metric.value = value
    return metric
  }

  #metadata(end: number): Metadata {
    const reader = this.#reader
    const metadata: Metadata = {}
    while (reader.position < end) {
      const key = reader.key(end)
      switch (key) {
        case 0x08:
          metadata.isMultiPart = reader.boolean(end)
          break
        case 0x12:
          metadata.contentType = this.#text(end)
          break
        case 0x18:
          metadata.size = reader.uint64(end)
          break
        case 0x20:
          metadata.seq = reader.uint64(end)
          break
        case 0x2a:
          metadata.fileName = this.#text(end)
          break
        case 0x32:
          metadata.fileType = this.#text(end)
          break
        case 0x3a:
          metadata.md5 = this.#text(end)
          break
        case 0x42:
          metadata.description = this.#text(end)
          break
        default:
          this.#other(key, 8, end, 'metadata')
      }
    }
    return metadata
  }

  #propertySet(end: number, depth: number): PropertySet {
    this.#descend(depth)
    const reader = this.#reader
    const keys: string[] = []
    const values: Property[] = []
    while (reader.position < end) {
      const key = reader.key(end)
      if (key === 0x0a) keys.push(this.#text(end))
      else if (key === 0x12) values.push(this.#property(reader.length(end), depth))
      else this.#other(key, 2, end, 'a property set')
    }
    if (keys.length !== values.length) reader.refuse(`a property set has ${keys.length} keys and ${values.length} values`)
    const set = new Map<string, Property>()
    for (let index = 0; index < keys.length; index++) set.set(keys[index] as string, values[index] as Property)
    return set
  }

  #property(end: number, depth: number): Property {
    this.#count(1)
    const reader = this.#reader
    const property: Property = {}
    let form: WireForm | undefined
    let raw: Value | undefined
    while (reader.position < end) {
      const key = reader.key(end)
      if (key === 0x08) property.type = reader.uint32(end)
      else if (key === 0x10) property.isNull = reader.boolean(end)
      else if (key === 0x4a) {
        form = 'propertyset'
        raw = this.#propertySet(reader.length(end), depth + 1)
      } else if (key === 0x52) {
        form = 'propertysets'
        raw = this.#propertySets(reader.length(end), depth + 1)
      } else {
        const found = this.#scalarForm(key, 3)
        if (found === undefined) this.#other(key, 10, end, 'a property')
        else {
          form = found
          raw = this.#scalar(found, end)
        }
      }
    }
    if (property.isNull === true || form === undefined || raw === undefined) return property
    const value = interpret(form, raw, property.type)
    // a property that is not what it says costs itself, not the metric
    if (!(value instanceof Misfit)) property.value = value
    return property
  }

  #propertySets(end: number, depth: number): readonly PropertySet[] {
    this.#descend(depth)
    const reader = this.#reader
    const sets: PropertySet[] = []
    while (reader.position < end) {
      const key = reader.key(end)
      if (key === 0x0a) {
        this.#count(1)
        sets.push(this.#propertySet(reader.length(end), depth))
      } else this.#other(key, 1, end, 'a list of property sets')
    }
    return sets
  }

  /** Rows are read last: their elements mean what the column types say, wherever those stand. */
  #dataSet(end: number): DataSet {
    const reader = this.#reader
    const columns: string[] = []
    const types: number[] = []
    const rows: Array<readonly [start: number, end: number]> = []
    let width: number | bigint = 0
    while (reader.position < end) {
      const key = reader.key(end)
      switch (key) {
        case 0x08:
          width = reader.uint64(end)
          break
        case 0x12:
          this.#count(1)
          columns.push(this.#text(end))
          break
        case 0x18:
          this.#count(1)
          types.push(reader.uint32(end))
          break
        case 0x1a: {
          const stop = reader.length(end)
          while (reader.position < stop) {
            this.#count(1)
            types.push(reader.uint32(stop))
          }
          break
        }
        case 0x22: {
          this.#count(1)
          const stop = reader.length(end)
          rows.push([reader.position, stop])
          reader.position = stop
          break
        }
        default:
          this.#other(key, 4, end, 'a data set')
      }
    }
    if (columns.length !== types.length || Number(width) !== columns.length)
      this.#misfit ??= `a data set of ${width} columns has ${columns.length} names and ${types.length} types`
    const set = { columns, types, rows: rows.map(([start, stop], index) => this.#row(start, stop, index, types)) }
    reader.position = end
    return set
  }

  #row(start: number, end: number, index: number, types: readonly number[]): ReadonlyArray<Scalar | null> {
    const reader = this.#reader
    reader.position = start
    const row: (Scalar | null)[] = []
    while (reader.position < end) {
      const key = reader.key(end)
      if (key === 0x0a) {
        this.#count(1)
        const value = this.#oneOf(reader.length(end), 1, types[row.length], 'an element of a data set')
        if (value instanceof Misfit) this.#misfit ??= `row ${index}, column ${row.length}: ${value.why}`
        row.push(value === undefined || value instanceof Misfit ? null : value)
      } else this.#other(key, 1, end, 'a row of a data set')
    }
    if (row.length !== types.length) this.#misfit ??= `row ${index} of a data set has ${row.length} elements where there are ${types.length} columns`
    return row
  }

  /** A message that holds nothing but one scalar. */
  #oneOf(end: number, firstField: number, type: number | undefined, what: string): Scalar | Misfit | undefined {
    const reader = this.#reader
    let form: WireForm | undefined
    let raw: Scalar | undefined
    while (reader.position < end) {
      const key = reader.key(end)
      const found = this.#scalarForm(key, firstField)
      if (found === undefined) this.#other(key, firstField + 5, end, what)
      else {
        form = found
        raw = this.#scalar(found, end)
      }
    }
    return form === undefined || raw === undefined ? undefined : (interpret(form, raw, type) as Scalar | Misfit)
  }

  #template(end: number, depth: number): Template {
    this.#descend(depth)
    const reader = this.#reader
    const metrics: Metric[] = []
    const parameters: Parameter[] = []
    const template: Template = { metrics, parameters }
    let misfit: string | undefined
    while (reader.position < end) {
      const key = reader.key(end)
      switch (key) {
        case 0x0a:
          template.version = this.#text(end)
          break
        case 0x12:
          metrics.push(this.#metric(reader.length(end), depth))
          break
        case 0x1a:
          this.#misfit = undefined
          parameters.push(this.#parameter(reader.length(end)))
          misfit ??= this.#misfit
          break
        case 0x22:
          template.templateRef = this.#text(end)
          break
        case 0x28:
          template.isDefinition = reader.boolean(end)
          break
        default:
          this.#other(key, 5, end, 'a template')
      }
    }
    this.#misfit = misfit
    return template
  }

  #parameter(end: number): Parameter {
    this.#count(1)
    const reader = this.#reader
    const parameter: Parameter = {}
    let form: WireForm | undefined
    let raw: Scalar | undefined
    while (reader.position < end) {
      const key = reader.key(end)
      if (key === 0x0a) parameter.name = this.#text(end)
      else if (key === 0x10) parameter.type = reader.uint32(end)
      else {
        const found = this.#scalarForm(key, 3)
        if (found === undefined) this.#other(key, 8, end, 'a parameter')
        else {
          form = found
          raw = this.#scalar(found, end)
        }
      }
    }
    if (form === undefined || raw === undefined) return parameter
    const value = interpret(form, raw, parameter.type)
    if (value instanceof Misfit) this.#misfit ??= `parameter '${parameter.name ?? ''}': ${value.why}`
    else parameter.value = value as Scalar
    return parameter
  }

  /** Wherever a scalar stands, its six forms are six fields in this order. */
  #scalarForm(key: number, firstField: number): WireForm | undefined {
    const form = SCALAR_FORMS[(key >>> 3) - firstField]
    return form !== undefined && form.wireType === (key & 7) ? form.name : undefined
  }

  #scalar(form: WireForm, end: number): Scalar {
    const reader = this.#reader
    switch (form) {
      case 'int':
        return reader.uint32(end)
      case 'long':
        return reader.uint64(end)
      case 'float':
        return reader.float(end)
      case 'double':
        return reader.double(end)
      case 'boolean':
        return reader.boolean(end)
      default:
        return this.#text(end)
    }
  }

  #text(end: number): string {
    return this.#reader.string(end, this.#limits.maxTextBytes)
  }

  /** A field that is not known is passed over; a known one in another form than its own makes the payload invalid. */
  #other(key: number, lastKnown: number, end: number, message: string): void {
    if (key >>> 3 <= lastKnown) this.#reader.wrongForm(key, message)
    this.#reader.skip(key, end)
  }

  #descend(depth: number): void {
    if (depth > this.#limits.maxDepth) this.#tooLarge(`nested deeper than ${this.#limits.maxDepth} levels`)
    this.#count(1)
  }

  #count(items: number): void {
    this.#items += items
    if (this.#items > this.#limits.maxItems) this.#tooLarge(`more than ${this.#limits.maxItems} values`)
  }

  #tooLarge(what: string): never {
    throw new TaktError('TAKT_SPARKPLUG_TOO_LARGE', { what, where: this.#limits.where })
  }
}

const SCALAR_FORMS: ReadonlyArray<{ readonly name: WireForm; readonly wireType: number }> = [
  { name: 'int', wireType: 0 },
  { name: 'long', wireType: 0 },
  { name: 'float', wireType: 5 },
  { name: 'double', wireType: 1 },
  { name: 'boolean', wireType: 0 },
  { name: 'string', wireType: 2 },
]
