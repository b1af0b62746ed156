import type { Command } from '../messages/command.ts'
import type { StoreReader } from '../store/store.ts'
import { unitHold } from './holds/held-unit.ts'
import { isOpen } from './job-order-states.ts'
import { openProcedure } from './procedure-gate.ts'

/** Why a machine may not be told to begin. */
export interface StartLock {
  readonly code: 'TAKT_PROCEDURE_OPEN' | 'TAKT_UNIT_HELD'
  readonly reason: string
}

/** A command to begin waits for the steps before the start of the job order that it names, and for the release of a unit that a person holds; a repair may begin there. */
export async function startLock(reader: StoreReader, { to, arguments: { jobOrder } }: Command): Promise<StartLock | undefined> {
  const job = typeof jobOrder === 'string' ? await reader.get('job-order', jobOrder) : undefined
  if (job?.maintenance === undefined) {
    const hold = await unitHold(reader, to)
    if (hold !== undefined) return { code: 'TAKT_UNIT_HELD', reason: `${to} is held by ${hold.cause.person}: ${hold.why}` }
  }
  const open = job === undefined || !isOpen(job) ? undefined : await openProcedure(reader, job, 'start')
  return open === undefined ? undefined : { code: 'TAKT_PROCEDURE_OPEN', reason: open }
}
