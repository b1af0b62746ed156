import { Type } from 'typebox'
import { Id, stored, Time } from './common.ts'

/** A message to the ERP: written when what it tells of had ended, waiting until the ERP has confirmed it, or refused by it. Topic: `erp/<channel>/<state>`. */
export const ErpMessage = Type.Object({
  kind: Type.Literal('erp-message'),
  id: { ...Id, description: '<channel>:<what it tells of>:<version>' },
  channel: Type.String({ minLength: 1, maxLength: 40 }),
  of: Type.Object({ kind: Type.Enum(['job-order', 'work-order']), id: Id }),
  workOrder: Id,
  version: Type.Integer({ minimum: 1, description: 'above 1: a correction of the one before' }),
  state: Type.Enum(['waiting', 'received', 'refused']),
  content: Type.String({ description: 'SHA-256 of what it tells: the same is not told twice' }),
  written: Time,
  bytes: Type.Integer({ minimum: 0 }),
  receipt: Type.Optional(
    Type.Object({
      time: Time,
      status: Type.String({ maxLength: 200, description: "the ERP's answer: a status of HTTP, or what a flow said" }),
      number: Type.Optional(Type.String({ maxLength: 200, description: "the ERP's own number for it" })),
    }),
  ),
  problem: Type.Optional(Type.Object({ time: Time, code: Type.String(), what: Type.String({ maxLength: 1000 }) })),
  body: Type.Optional(Type.String({ description: 'what was refused, so that it can be sent again as it was' })),
  ...stored,
})
export type ErpMessage = Type.Static<typeof ErpMessage>
