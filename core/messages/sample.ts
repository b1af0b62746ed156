import { Type } from 'typebox'
import { Context, EquipmentId, Time } from './common.ts'

/** One timed value of a signal (OPC UA DataValue). `time` is the source's, `received` ours. Topic: `<equipment>/<signal>`. */
export const Sample = Type.Object({
  kind: Type.Literal('sample'),
  equipment: EquipmentId,
  signal: Type.String({ minLength: 1, maxLength: 200 }),
  value: Type.Union([Type.Number(), Type.String({ maxLength: 100_000 }), Type.Boolean()]),
  unit: Type.Optional(Type.String({ maxLength: 40 })),
  quality: Type.Enum(['good', 'uncertain', 'bad']),
  time: Time,
  received: Time,
  origin: Type.Optional(Type.Object({ source: Type.String(), session: Type.Optional(Type.String()), sequence: Type.Optional(Type.Integer()) })),
  context: Type.Optional(Context),
})
export type Sample = Type.Static<typeof Sample>
