import type { Clock } from '../base/clock.ts'
import { TaktError } from '../base/error.ts'
import type { Context } from '../messages/common.ts'
import type { Sample } from '../messages/sample.ts'
import type { SignalRole } from '../plant/model.ts'
import type { BoundSignal, Plant } from '../plant/plant.ts'

/** A value as it came: nothing is known about it yet. */
export interface RawSample {
  /** `<equipment>/<signal>`; or give `equipment` and `signal`. */
  readonly topic?: unknown
  readonly equipment?: unknown
  readonly signal?: unknown
  readonly value: unknown
  /** Epoch ms, ISO 8601, or a Date; without it the time of arrival counts. */
  readonly time?: unknown
  /** `good`, `uncertain`, `bad`, an OPC UA status name or code; without it good. */
  readonly quality?: unknown
  readonly context?: unknown
  readonly origin?: Sample['origin']
}

/** How far a source time may be from ours, ms of plant time. */
export interface TimeTolerance {
  readonly futureMs: number
  readonly ageMs: number
}

/** A minute ahead is a clock that drifts; a year behind is a clock that was never set. Times between are late, and late values count. */
export const DEFAULT_TOLERANCE: TimeTolerance = { futureMs: 60_000, ageMs: 366 * 86_400_000 }

export interface SampleSetting {
  readonly clock: Clock
  /** For errors: the node and where the value came from. */
  readonly where: string
  readonly tolerance?: TimeTolerance
}

/**
 * A trusted `sample` document from a raw value. Throws TAKT_EQUIPMENT_UNKNOWN, TAKT_SIGNAL_UNKNOWN, or TAKT_SAMPLE_… with what is wrong;
 * what comes out needs no further validation.
 */
export function makeSample(raw: RawSample, setting: SampleSetting & { readonly plant: Plant }): Sample {
  return sampleOf(findSignal(raw, setting.plant, setting.where), raw, setting)
}

/** The same for a signal that is known already; the fast path of the sensors. */
export function sampleOf(bound: BoundSignal, raw: RawSample, setting: SampleSetting): Sample {
  const { signal } = bound
  const received = setting.clock.now()
  const sample: Sample = {
    kind: 'sample',
    equipment: bound.equipment.id,
    signal: signal.name,
    value: plainValue(raw.value, signal.role, setting.where),
    quality: raw.quality === undefined ? 'good' : qualityOf(raw.quality, setting.where),
    time: raw.time === undefined || raw.time === null ? received : timeOf(raw.time, received, setting),
    received,
  }
  if (signal.unit !== undefined) sample.unit = signal.unit
  if (raw.origin !== undefined) sample.origin = raw.origin
  if (raw.context !== undefined) {
    const context = contextOf(raw.context)
    if (context !== undefined) sample.context = context
  }
  return sample
}

/** The signal that a raw sample names, by topic or by equipment and signal. */
export function findSignal(raw: Pick<RawSample, 'topic' | 'equipment' | 'signal'>, plant: Plant, where: string): BoundSignal {
  const topic = raw.topic ?? (raw.equipment !== undefined && raw.signal !== undefined ? `${String(raw.equipment)}/${String(raw.signal)}` : undefined)
  if (typeof topic !== 'string' || topic === '') {
    throw new TaktError('TAKT_SAMPLE_SIGNAL_MISSING', { where })
  }
  const bound = plant.signal(topic)
  if (bound !== undefined) return bound
  const equipment = typeof raw.equipment === 'string' ? raw.equipment : topic.slice(0, Math.max(0, topic.lastIndexOf('/')))
  if (plant.equipment(equipment) === undefined)
    throw new TaktError('TAKT_EQUIPMENT_UNKNOWN', { what: `equipment '${clip(equipment || topic)}' is not in the plant model`, where })
  const signal = topic.slice(equipment.length + 1)
  throw new TaktError('TAKT_SIGNAL_UNKNOWN', { what: `signal '${clip(signal)}' of '${clip(equipment)}' is not in the plant model`, where })
}

/**
 * For equal source times the job order comes first and the state last: a part is booked on the job that the machine named,
 * and a state that ends a job finds its last part counted.
 */
const ROLE_RANK: Partial<Record<SignalRole, number>> = { 'job-order': 0, 'good-count': 1, 'scrap-count': 1, 'packml-mode': 3, 'packml-state': 4 }
const OTHER_RANK = 2

export function roleRank(role: SignalRole | undefined): number {
  return role === undefined ? OTHER_RANK : (ROLE_RANK[role] ?? OTHER_RANK)
}

const NUMERIC_ROLES: ReadonlySet<SignalRole | undefined> = new Set<SignalRole>(['good-count', 'scrap-count', 'condition', 'characteristic'])
const LONGEST_TEXT = 100_000

function plainValue(value: unknown, role: SignalRole | undefined, where: string): Sample['value'] {
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TaktError('TAKT_SAMPLE_VALUE_NOT_FINITE', { what: `value is ${value}`, where })
    return role === 'job-order' ? String(value) : value
  }
  if (typeof value === 'string') return textValue(value, role, where)
  if (typeof value === 'boolean') {
    if (role === 'condition' || role === 'characteristic') return value ? 1 : 0
    if (role === undefined || role === 'other') return value
    throw wrongType(value, role, where)
  }
  if (typeof value === 'bigint' && Number.isSafeInteger(Number(value))) return plainValue(Number(value), role, where)
  // a machine without a job says so with null or an empty text
  if (value === null && role === 'job-order') return ''
  if (value === undefined || value === null) throw new TaktError('TAKT_SAMPLE_VALUE_MISSING', { where })
  throw wrongType(value, role, where)
}

