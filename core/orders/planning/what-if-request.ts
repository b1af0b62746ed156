import { Ajv, type ValidateFunction } from 'ajv'
import { Type } from 'typebox'
import { TaktError } from '../../base/error.ts'
import { assertSafe } from '../../base/json.ts'
import { describeErrors } from '../../messages/validate.ts'
import type { Plant } from '../../plant/plant.ts'
import { readTime } from '../times.ts'

const Name = Type.String({ minLength: 1, maxLength: 500 })
const Moment = Type.Union([Type.Number(), Type.String({ minLength: 1, maxLength: 60 })])
const closed = { additionalProperties: false }

const Requested = Type.Object(
  {
    unitDown: Type.Optional(Type.Object({ equipment: Name, from: Type.Optional(Moment), to: Moment }, closed)),
    rush: Type.Optional(
      Type.Object({ workOrder: Name, priority: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1000 })), due: Type.Optional(Moment) }, closed),
    ),
    repair: Type.Optional(Type.Object({ equipment: Type.Optional(Name), jobOrder: Type.Optional(Name), start: Moment }, closed)),
    due: Type.Optional(Type.Object({ workOrder: Name, due: Type.Union([Moment, Type.Null()]) }, closed)),
  },
  { ...closed, minProperties: 1, maxProperties: 1 },
)
type Requested = Type.Static<typeof Requested>

/** What somebody asks, with its times read: nothing is looked up yet. */
export type AskedChange =
  | { readonly kind: 'unit-down'; readonly equipment: string; readonly from: number | undefined; readonly to: number }
  | { readonly kind: 'rush'; readonly workOrder: string; readonly priority: number | undefined; readonly due: number | undefined }
  | { readonly kind: 'repair'; readonly equipment: string | undefined; readonly jobOrder: string | undefined; readonly start: number }
  | { readonly kind: 'due'; readonly workOrder: string; readonly due: number | null }

const MOST_CHANGES = 20
let validator: ValidateFunction | undefined

/**
 * Reads one change or a list of them: `{ unitDown: { equipment, from?, to } }`, `{ rush: { workOrder, priority?, due? } }`,
 * `{ repair: { equipment | jobOrder, start } }`, `{ due: { workOrder, due } }`. Times are epoch ms or text; text without an offset is local time of the plant.
 * Throws TAKT_WHAT_IF_INVALID and TAKT_WHAT_IF_TIME.
 */
export function readWhatIf(payload: unknown, plant: Plant, where: string): readonly AskedChange[] {
  assertSafe(payload, where)
  const list: readonly unknown[] = Array.isArray(payload) ? payload : [payload]
  if (list.length === 0 || list.length > MOST_CHANGES)
    throw new TaktError('TAKT_WHAT_IF_INVALID', { what: `${list.length} changes came where 1 to ${MOST_CHANGES} are taken`, where })
  return list.map((item) => readChange(item, plant, where))
}

function readChange(item: unknown, plant: Plant, where: string): AskedChange {
  validator ??= new Ajv({ allErrors: true, strict: false }).compile(Requested)
  if (!validator(item)) throw new TaktError('TAKT_WHAT_IF_INVALID', { what: `it is none of the changes known: ${describeErrors(validator.errors)}`, where })
  const { unitDown, rush, repair, due } = item as Requested
  const moment = (value: number | string, field: string): number => {
    const time = readTime(value, plant.timeZone)
    if (time === undefined) throw new TaktError('TAKT_WHAT_IF_TIME', { what: `'${value}' as ${field} is not a time`, where })
    return time
  }
  if (unitDown !== undefined) {
    const { equipment, from, to } = unitDown
    return { kind: 'unit-down', equipment, from: from === undefined ? undefined : moment(from, 'unitDown.from'), to: moment(to, 'unitDown.to') }
  }
  if (rush !== undefined) {
    const { workOrder, priority } = rush
    return { kind: 'rush', workOrder, priority, due: rush.due === undefined ? undefined : moment(rush.due, 'rush.due') }
  }
  if (repair !== undefined) {
    const { equipment, jobOrder, start } = repair
    if ((equipment === undefined) === (jobOrder === undefined))
      throw new TaktError('TAKT_WHAT_IF_INVALID', { what: 'a repair names either its equipment or its jobOrder', where })
    return { kind: 'repair', equipment, jobOrder, start: moment(start, 'repair.start') }
  }
  if (due !== undefined) return { kind: 'due', workOrder: due.workOrder, due: due.due === null ? null : moment(due.due, 'due.due') }
  throw new TaktError('TAKT_WHAT_IF_INVALID', { where })
}
