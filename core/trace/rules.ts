import { TaktError } from '../base/error.ts'
import type { Genealogy, GenealogyEvent, LotQuantity } from '../messages/genealogy.ts'
import { contentHash } from './canonical.ts'
import { assertQuantity, same, sum } from './quantity.ts'

interface Rule {
  /** least and most lots on each side */
  readonly inputs: readonly [number, number]
  readonly outputs: readonly [number, number]
  /** of each material and unit, what goes in comes out */
  readonly conserved?: true
  readonly needs?: 'party' | 'reason'
}

const ANY = Number.POSITIVE_INFINITY

/** What each kind of event must have. */
export const RULES: Readonly<Record<GenealogyEvent, Rule>> = {
  receive: { inputs: [0, 0], outputs: [1, ANY] },
  produce: { inputs: [0, 0], outputs: [1, ANY] },
  consume: { inputs: [1, ANY], outputs: [0, 0] },
  transform: { inputs: [1, ANY], outputs: [1, ANY] },
  split: { inputs: [1, 1], outputs: [1, ANY], conserved: true },
  merge: { inputs: [1, ANY], outputs: [1, 1], conserved: true },
  rework: { inputs: [1, ANY], outputs: [1, ANY], conserved: true },
  pack: { inputs: [1, ANY], outputs: [1, 1] },
  unpack: { inputs: [1, 1], outputs: [0, ANY] },
  ship: { inputs: [1, ANY], outputs: [0, 0], needs: 'party' },
  scrap: { inputs: [1, ANY], outputs: [0, 0], needs: 'reason' },
  adjust: { inputs: [0, ANY], outputs: [0, ANY], needs: 'reason' },
}

/** An event is one transaction, and nobody else writes meanwhile. */
const LOTS_AT_MOST = 5000

/** What is wrong with an event can be said without the store: its sides, quantities, names, a lot made from itself. Throws TAKT_TRACE_*. */
export function checkEvent(event: Genealogy): void {
  const where = placeOf(event)
  const rule = RULES[event.event]
  if (event.inputs.length + event.outputs.length > LOTS_AT_MOST)
    throw new TaktError('TAKT_TRACE_EVENT', {
      what: `it names ${event.inputs.length + event.outputs.length} lots where at most ${LOTS_AT_MOST} are taken at once`,
      where,
    })
  checkSide(event, 'inputs', rule.inputs, where)
  checkSide(event, 'outputs', rule.outputs, where)
  if (event.event === 'adjust' && event.inputs.length > 0 === event.outputs.length > 0)
    throw new TaktError('TAKT_TRACE_EVENT', { what: 'an adjust has inputs (missing) or outputs (found), and not both', where })
  if (rule.needs !== undefined && (event[rule.needs] ?? '').trim() === '')
    throw new TaktError('TAKT_TRACE_EVENT', { what: `a ${event.event} needs a ${rule.needs}`, where })
  for (const [name, text] of namesOf(event)) assertName(text, name, where)
  const taken = new Set(event.inputs.map(({ lot }) => lot))
  const itself = event.outputs.find(({ lot }) => taken.has(lot))
  if (itself !== undefined) throw new TaktError('TAKT_TRACE_SELF_PARENT', { what: `lot '${itself.lot}' stands among the inputs and the outputs`, where })
}

export function placeOf({ event, id }: Genealogy): string {
  return id === undefined ? event : `${event} ${id}`
}

/** Without what the store adds. */
export function contentOf({ revision: _, ledger: __, ...content }: Genealogy): Genealogy {
  return content
}

/** The id of an event that was told without one: what says the same at the same time is the same event. */
export function idOf(event: Genealogy): string {
  return event.id ?? `genealogy-${contentHash(contentOf(event)).slice(0, 24)}`
}

/** One side with each lot once. Throws TAKT_TRACE_UNIT where a lot is named in two units. */
export function eachLotOnce(side: readonly LotQuantity[], where: string): LotQuantity[] {
  const lots = new Map<string, LotQuantity>()
  for (const entry of side) {
    const known = lots.get(entry.lot)
    if (known !== undefined && known.quantity.unit !== entry.quantity.unit)
      throw new TaktError('TAKT_TRACE_UNIT', { what: `lot '${entry.lot}' is named in ${known.quantity.unit} and in ${entry.quantity.unit}`, where })
    if (known === undefined) lots.set(entry.lot, entry)
    else lots.set(entry.lot, { ...known, quantity: { ...known.quantity, value: sum(known.quantity.value, entry.quantity.value) } })
  }
  return [...lots.values()]
}

interface Amount {
  readonly material: string
  readonly unit: string
  readonly value: number
}

/** Throws TAKT_TRACE_NOT_CONSERVED, by material and unit: `conserved` asks for equality; otherwise nothing may come out of its own material that did not go in. */
export function checkConserved(event: Genealogy, inputs: readonly Amount[], outputs: readonly Amount[]): void {
  const equal = RULES[event.event].conserved === true
  const [before, after] = [byMaterial(inputs), byMaterial(outputs)]
  const names = equal ? new Set([...before.keys(), ...after.keys()]) : new Set([...before.keys()].filter((name) => after.has(name)))
  for (const name of names) {
    const [into, out] = [before.get(name) ?? 0, after.get(name) ?? 0]
    if (same(into, out) || (!equal && out < into)) continue
    throw new TaktError('TAKT_TRACE_NOT_CONSERVED', { what: `of ${name} ${into} goes in and ${out} comes out`, where: placeOf(event) })
  }
}

function byMaterial(amounts: readonly Amount[]): Map<string, number> {
  const sums = new Map<string, number>()
  for (const { material, unit, value } of amounts) sums.set(`${material} in ${unit}`, sum(sums.get(`${material} in ${unit}`) ?? 0, value))
  return sums
}

function checkSide(event: Genealogy, name: 'inputs' | 'outputs', [least, most]: readonly [number, number], where: string): void {
  const side = event[name]
  if (side.length < least || side.length > most) {
    const taken = least === most ? String(least) : most === ANY ? `${least} or more` : `${least} to ${most}`
    throw new TaktError('TAKT_TRACE_EVENT', { what: `a ${event.event} has ${side.length} ${name} where ${taken} are taken`, where })
  }
  for (const [index, { lot, quantity }] of side.entries()) assertQuantity(quantity.value, `${where}, ${name}/${index} (${lot.slice(0, 60)})`)
}

function* namesOf(event: Genealogy): Iterable<readonly [string, string]> {
  for (const name of ['id', 'jobOrder', 'equipment', 'location', 'party', 'reason', 'procedure'] as const) {
    const text = event[name]
    if (typeof text === 'string') yield [name, text]
  }
  for (const name of ['people', 'tools'] as const) for (const text of event[name] ?? []) yield [name, text]
  for (const side of ['inputs', 'outputs'] as const) {
    for (const { lot, material, quantity } of event[side]) {
      yield [`${side}/lot`, lot]
      yield [`${side}/unit`, quantity.unit]
      if (material !== undefined) yield [`${side}/material`, material]
    }
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/

/** Throws TAKT_TRACE_NAME for a NUL or another control character, and for a lone surrogate. */
export function assertName(text: string, name: string, where: string): void {
  if (CONTROL.test(text)) throw new TaktError('TAKT_TRACE_NAME', { what: `${name} has a control character`, where })
  if (!text.isWellFormed()) throw new TaktError('TAKT_TRACE_NAME', { what: `${name} is not valid Unicode (a lone surrogate)`, where })
}
