import { TaktError } from '../../base/error.ts'
import { isUri } from './check.ts'

export const ID_SCHEMES = ['uri', 'digital-link', 'urn'] as const

/** How things are named in EPCIS. */
export interface EpcisIds {
  /** GS1 Digital Link or EPC URN where the material has a GTIN; otherwise, and for `uri`, URIs of your own under `base`. */
  readonly scheme: (typeof ID_SCHEMES)[number]
  /** `https://acme.example/takt`; without a slash at the end */
  readonly base: string
  /** host of Digital Links, `https://id.gs1.org` */
  readonly resolver: string
  /** by material: its GTIN, and for URNs how many digits of it are the company prefix */
  readonly gtins: Readonly<Record<string, { readonly gtin: string; readonly companyPrefix?: number }>>
  /** by unit, place or party: its URI, an SGLN or PGLN for instance */
  readonly names: Readonly<Record<string, string>>
}

export const DEFAULT_IDS: EpcisIds = { scheme: 'uri', base: 'urn:takt', resolver: 'https://id.gs1.org', gtins: {}, names: {} }

/** Throws TAKT_CONFIG_INVALID for a base that is no URI, a GTIN whose check digit is wrong, a name that is mapped to no URI. */
export function checkIds(ids: EpcisIds, where: string): EpcisIds {
  const wrong = (what: string): TaktError => new TaktError('TAKT_CONFIG_INVALID', { what, where })
  if (!isUri(`${ids.base}${ids.base.startsWith('urn:') ? ':' : '/'}x`)) throw wrong(`'${ids.base}' is no base of URIs`)
  if (!isUri(ids.resolver)) throw wrong(`'${ids.resolver}' is no URI`)
  for (const [material, { gtin, companyPrefix }] of Object.entries(ids.gtins)) {
    if (!isGtin(gtin)) throw wrong(`'${gtin}' of ${material} is no GTIN: 8, 12, 13 or 14 digits with a check digit`)
    if (ids.scheme === 'urn' && (companyPrefix === undefined || !Number.isInteger(companyPrefix) || companyPrefix < 6 || companyPrefix > 12))
      throw wrong(`for URNs the length of the company prefix of ${material} is needed, 6 to 12 digits`)
  }
  for (const [name, uri] of Object.entries(ids.names)) if (!isUri(uri)) throw wrong(`'${name}' is mapped to '${uri}', which is no URI`)
  return ids
}

export type Level = 'instance' | 'class'

/** The URI of a lot (class) or a numbered part or container (instance). */
export function uriOfLot(ids: EpcisIds, lot: string, material: string, level: Level): string {
  if (isForeign(lot)) return lot
  const known = Object.hasOwn(ids.gtins, material) ? ids.gtins[material] : undefined
  if (ids.scheme === 'digital-link') {
    if (known !== undefined) return `${ids.resolver}/01/${known.gtin.padStart(14, '0')}/${level === 'instance' ? '21' : '10'}/${encodeURIComponent(lot)}`
    if (level === 'instance' && /^\d{18}$/.test(lot)) return `${ids.resolver}/00/${lot}`
  }
  if (ids.scheme === 'urn' && known?.companyPrefix !== undefined) {
    const item = urnItem(known.gtin, known.companyPrefix)
    return level === 'instance' ? `urn:epc:id:sgtin:${item}.${encodeURIComponent(lot)}` : `urn:epc:class:lgtin:${item}.${encodeURIComponent(lot)}`
  }
  return own(ids, 'lot', lot)
}

export interface NamedLot {
  readonly lot: string
  readonly material: string | undefined
}

