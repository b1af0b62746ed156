import { TaktError } from '../../base/error.ts'
import type { Disruption } from '../../messages/disruption.ts'
import type { Plant } from '../../plant/plant.ts'
import type { StoreTransaction } from '../../store/store.ts'
import { changeJobOrder } from '../change-job-order.ts'
import { openDisruption, withdrawDisruption } from '../disruption/disruptions.ts'
import { slug } from '../ids.ts'
import { HOLD_PREFIX, unitHold } from './held-unit.ts'

/** A person's word on a unit, with the reason. */
export interface UnitWord {
  readonly equipment: string
  readonly why: string
  /** Who says it, as the ledger names it. */
  readonly by: string
}

/**
 * A person keeps work off a unit until somebody releases it: a disruption that blocks the unit from now on and is acted on at once, whatever the autonomy, for it reports a
 * fact. What has not begun there loses its permission; what runs comes to its end; a repair may be done. Held already: nothing changes. Throws TAKT_EQUIPMENT_UNKNOWN.
 */
export async function holdUnit(tx: StoreTransaction, plant: Plant, { equipment, why, by }: UnitWord): Promise<Disruption> {
  const standing = await unitHold(tx, equipment)
  if (standing !== undefined) return standing
  if (!plant.units.some(({ id }) => id === equipment))
    throw new TaktError('TAKT_EQUIPMENT_UNKNOWN', { what: `'${equipment}' is no unit of the plant`, where: 'hold' })
  const draft = {
    id: `${HOLD_PREFIX}${slug(equipment)}-${Math.round(tx.now)}`,
    equipment,
    cause: { person: by.replace(/^person:/, '') },
    action: 'block' as const,
    deadline: null,
    unavailable: { from: tx.now, to: null },
    why,
  }
  const hold = await openDisruption(tx, plant, draft, 'auto', by)
  for (const job of await tx.list('job-order', { where: { equipment, state: 'AllowedToStart' } })) {
    if (job.maintenance !== undefined || job.substate === 'Loaded') continue
    // without a planned time nobody tells the unit again before the new plan is there
    await changeJobOrder(tx, job, 'RevokeStart', { actor: by, why: `${plant.nameOf(equipment)} is held: ${why}` }, { plannedStart: null, plannedEnd: null })
  }
  return hold
}

/** Throws TAKT_UNIT_NOT_HELD. */
export async function releaseUnit(tx: StoreTransaction, plant: Plant, { equipment, why, by }: UnitWord): Promise<Disruption> {
  const hold = await unitHold(tx, equipment)
  if (hold === undefined) throw new TaktError('TAKT_UNIT_NOT_HELD', { what: `nobody holds ${equipment}`, where: 'resume' })
  return withdrawDisruption(tx, plant, hold, why, { actor: by, decidedBy: by.replace(/^person:/, '') })
}
