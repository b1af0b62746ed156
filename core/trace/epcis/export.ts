import { TaktError } from '../../base/error.ts'
import type { Genealogy } from '../../messages/genealogy.ts'
import type { Plant } from '../../plant/plant.ts'
import type { StoreReader } from '../../store/store.ts'
import { lineage } from '../lineage.ts'
import { readMany } from '../rows.ts'
import { eventsOf } from '../touched.ts'
import { reframe } from './frame.ts'
import { type EpcisSettings, type LotFacts, TAKT_NAMESPACE, toEpcis } from './to-epcis.ts'

type Fields = Record<string, unknown>

const CONTEXT = 'https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld'
const EVENTS_AT_MOST = 10_000

/** What is to be exported: a captured document as it was, the events of a lot and of what it was made from (or became), or those of a span of time. */
export type ExportRequest =
  | { readonly document: string }
  | { readonly lot: string; readonly direction?: 'backward' | 'forward' | 'none' }
  | { readonly from: number; readonly to: number }

/** A captured document, equal to what came. Throws TAKT_EPCIS_UNKNOWN. */
export async function exportDocument({ db }: StoreReader, id: string): Promise<Fields> {
  const document = await db.selectFrom('epcis_document').select('frame').where('id', '=', id).executeTakeFirst()
  if (document === undefined) throw new TaktError('TAKT_EPCIS_UNKNOWN', { what: `there is no EPCIS document '${id}'`, where: 'EPCIS export' })
  const rows = await db
    .selectFrom('epcis_place')
    .innerJoin('epcis_event', 'epcis_event.id', 'epcis_place.event')
    .select('epcis_event.body')
    .where('epcis_place.document', '=', id)
    .orderBy('epcis_place.position')
    .execute()
  return { ...reframe({ frame: JSON.parse(document.frame), events: rows.map(({ body }) => JSON.parse(body) as Fields) }) }
}

/**
 * An EPCISDocument of events of genealogy, oldest first. Those that came as EPCIS are given as they came, under the context that they came with.
 * Throws TAKT_LOT_UNKNOWN, TAKT_TRACE_LIMIT beyond 10,000 events, TAKT_EPCIS_UNKNOWN.
 */
export async function exportEpcis(reader: StoreReader, plant: Plant, request: ExportRequest, settings: EpcisSettings, now: number): Promise<Fields> {
  if ('document' in request) return exportDocument(reader, request.document)
  const events =
    'lot' in request ? await eventsOfLot(reader, request.lot, request.direction ?? 'backward') : await eventsBetween(reader, request.from, request.to)
  if (events.length > EVENTS_AT_MOST) throw new TaktError('TAKT_TRACE_LIMIT', { what: `more than ${EVENTS_AT_MOST} events`, where: 'EPCIS export' })
  const facts = await factsOf(reader, plant, events)
  const captured = await capturedAs(reader, events)
  return {
    '@context': [CONTEXT, { takt: TAKT_NAMESPACE }],
    type: 'EPCISDocument',
    schemaVersion: '2.0',
    creationDate: new Date(now).toISOString(),
    epcisBody: { eventList: events.map((event) => captured.get(event.id ?? '') ?? toEpcis(event, facts, settings)) },
  }
}

async function eventsOfLot(reader: StoreReader, lot: string, direction: 'backward' | 'forward' | 'none'): Promise<readonly Genealogy[]> {
  // also says whether there is such a lot
  const others = await lineage(reader, lot, direction === 'forward' ? 'forward' : 'backward', EVENTS_AT_MOST)
  const events = new Map<string, Genealogy>()
  for (const name of direction === 'none' ? [lot] : [lot, ...others.map((traced) => traced.lot)]) {
    for (const event of await eventsOf(reader, name)) events.set(event.id ?? '', event)
    if (events.size > EVENTS_AT_MOST) break
  }
  return [...events.values()].sort((a, b) => (a.ledger ?? 0) - (b.ledger ?? 0))
}

async function eventsBetween({ db }: StoreReader, from: number, to: number): Promise<readonly Genealogy[]> {
  const rows = await db
    .selectFrom('genealogy')
    .select('document')
    .where('time', '>=', from)
    .where('time', '<', to)
    .orderBy('ledger')
    .limit(EVENTS_AT_MOST + 1)
    .execute()
  return rows.map(({ document }) => JSON.parse(document) as Genealogy)
}

async function factsOf({ db }: StoreReader, plant: Plant, events: readonly Genealogy[]): Promise<(lot: string) => LotFacts> {
  const lots = [...new Set(events.flatMap(({ inputs, outputs }) => [...inputs, ...outputs].map(({ lot }) => lot)))]
  const rows = await readMany(lots, (some) => db.selectFrom('lot_stock').select(['lot', 'material']).where('lot', 'in', some).execute())
  const materials = new Map(rows.map(({ lot, material }) => [lot, material]))
  const numbered = new Set((plant.model.materials ?? []).filter(({ tracking }) => tracking === 'serial').map(({ id }) => id))
  return (lot) => {
    const material = materials.get(lot) ?? 'unknown'
    return { material, level: material === 'container' || numbered.has(material) ? 'instance' : 'class' }
  }
}

/** Events that came as EPCIS, by the event of genealogy that they were booked as. */
async function capturedAs({ db }: StoreReader, events: readonly Genealogy[]): Promise<ReadonlyMap<string, Fields>> {
  const rows = await readMany(
    events.flatMap(({ id }) => id ?? []),
    (some) => db.selectFrom('epcis_event').select(['id', 'genealogy', 'body']).where('genealogy', 'in', some).execute(),
  )
  const contexts = await contextsOf(
    { db },
    rows.map(({ id }) => id),
  )
  return new Map(
    rows.map(({ id, genealogy, body }) => {
      const event = JSON.parse(body) as Fields
      const context = contexts.get(id)
      return [genealogy ?? '', context === undefined || event['@context'] !== undefined ? event : { '@context': context, ...event }]
    }),
  )
}

async function contextsOf({ db }: Pick<StoreReader, 'db'>, events: readonly string[]): Promise<ReadonlyMap<string, unknown>> {
  const rows = await readMany(events, (some) =>
    db
      .selectFrom('epcis_place')
      .innerJoin('epcis_document', 'epcis_document.id', 'epcis_place.document')
      .select(['epcis_place.event', 'epcis_document.frame'])
      .where('epcis_place.event', 'in', some)
      .execute(),
  )
  return new Map(rows.map(({ event, frame }) => [event, (JSON.parse(frame) as Fields | null)?.['@context']]))
}
