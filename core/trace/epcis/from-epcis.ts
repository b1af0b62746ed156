import type { Genealogy, GenealogyEvent, LotQuantity } from '../../messages/genealogy.ts'
import { idFrom } from '../canonical.ts'
import { isObject } from './check.ts'
import { type EpcisIds, lotOfUri, nameOfUri } from './ids.ts'
import { PIECES, unitOf } from './units.ts'

type Fields = Readonly<Record<string, unknown>>

/** What can be booked of an EPCIS event, or why nothing can. */
export type Read = { readonly event: Genealogy } | { readonly nothing: string }

/**
 * An EPCIS event (checked) as event of genealogy. Bookable are: commissioning and creating_class_instance (produce), receiving, shipping, destroying (scrap),
 * decommissioning (consume), aggregations that pack and unpack, transformations with inputs and outputs. The rest says where something was seen, and is kept as it is.
 */
export function fromEpcis(event: Fields, key: string, ids: EpcisIds): Read {
  if (event.errorDeclaration !== undefined) return { nothing: 'it declares an error: correct the stock with an adjust' }
  try {
    return read(event, key, ids)
  } catch (thrown) {
    if (thrown instanceof NotBookable) return { nothing: thrown.message }
    throw thrown
  }
}

class NotBookable extends Error {}

function read(event: Fields, key: string, ids: EpcisIds): Read {
  const { type, action, bizStep } = event
  const told = toldOf(event)
  const own = (kind: GenealogyEvent, inputs: readonly LotQuantity[], outputs: readonly LotQuantity[]): Read => ({
    event: {
      kind: 'genealogy',
      id: idFrom('epcis', key),
      event: kind,
      inputs: [...inputs],
      outputs: [...outputs],
      jobOrder: null,
      ...circumstances(event, ids),
    },
  })
  if (type === 'ObjectEvent') {
    const things = (): LotQuantity[] => lotsOf(event.epcList, event.quantityList, told, ids)
    if (bizStep === 'stock_taking' && event['takt:event'] === 'adjust')
      return event['takt:found'] === true ? own('adjust', [], things()) : own('adjust', things(), [])
    if (action === 'ADD' && (bizStep === 'commissioning' || bizStep === 'creating_class_instance')) return own('produce', [], things())
    if (bizStep === 'receiving' && action !== 'DELETE') return own('receive', [], things())
    if (bizStep === 'shipping' && action !== 'DELETE') return own('ship', things(), [])
    if (action === 'DELETE' && bizStep === 'destroying') return own('scrap', things(), [])
    if (action === 'DELETE' && bizStep === 'decommissioning') return own('consume', things(), [])
  }
  if (type === 'AggregationEvent' && typeof event.parentID === 'string' && action !== 'OBSERVE') {
    const { lot } = lotOfUri(ids, event.parentID)
    const container = [{ lot, quantity: { value: 1, unit: PIECES } }]
    const children = lotsOf(event.childEPCs, event.childQuantityList, told, ids)
    return action === 'ADD' ? own('pack', children, container) : own('unpack', container, children)
  }
  if (type === 'TransformationEvent') {
    const inputs = lotsOf(event.inputEPCList, event.inputQuantityList, told, ids)
    const outputs = lotsOf(event.outputEPCList, event.outputQuantityList, told, ids)
    const kind = RESHAPING.find((known) => known === event['takt:event']) ?? 'transform'
    if (inputs.length > 0 && outputs.length > 0) return own(kind, inputs, outputs)
    throw new NotBookable('a transformation in parts is kept, and not booked')
  }
  throw new NotBookable(`${String(type)} ${String(action ?? '')} ${String(bizStep ?? '')} moves no stock`.replace(/\s+/g, ' '))
}

/** Kinds of event that EPCIS writes as transformations, and Takt names. */
const RESHAPING = ['split', 'merge', 'rework'] as const

interface Told {
  readonly material: string | undefined
  readonly unit: string | undefined
}

/** What another Takt says of lots beside what EPCIS has fields for. */
function toldOf(event: Fields): ReadonlyMap<string, Told> {
  const text = (value: unknown): string | undefined => (typeof value === 'string' && value.length <= LONGEST_ID ? value : undefined)
  const lots = Array.isArray(event['takt:lots']) ? event['takt:lots'].filter(isObject) : []
  return new Map(lots.map((lot) => [String(lot['takt:lot']), { material: text(lot['takt:material']), unit: text(lot['takt:unit']) }]))
}

function lotsOf(epcs: unknown, quantities: unknown, told: ReadonlyMap<string, Told>, ids: EpcisIds): LotQuantity[] {
  const lots: LotQuantity[] = []
  for (const epc of Array.isArray(epcs) ? epcs : []) lots.push(entry(ids, told, String(epc), 1, PIECES))
  for (const element of Array.isArray(quantities) ? quantities : []) {
    if (!isObject(element)) continue
    if (typeof element.quantity !== 'number') throw new NotBookable(`there is no quantity of ${String(element.epcClass)}`)
    const uri = String(element.epcClass)
    lots.push(entry(ids, told, uri, element.quantity, told.get(uri)?.unit ?? unitOf(typeof element.uom === 'string' ? element.uom : undefined)))
  }
  return lots
}

const LONGEST_ID = 200

function entry(ids: EpcisIds, told: ReadonlyMap<string, Told>, uri: string, value: number, unit: string): LotQuantity {
  const { lot, material = told.get(uri)?.material } = lotOfUri(ids, uri)
  if (lot.length > LONGEST_ID) throw new NotBookable(`the id ${lot.slice(0, 60)}… is longer than ${LONGEST_ID} characters`)
  return { lot, quantity: { value, unit }, ...(material === undefined ? {} : { material }) }
}

function circumstances(event: Fields, ids: EpcisIds): Pick<Genealogy, 'time'> & Partial<Genealogy> {
  const readPoint = idIn(event.readPoint)
  const location = idIn(event.bizLocation)
  const party = partyIn(event.bizStep === 'shipping' ? event.destinationList : event.sourceList, event.bizStep === 'shipping' ? 'destination' : 'source')
  const equipment = readPoint === undefined ? undefined : nameOfUri(ids, 'location', readPoint)
  return {
    time: Date.parse(String(event.eventTime)),
    ...(equipment === undefined || equipment.length > 500 ? {} : { equipment }),
    ...(location === undefined ? {} : { location: nameOfUri(ids, 'location', location).slice(0, 500) }),
    ...(party === undefined ? {} : { party: nameOfUri(ids, 'party', party).slice(0, 500) }),
    ...(event.bizStep === 'destroying' || event.bizStep === 'stock_taking' ? { reason: `${event.bizStep}, as an EPCIS event says` } : {}),
  }
}

function idIn(place: unknown): string | undefined {
  return isObject(place) && typeof place.id === 'string' ? place.id : undefined
}

/** Who has it, else who owns it, else where it went. */
function partyIn(list: unknown, end: 'source' | 'destination'): string | undefined {
  const entries = (Array.isArray(list) ? list : []).filter(isObject)
  for (const type of ['possessing_party', 'owning_party', 'location']) {
    const found = entries.find((entry) => entry.type === type)?.[end]
    if (typeof found === 'string') return found
  }
  return undefined
}
