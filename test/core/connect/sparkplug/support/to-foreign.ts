import type { DataSet, Metric, Payload, PropertySet, Scalar, Template, Value } from '../../../../../core/connect/sparkplug/codec.ts'
import { DATA_TYPES } from '../../../../../core/connect/sparkplug/datatypes.ts'

const T = DATA_TYPES

/**
 * A payload in the field names of the wire, as protobufjs gives and takes it; written from the specification's table and not with our codec's parts.
 * Packed arrays are left as `undefined`: their bytes have tests of their own.
 */
export function toForeign(payload: Payload): Record<string, any> {
  return clean({
    timestamp: text(payload.timestamp),
    metrics: payload.metrics.map(metric),
    seq: text(payload.seq),
    uuid: payload.uuid,
    body: payload.body && Buffer.from(payload.body),
  })
}

function metric(from: Metric): Record<string, unknown> {
  const value = from.isNull === true || from.value === undefined ? {} : metricValue(from.value, from.datatype as number)
  const { metadata } = from
  return clean({
    name: from.name,
    alias: text(from.alias),
    timestamp: text(from.timestamp),
    datatype: from.datatype,
    is_historical: from.isHistorical,
    is_transient: from.isTransient,
    is_null: from.isNull,
    metadata: metadata && {
      is_multi_part: metadata.isMultiPart,
      content_type: metadata.contentType,
      size: text(metadata.size),
      seq: text(metadata.seq),
      file_name: metadata.fileName,
      file_type: metadata.fileType,
      md5: metadata.md5,
      description: metadata.description,
    },
    properties: from.properties && properties(from.properties),
    ...value,
  })
}

function metricValue(value: Value, type: number): Record<string, unknown> {
  if (type === T.Bytes || type === T.File) return { bytes_value: Buffer.from(value as Uint8Array) }
  if (type === T.DataSet) return { dataset_value: dataSet(value as DataSet) }
  if (type === T.Template) return { template_value: template(value as Template) }
  return type >= 22 ? {} : scalar(value as Scalar, type)
}

function scalar(value: Scalar, type: number): Record<string, unknown> {
  switch (type) {
    case T.Int8:
    case T.Int16:
    case T.Int32:
      return { int_value: Number(BigInt.asUintN(32, BigInt(value))) }
    case T.UInt8:
    case T.UInt16:
    case T.UInt32:
      return { int_value: value }
    case T.Int64:
    case T.UInt64:
    case T.DateTime:
      return { long_value: String(BigInt.asUintN(64, BigInt(value))) }
    case T.Float:
      return { float_value: value }
    case T.Double:
      return { double_value: value }
    case T.Boolean:
      return { boolean_value: value }
    default:
      return { string_value: value }
  }
}

function properties(set: PropertySet): Record<string, unknown> {
  const values = [...set.values()].map(({ type, isNull, value }) =>
    clean({
      type,
      is_null: isNull,
      ...(value === undefined
        ? {}
        : type === T.PropertySet
          ? { propertyset_value: properties(value as PropertySet) }
          : type === T.PropertySetList
            ? { propertysets_value: { propertyset: (value as PropertySet[]).map(properties) } }
            : scalar(value as Scalar, type as number)),
    }),
  )
  return { keys: [...set.keys()], values }
}

function dataSet({ columns, types, rows }: DataSet): Record<string, unknown> {
  return {
    num_of_columns: String(columns.length),
    columns,
    types,
    rows: rows.map((row) => ({ elements: row.map((value, index) => (value === null ? {} : scalar(value, types[index] as number))) })),
  }
}

function template(from: Template): Record<string, unknown> {
  return clean({
    version: from.version,
    metrics: from.metrics.map(metric),
    parameters: from.parameters.map(({ name, type, value }) => ({ name, type, ...scalar(value as Scalar, type as number) })),
    template_ref: from.templateRef,
    is_definition: from.isDefinition,
  })
}

function text(value: number | bigint | undefined): string | undefined {
  return value === undefined ? undefined : String(value)
}

function clean(object: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined))
}
