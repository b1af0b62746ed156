import { parseArgs } from 'node:util'
import { TaktError } from '../core/base/error.ts'
import { readSigningKey } from '../core/store/anchor-key.ts'
import { makeBackup } from '../core/store/backup.ts'
import { databaseArgument } from './database-argument.ts'

/** `npm run backup -- <file or postgres://…> <folder>`: backs a store up, also while Node-RED uses it. Exit code 0 when it is done and whole, 1 when it is not, 2 for wrong arguments. */
const USAGE = `Usage: npm run backup -- <database file> <folder> [--keep <number>] [--key <file with the private key>]
       npm run backup -- <postgres://user@host:5432/database> <folder> [--anchor <file>] [--ca <file>] [--keep …] [--key …]   (the password comes from PGPASSWORD)
Node-RED may run. Each backup is a folder of its own below <folder>; with --keep so many whole ones stay.`

try {
  const { values, positionals } = parseArgs({
    options: { keep: { type: 'string' }, key: { type: 'string' }, anchor: { type: 'string' }, ca: { type: 'string' } },
    allowPositionals: true,
  })
  const [database, folder] = positionals
  if (database === undefined || folder === undefined || positionals.length > 2) throw new TypeError('a database and a folder are needed')
  const keep = values.keep === undefined ? undefined : Number(values.keep)
  if (keep !== undefined && !(Number.isSafeInteger(keep) && keep >= 1)) throw new TypeError('--keep wants a whole number of backups, 1 or more')
  const source = databaseArgument(database, values)
  const { path, manifest } = await makeBackup({ source, folder, keep, key: values.key === undefined ? undefined : readSigningKey(values.key), now: Date.now })
  const rows = Object.values(manifest.tables).reduce((sum, count) => sum + count, 0)
  console.log(`Backed up: ${path}\n${rows} rows, ${manifest.bytes} bytes, ledger head ${manifest.head.sequence} ${manifest.head.hash}`)
  if (manifest.fault !== null) {
    console.error(
      `The ledger is NOT whole, and so is its copy. First fault, at row ${manifest.fault.sequence}: ${manifest.fault.what}. Older backups were kept.`,
    )
    process.exitCode = 1
  }
} catch (error) {
  console.error(error instanceof TaktError ? error.message : `${error instanceof Error ? error.message : String(error)}\n${USAGE}`)
  process.exitCode = error instanceof TaktError ? 1 : 2
}
