import { isDeepStrictEqual } from 'node:util'
import { TaktError } from '../../base/error.ts'
import type { Sample } from '../../messages/sample.ts'
import { encodePayload } from './codec.ts'
import { DATA_TYPES, type DataType } from './datatypes.ts'
import type { Metric, Property, Value } from './payload.ts'

/** One timed value that an edge node publishes. */
export interface EdgeValue {
  readonly name: string
  readonly datatype: DataType
  /** null: known not to be known. */
  readonly value: Value | null
  /** Epoch ms of the source. */
  readonly time: number
  readonly quality?: Sample['quality'] | undefined
  /** Engineering unit, `mm/s`. */
  readonly unit?: string | undefined
  /** Sent although nothing changed: the answer to a command. */
  readonly always?: boolean
}

interface EdgeMetric {
  readonly alias: number
  current: EdgeValue
  unit: string | undefined
  /** What hosts heard last, in a birth or in a data message. */
  told: EdgeValue | undefined
}

/**
 * `birth`: hosts do not know this metric, or know it with another type; they need a birth before they can take it.
 * `late`: older than the present value, so that it can only be told as historical.
 */
export type Taken = 'same' | 'changed' | 'late' | 'birth'

/** Quality codes that the specification has for a metric (6.4.12): bad, good, stale. */
const QUALITY_CODES = Object.freeze({ good: 192, uncertain: 500, bad: 0 })

/** Names that belong to the protocol: no document can make a metric of one. */
const RESERVED = /^(bdseq|node control\/|device control\/)/i

/** The metrics of an edge node, or of one of its devices: names, types and aliases as the last birth told them, and the present values. */
export class EdgeUnit {
  /** Undefined: the edge node itself. */
  readonly device: string | undefined
  /** False once the device was declared dead, until it has something to say again. */
  alive = true
  /** Hosts have its birth in this session. */
  born = false
  readonly #metrics = new Map<string, EdgeMetric>()
  readonly #folded = new Map<string, string>()
  readonly #byAlias = new Map<number, string>()
  /** Values that stood in a birth. */
  readonly #heard = new WeakSet<EdgeValue>()
  readonly #nextAlias: (() => number) | undefined
  readonly #where: string

  constructor(device: string | undefined, nextAlias: (() => number) | undefined, where: string) {
    this.device = device
    this.#nextAlias = nextAlias
    this.#where = where
  }

  get size(): number {
    return this.#metrics.size
  }

  /**
   * Keeps the value as the present one. Throws TAKT_SPARKPLUG_NAME for a name that hosts could not tell from another, TAKT_SPARKPLUG_VALUE for a value
   * that is not of its type.
   */
  take(value: EdgeValue): Taken {
    if (!fits(value)) encodePayload({ metrics: [{ name: value.name, timestamp: value.time, datatype: value.datatype, ...carried(value) }] })
    const metric = this.#metrics.get(value.name)
    if (metric === undefined) {
      this.#add(value)
      return 'birth'
    }
    const { current } = metric
    metric.unit = value.unit ?? metric.unit
    if (value.datatype !== current.datatype) {
      metric.current = value
      // whatever hosts were told of the old type, they do not know the new one
      metric.told = undefined
      return 'birth'
    }
    if (value.always !== true) {
      // what was never known is replaced by anything
      if (value.time < current.time && current.value !== null) return 'late'
      if (value.quality === current.quality && equal(value.value, current.value)) return 'same'
    }
    metric.current = value
    return 'changed'
  }

