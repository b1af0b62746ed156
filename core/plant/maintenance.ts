import { Type } from 'typebox'

const Name = Type.String({ minLength: 1, maxLength: 200 })
const strict = { additionalProperties: false }
const Duration = Type.Object({ durationMs: Type.Number({ exclusiveMinimum: 0 }) }, strict)

/** What a repair of a unit uses up, in the material's own unit. */
export const SpareNeed = Type.Object(
  {
    material: Name,
    quantity: Type.Number({ exclusiveMinimum: 0 }),
    leadTimeMs: Type.Optional(Type.Number({ minimum: 0, description: 'until one that is not there has come; default one day' })),
  },
  strict,
)
export type SpareNeed = Type.Static<typeof SpareNeed>

/** What must be so before a repaired unit takes work again; everything that is named. */
export const ReturnCheck = Type.Object(
  {
    confirm: Type.Optional(
      Type.Object(
        { role: Type.Optional(Type.String({ minLength: 1, maxLength: 60 })), person: Type.Optional(Name) },
        { ...strict, description: 'somebody says that it is done: anybody who may ask for repairs, one with this role, this person' },
      ),
    ),
    signals: Type.Optional(
      Type.Array(
        Type.Object(
          {
            signal: Name,
            lower: Type.Optional(Type.Number()),
            upper: Type.Optional(Type.Number()),
            samples: Type.Optional(Type.Integer({ minimum: 1, maximum: 100_000, description: 'so many one after the other; default 10' })),
          },
          strict,
        ),
        { minItems: 1, description: 'within limits; without any, in the band of the anomaly node' },
      ),
    ),
    procedure: Type.Optional({ ...Name, description: 'whose steps are done with the repair' }),
    minutes: Type.Optional(Type.Number({ exclusiveMinimum: 0, description: 'how long it usually takes, for plans; default 30' })),
  },
  strict,
)
export type ReturnCheck = Type.Static<typeof ReturnCheck>

/** Work in small portions until the first parts are good and nothing unusual is seen. */
export const Trial = Type.Object(
  {
    parts: Type.Integer({ minimum: 1, description: 'good parts that it takes, and as many at a time' }),
    minutes: Type.Optional(Type.Number({ minimum: 0, description: 'and at least so long; default 0' })),
    scrap: Type.Optional(Type.Integer({ minimum: 0, description: 'so many parts may be scrap; default 0' })),
  },
  strict,
)
export type Trial = Type.Static<typeof Trial>

export const Maintenance = Type.Object(
  {
    planned: Duration,
    unplanned: Duration,
    crew: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: 'who repairs it: a personnel class; a name that is none is one crew' })),
    crewSize: Type.Optional(Type.Integer({ minimum: 1, description: 'people of the crew that a repair takes; default 1' })),
    spare: Type.Optional(Type.Array(SpareNeed, { minItems: 1 })),
    returnToService: Type.Optional(ReturnCheck),
    trial: Type.Optional(Trial),
  },
  strict,
)
export type Maintenance = Type.Static<typeof Maintenance>
