import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ManualClock } from '../../../core/base/clock.ts'
import { packageRoot } from '../../../core/base/package-root.ts'
import { measureMaintenance } from '../../../core/kpi/maintenance-figures.ts'
import type { Anomaly } from '../../../core/messages/anomaly.ts'
import type { Receipt } from '../../../core/messages/command.ts'
import type { JobOrder } from '../../../core/messages/job-order.ts'
import { Dispatcher } from '../../../core/orders/dispatch/dispatcher.ts'
import { COMMAND_NAMES } from '../../../core/orders/dispatch/job-command.ts'
import { DisruptionDesk } from '../../../core/orders/disruption/disruption-desk.ts'
import { DISRUPTION_DEFAULTS } from '../../../core/orders/disruption/settings.ts'
import { followCount, followMachine, reconcile } from '../../../core/orders/follow-machine.ts'
import { MaintenanceDesk } from '../../../core/orders/maintenance/maintenance-desk.ts'
import { OrderDesk } from '../../../core/orders/order-desk.ts'
import { Planner } from '../../../core/orders/planning/planner.ts'
import { triggerOf } from '../../../core/orders/planning/replan-trigger.ts'
import type { PlanTrigger } from '../../../core/orders/planning/to-plan.ts'
import { parsePlant } from '../../../core/plant/load-plant.ts'
import type { PlantModel } from '../../../core/plant/model.ts'
import type { Plant } from '../../../core/plant/plant.ts'
import { StoreRecorder } from '../../../core/signal/store-recorder.ts'
import type { UnitFact } from '../../../core/signal/unit.ts'
import type { LedgerRow, PartRow, StatusPublication, Step } from '../../../core/simulate/happenings.ts'
import { PlantSimulation } from '../../../core/simulate/plant-simulation.ts'
import { openStore } from '../../../core/store/open-store.ts'
import type { Store } from '../../../core/store/store.ts'

const text = readFileSync(join(packageRoot, 'flows', 'reference-plant.json'), 'utf8')
const plant = parsePlant(text, 'reference plant')
/** The same plant, where every operation hands on eight pieces at a time, all mills share two fixtures, and every repaired unit is tried with five pieces at a time. */
const flowing = parsePlant(JSON.stringify(withTransferLots(JSON.parse(text) as PlantModel)), 'reference plant')
const START = Date.parse('2026-03-02T06:00:00+01:00')
const STEP_MS = 20_000
const HOUR = 3_600_000
const because = { actor: 'test' }
const unitNamed = (name: string): string => plant.units.find(({ id }) => id.endsWith(`/${name}`))?.id ?? ''

/** The simulated plant, which lives on whatever happens to Takt. */
class World {
  readonly clock = new ManualClock(START)
  readonly rows: LedgerRow[] = []
  readonly plant: Plant
  readonly simulation: PlantSimulation
  #statuses: StatusPublication[] = []

  constructor(made: Plant = plant) {
    this.plant = made
    this.simulation = new PlantSimulation({ plant: made, seed: 5, start: START, wornUnit: '', wornAt: 0, ordersPerHour: 0, ordersAhead: 5 })
  }

  /** What machines have said since they were last listened to. */
  listen(): StatusPublication[] {
    return this.#statuses.splice(0)
  }

  /** What they say to somebody who has just come: the past is gone. */
  greet(): void {
    this.#statuses = []
    this.#take(this.simulation.present())
  }

  advance(): void {
    this.clock.advance(STEP_MS)
    this.#take(this.simulation.advance(this.clock.now()))
  }

  /** It fails in a moment. */
  wearOut(unit: string): void {
    const step: Step = { publications: [], rows: [] }
    this.simulation.break(unit, 1, step)
    this.#take(step)
  }

  command(unit: string, command: Parameters<PlantSimulation['command']>[1]): Receipt {
    const step: Step = { publications: [], rows: [] }
    const receipt = this.simulation.command(unit, command, step)
    this.#take(step)
    return receipt
  }

  #take({ publications, rows }: Step): void {
    this.rows.push(...rows)
    for (const publication of publications) if (publication.kind === 'status') this.#statuses.push(publication)
  }
}

/** Takt's whole loop without Node-RED: what the nodes do with each other's documents. */
class Loop {
  readonly store: Store
  readonly #world: World
  readonly #recorder: StoreRecorder
  readonly #dispatcher: Dispatcher
  readonly #planner: Planner
  readonly desk: DisruptionDesk
  readonly #repairs: MaintenanceDesk
  readonly problems: string[] = []
  #receipts: Receipt[] = []
  #trigger: PlanTrigger | null = { type: 'start' }

