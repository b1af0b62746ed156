import { parseArgs } from 'node:util'
import { systemClock } from '../core/base/clock.ts'
import { TaktError } from '../core/base/error.ts'
import { readPublicKey, readSigningKey } from '../core/store/anchor-key.ts'
import { archiveLedger } from '../core/store/archive.ts'
import { checkArchive } from '../core/store/check-archive.ts'
import { openStore } from '../core/store/open-store.ts'
import { databaseArgument } from './database-argument.ts'

/** `npm run archive -- <file or postgres://…> --before 2026-01-01 --to <folder>`: moves old rows of the ledger into files. Exit code 0 when it is done, 1 when it is not, 2 for wrong arguments. */
const USAGE = `Usage: npm run archive -- <database file> --before <day> --to <folder> [--key <file with the private key>]
       npm run archive -- <postgres://user@host:5432/database> --before <day> --to <folder> --anchor <file> [--ca <file>] [--key …]   (the password comes from PGPASSWORD)
       npm run archive -- --check <folder> [--key <file with the public key>]   reads the files and their notes, without a database
A day is 2026-01-01 (UTC), or a time like 2026-01-01T00:00:00+01:00, 31 days back or more. Stop Node-RED first where the store is a file; make a backup before.`

try {
  const { values, positionals } = parseArgs({
    options: {
      before: { type: 'string' },
      to: { type: 'string' },
      key: { type: 'string' },
      anchor: { type: 'string' },
      ca: { type: 'string' },
      check: { type: 'string' },
    },
    allowPositionals: true,
  })
  if (values.check === undefined) await archive(positionals, values)
  else await check(values.check, values.key)
} catch (error) {
  console.error(error instanceof TaktError ? error.message : `${error instanceof Error ? error.message : String(error)}\n${USAGE}`)
  process.exitCode = error instanceof TaktError ? 1 : 2
}

async function check(folder: string, key: string | undefined): Promise<void> {
  const { segments, unnoted } = await checkArchive(folder, key === undefined ? undefined : readPublicKey(key))
  for (const { first, last, file } of segments) console.log(`${file}: rows ${first} to ${last} are what was written`)
  for (const file of unnoted)
    console.log(`${file}: not checked, it has no note; if the ledger names it, npm run verify -- <database> --archive <folder> checks it`)
}

interface ArchiveArguments {
  readonly before?: string | undefined
  readonly to?: string | undefined
  readonly key?: string | undefined
  readonly anchor?: string | undefined
  readonly ca?: string | undefined
}

async function archive(positionals: readonly string[], values: ArchiveArguments): Promise<void> {
  const [database] = positionals
  const { before, to } = values
  if (database === undefined || before === undefined || to === undefined || positionals.length > 1)
    throw new TypeError('a database, --before and --to are needed')
  const boundary = /^\d{4}-\d{2}-\d{2}(T[\d:.]+(Z|[+-]\d{2}:\d{2}))?$/.test(before) ? Date.parse(before) : Number.NaN
  if (Number.isNaN(boundary)) throw new TypeError(`'${before}' is no day like 2026-01-01, or a time with its offset`)
  const key = values.key === undefined ? undefined : readSigningKey(values.key)
  const source = databaseArgument(database, values)
  const store = openStore({ ...source, clock: systemClock, key })
  try {
    const { segments, rows, kept } = await archiveLedger(store, {
      before: boundary,
      now: systemClock.now(),
      folder: to,
      actor: 'command-line',
      key,
      progress: ({ first, last, file, kept: stayed }) => console.log(`${file}: rows ${first} to ${last}, of which ${stayed.rows} stay in the table too`),
    })
    if (segments.length === 0) console.log('Nothing to archive: all rows from before that day are in files already, or there are none.')
    else
      console.log(
        `Archived ${rows} rows in ${segments.length} files; ${kept} of them stay in the table, because documents, signatures or what is open need them.`,
      )
  } finally {
    await store.close()
  }
}
