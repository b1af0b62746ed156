import { TaktError } from '../../core/base/error.ts'
import { SEVERITIES } from '../../core/messages/anomaly.ts'
import { checkIds, DEFAULT_IDS, type EpcisIds, ID_SCHEMES } from '../../core/trace/epcis/ids.ts'
import type { TraceSettings } from '../../core/trace/trace-desk.ts'

/** The fields of the dialog, as flows keep them. */
export interface TraceFields {
  jobs?: boolean
  heldLots?: string
  unknownLots?: string
  containment?: string
  minSeverity?: string
  idScheme?: string
  idBase?: string
  resolver?: string
  /** JSON: `{ "shaft-a": { "gtin": "…", "companyPrefix": 7 } }` */
  gtins?: string
  /** JSON: `{ "acme/berlin": "urn:epc:id:sgln:…" }` */
  names?: string
  captureErrors?: string
  book?: boolean
}

/** Throws TAKT_CONFIG_INVALID. */
export function traceSettings(fields: TraceFields, actor: string, where: string): TraceSettings {
  const wrong = (what: string): TaktError => new TaktError('TAKT_CONFIG_INVALID', { what, where })
  const choice = <const T extends string>(value: string | undefined, among: readonly T[], fallback: T, name: string): T => {
    const found = value === undefined || value === '' ? fallback : among.find((known) => known === value)
    if (found === undefined) throw wrong(`${name} is '${value}' where ${among.join(', ')} is taken`)
    return found
  }
  const table = (text: string | undefined, name: string): Record<string, unknown> => {
    if (text === undefined || text.trim() === '') return {}
    try {
      const value: unknown = JSON.parse(text)
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
    } catch {
      // said below
    }
    throw wrong(`${name} are no JSON object`)
  }
  const gtins = Object.entries(table(fields.gtins, 'GTINs')).map(([material, given]) => {
    const { gtin, companyPrefix } = (typeof given === 'object' && given !== null ? given : { gtin: given }) as { gtin?: unknown; companyPrefix?: unknown }
    if (typeof gtin !== 'string') throw wrong(`the GTIN of ${material} is no text`)
    return [material, { gtin, ...(typeof companyPrefix === 'number' ? { companyPrefix } : {}) }] as const
  })
  const names = Object.entries(table(fields.names, 'names')).map(([name, uri]) => [name, String(uri)] as const)
  const ids: EpcisIds = {
    scheme: choice(fields.idScheme, ID_SCHEMES, DEFAULT_IDS.scheme, 'ids'),
    base: (fields.idBase || DEFAULT_IDS.base).replace(/\/+$/, ''),
    resolver: (fields.resolver || DEFAULT_IDS.resolver).replace(/\/+$/, ''),
    gtins: Object.fromEntries(gtins),
    names: Object.fromEntries(names),
  }
  return {
    actor,
    heldLots: choice(fields.heldLots, ['refuse', 'follow'], 'refuse', 'held lots'),
    unknownLots: choice(fields.unknownLots, ['refuse', 'open'], 'refuse', 'unknown lots'),
    containment: choice(fields.containment, ['off', 'shadow', 'approve', 'auto'], 'approve', 'containment'),
    minSeverity: choice(fields.minSeverity, SEVERITIES, 'high', 'from severity'),
    ids: checkIds(ids, where),
    captureErrors: choice(fields.captureErrors, ['rollback', 'proceed'], 'rollback', 'a bad event'),
    book: fields.book === true,
    where,
  }
}
