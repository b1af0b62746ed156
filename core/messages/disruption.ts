import { Type } from 'typebox'
import { Autonomy, EquipmentId, Id, stored, Time } from './common.ts'
import { RemainingLife } from './prognosis.ts'

/** What to do: plan a repair before the deadline, repair now because the unit is down, or only keep work off it. */
export const DISRUPTION_ACTIONS = ['maintain-before', 'repair-now', 'block'] as const
export const DISRUPTION_STATUSES = ['proposed', 'accepted', 'refused', 'acted', 'withdrawn'] as const
export type DisruptionStatus = (typeof DISRUPTION_STATUSES)[number]

/** What the plant should do about something that makes the plan wrong; a proposal until accepted. Topic: `<equipment>/disruption`. */
export const Disruption = Type.Object({
  kind: Type.Literal('disruption'),
  id: Id,
  equipment: EquipmentId,
  cause: Type.Object({
    anomaly: Type.Optional(Id),
    prognosis: Type.Optional(Type.String()),
    stop: Type.Optional(Type.String({ description: 'the machine state that the unit fell into' })),
    person: Type.Optional(Type.String()),
    repair: Type.Optional({ ...Id, description: 'the maintenance order after which the unit failed its trial' }),
  }),
  action: Type.Enum(DISRUPTION_ACTIONS),
  deadline: Type.Union([Time, Type.Null()], { description: 'the repair must have begun by then' }),
  unavailable: Type.Union([Type.Object({ from: Time, to: Type.Union([Time, Type.Null()]) }), Type.Null()], { description: 'while the unit takes no work' }),
  resource: Type.Optional(
    Type.Object(
      { id: Id, count: Type.Integer({ minimum: 1 }) },
      { description: 'so many of a personnel class or a kind of tool are away while `unavailable`; then `equipment` is the plant, and no unit is blocked' },
    ),
  ),
  asks: Type.Optional(
    Type.Array(
      Type.Object({
        anomaly: Type.Optional(Id),
        prognosis: Type.Optional(Type.String()),
        repair: Type.Optional(Id),
        deadline: Time,
        why: Type.String({ maxLength: 2000 }),
        remainingMs: Type.Optional(RemainingLife),
      }),
      { description: 'who asks for the repair, each with its own deadline; the earliest counts' },
    ),
  ),
  autonomy: Autonomy,
  status: Type.Enum(DISRUPTION_STATUSES),
  why: Type.String({ maxLength: 2000 }),
  maintenanceOrder: Type.Optional(Id),
  decidedBy: Type.Optional(Type.String({ maxLength: 200 })),
  time: Time,
  ...stored,
})
export type Disruption = Type.Static<typeof Disruption>
