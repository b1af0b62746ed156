import { Type } from 'typebox'
import { EquipmentId, Id, Time } from './common.ts'
import { Assignment, PlanEffect, PlanProblem } from './plan.ts'

/** One change that somebody thinks about. */
export const WhatIfChange = Type.Union([
  Type.Object({ unitDown: Type.Object({ equipment: EquipmentId, from: Time, to: Time }) }, { description: 'the unit takes no work' }),
  Type.Object(
    { rush: Type.Object({ workOrder: Id, priority: Type.Number(), due: Type.Optional(Time) }) },
    { description: 'the order counts more than others, and may be needed sooner' },
  ),
  Type.Object(
    { repair: Type.Object({ equipment: EquipmentId, jobOrder: Type.Union([Id, Type.Null()]), start: Time }) },
    { description: 'the repair begins then; `jobOrder` is null where none is ordered yet' },
  ),
  Type.Object({ due: Type.Object({ workOrder: Id, due: Type.Union([Time, Type.Null()]) }) }, { description: 'the order is due at another time' }),
])
export type WhatIfChange = Type.Static<typeof WhatIfChange>

/** One of the two plans that are compared. */
export const WhatIfSide = Type.Object({
  late: Type.Array(Type.Object({ workOrder: Id, lateMs: Type.Number() }), { description: 'latest first' }),
  unplanned: Type.Array(Id, { description: 'orders with something that could not be planned' }),
  tardinessMs: Type.Number(),
  weightedTardinessMs: Type.Number({ description: 'by the weights that orders have now, on both sides' }),
  makespanMs: Type.Number(),
  setups: Type.Number(),
  assignments: Type.Array(Assignment),
  problems: Type.Array(PlanProblem),
})
export type WhatIfSide = Type.Static<typeof WhatIfSide>

const Place = Type.Object({ equipment: EquipmentId, start: Time })

/** What would come of a change before anybody makes it: the plan as it is beside the plan with it; nothing is written. Topic: `plan/what-if`. */
export const WhatIf = Type.Object({
  kind: Type.Literal('what-if'),
  id: Id,
  now: Time,
  changes: Type.Array(WhatIfChange, { minItems: 1 }),
  what: Type.Array(Type.String({ maxLength: 500 }), { description: 'each change as a sentence' }),
  text: Type.String({ maxLength: 1000, description: 'what comes of it, as a sentence' }),
  effect: PlanEffect,
  asIs: WhatIfSide,
  whatIf: WhatIfSide,
  moved: Type.Array(
    Type.Object({
      jobOrder: Id,
      workOrder: Id,
      from: Type.Union([Place, Type.Null()]),
      to: Type.Union([Place, Type.Null()]),
      text: Type.Optional(Type.String({ maxLength: 500 })),
    }),
    { description: 'job orders that stand elsewhere, or at another time, than without the change' },
  ),
  adopted: Type.Optional(
    Type.Object({
      time: Time,
      by: Type.String({ maxLength: 200 }),
      result: Type.String({ description: 'what became of the new plan: published, proposed, computed (shadow) or unchanged' }),
      plan: Type.Union([Type.Integer(), Type.Null()], { description: 'the version that is in force or proposed after it' }),
    }),
  ),
})
export type WhatIf = Type.Static<typeof WhatIf>
