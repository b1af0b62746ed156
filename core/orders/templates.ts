import { isDeepStrictEqual } from 'node:util'
import { TaktError } from '../base/error.ts'
import type { OrderTemplate } from '../messages/order-template.ts'
import type { WorkOrder } from '../messages/work-order.ts'
import type { Plant } from '../plant/plant.ts'
import type { StoreReader, StoreTransaction } from '../store/store.ts'
import type { Because } from './change-job-order.ts'
import { checkOrderRequest, orderTerms } from './order-request.ts'
import { readDuration, readTime } from './times.ts'

/** What belongs to one order, and to no template. */
const OF_ONE_ORDER = ['id', 'external', 'release', 'due', 'materialAt', 'template']

type Fields = Readonly<Record<string, unknown>>

/** A template as it is asked for, checked. */
export interface TemplateRequest extends Pick<OrderTemplate, 'name' | 'order' | 'releaseAfterMs' | 'dueAfterMs'> {
  readonly active: boolean
  /** false: only whether it is active changes */
  readonly isWhole: boolean
}

/**
 * `{ name, product | workMaster | operations, quantity, tolerance?, priority?, weight?, parameters?, releaseAfter?, dueAfter?, active? }`: spans in ms, or as text
 * (`PT24H`, `8:00`). `{ name, active }` alone switches one off or on. Throws TAKT_MESSAGE_INVALID, and what an order like this throws.
 */
export function readTemplate(payload: unknown, plant: Plant, where: string): TemplateRequest {
  const wrong = (what: string): TaktError => new TaktError('TAKT_MESSAGE_INVALID', { what, where })
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) throw wrong('a template is an object')
  const { name, releaseAfter, dueAfter, active = true, why: _why, ...order } = payload as Fields
  if (typeof name !== 'string' || !/^[\w.-]{1,80}$/.test(name)) throw wrong("'name' of a template is letters, digits, dots and dashes")
  if (typeof active !== 'boolean') throw wrong("'active' is true or false")
  const misplaced = OF_ONE_ORDER.find((field) => Object.hasOwn(order, field))
  if (misplaced !== undefined) throw wrong(`'${misplaced}' belongs to one order, not to a template: give it with create`)
  const span = (value: unknown, field: string): number | undefined => {
    const ms = value === undefined ? undefined : typeof value === 'number' ? readDuration(value, 'ms') : readDuration(value, 'min')
    if (value !== undefined && ms === undefined) throw wrong(`'${field}' is no span of time: give ms, or text like PT24H`)
    return ms
  }
  const spans = { ...defined('releaseAfterMs', span(releaseAfter, 'releaseAfter')), ...defined('dueAfterMs', span(dueAfter, 'dueAfter')) }
  const isWhole = Object.keys(order).length > 0 || Object.keys(spans).length > 0
  if (isWhole) orderTerms(checkOrderRequest(order, where), plant, where)
  return { name, order, ...spans, active, isWhole }
}

/** Keeps a template: as its first version, as the next one where it says something else, or not again where it says the same. Throws TAKT_TEMPLATE_UNKNOWN. */
export async function saveTemplate(tx: StoreTransaction, { isWhole, ...asked }: TemplateRequest, because: Because): Promise<OrderTemplate> {
  const latest = await latestOf(tx, asked.name)
  if (!isWhole && latest === undefined) throw unknown(asked.name, `template ${asked.name}`)
  const { order, releaseAfterMs, dueAfterMs } = isWhole || latest === undefined ? asked : latest
  const says = { order, ...defined('releaseAfterMs', releaseAfterMs), ...defined('dueAfterMs', dueAfterMs), active: asked.active }
  if (latest !== undefined && isSame(latest, says)) return latest
  const version = (latest?.version ?? 0) + 1
  const { name } = asked
  return tx.save<'order-template'>(
    { kind: 'order-template', id: `${name}@${version}`, name, version, ...says, by: because.actor },
    { type: version === 1 ? 'order-template.created' : says.active ? 'order-template.changed' : 'order-template.retired', ...because },
  )
}

