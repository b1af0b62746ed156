import { TaktError, toTaktError } from '../base/error.ts'
import { parseJson, readPath, textOf } from '../base/json.ts'
import type { SignalRole, SignalSource } from '../plant/model.ts'
import type { BoundSignal, Plant } from '../plant/plant.ts'
import { findSignal, numberOf, roleRank, type SampleSetting, sampleOf } from '../signal/sample.ts'
import type { MqttDecoder } from './mqtt-decoder.ts'
import { fillTemplate, TopicTemplate } from './topics.ts'

export interface MqttSampleSetting extends SampleSetting {
  /** Larger payloads are refused. */
  readonly maxBytes: number
  /** Name of the broker, for the sample's origin. */
  readonly source: string
  /** Paths of the sender's own numbering in a JSON payload. Without a path for the session each topic counts for itself. */
  readonly numbering?: { readonly session: string | undefined; readonly sequence: string } | undefined
}

interface Binding {
  readonly bound: BoundSignal
  readonly topic: string
  /** Undefined: the payload itself is the value. */
  readonly value: string | undefined
  readonly time: string | undefined
  readonly context: ReadonlyArray<readonly [string, string]> | undefined
}

/** One decoder for each topic that the plant model binds to a broker; one message may carry several signals. */
export function bindingDecoders(plant: Plant, connection: string, setting: MqttSampleSetting): readonly MqttDecoder[] {
  const byTopic = new Map<string, BoundSignal[]>()
  for (const bound of plant.signalsOfConnection(connection)) {
    const topic = bound.signal.source?.topic
    if (topic !== undefined) byTopic.set(topic, [...(byTopic.get(topic) ?? []), bound])
  }
  return [...byTopic].map(([topic, bounds]) => {
    const bindings = bounds.sort((a, b) => roleRank(a.signal.role) - roleRank(b.signal.role)).map((bound) => bindingOf(bound, bound.signal.source))
    return { filter: topic, decode: decoderOf(bindings, { ...setting, where: `${setting.where}, topic ${topic}` }) }
  })
}

export interface TopicMapping {
  readonly filter: string
  /** `{equipment}/{signal}`, or any names: `factory/{line}/{machine}/{signal}`. */
  readonly template: string
  /** What the names make: `<equipment>/<signal>`, `acme/{line}/{machine}/{signal}`. */
  readonly target: string
  readonly value: string | undefined
  readonly time: string | undefined
}

/** What was found once is remembered, within bounds that a sender of ever new topics cannot break. */
const KNOWN_TOPICS = 50_000
const LONGEST_KNOWN = 1000

/** A decoder that finds equipment and signal in the topic. Throws TAKT_CONFIG_INVALID for a template that is none. */
export function templateDecoder(mapping: TopicMapping, plant: Plant, setting: MqttSampleSetting): MqttDecoder {
  let template: TopicTemplate
  try {
    template = new TopicTemplate(mapping.template)
  } catch (cause) {
    throw new TaktError('TAKT_CONFIG_INVALID', { what: `the topic template: ${(cause as Error).message}`, where: setting.where, cause })
  }
  const known = new Map<string, MqttDecoder['decode']>()
  return {
    filter: mapping.filter,
    decode(message, sink) {
      let decode = known.get(message.topic)
      if (decode === undefined) {
        const here = { ...setting, where: `${setting.where}, topic ${clip(message.topic)}` }
        try {
          const topic = fillTemplate(mapping.target, template.read(message.topic) ?? {})
          if (topic === undefined) throw new TaktError('TAKT_SAMPLE_SIGNAL_MISSING', { what: 'the topic does not fit the template', where: here.where })
          decode = decoderOf([bindingOf(findSignal({ topic }, plant, here.where), mapping)], here)
        } catch (thrown) {
          return sink.bad(toTaktError(thrown, here.where), message)
        }
        if (known.size >= KNOWN_TOPICS) known.clear()
        if (message.topic.length <= LONGEST_KNOWN) known.set(message.topic, decode)
      }
      decode(message, sink)
    },
  }
}

function bindingOf(bound: BoundSignal, source: Pick<SignalSource, 'value' | 'time' | 'context'> | undefined | TopicMapping): Binding {
  const context = source !== undefined && 'context' in source && source.context !== undefined ? Object.entries(source.context) : undefined
  return {
    bound,
    topic: `${bound.equipment.id}/${bound.signal.name}`,
    value: source?.value || undefined,
    time: source?.time || undefined,
    context,
  }
}

