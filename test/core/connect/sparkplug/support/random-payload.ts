import type { Random } from '../../../../../core/base/random.ts'
import type { DataSet, Metric, Payload, Property, Scalar, Value } from '../../../../../core/connect/sparkplug/codec.ts'
import { DATA_TYPES, ELEMENT_TYPES, INTEGER_RANGES } from '../../../../../core/connect/sparkplug/datatypes.ts'

const T = DATA_TYPES
const SCALARS = [T.Int8, T.Int16, T.Int32, T.Int64, T.UInt8, T.UInt16, T.UInt32, T.UInt64, T.Float, T.Double, T.Boolean, T.String, T.DateTime, T.Text, T.UUID]
const METRIC_TYPES = [...SCALARS, T.DataSet, T.Bytes, T.File, T.Template, ...ELEMENT_TYPES.keys()]

/** A payload of any shape that the data types allow, with the ends of every range more often than chance would have them. */
export class RandomPayload {
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  payload(): Payload {
    const payload: Payload = { metrics: Array.from({ length: this.#below(12) }, () => this.metric(0)) }
    if (this.#chance(0.9)) payload.timestamp = this.#integer(64, false)
    if (this.#chance(0.9)) payload.seq = this.#below(256)
    if (this.#chance(0.1)) payload.uuid = this.#text()
    if (this.#chance(0.1)) payload.body = this.#bytes()
    return payload
  }

  metric(depth: number): Metric {
    const metric: Metric = { datatype: this.#pick(depth > 2 ? SCALARS : METRIC_TYPES) }
    if (this.#chance(0.8)) metric.name = this.#text()
    if (this.#chance(0.5)) metric.alias = this.#integer(64, false)
    if (this.#chance(0.8)) metric.timestamp = this.#integer(64, false)
    if (this.#chance(0.2)) metric.isHistorical = this.#chance(0.5)
    if (this.#chance(0.2)) metric.isTransient = this.#chance(0.5)
    if (this.#chance(0.1)) metric.metadata = this.#metadata()
    if (this.#chance(0.3)) metric.properties = this.#properties(depth)
    if (this.#chance(0.1)) metric.isNull = true
    else metric.value = this.value(metric.datatype as number, depth)
    return metric
  }

  value(type: number, depth: number): Value {
    const element = ELEMENT_TYPES.get(type)
    if (element !== undefined) return Array.from({ length: this.#below(20) }, () => this.#scalar(element))
    if (type === T.Bytes || type === T.File) return this.#bytes()
    if (type === T.DataSet) return this.#dataSet()
    if (type !== T.Template) return this.#scalar(type)
    return {
      metrics: Array.from({ length: this.#below(4) }, () => this.metric(depth + 1)),
      parameters: Array.from({ length: this.#below(3) }, () => {
        const parameter = this.#pick(SCALARS)
        return { name: this.#text(), type: parameter, value: this.#scalar(parameter) }
      }),
      ...(this.#chance(0.5) ? { version: this.#text() } : {}),
      ...(this.#chance(0.5) ? { templateRef: this.#text() } : {}),
      ...(this.#chance(0.5) ? { isDefinition: this.#chance(0.5) } : {}),
    }
  }

  #scalar(type: number): Scalar {
    const range = INTEGER_RANGES.get(type)
    if (range !== undefined) return this.#integer(range.bits, range.signed)
    if (type === T.Boolean) return this.#chance(0.5)
    if (type === T.Float) return Math.fround(this.#real())
    if (type === T.Double) return this.#real()
    return this.#text().replaceAll('\0', ' ')
  }

  #integer(bits: number, signed: boolean): number | bigint {
    const least = signed ? -(1n << BigInt(bits - 1)) : 0n
    const most = least + (1n << BigInt(bits)) - 1n
    const ends = [least, least + 1n, most - 1n, most, 0n, 1n, 127n, 128n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n, -1n, -(2n ** 53n)].filter(
      (end) => end >= least && end <= most,
    )
    const any = least + (((BigInt(Math.floor(this.#random() * 2 ** 32)) << 32n) | BigInt(Math.floor(this.#random() * 2 ** 32))) % (most - least + 1n))
    const value = this.#chance(0.4) ? this.#pick(ends) : any >> BigInt(this.#below(bits))
    return Number.isSafeInteger(Number(value)) ? Number(value) : value
  }

  #real(): number {
    return this.#pick([
      0,
      -0,
      1.5,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      Number.NaN,
      1e-310,
      3.4e38,
      (this.#random() - 0.5) * 10 ** this.#below(40),
    ])
  }

  #text(): string {
    return this.#pick(['', 'Motor/Speed', 'Node Control/Rebirth', 'Größe', '温度', '🏭 Halle', '__proto__', 'x'.repeat(this.#below(200)), 'a\0b'])
  }

  #bytes(): Uint8Array {
    return Uint8Array.from({ length: this.#below(40) }, () => this.#below(256))
  }

  #dataSet(): DataSet {
    const types = Array.from({ length: this.#below(5) }, () => this.#pick(SCALARS))
    return {
      columns: types.map((_, index) => `c${index}`),
      types,
      rows: Array.from({ length: this.#below(5) }, () => types.map((type) => (this.#chance(0.1) ? null : this.#scalar(type)))),
    }
  }

  #metadata(): NonNullable<Metric['metadata']> {
    return {
      isMultiPart: this.#chance(0.5),
      contentType: this.#text(),
      size: this.#integer(64, false),
      seq: this.#below(1000),
      fileName: this.#text(),
      fileType: 'bin',
      md5: 'd41d8',
      description: this.#text(),
    }
  }

  #properties(depth: number): ReadonlyMap<string, Property> {
    const keys = ['Quality', 'engUnit', '__proto__', 'deep', 'list', 'nothing'].filter(() => this.#chance(0.4))
    return new Map(
      keys.map((key): [string, Property] => {
        if (key === 'nothing') return [key, { type: T.Int32, isNull: true }]
        if (key === 'deep' && depth < 3) return [key, { type: T.PropertySet, value: this.#properties(depth + 1) }]
        if (key === 'list' && depth < 3) return [key, { type: T.PropertySetList, value: [this.#properties(depth + 1), this.#properties(depth + 1)] }]
        const type = this.#pick(SCALARS)
        return [key, { type, value: this.#scalar(type) }]
      }),
    )
  }

  #chance(share: number): boolean {
    return this.#random() < share
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit)
  }

  #pick<T>(from: readonly T[]): T {
    return from[this.#below(from.length)] as T
  }
}
