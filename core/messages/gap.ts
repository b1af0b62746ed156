import { Type } from 'typebox'
import { EquipmentId } from './common.ts'

/** Values that are known to be missing: between `from` and `to` a source sent more than arrived. Topic: `<source>/gap`. */
export const Gap = Type.Object({
  kind: Type.Literal('gap'),
  source: Type.String({ minLength: 1, maxLength: 500, description: 'the connection, and the node that reads it' }),
  equipment: Type.Optional(EquipmentId),
  signals: Type.Optional(Type.Array(Type.String({ maxLength: 200 }), { description: 'all of the source where it is absent' })),
  from: Type.Number({ minimum: 0, maximum: 8.64e15, description: 'epoch milliseconds UTC: time of the last value before the gap' }),
  to: Type.Number({ minimum: 0, maximum: 8.64e15, description: 'epoch milliseconds UTC: time of the first value after it' }),
  code: Type.String({ description: 'code of the error that says why' }),
  why: Type.String({ maxLength: 2000 }),
  lost: Type.Optional(Type.Integer({ minimum: 0, description: 'how many values, where the source numbers them' })),
  backfilled: Type.Optional(Type.Boolean({ description: "true: the values came later from the source's own history" })),
})
export type Gap = Type.Static<typeof Gap>
