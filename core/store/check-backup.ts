import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { TaktError, toTaktError } from '../base/error.ts'
import { type Anchor, anchorPath, parseAnchor } from './anchor.ts'
import { sha256Of } from './archive-segment.ts'
import type { Backup } from './backup.ts'
import { contentOf } from './backup-content.ts'
import { BACKUP_FILE, readManifest } from './backup-manifest.ts'
import { MIGRATIONS } from './migrations/index.ts'

export interface CheckBackupOptions {
  /** PEM of the key that manifest and anchor must be signed with; undefined: they need not be. */
  readonly publicKey?: string | undefined
  /** A ledger with a fault that the manifest tells of is taken too. */
  readonly faulty?: boolean | undefined
}

export interface CheckedBackup extends Backup {
  /** the database file in it, and the anchor of its ledger */
  readonly file: string
  readonly anchor: Anchor
}

/**
 * Reads all of a backup and compares it with its manifest: the file byte by byte, the rows of each table, the ledger and its head. Changes nothing. Throws
 * TAKT_BACKUP_DAMAGED, TAKT_BACKUP_FAULTY, TAKT_STORE_NEWER.
 */
export async function checkBackup(path: string, { publicKey, faulty = false }: CheckBackupOptions = {}): Promise<CheckedBackup> {
  const where = `backup ${path}`
  const damaged = (what: string, cause?: unknown): TaktError => new TaktError('TAKT_BACKUP_DAMAGED', { what, where, cause })
  if (!existsSync(path)) throw damaged('there is no such backup')
  if (!statSync(path).isDirectory()) throw damaged('it is a file; a backup is a folder with a manifest')
  const manifest = readManifest(path, publicKey)
  const file = join(path, BACKUP_FILE)
  if (!existsSync(file)) throw damaged(`its ${BACKUP_FILE} is not there`)
  const bytes = statSync(file).size
  if (bytes !== manifest.bytes) throw damaged(`its ${BACKUP_FILE} has ${bytes} bytes, and its manifest says ${manifest.bytes}`)
  if ((await sha256Of(file)) !== manifest.sha256) throw damaged(`its ${BACKUP_FILE} is not the one that its manifest tells of: its SHA-256 is another`)
  if (manifest.schema > MIGRATIONS.length)
    throw new TaktError('TAKT_STORE_NEWER', { what: `its tables have version ${manifest.schema}, this Takt knows ${MIGRATIONS.length}`, where })

  const anchor = readAnchor(file)
  if (anchor === undefined) throw damaged('the anchor of its ledger is missing')
  const found = await contentOf(file, anchor).catch((error: unknown) => {
    throw damaged(`its ${BACKUP_FILE} cannot be read: ${toTaktError(error, where).what}`, error)
  })
  for (const name of ['schema', 'tables', 'head', 'fault'] as const) {
    if (!isDeepStrictEqual(found[name], manifest[name]))
      throw damaged(`its manifest lies: ${name} is ${JSON.stringify(found[name])}, and it says ${JSON.stringify(manifest[name])}`)
  }
  if (found.fault !== null && !faulty) throw new TaktError('TAKT_BACKUP_FAULTY', { what: `its ledger is not whole: ${found.fault.what}`, where })
  return { path, manifest, file, anchor }
}

function readAnchor(file: string): Anchor | undefined {
  try {
    return parseAnchor(JSON.parse(readFileSync(anchorPath(file), 'utf8')))
  } catch {
    return undefined
  }
}
