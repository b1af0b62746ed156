import { Type } from 'typebox'
import { EquipmentId, Id, Quantity, stored, Time } from './common.ts'

export const WORK_ORDER_TYPES = ['production', 'maintenance', 'rework'] as const
/** Planned: known, not released. Released: may be scheduled and run. Held: people stopped it. Completed: all made. Closed: settled, nothing may be added. */
export const WORK_ORDER_STATES = ['Planned', 'Released', 'Running', 'Held', 'Completed', 'Closed', 'Canceled'] as const
export type WorkOrderState = (typeof WORK_ORDER_STATES)[number]

/** What is to be made: product, quantity, due time (ISA-95 work request). Topic: `orders/<id>`. */
export const WorkOrder = Type.Object({
  kind: Type.Literal('work-order'),
  id: Id,
  type: Type.Enum(WORK_ORDER_TYPES),
  workMaster: Type.Union([Id, Type.Null()], { description: '<id>@<version>; null for maintenance' }),
  quantity: Quantity,
  release: Time,
  due: Type.Union([Time, Type.Null()]),
  priority: Type.Number(),
  weight: Type.Number({ minimum: 0 }),
  state: Type.Enum(WORK_ORDER_STATES),
  progress: Type.Object({ good: Type.Number(), scrap: Type.Number() }),
  lots: Type.Array(Id),
  jobOrders: Type.Array(Id),
  external: Type.Optional(Type.Object({ system: Type.String(), id: Type.String() })),
  /** maintenance: the unit, and why; rework: the lot and the job order whose parts are made good */
  equipment: Type.Optional(EquipmentId),
  cause: Type.Optional(Type.String({ maxLength: 500 })),
  of: Type.Optional(Type.Object({ workOrder: Id, jobOrder: Id, lot: Id })),
  created: Time,
  completed: Type.Optional(Time),
  ...stored,
})
export type WorkOrder = Type.Static<typeof WorkOrder>
