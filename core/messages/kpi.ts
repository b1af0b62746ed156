import { Type } from 'typebox'
import { Id, Time } from './common.ts'

/** ISO 22400-2 KPIs of a scope over a span; null where the denominator is zero. */
export const Kpi = Type.Object({
  kind: Type.Literal('kpi'),
  scope: Type.String(),
  from: Time,
  to: Time,
  values: Type.Record(Type.String(), Type.Union([Type.Number(), Type.Null()])),
  elements: Type.Record(Type.String(), Type.Number()),
  lineage: Type.Object({
    states: Type.Array(Type.Number()),
    counts: Type.Array(Type.Number()),
    orders: Type.Optional(Type.Record(Type.String(), Type.Array(Id), { description: 'by figure, the maintenance orders behind it' })),
  }),
})
export type Kpi = Type.Static<typeof Kpi>
