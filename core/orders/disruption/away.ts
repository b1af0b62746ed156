import { TaktError } from '../../base/error.ts'
import type { Disruption } from '../../messages/disruption.ts'
import type { Plant } from '../../plant/plant.ts'
import type { StoreTransaction } from '../../store/store.ts'
import { slug } from '../ids.ts'
import { readTime } from '../times.ts'
import { openDisruption, withdrawDisruption } from './disruptions.ts'

/** So many people or tools of one kind are not there for a while; `to` null: until somebody says that they are back. */
export interface Away {
  readonly resource: string
  readonly count: number
  /** undefined: now */
  readonly from: number | undefined
  readonly to: number | null
  readonly by: string
  readonly why: string | undefined
}

/** `{ resource, count?, from?, to?, by?, why? }`; times are epoch ms or text. Throws TAKT_MESSAGE_INVALID, TAKT_ORDER_TIME and TAKT_RESOURCE_UNKNOWN. */
export function readAway(payload: unknown, plant: Plant, where: string): Away {
  const { resource, count = 1, from, to, by, why } = fieldsOf(payload)
  const moment = (value: unknown, name: string): number | undefined => {
    if (value === undefined || value === null) return undefined
    const time = readTime(value, plant.timeZone)
    if (time === undefined) throw new TaktError('TAKT_ORDER_TIME', { what: `'${String(value)}' as ${name} is not a time`, where })
    return time
  }
  if (typeof count !== 'number' || !Number.isInteger(count) || count < 1)
    throw new TaktError('TAKT_MESSAGE_INVALID', { what: `count is '${String(count)}' where a whole number from 1 is taken`, where })
  return {
    resource: knownResource(resource, plant, where),
    count,
    from: moment(from, 'from'),
    to: moment(to, 'to') ?? null,
    by: textOf(by) ?? 'a person',
    why: textOf(why),
  }
}

/** `{ resource }`, or the id of the disruption that says they are away. */
export function readBack(payload: unknown, plant: Plant, where: string): { readonly resource: string; readonly by: string; readonly why: string | undefined } {
  const { resource, by, why } = typeof payload === 'string' ? { resource: payload } : fieldsOf(payload)
  return { resource: knownResource(resource, plant, where), by: textOf(by) ?? 'a person', why: textOf(why) }
}

/** A person's word, acted on at once whatever the node's autonomy: it reports a fact. The same again changes nothing. Throws TAKT_ORDER_TIME. */
export async function recordAway(
  tx: StoreTransaction,
  plant: Plant,
  { resource, count, from = tx.now, to, by, why }: Away,
  actor: string,
): Promise<Disruption> {
  const name = plant.nameOf(resource)
  if (to !== null && to <= from) throw new TaktError('TAKT_ORDER_TIME', { what: `${name} would be back before it is away`, where: 'away' })
  const draft = {
    id: `dis-${slug(resource)}-away-${Math.round(from)}-${count}`,
    equipment: plant.model.plant,
    cause: { person: by },
    action: 'block' as const,
    deadline: null,
    unavailable: { from, to },
    resource: { id: resource, count },
    why: `${count} of ${name} away${why === undefined ? '' : `: ${why}`}`,
  }
  return openDisruption(tx, plant, draft, 'auto', actor)
}

/** They are back: whatever was said of their absence and is not over is withdrawn. */
export async function recordBack(
  tx: StoreTransaction,
  plant: Plant,
  { resource, by, why }: ReturnType<typeof readBack>,
  actor: string,
): Promise<readonly Disruption[]> {
  const said = await tx.list('disruption', { where: { equipment: plant.model.plant, status: ['accepted', 'acted'] }, orderBy: 'time' })
  const changed: Disruption[] = []
  for (const disruption of said) {
    if (disruption.resource?.id !== resource || (disruption.unavailable?.to ?? Number.POSITIVE_INFINITY) <= tx.now) continue
    changed.push(
      await withdrawDisruption(tx, plant, disruption, `${by} says that they are back${why === undefined ? '' : `: ${why}`}`, { actor, decidedBy: by }),
    )
  }
  return changed
}

function knownResource(resource: unknown, plant: Plant, where: string): string {
  if (typeof resource !== 'string' || resource === '') throw new TaktError('TAKT_MESSAGE_INVALID', { what: 'it names no resource', where })
  const isCrew = plant.model.equipment.some(({ maintenance }) => maintenance?.crew === resource)
  if (plant.resource(resource) === undefined && !isCrew)
    throw new TaktError('TAKT_RESOURCE_UNKNOWN', { what: `there is no '${resource}' among the plant's personnel, crews and tools`, where })
  return resource
}

function fieldsOf(payload: unknown): Record<string, unknown> {
  return typeof payload === 'object' && payload !== null ? (payload as Record<string, unknown>) : {}
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim().slice(0, 200) : undefined
}
