import { createHash } from 'node:crypto'
import { TaktError } from '../base/error.ts'
import { assertSafe } from '../base/json.ts'
import type { Sample } from '../messages/sample.ts'
import { assertText } from '../orders/order-text.ts'
import type { Plant } from '../plant/plant.ts'

/** Something measured, as far as its sender can say what it was measured on. One value a part. */
export interface Measurement {
  /** The same for the same measurement, however often it arrives. */
  readonly id: string
  readonly characteristic: string
  readonly values: readonly number[]
  readonly equipment: string | null
  readonly jobOrder: string | null
  readonly lot: string | null
  readonly serial: string | null
  /** When it was measured, epoch ms. */
  readonly time: number
}

/**
 * A measurement from a sample of role `characteristic`; undefined for any other signal, and for a value whose quality is bad, because then nothing was measured.
 * Throws TAKT_QUALITY_VALUE_INVALID.
 */
export function measurementOfSample(sample: Sample, plant: Plant): Measurement | undefined {
  const { equipment, signal, value, time, context = {} } = sample
  if (plant.signal(`${equipment}/${signal}`)?.signal.role !== 'characteristic' || sample.quality === 'bad') return undefined
  return identified({
    characteristic: signal,
    values: numbers(value, `${equipment}/${signal}`),
    equipment,
    jobOrder: context.jobOrder ?? null,
    lot: context.lot ?? null,
    serial: context.serial ?? null,
    time,
  })
}

/**
 * A measurement from a plain message of a person or a gauge: `{ characteristic, values | value, lot?, jobOrder?, equipment?, serial?, time?, id? }`.
 * Give an `id`, or a `time`, to what may be sent twice; `occasion` stands for both where the message came with a number of its own. Throws TAKT_MESSAGE_INVALID, TAKT_QUALITY_VALUE_INVALID.
 */
export function measurementOfMessage(payload: unknown, now: number, where: string, occasion?: string): Measurement {
  assertSafe(payload, where)
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload))
    throw new TaktError('TAKT_MESSAGE_INVALID', { what: 'not a sample and not an object with characteristic and values', where })
  const fields = payload as Record<string, unknown>
  const characteristic = text(fields, 'characteristic', where)
  if (characteristic === null) throw new TaktError('TAKT_MESSAGE_INVALID', { what: 'it does not name a characteristic', where })
  const time = fields.time ?? now
  if (typeof time !== 'number' || !Number.isFinite(time) || time < 0)
    throw new TaktError('TAKT_MESSAGE_INVALID', { what: 'the time is not epoch milliseconds', where })
  const measured = {
    characteristic,
    values: numbers(fields.values ?? fields.value, where),
    equipment: text(fields, 'equipment', where),
    jobOrder: text(fields, 'jobOrder', where),
    lot: text(fields, 'lot', where),
    serial: text(fields, 'serial', where),
    time,
  }
  const id = text(fields, 'id', where)
  if (id !== null) return { ...measured, id: `qr-${id}`.slice(0, 200) }
  return identified(measured, fields.time === undefined || fields.time === null ? occasion : undefined)
}

const MOST_VALUES = 10_000

function numbers(value: unknown, where: string): readonly number[] {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (values.length === 0 || values.length > MOST_VALUES)
    throw new TaktError('TAKT_QUALITY_VALUE_INVALID', { what: `${values.length} values where 1 to ${MOST_VALUES} are taken`, where })
  for (const one of values) {
    if (typeof one !== 'number' || !Number.isFinite(one))
      throw new TaktError('TAKT_QUALITY_VALUE_INVALID', {
        what: `${typeof one === 'string' ? `'${one.slice(0, 40)}'` : String(one)} is not a finite number`,
        where,
      })
  }
  return values as readonly number[]
}

const LONGEST_ID = 200

function text(fields: Readonly<Record<string, unknown>>, key: string, where: string): string | null {
  const value = fields[key]
  if (value === undefined || value === null || value === '') return null
  if (typeof value !== 'string' || value.length > (key === 'equipment' ? 500 : LONGEST_ID))
    throw new TaktError('TAKT_MESSAGE_INVALID', { what: `'${key}' is not an id`, where })
  assertText(value, where, `/${key}`)
  return value
}

/** Measurements without a number of their own are told apart by everything that is known of them. */
function identified(measured: Omit<Measurement, 'id'>, occasion?: string): Measurement {
  const { characteristic, values, equipment, jobOrder, lot, serial, time } = measured
  const hash = createHash('sha256')
    .update(JSON.stringify([characteristic, values, equipment, jobOrder, lot, serial, occasion ?? time]))
    .digest('hex')
  return { ...measured, id: `qr-${hash.slice(0, 20)}` }
}
