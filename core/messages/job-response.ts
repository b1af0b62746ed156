import { Type } from 'typebox'
import { EquipmentId, Id, Quantity, stored, Time } from './common.ts'

export const SEGMENT_ACTIVITIES = ['setup', 'run', 'breakdown'] as const

/** One stretch of work as a log recorded it (ISA-95 segment response). `review`: parts set aside for people to judge; `row`: where it stands in the log. */
export const Segment = Type.Object({
  activity: Type.Enum(SEGMENT_ACTIVITIES),
  start: Time,
  end: Time,
  good: Type.Number({ minimum: 0 }),
  scrap: Type.Number({ minimum: 0 }),
  review: Type.Number({ minimum: 0 }),
  person: Type.Optional(Type.String({ maxLength: 200 })),
  row: Type.Integer({ minimum: 1 }),
})
export type Segment = Type.Static<typeof Segment>

/** What happened in one job order: actual times and quantities. */
export const JobResponse = Type.Object({
  kind: Type.Literal('job-response'),
  id: Id,
  jobOrder: Id,
  workOrder: Id,
  equipment: Type.Union([EquipmentId, Type.Null()]),
  start: Type.Union([Time, Type.Null()]),
  end: Type.Union([Time, Type.Null()]),
  good: Type.Number({ minimum: 0 }),
  scrap: Type.Number({ minimum: 0 }),
  materials: Type.Array(Type.Object({ lot: Id, quantity: Quantity, use: Type.Enum(['consumed', 'produced']) })),
  people: Type.Array(Type.String()),
  data: Type.Array(Type.Object({ name: Type.String(), value: Type.Union([Type.Number(), Type.String(), Type.Boolean()]) })),
  /** what a log says of it row by row; absent for what was followed live, where the unit's own states say it */
  segments: Type.Optional(Type.Array(Segment)),
  state: Type.Enum(['Completed', 'Closed', 'Aborted']),
  ...stored,
})
export type JobResponse = Type.Static<typeof JobResponse>