/** The lot that a URI names. One of somebody else's keeps its URI as its id. */
export function lotOfUri(ids: EpcisIds, uri: string): NamedLot {
  const mine = ownName(ids, 'lot', uri)
  if (mine !== undefined) return { lot: mine, material: undefined }
  const link = /\/01\/(\d{8,14})(?:\/(?:10|21)\/([^/?#]+))?(?:[?#].*)?$/.exec(uri)
  const urn = /^urn:epc:(?:id:sgtin|class:lgtin):(\d+)\.(\d+)\.(.+)$/.exec(uri)
  const gtin = link?.[1]?.padStart(14, '0') ?? (urn === null ? undefined : gtinOf(urn[1] ?? '', urn[2] ?? ''))
  const named = link?.[2] ?? urn?.[3]
  const material = gtin === undefined ? undefined : materialOf(ids, gtin)
  if (material !== undefined && named !== undefined) return { lot: decoded(named), material }
  const sscc = /\/00\/(\d{18})$/.exec(uri)
  if (sscc?.[1] !== undefined && uri.startsWith(`${ids.resolver}/`)) return { lot: sscc[1], material: undefined }
  return { lot: uri, material: classOf(uri) }
}

/** A unit, a place or a party. */
export function uriOfName(ids: EpcisIds, room: 'location' | 'party' | 'event' | 'job', name: string): string {
  if (Object.hasOwn(ids.names, name)) return ids.names[name] as string
  return isForeign(name) ? name : own(ids, room, name)
}

export function nameOfUri(ids: EpcisIds, room: 'location' | 'party' | 'event' | 'job', uri: string): string {
  const mapped = Object.entries(ids.names).find(([, known]) => known === uri)
  return mapped?.[0] ?? ownName(ids, room, uri) ?? uri
}

/** Ids that were URIs when they came. */
function isForeign(name: string): boolean {
  return /^(urn:|https?:\/\/)/i.test(name) && isUri(name)
}

function own({ base }: EpcisIds, room: string, name: string): string {
  const separator = base.startsWith('urn:') ? ':' : '/'
  return `${base}${separator}${room}${separator}${encodeURIComponent(name)}`
}

function ownName(ids: EpcisIds, room: string, uri: string): string | undefined {
  const start = own(ids, room, '')
  return uri.startsWith(start) && uri.length > start.length ? decoded(uri.slice(start.length)) : undefined
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function materialOf({ gtins }: EpcisIds, gtin: string): string | undefined {
  return Object.entries(gtins).find(([, known]) => known.gtin.padStart(14, '0') === gtin)?.[0]
}

/** What a foreign URI says of the kind of thing: its class without lot and serial. */
function classOf(uri: string): string | undefined {
  const urn = /^urn:epc:(?:id|class):s?l?gtin:(\d+\.\d+)\./.exec(uri)
  if (urn?.[1] !== undefined) return `urn:epc:idpat:sgtin:${urn[1]}.*`
  const link = /^(.*\/01\/\d{8,14})\/(?:10|21)\//.exec(uri)
  return link?.[1]
}

/** Company prefix and item reference with the indicator, as EPC URNs have them (GS1 Tag Data Standard, SGTIN). */
function urnItem(gtin: string, companyPrefix: number): string {
  const digits = gtin.padStart(14, '0')
  return `${digits.slice(1, 1 + companyPrefix)}.${digits[0]}${digits.slice(1 + companyPrefix, 13)}`
}

function gtinOf(company: string, item: string): string | undefined {
  const digits = `${item[0] ?? ''}${company}${item.slice(1)}`
  return digits.length === 13 ? `${digits}${checkDigit(digits)}` : undefined
}

export function isGtin(gtin: string): boolean {
  return /^(\d{8}|\d{12,14})$/.test(gtin) && checkDigit(gtin.slice(0, -1)) === Number(gtin.at(-1))
}

/** GS1 General Specifications section 7.9: weights 3 and 1 from the right. */
function checkDigit(digits: string): number {
  let total = 0
  for (let place = 0; place < digits.length; place++) total += Number(digits[digits.length - 1 - place]) * (place % 2 === 0 ? 3 : 1)
  return (10 - (total % 10)) % 10
}
