import { resolve } from 'node:path'
import { TaktError } from '../core/base/error.ts'
import { makeSigningKey } from '../core/store/anchor-key.ts'

/** `npm run ledger-key -- <file>`: makes the key that signs the ledger's head and electronic signatures. */
const [file] = process.argv.slice(2)
if (file === undefined) {
  console.error('Usage: npm run ledger-key -- <file for the private key>')
  process.exit(2)
}
try {
  const { id } = makeSigningKey(resolve(file))
  console.log(
    `Made key ${id}:\n  ${resolve(file)}      private: only this user may read it; name it in the store node, keep a copy where the database is not\n  ${resolve(file)}.pub  public: give it to whoever checks the ledger`,
  )
} catch (error) {
  console.error(error instanceof TaktError ? error.message : error)
  process.exit(1)
}
