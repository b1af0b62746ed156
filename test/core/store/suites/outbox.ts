import assert from 'node:assert/strict'
import { ManualClock } from '../../../../core/base/clock.ts'
import { TaktError } from '../../../../core/base/error.ts'
import { seededRandom } from '../../../../core/base/random.ts'
import { enqueue, type OutboxOptions, OutboxWorker } from '../../../../core/store/outbox.ts'
import { giveUp, lease, postpone } from '../../../../core/store/outbox-rows.ts'
import type { Store } from '../../../../core/store/store.ts'
import { until } from '../../connect/support/wait.ts'
import { created, lot, rejection, type StoreBench } from '../support/store.ts'
export function outbox(newBench: () => StoreBench): void {
  describe('outbox', () => {
    let bench: StoreBench
    let store: Store
    const workers: OutboxWorker[] = []
    beforeEach(() => {
      bench = newBench()
      store = bench.open().store
    })
    afterEach(async () => {
      for (const worker of workers.splice(0)) await worker.stop()
      await bench.close()
    })

    const put = (topic: string, body: string, destination = 'uns') => store.transaction((tx) => enqueue(tx, { destination, topic, body }))
    const waiting = () => store.db.selectFrom('outbox').selectAll().orderBy('id').execute()

    function worker(deliver: (topic: string, body: string) => Promise<void> | void, options: OutboxOptions = {}, destination = 'uns'): OutboxWorker {
      const made = new OutboxWorker(store, destination, async ({ topic, body }) => deliver(topic, body), {
        pauseMs: 5,
        longestPauseMs: 20,
        pollMs: 20,
        ...options,
      })
      workers.push(made)
      return made
    }
    const away = () => new TaktError('TAKT_BROKER_AWAY', { where: 'test' })

    it('delivers what was committed, in order for each topic, and forgets it on receipt', async () => {
      const got = new Map<string, number[]>()
      const random = seededRandom(2)
      for (let n = 0; n < 120; n++) await put(`t${n % 3}`, String(n))
      const draining = worker(async (topic, body) => {
        await new Promise((later) => setTimeout(later, random() * 3))
        got.set(topic, [...(got.get(topic) ?? []), Number(body)])
      })
      draining.start()
      await until(async () => (await waiting()).length === 0, 'all delivered')
      for (let topic = 0; topic < 3; topic++) {
        assert.deepEqual(
          got.get(`t${topic}`),
          Array.from({ length: 40 }, (_, n) => 3 * n + topic),
        )
      }
      await until(() => draining.figures.delivered === 120 && draining.figures.waiting === 0, 'figures')
    })

    it('sends nothing of a transaction that was undone, and nothing for others', async () => {
      await rejection(
        store.transaction(async (tx) => {
          await enqueue(tx, { destination: 'uns', topic: 't', body: 'undone' })
          await tx.save(lot('lot-1', { disposition: 'x\0' as 'held' }), created)
        }),
      )
      await put('t', 'for another', 'erp')
      await put('t', 'mine')
      const got: string[] = []
      worker((_topic, body) => void got.push(body)).start()
      await until(async () => (await waiting()).length === 1, 'delivered, and its receipt kept')
      assert.deepEqual(got, ['mine'])
      assert.deepEqual(
        (await waiting()).map(({ body }) => body),
        ['for another'],
      )
    })

    it('keeps everything while the receiver is away, costs it no attempt, and goes on where it was', async () => {
      let isAway = true
      const got: string[] = []
      const problems: Array<TaktError | undefined> = []
      for (const body of ['1', '2', '3']) await put('t', body)
      const draining = worker(
        (_topic, body) => {
          if (isAway) throw away()
          got.push(body)
        },
        { attempts: 2, problem: (problem) => problems.push(problem) },
      )
      draining.start()
      await until(() => problems.length >= 5, 'tried again and again')
      assert.deepEqual(
        (await waiting()).map(({ attempts }) => attempts),
        [0, 0, 0],
      )
      assert.equal(draining.figures.waiting, 3)
      isAway = false
      draining.wake()
      await until(() => got.length === 3, 'delivered')
      assert.deepEqual(got, ['1', '2', '3'])
      await until(() => problems.at(-1) === undefined, 'all is well again')
    })

    it('puts a message aside that is refused again and again, and lets those behind it go', async () => {
      const got: string[] = []
      let refusals = 0
      for (const body of ['bad', 'good']) await put('t', body)
      await put('other', 'unconcerned')
      const draining = worker(
        (_topic, body) => {
          if (body === 'bad') {
            refusals++
            throw new Error('not in my schema')
          }
          got.push(body)
        },
        { attempts: 4 },
      )
      draining.start()
      await until(() => got.length === 2, 'both others delivered')
      assert.deepEqual(got, ['unconcerned', 'good'])
      assert.equal(refusals, 4)
      await until(() => draining.figures.givenUp === 1, 'figures')
      const [kept] = await store.db.selectFrom('quarantine').selectAll().execute()
      assert.equal(kept?.code, 'TAKT_OUTBOX_GIVEN_UP')
      assert.match(kept?.what ?? '', /refused 4 times.*not in my schema/)
      const event = (await store.events(0, 10)).find(({ type }) => type === 'outbox.given-up')
      assert.deepEqual(event?.after, { destination: 'uns', topic: 't', body: 'bad', attempts: 4 })
    })

    it('leaves a message alone that another worker took when its own lease was over', async () => {
      await put('t', 'body')
      const take = (owner: string, now: number) => store.transaction((tx) => lease(tx, 'uns', owner, { now, until: now + 100, limit: 1, longestPauseMs: 1000 }))
      const [row] = (await take('stood still', 1000)).rows
      assert.equal((await take('other', 1050)).rows.length, 0)
      assert.equal((await take('other', 2000)).rows.length, 1)
      await store.transaction((tx) => postpone(tx, 'stood still', row!, 9e12))
      assert.equal(await store.transaction((tx) => giveUp(tx, 'stood still', row!, away(), 1)), false)
      assert.deepEqual(
        (await waiting()).map(({ leased_by, attempts, due }) => ({ leased_by, attempts, due })),
        [{ leased_by: 'other', attempts: 0, due: 0 }],
      )
      assert.equal(await store.transaction((tx) => giveUp(tx, 'other', row!, away(), 1)), true)
      assert.deepEqual(await waiting(), [])
    })

    it('does not wait for a time that a clock said which has been set back since', async () => {
      await put('t', 'leased')
      await put('u', 'postponed')
      const take = (owner: string, now: number) => store.transaction((tx) => lease(tx, 'uns', owner, { now, until: now + 100, limit: 9, longestPauseMs: 1000 }))
      const [hour, now] = [3_600_000, 5_000_000]
      const { rows } = await take('ahead', now + hour)
      await store.transaction((tx) => postpone(tx, 'ahead', rows[1]!, now + hour + 500))
      assert.deepEqual(
        (await take('other', now)).rows.map(({ body }) => body),
        ['leased', 'postponed'],
      )
      // a clock that is only a little ahead is believed
      await store.transaction((tx) => postpone(tx, 'other', rows[1]!, now + 900))
      assert.equal((await take('third', now - 50)).rows.length, 0)
    })

    it('goes on after a restart', async () => {
      for (let n = 0; n < 10; n++) await put('t', String(n))
      const got: string[] = []
      const first = worker(
        (_topic, body) => {
          if (got.length === 4) throw away()
          got.push(body)
        },
        { pauseMs: 60_000 },
      )
      first.start()
      await until(() => got.length === 4, 'four delivered')
      await first.stop()
      await store.close()
      store = bench.open().store
      worker((_topic, body) => void got.push(body)).start()
      await until(() => got.length === 10, 'all delivered')
      assert.deepEqual(
        got,
        Array.from({ length: 10 }, (_, n) => String(n)),
      )
    })

    it('is shared by several workers without delivering twice, and takes over from one that died when its lease is over', async () => {
      const clock = new ManualClock(1_000_000)
      for (let n = 0; n < 30; n++) await put(`t${n % 5}`, String(n))
      // one that took its share and never comes back
      const dead = new OutboxWorker(store, 'uns', () => new Promise(() => {}), { clock, leaseMs: 1000, inFlight: 4 })
      dead.start()
      await until(async () => (await waiting()).some(({ leased_by }) => leased_by !== null), 'leased')
      const got: string[] = []
      for (let n = 0; n < 3; n++) worker((_topic, body) => void got.push(body), { clock, inFlight: 3 }).start()
      await until(() => got.length >= 6, 'what nobody has is delivered')
      await new Promise((later) => setTimeout(later, 100))
      assert.equal(got.length, 6, 'topics that another worker is at have to wait')
      clock.advance(2000)
      await until(() => got.length === 30, 'taken over')
      await new Promise((later) => setTimeout(later, 100))
      assert.equal(new Set(got).size, 30)
      assert.equal(got.length, 30)
      for (let topic = 0; topic < 5; topic++) {
        const numbers = got.map(Number).filter((n) => n % 5 === topic)
        assert.deepEqual(
          numbers,
          numbers.toSorted((a, b) => a - b),
        )
      }
    })
  })
}
