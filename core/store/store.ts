import type { Kysely } from 'kysely'
import type { DocumentOf } from '../messages/document.ts'
import type { Quarantined } from '../messages/quarantined.ts'
import type { Tables } from './schema.ts'

/** Documents that the store keeps, each as a projection of the ledger. */
export type StoredKind =
  | 'work-order'
  | 'job-order'
  | 'job-response'
  | 'plan'
  | 'disruption'
  | 'anomaly'
  | 'quality-result'
  | 'lot'
  | 'genealogy'
  | 'containment'
  | 'person'
  | 'signature'
  | 'procedure'
  | 'procedure-run'
  | 'erp-message'
  | 'order-template'

/** Who did a thing: a person, or a node acting on its own (`node:<id>`). */
export type Actor = string

/** One business event: appended, hash-chained, never changed. `type` is `<subject>.<what happened>`, `job-order.running`. */
export interface LedgerEvent {
  readonly sequence: number
  readonly type: string
  /** id of the document or equipment that it is about */
  readonly subject: string
  readonly actor: Actor
  readonly why: string | null
  readonly before: unknown
  readonly after: unknown
  /** plant time, epoch ms */
  readonly time: number
  readonly hash: string
}

export interface NewEvent {
  readonly type: string
  readonly subject: string
  readonly actor: Actor
  readonly why?: string | undefined
  readonly before?: unknown
  readonly after?: unknown
}

export interface ListOptions {
  /** Columns of the kind's table that must equal a value, or be one of several. */
  readonly where?: Readonly<Record<string, string | number | null | readonly (string | number)[]>>
  readonly orderBy?: string
  readonly descending?: boolean
  readonly limit?: number
}

export interface StoreReader {
  get<K extends StoredKind>(kind: K, id: string): Promise<DocumentOf<K> | undefined>
  list<K extends StoredKind>(kind: K, options?: ListOptions): Promise<DocumentOf<K>[]>
  /** For queries that `get` and `list` cannot say. */
  readonly db: Kysely<Tables>
}

/**
 * Work inside one transaction: all of it is committed or none. Reads see its own writes. Await everything before returning;
 * wait for nothing else inside (no network, no timers), because one writer serves all.
 */
export interface StoreTransaction extends StoreReader {
  /** Plant time of the transaction. */
  readonly now: number
  /** Appends an event to the ledger. */
  record(event: NewEvent): Promise<LedgerEvent>
  /**
   * Writes a document and its event together: inserts it, or replaces the one with the same id when `revision` is the stored one
   * (TAKT_STORE_CONFLICT otherwise). Returns it with its new `revision` and `ledger`. `before` and `after` of the event are the documents.
   */
  save<K extends StoredKind>(
    document: DocumentOf<K> & { readonly kind: K },
    event: { readonly type: string; readonly actor: Actor; readonly why?: string | undefined },
  ): Promise<DocumentOf<K>>
  /**
   * Keyed effect: true when this key is new, and from then on taken. A replay that finds it taken changes nothing.
   * A key that belongs to a row of the inbox is forgotten with the row.
   */
  once(key: string, inbox?: number): Promise<boolean>
  /**
   * A write that need not be waited for where it is made, because nothing can be wrong with it but the database: many of them cost one way to the database and back. It
   * happens in its place, is waited for before the transaction ends, and should it fail, the transaction is undone.
   */
  later(writing: Promise<unknown>): void
}

export interface LedgerHead {
  readonly sequence: number
  readonly hash: string
}

/** `fault` names the first row that is wrong or missing. */
export interface Verification {
  readonly ok: boolean
  readonly rows: number
  readonly head: LedgerHead
  readonly fault: { readonly sequence: number; readonly what: string } | null
  /** Parts of the ledger that are in files; absent where nothing was archived. */
  readonly archived?: readonly ArchivedPart[]
}

/** Rows that were moved into a file. `checked`: the file was at hand and read. */
export interface ArchivedPart {
  readonly first: number
  readonly last: number
  readonly file: string
  readonly checked: boolean
}

/** Where MES records live: a SQLite file, or a PostgreSQL database. */
export interface Store extends StoreReader {
  /** Other processes may write to it at the same time. Their events are heard as this one's own are. */
  readonly shared: boolean
  /** Waiting transactions share one commit, each under its savepoint; one that throws is undone alone. */
  transaction<T>(work: (tx: StoreTransaction) => Promise<T>): Promise<T>
  /** Hears of every event after its commit, in order. Returns the way to stop. */
  subscribe(listener: (event: LedgerEvent) => void): () => void
  events(after: number, limit: number): Promise<LedgerEvent[]>
  head(): Promise<LedgerHead>
  verify(): Promise<Verification>
  /** Keeps a message that a node could not use, with its reason. */
  quarantine(record: Quarantined): Promise<void>
  /** Small serialisable state of a node (a detector's memory, a machine's last counters). */
  loadState(node: string, key: string): Promise<unknown>
  saveState(node: string, key: string, state: unknown): Promise<void>
  /** States of a node in the order of their keys, those after a key (empty: from the first), `limit` at most. */
  loadStates(node: string, after: string, limit: number): Promise<ReadonlyArray<readonly [string, unknown]>>
  /** Writes some states of a node and removes others, all in one transaction. */
  saveStates(node: string, put: ReadonlyMap<string, unknown>, drop: readonly string[]): Promise<void>
  /** Removes all states of a node: it is no more. */
  dropStates(node: string): Promise<void>
  close(): Promise<void>
}
