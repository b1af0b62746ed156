import { Type } from 'typebox'
import { EquipmentId, Id, Quantity, stored } from './common.ts'

export const DISPOSITIONS = ['in-process', 'held', 'released', 'scrapped'] as const
export type Disposition = (typeof DISPOSITIONS)[number]

/** A traceable quantity of a material. */
export const Lot = Type.Object({
  kind: Type.Literal('lot'),
  id: Id,
  material: Id,
  quantity: Quantity,
  disposition: Type.Enum(DISPOSITIONS),
  location: Type.Union([EquipmentId, Type.Null()]),
  workOrder: Type.Union([Id, Type.Null()]),
  reason: Type.Optional(Type.String({ maxLength: 1000, description: 'why it is held or scrapped' })),
  ...stored,
})
export type Lot = Type.Static<typeof Lot>
