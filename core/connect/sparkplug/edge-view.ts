import { decodePayload } from './codec.ts'
import type { Metric, Value } from './payload.ts'
import { interpret, Misfit } from './values.ts'

export interface MetricView {
  readonly datatype: number
  readonly alias: number | bigint | undefined
}

/** An edge node or a device as its last birth shows it. */
export interface DeviceView {
  readonly alive: boolean
  metric(name: string): MetricView | undefined
}

/** What a message told. */
export interface Change {
  readonly verb: string
  readonly device: string | undefined
  readonly values?: ReadonlyArray<{ readonly name: string; readonly value: Value | undefined }>
}

class Device implements DeviceView {
  alive = true
  readonly #metrics = new Map<string, MetricView>()
  readonly #byAlias = new Map<number | bigint, string>()

  constructor(metrics: readonly Metric[]) {
    for (const { name, alias, datatype } of metrics) {
      if (name === undefined || datatype === undefined) continue
      this.#metrics.set(name, { datatype, alias })
      if (alias !== undefined) this.#byAlias.set(alias, name)
    }
  }

  metric(name: string): MetricView | undefined {
    return this.#metrics.get(name)
  }

  /** Values of a data message by their names; what the birth does not explain is left out, and so is what is of the past. */
  values(metrics: readonly Metric[]): NonNullable<Change['values']> {
    return metrics.flatMap((metric) => {
      const name = metric.name ?? (metric.alias === undefined ? undefined : this.#byAlias.get(metric.alias))
      const known = name === undefined ? undefined : this.#metrics.get(name)
      if (name === undefined || known === undefined || metric.isHistorical === true || metric.value === undefined) return []
      const value = metric.datatype !== undefined || metric.wire === undefined ? metric.value : interpret(metric.wire, metric.value, known.datatype)
      return value instanceof Misfit ? [] : [{ name, value }]
    })
  }
}

/** What is known of one edge node by what it publishes: enough to write its metrics, not a host's whole knowledge. */
export class EdgeView {
  #devices = new Map<string | undefined, Device>()
  readonly #listeners = new Set<(change: Change) => void>()
  #bdSeq: number | bigint | undefined

  /** The edge node itself for `undefined`; nothing where no birth was heard. */
  device(name: string | undefined): DeviceView | undefined {
    return this.#devices.get(name)
  }

  /** Called after each message. Returns the way to stop. */
  listen(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Births must be heard anew. */
  forget(): void {
    this.#devices.clear()
    this.#bdSeq = undefined
  }

  /** Takes a message of the edge node. Throws TAKT_SPARKPLUG_INVALID for one that cannot be read. */
  take(verb: string, device: string | undefined, payload: Uint8Array): void {
    const { metrics } = decodePayload(payload)
    const change = this.#changeOf(verb, device, metrics)
    if (change !== undefined) for (const listener of [...this.#listeners]) listener(change)
  }

  #changeOf(verb: string, device: string | undefined, metrics: readonly Metric[]): Change | undefined {
    const known = this.#devices.get(device)
    switch (verb) {
      case 'NBIRTH':
        // the births of the devices follow, those that live
        this.#devices = new Map([[undefined, new Device(metrics)]])
        this.#bdSeq = bdSeqOf(metrics)
        return { verb, device, values: this.#devices.get(undefined)?.values(metrics) ?? [] }
      case 'DBIRTH': {
        const born = new Device(metrics)
        this.#devices.set(device, born)
        return { verb, device, values: born.values(metrics) }
      }
      case 'NDEATH':
        // the will of a session that has been followed by another says nothing
        if (this.#bdSeq !== undefined && bdSeqOf(metrics) !== this.#bdSeq) return undefined
        for (const each of this.#devices.values()) each.alive = false
        return { verb, device: undefined }
      case 'DDEATH':
        if (known !== undefined) known.alive = false
        return { verb, device }
      default:
        return known === undefined ? undefined : { verb, device, values: known.values(metrics) }
    }
  }
}

function bdSeqOf(metrics: readonly Metric[]): number | bigint | undefined {
  const value = metrics.find(({ name }) => name === 'bdSeq')?.value
  return typeof value === 'number' || typeof value === 'bigint' ? value : undefined
}
