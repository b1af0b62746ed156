import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { TaktError } from '../core/base/error.ts'
import { type Anchor, parseAnchor } from '../core/store/anchor.ts'
import { readPublicKey } from '../core/store/anchor-key.ts'
import { isPostgresUrl } from '../core/store/postgres-target.ts'
import { verifyFile } from '../core/store/verify-file.ts'
import { verifyPostgres } from '../core/store/verify-postgres.ts'
import { tlsOf } from './postgres-tls.ts'

/**
 * `npm run verify -- <file or postgres://…> [--key <public key>] [--head <file>]… [--archive <folder>]`: checks a store's ledger, also against heads that were noted elsewhere. Exit code 0 when it is whole,
 * 1 when it is not, 2 when it cannot be checked.
 */
const USAGE = `Usage: npm run verify -- <database file> [--key <file with the public key>] [--head <file with a head noted elsewhere>]… [--archive <folder>]
       npm run verify -- <postgres://user@host:5432/database> --anchor <file> [--ca <file>] [--key …] [--head …] [--archive …]   (the password comes from PGPASSWORD)`

try {
  const { values, positionals } = parseArgs({
    options: {
      key: { type: 'string' },
      head: { type: 'string', multiple: true },
      anchor: { type: 'string' },
      ca: { type: 'string' },
      archive: { type: 'string' },
    },
    allowPositionals: true,
  })
  const [file] = positionals
  if (file === undefined || positionals.length > 1) throw new TypeError('one database is needed')
  const publicKey = values.key === undefined ? undefined : readPublicKey(values.key)
  const witnesses = (values.head ?? []).map(readWitness)
  const options = { publicKey, witnesses, archive: values.archive }
  const isServer = isPostgresUrl(file)
  const {
    ok,
    rows,
    head,
    fault,
    archived = [],
  } = isServer ? await verifyPostgres({ url: file, anchor: values.anchor, tls: tlsOf(values.ca) }, options) : await verifyFile(file, options)
  if (ok && isServer && values.anchor === undefined) console.log('Without --anchor nobody knows whether rows are missing at the end.')
  for (const { first, last, file: segment, checked } of archived)
    console.log(`Rows ${first} to ${last} are in ${segment} (${checked ? 'checked' : 'not checked: say --archive <folder>'})`)
  const moved = archived.at(-1)?.last ?? 0
  for (const { sequence } of values.archive === undefined ? witnesses : [])
    if (sequence <= moved) console.log(`Row ${sequence}, noted elsewhere, is in the archive: it is compared with --archive <folder>`)
  if (ok) console.log(`The ledger is whole: ${rows} rows, head ${head.sequence} ${head.hash}`)
  else console.error(`The ledger is NOT whole. First fault, at row ${fault?.sequence}: ${fault?.what}`)
  process.exit(ok ? 0 : 1)
} catch (error) {
  // wrong arguments are told with how to call it
  console.error(error instanceof TaktError ? error.message : `${error instanceof Error ? error.message : String(error)}\n${USAGE}`)
  process.exit(2)
}

/** A retained message of the witness, or a copy of an anchor. */
function readWitness(path: string): Anchor {
  const anchor = parseAnchor(JSON.parse(readFileSync(path, 'utf8')))
  if (anchor === undefined) throw new TypeError(`${path} holds no head of a ledger: {"sequence": …, "hash": "…"}`)
  return anchor
}
