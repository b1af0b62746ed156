import type { JobOrder } from '../../messages/job-order.ts'
import type { Plant, ResourceNeed } from '../../plant/plant.ts'
import { type Absence, capacityOf } from '../../plant/resource-time.ts'
import type { StoreReader } from '../../store/store.ts'

/**
 * What a job order would need now on its unit and others have: people, a crew or a tool by name; undefined when all of it is there. The plan reckons with when they
 * become free; whoever has them may take longer. What is told to a unit has them already.
 */
export async function lackingNow(reader: StoreReader, plant: Plant, now: number, job: JobOrder, equipment: string): Promise<string | undefined> {
  const needs = needsOf(job, equipment, plant)
  if (needs.length === 0) return undefined
  const [others, disruptions] = await Promise.all([
    reader.list('job-order', { where: { state: ['AllowedToStart', 'Running', 'Interrupted'] } }),
    reader.list('disruption', { where: { equipment: plant.model.plant, status: ['accepted', 'acted'] } }),
  ])
  for (const { resource, count } of needs) {
    // a crew that is no personnel class is one crew; what the plant does not know keeps nobody waiting
    const known = plant.resource(resource) ?? (job.maintenance === undefined ? undefined : { id: resource, count: 1 })
    if (known === undefined) continue
    const away = disruptions.flatMap(({ resource: gone, unavailable }): Absence[] =>
      gone?.id !== resource || unavailable === null ? [] : [{ from: unavailable.from, to: unavailable.to ?? Number.POSITIVE_INFINITY, count: gone.count }],
    )
    let left = capacityOf(known, plant, now, now + 1, away).most - count
    for (const other of others) {
      if (other.id === job.id || other.equipment === null) continue
      for (const need of needsOf(other, other.equipment, plant)) if (need.resource === resource) left -= need.count
    }
    if (left < 0) return plant.nameOf(resource)
  }
  return undefined
}

/** Does it hold people, a crew or tools while it is under way? */
export function holdsResources(job: JobOrder, plant: Plant): boolean {
  return job.equipment !== null && needsOf(job, job.equipment, plant).length > 0
}

function needsOf(job: JobOrder, equipment: string, plant: Plant): readonly ResourceNeed[] {
  if (job.maintenance === undefined) return job.alternatives.find((alternative) => alternative.equipment === equipment)?.needs ?? []
  const { crew, crewSize = 1 } = plant.equipment(equipment)?.maintenance ?? {}
  return crew === undefined ? [] : [{ resource: crew, count: crewSize }]
}
