/** Units of measure and their codes in UN/ECE recommendation 20, as EPCIS writes them. Pieces have none: a quantity without a code is a count. */
const CODES: Readonly<Record<string, string>> = {
  mm: 'MMT',
  cm: 'CMT',
  m: 'MTR',
  km: 'KMT',
  m2: 'MTK',
  'm²': 'MTK',
  m3: 'MTQ',
  'm³': 'MTQ',
  ml: 'MLT',
  l: 'LTR',
  L: 'LTR',
  hl: 'HLT',
  mg: 'MGM',
  g: 'GRM',
  kg: 'KGM',
  t: 'TNE',
  h: 'HUR',
  kWh: 'KWH',
  lb: 'LBR',
  gal: 'GLL',
  ft: 'FOT',
  in: 'INH',
}
const UNITS = new Map(
  Object.entries(CODES)
    .reverse()
    .map(([unit, code]) => [code, unit]),
)
export const PIECES = 'pcs'

/** Undefined for pieces, and for a unit that has no code here. */
export function codeOf(unit: string): string | undefined {
  if (Object.hasOwn(CODES, unit)) return CODES[unit]
  return /^[A-Z0-9]{2,3}$/.test(unit) ? unit : undefined
}

/** A code that is not known here stays what it is. */
export function unitOf(code: string | undefined): string {
  return code === undefined || code === 'H87' || code === 'EA' ? PIECES : (UNITS.get(code) ?? code)
}