function decoderOf(bindings: readonly Binding[], setting: MqttSampleSetting): MqttDecoder['decode'] {
  const readsJson = bindings.some((binding) => binding.value !== undefined || binding.time !== undefined)
  const plainOrigin = { source: setting.source }
  return (message, sink) => {
    let body: unknown
    try {
      if (readsJson) body = parseJson(message.payload, setting)
      else assertSize(message.payload, setting)
    } catch (thrown) {
      return sink.bad(toTaktError(thrown, setting.where), message)
    }
    const number = readsJson && setting.numbering !== undefined ? numberOfMessage(body, message.topic, setting.numbering) : undefined
    if (number !== undefined) sink.numbered(number.session, number.sequence)
    const origin = number === undefined ? plainOrigin : { source: setting.source, ...number }
    let found = false
    for (const binding of bindings) {
      try {
        const value =
          binding.value !== undefined ? readPath(body, binding.value) : readsJson ? body : plainValue(message.payload, binding.bound.signal.role, setting)
        // a machine may send only what changed
        if (value === undefined && bindings.length > 1) continue
        found = true
        if (Number.isInteger(value) && !Number.isSafeInteger(value)) assertExact(value as number, message.payload, setting.where)
        const sample = sampleOf(
          binding.bound,
          {
            value,
            time: binding.time === undefined ? undefined : readPath(body, binding.time),
            origin,
            context: binding.context === undefined ? undefined : contextOf(body, binding.context),
          },
          setting,
        )
        sink.sample(sample, binding.topic)
      } catch (thrown) {
        found = true
        sink.bad(toTaktError(thrown, setting.where), message)
      }
    }
    if (!found) {
      const paths = bindings.map((binding) => binding.value).join(', ')
      sink.bad(new TaktError('TAKT_SAMPLE_VALUE_MISSING', { what: `none of ${paths} is in the payload`, where: setting.where }), message)
    }
  }
}

/** The sender's numbering; undefined where the paths lead to none. */
function numberOfMessage(
  body: unknown,
  topic: string,
  paths: NonNullable<MqttSampleSetting['numbering']>,
): { readonly session: string; readonly sequence: number } | undefined {
  const sequence = readPath(body, paths.sequence)
  if (!Number.isSafeInteger(sequence) || (sequence as number) < 0) return undefined
  const session = paths.session === undefined ? topic : readPath(body, paths.session)
  if ((typeof session !== 'string' && typeof session !== 'number') || session === '') return undefined
  return { session: String(session).slice(0, 200), sequence: sequence as number }
}

function assertSize(payload: Buffer, setting: MqttSampleSetting): void {
  if (payload.length > setting.maxBytes)
    throw new TaktError('TAKT_MESSAGE_TOO_LARGE', { what: `${payload.length} bytes where at most ${setting.maxBytes} are taken`, where: setting.where })
}

/** A number, a boolean or a text, as devices without JSON send them, or as JSON scalars. */
function plainValue(payload: Buffer, role: SignalRole | undefined, setting: MqttSampleSetting): unknown {
  const raw = textOf(payload, setting.where)
  const text = raw.trim()
  if (text.startsWith('"') || text.startsWith('{') || text.startsWith('[')) return parseJson(raw, setting)
  // an order number stays a text, with its leading zeros, or empty where there is none
  if (role === 'job-order') return text
  if (text === '') return undefined
  if (text === 'true' || text === 'false') return text === 'true'
  return numberOf(text) ?? text
}

/** JSON and `Number` round integers beyond 2^53 without a word; the payload still has their digits. */
function assertExact(value: number, payload: Buffer, where: string): void {
  for (const [digits] of payload.toString('latin1').matchAll(/(?<![\d.eE+])-?\d{16,400}(?![\d.eE])/g)) {
    if (Number(digits) === value && BigInt(digits) !== BigInt(value))
      throw new TaktError('TAKT_SAMPLE_VALUE_INEXACT', { what: `${clip(digits)} would be taken as ${value}`, where })
  }
}

function contextOf(body: unknown, paths: ReadonlyArray<readonly [string, string]>): Record<string, unknown> {
  const context: Record<string, unknown> = {}
  for (const [key, path] of paths) context[key] = readPath(body, path)
  return context
}

function clip(text: string): string {
  return text.length > 120 ? `${text.slice(0, 117)}…` : text
}
