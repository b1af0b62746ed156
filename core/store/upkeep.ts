import type { TaktError } from '../base/error.ts'
import type { SigningKey } from './anchor-key.ts'
import { archiveLedger } from './archive.ts'
import { type Backup, listBackups, makeBackup } from './backup.ts'
import { type BackupSource, sourceName } from './backup-copy.ts'
import { Chore } from './chore.ts'
import type { Store } from './store.ts'

export interface BackupPolicy {
  readonly everyMs: number
  readonly folder: string
  /** whole backups that stay */
  readonly keep: number
}

export interface ArchivePolicy {
  /** Rows of the ledger that are older go, ms of plant time; 31 days at least. */
  readonly olderThanMs: number
  readonly folder: string
}

export interface UpkeepOptions {
  readonly store: Store
  /** What the store is of. */
  readonly source: BackupSource
  readonly key?: SigningKey | undefined
  readonly backup?: BackupPolicy | undefined
  readonly archive?: ArchivePolicy | undefined
  /** Plant time, epoch ms. */
  readonly plantNow: () => number
  /** Real time, epoch ms. */
  readonly now: () => number
  /** Real ms after the start before the first backup. Default 60,000. */
  readonly firstMs?: number | undefined
  /** Something was done; a sentence for people. */
  readonly done: (what: string) => void
  readonly failed: (error: TaktError) => void
}

const ARCHIVE_EVERY_MS = 86_400_000
/** After the first backup, so that what is moved is in one. */
const ARCHIVE_FIRST_MS = 600_000

/** What a store does for itself while it is open: backups, and moving old rows of the ledger into files. */
export class Upkeep {
  readonly #options: UpkeepOptions
  readonly backup: Chore | undefined
  readonly archive: Chore | undefined

  constructor(options: UpkeepOptions) {
    this.#options = options
    const { backup, archive, failed, now, firstMs = 60_000 } = options
    if (backup !== undefined) {
      const last = (): number | undefined => newestOf(backup.folder, sourceName(options.source))
      this.backup = new Chore({ where: `backup folder ${backup.folder}`, everyMs: backup.everyMs, last, firstMs, run: () => this.#backUp(backup), failed, now })
    }
    if (archive !== undefined) {
      const chore = { where: `archive folder ${archive.folder}`, everyMs: ARCHIVE_EVERY_MS, firstMs: ARCHIVE_FIRST_MS, last: () => undefined }
      this.archive = new Chore({ ...chore, run: () => this.#archive(archive), failed, now })
    }
  }

  close(): void {
    this.backup?.close()
    this.archive?.close()
  }

  async #backUp({ folder, keep }: BackupPolicy): Promise<void> {
    const { source, key, now, store, done } = this.#options
    const { path, manifest } = await makeBackup({ source, folder, keep, key, now })
    const { head, bytes, sha256, fault } = manifest
    const why = `backed up to ${path}: ${(bytes / 2 ** 20).toFixed(1)} MiB, up to row ${head.sequence}`
    await store.transaction((tx) => tx.record({ type: 'store.backed-up', subject: 'store', actor: 'store', why, after: { path, head, bytes, sha256, fault } }))
    done(fault === null ? why : `${why}; its ledger is not whole (${fault.what}), so older backups were kept`)
  }

  async #archive({ olderThanMs, folder }: ArchivePolicy): Promise<void> {
    const { store, key, plantNow, done } = this.#options
    const now = plantNow()
    const { segments, rows, kept } = await archiveLedger(store, { before: now - olderThanMs, now, folder, actor: 'store', key })
    if (segments.length > 0) done(`moved ${rows - kept} rows of the ledger into ${segments.length} files in ${folder}`)
  }
}

function newestOf(folder: string, source: string): number | undefined {
  const newest: Backup | undefined = listBackups(folder, source)[0]
  return newest && Date.parse(newest.manifest.created)
}