  constructor(file: string, world: World) {
    const { clock, plant } = world
    const store = openStore({ file, clock })
    this.store = store
    this.#world = world
    this.#recorder = new StoreRecorder(store, clock, 'test')
    const loop = { store, plant: () => plant, clock, actor: 'test' }
    this.#planner = new Planner({ ...loop, objective: 'due-dates', resumable: true, searchMs: 0, moves: 200, seed: 1, toleranceMs: 300_000 })
    this.#dispatcher = new Dispatcher(
      {
        ...loop,
        real: clock,
        command: (command) => this.#receipts.push(world.command(command.to, command)),
        problem: (problem) => this.problems.push(problem.message),
        waiting: () => {},
      },
      { autonomy: 'auto', toleranceMs: 300_000, ackTimeoutMs: 60_000, commands: COMMAND_NAMES, actor: 'test' },
    )
    this.desk = new DisruptionDesk({
      ...loop,
      settings: DISRUPTION_DEFAULTS,
      autonomy: 'auto',
      changed: () => {},
      failed: (thrown) => this.problems.push(String(thrown)),
    })
    const tell = (problem: unknown): void => void this.problems.push(String(problem))
    this.#repairs = new MaintenanceDesk({ ...loop, problem: tell, failed: tell })
    store.subscribe((event) => {
      this.#trigger = triggerOf(event, 'planner') ?? this.#trigger
    })
  }

  async start(): Promise<void> {
    const orders = new OrderDesk(this.store, () => this.#world.plant, { autoRelease: true, mapping: {}, importFolder: undefined, where: 'test' })
    for (const order of this.#world.simulation.recentOrders) await orders.handle('create', order, because)
    await this.store.transaction((tx) => reconcile(tx, because))
    await this.desk.resume()
    await this.#repairs.start()
    this.#world.greet()
  }

  async turn(): Promise<void> {
    for (const receipt of this.#receipts.splice(0)) await this.#dispatcher.receipt(receipt)
    for (const status of this.#world.listen()) {
      const { states, counts } = await this.#recorder.record(status.unit, factsOf(status))
      for (const count of counts) await this.store.transaction((tx) => followCount(tx, count, because))
      for (const state of states) {
        const unknown = await this.store.transaction((tx) => followMachine(tx, state, because))
        if (unknown !== undefined) this.problems.push(unknown.message)
        await this.desk.machineState(state)
        this.#dispatcher.machineState(state)
      }
    }
    if (this.#trigger !== null) {
      const trigger = this.#trigger
      this.#trigger = null
      await this.#planner.publish(await this.#planner.draft(trigger))
    }
    await this.#repairs.idle()
    await this.#dispatcher.idle()
  }

  async end(): Promise<void> {
    this.#dispatcher.stop()
    this.desk.stop()
    this.#repairs.stop()
    await this.#repairs.idle()
    await this.#dispatcher.idle()
    await this.#planner.close()
    await this.store.close()
  }
}

function factsOf({ time, state, mode, job, good, scrap }: StatusPublication): UnitFact[] {
  const at = { time, received: time }
  return [
    { what: 'job', job: job === '' ? null : job, ...at },
    { what: 'count', kind: 'good', signal: 'good', raw: good, rollover: undefined, ...at },
    { what: 'count', kind: 'scrap', signal: 'scrap', raw: scrap, rollover: undefined, ...at },
    { what: 'mode', mode, ...at },
    { what: 'state', state, ...at },
  ]
}

describe('the closed loop over the simulated plant', function () {
  this.timeout(180_000)
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'takt-loop-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('makes every order, through a failure, a planned repair and two restarts, and counts as the machines do', async () => {
    const world = new World()
    // the first orders come with the first moment
    world.advance()
    const file = join(folder, 'takt.db')
    const problems: string[] = []
    let loop = new Loop(file, world)
    await loop.start()
    let done = false
    let step = 0
    for (; step < 8000 && !done; step++) {
      await loop.turn()
      // whatever works at that moment: it fails
      if (step === 150 || step === 420) {
        const [running] = await loop.store.list('job-order', { where: { state: 'Running' }, orderBy: 'actual_start', descending: true })
        if (running?.equipment && running.maintenance === undefined) world.wearOut(running.equipment)
      }
      if (step === 200) await loop.desk.anomaly(anomalyOf(unitNamed('lathe-1'), world.clock.now()))
      if (step === 120 || step === 500) {
        await loop.end()
        problems.push(...loop.problems)
        // the machines go on while Takt is away
        for (let away = 0; away < 30; away++) world.advance()
        loop = new Loop(file, world)
        await loop.start()
      }
      world.advance()
      done = step % 20 === 0 && (await loop.store.list('work-order', { where: { state: ['Planned', 'Released', 'Running', 'Held'] } })).length === 0
    }
    problems.push(...loop.problems)
    const { store } = loop
    const open = await store.list('job-order', { where: { state: ['NotAllowedToStart', 'AllowedToStart', 'Running', 'Interrupted'] } })
    assert.deepEqual(
      open.map(({ id, state, substate, equipment }) => `${id} ${state} ${substate} ${equipment}`),
      [],
      `after ${(step * STEP_MS) / HOUR} h`,
    )
    assert.deepEqual(problems, [])

    const { parts } = await assertCounted(store, world)
    for (const order of await store.list('work-order', { where: { type: 'production' } })) {
      const operations = plant.workMaster(order.workMaster ?? '')?.operations ?? []
      const last = operations.at(-1)?.id
      const made = parts.filter(({ lot, operation, result }) => lot === `lot-${order.id}` && operation === last && result === 'good').length
      assert.equal(order.progress.good, made, order.id)
    }
    const begun = world.rows.flatMap((row) => (row.kind === 'job-started' || row.kind === 'repair-started' ? [row.job] : []))
    assert.equal(new Set(begun).size, begun.length, 'nothing was begun twice')
    const failures = world.rows.filter((row) => row.kind === 'stop' && row.cause === 'failure').length
    assert.ok(failures >= 2, 'the worn units failed')
    const repairs = world.rows.filter((row) => row.kind === 'repair-ended').length
    assert.equal(repairs, failures + 1, 'each failure was repaired once, and the unit that was going bad')
    await assertRepairs(store, world)
    assert.ok((await store.verify()).ok)
    await loop.end()
  })

  it('does so with transfer lots, shared fixtures and units on trial: nothing is worked on that did not come, and nothing is held twice', async () => {
    const world = new World(flowing)
    world.advance()
    const loop = new Loop(join(folder, 'takt.db'), world)
    await loop.start()
    const { store } = loop
    // units of one class after the other, so that there is work only for those on trial
    const FAILING = new Map(
      ['10-saw', '20-turn', '30-mill'].flatMap((operation, at) => [0, 1, 2, 3].map((time) => [30 + at * 40 + time * 10, operation] as const)),
    )
    let held = 0
    let done = false
    for (let step = 0; step < 8000 && !done; step++) {
      await loop.turn()
      const failing = FAILING.get(step)
      if (failing !== undefined) {
        const [running] = await store.list('job-order', { where: { state: 'Running', operation: failing } })
        if (running?.equipment) world.wearOut(running.equipment)
      }
      world.advance()
      if (step % 20 > 0) continue
      const underWay = await store.list('job-order', { where: { state: ['AllowedToStart', 'Running', 'Interrupted'] } })
      const fixtures = underWay.filter(({ alternatives, equipment }) => alternatives.some((one) => one.equipment === equipment && one.needs !== undefined))
      held = Math.max(held, fixtures.length)
      done = (await store.list('work-order', { where: { state: ['Planned', 'Released', 'Running', 'Held'] } })).length === 0
    }
    assert.ok(done, 'every order was made')
    assert.deepEqual(loop.problems, [])
    assert.equal(held, 2, 'both fixtures were used, and no third')
    const { jobs } = await assertCounted(store, world)
    let overlapped = 0
    for (const { id, workMaster } of await store.list('work-order', { where: { type: 'production' } })) {
      const of = (operation: string) => jobs.filter((job) => job.workOrder === id && job.operation === operation)
      for (const { id: operation, after = [] } of flowing.workMaster(workMaster ?? '')?.operations ?? []) {
        for (const before of after) {
          const worked = of(operation).reduce((sum, { good, scrap }) => sum + good + scrap, 0)
          const came = of(before).reduce((sum, { good }) => sum + good, 0)
          assert.equal(worked, came, `${operation} of ${id}`)
          if (Math.min(...of(operation).map((job) => job.actualStart ?? Infinity)) < Math.max(...of(before).map((job) => job.actualEnd ?? 0))) overlapped++
        }
      }
    }
    assert.ok(overlapped > 0, 'some began before the operation before had ended')
    const pieces = jobs.filter(({ cutFrom }) => cutFrom !== undefined)
    assert.ok(pieces.length > 3, 'units on trial got a few parts at a time')
    assert.ok(
      pieces.every(({ quantity }) => quantity.value <= 5),
      'and never more',
    )
    assert.ok((await store.verify()).ok)
    await loop.end()
  })
})

