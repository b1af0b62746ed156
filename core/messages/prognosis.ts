import { Type } from 'typebox'
import { DurationMs, EquipmentId, Time } from './common.ts'

/** Remaining useful life of an equipment, with an interval. */
export const Prognosis = Type.Object({
  kind: Type.Literal('prognosis'),
  equipment: EquipmentId,
  indicator: Type.String({ maxLength: 200 }),
  threshold: Type.Number(),
  remainingMs: Type.Object({ median: DurationMs, lower: DurationMs, upper: DurationMs, confidence: Type.Number({ minimum: 0, maximum: 1 }) }),
  trend: Type.String({ maxLength: 40 }),
  time: Time,
})
export type Prognosis = Type.Static<typeof Prognosis>
