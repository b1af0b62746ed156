import type { Count } from '../../messages/count.ts'
import { DOCUMENTS, type Document } from '../../messages/document.ts'
import type { Kpi } from '../../messages/kpi.ts'
import type { Sample } from '../../messages/sample.ts'
import type { Equipment, SignalRole } from '../../plant/model.ts'
import type { Plant } from '../../plant/plant.ts'
import { DATA_TYPES, type DataType } from './datatypes.ts'
import type { EdgeValue } from './edge-unit.ts'
import type { Scalar, Value } from './payload.ts'

/** What a document says to the hosts of an edge node. */
export interface Publication {
  /** Undefined: of the edge node itself. */
  readonly equipment: string | undefined
  readonly values: readonly EdgeValue[]
  /** Nobody can see the equipment any more. */
  readonly dead: boolean
}

/** The parts of a JSON schema that decide a metric's type. */
interface Shape {
  readonly type?: string
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly anyOf?: readonly Shape[]
  readonly properties?: Readonly<Record<string, Shape>>
  readonly items?: Shape
  readonly description?: string
}

/** Not told: what stands in the topic, and what only the store needs. */
const SKIPPED: ReadonlySet<string> = new Set(['kind', 'equipment', 'revision', 'ledger'])
const DEEPEST = 4

/**
 * Metrics of a document: a sample is the metric of its signal; any other kind is a folder, `<kind>/<field>`. Types come from the document's definition, so that
 * they stay what the birth said: times are DateTime, whole numbers Int64, other numbers Double, lists of objects DataSet, other lists JSON as String.
 */
export function publicationOf(document: Document, plant: Plant, now: number): Publication {
  switch (document.kind) {
    case 'sample':
      return { equipment: document.equipment, values: [sampleValue(document, plant)], dead: false }
    case 'count':
      return { equipment: document.equipment, values: countValues(document), dead: false }
    case 'kpi':
      return kpiPublication(document, plant)
    default: {
      const record = document as unknown as Readonly<Record<string, unknown>>
      const { equipment } = record
      const dead = document.kind === 'machine-state' && document.state === 'NoSignal'
      const filler = new Filler(timeOf(record, now), dead ? 'bad' : undefined)
      filler.fill(document.kind, DOCUMENTS[document.kind] as Shape, record, 0)
      return { equipment: typeof equipment === 'string' ? equipment : undefined, values: filler.values, dead }
    }
  }
}

/** Metrics that a unit can be known to have before the first value comes: signals whose role says their type, and its commands. Births are then seldom. */
export function expectedOf(equipment: Equipment, time: number): readonly EdgeValue[] {
  const values: EdgeValue[] = []
  for (const { name, role, unit } of equipment.signals ?? []) {
    const datatype = typeOfRole(role)
    if (datatype !== undefined) values.push({ name, datatype, value: null, time, unit })
  }
  for (const { name } of equipment.commands ?? []) values.push({ name: `command/${name}`, datatype: DATA_TYPES.String, value: null, time })
  return values
}

function typeOfRole(role: SignalRole | undefined): DataType | undefined {
  if (role === 'condition' || role === 'characteristic') return DATA_TYPES.Double
  if (role === 'good-count' || role === 'scrap-count') return DATA_TYPES.Int64
  return role === 'job-order' ? DATA_TYPES.String : undefined
}

function sampleValue(sample: Sample, plant: Plant): EdgeValue {
  const { equipment, signal, value, quality, unit } = sample
  const role = plant.signal(`${equipment}/${signal}`)?.signal.role
  const due = typeOfRole(role)
  const fits = due === DATA_TYPES.Int64 ? Number.isSafeInteger(value) : due === DATA_TYPES.Double ? typeof value === 'number' : typeof value === 'string'
  const datatype = due !== undefined && fits ? due : typeOfValue(value)
  return { name: signal, datatype, value, time: Math.round(sample.time), quality, unit }
}

/** Totals, because a metric is a present value: the same delta twice would be told once. */
function countValues({ total, jobOrder, time }: Count): readonly EdgeValue[] {
  const at = Math.round(time)
  return [
    { name: 'count/jobOrder', datatype: DATA_TYPES.String, value: jobOrder, time: at },
    { name: 'count/good', datatype: DATA_TYPES.Double, value: total.good, time: at },
    { name: 'count/scrap', datatype: DATA_TYPES.Double, value: total.scrap, time: at },
  ]
}

