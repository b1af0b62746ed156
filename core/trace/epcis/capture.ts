import { TaktError, toTaktError } from '../../base/error.ts'
import { assertSafe, parseJson } from '../../base/json.ts'
import type { Genealogy } from '../../messages/genealogy.ts'
import type { Plant } from '../../plant/plant.ts'
import type { Store, StoreTransaction } from '../../store/store.ts'
import { toStoredJson } from '../../store/values.ts'
import { contentHash } from '../canonical.ts'
import { recordEvent, type TraceOptions } from '../record-event.ts'
import { readMany, slicesOf } from '../rows.ts'
import { checkEpcis, type Fault, isObject } from './check.ts'
import { eventPath, unframe } from './frame.ts'
import { fromEpcis } from './from-epcis.ts'
import type { EpcisIds } from './ids.ts'

export interface CaptureOptions extends TraceOptions {
  readonly ids: EpcisIds
  /** What a bad event does to its document: `rollback` captures nothing of it (as EPCIS 2.0 has it without a word from the sender), `proceed` captures the others. */
  readonly onError: 'rollback' | 'proceed'
  /** Book what moves stock into genealogy, too. */
  readonly book: boolean
  readonly where: string
}

export interface CapturedEvent {
  /** place in the document, from 0 */
  readonly position: number
  /** key of the event: its eventID, or a hash of what it says */
  readonly event: string
  /** captured now, known before, refused (the document's other events were captured) */
  readonly outcome: 'captured' | 'known' | 'refused'
  /** the event of genealogy that it was booked as */
  readonly genealogy?: Genealogy
  /** why it was refused, or could not be booked */
  readonly problem?: TaktError
}

export interface Captured {
  /** ask for it again with this */
  readonly document: string
  readonly events: readonly CapturedEvent[]
}

const LARGEST_BYTES = 64 * 1024 * 1024
const EVENTS_AT_MOST = 10_000
const FAULTS_TOLD = 20
const ROWS_AT_ONCE = 100

/**
 * Takes an EPCIS 2.0 document (text or object): each event is kept as it came, with a row of the ledger, and the document can be had again as it was. An event that came
 * before is known; one whose eventID came with another body is refused, unless it declares an error. Throws TAKT_EPCIS_INVALID with every place that is wrong,
 * TAKT_EPCIS_EXISTS_DIFFERENT, TAKT_MESSAGE_*: nothing was captured then.
 */
export async function captureEpcis(store: Store, plant: Plant, payload: unknown, options: CaptureOptions): Promise<Captured> {
  const { where } = options
  const document = typeof payload === 'string' || payload instanceof Uint8Array ? parseJson(payload, { maxBytes: LARGEST_BYTES, where }) : payload
  assertSafe(document, where)
  const wrong = sortFaults(document, checkEpcis(document), options)
  if (!isObject(document)) throw new TaktError('TAKT_EPCIS_INVALID', { where })
  const { frame, events } = unframe(document)
  if (events.length > EVENTS_AT_MOST)
    throw new TaktError('TAKT_MESSAGE_TOO_LARGE', { what: `${events.length} events where at most ${EVENTS_AT_MOST} are taken at once`, where })
  const captured = await store.transaction((tx) => keep(tx, frame, events, wrong, options))
  if (!options.book) return captured
  const booked: CapturedEvent[] = []
  for (const event of captured.events) booked.push(event.outcome === 'refused' ? event : await book(store, plant, event, events[event.position], options))
  return { ...captured, events: booked }
}

/** Faults of single events by their place; throws where the document cannot be taken. */
function sortFaults(document: unknown, faults: readonly Fault[], { onError, where }: CaptureOptions): ReadonlyMap<number, TaktError> {
  const byEvent = new Map<number, Fault[]>()
  const path = isObject(document) ? eventPath(document) : ''
  let whole = false
  for (const found of faults) {
    const place = path !== '' && found.path.startsWith(`${path}/`) ? Number(found.path.slice(path.length + 1).split('/')[0]) : Number.NaN
    if (Number.isNaN(place)) whole = true
    else byEvent.set(place, [...(byEvent.get(place) ?? []), found])
  }
  if (whole || (faults.length > 0 && onError === 'rollback')) throw invalid(faults, where)
  return new Map(Array.from(byEvent, ([place, of]) => [place, invalid(of, where)]))
}

function invalid(faults: readonly Fault[], where: string): TaktError {
  const told = faults.slice(0, FAULTS_TOLD).map(({ path, what }) => `${path} ${what}`)
  const more = faults.length > FAULTS_TOLD ? `; and ${faults.length - FAULTS_TOLD} more` : ''
  return new TaktError('TAKT_EPCIS_INVALID', { what: `not EPCIS 2.0: ${told.join('; ')}${more}`, where, details: faults })
}

