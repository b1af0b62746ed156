import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Node } from 'node-red'
import type { Sample } from '../../core/messages/sample.ts'
import { validateDocument } from '../../core/messages/validate.ts'
import registerMachineState from '../../nodes/machine-state/machine-state.ts'
import registerPlant from '../../nodes/plant/plant.ts'
import registerStore, { type StoreNode } from '../../nodes/store/store.ts'
import { loadExample } from './support/example.ts'
import { collect, type FlowNode, helper, loadFlow, nextMessage, type Received } from './support/helper.ts'
import { MILL, machinePlant } from './support/machine-plant.ts'

describe('machine state node', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'takt-machine-state-'))
    helper.settings({ userDir: folder } as never)
  })
  afterEach(async () => {
    await helper.unload()
    helper.settings({})
    rmSync(folder, { recursive: true, force: true })
  })

  interface Loaded {
    readonly machine: Node
    readonly states: Node
    readonly counts: Node
    readonly caught: Node
    readonly node: (id: string) => Node
  }

  async function load(properties: Record<string, unknown> = {}, plant: FlowNode = machinePlant()): Promise<Loaded> {
    const node = await loadFlow(
      [registerPlant, registerStore, registerMachineState],
      [
        { id: 'f1', type: 'tab' },
        plant,
        { id: 'b0', type: 'takt-store', file: 'takt.db' },
        { id: 'm0', z: 'f1', type: 'takt-machine-state', plant: 'a1', wires: [['d0'], ['d1']], ...properties },
        { id: 'd0', z: 'f1', type: 'helper' },
        { id: 'd1', z: 'f1', type: 'helper' },
        { id: 'c0', z: 'f1', type: 'catch', scope: ['m0'], wires: [['e0']] },
        { id: 'e0', z: 'f1', type: 'helper' },
      ],
    )
    return { machine: node('m0'), states: node('d0'), counts: node('d1'), caught: node('e0'), node }
  }

  let clock = 1_700_000_000_000
  const sample = (signal: string, value: Sample['value'], time = ++clock): Record<string, unknown> => {
    const payload: Sample = { kind: 'sample', equipment: MILL, signal, value, quality: 'good', time, received: time }
    return { topic: `${MILL}/${signal}`, payload }
  }
  const send = (machine: Node, ...messages: Record<string, unknown>[]): void => {
    for (const message of messages) machine.receive(message as never)
  }
  const saidOf = ({ payload }: Received): unknown[] => [payload.state, payload.jobOrder, payload.element]

  it('tells state changes and counts of a unit, and passes silently over everything else', async () => {
    const { machine, states, counts, caught } = await load()
    const seenStates = collect(states)
    const seenCounts = collect(counts)
    const errors = collect(caught)
    send(machine, sample('job', 'jo-1'), sample('good', 65_535), sample('mode', 1), sample('state', 3))
    send(
      machine,
      { payload: { kind: 'lot' } },
      { topic: 'weather', payload: 3 },
      { payload: null },
      { payload: [1] },
      sample('vibration', 3),
      sample('colour', 1),
    )
    const execute = nextMessage(states, ({ payload }) => payload.state === 'Execute')
    send(machine, { ...sample('state', 'Execute'), shift: 'early' })
    const { topic, payload, shift } = await execute
    assert.equal(topic, `${MILL}/machine-state`)
    assert.equal(shift, 'early')
    validateDocument(payload, 'machine-state', 'test')
    assert.deepEqual([payload.state, payload.mode, payload.element, payload.jobOrder], ['Execute', 'Produce', 'APT', 'jo-1'])
    const counted = nextMessage(counts)
    send(machine, sample('good', 1))
    const count = await counted
    assert.equal(count.topic, `${MILL}/count`)
    validateDocument(count.payload, 'count', 'test')
    assert.deepEqual([count.payload.jobOrder, count.payload.good, count.payload.scrap, count.payload.total], ['jo-1', 2, 0, { good: 2, scrap: 0 }])
    send(machine, sample('state', 6), sample('good', 1), sample('job', 'jo-1'))
    const complete = nextMessage(states, ({ payload: told }) => told.state === 'Complete')
    send(machine, sample('state', 17))
    await complete
    assert.deepEqual(
      seenStates.map(saidOf).filter(([state]) => state !== 'Starting'),
      [
        ['Execute', 'jo-1', 'APT'],
        ['Complete', 'jo-1', 'ADOT'],
      ],
    )
    assert.equal(seenCounts.length, 1)
    assert.deepEqual(errors, [])
  })

  it('takes plain values from other palettes by their topic', async () => {
    const { machine, states } = await load()
    const next = nextMessage(states)
    send(machine, { topic: `${MILL}/state`, payload: 9 })
    assert.deepEqual(saidOf(await next), ['Aborted', null, 'ADET'])
  })

  it('records before it tells, and after a restart tells the present again and makes good what was missed', async () => {
    const first = await load({ store: 'b0' })
    const counted = nextMessage(first.counts, ({ payload }) => payload.total.good === 3)
    send(first.machine, sample('job', 'jo-1'), sample('good', 10), sample('state', 6), sample('good', 13))
    const told = (await counted).payload
    const { store } = first.node('b0') as StoreNode
    assert.deepEqual(await store.db.selectFrom('job_count').select(['job_order', 'good', 'ledger']).execute(), [
      { job_order: 'jo-1', good: 3, ledger: told.ledger },
    ])
    await helper.unload()

    const second = await load({ store: 'b0' })
    const greeting = nextMessage(second.states)
    const total = nextMessage(second.counts)
    send(second.machine, sample('state', 6))
    assert.deepEqual(saidOf(await greeting), ['Execute', 'jo-1', 'APT'])
    assert.deepEqual([(await total).payload.good, (await total).payload.total.good], [0, 3])
    const missed = nextMessage(second.counts)
    send(second.machine, sample('good', 20))
    assert.deepEqual([(await missed).payload.good, (await missed).payload.total.good], [7, 10])
  })

  it('goes on through a clean redeploy without a store too', async () => {
    const first = await load()
    const counted = nextMessage(first.counts)
    send(first.machine, sample('job', 'jo-1'), sample('good', 10), sample('state', 6), sample('good', 13))
    await counted
    await helper.unload()
    const second = await load()
    const next = nextMessage(second.counts)
    send(second.machine, sample('good', 14))
    assert.deepEqual((await next).payload.total, { good: 4, scrap: 0 })
  })

  it('takes many samples at once as few transactions, with the right result', async () => {
    const { machine, counts, node } = await load({ store: 'b0' })
    const { store } = node('b0') as StoreNode
    const last = nextMessage(counts, ({ payload }) => payload.total.good === 500 && payload.total.scrap === 500)
    send(machine, sample('job', 'jo-1'), sample('good', 0), sample('scrap', 0), sample('state', 6))
    for (let part = 1; part <= 500; part++) send(machine, sample('good', part), sample('scrap', part), sample('good', part))
    await last
    const events = (await store.events(0, 10_000)).filter(({ type }) => type === 'count.recorded')
    assert.ok(events.length < 100, `${events.length} transactions`)
    assert.equal(
      events.reduce((sum, { after }) => sum + (after as { good: number }).good, 0),
      500,
    )
  })

  it('says NoSignal when nothing is heard of a unit, and what it is when it is heard again', async () => {
    const { machine, states } = await load({}, machinePlant({}, { staleAfterMs: 300 }))
    const running = nextMessage(states)
    const silent = nextMessage(states, ({ payload }) => payload.state === 'NoSignal' && payload.equipment === MILL)
    send(machine, sample('state', 6))
    await running
    const { payload } = await silent
    validateDocument(payload, 'machine-state', 'test')
    assert.equal(payload.element, null)
    assert.match(payload.reason, /no sample/)
    const again = nextMessage(states, ({ payload: told }) => told.equipment === MILL)
    send(machine, sample('state', 6, Date.now()))
    assert.equal((await again).payload.state, 'Execute')
  })

  it('refuses values that make no sense, quarantines them, and works on', async () => {
    const { machine, states, caught, node } = await load({ store: 'b0' })
    const errors = collect(caught)
    send(machine, sample('state', 99), sample('mode', 'sideways'), sample('good', -3), sample('good', Number.NaN), sample('good', 'seven'))
    send(machine, { topic: `${MILL}/good`, payload: 'seven' })
    const next = nextMessage(states)
    send(machine, sample('state', 4))
    await next
    assert.deepEqual(
      errors.map(({ payload }) => payload.code),
      [
        'TAKT_MACHINE_STATE_UNKNOWN',
        'TAKT_MACHINE_MODE_UNKNOWN',
        'TAKT_MACHINE_COUNT_INVALID',
        'TAKT_MACHINE_COUNT_INVALID',
        'TAKT_MACHINE_COUNT_INVALID',
        'TAKT_SAMPLE_VALUE_TYPE',
      ],
    )
    const { store } = node('b0') as StoreNode
    // writes are done in order
    await store.transaction(async () => {})
    assert.equal((await store.db.selectFrom('quarantine').select('code').execute()).length, 6)
  })

  it('needs a plant', async () => {
    const { machine, caught } = await load({ plant: '' })
    const error = nextMessage(caught)
    send(machine, sample('state', 4))
    assert.match((await error).error ? JSON.stringify((await error).error) : '', /TAKT_CONFIG_INVALID/)
  })

  it('has an example that works', async () => {
    const { node, press } = await loadExample('machine-state.json', [registerPlant, registerStore, registerMachineState])
    const complete = nextMessage(node('machine states'), ({ payload }) => payload.state === 'Complete')
    const counted = nextMessage(node('counts'), ({ payload }) => payload.total.good === 5)
    press('start')
    for (let part = 0; part < 5; part++) press('part')
    await counted
    press('done')
    assert.match((await complete).payload.jobOrder, /^jo-/)
  })
})
