import { Type } from 'typebox'
import { EquipmentId, Id, stored, Time } from './common.ts'

/**
 * Parts made since the last count: a delta that is safe to add once. `total` is what this unit made for this job order so far, so a reader that missed
 * a delta can set instead of add. With `ledger` it stands in the store already; without, the node that records it does.
 */
export const Count = Type.Object({
  kind: Type.Literal('count'),
  equipment: EquipmentId,
  jobOrder: Type.Union([Id, Type.Null()]),
  good: Type.Number({ minimum: 0 }),
  scrap: Type.Number({ minimum: 0 }),
  total: Type.Object({ good: Type.Number({ minimum: 0 }), scrap: Type.Number({ minimum: 0 }) }),
  time: Time,
  ...stored,
})
export type Count = Type.Static<typeof Count>
