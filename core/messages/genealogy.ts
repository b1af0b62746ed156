import { Type } from 'typebox'
import { Id, Quantity, Time } from './common.ts'

const LotQuantity = Type.Object({ lot: Id, quantity: Quantity })

/** Material that became other material. */
export const Genealogy = Type.Object({
  kind: Type.Literal('genealogy'),
  event: Type.Enum(['consume', 'produce', 'transform', 'pack', 'ship', 'scrap', 'rework']),
  inputs: Type.Array(LotQuantity),
  outputs: Type.Array(LotQuantity),
  jobOrder: Type.Union([Id, Type.Null()]),
  time: Time,
})
export type Genealogy = Type.Static<typeof Genealogy>
