import { TaktError } from '../../core/base/error.ts'
import { selection } from '../../core/detect/selection.ts'
import type { Plant } from '../../core/plant/plant.ts'
import type { AnomalySettings } from './settings.ts'

type Named = Pick<AnomalySettings, 'method' | 'roles' | 'patterns'>

/** What the settings name that the plant model does not have: TAKT_CONFIG_INVALID with the name; undefined when all is known. */
export function unknownIn(settings: Named, plant: Plant, where: string): TaktError | undefined {
  const { method, roles, patterns } = settings
  const problem = (what: string): TaktError => new TaktError('TAKT_CONFIG_INVALID', { what, where })
  if (!roles.includes('all'))
    for (const topic of patterns) if (!topic.includes('*') && plant.signal(topic) === undefined) return problem(`the plant model has no signal '${topic}'`)
  if (method.name !== 'seasonal' || method.cycle === undefined) return undefined
  const { signal } = method.cycle
  const isWatched = selection(settings, () => plant)
  let watched = 0
  for (const { id } of plant.model.equipment) {
    const names = plant.signalsOf(id).map(({ name }) => name)
    if (!names.some((name) => name !== signal && isWatched(id, name) !== undefined)) continue
    watched++
    if (!names.includes(signal)) return problem(`'${id}' has no signal '${signal}' in the plant model, by whose cycles its signals are to be judged`)
  }
  return watched > 0 ? undefined : problem(`no equipment of the plant model has both a signal '${signal}' and signals to be judged by its cycles`)
}

/** Throws what is unknown. A plant that cannot be read is for the plant node to tell. */
export function assertKnown(settings: Named, plant: () => Plant, where: string): void {
  let now: Plant
  try {
    now = plant()
  } catch {
    return
  }
  const problem = unknownIn(settings, now, where)
  if (problem !== undefined) throw problem
}
