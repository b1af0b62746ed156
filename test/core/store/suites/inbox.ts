import assert from 'node:assert/strict'
import { ManualClock } from '../../../../core/base/clock.ts'
import type { TaktError } from '../../../../core/base/error.ts'
import { seededRandom } from '../../../../core/base/random.ts'
import { inboxOf } from '../../../../core/store/inbox.ts'
import type { Store } from '../../../../core/store/store.ts'
import { until } from '../../connect/support/wait.ts'
import { numbered, plain, SOURCE } from '../support/arrivals.ts'
import { rejection, type StoreBench } from '../support/store.ts'
export function inbox(newBench: () => StoreBench): void {
  describe('inbox', () => {
    let bench: StoreBench
    beforeEach(() => {
      bench = newBench()
    })
    afterEach(() => bench.close())

    const rows = (store: Store) => store.db.selectFrom('inbox').selectAll().orderBy('id').execute()
    const pending = async (store: Store) => (await store.db.selectFrom('inbox_pending').select('id').orderBy('id').execute()).map(({ id }) => id)

    it('knows a number that it has seen, in the same commit, later, and after a restart', async () => {
      const { store } = bench.open()
      const inbox = inboxOf(store)
      const [first, same, next] = await Promise.all([inbox.accept(numbered(1)), inbox.accept(numbered(1)), inbox.accept(numbered(2))])
      assert.deepEqual(
        [first, same, next],
        [
          { verdict: 'new', id: 1 },
          { verdict: 'known', id: 1 },
          { verdict: 'new', id: 2 },
        ],
      )
      assert.deepEqual(await inbox.accept(numbered(2)), { verdict: 'known', id: 2 })
      // the same numbers of another session, and of another source, are others
      assert.equal((await inbox.accept(numbered(1, { key: { session: 'b', sequence: 1 } }))).verdict, 'new')
      assert.equal((await inbox.accept(numbered(1, { source: 'line-2-mqtt/sensor-1' }))).verdict, 'new')
      await store.close()
      const reopened = inboxOf(bench.open().store)
      assert.deepEqual(await reopened.accept(numbered(1)), { verdict: 'known', id: 1 })
      assert.deepEqual(await reopened.accept(numbered(3)), { verdict: 'new', id: 5 })
    })

    it('without a number, takes the same content for the same message only where the transport says that it may be', async () => {
      const { store } = bench.open(':memory:')
      const inbox = inboxOf(store)
      assert.equal((await inbox.accept(plain(1))).verdict, 'new')
      assert.equal((await inbox.accept(plain(1))).verdict, 'new', 'two parts that look alike are two parts')
      assert.equal((await inbox.accept(plain(1, { repeated: true }))).verdict, 'known')
      assert.equal((await inbox.accept(plain(1, { repeated: true, source: 'another' }))).verdict, 'new')
      assert.equal((await inbox.accept(plain(2, { repeated: true }))).verdict, 'new', 'it never arrived the first time')
      assert.equal((await inbox.accept(plain(2, { repeated: true, content: new TextEncoder().encode('message 2') }))).verdict, 'known')
    })

    it('puts a message into quarantine whose number another message has, and keeps the first', async () => {
      const { store } = bench.open(':memory:')
      const inbox = inboxOf(store)
      await inbox.accept(numbered(1))
      assert.deepEqual(await inbox.accept(numbered(1, { content: 'another' })), { verdict: 'contradicts', id: 1 })
      const [kept] = await store.db.selectFrom('quarantine').selectAll().execute()
      assert.equal(kept?.code, 'TAKT_INBOX_CONTRADICTION')
      assert.match(kept?.where ?? '', /sensor-1, session a, number 1/)
      assert.deepEqual(await pending(store), [1])
    })

    it('says the same of any sequence of numbers, jumps and repetitions as a set would', async () => {
      const { store } = bench.open(':memory:')
      const inbox = inboxOf(store)
      const random = seededRandom(11)
      const seen = new Set<number>()
      for (let round = 0; round < 40; round++) {
        const start = Math.floor(random() * 4000)
        const sequences = Array.from({ length: 1 + Math.floor(random() * 60) }, () => start + Math.floor(random() * (round % 3 === 0 ? 100_000 : 40)))
        const verdicts = await Promise.all(sequences.map((sequence) => inbox.accept(numbered(sequence))))
        for (const [at, sequence] of sequences.entries()) {
          assert.equal(verdicts[at]?.verdict, seen.has(sequence) ? 'known' : 'new')
          seen.add(sequence)
        }
      }
      assert.equal((await rows(store)).length, seen.size)
    })

    it('makes many durable with few commits, and tells their order by their ids', async () => {
      let commits = 0
      const { store } = bench.open(bench.file(), {}, (backend) => {
        const begin = backend.begin.bind(backend)
        backend.begin = () => {
          const session = begin()
          const commit = session.commit.bind(session)
          session.commit = (anchor) => {
            commits++
            return commit(anchor)
          }
          return session
        }
      })
      try {
        await store.head()
        commits = 0
        const accepted = await Promise.all(Array.from({ length: 5000 }, (_, n) => inboxOf(store).accept(plain(n))))
        assert.ok(commits <= 10, `${commits} commits`)
        assert.deepEqual(
          accepted.map(({ id }) => id),
          Array.from({ length: 5000 }, (_, n) => n + 1),
        )
        const page = await inboxOf(store).unsettled(SOURCE, 4990, 100)
        assert.deepEqual([page.length, page.at(-1)], [10, { id: 5000, messages: plain(4999).messages }])
        assert.equal((await store.head()).sequence, 0, 'the ledger is for business events')
      } finally {
        await store.close()
      }
    })

    it('refuses what cannot be stored, alone', async () => {
      const { store } = bench.open(':memory:')
      const inbox = inboxOf(store)
      const outcomes = await Promise.allSettled([
        inbox.accept(plain(1)),
        inbox.accept(numbered(2, { key: { session: 'a\0b', sequence: 1 } })),
        inbox.accept(numbered(2, { key: { session: 'a', sequence: 2 ** 53 } })),
        // odd text in a payload is no matter: JSON can say it
        inbox.accept(plain(3, { messages: [{ topic: 't', payload: { ...numbered(3).messages[0]!.payload, signal: 'a\0\ud800' } as never }] })),
      ])
      assert.deepEqual(
        outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value.verdict : (outcome.reason as TaktError).code)),
        ['new', 'TAKT_STORE_VALUE', 'TAKT_STORE_VALUE', 'new'],
      )
      const [, odd] = await inbox.unsettled(SOURCE, 0, 10)
      assert.deepEqual(odd?.messages[0]?.payload, { ...numbered(3).messages[0]!.payload, signal: 'a\0\ud800' })
    })

    it('rejects when the store is closed', async () => {
      const { store } = bench.open(':memory:')
      const inbox = inboxOf(store)
      await store.close()
      assert.equal((await rejection(inbox.accept(plain(1)))).code, 'TAKT_STORE_CLOSED')
    })

    describe('settling', () => {
      const SETTLE_MS = 40
      /** Settles until these rows are left, and then no other goes. */
      async function leaves(store: Store, ...ids: readonly number[]): Promise<void> {
        const settle = async (): Promise<string> => {
          await inboxOf(store).settle()
          return (await pending(store)).join()
        }
        await until(async () => (await settle()) === ids.join(), `rows ${ids.join() || 'none'} are left`)
        await new Promise((later) => setTimeout(later, SETTLE_MS * 2))
        await settle()
        assert.equal(await settle(), ids.join())
      }

      it('lets go of rows after the settle time, but of none that is held', async () => {
        const { store } = bench.open(':memory:')
        const inbox = inboxOf(store, { settleMs: SETTLE_MS })
        await inbox.unsettled(SOURCE, 0, 10)
        const release = inbox.hold(2)
        const others = [inbox.hold(4), inbox.hold(4)]
        for (let n = 1; n <= 5; n++) await inbox.accept(plain(n))
        await leaves(store, 2, 4)
        release()
        release()
        others[0]?.()
        await leaves(store, 4)
        others[1]?.()
        await leaves(store)
        assert.equal((await inbox.accept(plain(3, { repeated: true }))).verdict, 'known', 'it is known long after it was settled')
      })

      it('keeps the rows of a source whose reader is gone until it is back and has read them', async () => {
        const { store } = bench.open(':memory:')
        const inbox = inboxOf(store, { settleMs: SETTLE_MS })
        await inbox.unsettled(SOURCE, 0, 10)
        await inbox.accept(plain(1))
        inbox.leave(SOURCE)
        await inbox.accept(plain(2, { source: 'another' }))
        await leaves(store, 1, 2)
        assert.equal((await inbox.unsettled(SOURCE, 0, 10)).length, 1)
        await leaves(store, 2)
      })

      it('settles thousands in pages', async () => {
        const { store } = bench.open(':memory:')
        const inbox = inboxOf(store, { settleMs: SETTLE_MS })
        await inbox.unsettled(SOURCE, 0, 10)
        const release = inbox.hold(3333)
        await Promise.all(Array.from({ length: 7000 }, (_, n) => inbox.accept(plain(n))))
        await leaves(store, 3333)
        release()
      })

      it('forgets the oldest rows beyond its bound together with their effects, but none that is not settled', async () => {
        const { store } = bench.open(':memory:')
        const inbox = inboxOf(store, { settleMs: SETTLE_MS, knownAtMost: 10 })
        await inbox.unsettled(SOURCE, 0, 10)
        const release = inbox.hold(5)
        await store.transaction(async (tx) => {
          for (const row of [3, 5, 25]) assert.ok(await tx.once(`inbox:${row}/0/gate`, row))
          await tx.once('of no row')
        })
        await Promise.all(Array.from({ length: 30 }, (_, n) => inbox.accept(plain(n))))
        await leaves(store, 5)
        assert.deepEqual(
          (await rows(store)).map(({ id }) => id),
          [5, ...Array.from({ length: 10 }, (_, n) => 21 + n)],
        )
        const keys = await store.db.selectFrom('effect').select('key').orderBy('key').execute()
        assert.deepEqual(
          keys.map(({ key }) => key),
          ['inbox:25/0/gate', 'inbox:5/0/gate', 'of no row'],
        )
        release()
        assert.equal((await inbox.accept(plain(31))).id, 31, 'numbers are never used again')
      })

      it('keeps up with a stream: what is known and what is pending stay bounded', async () => {
        const { store } = bench.open(':memory:')
        const inbox = inboxOf(store, { settleMs: SETTLE_MS, knownAtMost: 500 })
        await inbox.unsettled(SOURCE, 0, 10)
        await Promise.all(Array.from({ length: 12_000 }, (_, n) => inbox.accept(plain(n))))
        await leaves(store)
        assert.equal((await rows(store)).length, 500)
      })

      it('gives up rows for a reader that never came back, and tells the ledger', async () => {
        const clock = new ManualClock(1000)
        const { store } = bench.open(':memory:')
        const warnings: TaktError[] = []
        const inbox = inboxOf(store, { settleMs: 1e9, keepMs: 500, clock, warn: (problem) => warnings.push(problem) })
        await inbox.accept(plain(1, { source: 'removed' }))
        await inbox.accept(plain(2))
        await inbox.unsettled(SOURCE, 0, 10)
        clock.advance(1000)
        await inbox.settle()
        assert.deepEqual(await pending(store), [2])
        assert.equal(warnings[0]?.code, 'TAKT_INBOX_UNREPLAYED')
        const [event] = await store.events(0, 10)
        assert.deepEqual([event?.type, event?.subject, event?.after], ['inbox.given-up', 'removed', { source: 'removed', rows: 1, first: 1, last: 1 }])
      })
    })
  })
}
