import { Type } from 'typebox'

/** What work needs beside its unit (ISA-95: personnel classes and physical assets), as a person writes it into the plant model. */

const Name = Type.String({ minLength: 1, maxLength: 200 })
const Count = Type.Integer({ minimum: 0, maximum: 10_000 })
const strict = { additionalProperties: false }

/** Some of them are not there: on leave, at the grinder. Times are ISO 8601, or local time of the plant; without `to` for good. */
export const Away = Type.Object(
  {
    from: Type.String({ minLength: 1, maxLength: 60 }),
    to: Type.Optional(Type.String({ minLength: 1, maxLength: 60 })),
    count: Type.Optional(Type.Integer({ minimum: 1, description: 'how many; default 1' })),
    why: Type.Optional(Type.String({ maxLength: 200 })),
  },
  strict,
)
export type Away = Type.Static<typeof Away>

/** People who can do the same, a skill or a crew: how many, or how many in each shift of their calendar. */
export const PersonnelClass = Type.Object(
  {
    id: Name,
    name: Type.Optional(Name),
    people: Type.Union([Count, Type.Record(Type.String(), Count)], { description: 'how many; or by shift of the calendar, `{ "early": 3, "late": 1 }`' }),
    calendar: Type.Optional(Name),
    away: Type.Optional(Type.Array(Away)),
  },
  strict,
)
export type PersonnelClass = Type.Static<typeof PersonnelClass>

/** Tools, fixtures, gauges of one kind, any of which will do. */
export const Tool = Type.Object({ id: Name, name: Type.Optional(Name), count: Count, away: Type.Optional(Type.Array(Away)) }, strict)
export type Tool = Type.Static<typeof Tool>

/** So many of one personnel class, or of one kind of tool, for as long as the operation works. */
export const Need = Type.Object(
  { personnel: Type.Optional(Name), tool: Type.Optional(Name), count: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000, description: 'default 1' })) },
  strict,
)
export type Need = Type.Static<typeof Need>
