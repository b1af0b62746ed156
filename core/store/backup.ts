import { existsSync, readdirSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type Anchor, anchorPath, signHead } from './anchor.ts'
import type { SigningKey } from './anchor-key.ts'
import { flush, flushFolder } from './archive-segment.ts'
import type { BackupSource, Copied } from './backup-copy.ts'
import { folderError } from './backup-folder.ts'
import { BACKUP_FILE, type BackupManifest, MANIFEST_FILE, readManifest, sealManifest } from './backup-manifest.ts'
import { copyInThread } from './backup-thread.ts'

export interface BackupOptions {
  /** A store; it may be in use. */
  readonly source: BackupSource
  /** Folder that holds the backups, each a folder of its own. Made where there is none. */
  readonly folder: string
  /** Real time, epoch ms. */
  readonly now: () => number
  /** Signs anchor and manifest. */
  readonly key?: SigningKey | undefined
  /** So many whole backups of this folder are kept, the new one among them; older ones are removed once it was read back and found whole. Undefined: all are. */
  readonly keep?: number | undefined
  /** How the database is copied; default: in a thread of its own. */
  readonly copy?: (source: BackupSource, target: string) => Promise<Copied>
}

export interface Backup {
  /** its folder */
  readonly path: string
  readonly manifest: BackupManifest
}

const NAME = /^takt-\d{8}T\d{6}Z(-\d+)?$/
const DRAFT = '.takt-backup-'
/** What another process that died left, or one that works yet: so old it is no more worked on. */
const DRAFT_LEFT_MS = 86_400_000

/**
 * Backs a store up while it is in use. The copy is made in a folder with another name, flushed and read back; then it gets its name, so what has the name is a backup and
 * whole. A ledger with a fault is backed up too: the manifest says so, and no older backup is removed. Throws TAKT_BACKUP_FOLDER, TAKT_BACKUP_SPACE and what a store throws.
 */
export async function makeBackup(options: BackupOptions): Promise<Backup> {
  const { source, now, key, keep, copy = copyInThread } = options
  const folder = resolve(options.folder)
  let draft: string | undefined
  try {
    await mkdir(folder, { recursive: true })
    await removeDrafts(folder, now())
    draft = await mkdtemp(join(folder, DRAFT))
    const target = join(draft, BACKUP_FILE)
    const { content, anchor } = await copy(source, target)
    const manifest = sealManifest(content, new Date(now()), key)
    await write(anchorPath(target), JSON.stringify(anchorOf(manifest, anchor, key)))
    await write(join(draft, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`)
    const path = nameIn(folder, manifest.created)
    await flushFolder(draft)
    await rename(draft, path)
    await flushFolder(folder)
    if (keep !== undefined && manifest.fault === null) await removeOld(folder, keep, { path, manifest })
    return { path, manifest }
  } catch (error) {
    if (draft !== undefined) await rm(draft, { recursive: true, force: true }).catch(() => {})
    throw folderError(error, `backup folder ${folder}`)
  }
}

/** Signed here, or by who runs the store, rather than not. One that says more than is there stays: it misses the rows. */
function anchorOf({ head }: BackupManifest, anchor: Anchor | undefined, key: SigningKey | undefined): Anchor {
  if (anchor !== undefined && anchor.sequence > head.sequence) return anchor
  return key === undefined && anchor?.signature !== undefined ? anchor : signHead(head, key)
}

/** The backups in a folder, of one source or of all, the newest first; what is not one is left out. None where the folder cannot be read. */
export function listBackups(folder: string, source?: string): readonly Backup[] {
  const found: Backup[] = []
  for (const name of namesIn(folder)) {
    if (!NAME.test(name)) continue
    const path = join(folder, name)
    try {
      const manifest = readManifest(path)
      if (source === undefined || manifest.source === source) found.push({ path, manifest })
    } catch {
      // somebody's, or damaged: not ours to remove
    }
  }
  const time = ({ manifest }: Backup): number => Date.parse(manifest.created)
  return found.sort((a, b) => time(b) - time(a) || b.path.localeCompare(a.path, 'en', { numeric: true }))
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** Backups of a ledger with a fault are not counted and not removed, nor are those of another store. */
async function removeOld(folder: string, keep: number, newest: Backup): Promise<void> {
  const whole = listBackups(folder, newest.manifest.source).filter(({ manifest, path }) => manifest.fault === null && path !== newest.path)
  for (const { path } of whole.slice(Math.max(0, keep - 1))) await rm(path, { recursive: true, force: true })
}

async function removeDrafts(folder: string, now: number): Promise<void> {
  for (const name of readdirSync(folder)) {
    if (!name.startsWith(DRAFT)) continue
    const path = join(folder, name)
    const { mtimeMs } = await stat(path)
    if (now - mtimeMs > DRAFT_LEFT_MS) await rm(path, { recursive: true, force: true })
  }
}

function nameIn(folder: string, created: string): string {
  const name = `takt-${created.slice(0, 19).replaceAll(/[-:]/g, '')}Z`
  let path = join(folder, name)
  for (let more = 2; existsSync(path); more++) path = join(folder, `${name}-${more}`)
  return path
}

async function write(path: string, text: string): Promise<void> {
  await writeFile(path, text)
  await flush(path)
}
