import { existsSync } from 'node:fs'
import { readFile, statfs, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { TaktError } from '../base/error.ts'
import { type Anchor, anchorPath, parseAnchor } from './anchor.ts'
import { flush } from './archive-segment.ts'
import { contentOf } from './backup-content.ts'
import type { BackupContent } from './backup-manifest.ts'
import { copyServer } from './backup-server.ts'
import { GENESIS } from './ledger.ts'
import type { PostgresOptions } from './postgres-backend.ts'
import { postgresTarget } from './postgres-target.ts'
import { sqliteError } from './sqlite-client.ts'

/** A store's database; it may be in use. */
export type BackupSource = { readonly file: string } | { readonly postgres: PostgresOptions }

/** The path of a file, or the name of a database on its server. */
export function sourceName(source: BackupSource): string {
  return 'file' in source ? resolve(source.file) : postgresTarget(source.postgres, 'backup').name
}

export interface Copied {
  readonly content: BackupContent
  /** The anchor of the store as it was before the copy was made; undefined where there was none. */
  readonly anchor: Anchor | undefined
}

/**
 * Copies a store, as it is at one moment, into a SQLite file, flushes it and reads all of it back. The anchor is taken first: what is committed meanwhile only comes after
 * it, so the copy holds all rows up to it. Others read and write on. `free` tells the bytes that are free in a folder. For a thread of its own. Throws what a store throws, and TAKT_BACKUP_SPACE.
 */
export async function copyStore(source: BackupSource, target: string, free: (folder: string) => Promise<number> = freeBytes): Promise<Copied> {
  const anchor = await readAnchor('file' in source ? anchorPath(source.file) : source.postgres.anchor)
  if ('file' in source) await copyFile(source.file, target, free)
  else await copyServer(source.postgres, target)
  await flush(target)
  // beside it until it is read, for a ledger without an anchor counts as one with a fault
  await writeFile(anchorPath(target), JSON.stringify(anchor ?? GENESIS))
  const found = await contentOf(target, anchor)
  return { content: { source: sourceName(source), dialect: 'file' in source ? 'sqlite' : 'postgres', ...found }, anchor }
}

/** SQLite writes the copy itself, from one reading transaction: what is in it is what one commit left, without what was deleted. */
async function copyFile(file: string, target: string, freeBytes: (folder: string) => Promise<number>): Promise<void> {
  const where = `database ${file}`
  if (!existsSync(file)) throw new TaktError('TAKT_STORE_UNWRITABLE', { what: 'there is no such file', where })
  try {
    const db = new DatabaseSync(file, { readOnly: true })
    try {
      db.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`)
      const pages = db.prepare('select page_count * page_size as bytes from pragma_page_count(), pragma_page_size()').get() as { bytes: number }
      assertRoom(dirname(target), pages.bytes, await freeBytes(dirname(target)))
      db.prepare('vacuum into ?').run(target)
    } finally {
      db.close()
    }
  } catch (error) {
    if (error instanceof TaktError) throw error
    throw sqliteError(error as { message: string; errcode?: number; code?: string }, where)
  }
}

const BUSY_TIMEOUT_MS = 5000

async function freeBytes(folder: string): Promise<number> {
  const { bsize, bavail } = await statfs(folder)
  return bsize * bavail
}

/** Rather before than after the disk was filled. */
function assertRoom(folder: string, bytes: number, free: number): void {
  const mib = (count: number): string => (count / 2 ** 20).toFixed(1)
  if (free < bytes)
    throw new TaktError('TAKT_BACKUP_SPACE', {
      what: `there is no room for the copy: it needs ${mib(bytes)} MiB, and ${mib(free)} MiB are free`,
      where: folder,
    })
}

async function readAnchor(path: string | undefined): Promise<Anchor | undefined> {
  if (path === undefined) return undefined
  try {
    return parseAnchor(JSON.parse(await readFile(path, 'utf8')))
  } catch {
    return undefined
  }
}
