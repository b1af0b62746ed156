import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ManualClock } from '../../../core/base/clock.ts'
import type { Receipt } from '../../../core/messages/command.ts'
import { createWorkOrder } from '../../../core/orders/create-work-order.ts'
import { Dispatcher } from '../../../core/orders/dispatch/dispatcher.ts'
import { COMMAND_NAMES } from '../../../core/orders/dispatch/job-command.ts'
import { DisruptionDesk } from '../../../core/orders/disruption/disruption-desk.ts'
import { DISRUPTION_DEFAULTS } from '../../../core/orders/disruption/settings.ts'
import { followCount, followMachine, reconcile } from '../../../core/orders/follow-machine.ts'
import { releaseWorkOrder } from '../../../core/orders/release-work-order.ts'
import { StoreRecorder } from '../../../core/signal/store-recorder.ts'
import { openStore } from '../../../core/store/open-store.ts'
import type { Store, StoreTransaction } from '../../../core/store/store.ts'
import { FakeUnit } from './fake-unit.ts'
import { plant, tester } from './fixture.ts'

const START = 1_000_000
const STEP_MS = 1000
const ORDERS = [
  { id: 'wo-1', product: 'shaft', quantity: 4 },
  { id: 'wo-2', product: 'shaft', quantity: 3 },
]

/** Where a process dies: at the so-manieth transaction, before it is committed or just after. */
interface Death {
  readonly at: number
  readonly when: 'before' | 'after'
}

/** A store whose process dies at a transaction: from then on nothing works and nothing is heard. */
class MortalStore {
  readonly #store: Store
  readonly #death: Death | undefined
  transactions = 0
  dead = false

  constructor(store: Store, death: Death | undefined) {
    this.#store = store
    this.#death = death
  }

  get db(): Store['db'] {
    this.#alive()
    return this.#store.db
  }

  get: Store['get'] = (kind, id) => {
    this.#alive()
    return this.#store.get(kind, id)
  }

  list: Store['list'] = (kind, options) => {
    this.#alive()
    return this.#store.list(kind, options)
  }

  subscribe: Store['subscribe'] = (listener) => this.#store.subscribe((event) => (this.dead ? undefined : listener(event)))

  async transaction<T>(work: (tx: StoreTransaction) => Promise<T>): Promise<T> {
    this.#alive()
    const dies = ++this.transactions === this.#death?.at
    if (dies) {
      this.dead = true
      if (this.#death?.when === 'after') await this.#store.transaction(work)
    }
    this.#alive()
    const result = await this.#store.transaction(work)
    this.#alive()
    return result
  }

  #alive(): void {
    if (this.dead) throw new Error('killed')
  }
}

/** Everything of Takt that takes part, as nodes wire it; made anew after each death. */
class Takt {
  readonly mortal: MortalStore
  readonly #file: Store
  readonly #recorder: StoreRecorder
  readonly #dispatcher: Dispatcher
  readonly #desk: DisruptionDesk
  #receipts: Receipt[] = []

