import type { LedgerHead } from './store.ts'

/** Where the head of the ledger is kept outside the database: a tail that vanishes from the file is missed by comparing with it. */
export function anchorPath(file: string): string {
  return `${file}.anchor`
}

/** The anchor's content, checked; `undefined` when there is none or it is not one. */
export function parseAnchor(content: unknown): LedgerHead | undefined {
  if (typeof content !== 'object' || content === null) return undefined
  const { sequence, hash } = content as Partial<Record<keyof LedgerHead, unknown>>
  return typeof sequence === 'number' && Number.isSafeInteger(sequence) && typeof hash === 'string' ? { sequence, hash } : undefined
}
