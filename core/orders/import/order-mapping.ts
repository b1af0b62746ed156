import { Ajv, type ValidateFunction } from 'ajv'
import { Type } from 'typebox'
import { TaktError } from '../../base/error.ts'
import { assertSafe } from '../../base/json.ts'
import { SEGMENT_ACTIVITIES } from '../../messages/job-response.ts'
import { describeErrors } from '../../messages/validate.ts'
import { DURATION_UNITS } from '../times.ts'

/** A column of a CSV file, or a path into a JSON object: `$.header.quantity`. */
const From = Type.String({ minLength: 1, maxLength: 200 })
const strict = { additionalProperties: false }

/**
 * Which columns (or paths) of a file say what about orders. Without `operations` each row is an order. With it each row is a step of an order: the rows of one
 * order are its routing, and no work master is needed.
 */
export const OrderMapping = Type.Object(
  {
    /** where the orders come from; with the order's number it is the external id */
    system: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
    delimiter: Type.Optional(Type.String({ minLength: 1, maxLength: 4 })),
    /** JSON: path of the list, when the file is not a list itself */
    orders: Type.Optional(From),
    /** take no more than this many orders, the first ones */
    limit: Type.Optional(Type.Integer({ minimum: 1 })),
    fields: Type.Optional(
      Type.Object(
        {
          order: Type.Optional(From),
          id: Type.Optional(From),
          product: Type.Optional(From),
          workMaster: Type.Optional(From),
          quantity: Type.Optional(From),
          unit: Type.Optional(From),
          release: Type.Optional(From),
          due: Type.Optional(From),
          priority: Type.Optional(From),
          weight: Type.Optional(From),
          materialAt: Type.Optional(From),
        },
        strict,
      ),
    ),
    operations: Type.Optional(
      Type.Object(
        {
          operation: From,
          equipment: From,
          /** how long it took or takes: `span` as written, checked against `start` and `complete` where both are there */
          span: Type.Optional(From),
          start: Type.Optional(From),
          complete: Type.Optional(From),
          /** of a span that is a plain number */
          unit: Type.Optional(Type.Enum(Object.keys(DURATION_UNITS) as (keyof typeof DURATION_UNITS)[])),
        },
        strict,
      ),
    ),
    /** rows that say what was done rather than what is to do: the orders are made with what happened in them. Needs `operations` with start and complete. */
    records: Type.Optional(
      Type.Object(
        {
          /** what kind of work a row is, and what its words mean; without it every row is a run */
          type: Type.Optional(From),
          types: Type.Optional(Type.Record(Type.String(), Type.Enum(SEGMENT_ACTIVITIES))),
          completed: Type.Optional(From),
          rejected: Type.Optional(From),
          /** parts set aside for people to judge */
          review: Type.Optional(From),
          /** a row that has something else than no, 0 or false here is rework */
          rework: Type.Optional(From),
          person: Type.Optional(From),
          /** rows that say the same to the letter: `keep` (told as a doubt) or `leave-out` */
          duplicates: Type.Optional(Type.Enum(['keep', 'leave-out'])),
        },
        strict,
      ),
    ),
    /** what the file calls a unit → its id; a name that is not listed is looked up among the units' ids and names, and then under `under` */
    equipment: Type.Optional(
      Type.Object({ names: Type.Optional(Type.Record(Type.String(), Type.String())), under: Type.Optional(Type.String({ minLength: 1 })) }, strict),
    ),
  },
  strict,
)
export type OrderMapping = Type.Static<typeof OrderMapping>
export type OrderField = keyof NonNullable<OrderMapping['fields']>
export type Fields = Partial<Record<OrderField, string>>

/** Used where the mapping names no fields: columns that are called what they hold. */
export const FIELD_NAMES: readonly OrderField[] = [
  'order',
  'id',
  'product',
  'workMaster',
  'quantity',
  'unit',
  'release',
  'due',
  'priority',
  'weight',
  'materialAt',
]

let validator: ValidateFunction | undefined

/** A mapping from a node's configuration or a file. Throws TAKT_IMPORT_MAPPING with every fault. */
export function checkOrderMapping(value: unknown, where: string): OrderMapping {
  assertSafe(value, where)
  validator ??= new Ajv({ allErrors: true, strict: false }).compile(OrderMapping)
  if (!validator(value)) throw new TaktError('TAKT_IMPORT_MAPPING', { what: describeErrors(validator.errors), where })
  const mapping = value as OrderMapping
  const { operations } = mapping
  if (operations !== undefined && operations.span === undefined && (operations.start === undefined || operations.complete === undefined))
    throw new TaktError('TAKT_IMPORT_MAPPING', { what: 'operations need a span, or start and complete', where })
  if (operations !== undefined && mapping.fields?.order === undefined && mapping.fields?.id === undefined)
    throw new TaktError('TAKT_IMPORT_MAPPING', { what: 'operations need fields.order or fields.id, which says whose they are', where })
  if (mapping.records !== undefined && (operations?.start === undefined || operations.complete === undefined))
    throw new TaktError('TAKT_IMPORT_MAPPING', { what: 'records need operations with start and complete', where })
  return mapping
}
