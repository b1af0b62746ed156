import { Type } from 'typebox'
import { EquipmentId, Id, Time } from './common.ts'

const Argument = Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()])

/** Something a machine is told to do. `name` is a command of the equipment in the plant model. Topic: `<equipment>/command`. */
export const Command = Type.Object({
  kind: Type.Literal('command'),
  id: Id,
  to: EquipmentId,
  name: Id,
  arguments: Type.Record(Type.String(), Argument),
  expires: Type.Optional(Time),
})
export type Command = Type.Static<typeof Command>

/** What became of a command: sent (the machine's own state will tell), done (the machine said so), refused, expired, failed. */
export const Receipt = Type.Object({
  kind: Type.Literal('receipt'),
  of: Id,
  to: EquipmentId,
  status: Type.Enum(['sent', 'done', 'refused', 'expired', 'failed']),
  code: Type.Optional(Type.String()),
  reason: Type.Optional(Type.String()),
  time: Time,
})
export type Receipt = Type.Static<typeof Receipt>