/** One of the requests is to be made from a template. */
export function namesTemplate(payload: unknown): boolean {
  const list: readonly unknown[] = Array.isArray(payload) ? payload : [payload]
  return list.some((item) => typeof item === 'object' && item !== null && !(item instanceof Uint8Array) && Object.hasOwn(item, 'template'))
}

/**
 * Requests that name a template become whole ones: what they say themselves goes before what the template says. Times count from `now`; asked for again, the order that
 * is there keeps its own. A request without a template stays as it is. Throws TAKT_TEMPLATE_UNKNOWN.
 */
export async function fillFromTemplates(reader: StoreReader, payload: unknown, plant: Plant, now: number, where: string): Promise<unknown> {
  if (Array.isArray(payload)) {
    const filled: unknown[] = []
    for (const item of payload) filled.push(await fillFromTemplates(reader, item, plant, now, where))
    return filled
  }
  if (!namesTemplate(payload)) return payload
  const { template: reference, ...said } = payload as Fields
  const template = await templateNamed(reader, reference, where)
  const { id, order, releaseAfterMs, dueAfterMs } = template
  const known = await orderAskedFor(reader, said)
  const release = said.release ?? known?.release ?? (releaseAfterMs === undefined ? undefined : now + releaseAfterMs)
  const from = (release === undefined ? now : readTime(release, plant.timeZone)) ?? now
  const due = Object.hasOwn(said, 'due')
    ? said.due
    : known === undefined
      ? dueAfterMs === undefined
        ? undefined
        : from + dueAfterMs
      : (known.asked ?? known).due
  return { ...order, ...said, ...defined('release', release), ...defined('due', due), template: id }
}

/** `weekly-flush`: its newest version; `weekly-flush@2`: that one. None of a template that was switched off. */
async function templateNamed(reader: StoreReader, reference: unknown, where: string): Promise<OrderTemplate> {
  if (typeof reference !== 'string' || reference === '' || reference.length > 200)
    throw new TaktError('TAKT_MESSAGE_INVALID', { what: "'template' is no name of one", where })
  const latest = await latestOf(reader, reference.replace(/@\d+$/, ''))
  const exact = reference.includes('@') ? await reader.get('order-template', reference) : latest
  if (latest === undefined || exact === undefined) throw unknown(reference, where)
  if (!latest.active) throw new TaktError('TAKT_TEMPLATE_UNKNOWN', { what: `the template '${reference}' was switched off`, where })
  return exact
}

async function latestOf(reader: StoreReader, name: string): Promise<OrderTemplate | undefined> {
  const [latest] = await reader.list('order-template', { where: { name }, orderBy: 'version', descending: true, limit: 1 })
  return latest
}

async function orderAskedFor(reader: StoreReader, { id, external }: Fields): Promise<WorkOrder | undefined> {
  const { system, id: number } = (typeof external === 'object' && external !== null ? external : {}) as Fields
  if (typeof system === 'string' && typeof number === 'string') {
    const [order] = await reader.list('work-order', { where: { external_system: system, external_id: number } })
    if (order !== undefined) return order
  }
  return typeof id === 'string' ? reader.get('work-order', id) : undefined
}

function isSame(
  { order, releaseAfterMs, dueAfterMs, active }: OrderTemplate,
  says: Pick<OrderTemplate, 'order' | 'releaseAfterMs' | 'dueAfterMs' | 'active'>,
): boolean {
  return isDeepStrictEqual({ order, ...defined('releaseAfterMs', releaseAfterMs), ...defined('dueAfterMs', dueAfterMs), active }, says)
}

function unknown(name: string, where: string): TaktError {
  return new TaktError('TAKT_TEMPLATE_UNKNOWN', { what: `there is no template '${name.slice(0, 100)}'`, where })
}

function defined<K extends string, T>(name: K, value: T | undefined): Partial<Record<K, T>> {
  return value === undefined ? {} : ({ [name]: value } as Record<K, T>)
}
