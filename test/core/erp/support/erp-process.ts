import { systemClock } from '../../../../core/base/clock.ts'
import { checkChannel } from '../../../../core/erp/channel.ts'
import { ErpLink } from '../../../../core/erp/erp-link.ts'
import { HttpPost } from '../../../../core/erp/http-post.ts'
import { openStore } from '../../../../core/store/open-store.ts'
import { count, plant, released, show } from '../../orders/fixture.ts'

/** Ends job orders in a store, one after the other, and reports them to an ERP: what the test kills. Ends by itself when all are reported. */
const [file = '', url = '', orders = '0'] = process.argv.slice(2)
// nobody is left to end it
process.stdin.on('end', () => process.exit(2)).resume()
const store = openStore({ file, clock: systemClock })
const target = { url, method: 'POST', timeoutMs: 5000, authorization: undefined, tls: undefined, numberAt: '', where: 'test' } as const
const post = new HttpPost(target)
const link = new ErpLink({
  store,
  plant: () => plant,
  clock: systemClock,
  channel: checkChannel({ system: '*' }, 'test'),
  from: 'beginning',
  settleMs: 0,
  pauseMs: 50,
  timeoutMs: 5000,
  because: { actor: 'node:erp' },
  where: 'test',
  deliver: (message, body) => post.deliver(message, body),
  told: () => {},
  failed: (problem) => {
    throw problem
  },
  problem: () => {},
})
await link.start()
for (let n = 1; n <= Number(orders); n++) {
  const job = `jo-wo-${n}-10-saw`
  if ((await store.get('job-response', `jr-${job}`)) !== undefined) continue
  await released(store, { id: `wo-${n}` })
  await show(store, 'p/saw', 'Execute', job, { since: 2_000_000 + n })
  await count(store, 'p/saw', job, 10, 0, 2_000_100 + n)
  await show(store, 'p/saw', 'Complete', job, { since: 2_060_000 + n })
}
for (;;) {
  const received = await store.list('erp-message', { where: { state: 'received' } })
  if (received.length === Number(orders)) break
  await new Promise((later) => setTimeout(later, 20))
}
await link.stop()
post.close()
await store.close()
process.exit(0)
