import { TaktError } from '../../base/error.ts'
import type { Autonomy } from '../../messages/common.ts'
import type { Disruption } from '../../messages/disruption.ts'
import type { Plant } from '../../plant/plant.ts'
import type { StoreReader, StoreTransaction } from '../../store/store.ts'
import { cancelWorkOrder } from '../control-work-order.ts'
import { evidenceOf } from '../maintenance/evidence.ts'
import { relaxMaintenance, requestMaintenance } from '../maintenance.ts'
import { type Ask, type AskedBy, asksOf, together } from './asks.ts'

/** A disruption before anybody has decided about it. */
export type DisruptionDraft = Pick<Disruption, 'id' | 'equipment' | 'cause' | 'action' | 'deadline' | 'unavailable' | 'why' | 'asks'>

/** Computed in shadow, where nobody was asked: it decides nothing once the autonomy is another. */
export function isShadowOnly({ status, autonomy }: Disruption, level: Autonomy): boolean {
  return status === 'proposed' && autonomy === 'shadow' && level !== 'shadow'
}

/**
 * Records a disruption: acted on at once with autonomy `auto`, else proposed. One with this id that is there already stays as it is.
 * `shadow` proposes too, but nobody is asked and nothing can come of it.
 */
export async function openDisruption(tx: StoreTransaction, plant: Plant, draft: DisruptionDraft, autonomy: Autonomy, actor: string): Promise<Disruption> {
  const found = await tx.get('disruption', draft.id)
  if (found !== undefined && !isShadowOnly(found, autonomy)) return found
  const stored = found?.revision === undefined ? {} : { revision: found.revision }
  const disruption: Disruption = { kind: 'disruption', ...draft, why: draft.why.slice(0, 2000), autonomy, status: 'proposed', time: tx.now, ...stored }
  if (autonomy === 'auto') return act(tx, plant, disruption, actor)
  return tx.save<'disruption'>(disruption, { type: 'disruption.proposed', actor, why: disruption.why })
}

/** A person accepts a proposal, and it is acted on. Accepted before: nothing changes. Throws TAKT_DISRUPTION_UNKNOWN, TAKT_DISRUPTION_DECIDED, TAKT_DISRUPTION_SHADOW. */
export async function acceptDisruption(tx: StoreTransaction, plant: Plant, id: string, by: string, actor: string): Promise<Disruption> {
  const disruption = await proposalOf(tx, id)
  if (disruption.status === 'acted' || disruption.status === 'accepted') return disruption
  assertOpen(disruption)
  if (disruption.autonomy === 'shadow') throw new TaktError('TAKT_DISRUPTION_SHADOW', { where: `disruption ${id}` })
  const accepted = await tx.save<'disruption'>(
    { ...disruption, status: 'accepted', decidedBy: by },
    { type: 'disruption.accepted', actor, why: `accepted by ${by}` },
  )
  return act(tx, plant, accepted, actor)
}

/** A person refuses a proposal. Refused before: nothing changes. Throws TAKT_DISRUPTION_UNKNOWN, TAKT_DISRUPTION_DECIDED. */
export async function refuseDisruption(tx: StoreTransaction, id: string, by: string, why: string | undefined, actor: string): Promise<Disruption> {
  const disruption = await proposalOf(tx, id)
  if (disruption.status === 'refused') return disruption
  assertOpen(disruption)
  const reason = `refused by ${by}${why === undefined ? '' : `: ${why}`}`
  return tx.save<'disruption'>({ ...disruption, status: 'refused', decidedBy: by }, { type: 'disruption.refused', actor, why: reason })
}

/**
 * What it was about has gone away by itself. A repair that was ordered for it and has not been allowed to begin is cancelled, unless something else asks for it too:
 * then it is only as urgent as that.
 */
export async function withdrawDisruption(
  tx: StoreTransaction,
  plant: Plant,
  disruption: Disruption,
  why: string,
  { actor, decidedBy }: { readonly actor: string; readonly decidedBy?: string },
): Promise<Disruption> {
  const { maintenanceOrder, equipment } = disruption
  if (maintenanceOrder !== undefined) {
    if (await hasBegun(tx, maintenanceOrder)) return disruption
    const [other] = (await standingDisruptions(tx, equipment)).filter(({ id, maintenanceOrder: order }) => id !== disruption.id && order === maintenanceOrder)
    if (other === undefined) await cancelWorkOrder(tx, maintenanceOrder, { actor, why })
    else await relaxMaintenance(tx, plant, maintenanceOrder, other.deadline, { actor, why })
  }
  const said = `${disruption.why}; withdrawn: ${why}`.slice(0, 2000)
  const by = decidedBy === undefined ? {} : { decidedBy }
  return tx.save<'disruption'>({ ...disruption, ...by, status: 'withdrawn', why: said }, { type: 'disruption.withdrawn', actor, why })
}