  /** Some metric was not in the last birth as it is now. */
  get hasNews(): boolean {
    return !this.born || [...this.#metrics.values()].some(({ told }) => told === undefined)
  }

  /** The present value of a metric, by its name. */
  current(name: string): EdgeValue | undefined {
    return this.#metrics.get(name)?.current
  }

  /** True when hosts can take this value as it is: the metric stands in the last birth with this type. */
  knows({ name, datatype }: EdgeValue): boolean {
    return this.born && this.#metrics.get(name)?.told?.datatype === datatype
  }

  /** True when a birth has told this very value. */
  heard(value: EdgeValue): boolean {
    return this.#heard.has(value)
  }

  /** Hosts may not have heard it after all. */
  doubt(value: EdgeValue): void {
    this.#heard.delete(value)
    const metric = this.#metrics.get(value.name)
    if (metric?.told === value) metric.told = undefined
  }

  /** The name that an alias stands for. */
  nameOf(alias: number): string | undefined {
    return this.#byAlias.get(alias)
  }

  /** All metrics with name, type, present value and properties; `fresh` hears of those values that no host was told before. */
  birth(fresh: (value: EdgeValue) => void): Metric[] {
    this.born = true
    return [...this.#metrics.values()].map((metric) => {
      const { alias, current, unit } = metric
      if (metric.told !== current) fresh(current)
      metric.told = current
      this.#heard.add(current)
      const properties = new Map<string, Property>([['Quality', qualityOf(current)]])
      if (unit !== undefined) properties.set('engUnit', { type: DATA_TYPES.String, value: unit })
      return {
        name: current.name,
        ...(this.#nextAlias === undefined ? {} : { alias }),
        timestamp: current.time,
        datatype: current.datatype,
        ...carried(current),
        properties,
      }
    })
  }

  /** Values of metrics that hosts know, for a data message: by alias where there are any. Their types are for the encoder, hosts have them from the birth. */
  data(values: readonly EdgeValue[], historical: boolean): Metric[] {
    return values.map((value) => {
      const metric = this.#metrics.get(value.name)
      const before = metric?.told
      if (metric !== undefined && !historical) metric.told = value
      const marked = (value.quality ?? 'good') !== 'good' || (before?.quality ?? 'good') !== 'good'
      return {
        ...(this.#nextAlias === undefined || metric === undefined ? { name: value.name } : { alias: metric.alias }),
        timestamp: value.time,
        datatype: value.datatype,
        ...(historical ? { isHistorical: true } : {}),
        ...carried(value),
        ...(marked ? { properties: new Map([['Quality', qualityOf(value)]]) } : {}),
      }
    })
  }

  #add(value: EdgeValue): void {
    const { name } = value
    const refuse = (what: string): never => {
      throw new TaktError('TAKT_SPARKPLUG_NAME', { what, where: this.#where })
    }
    if (name === '' || RESERVED.test(name)) refuse(`'${name}' cannot be the name of a metric`)
    const folded = name.toLowerCase()
    const other = this.#folded.get(folded)
    if (other !== undefined) refuse(`the metrics '${other}' and '${name}' differ in case only`)
    const alias = this.#nextAlias?.() ?? 0
    this.#folded.set(folded, name)
    this.#byAlias.set(alias, name)
    this.#metrics.set(name, { alias, current: value, unit: value.unit, told: undefined })
  }
}

/** What plainly fits needs no trial: the encoder says of the rest what is wrong. */
function fits({ value, datatype, time }: EdgeValue): boolean {
  if (!Number.isSafeInteger(time) || time < 0) return false
  if (value === null) return true
  if (datatype === DATA_TYPES.Double) return typeof value === 'number'
  if (datatype === DATA_TYPES.String) return typeof value === 'string'
  return datatype === DATA_TYPES.Boolean && typeof value === 'boolean'
}

function carried({ value }: EdgeValue): Pick<Metric, 'value' | 'isNull'> {
  return value === null ? { isNull: true } : { value }
}

function qualityOf({ quality }: EdgeValue): Property {
  return { type: DATA_TYPES.Int32, value: QUALITY_CODES[quality ?? 'good'] }
}

function equal(one: Value | null, other: Value | null): boolean {
  return Object.is(one, other) || (typeof one === 'object' && one !== null && isDeepStrictEqual(one, other))
}
