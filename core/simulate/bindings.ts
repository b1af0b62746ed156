import type { Signal, SignalSource } from '../plant/model.ts'
import type { Plant } from '../plant/plant.ts'
import type { GaugePublication, Publication, StatusPublication } from './happenings.ts'
import { MODE_NUMBER, STATE_NUMBER } from './packml.ts'

/** One MQTT message of a machine. */
export interface WireMessage {
  readonly topic: string
  readonly payload: string
  readonly qos: 0 | 1
  readonly retain: boolean
}

/** One OPC UA variable that takes a value, with the source time. */
export interface WireWrite {
  readonly nodeId: string
  readonly value: string | number
  readonly time: number
}

/** One metric of a Sparkplug device that takes a value. */
export interface WireMetric {
  /** `<group>/<edge node>`, or `<group>/<edge node>/<device>` */
  readonly device: string
  readonly metric: string
  readonly value: string | number
  readonly time: number
}

type SignalValue = string | number

/**
 * How what happens becomes what is said: read from the plant model, so that the simulated machines speak on exactly the topics and nodes that the model
 * tells Takt to listen to. Signals with one topic make one JSON message, each value at its path.
 */
export class Bindings {
  readonly #byTopic = new Map<string, Map<string, Signal[]>>()
  readonly #byNode = new Map<string, Signal[]>()
  readonly #byMetric = new Map<string, Signal[]>()

  constructor(plant: Plant) {
    for (const unit of plant.units) {
      const topics = new Map<string, Signal[]>()
      for (const signal of unit.signals ?? []) {
        if (signal.source?.topic !== undefined) topics.set(signal.source.topic, [...(topics.get(signal.source.topic) ?? []), signal])
      }
      this.#byTopic.set(unit.id, topics)
      this.#byNode.set(
        unit.id,
        (unit.signals ?? []).filter((signal) => signal.source?.nodeId !== undefined),
      )
      this.#byMetric.set(
        unit.id,
        (unit.signals ?? []).filter((signal) => signal.source?.device !== undefined && signal.source.metric !== undefined),
      )
    }
  }

  messages(publication: Publication): WireMessage[] {
    const messages: WireMessage[] = []
    for (const [topic, signals] of this.#byTopic.get(publication.unit) ?? []) {
      const said = signals.flatMap((signal) => {
        const value = valueIn(signal, publication)
        return value === undefined || signal.source === undefined ? [] : [{ source: signal.source, value }]
      })
      if (said.length === 0) continue
      const status = publication.kind === 'status'
      messages.push({ topic, payload: payloadOf(said, publication), qos: publication.kind === 'condition' ? 0 : 1, retain: status })
    }
    return messages
  }

  metrics(publication: Publication): WireMetric[] {
    return (this.#byMetric.get(publication.unit) ?? []).flatMap((signal) => {
      const value = valueIn(signal, publication)
      const { device, metric } = signal.source ?? {}
      return value === undefined || device === undefined || metric === undefined ? [] : [{ device, metric, value, time: publication.time }]
    })
  }

  writes(publication: Publication): WireWrite[] {
    // the order in which a client should hear of one moment: what it is at, what it made, then how it stands
    const writes: Array<WireWrite & { readonly rank: number }> = []
    for (const signal of this.#byNode.get(publication.unit) ?? []) {
      const value = valueIn(signal, publication)
      if (value === undefined || signal.source?.nodeId === undefined) continue
      writes.push({ nodeId: signal.source.nodeId, value, time: publication.time, rank: RANK.indexOf(signal.role ?? 'other') })
    }
    return writes.sort((a, b) => a.rank - b.rank)
  }
}

const RANK: readonly string[] = ['job-order', 'good-count', 'scrap-count', 'packml-mode', 'packml-state']

function valueIn(signal: Signal, publication: Publication): SignalValue | undefined {
  if (publication.kind === 'condition') return signal.name === publication.signal ? publication.value : undefined
  if (publication.kind === 'gauge') return signal.role === 'characteristic' && signal.name === publication.characteristic ? publication.value : undefined
  return statusValue(signal, publication)
}

function statusValue(signal: Signal, status: StatusPublication): SignalValue | undefined {
  switch (signal.role) {
    case 'packml-state':
      return STATE_NUMBER[status.state]
    case 'packml-mode':
      return MODE_NUMBER[status.mode]
    case 'job-order':
      return status.job
    case 'good-count':
      return roll(status.good, signal)
    case 'scrap-count':
      return roll(status.scrap, signal)
    default:
      return undefined
  }
}

/** Counters of real machines start again at 0. */
function roll(total: number, signal: Signal): number {
  return signal.rollover === undefined ? total : total % signal.rollover
}

function payloadOf(said: ReadonlyArray<{ readonly source: SignalSource; readonly value: SignalValue }>, publication: Publication): string {
  const only = said[0]
  if (said.length === 1 && only !== undefined && (only.source.value ?? '$') === '$' && only.source.time === undefined) return String(only.value)
  const payload = emptyObject()
  for (const { source, value } of said) {
    place(payload, source.value ?? '$.v', value)
    if (source.time !== undefined) place(payload, source.time, publication.time)
    if (publication.kind === 'gauge') placeContext(payload, source, publication)
  }
  return JSON.stringify(payload)
}

function placeContext(payload: Record<string, unknown>, { context = {} }: SignalSource, gauge: GaugePublication): void {
  if (context.jobOrder !== undefined) place(payload, context.jobOrder, gauge.job)
  if (context.lot !== undefined) place(payload, context.lot, gauge.lot)
  if (context.serial !== undefined) place(payload, context.serial, gauge.serial)
  if (context.product !== undefined) place(payload, context.product, gauge.product)
}

/** Without a prototype, so that no path of a plant model reaches one. */
function emptyObject(): Record<string, unknown> {
  return Object.create(null) as Record<string, unknown>
}

/** Writes a value at `$.a.b`; the counterpart of `readPath`. */
function place(target: Record<string, unknown>, path: string, value: unknown): void {
  const keys = path
    .replace(/^\$\.?/, '')
    .split('.')
    .filter((key) => key !== '')
  const last = keys.pop() ?? 'v'
  let at = target
  for (const key of keys) at = (at[key] ??= emptyObject()) as Record<string, unknown>
  at[last] = value
}
