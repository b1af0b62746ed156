import assert from 'node:assert/strict'
import type { EventEmitter } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import type { Node } from 'node-red'
import type { TaktError } from '../../core/base/error.ts'
import { DiskBudget, setDiskBudget } from '../../core/store/disk-budget.ts'
import { inboxOf } from '../../core/store/inbox.ts'
import type { Store } from '../../core/store/store.ts'
import registerMachineState from '../../nodes/machine-state/machine-state.ts'
import registerPlant from '../../nodes/plant/plant.ts'
import registerQualityGate from '../../nodes/quality-gate/quality-gate.ts'
import registerSensor from '../../nodes/sensor/sensor.ts'
import registerStore, { type StoreNode } from '../../nodes/store/store.ts'
import registerWorkOrder from '../../nodes/work-order/work-order.ts'
import { until } from '../core/connect/support/wait.ts'
import { MILL_1, MODEL, SAW, World } from '../core/report/support/world.ts'
import { collect, helper, loadFlow, nextMessage, type Received } from './support/helper.ts'

const JOB = 'jo-wo-1-20-mill'
const LOT = 'lot-wo-1'
const DIAMETER = `${MILL_1}/diameter`

describe('guaranteed delivery through a flow', () => {
  let folder: string
  let get: (id: string) => Node
  let store: Store
  let errors: TaktError[]

  before((done) => void helper.startServer(done))
  after((done) => void helper.stopServer(done))
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'takt-test-delivery-node-'))
  })
  afterEach(async () => {
    await helper.unload()
    rmSync(folder, { recursive: true, force: true })
  })

  const plant = {
    ...MODEL,
    equipment: MODEL.equipment.map((unit) =>
      unit.id === MILL_1 ? { ...unit, signals: [...(unit.signals ?? []), { name: 'state', role: 'packml-state' }] } : unit,
    ),
  }

  /** sensor → gate and machine state; work order beside them. */
  async function start(sensor: Record<string, unknown> = {}): Promise<void> {
    const node = { z: 'f1', plant: 'p1', store: 's1' }
    get = await loadFlow(
      [registerPlant, registerStore, registerSensor, registerQualityGate, registerMachineState, registerWorkOrder],
      [
        { id: 'f1', type: 'tab' },
        { id: 'p1', type: 'takt-plant', source: 'inline', model: JSON.stringify(plant), clock: 'system' },
        { id: 's1', type: 'takt-store', file: join(folder, 'takt.db'), plant: 'p1' },
        { id: 'sensor', type: 'takt-sensor', ...node, maxAgeDays: '36500', wires: [['seen', 'gate', 'machine']], ...sensor },
        { id: 'gate', type: 'takt-quality-gate', ...node, rejectBeyond: '1', rework: true, wires: [['pass'], ['hold'], ['reject']] },
        { id: 'machine', type: 'takt-machine-state', ...node, wires: [['states'], []] },
        { id: 'orders', type: 'takt-work-order', ...node, autoRelease: false, mapping: '', importFolder: '', wires: [['changes'], ['refusals']] },
        ...['seen', 'pass', 'hold', 'reject', 'states', 'changes', 'refusals'].map((id) => ({ id, z: 'f1', type: 'helper' })),
      ],
    )
    store = (get('s1') as StoreNode).store
    errors = []
    for (const id of ['sensor', 'gate', 'machine', 'orders'])
      (get(id) as unknown as EventEmitter).on('call:error', (call: { args: [TaktError] }) => errors.push(call.args[0]))
  }
  async function withOrder(): Promise<void> {
    const world = new World(store)
    await world.order('wo-1', 4)
    await world.run('jo-wo-1-10-saw', SAW, 4)
    await world.assign(JOB, MILL_1)
    await world.state(MILL_1, 'Execute', JOB)
  }
  const send = (id: string, message: Record<string, unknown>): void => get(id).receive(message as never)
  const measured = (value: number, serial: string, more: Record<string, unknown> = {}) => ({
    topic: DIAMETER,
    payload: {
      kind: 'sample',
      equipment: MILL_1,
      signal: 'diameter',
      value,
      quality: 'good',
      time: 1_764_047_000_000,
      received: 1_764_047_000_001,
      context: { jobOrder: JOB, lot: LOT, serial },
    },
    ...more,
  })
  const events = async (type: string) => (await store.events(0, 10_000)).filter((event) => event.type === type)
  const results = () => store.list('quality-result')

  it('sends after the commit what a role guarantees, with the rest of its message, and at once what is fast', async () => {
    await start()
    const seen = collect(get('seen'))
    send('sensor', measured(40, '1', { batch: 7 }))
    send('sensor', { topic: `${MILL_1}/vibration`, payload: 3 })
    await until(() => seen.length === 2, 'both sent')
    assert.deepEqual(
      seen.map(({ topic, takt, batch }) => [topic, takt, batch]),
      [
        [`${MILL_1}/vibration`, undefined, undefined],
        [DIAMETER, { inbox: 1, index: 0 }, 7],
      ],
    )
    assert.equal((await inboxOf(store).unsettled('sensor/sensor', 0, 10)).length, 1)
  })

  it('needs a store for what it shall guarantee, and is fast by role without one', async () => {
    await start({ delivery: 'guaranteed', store: '' })
    send('sensor', measured(40, '1'))
    await until(() => errors.length > 0, 'an error')
    assert.match(errors.at(-1)?.message ?? '', /TAKT_CONFIG_INVALID.*needs a store/)
    await helper.unload()
    await start({ store: '' })
    const next = nextMessage(get('seen'))
    send('sensor', measured(40, '1'))
    assert.equal((await next).takt, undefined)
    await until(
      () =>
        (get('sensor') as unknown as { status: { lastCall?: { args: [{ text: string }] } } }).status.lastCall?.args[0].text.includes('fast: no store') ?? false,
      'its status says so',
    )
  })

  it('after a restart sends again what is not settled, and nothing is recorded twice', async () => {
    await start()
    await withOrder()
    const passed = nextMessage(get('pass'))
    send('sensor', measured(40, '1'))
    send('sensor', { topic: `${MILL_1}/state`, payload: 'Held' })
    send('sensor', { topic: `${MILL_1}/state`, payload: 'Execute' })
    await passed
    await until(async () => {
      const { actor, after } = (await events('machine-state.changed')).at(-1) ?? {}
      return actor === 'node:machine' && (after as { state: string }).state === 'Execute'
    }, 'states recorded')
    const before = { results: await results(), events: (await store.head()).sequence }
    for (let round = 0; round < 2; round++) {
      await helper.unload()
      await start()
      const again: Received[] = collect(get('seen'))
      const told = nextMessage(get('pass'))
      await until(() => again.length === 3, 'sent again')
      assert.deepEqual(
        again.map(({ payload, takt }) => [payload.value, (takt as { replayed: boolean }).replayed]),
        [
          [40, true],
          ['Held', true],
          ['Execute', true],
        ],
      )
      const { payload, replayed } = await told
      assert.deepEqual([payload.id, replayed], [before.results[0]?.id, true])
      await new Promise((later) => setTimeout(later, 100))
      assert.deepEqual(await results(), before.results)
      assert.deepEqual(await store.events(before.events, 10), [], 'not one event more')
    }
  })

  it('records what was committed and never reached its recorder before the restart', async () => {
    await start()
    await withOrder()
    await inboxOf(store).accept({ source: 'sensor/sensor', content: 'x', messages: [measured(40, '1') as never] })
    assert.deepEqual(await results(), [])
    await helper.unload()
    await start()
    await until(async () => (await results()).length === 1, 'recorded')
    assert.equal((await results())[0]?.decision, 'pass')
  })

  it('gives the error to catch when the disk is full, keeps the row, and records when there is room, without a restart', async () => {
    await start()
    await withOrder()
    const { id } = await inboxOf(store).accept({ source: 'sensor/sensor', content: 'x', messages: [measured(40, '1') as never] })
    await store.transaction(async (tx) => {
      const { rows } = await sql<{ page_count: number }>`pragma page_count`.execute(tx.db)
      await sql.raw(`pragma max_page_count = ${rows[0]!.page_count}`).execute(tx.db)
    })
    // the last page is filled until nothing more goes in
    await until(
      () =>
        store
          .transaction((tx) => tx.record({ type: 'test.filler', subject: 'x', actor: 'test', after: 'x'.repeat(500) }))
          .then(
            () => false,
            () => true,
          ),
      'the disk is full',
    )
    const passed = nextMessage(get('pass'), () => true, 20_000)
    send('gate', { ...measured(40, '1'), takt: { inbox: id, index: 0 } })
    send('machine', {
      topic: `${MILL_1}/state`,
      payload: { kind: 'sample', equipment: MILL_1, signal: 'state', value: 'Held', quality: 'good', time: Date.now(), received: Date.now() },
      takt: { inbox: id, index: 1 },
    })
    await until(() => errors.filter(({ code }) => code === 'TAKT_STORE_FULL').length === 2, 'both errors')
    assert.deepEqual(await results(), [])
    await store.transaction((tx) => sql`pragma max_page_count = 1000000`.execute(tx.db))
    await passed
    assert.equal((await results()).length, 1)
    await until(async () => (await events('machine-state.changed')).some(({ after }) => (after as { state: string }).state === 'Held'), 'the state too')
  }).timeout(30_000)

  it('tells the parts of a split message apart, and measurements without an id or a time', async () => {
    await start()
    await withOrder()
    const { id } = await inboxOf(store).accept({ source: 'sensor/sensor', content: 'x', messages: [measured(40, '1') as never] })
    const of = (value: number, more: Record<string, unknown>) => ({
      payload: { characteristic: 'diameter', value, jobOrder: JOB, lot: LOT },
      takt: { inbox: id, index: 0 },
      ...more,
    })
    const all = [of(40.01, { parts: { index: 0 } }), of(40.01, { parts: { index: 1 } }), of(40.02, {}), of(40.03, {})]
    for (let round = 0; round < 3; round++) for (const message of all) send('gate', structuredClone(message))
    const told = collect(get('pass'))
    await until(() => told.length === 12, 'told each time')
    assert.deepEqual((await results()).map(({ values }) => values[0]).toSorted(), [40.01, 40.01, 40.02, 40.03])
    assert.equal(told.filter(({ replayed }) => replayed === true).length, 8)
  })

  it('makes an order once that a guaranteed message asks for', async () => {
    await start()
    const request = { topic: 'orders/create', payload: { workMaster: 'shaft-a', quantity: 2 }, takt: { inbox: 1, index: 0 } }
    for (let round = 0; round < 3; round++) send('orders', structuredClone(request))
    send('orders', { ...structuredClone(request), takt: { inbox: 2, index: 0 } })
    send('orders', { ...structuredClone(request), takt: undefined })
    await until(async () => (await store.list('work-order')).length === 3, 'three orders')
    await new Promise((later) => setTimeout(later, 100))
    assert.equal((await store.list('work-order')).length, 3)
    assert.deepEqual(errors, [])
  })

  it('refuses new orders when the disk is nearly full, while what runs is recorded', async () => {
    await start()
    await withOrder()
    const budget = new DiskBudget(join(folder, 'takt.db'), { everyMs: 1e6, read: async () => ({ usedBytes: 96, freeBytes: 4 }) })
    try {
      await budget.check()
      setDiskBudget(store, budget)
      const refused = nextMessage(get('refusals'))
      send('orders', { topic: 'orders/create', payload: { workMaster: 'shaft-a', quantity: 2 } })
      assert.equal((await refused).payload.code, 'TAKT_STORE_DISK_BUDGET')
      assert.equal((await store.list('work-order')).length, 1)
      const passed = nextMessage(get('pass'))
      send('sensor', measured(40, '1'))
      assert.equal((await passed).payload.decision, 'pass')
    } finally {
      budget.close()
    }
  })
})
