import type { JobOrder } from '../../messages/job-order.ts'
import type { MachineState } from '../../messages/machine-state.ts'
import type { StoreReader } from '../../store/store.ts'
import type { UnitState } from '../follow-machine.ts'
import { unitHold } from '../holds/held-unit.ts'
import { limitOf } from '../maintenance/service.ts'
import type { UnitView } from './next-step.ts'

/**
 * What the store says of a unit and its job orders. `heard` holds what units have said since the start: a unit that has said nothing is not known, one that has is as
 * the store has it, because what is recorded is never older than what is told.
 */
export async function readUnitView(
  reader: StoreReader,
  heard: ReadonlyMap<string, UnitState>,
  equipment: string,
): Promise<Pick<UnitView, 'unit' | 'jobs' | 'named' | 'elsewhere' | 'overlapping' | 'atMost'>> {
  const [jobs, rows, limit, hold] = await Promise.all([
    reader.list('job-order', { where: { equipment, state: ['NotAllowedToStart', 'AllowedToStart', 'Running', 'Interrupted'] } }),
    reader.db.selectFrom('machine_state').select(['equipment', 'state', 'mode', 'job_order', 'since']).where('until', 'is', null).execute(),
    limitOf(reader, equipment),
    unitHold(reader, equipment),
  ])
  const units = new Map(heard)
  for (const { equipment: id, state, mode, job_order: jobOrder, since } of rows) {
    units.set(id, { equipment: id, state: state as MachineState['state'], mode: mode as MachineState['mode'], jobOrder, since })
  }
  // one that is held gets nothing but its repair
  const atMost = hold !== undefined ? { atMost: 0 } : limit === undefined ? {} : { atMost: limit.parts }
  const unit = heard.has(equipment) ? units.get(equipment) : undefined
  const named = unit === undefined || unit.jobOrder === null ? undefined : await reader.get('job-order', unit.jobOrder)
  const elsewhere = new Set([...units.values()].flatMap((other) => (other.equipment === equipment ? [] : (other.jobOrder ?? []))))
  return { unit, jobs, named, elsewhere, overlapping: await overlappingOf(reader, jobs), ...atMost }
}

/** Those that are ready although something before them still runs: they began to get its parts. */
async function overlappingOf(reader: StoreReader, jobs: readonly JobOrder[]): Promise<ReadonlySet<string>> {
  const ready = jobs.filter((job) => job.state === 'NotAllowedToStart' && job.substate === 'Ready' && job.after.length > 0)
  if (ready.length === 0) return new Set()
  const running = await reader.list('job-order', { where: { id: [...new Set(ready.flatMap((job) => job.after))], state: ['Running', 'Interrupted'] } })
  const ids = new Set(running.map(({ id }) => id))
  return new Set(ready.filter((job) => job.after.some((id) => ids.has(id))).map(({ id }) => id))
}
