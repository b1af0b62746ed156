import { Type } from 'typebox'
import { Id, stored, Time } from './common.ts'
import { MEANINGS } from './signature.ts'

export const STEP_TYPES = ['instruct', 'scan', 'measure', 'confirm', 'wait', 'sign', 'branch'] as const
export type StepType = (typeof STEP_TYPES)[number]

const StepId = Type.String({ pattern: '^[a-z0-9][a-z0-9._-]{0,59}$' })
const Text = Type.String({ minLength: 1, maxLength: 2000 })
const Name = Type.String({ minLength: 1, maxLength: 100 })
const strict = { additionalProperties: false }

/** Where a branch leads: `above` and `below` are limits of the value measured before, `choice` is what a person chooses. */
export const BranchWay = Type.Object(
  {
    choice: Type.Optional(Name),
    above: Type.Optional(Type.Number()),
    below: Type.Optional(Type.Number()),
    to: { ...StepId, description: 'a later step, or `end`' },
  },
  strict,
)
export type BranchWay = Type.Static<typeof BranchWay>

/** One step of a procedure. Which of the fields it has depends on its type. */
export const ProcedureStep = Type.Object(
  {
    id: StepId,
    type: Type.Enum(STEP_TYPES),
    text: Type.Optional({ ...Text, description: 'what the person reads' }),
    before: Type.Optional(Type.Enum(['start', 'end'], { description: 'what must wait for it: the start of the job order, or its end (default)' })),
    next: Type.Optional({ ...StepId, description: 'a later step, or `end`; absent: the one that follows' }),
    role: Type.Optional({ ...Name, description: 'who does it must have this role at the unit' }),
    certifications: Type.Optional(Type.Array(Name, { maxItems: 20, description: 'who does it must hold all of them, not expired' })),
    scan: Type.Optional(Type.Enum(['lot', 'tool', 'badge'])),
    material: Type.Optional({ ...Id, description: 'scan of a lot: a lot of this material; absent: the lot of the job order itself' }),
    tools: Type.Optional(Type.Array(Name, { minItems: 1, maxItems: 100, description: 'scan of a tool: one of these' })),
    signal: Type.Optional({ ...Name, description: 'measure: this signal of the unit; absent: by hand' }),
    byHand: Type.Optional(Type.Boolean({ description: 'measure: a person may type the value although there is a signal' })),
    unit: Type.Optional(Type.String({ minLength: 1, maxLength: 40 })),
    lower: Type.Optional(Type.Number()),
    upper: Type.Optional(Type.Number()),
    hold: Type.Optional(Type.Boolean({ description: 'measure: a value outside the limits holds the lot' })),
    durationMs: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 31_536_000_000 })),
    meaning: Type.Optional(Type.Enum(MEANINGS)),
    of: Type.Optional({ ...StepId, description: 'branch: the measurement that decides; absent: a person chooses' }),
    ways: Type.Optional(Type.Array(BranchWay, { minItems: 1, maxItems: 20 })),
  },
  strict,
)
export type ProcedureStep = Type.Static<typeof ProcedureStep>

/** One version of a procedure (SOP): its steps never change; whether it is in force does. Topic: `procedures/<id>`. */
export const Procedure = Type.Object({
  kind: Type.Literal('procedure'),
  id: { ...Id, description: '<name>@<version>' },
  name: Type.String({ minLength: 1, maxLength: 100 }),
  version: Type.Integer({ minimum: 1 }),
  title: Type.String({ maxLength: 200 }),
  state: Type.Enum(['draft', 'approved', 'refused', 'replaced']),
  steps: Type.Array(ProcedureStep, { minItems: 1, maxItems: 200 }),
  author: Type.String({ maxLength: 300, description: 'person:<id>, or the name that was said' }),
  why: Type.String({ maxLength: 1000 }),
  created: Time,
  decidedBy: Type.Optional(Type.String({ maxLength: 300 })),
  decided: Type.Optional(Time),
  decision: Type.Optional(Type.String({ maxLength: 1000 })),
  ...stored,
})
export type Procedure = Type.Static<typeof Procedure>
