import { Type } from 'typebox'
import { EquipmentId, stored, Time } from './common.ts'

/** Names a person for ever: small letters, digits, dots and dashes, so that no two ids look the same. */
export const PersonId = Type.String({ pattern: '^[a-z0-9][a-z0-9._-]{0,63}$' })

/** What a person may do is said by roles, each for the whole plant or for an equipment and what is below it. */
export const PersonRole = Type.Object({ role: Type.String({ minLength: 1, maxLength: 60 }), scope: Type.Optional(EquipmentId) })
export type PersonRole = Type.Static<typeof PersonRole>

/** A skill or a permit; `until` null: it does not expire. */
export const Certification = Type.Object({ name: Type.String({ minLength: 1, maxLength: 100 }), until: Type.Union([Time, Type.Null()]) })
export type Certification = Type.Static<typeof Certification>

/** A person who may act and sign. Without the password: that is kept elsewhere, hashed, and never travels. */
export const Person = Type.Object({
  kind: Type.Literal('person'),
  id: PersonId,
  name: Type.String({ minLength: 1, maxLength: 200, description: 'as it is printed on records' }),
  badge: Type.Union([Type.String({ minLength: 1, maxLength: 100 }), Type.Null()]),
  login: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: "the user's name at the dashboard or in Node-RED" })),
  active: Type.Boolean(),
  roles: Type.Array(PersonRole, { maxItems: 100 }),
  certifications: Type.Array(Certification, { maxItems: 200 }),
  locked: Type.Union([Type.Object({ since: Time, until: Type.Union([Time, Type.Null()]), why: Type.String() }), Type.Null()]),
  password: Type.Union([
    Type.Object({
      since: Time,
      expires: Type.Union([Time, Type.Null()]),
      mustChange: Type.Boolean({ description: 'set by somebody else: to be changed at first use' }),
      seal: Type.String({ description: 'SHA-256 over the stored record with its random salt: tells when it was exchanged, and nothing of the password' }),
    }),
    Type.Null(),
  ]),
  ...stored,
})
export type Person = Type.Static<typeof Person>
