import type { Variant } from 'node-opcua'
import { TaktError } from '../../base/error.ts'
import type {
  JobOrderRecord,
  JobResponseRecord,
  MaterialRecord,
  ParameterRecord,
  PlainValue,
  ResourceRecord,
  ScalarType,
  WorkMasterRecord,
} from './job-record.ts'
import { readState } from './job-states.ts'
import { LONGEST_ID } from './vocabulary.ts'

/** What a job order may hold, so that one message fills neither memory nor store. */
const LONGEST_TEXT = 2000
const MOST_ENTRIES = 500
const DEEPEST = 8
const MOST_BYTES = 64 * 1024

type Fields = Readonly<Record<string, unknown>>

/** A job order from the wire, checked. Throws TAKT_JOB_CONTROL_INVALID with the field that is wrong. */
export function readJobOrder(value: unknown, where: string): JobOrderRecord {
  const reader = new RecordReader(where)
  const fields = reader.fields(value, 'JobOrder')
  const record: JobOrderRecord = compact({
    id: reader.id(fields.jobOrderID, 'JobOrderID'),
    description: reader.text(fields.description, 'Description'),
    workMasters: reader.list(fields.workMasterID, 'WorkMasterID', (entry) => reader.workMaster(entry)),
    start: reader.time(fields.startTime, 'StartTime'),
    end: reader.time(fields.endTime, 'EndTime'),
    priority: reader.number(fields.priority, 'Priority'),
    parameters: reader.parameters(fields.jobOrderParameters, 'JobOrderParameters', 1),
    personnel: reader.resources(fields.personnelRequirements, 'Personnel'),
    equipment: reader.resources(fields.equipmentRequirements, 'Equipment'),
    assets: reader.resources(fields.physicalAssetRequirements, 'PhysicalAsset'),
    materials: reader.list(fields.materialRequirements, 'MaterialRequirements', (entry) => reader.material(entry)),
  })
  reader.measure(record)
  return record
}

/** A job response from the wire, checked; of a response without a state of Job Control too. Throws TAKT_JOB_CONTROL_INVALID. */
export function readJobResponse(value: unknown, where: string): JobResponseRecord {
  const reader = new RecordReader(where)
  const fields = reader.fields(value, 'JobResponse')
  const state = readState(fields.jobState)
  if (state === undefined) throw reader.wrong('JobState', 'has no state of Job Control')
  const record: JobResponseRecord = compact({
    id: reader.text(fields.jobResponseID, 'JobResponseID') ?? '',
    jobOrder: reader.id(fields.jobOrderID, 'JobOrderID'),
    description: reader.text(fields.description, 'Description'),
    start: reader.time(fields.startTime, 'StartTime'),
    end: reader.time(fields.endTime, 'EndTime'),
    ...state,
    data: reader.parameters(fields.jobResponseData, 'JobResponseData', 1),
    personnel: reader.resources(fields.personnelActuals, 'Personnel'),
    equipment: reader.resources(fields.equipmentActuals, 'Equipment'),
    assets: reader.resources(fields.physicalAssetActuals, 'PhysicalAsset'),
    materials: reader.list(fields.materialActuals, 'MaterialActuals', (entry) => reader.material(entry)),
  })
  reader.measure(record)
  return record
}

/** An id of a job order from the wire: short, and of characters that can be shown. Throws TAKT_JOB_CONTROL_INVALID. */
export function readJobOrderId(value: unknown, where: string): string {
  return new RecordReader(where).id(value, 'JobOrderID')
}

/** The comment of a call: the first text that says something. */
export function readComment(value: unknown, where: string): string | undefined {
  return new RecordReader(where).text(value, 'Comment')
}

class RecordReader {
  readonly #where: string

  constructor(where: string) {
    this.#where = where
  }

