import type { Kysely } from 'kysely'
import { TaktError, toTaktError } from '../base/error.ts'
import { turn } from '../base/in-slices.ts'
import type { DocumentOf } from '../messages/document.ts'
import type { WriteSession } from './backend.ts'
import { statementsOf } from './document-statements.ts'
import { listTexts } from './documents.ts'
import { isLargeDocument, LargeDocument, nextLargeRow } from './large-document.ts'
import { type LedgerRow, nextRow } from './ledger.ts'
import { projectionOf } from './projections.ts'
import type { Tables } from './schema.ts'
import type { StatementResult } from './statement-dialect.ts'
import type { Actor, LedgerEvent, LedgerHead, ListOptions, NewEvent, StoredKind, StoreTransaction } from './store.ts'
import { toSqlValue, toStoredJson } from './values.ts'

/** The end of the chain inside a commit under way, and what was appended in it. A transaction that is undone puts it back. */
export interface Chain {
  head: LedgerHead
  events: LedgerEvent[]
}

/** A document's row. */
interface Stored {
  readonly revision: number
  readonly text: string
}

const KNOWN_AT_MOST = 1000

function onlyIds({ where = {}, limit }: ListOptions): readonly string[] {
  const { id, ...others } = where
  return limit === undefined && Array.isArray(id) && Object.keys(others).length === 0 ? id.filter((name) => typeof name === 'string') : []
}

/** One transaction's work, inside a savepoint of the group's commit. */
export class Transaction implements StoreTransaction {
  readonly now: number
  #db: Kysely<Tables> | undefined
  readonly #session: WriteSession
  readonly #chain: Chain
  readonly #where: string
  /** documents as they are now, where this transaction has read or written them; null: there is none */
  readonly #known = new Map<string, Stored | null>()
  readonly #pending: Promise<void>[] = []
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

  async get<K extends StoredKind>(kind: K, id: string): Promise<DocumentOf<K> | undefined> {
    return (await this.#read(kind, id))?.document
  }

  async list<K extends StoredKind>(kind: K, options: ListOptions = {}): Promise<DocumentOf<K>[]> {
    const texts = await listTexts(this.db, kind, options, this.#where)
    const { id: idOf } = projectionOf(kind, this.#where)
    const documents = texts.map((text) => {
      const document = JSON.parse(text) as DocumentOf<K>
      this.#remember(kind, idOf(document), { revision: document.revision ?? 0, text })
      return document
    })
    // what was asked for by name and did not come is not there
    for (const id of onlyIds(options)) this.#remember(kind, id, null)
    return documents
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
    const { id: idOf, columns, unique } = projectionOf(kind, this.#where)
    const id = idOf(document)
    this.assertUsable()
    const known = this.#known.get(`${kind} ${id}`)
    const stored = known === undefined ? await this.#read(kind, id) : (known ?? undefined)
    if (stored?.revision !== document.revision) throw this.#conflict(kind, id, document.revision, stored?.revision)

    const revision = (stored?.revision ?? 0) + 1
    // all that can be wrong with it is found before its place in the chain is taken, and what takes time too, because others may take theirs meanwhile
    const large = isLargeDocument(document) ? await LargeDocument.of(document, `${kind} ${id}`) : undefined
    this.assertUsable()
    const ledger = this.#chain.head.sequence + 1
    const saved = { ...document, revision, ledger }
    const { text, escaped } = large?.at({ revision, ledger }) ?? { text: toStoredJson(saved, `${kind} ${id}`), escaped: undefined }
    const statements = statementsOf(kind, this.#session.dialect, this.db, this.#where)
    const values: Readonly<Record<string, unknown>> = { ...columns(document), id, revision, ledger, document: text }
    const parameters = this.#failing(() => statements.columns.map((column) => toSqlValue(values[column], this.#where)))
    this.#append(this.#row({ ...event, subject: id }, stored?.text ?? null, text, escaped), stored === undefined ? null : JSON.parse(stored.text), saved)

    // its row of the ledger is on its way to the database: so much text is sent twice, in two turns
    if (large !== undefined) await turn()
    const writing = this.#write(
      stored === undefined ? this.#session.run(statements.insert, parameters) : this.#session.run(statements.update, [...parameters, id, stored.revision]),
      (changes) => {
        if (changes !== 1) throw this.#conflict(kind, id, document.revision, undefined)
      },
    )
    this.#known.set(`${kind} ${id}`, { revision, text })
    // who has the one writer and has seen what is stored knows the outcome
    if (known === undefined || unique === true) await writing
    else this.later(writing)
    return saved
  }

  later(writing: Promise<unknown>): void {
    this.#pending.push(
      writing.then(
        () => {},
        (error: unknown) => this.fail(toTaktError(error, this.#where)),
      ),
    )
  }

  /** Resolves when everything that was not waited for is written, or failed. */
  async settled(): Promise<void> {
    while (this.#pending.length > 0) await Promise.all(this.#pending.splice(0))
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
    this.#failing(() => this.#session.append(row))
    const event = { sequence, type, subject, actor, why, before, after, time, hash }
    this.#chain.head = { sequence, hash }
    this.#chain.events.push(event)
    return event
  }

  /** What throws here was half done, whoever catches it. */
  #failing<T>(run: () => T): T {
    try {
      return run()
    } catch (error) {
      if (error instanceof TaktError) this.fail(error)
      throw error
    }
  }

  async #write(writing: Promise<StatementResult>, check: (changes: number) => void): Promise<void> {
    try {
      check((await writing).changes ?? 0)
    } catch (error) {
      if (error instanceof TaktError) this.fail(error)
      throw error
    }
  }

  async #read<K extends StoredKind>(kind: K, id: string): Promise<(Stored & { readonly document: DocumentOf<K> }) | undefined> {
    this.assertUsable()
    const { read } = statementsOf(kind, this.#session.dialect, this.db, this.#where)
    const { rows } = await this.#session.run(read, [toSqlValue(id, this.#where)])
    const text = (rows[0] as { document: string } | undefined)?.document
    if (text === undefined) {
      this.#remember(kind, id, null)
      return undefined
    }
    const document = JSON.parse(text) as DocumentOf<K>
    const stored = { revision: document.revision ?? 0, text }
    this.#remember(kind, id, stored)
    return { ...stored, document }
  }

  /** What was read; what was written since is newer. */
  #remember(kind: StoredKind, id: string, stored: Stored | null): void {
    const key = `${kind} ${id}`
    if (this.#known.has(key)) return
    if (this.#known.size >= KNOWN_AT_MOST) this.#known.clear()
    this.#known.set(key, stored)
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
