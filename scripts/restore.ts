import { parseArgs } from 'node:util'
import { systemClock } from '../core/base/clock.ts'
import { TaktError } from '../core/base/error.ts'
import { readPublicKey } from '../core/store/anchor-key.ts'
import { checkBackup } from '../core/store/check-backup.ts'
import { restoreBackup } from '../core/store/restore.ts'
import { databaseArgument } from './database-argument.ts'

/** `npm run restore -- <backup> <file or postgres://…>`: puts a backup in place. Exit code 0 when it is there and whole, 1 when it is not, 2 for wrong arguments. */
const USAGE = `Usage: npm run restore -- <backup> <database file> [--replace] [--key <file with the public key>] [--faulty]
       npm run restore -- <backup> <postgres://user@host:5432/database> [--anchor <file>] [--ca <file>] [--key …] [--faulty]   (the password comes from PGPASSWORD)
       npm run restore -- <backup> --check [--key …]   reads all of it and changes nothing
Stop Node-RED first. A store that is in the file already is put aside with --replace; a database on a server has to be empty.`

try {
  const { values, positionals } = parseArgs({
    options: {
      replace: { type: 'boolean', default: false },
      faulty: { type: 'boolean', default: false },
      check: { type: 'boolean', default: false },
      key: { type: 'string' },
      anchor: { type: 'string' },
      ca: { type: 'string' },
    },
    allowPositionals: true,
  })
  const [from, database] = positionals
  const { check, faulty, replace } = values
  if (from === undefined || (database === undefined) !== check || positionals.length > 2) throw new TypeError('a backup and a database are needed, or --check')
  const publicKey = values.key === undefined ? undefined : readPublicKey(values.key)
  if (database === undefined) {
    const { manifest } = await checkBackup(from, { publicKey, faulty })
    console.log(`The backup is what its manifest says: ${manifest.source} of ${manifest.created}, ledger head ${manifest.head.sequence} ${manifest.head.hash}`)
  } else {
    const to = databaseArgument(database, values, true)
    const { manifest, verification, lost, aside } = await restoreBackup({ from, to, replace, faulty, publicKey, clock: systemClock })
    console.log(
      `Restored ${manifest.source} as it was ${manifest.created}: ${verification.rows} rows of the ledger, head ${manifest.head.sequence} ${manifest.head.hash}`,
    )
    if (aside !== null) console.log(`What was there before is ${aside}; the anchor that was beside it is with it.`)
    const isLost = lost !== null && verification.fault?.sequence === lost.from
    if (isLost) {
      console.log(
        `Rows ${lost.from} to ${lost.to} were written after this backup and are lost: the anchor knows of them. At its next start Node-RED records that (ledger.tail-lost) and goes on after row ${lost.to}.`,
      )
    } else if (verification.fault !== null) {
      console.error(`The ledger is NOT whole. First fault, at row ${verification.fault.sequence}: ${verification.fault.what}`)
      process.exitCode = 1
    }
  }
} catch (error) {
  console.error(error instanceof TaktError ? error.message : `${error instanceof Error ? error.message : String(error)}\n${USAGE}`)
  process.exitCode = error instanceof TaktError ? 1 : 2
}