  constructor(file: string, clock: ManualClock, units: readonly FakeUnit[], death: Death | undefined) {
    this.#file = openStore({ file, clock })
    this.mortal = new MortalStore(this.#file, death)
    const store = this.mortal as unknown as Store
    const actor = 'test'
    this.#recorder = new StoreRecorder(store, clock, actor)
    this.#dispatcher = new Dispatcher(
      {
        store,
        plant: () => plant,
        clock,
        real: clock,
        command: (command) => {
          const unit = units.find(({ id }) => id === command.to)
          if (unit !== undefined) this.#receipts.push(unit.command(structuredClone(command)))
        },
        problem: () => {},
        waiting: () => {},
      },
      { autonomy: 'auto', toleranceMs: 0, ackTimeoutMs: 3 * STEP_MS, commands: COMMAND_NAMES, actor },
    )
    this.#desk = new DisruptionDesk({
      store,
      plant: () => plant,
      clock,
      settings: DISRUPTION_DEFAULTS,
      autonomy: 'auto',
      actor,
      changed: () => {},
      failed: () => {},
    })
  }

  async start(): Promise<void> {
    const store = this.mortal
    for (const request of ORDERS) {
      await store.transaction(async (tx) => {
        const { order } = await createWorkOrder(tx, plant, request, tester)
        if (order.state === 'Planned') await releaseWorkOrder(tx, plant, order.id, tester)
      })
    }
    await store.transaction((tx) => reconcile(tx, tester))
    await this.#desk.resume()
  }

  /** The units say what they do; everything that follows from it is done. */
  async turn(units: readonly FakeUnit[]): Promise<void> {
    const { mortal } = this
    for (const receipt of this.#receipts.splice(0)) await this.#dispatcher.receipt(receipt)
    for (const unit of units) {
      const { states, counts } = await this.#recorder.record(unit.id, unit.facts())
      for (const count of counts) await mortal.transaction((tx) => followCount(tx, count, tester))
      for (const state of states) {
        await mortal.transaction((tx) => followMachine(tx, state, tester))
        await this.#desk.machineState(state)
        this.#dispatcher.machineState(state)
      }
    }
    await mortal.transaction(plan)
    await this.#dispatcher.idle()
    if (mortal.dead) throw new Error('killed')
  }

  async isDone(): Promise<boolean> {
    const orders = await this.#file.list('work-order')
    return orders.length > 0 && orders.every(({ state }) => state === 'Completed')
  }

  async kill(): Promise<Store> {
    this.#dispatcher.stop()
    this.#desk.stop()
    await this.#dispatcher.idle()
    return this.#file
  }
}

/** A scheduler in place of the real one: what has no unit gets the one with least to do, now. */
async function plan(tx: StoreTransaction): Promise<void> {
  const jobs = await tx.list('job-order', { where: { state: 'NotAllowedToStart' }, orderBy: 'id' })
  const load = new Map<string, number>()
  for (const { equipment } of jobs) if (equipment !== null) load.set(equipment, (load.get(equipment) ?? 0) + 1)
  for (const job of jobs) {
    if (job.plannedStart !== null) continue
    const units = job.alternatives.map(({ equipment }) => equipment)
    const equipment = job.equipment ?? units.toSorted((a, b) => (load.get(a) ?? 0) - (load.get(b) ?? 0))[0] ?? null
    if (equipment !== null) load.set(equipment, (load.get(equipment) ?? 0) + 1)
    await tx.save<'job-order'>({ ...job, equipment, plannedStart: tx.now, plannedEnd: tx.now }, { type: 'job-order.planned', actor: 'planner' })
  }
}

interface Outcome {
  readonly transactions: number
  readonly units: readonly FakeUnit[]
  readonly store: Store
}

/** Runs the plant until its orders are complete, however often Takt is killed on the way. */
async function run(file: string, deaths: Iterator<Death | undefined>): Promise<Outcome> {
  const clock = new ManualClock(START)
  const units = ['p/saw', 'p/mill-1', 'p/mill-2'].map((id) => new FakeUnit(id, START))
  const [, mill] = units
  if (mill !== undefined) mill.failsAfter = 2
  let transactions = 0
  let takt: Takt | undefined
  for (let step = 0; step < 400; step++) {
    try {
      if (takt === undefined) {
        takt = new Takt(file, clock, units, deaths.next().value)
        await takt.start()
      }
      await takt.turn(units)
      if (await takt.isDone()) return { transactions: transactions + takt.mortal.transactions, units, store: await takt.kill() }
    } catch (thrown) {
      if (takt === undefined || !takt.mortal.dead) throw thrown
      transactions += takt.mortal.transactions
      await (await takt.kill()).close()
      takt = undefined
    }
    clock.advance(STEP_MS)
    for (const unit of units) unit.step(clock.now())
  }
  const jobs = (await (await takt?.kill())?.list('job-order', { orderBy: 'id' })) ?? []
  throw new Error(
    `not done: ${jobs.map(({ id, state, substate, equipment, good }) => `${id} ${state} ${substate} ${equipment} ${good}`).join('; ')}; ${units.map(({ id, state, mode, job }) => `${id} ${state} ${mode} ${job?.id}`).join('; ')}`,
  )
}

