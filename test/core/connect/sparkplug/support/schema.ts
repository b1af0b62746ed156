import protobuf from 'protobufjs'

type Field = readonly [name: string, number: number, type: string, label?: 'repeated']
type Scalars = readonly [int: number, long: number, float: number, double: number, boolean: number, string: number]

const scalars = ([int, long, float, double, boolean, string]: Scalars): Field[] => [
  ['int_value', int, 'uint32'],
  ['long_value', long, 'uint64'],
  ['float_value', float, 'float'],
  ['double_value', double, 'double'],
  ['boolean_value', boolean, 'bool'],
  ['string_value', string, 'string'],
]

/** The messages of a Sparkplug B payload by their field numbers, for a codec that is not ours. */
const MESSAGES: Record<string, readonly Field[]> = {
  Payload: [
    ['timestamp', 1, 'uint64'],
    ['metrics', 2, 'Metric', 'repeated'],
    ['seq', 3, 'uint64'],
    ['uuid', 4, 'string'],
    ['body', 5, 'bytes'],
  ],
  Metric: [
    ['name', 1, 'string'],
    ['alias', 2, 'uint64'],
    ['timestamp', 3, 'uint64'],
    ['datatype', 4, 'uint32'],
    ['is_historical', 5, 'bool'],
    ['is_transient', 6, 'bool'],
    ['is_null', 7, 'bool'],
    ['metadata', 8, 'MetaData'],
    ['properties', 9, 'PropertySet'],
    ...scalars([10, 11, 12, 13, 14, 15]),
    ['bytes_value', 16, 'bytes'],
    ['dataset_value', 17, 'DataSet'],
    ['template_value', 18, 'Template'],
  ],
  MetaData: [
    ['is_multi_part', 1, 'bool'],
    ['content_type', 2, 'string'],
    ['size', 3, 'uint64'],
    ['seq', 4, 'uint64'],
    ['file_name', 5, 'string'],
    ['file_type', 6, 'string'],
    ['md5', 7, 'string'],
    ['description', 8, 'string'],
  ],
  PropertySet: [
    ['keys', 1, 'string', 'repeated'],
    ['values', 2, 'PropertyValue', 'repeated'],
  ],
  PropertyValue: [
    ['type', 1, 'uint32'],
    ['is_null', 2, 'bool'],
    ...scalars([3, 4, 5, 6, 7, 8]),
    ['propertyset_value', 9, 'PropertySet'],
    ['propertysets_value', 10, 'PropertySetList'],
  ],
  PropertySetList: [['propertyset', 1, 'PropertySet', 'repeated']],
  DataSet: [
    ['num_of_columns', 1, 'uint64'],
    ['columns', 2, 'string', 'repeated'],
    ['types', 3, 'uint32', 'repeated'],
    ['rows', 4, 'Row', 'repeated'],
  ],
  Row: [['elements', 1, 'DataSetValue', 'repeated']],
  DataSetValue: scalars([1, 2, 3, 4, 5, 6]),
  Template: [
    ['version', 1, 'string'],
    ['metrics', 2, 'Metric', 'repeated'],
    ['parameters', 3, 'Parameter', 'repeated'],
    ['template_ref', 4, 'string'],
    ['is_definition', 5, 'bool'],
  ],
  Parameter: [['name', 1, 'string'], ['type', 2, 'uint32'], ...scalars([3, 4, 5, 6, 7, 8])],
}

function build(): protobuf.Type {
  const root = new protobuf.Root()
  for (const [name, fields] of Object.entries(MESSAGES)) {
    const type = new protobuf.Type(name)
    for (const [field, number, kind, label] of fields) {
      // proto2 does not pack numbers
      const options = label === 'repeated' && kind === 'uint32' ? { packed: false } : undefined
      type.add(new protobuf.Field(field, number, kind, label, undefined, options))
    }
    root.add(type)
  }
  root.resolveAll()
  return root.lookupType('Payload')
}

/** The Payload message of protobufjs. */
export const FOREIGN_PAYLOAD: protobuf.Type = build()

const PLAIN = { longs: String, bytes: Buffer, arrays: true } as const

/** A payload as protobufjs reads it: field names of the wire, 64-bit integers as decimal text. */
export function foreignDecode(bytes: Uint8Array): Record<string, any> {
  return FOREIGN_PAYLOAD.toObject(FOREIGN_PAYLOAD.decode(bytes), PLAIN)
}

/** The bytes that protobufjs makes of field names of the wire; 64-bit integers as numbers, texts or Longs. */
export function foreignEncode(payload: Record<string, unknown>): Buffer {
  return Buffer.from(FOREIGN_PAYLOAD.encode(FOREIGN_PAYLOAD.fromObject(payload)).finish())
}
