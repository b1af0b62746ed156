import { TaktError } from '../base/error.ts'
import type { Disposition, Lot } from '../messages/lot.ts'
import type { QualityResult } from '../messages/quality-result.ts'
import type { WorkOrder } from '../messages/work-order.ts'
import type { Because } from '../orders/change-job-order.ts'
import { setLotDisposition } from '../orders/lots.ts'
import { openSteps } from '../orders/open-steps.ts'
import { createRework } from '../orders/rework.ts'
import type { Plant } from '../plant/plant.ts'
import type { StoreReader, StoreTransaction } from '../store/store.ts'
import type { DispositionRequest } from './disposition-request.ts'

const OPEN: ReadonlySet<string> = new Set(['Planned', 'Released', 'Running', 'Held'])
const NOT_BEGUN: ReadonlySet<string> = new Set(['Planned', 'Released'])
const MADE: ReadonlySet<string> = new Set(['Completed', 'Closed'])

/** What happened to a lot since it was last released: only that can keep it held, because a release accepts what was known then. */
interface History {
  readonly results: readonly QualityResult[]
  readonly reworks: readonly WorkOrder[]
  /** Who held it; null when it has not been held since. */
  readonly heldBy: string | null
}

/**
 * Sees to it that the parts of a job order found bad are made good: one rework order at a time, whose quantity follows the bad parts until it begins.
 * What is found bad after that goes into the next one, when it has ended. Returns the order that was made or found; null when nothing is to be made good.
 */
export async function requestRework(tx: StoreTransaction, plant: Plant, lot: string, jobOrder: string, why: string, actor: string): Promise<WorkOrder | null> {
  return rework(tx, plant, await historyOf(tx, lot), lot, jobOrder, why, actor)
}

/**
 * Goes through every lot that the gate holds and brings it on: rework that is still missing is raised (with `plant` given), and a lot whose bad parts have
 * all been made good is released. Decided by what stands in the store alone; doing it again changes nothing, so call it at start and whenever an order ends.
 */
export async function settleHeldLots(tx: StoreTransaction, plant: Plant | null, actor: string): Promise<readonly Lot[]> {
  const released: Lot[] = []
  // a sublot that is released can let its lot go, so until nothing moves any more
  for (let moved = true; moved; ) {
    moved = false
    for (const lot of await tx.list('lot', { where: { disposition: 'held' } })) {
      const history = await historyOf(tx, lot.id)
      // a person's hold is a person's to end, and so is a rejected part
      if (history.heldBy === null || !history.heldBy.startsWith('node:') || history.results.some(({ decision }) => decision === 'reject')) continue
      if (await isMadeGood(tx, history)) {
        const why = `its bad parts were made good by ${history.reworks.map(({ id }) => id).join(', ')}`
        released.push(await setLotDisposition(tx, lot.id, await dispositionAfter(tx, lot), { actor, why }))
        moved = true
      } else if (plant !== null && history.reworks.length > 0) {
        for (const job of jobsOf(history)) await rework(tx, plant, history, lot.id, job, lot.reason ?? 'parts found bad', actor)
      }
    }
  }
  return released
}

/**
 * A person's word on a lot. Scrapping it also gives up the rework of its parts. One whose procedures have open steps is let go on, so that they can be done, but not released,
 * unless who may concedes it. Throws TAKT_LOT_UNKNOWN, TAKT_LOT_SCRAPPED, TAKT_PROCEDURE_OPEN.
 */
export async function disposeLot(tx: StoreTransaction, { disposition, lot: id, why, concession, by }: DispositionRequest): Promise<Lot> {
  const because = { actor: by, why }
  const lot = await tx.get('lot', id)
  if (lot === undefined) throw new TaktError('TAKT_QUALITY_LOT_UNKNOWN', { what: `there is no lot '${id}'`, where: `lot ${id}` })
  if (disposition === 'hold') return setLotDisposition(tx, id, 'held', because)
  if (disposition === 'release') return release(tx, lot, because, concession)
  const { reworks } = await historyOf(tx, id)
  for (const sublot of reworks.filter(({ state }) => OPEN.has(state)).flatMap(({ lots }) => lots)) {
    await disposeLot(tx, { disposition, lot: sublot, why: `lot ${id} was scrapped: ${why}`, by })
  }
  return setLotDisposition(tx, id, 'scrapped', because)
}

