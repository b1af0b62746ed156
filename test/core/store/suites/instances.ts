import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Dispatcher } from '../../../../core/orders/dispatch/dispatcher.ts'
import { COMMAND_NAMES } from '../../../../core/orders/dispatch/job-command.ts'
import { requestMaintenance } from '../../../../core/orders/maintenance.ts'
import { EventFollower } from '../../../../core/store/follow-events.ts'
import { type Inbox, inboxOf } from '../../../../core/store/inbox.ts'
import { Leadership } from '../../../../core/store/leadership.ts'
import { enqueue, OutboxWorker } from '../../../../core/store/outbox.ts'
import type { Store } from '../../../../core/store/store.ts'
import { until } from '../../connect/support/wait.ts'
import { plant } from '../../orders/fixture.ts'
import { numbered, SOURCE } from '../support/arrivals.ts'
import type { PostgresDatabases } from '../support/postgres.ts'
import { created, held, lot, rejection, START, StoreBench } from '../support/store.ts'

/** Several instances on one database. */
export function instances(databases: () => PostgresDatabases): void {
  describe('several instances', () => {
    let bench: StoreBench
    const children: ChildProcess[] = []
    beforeEach(() => {
      bench = new StoreBench(databases())
    })
    afterEach(async () => {
      for (const child of children.splice(0)) child.kill('SIGKILL')
      await bench.close()
    })

    /** A process of its own that does one thing with the database, and tells lines. */
    async function start(...task: string[]): Promise<{ child: ChildProcess; lines: string[] }> {
      const { url } = await databases().options(bench.file())
      const child = spawn(process.execPath, [join(import.meta.dirname, '..', 'support', 'instance.ts'), url, ...task], { stdio: ['ignore', 'pipe', 'inherit'] })
      children.push(child)
      const lines: string[] = []
      createInterface({ input: child.stdout }).on('line', (line) => lines.push(line))
      return { child, lines }
    }

    /** Two that are open: what one has begun the other finds there. */
    async function pair(): Promise<[Store, Store]> {
      const stores: [Store, Store] = [bench.open().store, bench.open().store]
      for (const store of stores) await store.head()
      return stores
    }

    it('append to one ledger in one order, and none loses or doubles anything', async () => {
      const stores = await pair()
      const told: number[] = []
      await Promise.all(
        stores.map(async (store, instance) => {
          for (let round = 0; round < 5; round++) {
            const saved = await Promise.all(Array.from({ length: 20 }, (_, n) => store.transaction((tx) => tx.save(lot(`${instance}-${round}-${n}`), created))))
            told.push(...saved.map(({ ledger }) => ledger as number))
          }
        }),
      )
      assert.deepEqual(
        told.toSorted((a, b) => a - b),
        Array.from({ length: 200 }, (_, n) => n + 1),
      )
      for (const store of stores) assert.deepEqual([(await store.verify()).fault, (await store.list('lot')).length], [null, 200])
    })

    it('let one of two changes through that are based on the same revision', async () => {
      const stores = await pair()
      const base = await stores[0]!.transaction((tx) => tx.save(lot('lot-1'), created))
      const outcomes = await Promise.allSettled(stores.map((store) => store.transaction((tx) => tx.save({ ...base, disposition: 'held' }, held))))
      assert.deepEqual(outcomes.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'])
      const refused = outcomes.find((outcome) => outcome.status === 'rejected')
      assert.equal(refused?.reason.code, 'TAKT_STORE_CONFLICT')
    })

    it('take a message into the inbox once, and make a keyed effect happen once', async () => {
      const stores = await pair()
      const verdicts = await Promise.all(stores.flatMap((store) => Array.from({ length: 50 }, (_, n) => inboxOf(store).accept(numbered(n)))))
      assert.equal(verdicts.filter(({ verdict }) => verdict === 'new').length, 50)
      assert.equal(verdicts.filter(({ verdict }) => verdict === 'known').length, 50)
      const effects = await Promise.all(stores.flatMap((store) => Array.from({ length: 30 }, (_, n) => store.transaction((tx) => tx.once(`effect ${n}`)))))
      assert.equal(effects.filter(Boolean).length, 30)
    })

    it('settle what went into their own flow, and send again what another left behind', async () => {
      const [one, two] = await pair()
      const [mine, theirs] = [inboxOf(one, { settleMs: 30 }), inboxOf(two, { settleMs: 30 })]
      for (const inbox of [mine, theirs]) await inbox.unsettled(SOURCE, 0, 10)
      await mine.accept(numbered(1))
      theirs.hold((await theirs.accept(numbered(2))).id)
      assert.equal((await mine.accept(numbered(2))).verdict, 'known')
      const settled = async (inbox: Inbox): Promise<string> => {
        await inbox.settle()
        return (await one.db.selectFrom('inbox_pending').select('id').orderBy('id').execute()).map(({ id }) => id).join()
      }
      await until(async () => (await settled(mine)) === '2', 'its own is settled')
      await new Promise((later) => setTimeout(later, 100))
      assert.equal(await settled(mine), '2')
      // the other one dies; who starts with the same sensor takes over what it left
      await two.close()
      const three = bench.open().store
      const again = inboxOf(three, { settleMs: 30 })
      assert.deepEqual(
        (await again.unsettled(SOURCE, 0, 10)).map(({ id }) => id),
        [2],
      )
      await until(async () => (await settled(again)) === '', 'settled there')
    })

    it('drain one outbox, each message once and each topic in order', async () => {
      const stores = await pair()
      for (let n = 0; n < 40; n++) await stores[n % 2]!.transaction((tx) => enqueue(tx, { destination: 'erp', topic: `t${n % 4}`, body: String(n) }))
      const got: number[] = []
      const workers = stores.map((store) => new OutboxWorker(store, 'erp', async ({ body }) => void got.push(Number(body)), { inFlight: 5, pollMs: 20 }))
      for (const worker of workers) worker.start()
      await until(() => got.length >= 40, 'all delivered')
      await Promise.all(workers.map((worker) => worker.stop()))
      assert.deepEqual(
        got.toSorted((a, b) => a - b),
        Array.from({ length: 40 }, (_, n) => n),
      )
      for (let topic = 0; topic < 4; topic++) {
        const numbers = got.filter((n) => n % 4 === topic)
        assert.deepEqual(
          numbers,
          numbers.toSorted((a, b) => a - b),
        )
      }
    })

    it('hear of each other, each event once and in the order of the ledger, soon after its commit', async () => {
      const stores = await pair()
      const heard = stores.map(() => [] as number[])
      const followers = stores.map((store, at) => new EventFollower(store, 0, { deliver: ({ sequence }) => heard[at]!.push(sequence), problem: () => {} }))
      await Promise.all(followers.map((follower) => follower.start()))
      await Promise.all(
        stores.map(async (store, instance) => {
          for (let n = 0; n < 40; n++) await store.transaction((tx) => tx.record({ type: 'test.event', subject: `${instance}-${n}`, actor: 'test' }))
        }),
      )
      const all = Array.from({ length: 80 }, (_, n) => n + 1)
      await until(() => heard.every((numbers) => numbers.length >= 80), 'both have heard of everything')
      assert.deepEqual(heard, [all, all])

      const began = performance.now()
      await stores[0]!.transaction((tx) => tx.record({ type: 'test.event', subject: 'one more', actor: 'test' }))
      await until(() => heard[1]!.length === 81, 'told by notification')
      assert.ok(performance.now() - began < 3000, 'not by the look every five seconds')
      for (const follower of followers) follower.stop()
    })

    it('each anchor the ledger for themselves: an instance that joins begins one, and knows a tail that was cut', async () => {
      const first = bench.open()
      for (const id of ['a', 'b', 'c']) await first.store.transaction((tx) => tx.save(lot(id), created))
      const joined = await databases().openBeside(bench.file(), 'second')
      try {
        await joined.store.head()
        assert.deepEqual(joined.warnings, [])
        const [event] = await joined.store.events(3, 1)
        assert.equal(event?.type, 'ledger.anchor-begun')
        assert.equal((await joined.store.verify()).fault, null)
      } finally {
        await joined.store.close()
      }
      await first.store.close()
      await bench.tamper(bench.file(), async (ask) => void (await ask('delete from ledger where sequence > 2')))
      const again = bench.open()
      await again.store.head()
      assert.match(again.warnings[0]?.message ?? '', /row 3 is missing/)
      const seenBySecond = await databases().verifyBeside(bench.file(), 'second')
      assert.equal(seenBySecond.ok, false)
    })

    it('have one leader; another takes over within five seconds when it is stopped, which then knows', async () => {
      const store = bench.open().store
      const { child, lines } = await start('lead')
      await until(() => lines.includes('leads'), 'the first one leads')
      const changes: boolean[] = []
      const second = new Leadership(store, 'scheduler', { onChange: (leads) => changes.push(leads) })
      try {
        await new Promise((later) => setTimeout(later, 3000))
        assert.equal(second.leads, false)
        child.kill('SIGSTOP')
        const stopped = performance.now()
        await until(() => second.leads, 'the second one leads')
        assert.ok(performance.now() - stopped < 5000, `${performance.now() - stopped} ms`)
        child.kill('SIGCONT')
        await until(() => lines.includes('leads no more'), 'the first one knows')
        assert.equal(second.leads, true)
        assert.deepEqual(changes, [true])
        await store.transaction((tx) => second.claim()(tx))
      } finally {
        await second.close()
      }
      // given away, not waited for
      await until(() => lines.filter((line) => line === 'leads').length === 2, 'the first one leads again', 4000)
      const tokens = (await store.events(0, 100)).filter(({ type }) => type === 'store.leader').map(({ after }) => (after as { token: number }).token)
      assert.deepEqual(tokens, [1, 2, 3])
    }).timeout(30_000)

    it('wait for the lead without waiting for the lock that writers have: so one that stands still inside a transaction is found silent meanwhile', async () => {
      const [one, other] = [bench.open().store, bench.open().store]
      const first = new Leadership(one, 'scheduler', { everyMs: 50 })
      await until(() => first.leads, 'the first one leads')
      let transactions = 0
      const transaction: Store['transaction'] = (work) => {
        transactions++
        return other.transaction(work)
      }
      const counting = { shared: true, db: other.db, transaction } as Store
      const second = new Leadership(counting, 'scheduler', { everyMs: 20 })
      try {
        await new Promise((later) => setTimeout(later, 300))
        assert.deepEqual([second.leads, transactions], [false, 0])
        await first.close()
        await until(() => second.leads, 'the second one leads')
        assert.ok(transactions > 0)
      } finally {
        await first.close()
        await second.close()
      }
    })

    it('know a stale leader inside its transaction, before anybody has told it', async () => {
      const [one, other] = [bench.open().store, bench.open().store]
      // it says once that it lives, and believes for long that it leads
      const stale = new Leadership(one, 'scheduler', { leaseMs: 60_000, everyMs: 60_000 })
      await until(() => stale.leads, 'it leads')
      await one.transaction((tx) => stale.claim()(tx))
      const next = new Leadership(other, 'scheduler', { leaseMs: 200, everyMs: 50 })
      try {
        await until(() => next.leads, 'the other one leads')
        assert.equal(stale.leads, true)
        assert.equal((await rejection(one.transaction((tx) => stale.claim()(tx)))).code, 'TAKT_STORE_LEADER')
        await other.transaction((tx) => next.claim()(tx))
        // work that began under the lead is refused also when it has learned meanwhile that it lost it
        const claim = next.claim()
        await other.transaction(claim)
        await next.close()
        assert.equal((await rejection(other.transaction(claim))).code, 'TAKT_STORE_LEADER')
        await other.transaction(next.claim())
      } finally {
        await next.close()
        await stale.close()
      }
    })

    it('dispatch once: one tells the unit, and the next leader says the same again, under the same number', async () => {
      const told: Array<readonly [number, string]> = []
      const made = await Promise.all(
        [0, 1].map(async (at) => {
          const { store, clock } = bench.open()
          await store.head()
          const leadership: Leadership = new Leadership(store, 'dispatch', { onChange: () => dispatcher.look() })
          const dispatcher: Dispatcher = new Dispatcher(
            {
              store,
              plant: () => plant,
              clock,
              real: clock,
              leads: () => leadership.leads,
              command: ({ id }) => void told.push([at, id]),
              problem: (problem) => assert.fail(problem),
              waiting: () => {},
            },
            { autonomy: 'auto', toleranceMs: 0, ackTimeoutMs: 600_000, commands: COMMAND_NAMES, actor: 'dispatch' },
          )
          return { store, leadership, dispatcher, at }
        }),
      )
      try {
        await until(() => made.some(({ leadership }) => leadership.leads), 'one leads')
        const leader = made.find(({ leadership }) => leadership.leads)!
        const other = made.find((one) => one !== leader)!
        const request = { equipment: 'p/mill-1', kind: 'unplanned', deadline: null, cause: 'broken', actor: 'test' } as const
        await leader.store.transaction((tx) => requestMaintenance(tx, plant, request))
        for (const { dispatcher } of made) dispatcher.machineState({ equipment: 'p/mill-1', state: 'Aborted', mode: 'Produce', jobOrder: null, since: START })
        await until(() => told.length > 0, 'the unit is told')
        await Promise.all(made.map(({ dispatcher }) => dispatcher.idle()))
        assert.deepEqual(
          told.map(([at]) => at),
          [leader.at],
        )
        await leader.leadership.close()
        await until(() => told.length > 1, 'it is told again by the next leader')
        assert.deepEqual(told[1], [other.at, told[0]![1]])
      } finally {
        for (const { dispatcher } of made) dispatcher.stop()
        for (const { leadership } of made) await leadership.close()
      }
    })

    it('are not held up by one that was stopped in the middle of a transaction', async () => {
      const { store } = bench.open()
      await store.head()
      const { child, lines } = await start('stand-still')
      await until(() => lines.includes('inside'), 'inside its transaction')
      const began = performance.now()
      await store.transaction((tx) => tx.save(lot('mine'), created))
      assert.ok(performance.now() - began < 5000, `${performance.now() - began} ms`)
      child.kill('SIGCONT')
      await until(() => lines.some((line) => line.startsWith('its transaction')), 'it was told')
      assert.equal(lines.at(-1), 'its transaction: TAKT_STORE_AWAY')
      assert.equal(await store.get('lot', 'theirs'), undefined)
      await until(() => lines.includes('again: 1'), 'it goes on')
      assert.equal((await store.verify()).fault, null)
    }).timeout(30_000)

    it('lose nothing and halve nothing when one of them is killed', async () => {
      const { store } = bench.open()
      await store.head()
      const { child, lines } = await start('write')
      await until(() => lines.length >= 30, 'it writes')
      const mine = Promise.all(Array.from({ length: 50 }, (_, n) => store.transaction((tx) => tx.save(lot(`mine-${n}`), created))))
      child.kill('SIGKILL')
      await once(child, 'close')
      await mine
      const ids = new Set((await store.list('lot')).map(({ id }) => id))
      for (const n of lines) assert.ok(ids.has(`a-${n}`) && ids.has(`b-${n}`), `transaction ${n} was told done and is not there`)
      for (const id of ids) if (id.startsWith('a-')) assert.ok(ids.has(`b-${id.slice(2)}`), `${id} is there by half`)
      assert.equal((await store.verify()).fault, null)
    })

    it('refuse to lead without the others knowing: a store of one process always leads', async () => {
      const alone = new StoreBench()
      const { store } = alone.open(':memory:')
      const leadership = new Leadership(store, 'scheduler')
      assert.equal(leadership.leads, true)
      await store.transaction((tx) => leadership.claim()(tx))
      await leadership.close()
      await alone.close()
      assert.equal((await rejection(store.head())).code, 'TAKT_STORE_CLOSED')
    })
  })
}
