import { Type } from 'typebox'

/** A report that was made: where it is and what state of the ledger it speaks of. */
export const Report = Type.Object({
  kind: Type.Literal('report'),
  type: Type.String(),
  subject: Type.String(),
  format: Type.Enum(['html', 'csv', 'json']),
  file: Type.Union([Type.String(), Type.Null()]),
  content: Type.Optional(Type.Unknown({ description: 'the report itself, when it is not written to a file' })),
  sha256: Type.String(),
  ledger: Type.Object({ head: Type.Integer(), hash: Type.String() }),
})
export type Report = Type.Static<typeof Report>
