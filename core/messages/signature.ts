import { Type } from 'typebox'
import { Id, stored, Time } from './common.ts'
import { PersonId } from './person.ts'

/** What a signature says (21 CFR 11.50). */
export const MEANINGS = ['performed', 'verified', 'reviewed', 'approved', 'rejected', 'responsible'] as const
export type Meaning = (typeof MEANINGS)[number]

/** An electronic signature: who, when, what for, and exactly which record. */
export const Signature = Type.Object({
  kind: Type.Literal('signature'),
  id: Id,
  record: Type.Object({
    kind: Type.String({ minLength: 1, maxLength: 60 }),
    id: Type.String({ minLength: 1, maxLength: 500 }),
    revision: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]),
    ledger: Type.Integer({ minimum: 1, description: 'row of the ledger that wrote it as it was signed' }),
    hash: Type.String({ description: 'hash of that row, and so of everything before it' }),
    sha256: Type.String({ description: "of the record's JSON as it stands in that row" }),
  }),
  meaning: Type.Enum(MEANINGS),
  person: PersonId,
  name: Type.String({ minLength: 1, maxLength: 200, description: 'printed name at the time of signing' }),
  roles: Type.Array(Type.String()),
  time: Time,
  at: Type.String({ description: "the same with the plant's offset, ISO 8601" }),
  comment: Type.Union([Type.String({ maxLength: 1000 }), Type.Null()]),
  components: Type.Array(Type.Enum(['id', 'badge', 'session', 'password']), { description: 'what was asked for at signing (21 CFR 11.200)' }),
  binding: Type.String({ description: 'SHA-256 over all of the above' }),
  seal: Type.Union([Type.Object({ key: Type.String(), signature: Type.String() }), Type.Null()], {
    description: 'Ed25519 over the binding, where the store has a key',
  }),
  ...stored,
})
export type Signature = Type.Static<typeof Signature>
