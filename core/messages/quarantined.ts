import { Type } from 'typebox'
import { Time } from './common.ts'

/** A message that a node could not use, kept with its reason. */
export const Quarantined = Type.Object({
  kind: Type.Literal('quarantined'),
  code: Type.String(),
  what: Type.String(),
  where: Type.String(),
  do: Type.String(),
  received: Time,
  bytes: Type.Integer({ minimum: 0 }),
  excerpt: Type.String({ maxLength: 2000 }),
})
export type Quarantined = Type.Static<typeof Quarantined>
