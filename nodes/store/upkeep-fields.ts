import { resolve } from 'node:path'
import type { Node, NodeAPI } from 'node-red'
import { TaktError } from '../../core/base/error.ts'
import type { ArchivePolicy, BackupPolicy } from '../../core/store/upkeep.ts'
import { nameOf } from '../shared/define-node.ts'
import { expandEnv } from '../shared/expand-env.ts'
import { numberSetting } from '../shared/settings.ts'

/** What the store's dialog says of backups and of old rows of the ledger. Folders are relative to the user directory. */
export interface UpkeepFields {
  /** 0: no backups */
  backupHours?: string | number
  /** empty: `takt/backups` */
  backupFolder?: string
  backupKeep?: string | number
  /** 0: the ledger keeps all rows */
  archiveMonths?: string | number
  /** empty: `takt/archive` */
  archiveFolder?: string
}

export interface UpkeepPolicies {
  readonly backup: BackupPolicy | undefined
  readonly archive: ArchivePolicy | undefined
}

const HOUR = 3_600_000
/** of any length */
const MONTH = 31 * 24 * HOUR

/** Reads the fields. Throws TAKT_CONFIG_INVALID. */
export function upkeepPolicies(RED: NodeAPI, node: Node, config: UpkeepFields, isInMemory: boolean): UpkeepPolicies {
  const where = nameOf(node)
  const number = numberSetting(where)
  const folderOf = (value: string | undefined, usual: string, what: string): string =>
    resolve(RED.settings.userDir ?? process.cwd(), expandEnv(RED, node, value?.trim() ?? '', what) || usual)
  const hours = number(config.backupHours, 'back up every', 0, 0, 8760)
  const keep = number(config.backupKeep, 'backups kept', 7, 1, 1000)
  const months = number(config.archiveMonths, 'ledger kept', 0, 0, 1200)
  if (isInMemory && (hours > 0 || months > 0)) throw new TaktError('TAKT_CONFIG_INVALID', { what: 'a store in memory has no backups and no archive', where })
  return {
    backup: hours === 0 ? undefined : { everyMs: hours * HOUR, folder: folderOf(config.backupFolder, 'takt/backups', 'the backup folder'), keep },
    archive: months === 0 ? undefined : { olderThanMs: months * MONTH, folder: folderOf(config.archiveFolder, 'takt/archive', 'the archive folder') },
  }
}
