import { Type } from 'typebox'
import { EquipmentId, Id, Quantity, stored, Time } from './common.ts'
import { Alternative } from './job-order.ts'
import { Found, MaintenanceEvidence, ServiceReturn, Spare } from './maintenance.ts'

export const WORK_ORDER_TYPES = ['production', 'maintenance', 'rework'] as const
/** Planned: known, not released. Released: may be scheduled and run. Held: people stopped it. Completed: all made. Closed: settled, nothing may be added. */
export const WORK_ORDER_STATES = ['Planned', 'Released', 'Running', 'Held', 'Completed', 'Closed', 'Canceled'] as const
export type WorkOrderState = (typeof WORK_ORDER_STATES)[number]

/** One step of an order that brings its own routing; `after` names operations of the same order. */
export const RoutedOperation = Type.Object({
  id: Id,
  after: Type.Array(Id),
  setupFamily: Type.Optional(Type.String({ maxLength: 200 })),
  transferLot: Type.Optional(Type.Number({ exclusiveMinimum: 0, description: 'pieces that go on together to the next operation' })),
  procedure: Type.Optional({ ...Id, description: 'whose steps it needs' }),
  alternatives: Type.Array(Alternative, { minItems: 1 }),
})
export type RoutedOperation = Type.Static<typeof RoutedOperation>

/** What it is to be made with, by name: a programme, a temperature. Units are told them when they are to start. */
export const Parameters = Type.Record(
  Type.String({ minLength: 1, maxLength: 100 }),
  Type.Union([Type.String({ maxLength: 1000 }), Type.Number(), Type.Boolean()]),
  {
    maxProperties: 200,
  },
)
export type Parameters = Type.Static<typeof Parameters>

/** An order that came over OPC UA Job Control (OPC 10031-4): what was asked for, and what the asker's list of job orders shows of it. */
export const JobControl = Type.Object({
  receiver: EquipmentId,
  request: Type.String({ description: 'hash of the first request: the same again changes nothing' }),
  terms: Type.Unknown({ description: 'the job order as it stands, ISA95JobOrderDataType in JSON' }),
  listed: Type.Boolean({ description: 'false when the asker has taken it off its list (Cancel, Clear)' }),
})
export type JobControl = Type.Static<typeof JobControl>

/** What is to be made: product, quantity, due time (ISA-95 work request). Topic: `orders/<id>`. */
export const WorkOrder = Type.Object({
  kind: Type.Literal('work-order'),
  id: Id,
  type: Type.Enum(WORK_ORDER_TYPES),
  workMaster: Type.Union([Id, Type.Null()], { description: '<id>@<version>; null for maintenance, and for an order with operations of its own' }),
  quantity: Quantity,
  release: Time,
  due: Type.Union([Time, Type.Null()]),
  priority: Type.Number(),
  weight: Type.Number({ minimum: 0 }),
  materialAt: Type.Optional(Type.Union([Time, Type.Null()], { description: 'the material for its first operations is there from then on' })),
  state: Type.Enum(WORK_ORDER_STATES),
  progress: Type.Object({ good: Type.Number(), scrap: Type.Number() }),
  lots: Type.Array(Id),
  jobOrders: Type.Array(Id),
  external: Type.Optional(Type.Object({ system: Type.String(), id: Type.String() })),
  /** maintenance: the unit, and why; rework: the lot and the job order whose parts are made good */
  equipment: Type.Optional(EquipmentId),
  cause: Type.Optional(Type.String({ maxLength: 500 })),
  of: Type.Optional(Type.Object({ workOrder: Id, jobOrder: Id, lot: Id })),
  /** maintenance: what speaks for it, the spares it takes, what was found, how the unit comes back, and the repair before it that did not help */
  evidence: Type.Optional(Type.Array(MaintenanceEvidence)),
  spares: Type.Optional(Type.Array(Spare)),
  found: Type.Optional(Found),
  service: Type.Optional(ServiceReturn),
  follows: Type.Optional(Id),
  /** an order without a work master: what it makes and how */
  product: Type.Optional(Id),
  operations: Type.Optional(Type.Array(RoutedOperation, { minItems: 1 })),
  jobControl: Type.Optional(JobControl),
  /** how much less or more may be made than the quantity says, in its unit; closing an order outside needs a reason */
  tolerance: Type.Optional(Type.Object({ under: Type.Number({ minimum: 0 }), over: Type.Number({ minimum: 0 }) })),
  /** what was asked for at first, where people changed it */
  asked: Type.Optional(Type.Object({ quantity: Quantity, due: Type.Union([Time, Type.Null()]), priority: Type.Number(), weight: Type.Number() })),
  /** orders that it was split from or that were merged into it, and how much of it is theirs; `into`: the order that it was merged into */
  from: Type.Optional(Type.Array(Type.Object({ workOrder: Id, quantity: Quantity, by: Type.Enum(['split', 'merge']) }))),
  into: Type.Optional(Id),
  parameters: Type.Optional(Parameters),
  template: Type.Optional({ ...Id, description: 'what it was made from, <name>@<version>' }),
  created: Time,
  completed: Type.Optional(Time),
  ...stored,
})
export type WorkOrder = Type.Static<typeof WorkOrder>
