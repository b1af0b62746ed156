import type { TakeOnce } from '../../core/orders/import/import-orders.ts'
import type { Plant } from '../../core/plant/plant.ts'
import { type HoldRequest, obeyHold } from '../../core/quality/hold-desk.ts'
import type { Store } from '../../core/store/store.ts'
import type { Message, Send } from '../shared/define-node.ts'
import { whoActs } from '../shared/known-people.ts'

interface Asked {
  readonly store: Store
  readonly plant: Plant
  readonly where: string
  readonly once: TakeOnce | undefined
}

/** A person holds a lot or a unit, or lets it go on. The first output tells how it stands: the lot, or the disruption by which the unit is held. */
export async function askHold(request: HoldRequest, { store, plant, where, once }: Asked, message: Message, send: Send): Promise<void> {
  const scope = request.what === 'unit' ? request.id : ((await store.get('lot', request.id))?.location ?? '')
  const by = (await whoActs(store, message, `${request.what}.${request.do}`, scope, message.by, where)) ?? 'a person'
  const document = await store.transaction(async (tx) => (once === undefined || (await once(tx, '')) ? obeyHold(tx, plant, request, by) : undefined))
  if (document === undefined) return
  const topic = document.kind === 'lot' ? `lots/${document.id}` : `${document.equipment}/disruption`
  send([{ ...message, topic, payload: structuredClone(document) }, null])
}
