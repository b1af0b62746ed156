import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ManualClock } from '../../../core/base/clock.ts'
import { seededRandom } from '../../../core/base/random.ts'
import type { Count } from '../../../core/messages/count.ts'
import { StoreRecorder } from '../../../core/signal/store-recorder.ts'
import type { UnitFact } from '../../../core/signal/unit.ts'
import { VolatileRecorder } from '../../../core/signal/volatile-recorder.ts'
import { openStore } from '../../../core/store/open-store.ts'
import type { Store } from '../../../core/store/store.ts'
import { good, job, state } from './facts.ts'

const UNIT = 'acme/line-1/mill-1'
const clock = new ManualClock(1_000_000)

describe('store recorder', () => {
  let folder: string
  let store: Store
  const open = (): Store => openStore({ file: join(folder, 'takt.db'), clock })
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'takt-recorder-'))
    store = open()
  })
  afterEach(async () => {
    await store.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const recorder = (): StoreRecorder => new StoreRecorder(store, clock, 'node:m')
  const countsOf = async (jobOrder: string): Promise<{ good: number; scrap: number } | undefined> =>
    store.db.selectFrom('job_count').select(['good', 'scrap']).where('equipment', '=', UNIT).where('job_order', '=', jobOrder).executeTakeFirst()
  const history = async (): Promise<string[]> =>
    (await store.db.selectFrom('machine_state').selectAll().where('equipment', '=', UNIT).orderBy('id').execute()).map((row) =>
      `${row.state} ${row.since}-${row.until ?? ''} ${row.job_order ?? ''}`.trim(),
    )

  it('records state, counters, counts and events together', async () => {
    const machine = recorder()
    await machine.record(UNIT, [job(10, 'jo-1'), good(10, 100, 65_536), state(10, 'Starting')])
    const { states, counts } = await machine.record(UNIT, [state(20, 'Execute'), good(30, 103, 65_536)])
    assert.deepEqual(
      states.map(({ state: name, since, element, jobOrder }) => [name, since, element, jobOrder]),
      [['Execute', 20, 'APT', 'jo-1']],
    )
    assert.deepEqual(
      counts.map(({ good: parts, total, jobOrder, time }) => [parts, total, jobOrder, time]),
      [[3, { good: 3, scrap: 0 }, 'jo-1', 30]],
    )
    assert.deepEqual(await history(), ['Starting 10-20 jo-1', 'Execute 20- jo-1'])
    assert.deepEqual(await countsOf('jo-1'), { good: 3, scrap: 0 })
    const [counter] = await store.db.selectFrom('counter').selectAll().execute()
    assert.deepEqual([counter?.raw, counter?.total, counter?.time], [103, 3, 30])
    const events = await store.events(0, 100)
    assert.deepEqual(
      events.map(({ type, subject }) => `${type} ${subject}`),
      [`machine-state.changed ${UNIT}`, `machine-state.changed ${UNIT}`, `count.recorded ${UNIT}`],
    )
    assert.equal((events[1]!.after as { kind: string }).kind, 'machine-state')
    assert.equal((events[1]!.before as { state: string }).state, 'Starting')
    assert.equal(counts[0]?.ledger, events[2]?.sequence)
    assert.ok((await store.verify()).ok)
  })

  it('writes nothing for what it knows already', async () => {
    const machine = recorder()
    const facts = [job(10, 'jo-1'), good(10, 100), good(20, 101), state(10, 'Execute')]
    await machine.record(UNIT, facts)
    const head = await store.head()
    for (let again = 0; again < 5; again++) {
      assert.deepEqual(await machine.record(UNIT, facts), { states: [], counts: [] })
      assert.deepEqual(await machine.record(UNIT, [good(100 + again, 101), state(100 + again, 'Execute'), job(100 + again, 'jo-1')]), {
        states: [],
        counts: [],
      })
    }
    assert.deepEqual(await store.head(), head)
  })

  it('tells the present after a restart, and makes good what was missed', async () => {
    await recorder().record(UNIT, [job(10, 'jo-1'), good(10, 100), state(10, 'Execute'), good(20, 104)])
    await store.close()
    store = open()
    const machine = recorder()
    const unchanged = await machine.record('acme/line-1/mill-2', [state(5, 'Idle')])
    assert.equal(unchanged.counts.length, 0)
    const { states, counts } = await machine.record(UNIT, [state(30, 'Execute')])
    assert.deepEqual(
      states.map(({ state: name, since }) => [name, since]),
      [['Execute', 10]],
    )
    assert.deepEqual(
      counts.map(({ good: parts, total }) => [parts, total.good]),
      [[0, 4]],
    )
    const next = await machine.record(UNIT, [good(40, 109)])
    assert.deepEqual(
      next.counts.map(({ good: parts, total }) => [parts, total.good]),
      [[5, 9]],
    )
  })

  it('takes the first total ever as the baseline, in the middle of a job order too', async () => {
    const { counts } = await recorder().record(UNIT, [job(10, 'jo-1'), good(10, 412), state(10, 'Execute')])
    assert.deepEqual(counts, [])
    assert.equal(await countsOf('jo-1'), undefined)
  })

  it('books parts anew when a job order is learned late', async () => {
    const machine = recorder()
    await machine.record(UNIT, [job(0, 'a'), good(0, 0), good(20, 1), good(30, 2)])
    const { counts } = await machine.record(UNIT, [job(25, 'b')])
    assert.deepEqual(counts.map((count: Count) => [count.jobOrder, count.good, count.total.good]).toSorted(), [
      ['a', 0, 1],
      ['b', 0, 1],
    ])
    assert.deepEqual(
      [await countsOf('a'), await countsOf('b')],
      [
        { good: 1, scrap: 0 },
        { good: 1, scrap: 0 },
      ],
    )
  })

  it('counts once although two nodes watch the same unit', async () => {
    const [one, two] = [recorder(), recorder()]
    for (let part = 0; part <= 20; part++) {
      const facts = [job(0, 'a'), good(part * 10, part)]
      await Promise.all([one.record(UNIT, facts), two.record(UNIT, facts)])
    }
    assert.deepEqual(await countsOf('a'), { good: 20, scrap: 0 })
  })

  it('gives no state a negative or no length', async () => {
    const machine = recorder()
    await machine.record(UNIT, [state(10, 'Idle')])
    await machine.record(UNIT, [state(10, 'Starting')])
    await machine.record(UNIT, [state(10, 'Execute'), job(5, 'late')])
    await machine.record(UNIT, [state(30, 'Complete'), state(20, 'Completing')])
    assert.deepEqual(await history(), ['Execute 10-20 late', 'Completing 20-30 late', 'Complete 30- late'])
  })

  it('is exact through transactions that fail and processes that end anywhere', async () => {
    const random = seededRandom(7)
    // every third transaction is cut off: before its work, after it, or after the commit but before anyone hears of it
    const cut = (): Store =>
      new Proxy(store, {
        get(target, name) {
          if (name !== 'transaction') return Reflect.get(target, name, target)
          return async (work: never) => {
            const fate = Math.floor(random() * 9)
            if (fate === 0) throw new Error('cut before')
            const result = await target.transaction(async (tx) => {
              const done = await (work as (tx: unknown) => Promise<unknown>)(tx)
              if (fate === 1) throw new Error('cut inside')
              return done
            })
            if (fate === 2) throw new Error('cut after')
            return result
          }
        },
      })
    let machine = new StoreRecorder(cut(), clock, 'node:m')
    let pending: UnitFact[] = []
    const truth = new Map<string, number>()
    let raw = 65_500
    let name = 'jo-0'
    const facts: UnitFact[] = [job(0, name), good(0, raw, 65_536), state(0, 'Execute')]
    for (let time = 10; time < 2000; time += 10) {
      if (random() < 0.05) {
        name = `jo-${time}`
        facts.push(job(time, name))
      }
      raw = (raw + 1) % 65_536
      facts.push(good(time, raw, 65_536))
      truth.set(name, (truth.get(name) ?? 0) + 1)
    }
    for (const fact of facts) {
      pending.push(fact)
      try {
        await machine.record(UNIT, pending)
        pending = []
      } catch {
        // a new process has nothing but the store, and what the queue or the broker delivers again
        if (random() < 0.5) machine = new StoreRecorder(cut(), clock, 'node:m')
      }
    }
    await new StoreRecorder(store, clock, 'node:m').record(UNIT, pending)
    for (const [jobOrder, parts] of truth) assert.equal((await countsOf(jobOrder))?.good, parts, jobOrder)
    assert.ok((await store.verify()).ok)
    const recorded = (await store.events(0, 10_000)).filter(({ type }) => type === 'count.recorded')
    assert.equal(
      recorded.reduce((sum, { after }) => sum + (after as Count).good, 0),
      [...truth.values()].reduce((sum, parts) => sum + parts, 0),
    )
  })
})

describe('volatile recorder', () => {
  it('counts and tells states without a store, and goes on from its kept state', async () => {
    const first = new VolatileRecorder(clock)
    await first.record(UNIT, [job(10, 'jo-1'), good(10, 100), state(10, 'Execute')])
    const { counts } = await first.record(UNIT, [good(20, 103)])
    assert.deepEqual(counts[0]?.total, { good: 3, scrap: 0 })
    const second = new VolatileRecorder(clock, JSON.parse(JSON.stringify(first.state)))
    const greeting = await second.record(UNIT, [good(20, 103)])
    assert.deepEqual(
      [greeting.states.map(({ state: name }) => name), greeting.counts.map(({ good: parts, total }) => [parts, total.good])],
      [['Execute'], [[0, 3]]],
    )
    assert.deepEqual((await second.record(UNIT, [good(30, 104)])).counts[0]?.total, { good: 4, scrap: 0 })
  })
})
