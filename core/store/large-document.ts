import { createHash } from 'node:crypto'
import { inSlices, type Steps, turn } from '../base/in-slices.ts'
import type { LedgerRow, RowContent } from './ledger.ts'
import type { LedgerHead } from './store.ts'
import { toStoredJson } from './values.ts'

/** Elements of an array that are written at once. A document with no longer one is written whole. */
const AT_ONCE = 200

/** A piece of JSON text, and the same as it stands inside a JSON string, without the quotes. */
interface Piece {
  readonly text: string
  readonly escaped: string
}

/** Has it so much in it (a plan of hundreds of job orders) that turning it to text would hold others up? */
export function isLargeDocument(document: object): boolean {
  return Object.values(document).some((value) => Array.isArray(value) && value.length > AT_ONCE)
}

/** The JSON text of a large document, and what the ledger's hash needs of it, made before it is known where in the ledger it goes. */
export class LargeDocument {
  readonly #fields: ReadonlyMap<string, Piece>

  private constructor(fields: ReadonlyMap<string, Piece>) {
    this.#fields = fields
  }

  /** A few milliseconds at a time. Rejects with TAKT_STORE_VALUE as `toStoredJson` throws. */
  static async of(document: object, where: string): Promise<LargeDocument> {
    const fields = await inSlices(fieldsOf(document, where))
    // what follows, the hash of it all, is a slice of its own
    await turn()
    return new LargeDocument(fields)
  }

  /** The text with these numbers in it, the one that `toStoredJson` gives. */
  at(numbers: Readonly<Record<string, number>>): Piece {
    const fields = new Map(this.#fields)
    for (const [name, value] of Object.entries(numbers)) fields.set(name, pieceOf(String(value)))
    // put together by adding, which copies nothing before the whole is asked for
    let [text, escaped] = ['{', '{']
    for (const [name, field] of fields) {
      const key = pieceOf(`${text === '{' ? '' : ','}${JSON.stringify(name)}:`)
      text += key.text + field.text
      escaped += key.escaped + field.escaped
    }
    return { text: `${text}}`, escaped: `${escaped}}` }
  }
}

/** The row that follows `head`, with the hash that `rowHash` gives, for content whose `after` is there as a string inside JSON already. */
export function nextLargeRow(head: LedgerHead, content: RowContent, escapedAfter: string): LedgerRow {
  const sequence = head.sequence + 1
  const { type, subject, actor, why, before, after, time } = content
  const first = JSON.stringify([head.hash, sequence, type, subject, actor, why, before]).slice(0, -1)
  const hash = createHash('sha256').update(first).update(',"').update(escapedAfter).update(`",${time}]`).digest('hex')
  return { type, subject, actor, why, before, after, time, sequence, previous_hash: head.hash, hash }
}

function* fieldsOf(document: object, where: string): Steps<ReadonlyMap<string, Piece>> {
  const fields = new Map<string, Piece>()
  for (const [name, value] of Object.entries(document)) {
    if (value === undefined) continue
    fields.set(name, Array.isArray(value) && value.length > AT_ONCE ? yield* arrayOf(value, `${where} at /${name}`) : pieceOf(toStoredJson(value, where)))
    yield
  }
  return fields
}

function* arrayOf(array: readonly unknown[], where: string): Steps<Piece> {
  const pieces: Piece[] = []
  for (let from = 0; from < array.length; from += AT_ONCE) {
    pieces.push(pieceOf(toStoredJson(array.slice(from, from + AT_ONCE), where).slice(1, -1)))
    yield
  }
  return { text: `[${pieces.map(({ text }) => text).join()}]`, escaped: `[${pieces.map(({ escaped }) => escaped).join()}]` }
}

function pieceOf(text: string): Piece {
  return { text, escaped: JSON.stringify(text).slice(1, -1) }
}
