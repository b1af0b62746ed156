import { Type } from 'typebox'
import { Context, EquipmentId, Id, stored, Time } from './common.ts'

export const SEVERITIES = ['low', 'medium', 'high'] as const
export type Severity = (typeof SEVERITIES)[number]

/** Why a detector spoke: which source, what it saw, what it expected. */
export const Evidence = Type.Object({
  source: Type.String({ maxLength: 100 }),
  value: Type.Optional(Type.Number()),
  expected: Type.Optional(Type.Number()),
  lower: Type.Optional(Type.Number()),
  upper: Type.Optional(Type.Number()),
  p: Type.Optional(Type.Number({ minimum: 0, maximum: 1, description: 'tail probability of what was seen' })),
  text: Type.Optional(Type.String({ maxLength: 500 })),
})
export type Evidence = Type.Static<typeof Evidence>

/** What a technician says of an alarm: it was right, or it was a false one. */
export const VERDICTS = ['confirmed', 'refused'] as const
export type VerdictDecision = (typeof VERDICTS)[number]

/** The last word on an alarm; earlier ones stand in the ledger. */
export const Verdict = Type.Object({
  decision: Type.Enum(VERDICTS),
  by: Type.String({ maxLength: 200, description: 'the name that came with it: a hint, not an identity' }),
  time: Time,
  why: Type.Optional(Type.String({ maxLength: 500 })),
})
export type Verdict = Type.Static<typeof Verdict>

/** Something unusual, from raised through updated to cleared; `id` stays the same. Topic: `<equipment>/anomaly`. */
export const Anomaly = Type.Object({
  kind: Type.Literal('anomaly'),
  id: Id,
  equipment: EquipmentId,
  signals: Type.Array(Type.String({ maxLength: 200 }), { minItems: 1 }),
  state: Type.Enum(['raised', 'updated', 'cleared']),
  method: Type.String({ maxLength: 100 }),
  score: Type.Number({ minimum: 0, maximum: 1 }),
  severity: Type.Enum(SEVERITIES),
  since: Time,
  time: Time,
  evidence: Type.Array(Evidence),
  context: Type.Optional(Context),
  detector: Type.Optional(Type.String({ maxLength: 200, description: 'id of the node that raised it' })),
  detectorName: Type.Optional(Type.String({ maxLength: 200, description: "that node's label" })),
  verdict: Type.Optional(Verdict),
  ...stored,
})
export type Anomaly = Type.Static<typeof Anomaly>

/** What the anomaly node says of every sample, for charts: score, expected value and band. Travels as `msg.anomaly` beside the sample. */
export interface ScoredSample {
  readonly score: number
  readonly expected: number | null
  readonly lower: number | null
  readonly upper: number | null
  readonly raised: boolean
  /** in [0, 1]: something unlike before begins here, 0.5 at the threshold; only of methods that look for it */
  readonly onset?: number
  /** with a false-alarm budget: what the method's own threshold is multiplied by */
  readonly threshold?: number
  /** what a changed detector says that is tried in shadow; only where there is one */
  readonly shadow?: { readonly score: number; readonly raised: boolean }
}
