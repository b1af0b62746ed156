import { TaktError } from '../../base/error.ts'
import type { Anomaly } from '../../messages/anomaly.ts'
import type { Count } from '../../messages/count.ts'
import type { Document } from '../../messages/document.ts'
import type { Kpi } from '../../messages/kpi.ts'
import type { MachineState } from '../../messages/machine-state.ts'
import type { Sample } from '../../messages/sample.ts'
import type { Plant } from '../../plant/plant.ts'
import { type FieldValue, fieldText, LATEST_MS, pointLine, seriesKey, type Tags } from './line-protocol.ts'

/** Documents that have a point in time and values worth keeping as a series. */
export const HISTORY_KINDS = ['sample', 'machine-state', 'count', 'anomaly', 'kpi'] as const
export type HistoryDocument = Extract<Document, { kind: (typeof HISTORY_KINDS)[number] }>

/** What was being made when a sample was taken: not kept, kept as fields, or as tags (each job order is then a series of its own). */
export const CONTEXT_KEEPING = ['no', 'fields', 'tags'] as const
export type ContextKeeping = (typeof CONTEXT_KEEPING)[number]

export interface PointSetting {
  /** For the roles of signals and the levels of equipment; without a plant every sample goes to the measurement `sample`. */
  readonly plant: (() => Plant) | undefined
  readonly context: ContextKeeping
  readonly where: string
}

export interface Point {
  readonly line: string
  /** Epoch ms, as written. */
  readonly time: number
}

export const SAMPLE_MEASUREMENT = 'sample'
/** Series whose escaped keys are kept ready. */
const KEYS_KEPT = 20_000

/**
 * Turns documents into lines. A sample's measurement is its signal's role (`condition`, `good-count`, …), its tags are equipment, signal, unit and the
 * levels above the equipment (`site`, `area`, `workCenter`, …) that the plant model names; its fields are `value`, `text` or `bool`, by type, and `quality`.
 */
export class DocumentPoints {
  readonly #setting: PointSetting
  readonly #keys = new Map<string, string>()
  #plant: Plant | undefined

  constructor(setting: PointSetting) {
    this.#setting = setting
  }

  /** Throws TAKT_INFLUX_POINT for what the database could not hold. */
  pointOf(document: HistoryDocument): Point {
    switch (document.kind) {
      case 'sample':
        return this.#sample(document)
      case 'machine-state':
        return this.#state(document)
      case 'count':
        return this.#count(document)
      case 'anomaly':
        return this.#anomaly(document)
      case 'kpi':
        return this.#kpi(document)
    }
  }

  #sample(sample: Sample): Point {
    const { equipment, signal, unit = '', value, context } = sample
    const asTags = this.#setting.context === 'tags' && context !== undefined
    const id = `${equipment}\0${signal}\0${unit}${asTags ? `\0${context.product ?? ''}\0${context.jobOrder ?? ''}` : ''}`
    const key = this.#key(id, () => {
      const role = this.#plant?.signal(`${equipment}/${signal}`)?.signal.role
      const tags: Tags = [
        ...this.#placeTags(equipment),
        ['signal', signal],
        ['unit', unit],
        ...(asTags ? ([['product', context.product ?? ''] as const, ['jobOrder', context.jobOrder ?? ''] as const] as const) : []),
      ]
      return seriesKey(role ?? SAMPLE_MEASUREMENT, tags)
    })
    let fields = `${this.#field(typeof value === 'number' ? 'value' : typeof value === 'string' ? 'text' : 'bool', value)},quality="${sample.quality}"`
    if (this.#setting.context === 'fields' && context !== undefined) {
      if (context.product !== undefined) fields += `,${this.#field('product', context.product)}`
      if (context.jobOrder !== undefined) fields += `,${this.#field('jobOrder', context.jobOrder)}`
    }
    return this.#point(key, fields, sample.time)
  }

  #state(state: MachineState): Point {
    const { mode, element, reason, jobOrder } = state
    return this.#placed('machine-state', state.equipment, { state: state.state, mode, element, reason, jobOrder }, state.time)
  }

  #count(count: Count): Point {
    const { good, scrap, total, jobOrder } = count
    return this.#placed('count', count.equipment, { good, scrap, totalGood: total.good, totalScrap: total.scrap, jobOrder }, count.time)
  }

  #anomaly(anomaly: Anomaly): Point {
    const { id, state, score, severity, method, signals } = anomaly
    return this.#placed('anomaly', anomaly.equipment, { id, state, score, severity, method, signals: signals.join(', ') }, anomaly.time)
  }

  #kpi(kpi: Kpi): Point {
    // a key figure stands at the end of its span
    return this.#placed('kpi', kpi.scope, { ...kpi.values, from: kpi.from }, kpi.to)
  }

  #placed(measurement: string, equipment: string, values: Readonly<Record<string, FieldValue | null>>, time: number): Point {
    const key = this.#key(`${measurement}\0\0${equipment}`, () => seriesKey(measurement, this.#placeTags(equipment)))
    const fields = Object.entries(values)
      .filter((entry): entry is [string, FieldValue] => entry[1] !== null && entry[0] !== '' && entry[0] !== 'time')
      .map(([name, value]) => this.#field(name, value))
    return this.#point(key, fields.join(','), time)
  }

  #field(name: string, value: FieldValue): string {
    if (typeof value === 'number' && !Number.isFinite(value)) throw this.#unfit(`${name} is ${value}: the database holds finite numbers only`)
    return fieldText(name, value)
  }

  #point(key: string, fields: string, time: number): Point {
    if (!(time >= 0 && time <= LATEST_MS)) throw this.#unfit(`the time ${time} lies outside of what the database can hold`)
    if (fields === '') throw this.#unfit('it has no value')
    return { line: pointLine(key, fields, time), time: Math.floor(time) }
  }

  /** The equipment, and whatever the plant model has above it, by its ISA-95 level. */
  #placeTags(equipment: string): Tags {
    const tags: Array<readonly [string, string]> = [['equipment', equipment]]
    for (let end = equipment.length; end > 0; end = equipment.lastIndexOf('/', end - 1)) {
      const part = this.#plant?.equipment(equipment.slice(0, end))
      if (part !== undefined) tags.push([part.level, equipment.slice(equipment.lastIndexOf('/', end - 1) + 1, end)])
    }
    return tags
  }

  #key(id: string, make: () => string): string {
    const plant = this.#setting.plant?.()
    if (plant !== this.#plant || this.#keys.size >= KEYS_KEPT) {
      this.#keys.clear()
      this.#plant = plant
    }
    let key = this.#keys.get(id)
    if (key === undefined) {
      key = make()
      this.#keys.set(id, key)
    }
    return key
  }

  #unfit(what: string): TaktError {
    return new TaktError('TAKT_INFLUX_POINT', { what, where: this.#setting.where })
  }
}
