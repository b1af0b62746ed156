import { isSignedBy, keyId, type SigningKey } from './anchor-key.ts'
import type { LedgerHead } from './store.ts'

/**
 * Where the head of the ledger is kept outside the database: a tail that vanishes from the file is missed by comparing with it. Signed, it also shows that nobody made
 * ledger and anchor anew who has not the key.
 */
export interface Anchor extends LedgerHead {
  /** Who signed it, `SigningKey.id`; absent from an anchor that is not signed. */
  readonly key?: string
  /** Over `headText`, base64. */
  readonly signature?: string
}

export function anchorPath(file: string): string {
  return `${file}.anchor`
}

/** What is signed of a head: its number and its hash, which stands for every row before it. */
function headText({ sequence, hash }: LedgerHead): string {
  return `takt ledger head ${sequence} ${hash}`
}

export function signHead({ sequence, hash }: LedgerHead, key: SigningKey | undefined): Anchor {
  const head = { sequence, hash }
  return key === undefined ? head : { ...head, key: key.id, signature: key.sign(headText(head)) }
}

/** The anchor's content, checked; `undefined` when there is none or it is not one. */
export function parseAnchor(content: unknown): Anchor | undefined {
  if (typeof content !== 'object' || content === null) return undefined
  const { sequence, hash, key, signature } = content as Partial<Record<keyof Anchor, unknown>>
  if (typeof sequence !== 'number' || !Number.isSafeInteger(sequence) || typeof hash !== 'string') return undefined
  return { sequence, hash, ...(typeof key === 'string' && typeof signature === 'string' ? { key, signature } : {}) }
}

/** What is wrong with who signed an anchor or a witness; undefined when the key did. `what` names it in the sentence. */
export function sealFault(anchor: Anchor, publicKey: string, what: string): string | undefined {
  const { key, signature } = anchor
  if (signature === undefined) return `${what} is not signed, so it does not say who wrote it`
  if (isSignedBy(publicKey, headText(anchor), signature)) return undefined
  return key === keyId(publicKey) ? `${what} was changed: its signature does not fit` : `${what} is signed by another key (${key}), not by ${keyId(publicKey)}`
}
