import { TaktError } from '../../base/error.ts'
import type { Disruption } from '../../messages/disruption.ts'
import type { JobOrder } from '../../messages/job-order.ts'
import type { StoreReader } from '../../store/store.ts'

/** A reason in a sentence of the plan, characters. */
export const LONGEST_REASON = 200
/** Ids of disruptions by which a person holds a unit begin with it. */
export const HOLD_PREFIX = 'hold-'

/** The hold that stands on a unit. */
export async function unitHold(reader: StoreReader, equipment: string): Promise<Disruption | undefined> {
  const blocks = await reader.list('disruption', { where: { equipment, status: 'acted', action: 'block' } })
  return blocks.find(isUnitHold)
}

export function isUnitHold({ id, action }: Disruption): boolean {
  return action === 'block' && id.startsWith(HOLD_PREFIX)
}

/** A job order may not begin on a unit that is held; the repair of it may. Throws TAKT_UNIT_HELD. */
export async function assertUnitNotHeld(reader: StoreReader, job: JobOrder): Promise<void> {
  if (job.equipment === null || job.maintenance !== undefined) return
  const hold = await unitHold(reader, job.equipment)
  if (hold !== undefined)
    throw new TaktError('TAKT_UNIT_HELD', { what: `${job.equipment} is held by ${hold.cause.person}: ${hold.why}`, where: `job order ${job.id}` })
}