function textValue(text: string, role: SignalRole | undefined, where: string): Sample['value'] {
  if (text.length > LONGEST_TEXT) {
    throw new TaktError('TAKT_MESSAGE_TOO_LARGE', { what: `a value of ${text.length} characters where at most ${LONGEST_TEXT} are taken`, where })
  }
  // a NUL would cut the text in the database and on many a screen
  if (text.includes('\0')) throw new TaktError('TAKT_SAMPLE_VALUE_TYPE', { what: 'the text has a NUL in it', where })
  // some gateways have no JSON at hand for these and spell them out
  if (role !== 'job-order' && /^\s*[+-]?(nan|inf|infinity)\s*$/i.test(text))
    throw new TaktError('TAKT_SAMPLE_VALUE_NOT_FINITE', { what: `value is '${text.trim()}'`, where })
  if (NUMERIC_ROLES.has(role)) {
    const number = numberOf(text)
    if (number === undefined) throw wrongType(text, role, where)
    return number
  }
  if (role === 'packml-state' || role === 'packml-mode') return numberOf(text) ?? text
  return text
}

/** The number that a text spells in decimal, `undefined` where it spells none. */
export function numberOf(text: string): number | undefined {
  return /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(text) && Number.isFinite(Number(text)) ? Number(text) : undefined
}

function wrongType(value: unknown, role: SignalRole | undefined, where: string): TaktError {
  const seen =
    typeof value === 'string'
      ? `the text '${clip(value)}'`
      : Array.isArray(value)
        ? 'a list'
        : typeof value === 'object'
          ? 'an object'
          : typeof value === 'bigint'
            ? `${value}`
            : `a ${typeof value}`
  const wanted = NUMERIC_ROLES.has(role) ? 'a number is' : 'a number, text or boolean is'
  return new TaktError('TAKT_SAMPLE_VALUE_TYPE', { what: `value is ${seen} where ${wanted} taken${role === undefined ? '' : ` for role ${role}`}`, where })
}

function timeOf(raw: unknown, now: number, setting: SampleSetting): number {
  const time = typeof raw === 'number' ? raw : raw instanceof Date ? raw.getTime() : typeof raw === 'string' ? (numberOf(raw) ?? Date.parse(raw)) : Number.NaN
  if (!Number.isFinite(time)) {
    throw new TaktError('TAKT_SAMPLE_TIME_INVALID', {
      what: `time ${typeof raw === 'string' ? `'${clip(raw)}'` : typeof raw === 'number' ? raw : `of type ${typeof raw}`} is neither epoch milliseconds nor ISO 8601`,
      where: setting.where,
    })
  }
  const { futureMs, ageMs } = setting.tolerance ?? DEFAULT_TOLERANCE
  // where plant time runs fast, so does the error of every clock that is not the same one
  if (time > now + futureMs * Math.max(1, setting.clock.rate))
    throw new TaktError('TAKT_SAMPLE_TIME_FUTURE', { what: `source time ${iso(time)} is ahead of plant time ${iso(now)}`, where: setting.where })
  if (time < now - ageMs || time < 0) {
    // the commonest reason: 1,700,000,000 is a time of today in seconds, and of January 1970 in milliseconds
    const hint = Math.abs(time * 1000 - now) <= ageMs ? `; ${time} looks like seconds where milliseconds are taken` : ''
    throw new TaktError('TAKT_SAMPLE_TIME_ANCIENT', {
      what: `source time ${iso(time)} is too far behind plant time ${iso(now)}${hint}`,
      where: setting.where,
    })
  }
  return time
}

function iso(time: number): string {
  return Math.abs(time) <= 8.64e15 ? new Date(time).toISOString() : String(time)
}

function qualityOf(raw: unknown, where: string): Sample['quality'] {
  if (raw === 'good' || raw === 'uncertain' || raw === 'bad') return raw
  if (raw === null) return 'good'
  if (typeof raw === 'boolean') return raw ? 'good' : 'bad'
  if (typeof raw === 'number' && Number.isInteger(raw)) return qualityOfStatus(raw)
  const name = typeof raw === 'string' ? /^(good|uncertain|bad)/i.exec(raw)?.[1]?.toLowerCase() : undefined
  if (name !== undefined) return name as Sample['quality']
  throw new TaktError('TAKT_SAMPLE_QUALITY_UNKNOWN', { what: `quality ${typeof raw === 'string' ? `'${clip(raw)}'` : typeof raw} is unknown`, where })
}

/** Quality of an OPC UA status code: its two highest bits are the severity (OPC 10000-4, 7.39). */
export function qualityOfStatus(code: number): Sample['quality'] {
  const severity = (code >>> 30) & 3
  return severity === 0 ? 'good' : severity === 1 ? 'uncertain' : 'bad'
}

const CONTEXT_KEYS = ['product', 'jobOrder', 'lot', 'serial'] as const

/** Own, short, plain values only; anything else in a context is not worth losing the value over. */
function contextOf(raw: unknown): Context | undefined {
  if (typeof raw !== 'object' || raw === null) return undefined
  let context: Context | undefined
  for (const key of CONTEXT_KEYS) {
    if (!Object.hasOwn(raw, key)) continue
    const value = (raw as Record<string, unknown>)[key]
    if ((typeof value !== 'string' && typeof value !== 'number') || value === '') continue
    context ??= {}
    context[key] = String(value).slice(0, 200)
  }
  return context
}

function clip(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}…` : text
}
