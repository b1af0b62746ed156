import { TaktError } from '../base/error.ts'
import type { Anomaly } from '../messages/anomaly.ts'
import type { Autonomy } from '../messages/common.ts'
import type { Containment, SuspectLot } from '../messages/containment.ts'
import type { Lot } from '../messages/lot.ts'
import { setLotDisposition } from '../orders/lots.ts'
import type { StoreReader, StoreTransaction } from '../store/store.ts'
import { idFrom } from './canonical.ts'
import { followCounted } from './counted-lots.ts'
import { lineage } from './lineage.ts'
import { whereaboutsOf } from './recall.ts'

export interface Contained {
  readonly containment: Containment
  /** Lots that were put on hold just now. */
  readonly held: readonly Lot[]
  /** False where nothing is other than it was. */
  readonly changed: boolean
}

export const containmentIdOf = (anomaly: string): string => idFrom('containment', anomaly)

/**
 * From an anomaly to the lots that its unit worked on while it stood (from its onset to its end, or until now), and everything made from them: put on hold with
 * where they are (`auto`), proposed (`approve`), or written down (`shadow`). One containment an anomaly: told again it grows by what came into doubt since. A lot that a
 * person has released from it stays released. Undefined where no lot is in doubt.
 */
export async function contain(tx: StoreTransaction, anomaly: Anomaly, autonomy: Autonomy, actor: string): Promise<Contained | undefined> {
  const id = containmentIdOf(anomaly.id)
  const known = await tx.get('containment', id)
  const from = anomaly.since
  const to = anomaly.state === 'cleared' ? Math.max(anomaly.time, from) : Math.max(tx.now, anomaly.time, from)
  if (known?.status === 'refused') return { containment: known, held: [], changed: false }
  const lots = await suspectLots(tx, anomaly.equipment, from, to, actor, known)
  if (lots.length === 0) return undefined
  const status = known?.status === 'acted' || autonomy === 'auto' ? 'acted' : 'proposed'
  const why = `made while anomaly ${anomaly.id} (${anomaly.signals.join(', ')}) stood on ${anomaly.equipment}`.slice(0, 1000)
  const found = new Set(known?.lots.map(({ lot }) => lot))
  const grown = lots.some(({ lot }) => !found.has(lot)) || known?.status !== status
  const held = status === 'acted' ? await hold(tx, id, anomaly.id, lots, why) : []
  if (known !== undefined && !grown && held.length === 0) return { containment: known, held, changed: false }
  const containment = await tx.save<'containment'>(
    {
      kind: 'containment',
      id,
      anomaly: anomaly.id,
      equipment: anomaly.equipment,
      from,
      to,
      autonomy,
      status,
      lots: [...lots],
      why,
      time: tx.now,
      ...(known?.decidedBy === undefined ? {} : { decidedBy: known.decidedBy }),
      ...(known?.revision === undefined ? {} : { revision: known.revision }),
    },
    { type: `containment.${status}`, actor, why },
  )
  return { containment, held, changed: true }
}

/** A person's answer to a proposal. The lots are looked for again, because time has passed. Throws TAKT_CONTAINMENT_UNKNOWN, TAKT_CONTAINMENT_DECIDED. */
export async function answerContainment(
  tx: StoreTransaction,
  id: string,
  decision: 'accept' | 'refuse',
  by: string,
  why: string | undefined,
): Promise<Contained> {
  const where = `containment ${id}`
  const known = await tx.get('containment', id)
  if (known === undefined) throw new TaktError('TAKT_CONTAINMENT_UNKNOWN', { what: `there is no containment '${id}'`, where })
  if (known.status !== 'proposed' || known.autonomy === 'shadow') {
    const what = known.autonomy === 'shadow' ? 'it was only computed in shadow' : `it is ${known.status}, by ${known.decidedBy ?? 'the node'}`
    throw new TaktError('TAKT_CONTAINMENT_DECIDED', { what, where })
  }
  const status = decision === 'accept' ? 'acted' : 'refused'
  const anomaly = await tx.get('anomaly', known.anomaly)
  const to = anomaly === undefined || anomaly.state !== 'cleared' ? tx.now : anomaly.time
  const lots = decision === 'accept' ? await suspectLots(tx, known.equipment, known.from, to, by, known) : known.lots
  const held = decision === 'accept' ? await hold(tx, id, known.anomaly, lots, known.why) : []
  const containment = await tx.save<'containment'>(
    { ...known, to, status, lots: [...lots], decidedBy: by, time: tx.now },
    { type: `containment.${status}`, actor: by, why: why ?? known.why },
  )
  return { containment, held, changed: true }
}

