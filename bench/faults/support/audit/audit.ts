import { existsSync, readFileSync } from 'node:fs'
import { type AnchoredHead, ChainCheck } from './chain.ts'
import { EffectCheck, type Received } from './effects.ts'
import { Findings } from './findings.ts'
import { checkGenealogy } from './genealogy.ts'
import { HistoryCheck } from './histories.ts'
import { QuantityCheck } from './quantities.ts'
import { ledgerLines, type Source } from './source.ts'

export interface AuditInput {
  /** Heads that are kept outside the database. */
  readonly anchors?: readonly AnchoredHead[]
  /** Commands that somebody was told are done. */
  readonly told?: Iterable<string>
  /** What came out of the outbox; undefined: it is not looked at. */
  readonly received?: Received | undefined
}

export interface Audit {
  readonly rows: number
  readonly head: AnchoredHead
  /** Commands of the harness that were done, and works of leaders. */
  readonly done: number
  readonly led: number
  /** Missing rows that the ledger itself names. */
  readonly named: ReadonlyArray<{ readonly from: number; readonly to: number }>
  /** `store.clock-jumped` events. */
  readonly jumps: readonly number[]
  readonly findings: Findings
}

/**
 * Reads a whole database as somebody who does not trust Takt: plain SQL, and nothing of core/store or core/orders. Every rule that does not hold is a finding.
 */
export async function audit(source: Source, { anchors = [], told = [], received }: AuditInput = {}): Promise<Audit> {
  const findings = new Findings()
  const chain = new ChainCheck(anchors, findings)
  const histories = new HistoryCheck(findings)
  const quantities = new QuantityCheck(findings)
  const effects = new EffectCheck(findings)
  const jumps: number[] = []
  let rows = 0
  for await (const line of ledgerLines(source)) {
    rows++
    chain.row(line)
    histories.row(line)
    quantities.row(line)
    effects.row(line)
    if (line.type === 'store.clock-jumped') jumps.push((JSON.parse(line.after ?? '{}') as { byMs: number }).byMs)
  }
  chain.end()
  await histories.end(source)
  await quantities.end(source)
  await effects.end(source, told, received)
  await checkGenealogy(source, findings)
  return { rows, head: chain.head, done: effects.done, led: effects.led, named: chain.named, jumps, findings }
}

/** The head in an anchor file; none where there is no such file. */
export function readAnchors(...files: readonly string[]): AnchoredHead[] {
  return files.filter((file) => existsSync(file)).map((file) => JSON.parse(readFileSync(file, 'utf8')) as AnchoredHead)
}
