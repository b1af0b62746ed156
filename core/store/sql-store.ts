import type { Kysely } from 'kysely'
import { type Clock, systemClock } from '../base/clock.ts'
import { TaktError, toTaktError } from '../base/error.ts'
import { inSlices, type Steps } from '../base/in-slices.ts'
import type { DocumentOf } from '../messages/document.ts'
import type { Quarantined } from '../messages/quarantined.ts'
import { signHead } from './anchor.ts'
import type { SigningKey } from './anchor-key.ts'
import type { Backend } from './backend.ts'
import { checkAnchor } from './check-anchor.ts'
import { type ClockJump, ClockWatch, jumpText, setBackSince } from './clock-watch.ts'
import { listDocuments, readDocument } from './documents.ts'
import { EventFeed } from './event-feed.ts'
import { readHead, readRows, toEvent } from './ledger.ts'
import { migrate } from './migrate.ts'
import type { Tables } from './schema.ts'
import type { LedgerEvent, LedgerHead, ListOptions, Store, StoredKind, StoreTransaction, Verification } from './store.ts'
import { toStorableText, toStoredJson } from './values.ts'
import { verifyLedger } from './verify.ts'
import { WriterQueue } from './writer-queue.ts'

export interface SqlStoreOptions {
  /** The database is open and takes writes: at first, and again after a failure. */
  onOpen?(): void
  /** It could not be opened or written. Whoever called was told too; the store tries again with the next call. */
  onFailure?(error: TaktError): void
  /** Something people should know that stops nothing: rows of the ledger found missing, a listener that threw. */
  onWarning?(error: TaktError): void
  /** Signs the head that is anchored; undefined: it is not signed. */
  readonly key?: SigningKey | undefined
  /** Whether somebody may set the clock, so that it is watched: `store.clock-jumped` in the ledger. Default: when it is the system's. */
  readonly watchClock?: boolean
  /** Real milliseconds after which a transaction that does not end is undone. Default 10,000. */
  readonly stuckAfterMs?: number
}

const LOOK_AT_CLOCK_MS = 10_000
const QUARANTINE_KEPT = 10_000
const TOLD_AT_ONCE = 100
/** Rows from which a ledger is verified on the backend's own way; less of them cost no more than its beginning. */
const VERIFIED_ASIDE_FROM = 20_000
/** Rows of one statement: databases bound its parameters. */
const STATES_AT_ONCE = 100
/** A sender gone wrong repeats itself: the ledger, which grows for ever, tells of it once in this much plant time. */
const QUARANTINE_EVENT_EVERY_MS = 3_600_000
const QUARANTINE_SOURCES_REMEMBERED = 1000

/** The store over any SQL backend. */
export class SqlStore implements Store {
  readonly #backend: Backend
  readonly #clock: Clock
  readonly #options: SqlStoreOptions
  readonly #queue: WriterQueue
  readonly #listeners = new Set<(event: LedgerEvent) => void>()
  readonly #quarantineTold = new Map<string, number>()
  /** only where several processes write one ledger */
  readonly #feed: EventFeed | undefined
  readonly #clockWatch: ClockWatch | undefined
  readonly #clockTimer: NodeJS.Timeout | undefined
  #opening: Promise<void> | undefined
  #healthy = false
  #closing: Promise<void> | undefined
  #closed = false

  /** `makeBackend` is given the way to wait for opening, and the way to say that the database must be opened anew. */
  constructor(makeBackend: (whenOpen: () => Promise<void>, onLost: () => void) => Backend, clock: Clock, options: SqlStoreOptions) {
    this.#clock = clock
    this.#options = options
    const reopen = (): void => {
      this.#opening = undefined
      // others are heard again, and people know, before somebody wants to write
      if (this.#backend.shared && this.#closing === undefined) this.#whenOpen().catch(() => {})
    }
    this.#backend = makeBackend(() => this.#whenOpen(), reopen)
    if (this.#backend.shared)
      this.#feed = new EventFeed({ read: async (after, limit) => (await readRows(this.db, after, limit)).map(toEvent), tell: (event) => this.#tell(event) })
    this.#queue = new WriterQueue(this.#backend, {
      stuckAfterMs: options.stuckAfterMs ?? 10_000,
      whenOpen: () => this.#whenOpen(),
      now: () => this.#now(),
      seal: (head) => signHead(head, options.key),
      committed: (events, anchorFailure) => this.#committed(events, anchorFailure),
      failed: (error) => this.#failed(error),
      movedHead: () => this.#checkAnchor(),
    })
    if (options.watchClock ?? clock === systemClock) {
      this.#clockWatch = new ClockWatch(clock)
      this.#clockTimer = setInterval(() => this.#now(), LOOK_AT_CLOCK_MS).unref()
    }
    this.#whenOpen().catch(() => {})
  }