function kpiPublication({ scope, from, to, values }: Kpi, plant: Plant): Publication {
  const known = plant.equipment(scope) !== undefined
  const prefix = known ? 'kpi' : `kpi/${scope}`
  const time = Math.round(to)
  const metrics: EdgeValue[] = Object.entries(values).map(([name, value]) => ({ name: `${prefix}/${name}`, datatype: DATA_TYPES.Double, value, time }))
  metrics.push({ name: `${prefix}/from`, datatype: DATA_TYPES.DateTime, value: Math.round(from), time })
  return { equipment: known ? scope : undefined, values: metrics, dead: false }
}

function timeOf(record: Readonly<Record<string, unknown>>, now: number): number {
  const time = record.time ?? record.now ?? record.to
  return typeof time === 'number' && Number.isFinite(time) && time >= 0 ? Math.round(time) : now
}

/** Walks a document along its definition. */
class Filler {
  readonly values: EdgeValue[] = []
  readonly #time: number
  readonly #quality: Sample['quality'] | undefined

  constructor(time: number, quality: Sample['quality'] | undefined) {
    this.#time = time
    this.#quality = quality
  }

  fill(name: string, shape: Shape, value: unknown, depth: number): void {
    const { properties, type } = shape
    if (properties !== undefined && depth < DEEPEST) {
      for (const [key, part] of Object.entries(properties))
        if (!SKIPPED.has(key) || depth > 0) this.fill(`${name}/${key}`, plain(part), own(value, key), depth + 1)
    } else if (type === 'object') {
      // a table of names: those that are there
      if (typeof value !== 'object' || value === null) return
      for (const [key, part] of Object.entries(value)) this.#add(`${name}/${key}`, typeOfValue(part), part)
    } else if (type === 'array' && plain(shape.items ?? {}).properties !== undefined) {
      this.#add(name, DATA_TYPES.DataSet, Array.isArray(value) ? dataSet(plain(shape.items ?? {}).properties ?? {}, value) : null)
    } else this.#add(name, typeOfShape(shape), value)
  }

  #add(name: string, datatype: DataType, value: unknown): void {
    const quality = this.#quality === undefined ? {} : { quality: this.#quality }
    this.values.push({
      name,
      datatype,
      value: datatype === DATA_TYPES.DataSet ? (value as Value | null) : scalar(value, datatype),
      time: this.#time,
      ...quality,
    })
  }
}

/** Of `X | null`: X. */
function plain(shape: Shape): Shape {
  const others = shape.anyOf?.filter(({ type }) => type !== 'null')
  return others?.length === 1 ? (others[0] as Shape) : shape
}

function typeOfShape(shape: Shape): DataType {
  switch (shape.type) {
    case 'integer':
      return DATA_TYPES.Int64
    case 'number':
      return shape.description?.startsWith('epoch milliseconds') ? DATA_TYPES.DateTime : DATA_TYPES.Double
    case 'boolean':
      return DATA_TYPES.Boolean
    default:
      return DATA_TYPES.String
  }
}

function typeOfValue(value: unknown): DataType {
  if (typeof value === 'number') return DATA_TYPES.Double
  return typeof value === 'boolean' ? DATA_TYPES.Boolean : DATA_TYPES.String
}

function scalar(value: unknown, datatype: DataType): Scalar | null {
  if (value === undefined || value === null) return null
  if (datatype === DATA_TYPES.DateTime && typeof value === 'number') return Math.round(value)
  if (typeof value === 'object') return JSON.stringify(value)
  return value as Scalar
}

/** One column a field of the definition; what is not there is null. */
function dataSet(properties: Readonly<Record<string, Shape>>, rows: readonly unknown[]): Value {
  const columns = Object.entries(properties).map(([key, shape]) => ({ key, type: typeOfShape(plain(shape)) }))
  return {
    columns: columns.map(({ key }) => key),
    types: columns.map(({ type }) => type),
    // the codec takes null for an element that is not there
    rows: rows.map((row) => columns.map(({ key, type }) => scalar(own(row, key), type) as Scalar)),
  }
}

function own(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? (value as Readonly<Record<string, unknown>>)[key] : undefined
}
