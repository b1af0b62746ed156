import { isDeepStrictEqual } from 'node:util'
import { TaktError } from '../../base/error.ts'
import type { Sample } from '../../messages/sample.ts'
import { DATA_TYPES, type DataType } from './datatypes.ts'
import type { Metric, Property, Template, Value } from './payload.ts'

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
  /** What hosts heard last, in a birth or in a data message. */
  told: EdgeValue | undefined
}

/** `birth`: hosts do not know this metric, or know it with another type; they need a birth before they can take it. */
export type Taken = 'same' | 'changed' | 'birth'

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

  /** Keeps the value as the present one. Throws TAKT_SPARKPLUG_NAME for a name that hosts could not tell from another. */
  take(value: EdgeValue): Taken {
    const metric = this.#metrics.get(value.name)
    if (metric === undefined) {
      this.#add(value)
      return 'birth'
    }
    const { current } = metric
    if (value.datatype !== current.datatype) {
      // a value of the new type has not been told, whatever was told of the old one
      this.#metrics.set(value.name, { alias: metric.alias, current: value, told: undefined })
      return 'birth'
    }
    const same = value.always !== true && value.quality === current.quality && equal(value.value, current.value)
    if (same) return 'same'
    // what comes late must not become the present value
    if (value.time >= current.time || value.always === true) metric.current = { ...value, unit: value.unit ?? current.unit }
    return 'changed'
  }

  /** The present value of a metric, by its name. */
  current(name: string): EdgeValue | undefined {
    return this.#metrics.get(name)?.current
  }

  /** True when hosts can take this value as it is: the metric stands in the last birth with this type. */
  knows({ name, datatype }: EdgeValue): boolean {
    return this.born && this.#metrics.get(name)?.told?.datatype === datatype
  }

  /** True when hosts were told exactly this value, by a birth. */
  wasTold(value: EdgeValue): boolean {
    const told = this.#metrics.get(value.name)?.told
    return told !== undefined && told.time === value.time && told.quality === value.quality && equal(told.value, value.value)
  }

  /** The name that an alias stands for. */
  nameOf(alias: number): string | undefined {
    return this.#byAlias.get(alias)
  }

  /** All metrics with name, type, present value and properties; `fresh` hears of those values that no host was told before. */
  birth(fresh: (value: EdgeValue) => void): Metric[] {
    this.born = true
    return [...this.#metrics.values()].map((metric) => {
      const { alias, current } = metric
      if (metric.told !== current) fresh(current)
      metric.told = current
      const properties = new Map<string, Property>([['Quality', qualityOf(current)]])
      if (current.unit !== undefined) properties.set('engUnit', { type: DATA_TYPES.String, value: current.unit })
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

  /** Values of metrics that hosts know, for a data message: without type, by alias where there are any. */
  data(values: readonly EdgeValue[], historical: boolean): Metric[] {
    return values.map((value) => {
      const metric = this.#metrics.get(value.name)
      const before = metric?.told
      if (metric !== undefined && !historical) metric.told = value
      const marked = (value.quality ?? 'good') !== 'good' || (before?.quality ?? 'good') !== 'good'
      return {
        ...(this.#nextAlias === undefined || metric === undefined ? { name: value.name } : { alias: metric.alias }),
        timestamp: value.time,
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
    this.#metrics.set(name, { alias, current: value, told: undefined })
  }
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

/** A template's definition as an edge node announces it. */
export type TemplateDefinition = Template & { readonly isDefinition: true }
