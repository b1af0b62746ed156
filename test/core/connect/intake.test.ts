import assert from 'node:assert/strict'
import { sql } from 'kysely'
import type { Node } from 'node-red'
import type { TaktError } from '../../../core/base/error.ts'
import { Intake, type IntakeMessage, type IntakeSetting } from '../../../core/connect/intake.ts'
import type { Sample } from '../../../core/messages/sample.ts'
import { inboxOf } from '../../../core/store/inbox.ts'
import type { Store } from '../../../core/store/store.ts'
import { KeyedEffects } from '../../../nodes/shared/keyed-effects.ts'
import { numbered, plain, SOURCE } from '../store/support/arrivals.ts'
import { rejection, StoreBench } from '../store/support/store.ts'
import { until } from './support/wait.ts'

describe('intake of a guaranteed sensor', () => {
  let bench: StoreBench
  let store: Store
  const intakes: Intake[] = []
  beforeEach(() => {
    bench = new StoreBench()
    store = bench.open().store
  })
  afterEach(async () => {
    for (const intake of intakes.splice(0)) await intake.stop()
    await bench.close()
  })

  interface Opened {
    readonly intake: Intake
    readonly sent: IntakeMessage[]
    readonly refused: TaktError[]
    readonly problems: Array<TaktError | undefined>
  }

  function open(changes: Partial<IntakeSetting> = {}): Opened {
    const sent: IntakeMessage[] = []
    const refused: TaktError[] = []
    const problems: Array<TaktError | undefined> = []
    const intake = new Intake({
      inbox: inboxOf(store),
      source: SOURCE,
      send: (messages) => void sent.push(...messages),
      refused: (problem) => void refused.push(problem),
      problem: (problem) => void problems.push(problem),
      ...changes,
    })
    intakes.push(intake)
    return { intake, sent, refused, problems }
  }

  const values = (sent: readonly IntakeMessage[]): number[] => sent.map(({ payload }) => (payload as Sample).value as number)
  const arrival = (n: number, repeated = false) => plain(n, { repeated })

  async function fill(of: Store): Promise<void> {
    await of.transaction(async (tx) => {
      const { rows } = await sql<{ page_count: number }>`pragma page_count`.execute(tx.db)
      await sql.raw(`pragma max_page_count = ${rows[0]!.page_count + 1}`).execute(tx.db)
    })
  }
  const free = (of: Store): Promise<unknown> => of.transaction((tx) => sql`pragma max_page_count = 1000000`.execute(tx.db))

  it('sends in order what is durable, marked with its row, and then lets it be acknowledged', async () => {
    const { intake, sent } = open()
    const two = { topic: 'second', payload: plain(99).messages[0]!.payload }
    await Promise.all([
      ...Array.from({ length: 50 }, (_, n) => intake.take(arrival(n))),
      intake.take({ ...arrival(50), messages: [...arrival(50).messages, two] }).then(() => assert.equal(sent.length, 52, 'sent before it is acknowledged')),
    ])
    assert.deepEqual(values(sent), [...Array.from({ length: 51 }, (_, n) => n), 99])
    assert.deepEqual(
      sent.slice(-2).map(({ takt }) => takt),
      [
        { inbox: 51, index: 0 },
        { inbox: 51, index: 1 },
      ],
    )
  })

  it('without an inbox sends at once and marks nothing', async () => {
    const { intake, sent } = open({ inbox: undefined })
    const taken = intake.take(arrival(1))
    assert.deepEqual(sent, arrival(1).messages)
    await taken
  })

  it('sends what was left unsettled again, before anything new, as it was received then', async () => {
    const first = open()
    await Promise.all([1, 2, 3].map((n) => first.intake.take(arrival(n))))
    await first.intake.stop()
    await store.close()
    store = bench.open().store
    const { intake, sent } = open()
    // a message that arrives early waits for its turn
    const early = intake.take(arrival(4))
    await Promise.all([early, intake.replay()])
    assert.deepEqual(values(sent), [1, 2, 3, 4])
    assert.deepEqual(
      sent.map(({ takt }) => takt?.replayed),
      [true, true, true, undefined],
    )
    assert.deepEqual(sent[0]?.payload, first.sent[0]?.payload)
    assert.equal(intake.figures.replayed, 3)
  })

  it('acknowledges a repetition without sending it, and tells of a contradiction', async () => {
    const { intake, sent, refused } = open()
    await intake.take(arrival(1))
    await intake.take(arrival(1, true))
    await intake.take(numbered(2))
    await intake.take(numbered(2, { content: 'another' }))
    assert.deepEqual(values(sent), [1, 2])
    assert.equal(intake.figures.known, 2)
    assert.deepEqual(
      refused.map(({ code }) => code),
      ['TAKT_INBOX_CONTRADICTION'],
    )
  })

  it('acknowledges what the store can never take, and tells why', async () => {
    const { intake, sent, refused } = open()
    await Promise.all([intake.take(arrival(1)), intake.take(numbered(2, { key: { session: 'x\0', sequence: 1 } })), intake.take(arrival(3))])
    assert.deepEqual(values(sent), [1, 3])
    assert.equal(refused[0]?.code, 'TAKT_STORE_VALUE')
  })

  it('tries again while the disk is full, in order, and loses nothing when there is room', async () => {
    const { intake, sent, problems } = open({ patienceMs: 30_000 })
    await intake.take(arrival(0))
    await fill(store)
    const taken = Promise.all(Array.from({ length: 100 }, (_, n) => intake.take(arrival(n + 1))))
    await until(() => problems.length > 0, 'the store refuses')
    const later = intake.take(arrival(101))
    assert.equal(problems[0]?.code, 'TAKT_STORE_FULL')
    assert.ok(intake.figures.waiting >= 100)
    await free(store)
    await Promise.all([taken, later])
    assert.deepEqual(
      values(sent),
      Array.from({ length: 102 }, (_, n) => n),
    )
    assert.equal(problems.at(-1), undefined)
    assert.deepEqual([intake.figures.waiting, intake.figures.oldestMs], [0, 0])
  })

  it('gives back what the store goes on refusing, so that the connection can be dropped; a sender that repeats loses nothing', async () => {
    const { intake, sent } = open({ patienceMs: 200 })
    await intake.take(arrival(0))
    await fill(store)
    const outcomes = await Promise.allSettled(Array.from({ length: 100 }, (_, n) => intake.take(arrival(n + 1))))
    assert.ok(outcomes.every((outcome) => outcome.status === 'rejected' && (outcome.reason as TaktError).code === 'TAKT_STORE_FULL'))
    assert.deepEqual(values(sent), [0])
    await free(store)
    await Promise.all(Array.from({ length: 100 }, (_, n) => intake.take(arrival(n + 1, true))))
    assert.equal(sent.length, 101)
  })

  it('stops cleanly: what waits is given back, what is being committed comes with the next replay, nothing is sent any more', async () => {
    const { intake, sent } = open()
    await intake.replay()
    const taken = Array.from({ length: 500 }, (_, n) => intake.take(arrival(n)))
    const outcomes = Promise.allSettled(taken)
    await intake.stop()
    const sentByThen = sent.length
    const fulfilled = (await outcomes).filter(({ status }) => status === 'fulfilled').length
    assert.equal((await rejection(intake.take(arrival(1)))).code, 'TAKT_STORE_CLOSED')
    assert.equal(sent.length, sentByThen)
    const next = open()
    await next.intake.replay()
    assert.ok(next.sent.length >= fulfilled, 'whatever was acknowledged comes again')
  })

  it('replays thousands of rows without holding up the event loop', async () => {
    const first = open()
    await Promise.all(Array.from({ length: 20_000 }, (_, n) => first.intake.take(arrival(n))))
    await first.intake.stop()
    const { intake, sent } = open()
    let turns = 0
    const timer = setInterval(() => turns++, 1)
    await intake.replay()
    clearInterval(timer)
    assert.equal(sent.length, 20_000)
    assert.ok(turns >= 20, `others had ${turns} turns meanwhile`)
  })

  it('does not bury those that record: it waits while they are behind', async () => {
    const ROWS = 11_000
    const first = open()
    await Promise.all(Array.from({ length: ROWS }, (_, n) => first.intake.take(arrival(n))))
    await first.intake.stop()
    const errors: unknown[] = []
    const effects = new KeyedEffects({ id: 'recorder', type: 'takt-test', error: (error: unknown) => errors.push(error) } as unknown as Node, store)
    let recorded = 0
    const { intake } = open({
      send: (messages) => {
        for (const { topic, payload, takt } of messages) {
          effects
            .record(
              { topic, payload, takt },
              async () => {},
              () => void recorded++,
            )
            .catch((error: unknown) => errors.push(error))
        }
      },
    })
    await intake.replay()
    await until(() => recorded === ROWS || errors.length > 0, 'all recorded', 60_000)
    assert.deepEqual(errors, [])
  }).timeout(90_000)
})