/** The figures of maintenance are those of the machines' own books: each failure, each repair with its length, and the time that was not worked. */
async function assertRepairs(store: Store, world: World): Promise<void> {
  const units = plant.units.map(({ id }) => id)
  const found = await measureMaintenance(store, plant, units, START, world.clock.now())
  for (const { equipment, failures, repairs } of found) {
    const rows = world.rows.filter((row) => 'unit' in row && row.unit === equipment)
    const stops = rows.flatMap((row) => (row.kind === 'stop' && row.cause === 'failure' ? [row.time] : []))
    const ended = rows.flatMap((row) => (row.kind === 'repair-ended' ? [row] : []))
    assert.equal(failures.length, stops.length, `failures of ${equipment}`)
    for (const [index, { from, order }] of failures.entries()) {
      assert.ok(Math.abs(from - (stops[index] ?? 0)) <= STEP_MS, `failure ${index} of ${equipment}`)
      assert.ok(order !== null, 'each failure has its repair')
    }
    assert.deepEqual(
      repairs.map(({ order, kind }) => `${order} ${kind}`),
      ended.map(({ job, unplanned }) => `${job.replace(/^jo-|-maintenance$/g, '')} ${unplanned ? 'unplanned' : 'planned'}`),
    )
    for (const [index, { from, to }] of repairs.entries()) {
      const row = ended[index]
      const began = rows.find((other) => other.kind === 'repair-started' && other.job === row?.job)?.time ?? 0
      // what happened while Takt was away is known by what the machine says of it afterwards
      assert.ok(Math.abs(to - from - ((row?.time ?? 0) - began)) <= 31 * STEP_MS, `length of repair ${index} of ${equipment}: ${to - from}`)
    }
  }
}