async function keep(
  tx: StoreTransaction,
  frame: Readonly<Record<string, unknown>> | null,
  events: ReadonlyArray<Readonly<Record<string, unknown>>>,
  wrong: ReadonlyMap<number, TaktError>,
  options: CaptureOptions,
): Promise<Captured> {
  const { onError, where, actor } = options
  const kept: CapturedEvent[] = []
  const known = await hashesOf(tx, events.map(keyOf))
  const fresh: EventRow[] = []
  for (const [position, body] of events.entries()) {
    const event = keyOf(body)
    const hash = contentHash(body)
    const before = known.get(event)
    const problem =
      wrong.get(position) ??
      (before === undefined || before === hash
        ? undefined
        : new TaktError('TAKT_EPCIS_EXISTS_DIFFERENT', { what: `event '${event.slice(0, 200)}' was captured with another body`, where }))
    if (problem !== undefined) {
      if (onError === 'rollback') throw problem
      kept.push({ position, event, outcome: 'refused', problem })
      continue
    }
    if (before === undefined) {
      fresh.push({
        id: event,
        hash,
        body: toStoredJson(body, `EPCIS event ${event.slice(0, 200)}`),
        type: String(body.type),
        time: Date.parse(String(body.eventTime)),
      })
      await tx.record({ type: 'epcis.event', subject: event, actor, after: body })
      known.set(event, hash)
    }
    kept.push({ position, event, outcome: before === undefined ? 'captured' : 'known' })
  }
  for (const some of slicesOf(fresh, ROWS_AT_ONCE))
    await tx.db
      .insertInto('epcis_event')
      .values(some.map((row) => ({ ...row, genealogy: null, problem: null })))
      .execute()
  const taken = kept.filter(({ outcome }) => outcome !== 'refused')
  const document = `epcis-${contentHash([frame, taken.map(({ event }) => event)]).slice(0, 32)}`
  const stored = await tx.db.selectFrom('epcis_document').select('id').where('id', '=', document).executeTakeFirst()
  if (stored === undefined && taken.length > 0) {
    const after = { frame, events: taken.map(({ event }) => event) }
    const { sequence } = await tx.record({ type: 'epcis.captured', subject: document, actor, after })
    await tx.db
      .insertInto('epcis_document')
      .values({ id: document, frame: toStoredJson(frame, where), ledger: sequence, received: tx.now })
      .execute()
    const places = taken.map(({ event }, position) => ({ document, position, event }))
    for (const some of slicesOf(places, ROWS_AT_ONCE))
      await tx.db
        .insertInto('epcis_place')
        .values([...some])
        .execute()
  }
  return { document, events: kept }
}

type EventRow = Readonly<Record<'id' | 'hash' | 'body' | 'type', string>> & { readonly time: number }

/** What is captured already of these events. */
async function hashesOf({ db }: StoreTransaction, events: readonly string[]): Promise<Map<string, string>> {
  const rows = await readMany([...new Set(events)], (some) => db.selectFrom('epcis_event').select(['id', 'hash']).where('id', 'in', some).execute())
  return new Map(rows.map(({ id, hash }) => [id, hash]))
}

/** The event's own id; a declaration of an error has the id of the event that it takes back. Without one, what it says. */
function keyOf(body: Readonly<Record<string, unknown>>): string {
  const { eventID, errorDeclaration } = isObject(body) ? body : {}
  if (typeof eventID !== 'string') return `takt:hash:${contentHash(body)}`
  return errorDeclaration === undefined ? eventID : `${eventID}#error`
}

/** In a transaction of its own: what cannot be booked is captured nevertheless, with why it was not. Booked once. */
async function book(
  store: Store,
  plant: Plant,
  captured: CapturedEvent,
  body: Readonly<Record<string, unknown>> | undefined,
  options: CaptureOptions,
): Promise<CapturedEvent> {
  const { event } = captured
  const row = await store.db.selectFrom('epcis_event').select(['genealogy', 'problem']).where('id', '=', event).executeTakeFirst()
  if (row === undefined || body === undefined || row.genealogy !== null) return captured
  const read = fromEpcis(body, event, options.ids)
  const note = (tx: StoreTransaction, values: { genealogy: string | null; problem: string | null }) =>
    tx.db.updateTable('epcis_event').set(values).where('id', '=', event).execute()
  if ('nothing' in read) {
    if (row.problem !== read.nothing) await store.transaction((tx) => note(tx, { genealogy: null, problem: read.nothing }))
    return captured
  }
  try {
    const genealogy = await store.transaction(async (tx) => {
      const recorded = await recordEvent(tx, plant, read.event, options)
      await note(tx, { genealogy: recorded.event.id ?? null, problem: null })
      return recorded.event
    })
    return { ...captured, genealogy }
  } catch (thrown) {
    const problem = toTaktError(thrown, options.where)
    if (problem.code.startsWith('TAKT_STORE_') || problem.code === 'TAKT_INTERNAL') throw problem
    const text = `${problem.code}: ${problem.what}`.slice(0, 1000)
    await store.transaction((tx) => note(tx, { genealogy: null, problem: text }))
    return { ...captured, problem }
  }
}