/** Other reasons for a disruption that stands, and with them another deadline. A repair that has been allowed to begin is not put off. */
export async function askedBy(tx: StoreTransaction, plant: Plant, disruption: Disruption, asks: readonly Ask[], actor: string): Promise<Disruption> {
  const { equipment, status, maintenanceOrder, deadline } = disruption
  const next: Disruption = { ...disruption, ...together(asks, equipment, tx.now, plant), asks: [...asks] }
  next.why = next.why.slice(0, 2000)
  if (status !== 'acted') return tx.save<'disruption'>(next, { type: 'disruption.proposed', actor, why: next.why })
  if (deadline === null || next.deadline === null || next.deadline <= deadline) return act(tx, plant, next, actor)
  if (await hasBegun(tx, maintenanceOrder)) return disruption
  if (maintenanceOrder !== undefined) await relaxMaintenance(tx, plant, maintenanceOrder, next.deadline, { actor, why: next.why })
  return tx.save<'disruption'>(next, { type: 'disruption.acted', actor, why: next.why })
}

/** One of those that asked does so no longer: what is left counts, and where nothing is the disruption is withdrawn. Unchanged once its repair has been allowed to begin. */
export async function askedNoLonger(
  tx: StoreTransaction,
  plant: Plant,
  disruption: Disruption,
  by: AskedBy,
  why: string,
  { actor, decidedBy }: { readonly actor: string; readonly decidedBy?: string },
): Promise<Disruption> {
  const left = asksOf(disruption).filter((ask) => ask[by] === undefined)
  if (left.length === 0) return withdrawDisruption(tx, plant, disruption, why, { actor, ...(decidedBy === undefined ? {} : { decidedBy }) })
  return askedBy(tx, plant, disruption, left, actor)
}

async function hasBegun(reader: StoreReader, maintenanceOrder: string | undefined): Promise<boolean> {
  const jobs = maintenanceOrder === undefined ? [] : await reader.list('job-order', { where: { work_order: maintenanceOrder } })
  return jobs.some((job) => job.state !== 'NotAllowedToStart')
}

/** Disruptions of a unit that nobody has settled: proposed, accepted, or acted on with a repair that is not over or a block that stands. Oldest first. */
export async function standingDisruptions(reader: StoreReader, equipment: string): Promise<Disruption[]> {
  const open = await reader.list('disruption', { where: { equipment, status: ['proposed', 'accepted', 'acted'] }, orderBy: 'time' })
  const standing = await Promise.all(open.map((disruption) => stands(reader, disruption)))
  return open.filter((_, index) => standing[index])
}

async function stands(reader: StoreReader, { status, action, maintenanceOrder }: Disruption): Promise<boolean> {
  if (status !== 'acted' || action === 'block') return true
  const order = maintenanceOrder === undefined ? undefined : await reader.get('work-order', maintenanceOrder)
  return order !== undefined && order.state !== 'Completed' && order.state !== 'Closed' && order.state !== 'Canceled'
}

async function act(tx: StoreTransaction, plant: Plant, disruption: Disruption, actor: string): Promise<Disruption> {
  const { equipment, action, deadline, why } = disruption
  const acted = { ...disruption, status: 'acted' } as const
  const event = { type: 'disruption.acted', actor, why }
  if (action === 'block') return tx.save<'disruption'>(acted, event)
  const kind = action === 'repair-now' ? 'unplanned' : 'planned'
  const evidence = await evidenceOf(tx, acted)
  const follows = acted.cause.repair
  const { workOrder } = await requestMaintenance(tx, plant, { equipment, kind, deadline, cause: why, actor, evidence, follows })
  return tx.save<'disruption'>({ ...acted, maintenanceOrder: workOrder.id }, event)
}

async function proposalOf(tx: StoreTransaction, id: string): Promise<Disruption> {
  const disruption = await tx.get('disruption', id)
  if (disruption === undefined) throw new TaktError('TAKT_DISRUPTION_UNKNOWN', { what: `there is no disruption '${id}'`, where: `disruption ${id}` })
  return disruption
}

function assertOpen({ id, status }: Disruption): void {
  if (status !== 'proposed') throw new TaktError('TAKT_DISRUPTION_DECIDED', { what: `it was ${status} already`, where: `disruption ${id}` })
}
