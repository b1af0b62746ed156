import { TaktError } from '../../base/error.ts'
import { DATA_TYPES, dataTypeName, ELEMENT_TYPES, INTEGER_RANGES } from './datatypes.ts'
import { PAYLOAD_LIMITS } from './decode.ts'
import type { DataSet, Metadata, Metric, Parameter, Payload, Property, PropertySet, Scalar, Template, Value } from './payload.ts'
import { integerBits, Misfit, packArray } from './values.ts'
import { WireWriter } from './wire.ts'

export interface EncodeOptions {
  /** Metrics are encoded by their data types but do not carry them: data messages and commands, whose types the birth has told. */
  readonly omitDataTypes?: boolean
}

/**
 * The bytes of a payload. Throws TAKT_SPARKPLUG_VALUE, naming the metric, for a value that is not what its data type says: a number that does
 * not fit, an integer that is not exact, a value without a data type.
 */
export function encodePayload(payload: Payload, { omitDataTypes = false }: EncodeOptions = {}): Uint8Array {
  const writer = new WireWriter()
  // back to front: the last field first
  if (payload.body !== undefined) writer.bytes(5, payload.body)
  if (payload.uuid !== undefined) writer.string(4, payload.uuid)
  if (payload.seq !== undefined) writer.varint(3, unsigned64(payload.seq, 'seq'))
  for (let index = payload.metrics.length - 1; index >= 0; index--) writeMetric(writer, 2, payload.metrics[index] as Metric, 0, omitDataTypes)
  if (payload.timestamp !== undefined) writer.varint(1, unsigned64(payload.timestamp, 'timestamp'))
  return writer.finish()
}

function writeMetric(writer: WireWriter, field: number, metric: Metric, depth: number, untyped: boolean): void {
  const mark = writer.length
  const { datatype, value } = metric
  const where = `metric '${metric.name ?? `alias ${metric.alias}`}'`
  if (metric.isNull !== true && value !== undefined) writeMetricValue(writer, value, datatype, depth, where, untyped)
  if (metric.properties !== undefined) writePropertySet(writer, 9, metric.properties, depth + 1, where)
  if (metric.metadata !== undefined) writeMetadata(writer, metric.metadata, where)
  if (metric.isNull !== undefined) writer.boolean(7, metric.isNull)
  if (metric.isTransient !== undefined) writer.boolean(6, metric.isTransient)
  if (metric.isHistorical !== undefined) writer.boolean(5, metric.isHistorical)
  if (datatype !== undefined && !untyped) writer.varint(4, datatype)
  if (metric.timestamp !== undefined) writer.varint(3, unsigned64(metric.timestamp, where))
  if (metric.alias !== undefined) writer.varint(2, unsigned64(metric.alias, where))
  if (metric.name !== undefined) writer.string(1, metric.name)
  writer.message(field, mark)
}

function writeMetricValue(writer: WireWriter, value: Value, type: number | undefined, depth: number, where: string, untyped: boolean): void {
  if (type === DATA_TYPES.Bytes || type === DATA_TYPES.File) {
    if (!(value instanceof Uint8Array)) refuse('the value is no Uint8Array', where)
    writer.bytes(16, value)
  } else if (type === DATA_TYPES.DataSet) writeDataSet(writer, value as DataSet, where)
  else if (type === DATA_TYPES.Template) writeTemplate(writer, value as Template, depth + 1, where, untyped)
  else if (type !== undefined && ELEMENT_TYPES.has(type)) {
    const packed = Array.isArray(value) ? packArray(value as readonly Scalar[], type) : new Misfit('the value is no array')
    if (packed instanceof Misfit) refuse(packed.why, where)
    writer.bytes(16, packed)
  } else writeScalar(writer, 10, value, type, where)
}

/** `field` is that of the integers; the other forms follow it. */
function writeScalar(writer: WireWriter, field: number, value: Value, type: number | undefined, where: string): void {
  switch (type) {
    case DATA_TYPES.Float:
      return typeof value === 'number' ? writer.float(field + 2, value) : wrongValue(value, type, where)
    case DATA_TYPES.Double:
      return typeof value === 'number' ? writer.double(field + 3, value) : wrongValue(value, type, where)
    case DATA_TYPES.Boolean:
      return typeof value === 'boolean' ? writer.boolean(field + 4, value) : wrongValue(value, type, where)
    case DATA_TYPES.String:
    case DATA_TYPES.Text:
    case DATA_TYPES.UUID:
      return typeof value === 'string' ? writer.string(field + 5, value) : wrongValue(value, type, where)
    default: {
      const bits = type === undefined ? undefined : integerBits(value, type)
      if (bits === undefined) return wrongValue(value, type, where)
      writer.varint(INTEGER_RANGES.get(type as number)?.bits === 64 ? field + 1 : field, bits)
    }
  }
}

