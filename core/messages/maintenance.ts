import { Type } from 'typebox'
import { SEVERITIES, VERDICTS } from './anomaly.ts'
import { Id, Quantity, Time } from './common.ts'
import { RemainingLife } from './prognosis.ts'

/** Parts of a maintenance order: what speaks for it, what it takes, what was found, and how its unit comes back to work. */

export const EVIDENCE_SOURCES = ['anomaly', 'prognosis', 'stop', 'quality-result', 'repair', 'person'] as const

/** One thing that speaks for a repair; the latest word of each source and id. */
export const MaintenanceEvidence = Type.Object({
  source: Type.Enum(EVIDENCE_SOURCES),
  id: Type.String({
    minLength: 1,
    maxLength: 200,
    description: 'anomaly, quality result or repair before: its id; prognosis: its indicator; stop: the state; person: who',
  }),
  disruption: Type.Optional({ ...Id, description: 'through which it asked for the repair' }),
  time: Time,
  why: Type.String({ maxLength: 500 }),
  signals: Type.Optional(Type.Array(Type.String({ maxLength: 200 }), { maxItems: 20 })),
  method: Type.Optional(Type.String({ maxLength: 100 })),
  score: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
  severity: Type.Optional(Type.Enum(SEVERITIES)),
  since: Type.Optional(Time),
  value: Type.Optional(Type.Number({ description: 'seen' })),
  expected: Type.Optional(Type.Number()),
  lower: Type.Optional(Type.Number()),
  upper: Type.Optional(Type.Number()),
  remainingMs: Type.Optional(RemainingLife),
})
export type MaintenanceEvidence = Type.Static<typeof MaintenanceEvidence>

export const SPARE_STATES = ['reserved', 'missing', 'used'] as const

/** A material that a repair takes, and the lots that it is taken from. `lots` of a missing one hold what is there of it. */
export const Spare = Type.Object({
  material: Id,
  quantity: Quantity,
  state: Type.Enum(SPARE_STATES),
  lots: Type.Array(Type.Object({ lot: Id, quantity: Quantity })),
})
export type Spare = Type.Static<typeof Spare>

/** What a person found at the repair, and what was done. */
export const Found = Type.Object({
  cause: Type.String({ minLength: 1, maxLength: 500 }),
  code: Type.Optional(Type.String({ maxLength: 100, description: "of the plant model's reasons" })),
  done: Type.String({ minLength: 1, maxLength: 1000 }),
  alarm: Type.Optional(Type.Enum(VERDICTS, { description: 'whether the alarms that asked for it were right' })),
  by: Type.String({ maxLength: 200 }),
  time: Time,
})
export type Found = Type.Static<typeof Found>

/** A signal that must be calm before a repaired unit goes on: so many values one after the other within limits, or without any in the band of its anomaly node. */
export const CalmSignal = Type.Object({
  signal: Type.String({ minLength: 1, maxLength: 200 }),
  lower: Type.Optional(Type.Number()),
  upper: Type.Optional(Type.Number()),
  samples: Type.Integer({ minimum: 1 }),
})
export type CalmSignal = Type.Static<typeof CalmSignal>

/** `repair`: not done yet. `check`: the unit takes no work. `trial`: a few parts at a time. `failed`: the repair did not help; as on trial until the next one. `full`: as ever. `replaced`: by a later repair. */
export const SERVICE_STATES = ['repair', 'check', 'trial', 'failed', 'full', 'replaced'] as const
export type ServiceState = (typeof SERVICE_STATES)[number]

/** How a unit comes back to work after its repair; the terms are those of the plant model when the order was made. */
export const ServiceReturn = Type.Object({
  state: Type.Enum(SERVICE_STATES),
  since: Time,
  why: Type.Optional(Type.String({ maxLength: 500 })),
  check: Type.Optional(
    Type.Object({
      confirm: Type.Optional(Type.Object({ role: Type.Optional(Type.String({ maxLength: 60 })), person: Type.Optional(Id) })),
      signals: Type.Optional(Type.Array(CalmSignal)),
      procedure: Type.Optional(Id),
      minutes: Type.Number({ description: 'how long it usually takes; plans reckon with it' }),
      confirmed: Type.Optional(Type.Object({ by: Type.String({ maxLength: 200 }), time: Time, why: Type.Optional(Type.String({ maxLength: 500 })) })),
      calm: Type.Optional(Type.Array(Type.String(), { description: 'signals that were calm for long enough' })),
    }),
  ),
  trial: Type.Optional(
    Type.Object({
      parts: Type.Integer({ minimum: 1, description: 'good parts that it takes, and as many at a time' }),
      minutes: Type.Number({ minimum: 0, description: 'and at least so long' }),
      scrap: Type.Integer({ minimum: 0, description: 'so many of them may be scrap' }),
      from: Type.Optional(Time),
      good: Type.Number(),
      bad: Type.Number(),
      jobOrders: Type.Array(Id),
    }),
  ),
})
export type ServiceReturn = Type.Static<typeof ServiceReturn>
