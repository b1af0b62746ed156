import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { TaktError } from '../base/error.ts'
import { isSignedBy, keyId, type SigningKey } from './anchor-key.ts'
import type { Backend } from './backend.ts'
import type { LedgerHead, Verification } from './store.ts'

/** A backup is a folder: the database as a SQLite file, the anchor of its ledger, and this. Without a manifest it is none. */
export const BACKUP_FILE = 'takt.db'
export const MANIFEST_FILE = 'manifest.json'

/** What was backed up, as it was found in the copy. */
export interface BackupContent {
  /** What it is of: the path of a file, or the name of a database on its server. */
  readonly source: string
  readonly dialect: Backend['dialect']
  /** version of the tables */
  readonly schema: number
  /** rows by table */
  readonly tables: Readonly<Record<string, number>>
  readonly head: LedgerHead
  /** The first fault of the ledger as it was copied; null: it is whole. */
  readonly fault: Verification['fault']
  /** length of the database file, and SHA-256 over it, hex */
  readonly bytes: number
  readonly sha256: string
}

export interface BackupManifest extends BackupContent {
  readonly kind: 'takt-backup'
  readonly format: 1
  /** ISO 8601, real time */
  readonly created: string
  /** Over all the rest, where the store has a key; `SigningKey.id` and base64. */
  readonly key?: string
  readonly signature?: string
}

export function sealManifest(content: BackupContent, created: Date, key: SigningKey | undefined): BackupManifest {
  const { source, dialect, schema, tables, head, fault, bytes, sha256 } = content
  const plain = { kind: 'takt-backup', format: 1, created: created.toISOString(), source, dialect, schema, tables, head, fault, bytes, sha256 } as const
  return key === undefined ? plain : { ...plain, key: key.id, signature: key.sign(signedText(plain)) }
}

/** What is signed: the manifest without its signature, its names in their order. */
function signedText({ kind, format, created, source, dialect, schema, tables, head, fault, bytes, sha256 }: BackupManifest): string {
  return JSON.stringify([kind, format, created, source, dialect, schema, Object.entries(tables).sort(), head.sequence, head.hash, fault, bytes, sha256])
}

/** Reads the manifest of a backup's folder. Throws TAKT_BACKUP_DAMAGED where there is none, or where the key did not sign it. */
export function readManifest(folder: string, publicKey?: string): BackupManifest {
  const damaged = (what: string, cause?: unknown): TaktError => new TaktError('TAKT_BACKUP_DAMAGED', { what, where: `backup ${folder}`, cause })
  let content: unknown
  try {
    content = JSON.parse(readFileSync(join(folder, MANIFEST_FILE), 'utf8'))
  } catch (error) {
    throw damaged(`its ${MANIFEST_FILE} cannot be read: ${(error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is none' : String(error)}`, error)
  }
  if (!isManifest(content)) throw damaged(`its ${MANIFEST_FILE} is none that this Takt knows`)
  if (publicKey === undefined) return content
  if (content.signature === undefined) throw damaged(`its ${MANIFEST_FILE} is not signed, so it does not say who wrote it`)
  if (!isSignedBy(publicKey, signedText(content), content.signature))
    throw damaged(
      content.key === keyId(publicKey)
        ? `its ${MANIFEST_FILE} was changed: its signature does not fit`
        : `its ${MANIFEST_FILE} is signed by another key (${content.key})`,
    )
  return content
}

function isManifest(content: unknown): content is BackupManifest {
  if (typeof content !== 'object' || content === null) return false
  const { kind, format, created, source, schema, tables, head, bytes, sha256 } = content as Partial<Record<keyof BackupManifest, unknown>>
  const isHead =
    typeof head === 'object' && head !== null && Number.isSafeInteger((head as LedgerHead).sequence) && typeof (head as LedgerHead).hash === 'string'
  const isTables = typeof tables === 'object' && tables !== null && !Array.isArray(tables) && Object.values(tables).every(Number.isSafeInteger)
  const isTime = typeof created === 'string' && !Number.isNaN(Date.parse(created))
  return kind === 'takt-backup' && format === 1 && isTime && isHead && isTables && typeof source === 'string' && Number.isSafeInteger(schema) && Number.isSafeInteger(bytes) && typeof sha256 === 'string' // biome-ignore format: one line
}
