import { Type } from 'typebox'
import { EquipmentId, Id, Quantity, stored, Time } from './common.ts'

/** What happens to material. `split` and `merge` make sublots and join lots of one material; `adjust` is what a stock-taking found. */
export const GENEALOGY_EVENTS = ['receive', 'consume', 'produce', 'transform', 'split', 'merge', 'pack', 'unpack', 'ship', 'scrap', 'rework', 'adjust'] as const
export type GenealogyEvent = (typeof GENEALOGY_EVENTS)[number]

const LotQuantity = Type.Object({
  lot: Id,
  quantity: Quantity,
  material: Type.Optional({ ...Id, description: 'of a lot that is new' }),
})
export type LotQuantity = Type.Static<typeof LotQuantity>

const LOTS_AT_MOST = 10_000

/** Material that became other material, or came, went, was packed. Topic: `genealogy/<event>`. */
export const Genealogy = Type.Object({
  kind: Type.Literal('genealogy'),
  id: Type.Optional({ ...Id, description: 'the same for the same event, however often it is told; made from the content where it is missing' }),
  event: Type.Enum([...GENEALOGY_EVENTS]),
  inputs: Type.Array(LotQuantity, { maxItems: LOTS_AT_MOST, description: 'what it took' }),
  outputs: Type.Array(LotQuantity, { maxItems: LOTS_AT_MOST, description: 'what it gave' }),
  jobOrder: Type.Union([Id, Type.Null()]),
  equipment: Type.Optional(EquipmentId),
  location: Type.Optional(Type.String({ minLength: 1, maxLength: 500, description: 'where the outputs are now' })),
  party: Type.Optional(Type.String({ minLength: 1, maxLength: 500, description: 'who it was shipped to or received from' })),
  reason: Type.Optional(Type.String({ maxLength: 1000 })),
  people: Type.Optional(Type.Array(Type.String({ maxLength: 200 }), { maxItems: 100 })),
  tools: Type.Optional(Type.Array(Type.String({ maxLength: 200 }), { maxItems: 100 })),
  procedure: Type.Optional({ ...Id, description: 'procedure and version, mill-shaft@2' }),
  time: Time,
  ...stored,
})
export type Genealogy = Type.Static<typeof Genealogy>
