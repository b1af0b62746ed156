import { TaktError } from '../../base/error.ts'
import { slug } from '../ids.ts'
import type { OrderRequest, RequestedOperation } from '../order-request.ts'
import { readDuration } from '../times.ts'

/**
 * Orders from B2MML in JSON (ISA-95.05): the operations requests of an OperationsSchedule, or the work requests of a WorkSchedule, bare or in the DataArea of a
 * Process…, Sync… or Notify… message. Elements may be single or in lists, values plain, `{ "$": … }` as the JSON schema has them with
 * attributes, or `{ "value": … }` as some converters from XML write them.
 */

type Node = Readonly<Record<string, unknown>>

/** One request of a schedule, and its parts: segment requirements or job orders. */
export interface B2mmlRequest {
  readonly request: Node
  readonly parts: readonly Node[]
}

const DEPTH = 4

/** The requests of a B2MML document; `undefined` for what is none. */
export function b2mmlRequests(document: unknown): B2mmlRequest[] | undefined {
  const schedules = schedulesIn(document, 0)
  return schedules?.flatMap(({ of, schedule }) => {
    const [requests, parts] = of === 'OperationsSchedule' ? (['OperationsRequest', 'SegmentRequirement'] as const) : (['WorkRequest', 'JobOrder'] as const)
    return nodes(schedule[requests]).map((request) => ({ request, parts: nodes(request[parts]) }))
  })
}

/**
 * The order that a request asks for. Its quantity is that of the material which its last part (or the request itself) has as produced. With a unit and a duration for
 * every part it brings its own routing, otherwise its work master (or operations definition) or product says how. Throws TAKT_IMPORT_ROW.
 */
export function b2mmlOrder({ request, parts }: B2mmlRequest, system: string, where: string): unknown {
  const number = text(request.ID)
  if (number === undefined) throw new TaktError('TAKT_IMPORT_ROW', { what: 'the request has no ID', where })
  const produced = producedBy([request, ...parts].reverse())
  if (produced === undefined) throw new TaktError('TAKT_IMPORT_ROW', { what: `request ${number} has no produced material with a quantity`, where })
  const [quantity] = nodes(produced.Quantity)
  const said = text(quantity?.QuantityString)
  const unit = text(quantity?.UnitOfMeasure)
  const value = Number(said ?? Number.NaN)
  if (!(value > 0)) throw new TaktError('TAKT_ORDER_QUANTITY', { what: `'${(said ?? '').slice(0, 60)}' as QuantityString of request ${number}`, where })
  const master = masterOf(request) ?? text(request.OperationsDefinitionID) ?? (parts[0] !== undefined && parts.length === 1 ? masterOf(parts[0]) : undefined)
  const operations = operationsOf(parts)
  const starts = [request.StartTime, ...parts.flatMap((part) => [part.EarliestStartTime, part.StartTime])].flatMap((time) => text(time) ?? [])
  const ends = [request.EndTime, ...parts.flatMap((part) => [part.LatestEndTime, part.EndTime])].flatMap((time) => text(time) ?? [])
  const priority = text(request.Priority)
  return {
    external: { system, id: number },
    ...optional('product', text(produced.MaterialDefinitionID)),
    ...(operations === undefined ? optional('workMaster', master) : { operations }),
    quantity: unit === undefined ? value : { value, unit },
    // the request's own times come first, those of its parts stand in for them
    ...optional('release', starts[0]),
    ...optional('due', text(request.EndTime) ?? ends.at(-1)),
    ...optional('priority', priority === undefined ? undefined : Number(priority)),
    ...optional('parameters', parametersOf(parts)),
  } satisfies Partial<OrderRequest>
}

