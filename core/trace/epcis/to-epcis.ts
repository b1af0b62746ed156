import { TaktError } from '../../base/error.ts'
import type { Genealogy, GenealogyEvent, LotQuantity } from '../../messages/genealogy.ts'
import { type EpcisIds, type Level, lotOfUri, uriOfLot, uriOfName } from './ids.ts'
import { codeOf, PIECES } from './units.ts'

/** Namespace of what EPCIS has no field for: `takt:event`, the kind of event; `takt:lots`, material and unit of lots whose URI or quantity does not tell them. */
export const TAKT_NAMESPACE = 'https://takt-mes.github.io/ns/epcis/'

export interface LotFacts {
  readonly material: string
  /** a numbered part or a container, as against a quantity of a lot */
  readonly level: Level
}

export interface EpcisSettings {
  readonly ids: EpcisIds
  /** IANA name of the plant's time zone */
  readonly timeZone: string
}

type Fields = Record<string, unknown>

/** Business step and disposition of each kind of event, in the short form of CBV 2.0. */
const STEPS: Readonly<Record<GenealogyEvent, { readonly bizStep: string; readonly disposition?: string }>> = {
  receive: { bizStep: 'receiving', disposition: 'in_progress' },
  produce: { bizStep: 'commissioning', disposition: 'active' },
  consume: { bizStep: 'assembling', disposition: 'in_progress' },
  transform: { bizStep: 'commissioning', disposition: 'in_progress' },
  split: { bizStep: 'repackaging', disposition: 'in_progress' },
  merge: { bizStep: 'repackaging', disposition: 'in_progress' },
  rework: { bizStep: 'repairing', disposition: 'in_progress' },
  pack: { bizStep: 'packing', disposition: 'in_progress' },
  unpack: { bizStep: 'unpacking', disposition: 'in_progress' },
  ship: { bizStep: 'shipping', disposition: 'in_transit' },
  scrap: { bizStep: 'destroying', disposition: 'destroyed' },
  adjust: { bizStep: 'stock_taking' },
}

/**
 * An event of genealogy as EPCIS 2.0 event: transformations of what became something else (what a job order consumed and what it made are joined by its id as
 * transformationID), aggregations of what was packed, object events of the rest. Throws TAKT_EPCIS_ID.
 */
export function toEpcis(event: Genealogy, factsOf: (lot: string) => LotFacts, { ids, timeZone }: EpcisSettings): Fields {
  const { jobOrder, time, equipment, location, party } = event
  const place = location ?? equipment
  const job = jobOrder === null ? undefined : uriOfName(ids, 'job', jobOrder)
  const common: Fields = {
    eventID: uriOfName(ids, 'event', event.id ?? ''),
    eventTime: new Date(time).toISOString(),
    eventTimeZoneOffset: offsetAt(time, timeZone),
    ...STEPS[event.event],
    ...(equipment === undefined ? {} : { readPoint: { id: uriOfName(ids, 'location', equipment) } }),
    ...(place === undefined || event.event === 'ship' ? {} : { bizLocation: { id: uriOfName(ids, 'location', place) } }),
    ...(job === undefined ? {} : { bizTransactionList: [{ type: 'prodorder', bizTransaction: job }] }),
    'takt:event': event.event,
    ...untold([...event.inputs, ...event.outputs], factsOf, ids),
  }
  const side = (lots: readonly LotQuantity[]): Side => sideOf(lots, factsOf, ids)
  const [inputs, outputs] = [side(event.inputs), side(event.outputs)]
  switch (event.event) {
    case 'transform':
    case 'split':
    case 'merge':
    case 'rework':
      return { type: 'TransformationEvent', ...transformed(inputs, outputs), ...(job === undefined ? {} : { transformationID: job }), ...common }
    case 'consume':
      // by itself it tells nothing of what was made
      return job === undefined
        ? { type: 'ObjectEvent', action: 'DELETE', ...listed(inputs), ...common, bizStep: 'decommissioning', disposition: 'inactive' }
        : { type: 'TransformationEvent', ...transformed(inputs, NOTHING), transformationID: job, ...common }
    case 'pack':
      return { type: 'AggregationEvent', action: 'ADD', parentID: parentOf(event.outputs, ids, factsOf), ...aggregated(inputs), ...common }
    case 'unpack':
      return { type: 'AggregationEvent', action: 'DELETE', parentID: parentOf(event.inputs, ids, factsOf), ...aggregated(outputs), ...common }
    case 'produce':
      return { type: 'ObjectEvent', action: 'ADD', ...listed(outputs), ...common }
    case 'receive':
      return { type: 'ObjectEvent', action: 'OBSERVE', ...listed(outputs), ...common, ...partyOf(ids, party, 'source') }
    case 'ship':
      return { type: 'ObjectEvent', action: 'OBSERVE', ...listed(inputs), ...common, ...partyOf(ids, party, 'destination') }
    case 'scrap':
      return { type: 'ObjectEvent', action: 'DELETE', ...listed(inputs), ...common }
    case 'adjust':
      return {
        type: 'ObjectEvent',
        action: 'OBSERVE',
        ...listed(event.inputs.length > 0 ? inputs : outputs),
        ...common,
        'takt:found': event.outputs.length > 0,
      }
  }
}

