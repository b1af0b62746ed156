import { Type } from 'typebox'
import { EquipmentId, Id, Quantity, stored, Time } from './common.ts'

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
  state: Type.Enum(['Completed', 'Closed', 'Aborted']),
  ...stored,
})
export type JobResponse = Type.Static<typeof JobResponse>
