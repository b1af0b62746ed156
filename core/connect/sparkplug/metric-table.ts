import type { Sample } from '../../messages/sample.ts'
import type { BoundSignal } from '../../plant/plant.ts'
import type { SampleSetting } from '../../signal/sample.ts'
import { DATA_TYPES } from './datatypes.ts'
import type { Integer, Metric, Template } from './payload.ts'

/** A signal of the plant that a metric's values go to. */
export interface MetricTarget {
  readonly bound: BoundSignal
  /** `<equipment>/<signal>` */
  readonly topic: string
  readonly setting: SampleSetting
}

/** Finds the signals of a metric, by its name or, for a member of a template, `<metric>/<member>`. */
export type FindTargets = (metric: string) => readonly MetricTarget[]

/** What a birth said of one metric. */
export interface KnownMetric {
  readonly name: string
  readonly alias: Integer | undefined
  readonly datatype: number | undefined
  readonly targets: readonly MetricTarget[]
  /** The last value of each target that was not historical, for what is to be told when it dies. */
  readonly last: (Sample | undefined)[]
}

/** As it is written down: name, alias (text where it is no exact number), data type. */
export type MetricRow = readonly [name: string, alias: number | string | null, datatype: number | null]

/** The metrics of one edge node or device, as its birth certificate names them. */
export class MetricTable {
  readonly #byName = new Map<string, KnownMetric>()
  readonly #byAlias = new Map<Integer, KnownMetric>()
  readonly #ambiguous = new Set<Integer>()

  /** `twice` hears of a name or an alias that the birth has more than once. */
  static ofBirth(metrics: readonly Metric[], find: FindTargets, twice: (what: 'name' | 'alias', metric: Metric) => void): MetricTable {
    const table = new MetricTable()
    for (const metric of metrics) {
      const { name, alias } = metric
      if (name === undefined || name === '') continue
      if (table.#byName.has(name)) {
        twice('name', metric)
        continue
      }
      if (alias !== undefined && table.#isTaken(alias)) twice('alias', metric)
      table.#add(name, alias, metric.datatype, find)
      if (metric.datatype === DATA_TYPES.Template && metric.value !== undefined) table.#addMembers(name, metric.value as Template, find)
    }
    return table
  }

  static ofRows(rows: readonly MetricRow[], find: FindTargets): MetricTable {
    const table = new MetricTable()
    for (const [name, alias, datatype] of rows) table.#add(name, typeof alias === 'string' ? BigInt(alias) : (alias ?? undefined), datatype ?? undefined, find)
    return table
  }

  get rows(): readonly MetricRow[] {
    return [...this.#byName.values()].map(({ name, alias, datatype }) => [name, typeof alias === 'bigint' ? String(alias) : (alias ?? null), datatype ?? null])
  }

  /** Whether data would mean the same with the other table. */
  same(other: MetricTable): boolean {
    if (this.#byName.size !== other.#byName.size) return false
    for (const [name, { alias, datatype }] of this.#byName) {
      const there = other.#byName.get(name)
      if (there === undefined || there.alias !== alias || there.datatype !== datatype) return false
    }
    return true
  }

  /** Takes over the last values of the table before it. Returns the metrics of that table which are there no longer. */
  inherit(before: MetricTable): readonly KnownMetric[] {
    return before.bound.filter(({ name, last }) => {
      const here = this.#byName.get(name)
      if (here === undefined) return true
      for (const index of here.last.keys()) here.last[index] = last[index]
      return false
    })
  }

  named(name: string): KnownMetric | undefined {
    return this.#byName.get(name)
  }

  aliased(alias: Integer): KnownMetric | undefined {
    return this.#byAlias.get(alias)
  }

  /** True for an alias that the birth gave to several metrics: nobody knows which one is meant. */
  isAmbiguous(alias: Integer): boolean {
    return this.#ambiguous.has(alias)
  }

  /** Every metric that goes somewhere. */
  get bound(): readonly KnownMetric[] {
    return [...this.#byName.values()].filter((metric) => metric.targets.length > 0)
  }

  #isTaken(alias: Integer): boolean {
    return this.#byAlias.has(alias) || this.#ambiguous.has(alias)
  }

  #add(name: string, alias: Integer | undefined, datatype: number | undefined, find: FindTargets): void {
    const targets = find(name)
    const metric: KnownMetric = { name, alias, datatype, targets, last: targets.map(() => undefined) }
    this.#byName.set(name, metric)
    if (alias === undefined) return
    if (this.#isTaken(alias)) {
      this.#byAlias.delete(alias)
      this.#ambiguous.add(alias)
    } else this.#byAlias.set(alias, metric)
  }

  #addMembers(path: string, { metrics, isDefinition }: Template, find: FindTargets): void {
    if (isDefinition === true) return
    for (const { name, datatype, value } of metrics) {
      if (name === undefined || name === '') continue
      const inner = `${path}/${name}`
      if (!this.#byName.has(inner)) this.#add(inner, undefined, datatype, find)
      if (datatype === DATA_TYPES.Template && value !== undefined) this.#addMembers(inner, value as Template, find)
    }
  }
}
