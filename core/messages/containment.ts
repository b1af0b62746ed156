import { Type } from 'typebox'
import { Autonomy, EquipmentId, Id, Quantity, stored, Time } from './common.ts'

/** A lot that came into doubt, and where it is. */
export const SuspectLot = Type.Object({
  lot: Id,
  material: Id,
  origin: Type.Enum(['made-in-window', 'descendant']),
  quantity: { ...Quantity, description: 'on hand' },
  location: Type.Union([Type.String({ maxLength: 500 }), Type.Null()]),
  containers: Type.Array(Id, { description: 'what it is packed in' }),
  shipped: Type.Array(Type.Object({ party: Type.String(), quantity: Type.Number(), time: Time })),
  disposition: Type.String({ description: 'before this containment' }),
})
export type SuspectLot = Type.Static<typeof SuspectLot>

/** Lots made while an anomaly stood on their unit, and what was made from them: held, or proposed to be. Topic: `<equipment>/containment`. */
export const Containment = Type.Object({
  kind: Type.Literal('containment'),
  id: Id,
  anomaly: Id,
  equipment: EquipmentId,
  from: { ...Time, description: 'when the anomaly began' },
  to: { ...Time, description: 'when it ended; while it stands, when this was last looked at' },
  autonomy: Autonomy,
  status: Type.Enum(['proposed', 'refused', 'acted']),
  lots: Type.Array(SuspectLot),
  why: Type.String({ maxLength: 1000 }),
  decidedBy: Type.Optional(Type.String({ maxLength: 200 })),
  time: Time,
  ...stored,
})
export type Containment = Type.Static<typeof Containment>
