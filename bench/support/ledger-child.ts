import { systemClock } from '../../core/base/clock.ts'
import { openStore } from '../../core/store/open-store.ts'
import { loadOf } from './ledger-load.ts'

/** One instance of several on a PostgreSQL: says that it is ready, writes when it is told to, and says how fast it was. */
const [url = '', events = '0'] = process.argv.slice(2)
const store = openStore({ postgres: { url }, clock: systemClock })
await store.head()
process.send?.('ready')
process.once('message', async () => {
  const load = await loadOf(store, Number(events))
  await store.close()
  process.send?.(load)
  process.disconnect()
})