async function release(tx: StoreTransaction, lot: Lot, because: Because, concession: string | undefined): Promise<Lot> {
  const open = await openSteps(tx, lot.id)
  if (concession !== undefined && open.length > 0) {
    await tx.record({ type: 'lot.steps-conceded', subject: lot.id, actor: because.actor, why: concession, after: { lot: lot.id, open } })
    return setLotDisposition(tx, lot.id, 'released', because)
  }
  const after = await dispositionAfter(tx, lot)
  if (open.length > 0 && lot.disposition === 'in-process' && !(await isOrderOpen(tx, lot)))
    throw new TaktError('TAKT_PROCEDURE_OPEN', { what: open.map(({ what }) => what).join('; '), where: `lot ${lot.id}`, details: open })
  return setLotDisposition(tx, lot.id, after, because)
}

/** A lot that is let go on is in process as long as its order is, or steps of its procedures are open; then it is released. */
async function dispositionAfter(tx: StoreReader, lot: Lot): Promise<Disposition> {
  return (await isOrderOpen(tx, lot)) || (await openSteps(tx, lot.id)).length > 0 ? 'in-process' : 'released'
}

async function isOrderOpen(reader: StoreReader, lot: Lot): Promise<boolean> {
  const order = lot.workOrder === null ? undefined : await reader.get('work-order', lot.workOrder)
  return order !== undefined && OPEN.has(order.state)
}

async function historyOf(reader: StoreReader, lot: string): Promise<History> {
  const events = await reader.db
    .selectFrom('ledger')
    .select(['sequence', 'type', 'actor', 'time'])
    .where('subject', '=', lot)
    .where('type', 'in', ['lot.held', 'lot.released'])
    .orderBy('sequence')
    .execute()
  const release = events.findLast(({ type }) => type === 'lot.released')
  const since = release?.sequence ?? 0
  const results = await reader.list('quality-result', { where: { lot, decision: ['hold', 'reject'] } })
  const reworks = await reader.list('work-order', { where: { type: 'rework' } })
  return {
    results: results.filter(({ ledger = 0 }) => ledger > since),
    reworks: reworks.filter((order) => order.of?.lot === lot && order.created >= (release?.time ?? 0)),
    heldBy: events.findLast(({ type, sequence }) => type === 'lot.held' && sequence > since)?.actor ?? null,
  }
}

async function rework(
  tx: StoreTransaction,
  plant: Plant,
  { results, reworks }: History,
  lot: string,
  jobOrder: string,
  why: string,
  actor: string,
): Promise<WorkOrder | null> {
  const own = reworks.filter(({ of }) => of?.jobOrder === jobOrder)
  const open = own.find(({ state }) => OPEN.has(state))
  if (open !== undefined && !NOT_BEGUN.has(open.state)) return open
  // one that people have canceled is not raised again: they decide about the lot
  const quantity = badParts(results, jobOrder) - quantityOf(own.filter((order) => order !== open))
  return quantity > 0 ? createRework(tx, plant, { lot, jobOrder, quantity, why, actor }) : null
}

/** Every part held has been made good, or scrapped in its sublot, and nothing is under way. */
async function isMadeGood(reader: StoreReader, history: History): Promise<boolean> {
  const { results, reworks } = history
  if (reworks.length === 0 || reworks.some(({ state }) => OPEN.has(state))) return false
  const settled: WorkOrder[] = []
  for (const order of reworks) {
    const sublots = await reader.list('lot', { where: { id: order.lots } })
    if (sublots.some(({ disposition }) => disposition === 'held')) return false
    if (MADE.has(order.state) || sublots.every(({ disposition }) => disposition === 'scrapped')) settled.push(order)
  }
  return jobsOf(history).every((job) => quantityOf(settled.filter(({ of }) => of?.jobOrder === job)) >= badParts(results, job))
}

function jobsOf({ results }: History): readonly string[] {
  return [...new Set(results.map(({ jobOrder }) => jobOrder))].filter((job) => job !== null)
}

/** Parts held of a job order; a numbered part that is bad twice is one. Rejected ones are not among them: they cannot be made good. */
function badParts(results: readonly QualityResult[], jobOrder: string): number {
  const serials = new Set<string>()
  let parts = 0
  for (const result of results) {
    if (result.jobOrder !== jobOrder || result.decision !== 'hold') continue
    if (result.serial === undefined) parts += badOf(result)
    else serials.add(result.serial)
  }
  return parts + serials.size
}

/** Values outside their limits; all of them where it was not the values that were doubted. */
function badOf({ values, rules, specification: { lower, upper } }: QualityResult): number {
  if (rules.includes('anomaly-window')) return values.length
  return values.filter((value) => (upper !== null && value > upper) || (lower !== null && value < lower)).length
}

function quantityOf(orders: readonly WorkOrder[]): number {
  return orders.reduce((sum, { quantity }) => sum + quantity.value, 0)
}
