import { Type } from 'typebox'
import { EquipmentId, Id, stored, Time } from './common.ts'
import { STEP_TYPES } from './procedure.ts'

/** A step that was done: who, when, what, and the limits that held. */
export const DoneStep = Type.Object({
  step: Type.String(),
  type: Type.Enum(STEP_TYPES),
  by: Type.String({ maxLength: 300, description: 'person:<id>, a name that was said, or the node where nobody had to act' }),
  time: Time,
  value: Type.Optional(
    Type.Union([Type.Number(), Type.String({ maxLength: 500 })], {
      description: 'what was scanned, measured or chosen; of a signature printed name, meaning and time',
    }),
  ),
  unit: Type.Optional(Type.String({ maxLength: 40 })),
  lower: Type.Optional(Type.Number()),
  upper: Type.Optional(Type.Number()),
  source: Type.Optional(Type.String({ maxLength: 700, description: 'the signal that a value came from' })),
  signature: Type.Optional(Id),
  to: Type.Optional(Type.String({ description: 'where a branch led' })),
})
export type DoneStep = Type.Static<typeof DoneStep>

/** How far a job order is with its procedure, in the version that it began with. Topic: `procedures/runs/<job order>`. */
export const ProcedureRun = Type.Object({
  kind: Type.Literal('procedure-run'),
  id: { ...Id, description: 'the job order' },
  procedure: { ...Id, description: '<name>@<version>' },
  workOrder: Id,
  operation: Id,
  equipment: EquipmentId,
  lot: Type.Union([Id, Type.Null()]),
  phase: Type.Enum(['start', 'end', 'done'], { description: 'what the present step must come before; done: nothing is left' }),
  step: Type.Union([Type.String(), Type.Null()], { description: 'the present step' }),
  since: { ...Time, description: 'it is the present one from then on' },
  refused: Type.Integer({ minimum: 0, description: 'values outside the limits in the present step' }),
  done: Type.Array(DoneStep, { maxItems: 200 }),
  by: Type.String({ maxLength: 300, description: 'who began it' }),
  ...stored,
})
export type ProcedureRun = Type.Static<typeof ProcedureRun>