async function check({ units, store }: Outcome): Promise<void> {
  const made = units.flatMap(({ parts }) => parts)
  const jobs = await store.list('job-order')
  const responses = await store.list('job-response')
  for (const job of jobs) {
    const mine = made.filter((part) => part.job === job.id)
    const truth = { good: mine.filter(({ good }) => good).length, scrap: mine.filter(({ good }) => !good).length }
    assert.deepEqual({ good: job.good, scrap: job.scrap }, truth, job.id)
    assert.ok(job.state === 'Ended' || job.state === 'Aborted', `${job.id} is ${job.state}`)
    const response = responses.find(({ jobOrder }) => jobOrder === job.id)
    if (job.actualStart !== null) assert.deepEqual({ good: response?.good, scrap: response?.scrap }, truth, `response of ${job.id}`)
  }
  const begun = units.flatMap((unit) => unit.begun)
  assert.equal(new Set(begun).size, begun.length, 'a job order was begun twice')
  assert.deepEqual(
    units.flatMap(({ refused }) => refused),
    [],
  )
  const events = await store.events(0, 5000)
  for (const { id } of jobs) {
    const ends = events.filter(({ subject, type }) => subject === id && /^job-order\.(completed|aborted)$/.test(type))
    assert.equal(ends.length, 1, `${id} ended ${ends.length} times`)
  }
  for (const { id, quantity } of ORDERS) {
    const order = await store.get('work-order', id)
    const lot = made.filter((part) => part.lot === `lot-${id}`)
    assert.deepEqual(order?.progress, {
      good: lot.filter((part) => part.good && part.unit !== 'p/saw').length,
      scrap: lot.filter((part) => !part.good).length,
    })
    // every part that the saw made well went through a mill once
    const sawn = lot.filter((part) => part.unit === 'p/saw')
    assert.equal(sawn.length, quantity)
    assert.equal(lot.length - sawn.length, sawn.filter((part) => part.good).length)
  }
  const repairs = await store.list('work-order', { where: { type: 'maintenance' } })
  assert.deepEqual(
    repairs.map(({ id, state }) => `${id} ${state}`),
    ['mo-mill-1-1 Completed'],
  )
  assert.deepEqual(
    (await store.list('disruption')).map(({ action, status }) => `${action} ${status}`),
    ['repair-now acted'],
  )
  assert.equal(jobs.filter(({ continues }) => continues !== undefined).length, 1)
  assert.ok((await store.verify()).ok)
}

describe('orders through kills', function () {
  this.timeout(120_000)
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'takt-crash-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  async function survive(file: string, deaths: Iterator<Death | undefined>): Promise<number> {
    const outcome = await run(join(folder, file), deaths)
    await check(outcome)
    await outcome.store.close()
    return outcome.transactions
  }

  it('run without any', async () => {
    await survive('calm.db', [][Symbol.iterator]())
  })

  // each process gets a few steps further than the one before; together they die between every two steps
  for (const when of ['before', 'after'] as const) {
    for (const stride of [5, 13]) {
      it(`come out the same when every process dies ${when} its commit no. ${stride} or a little later`, async () => {
        function* deaths(): Generator<Death> {
          for (let at = stride; ; at++) yield { at, when }
        }
        await survive(`${when}-${stride}.db`, deaths())
      })
    }
  }

  // all of them: TAKT_EVERY_CRASH=1, some minutes
  it('come out the same wherever the one process dies', async function () {
    const every = process.env.TAKT_EVERY_CRASH !== undefined
    if (every) this.timeout(1_800_000)
    const transactions = await survive('length.db', [][Symbol.iterator]())
    for (let at = 1; at < transactions; at += every ? 1 : 17) {
      for (const when of every ? (['before', 'after'] as const) : ([at % 2 === 0 ? 'before' : 'after'] as const)) {
        await survive(`once-${at}-${when}.db`, [{ at, when }][Symbol.iterator]() as Iterator<Death | undefined>)
      }
    }
  })
})
