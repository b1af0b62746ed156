import { Type } from 'typebox'
import { EquipmentId, Id, stored, Time } from './common.ts'

export const QUALITY_DECISIONS = ['pass', 'hold', 'reject'] as const
export type QualityDecision = (typeof QUALITY_DECISIONS)[number]

/** A characteristic measured on a lot, against its specification. */
export const QualityResult = Type.Object({
  kind: Type.Literal('quality-result'),
  id: Id,
  lot: Type.Union([Id, Type.Null()]),
  jobOrder: Type.Union([Id, Type.Null()]),
  equipment: Type.Union([EquipmentId, Type.Null()]),
  serial: Type.Optional(Id),
  characteristic: Id,
  values: Type.Array(Type.Number(), { minItems: 1 }),
  unit: Type.Optional(Type.String()),
  specification: Type.Object({
    target: Type.Union([Type.Number(), Type.Null()]),
    lower: Type.Union([Type.Number(), Type.Null()]),
    upper: Type.Union([Type.Number(), Type.Null()]),
  }),
  decision: Type.Enum(QUALITY_DECISIONS),
  rules: Type.Array(Type.String()),
  reasons: Type.Array(Type.String()),
  time: Time,
  ...stored,
})
export type QualityResult = Type.Static<typeof QualityResult>
