import type { Node, NodeAPI } from 'node-red'
import type { Clock } from '../../core/base/clock.ts'
import { TaktError } from '../../core/base/error.ts'
import type { Sample } from '../../core/messages/sample.ts'
import type { Plant } from '../../core/plant/plant.ts'
import { makeSample, type RawSample, sampleOf, type TimeTolerance } from '../../core/signal/sample.ts'
import { type Message, nameOf } from './define-node.ts'

/** Where a plain message has its value, its signal and its time: typedInput fields, all of which may be missing. */
export interface SampleFields {
  readonly value?: string
  readonly valueType?: string
  readonly signal?: string
  readonly signalType?: string
  /** type `now`: the time of arrival */
  readonly time?: string
  readonly timeType?: string
  readonly quality?: string
  /** type `good`: always good */
  readonly qualityType?: string
  /** put before the signal */
  readonly equipment?: string
  /** for signals that have none in the plant model */
  readonly unit?: string
}

export interface SampleReading {
  readonly clock: Clock
  /** Without a plant every signal is taken; the last part of the topic is its name. */
  readonly plant: (() => Plant) | undefined
  readonly tolerance?: TimeTolerance
}

/** Equipment of signals that are named without any. */
const UNNAMED_EQUIPMENT = 'plant'

const ASYNCHRONOUS: ReadonlySet<string> = new Set(['flow', 'global', 'jsonata'])

/** Makes trusted samples from plain messages; at once, or later where a field asks the context. Throws, or rejects with, TAKT_SAMPLE_… and its like. */
export function sampleReader(RED: NodeAPI, node: Node, fields: SampleFields, reading: SampleReading): (message: Message) => Sample | Promise<Sample> {
  const where = nameOf(node)
  const value = field(RED, node, fields.value || 'payload', fields.valueType || 'msg')
  const signal = field(RED, node, fields.signal || 'topic', fields.signalType || 'msg')
  const time = field(RED, node, fields.time ?? '', fields.timeType || 'now')
  const quality = field(RED, node, fields.quality ?? '', fields.qualityType || 'good')
  const prefix = fields.equipment?.trim().replace(/\/+$/, '') ?? ''

  const make = (read: readonly unknown[]): Sample => {
    const raw: RawSample = { topic: topicOf(read[1], prefix, where), value: read[0], time: read[2], quality: read[3] }
    const { clock, plant, tolerance } = reading
    const setting = { clock, where, ...(tolerance === undefined ? {} : { tolerance }) }
    const sample = plant === undefined ? looseSample(raw.topic as string, raw, setting) : makeSample(raw, { ...setting, plant: plant() })
    if (sample.unit === undefined && fields.unit) sample.unit = fields.unit
    return sample
  }
  return (message) => {
    const read = [value(message), signal(message), time(message), quality(message)]
    return read.some((part) => part instanceof Promise) ? Promise.all(read).then(make) : make(read)
  }
}

function looseSample(topic: string, raw: RawSample, setting: Parameters<typeof sampleOf>[2]): Sample {
  const slash = topic.lastIndexOf('/')
  const equipment = { id: slash > 0 ? topic.slice(0, slash) : UNNAMED_EQUIPMENT, level: 'workUnit' as const }
  return sampleOf({ equipment, signal: { name: topic.slice(slash + 1) } }, raw, setting)
}

function topicOf(signal: unknown, prefix: string, where: string): string {
  const name = typeof signal === 'string' ? signal.trim().replace(/^\/+|\/+$/g, '') : ''
  if (name === '') throw new TaktError('TAKT_SAMPLE_SIGNAL_MISSING', { where })
  return prefix === '' || name.startsWith(`${prefix}/`) ? name : `${prefix}/${name}`
}

type Field = (message: Message) => unknown

function field(RED: NodeAPI, node: Node, value: string, type: string): Field {
  if (type === 'now' || type === 'good') return () => undefined
  if (type === 'msg' && /^\w+$/.test(value)) return (message) => (Object.hasOwn(message, value) ? message[value] : undefined)
  if (type === 'jsonata') {
    const expression = RED.util.prepareJSONataExpression(value, node)
    return (message) => later((done) => RED.util.evaluateJSONataExpression(expression, message as never, done))
  }
  if (ASYNCHRONOUS.has(type)) return (message) => later((done) => void RED.util.evaluateNodeProperty(value, type as never, node, message as never, done))
  return (message) => RED.util.evaluateNodeProperty(value, type as never, node, message as never) as unknown
}

function later(ask: (done: (error: Error | null, value: unknown) => void) => void): Promise<unknown> {
  return new Promise((resolve, reject) => ask((error, value) => (error === null || error === undefined ? resolve(value) : reject(error))))
}

/** A sample document that a Takt node made: told by its kind and the types of what is read often. */
export function isSample(payload: unknown): payload is Sample {
  if (typeof payload !== 'object' || payload === null) return false
  const sample = payload as Partial<Sample>
  return sample.kind === 'sample' && typeof sample.equipment === 'string' && typeof sample.signal === 'string' && typeof sample.time === 'number'
}