/** The store has counted for each job order what the machines made for it. */
async function assertCounted(store: Store, world: World): Promise<{ readonly jobs: readonly JobOrder[]; readonly parts: readonly PartRow[] }> {
  const parts = world.rows.filter((row): row is PartRow => row.kind === 'part')
  const truth = new Map<string, { good: number; scrap: number }>()
  for (const { job, result } of parts) {
    const sums = truth.get(job) ?? { good: 0, scrap: 0 }
    sums[result]++
    truth.set(job, sums)
  }
  const jobs = await store.list('job-order')
  for (const { id, good, scrap } of jobs) assert.deepEqual({ id, good, scrap }, { id, ...(truth.get(id) ?? { good: 0, scrap: 0 }) })
  assert.deepEqual(
    [...truth.keys()].filter((id) => !jobs.some((job) => job.id === id)),
    [],
  )
  return { jobs, parts }
}

function withTransferLots(model: PlantModel): PlantModel {
  const workMasters = model.workMasters?.map((master) => ({
    ...master,
    operations: master.operations.map((operation) => ({
      ...operation,
      transferLot: 8,
      ...(operation.alternatives.some((one) => one.class === 'mill') ? { needs: [{ tool: 'fixture' }] } : {}),
    })),
  }))
  const equipment = model.equipment.map((unit) =>
    unit.maintenance === undefined
      ? unit
      : { ...unit, maintenance: { ...unit.maintenance, unplanned: { durationMs: 600_000 }, trial: { parts: 5, scrap: 4 } } },
  )
  return { ...model, equipment, tools: [{ id: 'fixture', count: 2 }], ...(workMasters === undefined ? {} : { workMasters }) }
}

function anomalyOf(equipment: string, now: number): Anomaly {
  const evidence = [{ source: 'range', value: 6, lower: 2, upper: 4 }]
  return {
    kind: 'anomaly',
    id: 'an-1',
    equipment,
    signals: ['vibration'],
    state: 'raised',
    method: 'auto',
    score: 0.95,
    severity: 'high',
    since: now - HOUR,
    time: now,
    evidence,
  }
}
