import { createHash } from 'node:crypto'
import type { Findings } from './findings.ts'
import type { LedgerLine } from './source.ts'

/** The head of the ledger as it is kept outside the database. */
export interface AnchoredHead {
  readonly sequence: number
  readonly hash: string
}

/** Recomputes the chain by the formula of docs/store.md, row after row. */
export class ChainCheck {
  readonly #anchors: readonly AnchoredHead[]
  readonly #seen = new Set<AnchoredHead>()
  readonly #findings: Findings
  #sequence = 0
  #hash = '0'.repeat(64)
  /** rows that are missing, and that a `ledger.tail-lost` names */
  readonly named: Array<{ readonly from: number; readonly to: number }> = []
  #gap: { readonly from: number; readonly to: number } | undefined

  constructor(anchors: readonly AnchoredHead[], findings: Findings) {
    this.#anchors = anchors
    this.#findings = findings
  }

  row(line: LedgerLine): void {
    const { sequence, type, subject, actor, why, before, after, time, previous_hash: previous, hash } = line
    const expected = this.#sequence + 1
    if (sequence !== expected) this.#gap = { from: expected, to: sequence - 1 }
    else if (previous !== this.#hash) this.#findings.wrong(`row ${sequence} does not follow row ${sequence - 1}`)
    const text = JSON.stringify([previous, sequence, type, subject, actor, why, before, after, time])
    if (createHash('sha256').update(text).digest('hex') !== hash) this.#findings.wrong(`row ${sequence} does not give its hash`)
    if (this.#gap !== undefined) this.#nameGap(this.#gap, line)
    for (const anchor of this.#anchors) {
      if (anchor.sequence !== sequence) continue
      this.#seen.add(anchor)
      if (anchor.hash !== hash) this.#findings.wrong(`row ${sequence} is not the one that was anchored`)
    }
    this.#sequence = sequence
    this.#hash = hash
  }

  end(): void {
    for (const anchor of this.#anchors) {
      if (anchor.sequence === 0 || this.#seen.has(anchor)) continue
      if (this.named.some(({ from, to }) => anchor.sequence >= from && anchor.sequence <= to)) continue
      this.#findings.missing(`the anchored row ${anchor.sequence}; the ledger ends at ${this.#sequence}`)
    }
  }

  get head(): AnchoredHead {
    return { sequence: this.#sequence, hash: this.#hash }
  }

  /** Numbers may be missing only where the very next row says so. */
  #nameGap({ from, to }: { readonly from: number; readonly to: number }, { sequence, type, after }: LedgerLine): void {
    this.#gap = undefined
    const said = type === 'ledger.tail-lost' ? (JSON.parse(after ?? '{}') as { from?: number; to?: number }) : {}
    if (said.from === from && said.to === to) this.named.push({ from, to })
    else this.#findings.missing(`rows ${from} to ${to}, and row ${sequence} does not say so`)
  }
}