/** Each lot once for an anomaly; one that is held for another reason is held for this one too, so that the other's end does not let it go. */
async function hold(tx: StoreTransaction, id: string, anomaly: string, lots: readonly SuspectLot[], why: string): Promise<Lot[]> {
  const held: Lot[] = []
  const because = { actor: `containment:${anomaly}`, why }
  for (const { lot: name } of lots) {
    if (!(await tx.once(`${id}/${name}`))) continue
    const lot = await tx.get('lot', name)
    if (lot === undefined || lot.disposition === 'scrapped') continue
    if (lot.disposition === 'held') {
      const reason = lot.reason === undefined ? why : `${lot.reason}; ${why}`
      held.push(await tx.save<'lot'>({ ...lot, reason: reason.slice(0, 1000) }, { type: 'lot.held', ...because }))
    } else {
      held.push(await setLotDisposition(tx, name, 'held', because))
    }
  }
  return held
}

async function suspectLots(
  tx: StoreTransaction,
  equipment: string,
  from: number,
  to: number,
  actor: string,
  known: Containment | undefined,
): Promise<readonly SuspectLot[]> {
  const made = await lotsMadeOn(tx, equipment, from, to)
  // what was found before stays in doubt, whatever the clock says now
  for (const { lot, origin } of known?.lots ?? []) if (origin === 'made-in-window') made.add(lot)
  const origins = new Map<string, SuspectLot['origin']>()
  for (const lot of made) {
    if ((await tx.get('lot', lot)) === undefined) continue
    await followCounted(tx, lot, actor)
    origins.set(lot, 'made-in-window')
  }
  for (const lot of [...origins.keys()])
    for (const { lot: child } of await lineage(tx, lot, 'forward')) if (!origins.has(child)) origins.set(child, 'descendant')
  const dispositions = new Map(known?.lots.map(({ lot, disposition }) => [lot, disposition]))
  return (await whereaboutsOf(tx, [...origins.keys()])).map((place) => ({
    lot: place.lot,
    material: place.material,
    origin: origins.get(place.lot) ?? 'descendant',
    quantity: { ...place.quantity },
    location: place.location,
    containers: [...place.containers],
    shipped: place.shipped.map((shipment) => ({ ...shipment })),
    disposition: dispositions.get(place.lot) ?? place.disposition,
  }))
}

/** Lots that a unit worked on in a span: by what it ran, by its job orders' actual times, and by events of genealogy that name it. */
export async function lotsMadeOn({ db }: StoreReader, equipment: string, from: number, to: number): Promise<Set<string>> {
  const ran = await db
    .selectFrom('machine_state')
    .innerJoin('job_order', 'job_order.id', 'machine_state.job_order')
    .select('job_order.lot')
    .distinct()
    .where('machine_state.equipment', '=', equipment)
    .where('machine_state.since', '<=', to)
    .where((where) => where.or([where('machine_state.until', 'is', null), where('machine_state.until', '>=', from)]))
    // a unit may name its last job order long after that has ended
    .where((where) => where.or([where('job_order.actual_end', 'is', null), where('job_order.actual_end', '>=', from)]))
    .execute()
  const jobs = await db
    .selectFrom('job_order')
    .select('lot')
    .distinct()
    .where('equipment', '=', equipment)
    .where('actual_start', '<=', to)
    .where((where) => where.or([where('actual_end', 'is', null), where('actual_end', '>=', from)]))
    .execute()
  const events = await db
    .selectFrom('genealogy')
    .innerJoin('genealogy_edge', 'genealogy_edge.source', 'genealogy.ledger')
    .innerJoin('lot_stock', 'lot_stock.node', 'genealogy_edge.target')
    .select('lot_stock.lot')
    .distinct()
    .where('genealogy.equipment', '=', equipment)
    .where('genealogy.time', '>=', from)
    .where('genealogy.time', '<=', to)
    .where('genealogy.event', 'not in', ['receive', 'adjust'])
    .execute()
  return new Set([...ran, ...jobs, ...events].flatMap(({ lot }) => lot ?? []).sort())
}
