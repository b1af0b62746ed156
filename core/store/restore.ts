import { existsSync, mkdtempSync, readFileSync } from 'node:fs'
import { copyFile, mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Clock } from '../base/clock.ts'
import { TaktError } from '../base/error.ts'
import { type Anchor, anchorPath, parseAnchor } from './anchor.ts'
import { flush, flushFolder, sha256Of } from './archive-segment.ts'
import { folderError } from './backup-folder.ts'
import type { BackupManifest } from './backup-manifest.ts'
import { type CheckBackupOptions, type CheckedBackup, checkBackup } from './check-backup.ts'
import { moveStore } from './move-store.ts'
import type { PostgresOptions } from './postgres-backend.ts'
import { ProcessLock } from './process-lock.ts'
import { sqliteError } from './sqlite-client.ts'
import type { Verification } from './store.ts'
import { verifyFile } from './verify-file.ts'
import { verifyPostgres } from './verify-postgres.ts'

export interface RestoreOptions extends CheckBackupOptions {
  /** Folder of a backup. */
  readonly from: string
  /** A file, or an empty database on a server. */
  readonly to: { readonly file: string } | { readonly postgres: PostgresOptions }
  /** A store that is in the file already is put aside; nothing of it is removed. */
  readonly replace?: boolean | undefined
  readonly clock: Clock
}

export interface Restored {
  readonly manifest: BackupManifest
  /** What the ledger check says now, with the anchor that is there. */
  readonly verification: Verification
  /** Rows that were written after the backup, as far as the anchor knows; they are lost. Null: none. */
  readonly lost: { readonly from: number; readonly to: number } | null
  /** Where the store is that was in the file before; null: there was none. */
  readonly aside: string | null
}

/**
 * Puts a backup where a store looks for its records, once all of it was read and compared with its manifest; and verifies the ledger there. A newer anchor that is there
 * already stays, so that the rows after the backup are missed. Killed midway, the same call goes on. Throws TAKT_STORE_LOCKED while the store is in use,
 * TAKT_STORE_NOT_EMPTY, and what `checkBackup` and `moveStore` throw.
 */
export async function restoreBackup(options: RestoreOptions): Promise<Restored> {
  const backup = await checkBackup(options.from, options)
  return 'file' in options.to ? toFile(backup, resolve(options.to.file), options) : toServer(backup, options.to.postgres, options)
}

const PARTS = ['', '-wal', '-shm'] as const

async function toFile(backup: CheckedBackup, file: string, { replace = false, clock, publicKey }: RestoreOptions): Promise<Restored> {
  const { manifest } = backup
  const where = `database ${file}`
  await mkdir(dirname(file), { recursive: true }).catch((error: unknown) => {
    throw folderError(error, where)
  })
  const lock = locked(file, where)
  try {
    const rows = rowsIn(file)
    if (rows !== 0 && !replace) {
      const what = rows === undefined ? 'there is a file that cannot be read as a store' : `there is a store with ${rows} rows in its ledger`
      throw new TaktError('TAKT_STORE_NOT_EMPTY', { what: `${what}; it is put aside if you say --replace`, where })
    }
    const draft = `${file}.restoring`
    await copyFile(backup.file, draft)
    await flush(draft)
    if ((await sha256Of(draft)) !== manifest.sha256)
      throw new TaktError('TAKT_BACKUP_DAMAGED', { what: 'the backup was changed while it was restored', where: `backup ${backup.path}` })
    const aside = await putAside(file, clock.now())
    await rename(draft, file)
    await flushFolder(dirname(file))
    const lost = await anchorAt(anchorPath(file), backup)
    return { manifest, verification: await verifyFile(file, { publicKey }), lost, aside }
  } catch (error) {
    throw folderError(error, where)
  } finally {
    lock.release()
  }
}

function locked(file: string, where: string): ProcessLock {
  try {
    return new ProcessLock(file)
  } catch (error) {
    throw sqliteError(error as { message: string; errcode?: number; code?: string }, where)
  }
}

/** Rows of the ledger in a file; 0 where there is none, undefined where it is not a store. */
function rowsIn(file: string): number | undefined {
  if (!existsSync(file)) return 0
  try {
    const db = new DatabaseSync(file, { readOnly: true })
    try {
      return (db.prepare('select count(*) as rows from ledger').get() as { rows: number }).rows
    } finally {
      db.close()
    }
  } catch {
    return undefined
  }
}

/** With its log, so that it opens as it was. The anchor stays where it is, and a copy goes along. */
async function putAside(file: string, now: number): Promise<string | null> {
  if (!PARTS.some((part) => existsSync(file + part))) return null
  const stamp = `${new Date(now).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`
  let aside = `${file}.before-${stamp}`
  for (let more = 2; existsSync(aside); more++) aside = `${file}.before-${stamp}-${more}`
  if (existsSync(anchorPath(file))) await copyFile(anchorPath(file), anchorPath(aside))
  // the log first: without it the file would be opened at an earlier commit
  for (const part of ['-wal', '-shm', '']) if (existsSync(file + part)) await rename(file + part, aside + part)
  return aside
}

/** Through a file of its own, for who opens a store writes to it. */
async function toServer(backup: CheckedBackup, postgres: PostgresOptions, { clock, faulty, publicKey }: RestoreOptions): Promise<Restored> {
  const scratch = mkdtempSync(join(tmpdir(), 'takt-restore-'))
  try {
    const from = join(scratch, 'takt.db')
    await copyFile(backup.file, from)
    await copyFile(anchorPath(backup.file), anchorPath(from))
    await moveStore({ from, to: { ...postgres, anchor: undefined }, clock, ...(faulty !== undefined && { faulty }) })
    const lost = postgres.anchor === undefined ? null : await anchorAt(postgres.anchor, backup)
    return { manifest: backup.manifest, verification: await verifyPostgres(postgres, { publicKey }), lost, aside: null }
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

/** The anchor knows how far the ledger went: only one that says less, or none, is replaced by the backup's. */
async function anchorAt(path: string, { anchor, manifest: { head } }: CheckedBackup): Promise<Restored['lost']> {
  const there = readAnchor(path)
  if (there !== undefined && there.sequence > head.sequence) return { from: head.sequence + 1, to: there.sequence }
  await mkdir(dirname(path), { recursive: true })
  await writeFile(`${path}.new`, JSON.stringify(anchor))
  await flush(`${path}.new`)
  await rename(`${path}.new`, path)
  await flushFolder(dirname(path))
  return null
}

function readAnchor(path: string): Anchor | undefined {
  try {
    return parseAnchor(JSON.parse(readFileSync(path, 'utf8')))
  } catch {
    return undefined
  }
}
