import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { BackupSource } from '../core/store/backup-copy.ts'
import { isPostgresUrl, postgresTarget } from '../core/store/postgres-target.ts'
import { tlsOf } from './postgres-tls.ts'

export interface DatabaseOptions {
  readonly anchor?: string | undefined
  readonly ca?: string | undefined
}

/** A database as a command line names it: a file, or a server's address. Throws TypeError for a file that is not there, unless it is to be made. */
export function databaseArgument(text: string, { anchor, ca }: DatabaseOptions, isNew = false): BackupSource {
  if (isPostgresUrl(text)) {
    const postgres = { url: text, tls: tlsOf(ca), anchor }
    postgresTarget(postgres, 'arguments')
    return { postgres }
  }
  // a misspelt name must not become a new store
  if (!isNew && !existsSync(text)) throw new TypeError(`there is no file ${text}`)
  return { file: resolve(text) }
}
