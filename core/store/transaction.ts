import type { Kysely } from 'kysely'
import { TaktError } from '../base/error.ts'
import { turn } from '../base/in-slices.ts'
import type { DocumentOf } from '../messages/document.ts'
import type { WriteSession } from './backend.ts'
import { documentTables, listDocuments, readDocument } from './documents.ts'
import { isLargeDocument, LargeDocument, nextLargeRow } from './large-document.ts'
import { type LedgerRow, nextRow } from './ledger.ts'
import { projectionOf } from './projections.ts'
import type { Tables } from './schema.ts'
import type { Actor, LedgerEvent, LedgerHead, ListOptions, NewEvent, StoredKind, StoreTransaction } from './store.ts'
import { toStoredJson } from './values.ts'

/** The end of the chain inside a commit under way, and what was appended in it. A transaction that is undone puts it back. */
export interface Chain {
  head: LedgerHead
  events: LedgerEvent[]
}

/** One transaction's work, inside a savepoint of the group's commit. */
export class Transaction implements StoreTransaction {
  readonly now: number
  #db: Kysely<Tables> | undefined
  readonly #session: WriteSession
  readonly #chain: Chain
  readonly #where: string
  #ended = false
  #failure: TaktError | undefined

  constructor(session: WriteSession, chain: Chain, now: number, where: string) {
    this.now = now
    this.#session = session
    this.#chain = chain
    this.#where = where
  }

  /** Made when it is asked for: a transaction that only appends needs none. */
  get db(): Kysely<Tables> {
    this.#db ??= this.#session.db(() => this.assertUsable())
    return this.#db
  }

  /** Throws when it is over, or when a write failed: what was half done cannot be committed, even if the caller caught the error. */
  assertUsable(): void {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#ended) throw new TaktError('TAKT_STORE_FINISHED', { where: this.#where })
  }

  /** Refuses everything from now on. */
  end(): void {
    this.#ended = true
  }

  /** The same, and says why. */
  fail(why: TaktError): void {
    this.#failure ??= why
  }

  get<K extends StoredKind>(kind: K, id: string): Promise<DocumentOf<K> | undefined> {
    return readDocument(this.db, kind, id, this.#where)
  }

  list<K extends StoredKind>(kind: K, options: ListOptions = {}): Promise<DocumentOf<K>[]> {
    return listDocuments(this.db, kind, options, this.#where)
  }

  async record(event: NewEvent): Promise<LedgerEvent> {
    this.assertUsable()
    const json = (value: unknown): string | null => (value === undefined || value === null ? null : toStoredJson(value, `event ${event.type}`))
    const row = this.#row(event, json(event.before), json(event.after))
    return this.#append(row, event.before ?? null, event.after ?? null)
  }

  async save<K extends StoredKind>(
    document: DocumentOf<K> & { readonly kind: K },
    event: { readonly type: string; readonly actor: Actor; readonly why?: string | undefined },
  ): Promise<DocumentOf<K>> {
    const { kind } = document
    const { table, id: idOf, columns } = projectionOf(kind, this.#where)
    const id = idOf(document)
    const tables = documentTables(this.db)
    const stored = await tables.selectFrom(table).select(['revision', 'document']).where('id', '=', id).executeTakeFirst()
    if (stored?.revision !== document.revision) throw this.#conflict(kind, id, document.revision, stored?.revision)

    const revision = (stored?.revision ?? 0) + 1
    // before its place in the chain is taken, because others may take theirs meanwhile
    const large = isLargeDocument(document) ? await LargeDocument.of(document, `${kind} ${id}`) : undefined
    this.assertUsable()
    const ledger = this.#chain.head.sequence + 1
    const saved = { ...document, revision, ledger }
    const { text, escaped } = large?.at({ revision, ledger }) ?? { text: toStoredJson(saved, `${kind} ${id}`), escaped: undefined }
    const row = this.#row({ ...event, subject: id }, stored?.document ?? null, text, escaped)
    this.#append(row, stored === undefined ? null : JSON.parse(stored.document), saved)

    // its row of the ledger is on its way to the database: so much text is sent twice, in two turns
    if (large !== undefined) await turn()
    const values = { ...columns(document), id, revision, ledger, document: text }
    const projected =
      stored === undefined
        ? tables
            .insertInto(table)
            .values(values)
            .onConflict((conflict) => conflict.column('id').doNothing())
            .executeTakeFirst()
        : tables.updateTable(table).set(values).where('id', '=', id).where('revision', '=', stored.revision).executeTakeFirst()
    await this.#write(
      projected.then((result) => {
        const changed = 'numUpdatedRows' in result ? result.numUpdatedRows : result.numInsertedOrUpdatedRows
        if (changed !== 1n) throw this.#conflict(kind, id, document.revision, undefined)
      }),
    )
    return saved
  }

  async once(key: string, inbox: number | null = null): Promise<boolean> {
    const result = await this.db
      .insertInto('effect')
      .values({ key, ledger: this.#chain.head.sequence, time: this.now, inbox })
      .onConflict((conflict) => conflict.column('key').doNothing())
      .executeTakeFirst()
    return result.numInsertedOrUpdatedRows === 1n
  }

  #row({ type, subject, actor, why }: NewEvent, before: string | null, after: string | null, escapedAfter?: string): LedgerRow {
    const content = { type, subject, actor, why: why ?? null, before, after, time: this.now }
    return escapedAfter === undefined ? nextRow(this.#chain.head, content) : nextLargeRow(this.#chain.head, content, escapedAfter)
  }

  /**
   * Takes the row's place in the chain at once, so that calls that run side by side follow each other. Its writing is not waited for: should it fail, the commit
   * does, and with it everybody who shares it.
   */
  #append(row: LedgerRow, before: unknown, after: unknown): LedgerEvent {
    const { sequence, type, subject, actor, why, time, hash } = row
    try {
      this.#session.append(row)
    } catch (error) {
      if (error instanceof TaktError) this.fail(error)
      throw error
    }
    const event = { sequence, type, subject, actor, why, before, after, time, hash }
    this.#chain.head = { sequence, hash }
    this.#chain.events.push(event)
    return event
  }

  async #write(writing: Promise<void>): Promise<void> {
    try {
      await writing
    } catch (error) {
      if (error instanceof TaktError) this.fail(error)
      throw error
    }
  }

  #conflict(kind: StoredKind, id: string, given: number | undefined, stored: number | undefined): TaktError {
    const say = (revision: number | undefined): string => (revision === undefined ? 'none' : `revision ${revision}`)
    return new TaktError('TAKT_STORE_CONFLICT', {
      what: `the ${kind} to be saved is based on ${say(given)}, stored is ${say(stored)}`,
      where: `${kind} ${id}`,
      details: { given, stored },
    })
  }
}
