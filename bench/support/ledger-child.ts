import { systemClock } from '../../core/base/clock.ts'
import { openStore } from '../../core/store/open-store.ts'
import { flowOf, loadOf } from './ledger-load.ts'

/** What an instance says of itself when it is done. */
export interface InstanceLoad {
  /** events that it heard of, its own and others' */
  readonly heard: number
  /** part of the time in which its flow stood, because too many events waited for their commit */
  readonly stood: number
  /** seconds of CPU */
  readonly cpu: number
}

/** One instance of several on a PostgreSQL: says that it is ready, works when it is told to, and says when it is done. It listens, as the nodes of an instance do. */
const [url = '', events = '0', how = 'writes'] = process.argv.slice(2)
const store = openStore({ postgres: { url }, clock: systemClock })
let heard = 0
store.subscribe(() => heard++)
await store.head()
process.send?.('ready')
process.once('message', async () => {
  const before = process.cpuUsage()
  const { stood = 0 } = await (how === 'flow' ? flowOf(store, Number(events)) : loadOf(store, Number(events)))
  const { user, system } = process.cpuUsage(before)
  process.send?.({ heard, stood, cpu: (user + system) / 1e6 } satisfies InstanceLoad)
  process.once('message', async () => {
    await store.close()
    process.disconnect()
  })
})
