import { DatabaseSync } from 'node:sqlite'
import type { DocumentOf } from '../../../core/messages/document.ts'

export interface RecordedEvent {
  readonly sequence: number
  readonly type: string
  readonly subject: string
  readonly time: number
}

/** What Takt recorded, read by plain SQL: it shares no code with the store that wrote it. */
export class Recorded {
  readonly #db: DatabaseSync

  constructor(file: string) {
    this.#db = new DatabaseSync(file, { readOnly: true })
    this.#db.exec('PRAGMA busy_timeout = 5000')
  }

  documents<K extends 'work-order' | 'job-order' | 'job-response' | 'plan' | 'disruption' | 'anomaly' | 'quality-result' | 'lot'>(kind: K): DocumentOf<K>[] {
    return this.#db
      .prepare(`SELECT document FROM ${kind.replaceAll('-', '_')} ORDER BY ledger`)
      .all()
      .map((row) => JSON.parse(String(row.document)) as DocumentOf<K>)
  }

  events(pattern: string): RecordedEvent[] {
    return this.#db.prepare('SELECT sequence, type, subject, time FROM ledger WHERE type LIKE ? ORDER BY sequence').all(pattern) as unknown as RecordedEvent[]
  }

  /** Parts by job order and unit, `jo-1 acme/…/mill-1`. */
  counts(): Map<string, { good: number; scrap: number }> {
    const rows = this.#db.prepare('SELECT job_order, equipment, good, scrap FROM job_count').all() as unknown as Array<{
      job_order: string
      equipment: string
      good: number
      scrap: number
    }>
    return new Map(rows.map(({ job_order, equipment, good, scrap }) => [`${job_order} ${equipment}`, { good, scrap }]))
  }

  /** Messages that a node could not use: code and what was wrong. */
  quarantined(): string[] {
    return this.#db
      .prepare('SELECT code, what, excerpt FROM quarantine')
      .all()
      .map((row) => `${row.code}: ${row.what} (${row.excerpt})`)
  }

  /** Messages in the inbox that have this text: what has arrived, whatever came of it, and is not settled long since. */
  arrived(text: string): number {
    return Number(this.#db.prepare('SELECT count(*) AS n FROM inbox_pending WHERE instr(body, ?) > 0').get(text)?.n)
  }

  close(): void {
    this.#db.close()
  }
}
