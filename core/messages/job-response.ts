import { Type } from 'typebox'
import { DurationMs, EquipmentId, Id, Quantity, stored, Time } from './common.ts'

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

/** Somebody who worked under a job order, and the first and the last time that something shows it; null where nothing says when. */
export const PersonnelActual = Type.Object({
  person: Type.String({ maxLength: 300, description: 'person:<id> for who was known, else the name that was said' }),
  from: Type.Union([Time, Type.Null()]),
  to: Type.Union([Time, Type.Null()]),
})
export type PersonnelActual = Type.Static<typeof PersonnelActual>

/** Material that went in or came out. `event`: the event of genealogy that says so; absent: counted, or told with the response. */
export const MaterialActual = Type.Object({
  lot: Id,
  quantity: Quantity,
  use: Type.Enum(['consumed', 'produced']),
  material: Type.Optional(Id),
  event: Type.Optional(Id),
})
export type MaterialActual = Type.Static<typeof MaterialActual>

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
  setupMs: Type.Optional(Type.Union([DurationMs, Type.Null()], { description: 'as the unit showed it (ISO 22400 AUST); null where it showed none' })),
  runMs: Type.Optional(Type.Union([DurationMs, Type.Null()], { description: 'producing, as the unit showed it (APT); null where nothing was seen of it' })),
  materials: Type.Array(MaterialActual),
  people: Type.Array(Type.String()),
  personnel: Type.Optional(Type.Array(PersonnelActual, { description: 'the same people, with when' })),
  data: Type.Array(Type.Object({ name: Type.String(), value: Type.Union([Type.Number(), Type.String(), Type.Boolean()]) })),
  /** what a log says of it row by row; absent for what was followed live, where the unit's own states say it */
  segments: Type.Optional(Type.Array(Segment)),
  state: Type.Enum(['Completed', 'Closed', 'Aborted']),
  ...stored,
})
export type JobResponse = Type.Static<typeof JobResponse>
