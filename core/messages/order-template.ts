import { Type } from 'typebox'
import { DurationMs, Id, stored } from './common.ts'

/** What orders of a kind have in common, by name and version. Topic: `orders/templates/<name>`. */
export const OrderTemplate = Type.Object({
  kind: Type.Literal('order-template'),
  id: { ...Id, description: '<name>@<version>' },
  name: Type.String({ minLength: 1, maxLength: 80 }),
  version: Type.Integer({ minimum: 1 }),
  active: Type.Boolean({ description: 'false: no orders are made from it any more' }),
  order: Type.Record(Type.String(), Type.Unknown(), { description: 'what `create` takes: product or operations, quantity, tolerance, weight, parameters …' }),
  releaseAfterMs: Type.Optional({ ...DurationMs, description: 'release time of an order, from its making' }),
  dueAfterMs: Type.Optional({ ...DurationMs, description: 'due time of an order, from its release' }),
  by: Type.String({ maxLength: 300, description: 'who made this version' }),
  ...stored,
})
export type OrderTemplate = Type.Static<typeof OrderTemplate>