function writeMetadata(writer: WireWriter, metadata: Metadata, where: string): void {
  const mark = writer.length
  if (metadata.description !== undefined) writer.string(8, metadata.description)
  if (metadata.md5 !== undefined) writer.string(7, metadata.md5)
  if (metadata.fileType !== undefined) writer.string(6, metadata.fileType)
  if (metadata.fileName !== undefined) writer.string(5, metadata.fileName)
  if (metadata.seq !== undefined) writer.varint(4, unsigned64(metadata.seq, where))
  if (metadata.size !== undefined) writer.varint(3, unsigned64(metadata.size, where))
  if (metadata.contentType !== undefined) writer.string(2, metadata.contentType)
  if (metadata.isMultiPart !== undefined) writer.boolean(1, metadata.isMultiPart)
  writer.message(8, mark)
}

function writePropertySet(writer: WireWriter, field: number, set: PropertySet, depth: number, where: string): void {
  assertDepth(depth, where)
  const mark = writer.length
  for (const [key, property] of [...set].reverse()) {
    writeProperty(writer, property, depth, `${where}, property '${key}'`)
    writer.string(1, key)
  }
  writer.message(field, mark)
}

function writeProperty(writer: WireWriter, { type, isNull, value }: Property, depth: number, where: string): void {
  const mark = writer.length
  if (isNull !== true && value !== undefined) {
    if (type === DATA_TYPES.PropertySet) writePropertySet(writer, 9, value as PropertySet, depth + 1, where)
    else if (type === DATA_TYPES.PropertySetList) {
      assertDepth(depth + 1, where)
      const list = writer.length
      for (const set of [...(value as readonly PropertySet[])].reverse()) writePropertySet(writer, 1, set, depth + 1, where)
      writer.message(10, list)
    } else writeScalar(writer, 3, value, type, where)
  }
  if (isNull !== undefined) writer.boolean(2, isNull)
  if (type !== undefined) writer.varint(1, type)
  writer.message(2, mark)
}

function writeDataSet(writer: WireWriter, { columns, types, rows }: DataSet, where: string): void {
  if (columns.length !== types.length) refuse(`${columns.length} columns have ${types.length} types`, where)
  const mark = writer.length
  for (let index = rows.length - 1; index >= 0; index--) {
    const row = rows[index] as ReadonlyArray<Scalar | null>
    if (row.length !== columns.length) refuse(`row ${index} has ${row.length} elements where there are ${columns.length} columns`, where)
    const rowMark = writer.length
    for (let column = row.length - 1; column >= 0; column--) {
      const elementMark = writer.length
      const value = row[column] ?? null
      if (value !== null) writeScalar(writer, 1, value, types[column], `${where}, row ${index}, column '${columns[column]}'`)
      writer.message(1, elementMark)
    }
    writer.message(4, rowMark)
  }
  for (const type of [...types].reverse()) writer.varint(3, type)
  for (const column of [...columns].reverse()) writer.string(2, column)
  writer.varint(1, columns.length)
  writer.message(17, mark)
}

function writeTemplate(writer: WireWriter, template: Template, depth: number, where: string, untyped: boolean): void {
  assertDepth(depth, where)
  const mark = writer.length
  if (template.isDefinition !== undefined) writer.boolean(5, template.isDefinition)
  if (template.templateRef !== undefined) writer.string(4, template.templateRef)
  for (const parameter of [...template.parameters].reverse()) writeParameter(writer, parameter, where)
  for (const metric of [...template.metrics].reverse()) writeMetric(writer, 2, metric, depth, untyped)
  if (template.version !== undefined) writer.string(1, template.version)
  writer.message(18, mark)
}

function writeParameter(writer: WireWriter, { name, type, value }: Parameter, where: string): void {
  const mark = writer.length
  if (value !== undefined) writeScalar(writer, 3, value, type, `${where}, parameter '${name ?? ''}'`)
  if (type !== undefined) writer.varint(2, type)
  if (name !== undefined) writer.string(1, name)
  writer.message(3, mark)
}

function unsigned64(value: number | bigint, where: string): number | bigint {
  return integerBits(value, DATA_TYPES.UInt64) ?? refuse(`${value} is no unsigned 64-bit integer`, where)
}

function assertDepth(depth: number, where: string): void {
  if (depth > PAYLOAD_LIMITS.maxDepth) refuse(`nested deeper than ${PAYLOAD_LIMITS.maxDepth} levels`, where)
}

function wrongValue(value: Value, type: number | undefined, where: string): never {
  const seen = typeof value === 'object' ? 'an object' : `${typeof value} ${String(value).slice(0, 40)}`
  return refuse(type === undefined ? 'a value needs a data type' : `${seen} is no ${dataTypeName(type) ?? `value of data type ${type}`}`, where)
}

function refuse(what: string, where: string): never {
  throw new TaktError('TAKT_SPARKPLUG_VALUE', { what, where })
}
