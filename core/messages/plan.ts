import { Type } from 'typebox'
import { DurationMs, EquipmentId, Id, stored, Time } from './common.ts'

export const Assignment = Type.Object({
  jobOrder: Id,
  workOrder: Id,
  equipment: EquipmentId,
  start: Time,
  end: Time,
  setupMs: DurationMs,
  frozen: Type.Boolean({ description: 'running already: a fact, not a choice' }),
  maintenance: Type.Optional(Type.Boolean()),
})
export type Assignment = Type.Static<typeof Assignment>

const Place = Type.Object({ equipment: EquipmentId, start: Time })

/** One job order that the new plan puts elsewhere or at another time. */
export const PlanChange = Type.Object({
  jobOrder: Id,
  from: Type.Union([Place, Type.Null()]),
  to: Type.Union([Place, Type.Null()]),
  because: Type.String({ maxLength: 500, description: 'the id of the disruption, order or job that made it necessary, or a word for it' }),
  text: Type.Optional(Type.String({ maxLength: 500, description: 'the same as one sentence' })),
})
export type PlanChange = Type.Static<typeof PlanChange>

export const PlanProblem = Type.Object({
  workOrder: Type.Union([Id, Type.Null()]),
  jobOrder: Type.Optional(Id),
  code: Type.String(),
  why: Type.String({ maxLength: 1000 }),
})
export type PlanProblem = Type.Static<typeof PlanProblem>

/** Orders that one plan makes late or saves against another, and the difference in lateness. */
export const PlanEffect = Type.Object({
  becomesLate: Type.Array(Id, { description: 'in time before, late now' }),
  saved: Type.Array(Id, { description: 'late before, in time now' }),
  weightedTardinessMs: Type.Number({ description: 'what it costs (above 0) or gains (below 0): lateness times weight and a fifth of the priority' }),
})
export type PlanEffect = Type.Static<typeof PlanEffect>

/** A published schedule version: who does what when, and what changed against the version before. Topic: `plan`. */
export const Plan = Type.Object({
  kind: Type.Literal('plan'),
  version: Type.Integer({ minimum: 1 }),
  previous: Type.Union([Type.Integer({ minimum: 1 }), Type.Null()]),
  now: Time,
  trigger: Type.Object({ type: Type.String(), id: Type.Optional(Type.String()) }),
  objective: Type.Object({ tardinessMs: Type.Number(), makespanMs: Type.Number(), setups: Type.Number(), moved: Type.Number() }),
  effect: Type.Optional(
    Type.Object({
      againstBefore: Type.Union([PlanEffect, Type.Null()], { description: 'against what the plan before had promised; null for the first plan' }),
      againstDoingNothing: Type.Union([PlanEffect, Type.Null()], { description: 'against the plan before, shifted by what has happened since' }),
      text: Type.String({ maxLength: 1000, description: 'the same as a sentence or two' }),
    }),
  ),
  assignments: Type.Array(Assignment),
  changes: Type.Array(PlanChange),
  doNothing: Type.Union([Type.Object({ tardinessMs: Type.Number(), late: Type.Array(Id) }), Type.Null()]),
  problems: Type.Array(PlanProblem),
  ...stored,
})
export type Plan = Type.Static<typeof Plan>
