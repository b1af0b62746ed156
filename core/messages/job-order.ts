import { Type } from 'typebox'
import { EquipmentId, Id, Quantity, stored, Time } from './common.ts'

/** Job order states of OPC 10031-4 and no others. */
export const JOB_ORDER_STATES = ['NotAllowedToStart', 'AllowedToStart', 'Running', 'Interrupted', 'Ended', 'Aborted'] as const
export type JobOrderState = (typeof JOB_ORDER_STATES)[number]
/** Substates by state; Running and Aborted have none. */
export const JOB_ORDER_SUBSTATES = {
  NotAllowedToStart: ['Waiting', 'Ready', 'Loaded'],
  AllowedToStart: ['Waiting', 'Ready', 'Loaded'],
  Running: [],
  Interrupted: ['Held', 'Suspended'],
  Ended: ['Completed', 'Closed'],
  Aborted: [],
} as const
const SUBSTATE_NAMES = ['Waiting', 'Ready', 'Loaded', 'Held', 'Suspended', 'Completed', 'Closed'] as const
export type JobOrderSubstate = (typeof SUBSTATE_NAMES)[number]

/** What a job order needs beside its unit: so many of a personnel class or of a kind of tool of the plant model. */
export const ResourceNeed = Type.Object({ resource: Id, count: Type.Integer({ minimum: 1 }) })

/** One way to run a job order: a unit, its times there, and what else it needs there. */
export const Alternative = Type.Object({
  equipment: EquipmentId,
  setupMs: Type.Number({ minimum: 0 }),
  perPieceMs: Type.Number({ minimum: 0 }),
  needs: Type.Optional(Type.Array(ResourceNeed)),
})
export type Alternative = Type.Static<typeof Alternative>

/** One operation of a work order on one unit; the thing that is scheduled, dispatched, run. Topic: `jobs/<id>`. */
export const JobOrder = Type.Object({
  kind: Type.Literal('job-order'),
  id: Id,
  workOrder: Id,
  operation: Id,
  sequence: Type.Integer({ minimum: 0, description: 'order among the job orders of its work order' }),
  after: Type.Array(Id, {
    description: 'job orders that must have ended before this one starts; of one with a `transferLot`, the first such lot must have been made',
  }),
  state: Type.Enum(JOB_ORDER_STATES),
  substate: Type.Union([Type.Enum(SUBSTATE_NAMES), Type.Null()]),
  equipment: Type.Union([EquipmentId, Type.Null()], { description: 'the unit planned or running it; null before the first plan' }),
  alternatives: Type.Array(Alternative),
  setupFamily: Type.Optional(Type.String({ maxLength: 200 })),
  quantity: Quantity,
  good: Type.Number({ minimum: 0 }),
  scrap: Type.Number({ minimum: 0 }),
  lot: Type.Union([Id, Type.Null()]),
  transferLot: Type.Optional(Type.Number({ exclusiveMinimum: 0, description: 'pieces that go on together to the job orders after it; absent: all' })),
  materialAt: Type.Optional(Type.Union([Time, Type.Null()], { description: 'its material is there from then on; absent or null: nothing is known of it' })),
  plannedStart: Type.Union([Time, Type.Null()]),
  plannedEnd: Type.Union([Time, Type.Null()]),
  actualStart: Type.Union([Time, Type.Null()]),
  actualEnd: Type.Union([Time, Type.Null()]),
  planVersion: Type.Union([Type.Integer(), Type.Null()]),
  pinned: Type.Boolean(),
  /** maintenance: must have begun by then, and what the machine is told */
  deadline: Type.Optional(Type.Union([Time, Type.Null()])),
  maintenance: Type.Optional(Type.Enum(['planned', 'unplanned'])),
  /** the job order this one continues after its unit failed */
  continues: Type.Optional(Id),
  cutFrom: Type.Optional({ ...Id, description: 'the job order whose first parts these are, given to a unit on trial; its quantity is its own' }),
  procedure: Type.Optional({ ...Id, description: 'whose steps it needs: `name` in the version in force when it begins, `name@2` in that one' }),
  ...stored,
})
export type JobOrder = Type.Static<typeof JobOrder>
