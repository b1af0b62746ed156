import assert from 'node:assert/strict'
import { systemClock } from '../../../core/base/clock.ts'
import { checkChannel } from '../../../core/erp/channel.ts'
import { ErpLink } from '../../../core/erp/erp-link.ts'
import { HttpPost } from '../../../core/erp/http-post.ts'
import type { Store } from '../../../core/store/store.ts'
import { needsPostgres, PostgresServer } from '../../support/postgres-server.ts'
import { count, plant, released, show } from '../orders/fixture.ts'
import { PostgresDatabases } from '../store/support/postgres.ts'
import { StoreBench } from '../store/support/store.ts'
import { ErpServer } from './support/erp-server.ts'

const ORDERS = 12

describe('the way to the ERP from two instances on one PostgreSQL', () => {
  let server: PostgresServer | undefined
  let bench: StoreBench
  const erp = new ErpServer()

  before(async function () {
    needsPostgres(this)
    server = await PostgresServer.start()
    bench = new StoreBench(await PostgresDatabases.on(server))
    await erp.listen()
  })
  after(async () => {
    if (server === undefined) return
    await erp.close()
    await bench?.close()
    await server.remove()
  })

  function linkOf(store: Store): { readonly link: ErpLink; readonly post: HttpPost } {
    const post = new HttpPost({ url: erp.url, method: 'POST', timeoutMs: 5000, authorization: undefined, tls: undefined, numberAt: '', where: 'test' })
    const link = new ErpLink({
      store,
      plant: () => plant,
      clock: systemClock,
      channel: checkChannel({ system: '*', orders: 'completed' }, 'test'),
      from: 'beginning',
      settleMs: 0,
      timeoutMs: 5000,
      because: { actor: 'node:erp' },
      where: 'test',
      pauseMs: 50,
      deliver: (message, body) => post.deliver(message, body),
      told: () => {},
      failed: (problem) => assert.fail(problem),
      problem: () => {},
    })
    return { link, post }
  }

  it('writes each message once, delivers it by one of them, and keeps one receipt', async () => {
    const file = bench.file('erp.db')
    const stores = [bench.open(file).store, bench.open(file).store] as const
    const links = stores.map(linkOf)
    await Promise.all(links.map(({ link }) => link.start()))
    await Promise.all(
      Array.from({ length: ORDERS }, async (_, n) => {
        const store = stores[(n % 2) as 0 | 1]
        const [id, job, since] = [`wo-${n}`, `jo-wo-${n}-10-saw`, 2_000_000 + 1000 * n]
        await released(store, { id })
        // each at a unit of its own, so that nobody goes on to another job order
        await show(store, `u-${n}`, 'Execute', job, { since })
        await count(store, `u-${n}`, job, 10, 0, since + 100)
        await show(store, `u-${n}`, 'Complete', job, { since: since + 500 })
      }),
    )
    const deadline = Date.now() + 20_000
    while ((await stores[0].list('erp-message', { where: { state: 'received' } })).length < ORDERS && Date.now() < deadline)
      await new Promise((later) => setTimeout(later, 50))
    for (const { link, post } of links) {
      await link.stop()
      post.close()
    }
    const messages = await stores[0].list('erp-message')
    assert.deepEqual(
      messages.map(({ of, version, state }) => `${of.id} ${version} ${state}`).sort(),
      Array.from({ length: ORDERS }, (_, n) => `jo-wo-${n}-10-saw 1 received`).sort(),
    )
    assert.deepEqual(new Set(erp.taken.map(({ id }) => id)).size, ORDERS)
    assert.equal(erp.taken.length, ORDERS, 'none was under way twice')
    const events = (await stores[1].events(0, 10_000)).filter(({ type }) => type === 'erp-message.received')
    assert.equal(events.length, ORDERS)
  }).timeout(60_000)
})
