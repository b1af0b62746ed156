import { existsSync, readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { SentMessage } from './publisher.ts'

/** How often each sequence number of a subject was recorded. */
export type Recorded = ReadonlyMap<string, ReadonlyMap<number, number>>

/** A declared loss of telemetry, epoch ms. */
export interface DeclaredGap {
  readonly from: number
  readonly to: number
}

export interface Tally {
  readonly sent: number
  readonly lost: number
  readonly doubled: number
  /** The first few that are lost or doubled, for whoever looks into it. */
  readonly evidence: string
  readonly missing: readonly SentMessage[]
}

/**
 * Reads what Takt recorded by plain SQL from its file: it shares no code with the store. The file may be in use, or gone for the moment.
 */
function read<T>(file: string, query: (db: DatabaseSync) => T, none: T): T {
  if (!existsSync(file)) return none
  const db = new DatabaseSync(file, { readOnly: true })
  try {
    db.exec('PRAGMA busy_timeout = 5000')
    return query(db)
  } catch (error) {
    if (/no such table/.test(String(error))) return none
    throw error
  } finally {
    db.close()
  }
}

function gather(rows: Iterable<{ readonly subject: string; readonly sequence: number; readonly times: number }>): Recorded {
  const recorded = new Map<string, Map<number, number>>()
  for (const { subject, sequence, times } of rows) {
    const bySequence = recorded.get(subject) ?? new Map<number, number>()
    recorded.set(subject, bySequence)
    bySequence.set(sequence, (bySequence.get(sequence) ?? 0) + times)
  }
  return recorded
}

/** Events that the harness's own sink wrote into the ledger. */
export function ledgerEffects(file: string): Recorded {
  const sql = `SELECT subject, json_extract(after, '$.sequence') AS sequence, count(*) AS times FROM ledger
    WHERE type = 'fault-harness.recorded' GROUP BY 1, 2`
  return read<Recorded>(file, (db) => gather(db.prepare(sql).all() as never), new Map())
}

/** Results that the quality gate recorded, by characteristic; the sequence number is the serial number of the part. */
export function qualityEffects(file: string, subject: string): Recorded {
  const sql = `SELECT CAST(json_extract(document, '$.serial') AS INTEGER) AS sequence, count(*) AS times FROM quality_result GROUP BY 1`
  return read<Recorded>(
    file,
    (db) => gather((db.prepare(sql).all() as Array<{ sequence: number; times: number }>).map((row) => ({ ...row, subject }))),
    new Map(),
  )
}

/** Good parts that machine state has counted for a unit. */
export function partsCounted(file: string): number {
  return read(file, (db) => Number(db.prepare('SELECT coalesce(sum(good), 0) AS good FROM job_count').get()?.good ?? 0), 0)
}

/** Rows of the inbox that were never settled, and what was set aside: for the notes of a case. */
export function quarantined(file: string): readonly string[] {
  return read(
    file,
    (db) =>
      db
        .prepare('SELECT code, count(*) AS n FROM quarantine GROUP BY 1')
        .all()
        .map(({ code, n }) => `${n} × ${code}`),
    [],
  )
}

/** Gaps that the ledger declares. */
export function ledgerGaps(file: string): readonly DeclaredGap[] {
  const sql = `SELECT json_extract(after, '$.from') AS "from", json_extract(after, '$.to') AS "to" FROM ledger WHERE type = 'source.gap'`
  return read(file, (db) => db.prepare(sql).all() as unknown as DeclaredGap[], [])
}

/** Lines that the sink wrote where it has no store: `<subject> <sequence>`, and gap documents. */
export function fileEffects(file: string): { readonly recorded: Recorded; readonly gaps: readonly DeclaredGap[] } {
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : []
  const gaps = lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as DeclaredGap)
  const rows = lines
    .filter((line) => !line.startsWith('{'))
    .map((line) => {
      const [subject = '', sequence] = line.split(' ')
      return { subject, sequence: Number(sequence), times: 1 }
    })
  return { recorded: gather(rows), gaps }
}

const EVIDENCE = 5

/** Holds what was recorded against what was acknowledged to the sender. Numbers below 0 are the harness's own probes. */
export function tally(sent: ReadonlyMap<string, readonly SentMessage[]>, recorded: Recorded, subjectOf: (topic: string) => string): Tally {
  let count = 0
  let doubled = 0
  const missing: SentMessage[] = []
  const evidence: string[] = []
  for (const [topic, messages] of sent) {
    const bySequence = recorded.get(subjectOf(topic))
    count += messages.length
    for (const message of messages) {
      if (bySequence?.has(message.sequence)) continue
      missing.push(message)
      if (evidence.length < EVIDENCE) evidence.push(`${topic} ${message.sequence} lost`)
    }
    // also of what was never acknowledged: it may be recorded, but not twice
    for (const [sequence, times] of bySequence ?? []) {
      if (sequence < 0 || times === 1) continue
      doubled += times - 1
      if (evidence.length < EVIDENCE) evidence.push(`${topic} ${sequence} ${times} times`)
    }
  }
  return { sent: count, lost: missing.length, doubled, evidence: evidence.join(', '), missing }
}

/** Lost messages whose source time lies in no declared gap. */
export function undeclared(missing: readonly SentMessage[], gaps: readonly DeclaredGap[]): readonly SentMessage[] {
  return missing.filter(({ time }) => !gaps.some(({ from, to }) => time >= from && time <= to))
}

/** Gaps and what lies in none of them, for a table; the evidence says by how much the nearest bound was missed. */
export function gapsOf(
  missing: readonly SentMessage[],
  gaps: readonly DeclaredGap[],
): { readonly declared: number; readonly undeclared: number; readonly evidence: string } {
  const outside = undeclared(missing, gaps)
  const far = ({ time }: SentMessage): number => Math.min(...gaps.flatMap(({ from, to }) => [Math.abs(time - from), Math.abs(time - to)]))
  const evidence = outside.slice(0, EVIDENCE).map((message) => `${message.sequence} lost${gaps.length === 0 ? '' : `, ${far(message)} ms from a gap`}`)
  return { declared: gaps.length, undeclared: outside.length, evidence: evidence.join('; ') }
}
