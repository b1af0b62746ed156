import { TaktError } from '../core/base/error.ts'
import { verifyFile } from '../core/store/verify-file.ts'

/** `npm run verify -- <file>`: checks a store's ledger. Exit code 0 when it is whole, 1 when it is not, 2 when it cannot be checked. */
const file = process.argv[2]
if (file === undefined) {
  console.error('Usage: npm run verify -- <database file>')
  process.exit(2)
}
try {
  const { ok, rows, head, fault } = await verifyFile(file)
  if (ok) console.log(`The ledger is whole: ${rows} rows, head ${head.sequence} ${head.hash}`)
  else console.error(`The ledger is NOT whole. First fault, at row ${fault?.sequence}: ${fault?.what}`)
  process.exit(ok ? 0 : 1)
} catch (error) {
  console.error(error instanceof TaktError ? error.message : error)
  process.exit(2)
}
