import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { systemClock } from '../core/base/clock.ts'
import { TaktError } from '../core/base/error.ts'
import { moveStore } from '../core/store/move-store.ts'
import { anchorName, postgresTarget } from '../core/store/postgres-target.ts'
import { tlsOf } from './postgres-tls.ts'

/**
 * `npm run move-store -- <file> <postgres://…>`: copies a store from its SQLite file to an empty PostgreSQL database and proves that the copy is the same. Killed midway, the
 * same command goes on. Exit code 0 when it is done, 1 when it is not.
 */
const USAGE = `Usage: npm run move-store -- <database file> <postgres://user@host:5432/database> [--anchor <file>] [--ca <file>] [--faulty]
The password comes from PGPASSWORD. The anchor is put beside the database file unless another file is given. Stop Node-RED first.`

try {
  const { values, positionals } = parseArgs({
    options: { anchor: { type: 'string' }, ca: { type: 'string' }, faulty: { type: 'boolean', default: false } },
    allowPositionals: true,
  })
  const [from, url] = positionals
  if (from === undefined || url === undefined || positionals.length > 2) throw new TypeError('a database file and the address of a database are needed')
  const login = { url, tls: tlsOf(values.ca) }
  const target = postgresTarget(login, 'arguments')
  const anchor = values.anchor ?? join(dirname(resolve(from)), anchorName(target))
  const { tables, rows, head } = await moveStore({
    from,
    to: { ...login, anchor },
    clock: systemClock,
    faulty: values.faulty,
    progress: (table, done) => console.log(`${table}: the same, ${done} rows so far`),
  })
  console.log(`Moved: ${tables} tables, ${rows} rows, ledger head ${head.sequence} ${head.hash}. Its anchor is ${anchor}.`)
  console.log('Now choose the server in the store node, and keep the file aside: what is written into it from here on is in no other place.')
} catch (error) {
  console.error(error instanceof TaktError ? error.message : `${error instanceof Error ? error.message : String(error)}\n${USAGE}`)
  process.exitCode = 1
}
