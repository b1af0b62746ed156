import { TaktError } from '../base/error.ts'
import { assertSafe } from '../base/json.ts'
import type { Disruption } from '../messages/disruption.ts'
import type { Lot } from '../messages/lot.ts'
import { holdUnit, releaseUnit } from '../orders/holds/unit-hold.ts'
import { assertText } from '../orders/order-text.ts'
import type { Plant } from '../plant/plant.ts'
import type { StoreTransaction } from '../store/store.ts'
import { disposeLot } from './held-lots.ts'

/** What a person may hold besides an order, and let go on again. */
export interface HoldRequest {
  readonly what: 'lot' | 'unit'
  readonly do: 'hold' | 'release'
  readonly id: string
  readonly why: string
}

/** `{ lot, why }` or `{ equipment, why }` with the topic `hold` or `resume`; undefined: it is about an order. Throws TAKT_MESSAGE_INVALID, TAKT_MESSAGE_FORBIDDEN_KEY. */
export function holdRequest(topic: string, payload: unknown, where: string): HoldRequest | undefined {
  if (topic !== 'hold' && topic !== 'resume') return undefined
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) return undefined
  const { lot, equipment, why, id } = payload as Readonly<Record<string, unknown>>
  if (lot === undefined && equipment === undefined) return undefined
  assertSafe(payload, where)
  assertText(payload, where)
  const named = lot ?? equipment
  if (id !== undefined || (lot !== undefined && equipment !== undefined) || typeof named !== 'string' || named === '' || named.length > 500)
    throw new TaktError('TAKT_MESSAGE_INVALID', { what: `one thing is to be named to ${topic}: an order, { lot, why } or { equipment, why }`, where })
  if (typeof why !== 'string' || why.trim() === '') throw new TaktError('TAKT_MESSAGE_INVALID', { what: `to ${topic} ${named} a reason is needed: why`, where })
  return { what: lot === undefined ? 'unit' : 'lot', do: topic === 'hold' ? 'hold' : 'release', id: named, why: why.trim().slice(0, 1000) }
}

/** What is asked for, `by` somebody who may. Throws TAKT_QUALITY_LOT_UNKNOWN, TAKT_LOT_SCRAPPED, TAKT_PROCEDURE_OPEN, TAKT_EQUIPMENT_UNKNOWN, TAKT_UNIT_NOT_HELD. */
export async function obeyHold(tx: StoreTransaction, plant: Plant, { what, do: wanted, id, why }: HoldRequest, by: string): Promise<Lot | Disruption> {
  if (what === 'lot') return disposeLot(tx, { disposition: wanted, lot: id, why, by })
  return (wanted === 'hold' ? holdUnit : releaseUnit)(tx, plant, { equipment: id, why, by })
}