interface Side {
  readonly epcs: readonly string[]
  readonly quantities: readonly Fields[]
}

const NOTHING: Side = { epcs: [], quantities: [] }

function sideOf(lots: readonly LotQuantity[], factsOf: (lot: string) => LotFacts, ids: EpcisIds): Side {
  const epcs = new Set<string>()
  const quantities: Fields[] = []
  for (const { lot, quantity } of lots) {
    const { material, level } = factsOf(lot)
    const uri = uriOfLot(ids, lot, material, level)
    const code = codeOf(quantity.unit)
    if (level === 'instance') epcs.add(uri)
    else quantities.push({ epcClass: uri, quantity: quantity.value, ...(code === undefined ? {} : { uom: code }) })
  }
  return { epcs: [...epcs], quantities }
}

function listed({ epcs, quantities }: Side): Fields {
  return { ...(epcs.length > 0 || quantities.length === 0 ? { epcList: epcs } : {}), ...(quantities.length > 0 ? { quantityList: quantities } : {}) }
}

function aggregated({ epcs, quantities }: Side): Fields {
  return { ...(epcs.length > 0 ? { childEPCs: epcs } : {}), ...(quantities.length > 0 ? { childQuantityList: quantities } : {}) }
}

function transformed(inputs: Side, outputs: Side): Fields {
  return {
    ...(inputs.epcs.length > 0 ? { inputEPCList: inputs.epcs } : {}),
    ...(inputs.quantities.length > 0 ? { inputQuantityList: inputs.quantities } : {}),
    ...(outputs.epcs.length > 0 ? { outputEPCList: outputs.epcs } : {}),
    ...(outputs.quantities.length > 0 ? { outputQuantityList: outputs.quantities } : {}),
  }
}

function parentOf([container]: readonly LotQuantity[], ids: EpcisIds, factsOf: (lot: string) => LotFacts): string {
  const lot = container?.lot ?? ''
  return uriOfLot(ids, lot, factsOf(lot).material, 'instance')
}

function partyOf(ids: EpcisIds, party: string | undefined, end: 'source' | 'destination'): Fields {
  return party === undefined ? {} : { [`${end}List`]: [{ type: 'possessing_party', [end]: uriOfName(ids, 'party', party) }] }
}

/** Materials of lots whose URI does not tell them, and units that have no code, so that neither is lost. */
function untold(lots: readonly LotQuantity[], factsOf: (lot: string) => LotFacts, ids: EpcisIds): Fields {
  const told = new Map<string, Fields>()
  for (const { lot, quantity } of lots) {
    const { material, level } = factsOf(lot)
    const uri = uriOfLot(ids, lot, material, level)
    const codeless = quantity.unit !== PIECES && codeOf(quantity.unit) === undefined
    if (lotOfUri(ids, uri).material !== undefined && !codeless) continue
    told.set(uri, { 'takt:lot': uri, 'takt:material': material, ...(codeless ? { 'takt:unit': quantity.unit } : {}) })
  }
  return told.size === 0 ? {} : { 'takt:lots': [...told.values()] }
}

const formats = new Map<string, Intl.DateTimeFormat>()

/** `+01:00`: what clocks in the zone are ahead of UTC at a time. */
export function offsetAt(time: number, timeZone: string): string {
  let format = formats.get(timeZone)
  if (format === undefined) {
    try {
      format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' })
    } catch (cause) {
      throw new TaktError('TAKT_EPCIS_ID', { what: `'${timeZone}' is no time zone`, where: 'EPCIS export', cause })
    }
    formats.set(timeZone, format)
  }
  const name = format.formatToParts(time).find(({ type }) => type === 'timeZoneName')?.value ?? 'GMT'
  return /[+-]\d\d:\d\d/.exec(name)?.[0] ?? '+00:00'
}