  wrong(field: string, what: string): TaktError {
    return new TaktError('TAKT_JOB_CONTROL_INVALID', { what: `${field} ${what}`, where: this.#where })
  }

  fields(value: unknown, name: string): Fields {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw this.wrong(name, 'is missing')
    return value as Fields
  }

  id(value: unknown, name: string): string {
    const id = typeof value === 'string' ? value : ''
    if (id === '') throw this.wrong(name, 'is missing')
    if (id.length > LONGEST_ID) throw this.wrong(name, `is longer than ${LONGEST_ID} characters`)
    if (id !== id.trim() || hasControl(id)) throw this.wrong(name, 'has characters that cannot be shown, or spaces around it')
    return id
  }

  /** A text, a LocalizedText, or the first of several that is not empty. */
  text(value: unknown, name: string): string | undefined {
    const entries: readonly unknown[] = Array.isArray(value) ? value.slice(0, MOST_ENTRIES) : [value]
    for (const entry of entries) {
      const text = typeof entry === 'object' && entry !== null ? (entry as { text?: unknown }).text : entry
      if (text === undefined || text === null || text === '') continue
      if (typeof text !== 'string') throw this.wrong(name, 'is no text')
      if (text.length > LONGEST_TEXT) throw this.wrong(name, `is longer than ${LONGEST_TEXT} characters`)
      if (text.includes('\0')) throw this.wrong(name, 'has a NUL')
      return text
    }
    return undefined
  }

  time(value: unknown, name: string): number | undefined {
    if (value === undefined || value === null) return undefined
    const time = value instanceof Date ? value.getTime() : Number.NaN
    if (Number.isNaN(time)) throw this.wrong(name, 'is no time')
    // the wire's zero, 1601-01-01, and everything before the epoch mean none
    return time > 0 ? time : undefined
  }

  number(value: unknown, name: string): number | undefined {
    if (value === undefined || value === null) return undefined
    if (typeof value !== 'number' || !Number.isFinite(value)) throw this.wrong(name, 'is no number')
    return value
  }

  list<T>(value: unknown, name: string, read: (entry: unknown) => T): readonly T[] | undefined {
    if (value === undefined || value === null) return undefined
    if (!Array.isArray(value)) throw this.wrong(name, 'is no list')
    if (value.length > MOST_ENTRIES) throw this.wrong(name, `has more than ${MOST_ENTRIES} entries`)
    return value.length === 0 ? undefined : value.map(read)
  }

  parameters(value: unknown, name: string, depth: number): readonly ParameterRecord[] | undefined {
    if (depth > DEEPEST) throw this.wrong(name, `is nested deeper than ${DEEPEST}`)
    return this.list(value, name, (entry) => {
      const fields = this.fields(entry, name)
      const id = this.text(fields.ID, `${name}.ID`) ?? ''
      return compact({
        id,
        ...this.value(fields.value, `${name} '${id}'`),
        description: this.text(fields.description, `${name}.Description`),
        unit: this.unit(fields.engineeringUnits, name),
        sub: this.parameters(fields.subparameters ?? fields.subproperties, name, depth + 1),
      })
    })
  }

  resources(value: unknown, kind: 'Personnel' | 'Equipment' | 'PhysicalAsset'): readonly ResourceRecord[] | undefined {
    return this.list(value, kind, (entry) => {
      const fields = this.fields(entry, kind)
      return compact({
        id: this.text(fields.ID, `${kind}.ID`) ?? '',
        use: this.text(fields.personnelUse ?? fields.equipmentUse ?? fields.physicalAssetUse, `${kind}Use`),
        quantity: this.decimal(fields.quantity, `${kind}.Quantity`),
        unit: this.unit(fields.engineeringUnits, kind),
        description: this.text(fields.description, `${kind}.Description`),
        properties: this.parameters(fields.properties, `${kind}.Properties`, 1),
      })
    })
  }

  material(entry: unknown): MaterialRecord {
    const fields = this.fields(entry, 'Material')
    return compact({
      materialClass: this.text(fields.materialClassID, 'MaterialClassID'),
      definition: this.text(fields.materialDefinitionID, 'MaterialDefinitionID'),
      lot: this.text(fields.materialLotID, 'MaterialLotID'),
      sublot: this.text(fields.materialSublotID, 'MaterialSublotID'),
      use: this.text(fields.materialUse, 'MaterialUse'),
      quantity: this.decimal(fields.quantity, 'Material.Quantity'),
      unit: this.unit(fields.engineeringUnits, 'Material'),
      description: this.text(fields.description, 'Material.Description'),
      properties: this.parameters(fields.properties, 'Material.Properties', 1),
    })
  }

  workMaster(entry: unknown): WorkMasterRecord {
    const fields = this.fields(entry, 'WorkMasterID')
    return compact({
      id: this.text(fields.ID, 'WorkMasterID.ID') ?? '',
      description: this.text(fields.description, 'WorkMasterID.Description'),
      parameters: this.parameters(fields.parameters, 'WorkMasterID.Parameters', 1),
    })
  }

  measure(record: object): void {
    const bytes = Buffer.byteLength(JSON.stringify(record))
    if (bytes > MOST_BYTES) throw this.wrong('the job order', `has ${bytes} bytes where ${MOST_BYTES} are taken`)
  }

  /** DecimalString is a text; some senders put a number there. */
  decimal(value: unknown, name: string): string | undefined {
    const text = typeof value === 'number' ? String(value) : this.text(value, name)
    if (text !== undefined && !/^[+-]?\d{1,30}(\.\d{1,30})?$/.test(text.trim())) throw this.wrong(name, `is '${text.slice(0, 40)}', which is no decimal number`)
    return text?.trim()
  }

  unit(value: unknown, name: string): string | undefined {
    if (typeof value !== 'object' || value === null) return undefined
    return this.text((value as { displayName?: unknown }).displayName, `${name}.EngineeringUnits`)?.slice(0, 40)
  }

  value(value: unknown, name: string): Pick<ParameterRecord, 'type' | 'value'> {
    const variant = value as Variant | null | undefined
    if (variant === null || variant === undefined || variant.value === null || variant.value === undefined) return { type: 'Null', value: null }
    const type = TYPES[variant.dataType]
    if (type === undefined) throw this.wrong(name, 'has a type that is not carried: a scalar or a list of scalars is taken')
    const { value: raw } = variant
    const wide = type === 'Int64' || type === 'UInt64'
    // one wide integer is an array of two words itself
    const many = wide ? Array.isArray(raw) && Array.isArray(raw[0]) : typeof raw === 'object' && !(raw instanceof Date)
    if (!many) return { type, value: this.plain(raw, type, name) }
    const entries = Array.from(raw as ArrayLike<unknown>)
    if (entries.length > MOST_ENTRIES) throw this.wrong(name, `has more than ${MOST_ENTRIES} entries`)
    return { type, value: entries.map((entry) => this.plain(entry, type, name)) }
  }

  plain(raw: unknown, type: ScalarType, name: string): PlainValue {
    if (raw === null || raw === undefined) return null
    if (type === 'Int64' || type === 'UInt64') return wideText(raw, type === 'Int64')
    if (raw instanceof Date) return raw.toISOString()
    if (typeof raw === 'string') return this.text(raw, name) ?? ''
    if (typeof raw === 'boolean') return raw
    if (typeof raw === 'number' && Number.isFinite(raw)) return raw
    throw this.wrong(name, 'is not a finite number, text, time or truth value')
  }
}

/** By the numbers of the built-in types (OPC 10000-6), so that reading records loads no library. */
const TYPES: Readonly<Record<number, ScalarType>> = {
  1: 'Boolean',
  2: 'SByte',
  3: 'Byte',
  4: 'Int16',
  5: 'UInt16',
  6: 'Int32',
  7: 'UInt32',
  8: 'Int64',
  9: 'UInt64',
  10: 'Float',
  11: 'Double',
  12: 'String',
  13: 'DateTime',
}

function wideText(raw: unknown, signed: boolean): string {
  if (typeof raw === 'number' || typeof raw === 'bigint') return String(raw)
  const [high, low] = Array.isArray(raw) ? (raw as number[]) : [0, 0]
  const bits = (BigInt((high ?? 0) >>> 0) << 32n) | BigInt((low ?? 0) >>> 0)
  return String(signed ? BigInt.asIntN(64, bits) : bits)
}

function hasControl(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code < 32 || code === 127) return true
  }
  return false
}

/** Without what is undefined, so that equal records have equal JSON. */
function compact<T extends object>(fields: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T
}
