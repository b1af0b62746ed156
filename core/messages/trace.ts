import { Type } from 'typebox'
import { Id, Quantity, Time } from './common.ts'

export const TRACE_QUERIES = ['backward', 'forward', 'recall', 'touched'] as const
export type TraceQuery = (typeof TRACE_QUERIES)[number]

const TracedLot = Type.Object({
  lot: Id,
  material: Id,
  quantity: { ...Quantity, description: 'on hand' },
  disposition: Type.Optional(Type.String()),
  location: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  containers: Type.Optional(Type.Array(Id, { description: 'what it is packed in' })),
  shipped: Type.Optional(Type.Array(Type.Object({ party: Type.String(), quantity: Type.Number(), time: Time }))),
})

/** What a question about a lot gave: what it was made from, what was made from it, where that is now, or what touched it. Topic: `trace/<query>`. */
export const Trace = Type.Object({
  kind: Type.Literal('trace'),
  query: Type.Enum([...TRACE_QUERIES]),
  lot: Id,
  lots: Type.Array(TracedLot),
  relations: Type.Optional(Type.Array(Type.Object({ from: Id, to: Id, event: Id }), { description: 'which lot became which, if asked for' })),
  parties: Type.Optional(Type.Array(Type.String(), { description: 'who got something of it' })),
  touched: Type.Optional(
    Type.Object({}, { description: 'work, workOrders, samples, anomalies, qualityResults, people, tools, procedures, signatures, events' }),
  ),
  time: Time,
})
export type Trace = Type.Static<typeof Trace>