function schedulesIn(value: unknown, depth: number): { readonly of: string; readonly schedule: Node }[] | undefined {
  if (depth > DEPTH || typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  for (const [key, inner] of Object.entries(value)) {
    if (key === 'OperationsSchedule' || key === 'WorkSchedule') return nodes(inner).map((schedule) => ({ of: key, schedule }))
    // the verb's message and its data area, nothing else: an order of ours may hold anything
    const found = key === 'DataArea' || /^(Process|Sync|Notify|Show)(Operations|Work)Schedule$/.test(key) ? schedulesIn(inner, depth + 1) : undefined
    if (found !== undefined) return found
  }
  return undefined
}

/** Words of B2MML for what comes out and is wanted. */
const PRODUCED = new Set(['Produced', 'Material Produced', 'Yield Produced'])

function producedBy(holders: readonly Node[]): Node | undefined {
  for (const holder of holders) {
    const materials = nodes(holder.MaterialRequirement).filter(({ Quantity }) => nodes(Quantity).length > 0)
    const produced = materials.find(({ MaterialUse }) => PRODUCED.has(text(MaterialUse) ?? ''))
    if (produced !== undefined) return produced
    const [only] = materials
    if (materials.length === 1 && only !== undefined && text(only.MaterialUse) === undefined) return only
  }
  return undefined
}

function operationsOf(parts: readonly Node[]): RequestedOperation[] | undefined {
  const operations = parts.flatMap((part, index): RequestedOperation[] => {
    const name = text(part.ProcessSegmentID) ?? text(part.OperationsSegmentID) ?? text(part.WorkMasterID) ?? text(part.ID) ?? String(index + 1)
    const durationMs = readDuration(text(part.Duration), 'min') ?? spanOf(part)
    const units = nodes(part.EquipmentRequirement).flatMap(({ EquipmentID }) => text(EquipmentID) ?? [])
    if (durationMs === undefined || units.length === 0) return []
    return [{ id: slug(name), alternatives: units.map((equipment) => ({ equipment, durationMs })) }]
  })
  return operations.length > 0 && operations.length === parts.length ? operations : undefined
}

/** `shaft@3`, or the newest where no version is said that could be one of ours. */
function masterOf(part: Node): string | undefined {
  const [id, version] = [text(part.WorkMasterID), text(part.WorkMasterVersion)]
  return id === undefined || version === undefined || !/^\d+$/.test(version) ? id : `${id}@${version}`
}

/** A job order of B2MML has no duration but a start and an end. Where a work master says how long it takes, they are only when. */
function spanOf(part: Node): number | undefined {
  if (text(part.WorkMasterID) !== undefined) return undefined
  const span = Date.parse(text(part.EndTime) ?? '') - Date.parse(text(part.StartTime) ?? '')
  return span > 0 ? span : undefined
}

/** What the order's parts are to be made with; of the same twice the first. Undefined where there is nothing. */
function parametersOf(parts: readonly Node[]): OrderRequest['parameters'] {
  const found: Record<string, string> = {}
  for (const part of parts)
    for (const parameter of [...nodes(part.JobOrderParameter), ...nodes(part.SegmentParameter)]) {
      const [id, value] = [text(parameter.ID), text(nodes(parameter.Value)[0]?.ValueString)]
      if (id !== undefined && value !== undefined && !Object.hasOwn(found, id)) found[id] = value
    }
  return Object.keys(found).length === 0 ? undefined : found
}

function nodes(value: unknown): Node[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  return list.filter((item): item is Node => typeof item === 'object' && item !== null && !Array.isArray(item))
}

/** A value as text, plain, in `{ $ }` or in `{ value }`, the first of a list. */
function text(value: unknown): string | undefined {
  const first: unknown = Array.isArray(value) ? value[0] : value
  const plain = typeof first === 'object' && first !== null ? ((first as Node).$ ?? (first as Node).value) : first
  return typeof plain === 'string' || typeof plain === 'number' ? String(plain) : undefined
}

function optional<K extends string, T>(name: K, value: T | undefined): Partial<Record<K, T>> {
  return value === undefined ? {} : ({ [name]: value } as Record<K, T>)
}
