import type { Receiver } from '../../connect/job-control/job-desk.ts'
import type { Plant } from '../../plant/plant.ts'

/** Who takes job orders in a plant: the plant itself, and each of its lines (level workCenter) that has units. */
export function receiversOf(plant: Plant): readonly Receiver[] {
  const { model, units } = plant
  const lines = model.equipment.filter(({ level, id }) => level === 'workCenter' && units.some((unit) => unit.id.startsWith(`${id}/`)))
  const whole = receiver(plant, model.plant, model.name ?? model.plant, () => true)
  return [whole, ...lines.map(({ id, name }) => receiver(plant, id, name ?? id, (unit) => unit.startsWith(`${id}/`)))]
}

function receiver(plant: Plant, equipment: string, name: string, has: (unit: string) => boolean): Receiver {
  const makes = (plant.model.workMasters ?? []).filter((master) =>
    master.operations.every((operation) => plant.unitsFor(operation).some(({ equipment: unit }) => has(unit))),
  )
  const units = plant.units.filter(({ id }) => has(id))
  return {
    equipment,
    name,
    workMasters: makes.map(({ id, version }) => `${id}@${version}`),
    materials: [...new Set(makes.map(({ produces }) => produces))],
    units: [...new Set([...units.flatMap(({ classes = [] }) => classes), ...units.map(({ id }) => id)])],
  }
}

/** What stands as `external.system` in the work orders of a receiver: each has a list of its own. */
export const systemOf = (receiver: string): string => `job-control:${receiver}`
