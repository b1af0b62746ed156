import { flushCompileCache } from 'node:module'
import { ManualClock } from '../../../../core/base/clock.ts'
import { archiveLedger } from '../../../../core/store/archive.ts'
import { openStore } from '../../../../core/store/open-store.ts'

/** A process that moves the ledger of a file into an archive, few rows at a time, until it is killed. It tells of each file that is done. */
const [file, folder, before, now] = process.argv.slice(2) as [string, string, string, string]
// who is killed keeps nothing for the next
flushCompileCache()
const store = openStore({ file, clock: new ManualClock(Number(now)) })
await archiveLedger(store, {
  before: Number(before),
  now: Number(now),
  folder,
  actor: 'test',
  rowsAtOnce: 20,
  progress: ({ last }) => void process.stdout.write(`${last}\n`),
})
await new Promise((later) => setTimeout(later, 10_000))
