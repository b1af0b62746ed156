import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../core/base/package-root.ts'
import { checkPlant } from '../../core/plant/check-plant.ts'
import type { Plant } from '../../core/plant/plant.ts'

const KEPT = ['lathe', 'mill', 'grinder']

interface Operation {
  readonly id: string
  readonly after?: readonly string[]
  readonly alternatives: ReadonlyArray<{ readonly class?: string }>
}

interface Model {
  readonly equipment: ReadonlyArray<{
    readonly level: string
    readonly classes?: readonly string[]
    readonly upstream?: unknown
    readonly downstream?: unknown
    readonly maintenance?: { readonly trial?: unknown }
  }>
  readonly workMasters: ReadonlyArray<{ readonly operations: readonly Operation[] }>
}

/** Lathes, mills and grinders of the reference plant: where its work waits. Saws and washers are idle for most of the day and would only cost computing time. */
export function loopPlant(): Plant {
  const where = join(packageRoot, 'flows', 'reference-plant.json')
  const model = JSON.parse(readFileSync(where, 'utf8')) as Model
  const equipment = model.equipment
    .filter(({ level, classes }) => level !== 'workUnit' || classes?.some((name) => KEPT.includes(name)))
    .map(({ upstream: _, downstream: __, maintenance, ...unit }) => ({
      ...unit,
      ...(maintenance === undefined ? {} : { maintenance: withoutTrial(maintenance) }),
    }))
  const workMasters = model.workMasters.map((master) => {
    const operations = master.operations.filter(({ alternatives }) => alternatives.some((one) => KEPT.includes(one.class ?? '')))
    return { ...master, operations: operations.map((operation, index) => ({ ...operation, after: operations.slice(index - 1, index).map(({ id }) => id) })) }
  })
  // the simulated repairs wait for nobody: as many mechanics as units
  const personnel = [{ id: 'mechanics', people: equipment.length }]
  return checkPlant({ ...model, equipment, workMasters, personnel }, where)
}

/** Nobody measures the parts here, so no trial would ever pass. */
function withoutTrial({ trial: _, ...maintenance }: { readonly trial?: unknown }): object {
  return maintenance
}
