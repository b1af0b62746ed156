import { Type } from 'typebox'
import { DurationMs, EquipmentId, Time } from './common.ts'

/** From the time of the prognosis on; the interval holds the end with this confidence. */
export const RemainingLife = Type.Object({
  median: DurationMs,
  lower: DurationMs,
  upper: DurationMs,
  confidence: Type.Number({ minimum: 0, maximum: 1 }),
})
export type RemainingLife = Type.Static<typeof RemainingLife>

/** Remaining useful life of an equipment, with an interval. */
export const Prognosis = Type.Object({
  kind: Type.Literal('prognosis'),
  equipment: EquipmentId,
  indicator: Type.String({ maxLength: 200 }),
  threshold: Type.Number(),
  remainingMs: Type.Union([RemainingLife, Type.Null()], { description: 'null: the trend that was told of has gone' }),
  trend: Type.String({ maxLength: 40, description: '`linear`, `exponential`, `reached`, or `none` when it has gone' }),
  time: Time,
  value: Type.Optional(Type.Number({ description: 'the smoothed indicator at that time' })),
  unit: Type.Optional(Type.String({ maxLength: 40 })),
})
export type Prognosis = Type.Static<typeof Prognosis>

/** What the prognosis node says of every sample, for charts: smoothed value, and the way to the threshold with the interval of its end, epoch ms. Travels as `msg.prognosis` beside the sample. */
export interface ForetoldSample {
  readonly value: number
  readonly threshold: number
  readonly projected: {
    readonly line: ReadonlyArray<{ readonly time: number; readonly value: number }>
    readonly lower: number
    readonly upper: number
  } | null
}