  get shared(): boolean {
    return this.#backend.shared
  }

  get db(): Kysely<Tables> {
    return this.#backend.reader
  }

  get<K extends StoredKind>(kind: K, id: string): Promise<DocumentOf<K> | undefined> {
    return readDocument(this.db, kind, id, this.#backend.where)
  }

  list<K extends StoredKind>(kind: K, options: ListOptions = {}): Promise<DocumentOf<K>[]> {
    return listDocuments(this.db, kind, options, this.#backend.where)
  }

  async transaction<T>(work: (tx: StoreTransaction) => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) throw new TaktError('TAKT_STORE_CLOSED', { where: this.#backend.where })
    return this.#queue.submit(work)
  }

  subscribe(listener: (event: LedgerEvent) => void): () => void {
    // wrapped, so that one function subscribed twice is heard twice and each is stopped alone
    const entry = (event: LedgerEvent): void => listener(event)
    this.#listeners.add(entry)
    return () => void this.#listeners.delete(entry)
  }

  async events(after: number, limit: number): Promise<LedgerEvent[]> {
    return (await readRows(this.db, after, limit)).map(toEvent)
  }

  head(): Promise<LedgerHead> {
    return readHead(this.db)
  }

  async verify(): Promise<Verification> {
    await this.#whenOpen()
    const options = { publicKey: this.#options.key?.publicKey }
    const aside = (await this.head()).sequence < VERIFIED_ASIDE_FROM ? undefined : this.#backend.verify?.(options)
    // the anchor is read first: what is committed meanwhile only comes after it
    return aside ?? verifyLedger(this.db, await this.#backend.readAnchor(), options)
  }

  async quarantine(record: Quarantined): Promise<void> {
    const { code, received, bytes } = record
    const [what, where, remedy, excerpt] = [record.what, record.where, record.do, record.excerpt].map(toStorableText) as [string, string, string, string]
    await this.transaction(async (tx) => {
      const { id } = await tx.db
        .insertInto('quarantine')
        .values({ code, what, where, remedy, received, bytes, excerpt })
        .returning('id')
        .executeTakeFirstOrThrow()
      await tx.db
        .deleteFrom('quarantine')
        .where('id', '<=', id - QUARANTINE_KEPT)
        .execute()
      if (this.#tellOfQuarantine(`${code} ${where}`, tx.now)) {
        const after = { ...record, what, where, do: remedy, excerpt }
        await tx.record({ type: 'message.quarantined', subject: where.slice(0, 200), actor: 'store', why: what, after })
      }
    })
  }

  async loadState(node: string, key: string): Promise<unknown> {
    const row = await this.db.selectFrom('node_state').select('state').where('node', '=', node).where('key', '=', key).executeTakeFirst()
    return row === undefined ? undefined : JSON.parse(row.state)
  }

  async saveState(node: string, key: string, state: unknown): Promise<void> {
    const text = toStoredJson(state, `state '${key}' of node ${node}`)
    await this.transaction(async (tx) => {
      await tx.db
        .insertInto('node_state')
        .values({ node, key, state: text, saved: tx.now })
        .onConflict((conflict) => conflict.columns(['node', 'key']).doUpdateSet({ state: text, saved: tx.now }))
        .execute()
    })
  }

  async loadStates(node: string, after: string, limit: number): Promise<ReadonlyArray<readonly [string, unknown]>> {
    const rows = await this.db
      .selectFrom('node_state')
      .select(['key', 'state'])
      .where('node', '=', node)
      .where('key', '>', after)
      .orderBy('key')
      .limit(limit)
      .execute()
    return rows.map(({ key, state }) => [key, JSON.parse(state)] as const)
  }

  async saveStates(node: string, put: ReadonlyMap<string, unknown>, drop: readonly string[]): Promise<void> {
    const texts = Array.from(put, ([key, state]) => ({ node, key, state: toStoredJson(state, `state '${key}' of node ${node}`) }))
    if (texts.length === 0 && drop.length === 0) return
    await this.transaction(async (tx) => {
      for (let from = 0; from < drop.length; from += STATES_AT_ONCE)
        await tx.db
          .deleteFrom('node_state')
          .where('node', '=', node)
          .where('key', 'in', drop.slice(from, from + STATES_AT_ONCE))
          .execute()
      for (let from = 0; from < texts.length; from += STATES_AT_ONCE)
        await tx.db
          .insertInto('node_state')
          .values(texts.slice(from, from + STATES_AT_ONCE).map((text) => ({ ...text, saved: tx.now })))
          .onConflict((conflict) =>
            conflict.columns(['node', 'key']).doUpdateSet((row) => ({ state: row.ref('excluded.state'), saved: row.ref('excluded.saved') })),
          )
          .execute()
    })
  }

  async dropStates(node: string): Promise<void> {
    await this.transaction(async (tx) => {
      await tx.db.deleteFrom('node_state').where('node', '=', node).execute()
    })
  }

  /** Finishes what is waiting, then closes the database. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    clearInterval(this.#clockTimer)
    await this.#queue.idle()
    await this.#opening?.catch(() => {})
    this.#closed = true
    this.#feed?.stop()
    await this.#backend.close()
    this.#listeners.clear()
  }

  /** Opens at the first call; a failure is forgotten, so that the next call tries again. */
  async #whenOpen(): Promise<void> {
    if (this.#closed) throw new TaktError('TAKT_STORE_CLOSED', { where: this.#backend.where })
    this.#opening ??= this.#open().catch((thrown: unknown) => {
      this.#opening = undefined
      const error = toTaktError(thrown, this.#backend.where)
      this.#failed(error)
      throw error
    })
    return this.#opening
  }

  async #open(): Promise<void> {
    await this.#backend.open()
    await migrate(this.#backend, this.#clock.now())
    await this.#checkAnchor()
    await this.#hearOthers()
    await this.#lookBack()
    this.#recovered()
  }

  /** Plant time, and a look whether somebody has set the clock. */
  #now(): number {
    this.#tellJump(this.#clockWatch?.look())
    return this.#clock.now()
  }

  /** A clock that was set back while nobody had the store open: the last row is from later. Of several instances each has a clock of its own. */
  async #lookBack(): Promise<void> {
    if (this.#clockWatch === undefined || this.#backend.shared) return
    const session = this.#backend.begin()
    const db = session.db(() => {})
    const [last] = await readHead(db)
      .then(({ sequence }) => readRows(db, sequence - 1, 1))
      .finally(() => session.rollback())
    if (last !== undefined) this.#tellJump(setBackSince(last.time, this.#clock.now()))
  }

  /** Numbers of the ledger give its order, whatever times say; that they say something else from here on is written down. */
  #tellJump(jump: ClockJump | undefined): void {
    if (jump === undefined || this.#closing !== undefined) return
    this.transaction((tx) => tx.record({ type: 'store.clock-jumped', subject: 'clock', actor: 'store', why: jumpText(jump), after: jump })).catch(() => {})
  }

  /** Events of other instances are told from the first opening on, also those of an outage. */
  async #hearOthers(): Promise<void> {
    const feed = this.#feed
    if (feed === undefined) return
    const session = this.#backend.begin()
    const head = await readHead(session.db(() => {})).finally(() => session.rollback())
    feed.start(head.sequence)
    feed.news(head.sequence)
    this.#backend.listen?.((upTo) => feed.news(upTo))
  }

  async #checkAnchor(): Promise<void> {
    const found = await checkAnchor(this.#backend, this.#clock.now(), this.#options.key)
    if (found !== undefined && found.type !== 'ledger.anchor-begun')
      this.#options.onWarning?.(new TaktError('TAKT_LEDGER_FAULT', { what: `ledger: ${found.what}`, where: this.#backend.where }))
  }

  #committed(events: readonly LedgerEvent[], anchorFailure: TaktError | undefined): Promise<void> | undefined {
    this.#recovered()
    if (anchorFailure !== undefined) this.#options.onWarning?.(anchorFailure)
    if (this.#feed !== undefined) return this.#feed.committed(events)
    // a commit of thousands (a plan of a large plant) is told in slices; the next one waits
    if (events.length > TOLD_AT_ONCE) return inSlices(this.#tellAll(events))
    for (const event of events) this.#tell(event)
    return undefined
  }

  *#tellAll(events: readonly LedgerEvent[]): Steps<void> {
    for (const event of events) {
      this.#tell(event)
      yield
    }
  }

  #tell(event: LedgerEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event)
      } catch (thrown) {
        this.#options.onWarning?.(toTaktError(thrown, `a listener to event ${event.sequence} (${event.type})`))
      }
    }
  }

  #recovered(): void {
    if (this.#healthy) return
    this.#healthy = true
    this.#options.onOpen?.()
  }

  #failed(error: TaktError): void {
    this.#healthy = false
    this.#options.onFailure?.(error)
  }

  #tellOfQuarantine(source: string, now: number): boolean {
    const told = this.#quarantineTold.get(source)
    if (told !== undefined && now - told < QUARANTINE_EVENT_EVERY_MS && now >= told) return false
    if (this.#quarantineTold.size >= QUARANTINE_SOURCES_REMEMBERED) this.#quarantineTold.clear()
    this.#quarantineTold.set(source, now)
    return true
  }
}
