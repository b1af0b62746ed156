import { Type } from 'typebox'

/** Building blocks shared by the documents. Times are epoch ms UTC, durations ms. */

export const Time = Type.Number({ minimum: 0, maximum: 8.64e15, description: 'epoch milliseconds UTC' })
export const DurationMs = Type.Number({ minimum: 0, description: 'milliseconds' })
export const Id = Type.String({ minLength: 1, maxLength: 200 })
export const EquipmentId = Type.String({ minLength: 1, maxLength: 500, description: 'path of the equipment, enterprise/site/area/line/unit' })
export const Quantity = Type.Object({ value: Type.Number(), unit: Type.String({ maxLength: 40 }) })
export type Quantity = Type.Static<typeof Quantity>

/** What every document that comes from the store carries. */
export const stored = {
  revision: Type.Optional(Type.Integer({ minimum: 0, description: 'optimistic locking: grows by one with each change' })),
  ledger: Type.Optional(Type.Integer({ minimum: 0, description: 'sequence number of the ledger event that made it' })),
}

/** What was being made when a thing was seen. */
export const Context = Type.Object({
  product: Type.Optional(Id),
  jobOrder: Type.Optional(Id),
  lot: Type.Optional(Id),
  serial: Type.Optional(Id),
})
export type Context = Type.Static<typeof Context>

/** How far a node may go on its own. */
export const Autonomy = Type.Enum(['shadow', 'approve', 'auto'])
export type Autonomy = Type.Static<typeof Autonomy>
