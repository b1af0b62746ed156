import type { StoreReader } from '../../store/store.ts'
import type { UnitState } from '../follow-machine.ts'
import type { UnitView } from './next-step.ts'

/** What the store says of a unit and its job orders, beside what the units have said themselves. */
export async function readUnitView(
  reader: StoreReader,
  units: ReadonlyMap<string, UnitState>,
  equipment: string,
): Promise<Pick<UnitView, 'unit' | 'jobs' | 'named' | 'elsewhere'>> {
  const unit = units.get(equipment)
  const [jobs, named, others] = await Promise.all([
    reader.list('job-order', { where: { equipment, state: ['NotAllowedToStart', 'AllowedToStart', 'Running', 'Interrupted'] } }),
    unit === undefined || unit.jobOrder === null ? undefined : reader.get('job-order', unit.jobOrder),
    reader.db.selectFrom('machine_state').select('job_order').where('until', 'is', null).where('equipment', '!=', equipment).execute(),
  ])
  const elsewhere = new Set(others.flatMap((row) => row.job_order ?? []))
  for (const other of units.values()) if (other.equipment !== equipment && other.jobOrder !== null) elsewhere.add(other.jobOrder)
  return { unit, jobs, named, elsewhere }
}
