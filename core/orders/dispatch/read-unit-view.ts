import type { MachineState } from '../../messages/machine-state.ts'
import type { StoreReader } from '../../store/store.ts'
import type { UnitState } from '../follow-machine.ts'
import type { UnitView } from './next-step.ts'

/**
 * What the store says of a unit and its job orders. `heard` holds what units have said since the start: a unit that has said nothing is not known, one that has is as
 * the store has it, because what is recorded is never older than what is told.
 */
export async function readUnitView(
  reader: StoreReader,
  heard: ReadonlyMap<string, UnitState>,
  equipment: string,
): Promise<Pick<UnitView, 'unit' | 'jobs' | 'named' | 'elsewhere'>> {
  const [jobs, rows] = await Promise.all([
    reader.list('job-order', { where: { equipment, state: ['NotAllowedToStart', 'AllowedToStart', 'Running', 'Interrupted'] } }),
    reader.db.selectFrom('machine_state').select(['equipment', 'state', 'mode', 'job_order', 'since']).where('until', 'is', null).execute(),
  ])
  const units = new Map(heard)
  for (const { equipment: id, state, mode, job_order: jobOrder, since } of rows) {
    units.set(id, { equipment: id, state: state as MachineState['state'], mode: mode as MachineState['mode'], jobOrder, since })
  }
  const unit = heard.has(equipment) ? units.get(equipment) : undefined
  const named = unit === undefined || unit.jobOrder === null ? undefined : await reader.get('job-order', unit.jobOrder)
  const elsewhere = new Set([...units.values()].flatMap((other) => (other.equipment === equipment ? [] : (other.jobOrder ?? []))))
  return { unit, jobs, named, elsewhere }
}
