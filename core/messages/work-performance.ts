import { Type } from 'typebox'
import { DurationMs, EquipmentId, Id, Quantity, Time } from './common.ts'
import { MaterialActual, PersonnelActual } from './job-response.ts'
import { WORK_ORDER_STATES, WORK_ORDER_TYPES } from './work-order.ts'

const Maybe = Type.Union([Time, Type.Null()])
const Spent = Type.Union([DurationMs, Type.Null()])

/** One job response of it, with what the ERP asks of it. */
export const JobPerformance = Type.Object({
  id: { ...Id, description: 'of the job response' },
  jobOrder: Id,
  operation: Id,
  equipment: Type.Union([EquipmentId, Type.Null()]),
  state: Type.Enum(['Completed', 'Aborted']),
  start: Maybe,
  end: Maybe,
  setupMs: Spent,
  runMs: Spent,
  good: Type.Number({ minimum: 0 }),
  scrap: Type.Number({ minimum: 0 }),
  unit: Type.String({ maxLength: 40 }),
  materials: Type.Array(MaterialActual),
  personnel: Type.Array(PersonnelActual),
  data: Type.Array(Type.Object({ name: Type.String(), value: Type.Union([Type.Number(), Type.String(), Type.Boolean()]) })),
})
export type JobPerformance = Type.Static<typeof JobPerformance>

/** What was done of a work order, or under one of its job orders, as the ERP is told (ISA-95 work performance). The body of erp-messages in the format `json`. */
export const WorkPerformance = Type.Object({
  kind: Type.Literal('work-performance'),
  id: { ...Id, description: 'of the message: the same for the same, however often it is delivered' },
  version: Type.Integer({ minimum: 1, description: 'above 1: a correction, which replaces the one before' }),
  of: Type.Object({ kind: Type.Enum(['job-order', 'work-order']), id: Id }),
  plant: EquipmentId,
  time: { ...Time, description: 'when it was written' },
  workOrder: Type.Object({
    id: Id,
    external: Type.Optional(Type.Object({ system: Type.String(), id: Type.String() }, { description: 'its own number, or that of the order it was made for' })),
    type: Type.Enum(WORK_ORDER_TYPES),
    workMaster: Type.Union([Id, Type.Null()]),
    product: Type.Union([Id, Type.Null()]),
    ordered: Quantity,
    into: Type.Optional({ ...Id, description: 'the order that it was merged into' }),
    /** of the whole order, where it is what the message tells of */
    state: Type.Optional(Type.Enum(WORK_ORDER_STATES)),
    good: Type.Optional(Type.Number()),
    scrap: Type.Optional(Type.Number()),
    start: Type.Optional(Maybe),
    end: Type.Optional(Maybe),
  }),
  jobs: Type.Array(JobPerformance),
})
export type WorkPerformance = Type.Static<typeof WorkPerformance>
