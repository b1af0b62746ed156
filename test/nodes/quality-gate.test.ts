import assert from 'node:assert/strict'
import type { EventEmitter } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { Node } from 'node-red'
import type { TaktError } from '../../core/base/error.ts'
import { performStep } from '../../core/procedures/perform.ts'
import { beginRun } from '../../core/procedures/run.ts'
import { openStore } from '../../core/store/open-store.ts'
import type { Store } from '../../core/store/store.ts'
import registerPlant from '../../nodes/plant/plant.ts'
import registerQualityGate from '../../nodes/quality-gate/quality-gate.ts'
import registerStore, { type StoreNode } from '../../nodes/store/store.ts'
import { inForce } from '../core/procedures/support.ts'
import { MILL_1, MILL_2, MODEL, SAW, World } from '../core/report/support/world.ts'
import { collect, helper, loadFlow, nextMessage, type Received } from './support/helper.ts'

const JOB = 'jo-wo-1-20-mill'
const LOT = 'lot-wo-1'

describe('quality gate node', () => {
  let node: Node
  let port: Record<'pass' | 'hold' | 'reject', Node>
  let store: Store
  let world: World

  async function start(config: Record<string, unknown> = {}, file = ':memory:'): Promise<void> {
    const get = await loadFlow(
      [registerPlant, registerStore, registerQualityGate],
      [
        { id: 'f1', type: 'tab' },
        { id: 'p1', type: 'takt-plant', source: 'inline', model: JSON.stringify(MODEL), clock: 'system' },
        { id: 's1', type: 'takt-store', file, plant: 'p1' },
        {
          id: 'n1',
          z: 'f1',
          type: 'takt-quality-gate',
          plant: 'p1',
          store: 's1',
          rejectBeyond: '1',
          rework: true,
          holdOnAnomaly: false,
          wires: [['pass'], ['hold'], ['reject']],
          ...config,
        },
        ...['pass', 'hold', 'reject'].map((id) => ({ id, z: 'f1', type: 'helper' })),
      ],
    )
    node = get('n1')
    port = { pass: get('pass'), hold: get('hold'), reject: get('reject') }
    store = (get('s1') as StoreNode).store
  }
  /** With an order that has been sawn and is being milled. */
  async function load(config: Record<string, unknown> = {}, file?: string): Promise<void> {
    await start(config, file)
    world = new World(store)
    await world.order('wo-1', 4)
    await world.run('jo-wo-1-10-saw', SAW, 4)
    await world.assign(JOB, MILL_1)
    await world.state(MILL_1, 'Execute', JOB)
  }
  const send = (message: Record<string, unknown>): void => node.receive(message as never)
  const sample = (value: unknown, serial: string) => ({
    topic: `${MILL_1}/diameter`,
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
  })
  const nextError = (): Promise<TaktError> =>
    new Promise((resolve) => (node as unknown as EventEmitter).once('call:error', (call: { args: [TaktError] }) => resolve(call.args[0])))

  before((done) => void helper.startServer(done))
  after((done) => void helper.stopServer(done))
  afterEach(() => helper.unload())

  it('sends each part to its port and keeps what the message carried', async () => {
    await load()
    const [pass, hold, reject] = [nextMessage(port.pass), nextMessage(port.hold), nextMessage(port.reject)]
    send({ ...sample(40.01, 'p-1'), camera: 3 })
    send(sample(40.07, 'p-2'))
    send(sample(41, 'p-3'))
    const passed = await pass
    assert.equal(passed.topic, `quality/${LOT}`)
    assert.equal(passed.camera, 3)
    assert.deepEqual([passed.payload.kind, passed.payload.decision, passed.payload.serial], ['quality-result', 'pass', 'p-1'])
    assert.equal((await hold).payload.decision, 'hold')
    assert.equal((await reject).payload.decision, 'reject')
    assert.equal((await store.get('lot', LOT))?.disposition, 'held')
  })

  it('records a measurement once however often it comes', async () => {
    await load()
    const first = nextMessage(port.hold)
    send(sample(40.07, 'p-2'))
    const { payload } = await first
    const second = nextMessage(port.hold)
    send(sample(40.07, 'p-2'))
    const again = await second
    assert.equal(again.replayed, true)
    assert.equal(again.payload.id, payload.id)
    assert.equal((await store.list('quality-result')).length, 1)
    assert.equal((await store.get('work-order', `rw-${JOB}`))?.quantity.value, 1)
  })

  it('releases the lot by itself when its rework has ended', async () => {
    await load()
    const held = nextMessage(port.hold)
    send(sample(40.07, 'p-2'))
    await held
    const released = nextMessage(port.pass)
    await world.run(`jo-rw-${JOB}-20-mill`, MILL_2, 1)
    const { topic, payload } = await released
    assert.equal(topic, `lots/${LOT}`)
    assert.deepEqual([payload.kind, payload.disposition], ['lot', 'in-process'])
  })

  it('releases a finished lot with the measurement that it waited for', async () => {
    await load()
    const passed = nextMessage(port.pass)
    send(sample(40, 'p-1'))
    await passed
    await world.count(MILL_1, JOB, 4)
    await world.state(MILL_1, 'Complete', JOB)
    const result = nextMessage(port.pass)
    send({ topic: 'quality', payload: { characteristic: 'crack', values: [0], lot: LOT } })
    assert.equal((await result).payload.kind, 'quality-result')
    const { topic, payload } = await nextMessage(port.pass)
    assert.deepEqual([topic, payload.kind, payload.disposition], [`lots/${LOT}`, 'lot', 'released'])
  })

  it('keeps a finished lot while steps of its procedure are open, says which, and releases it with the last one', async () => {
    await load()
    await inForce(store, [{ id: 'label', type: 'confirm', text: 'Labelled?' }], 'mill-shaft')
    await world.tx((tx) => beginRun(tx, JOB, 'mill-shaft', 'Anna'))
    await world.count(MILL_1, JOB, 4)
    for (const characteristic of ['diameter', 'crack']) {
      const passed = nextMessage(port.pass)
      send({ payload: { characteristic, values: [characteristic === 'crack' ? 0 : 40], lot: LOT } })
      await passed
    }
    const waits = nextMessage(port.hold)
    await world.state(MILL_1, 'Complete', JOB)
    const { topic, payload, open } = (await waits) as Received & { open: unknown }
    assert.deepEqual([topic, payload.disposition], [`lots/${LOT}`, 'in-process'])
    assert.deepEqual(open, [{ code: 'TAKT_PROCEDURE_OPEN', jobOrder: JOB, procedure: 'mill-shaft@1', step: 'label', what: `${JOB}: step 'label' of mill-shaft@1 is open` }]) // biome-ignore format: one line
    const late = nextMessage(port.pass)
    send({ payload: { characteristic: 'diameter', values: [40.01], lot: LOT } })
    assert.deepEqual(((await late) as Received & { open: unknown }).open, open, 'what passes says it, too')
    const refused = nextError()
    send({ topic: 'quality/release', payload: { lot: LOT, why: 'is urgent' } })
    assert.equal((await refused).code, 'TAKT_PROCEDURE_OPEN')
    const released = nextMessage(port.pass)
    const step = { jobOrder: JOB, step: 'label', value: undefined, unit: undefined, choice: undefined, confirm: true, concession: undefined }
    await world.tx((tx) => performStep(tx, step, { actor: 'Anna', person: undefined, mayConcede: false }, undefined, 'node:test'))
    assert.deepEqual([(await released).topic, (await store.get('lot', LOT))?.disposition], [`lots/${LOT}`, 'released'])
  })

  it('releases after a restart what was made good while it was away', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'takt-gate-'))
    const file = join(folder, 'takt.db')
    try {
      await load({}, file)
      const held = nextMessage(port.hold)
      send(sample(40.07, 'p-2'))
      await held
      await helper.unload()

      const away = new World(openStore({ file, clock: world.clock }), world.clock)
      await away.run(`jo-rw-${JOB}-20-mill`, MILL_2, 1)
      assert.equal((await away.store.get('lot', LOT))?.disposition, 'held')
      await away.close()

      await start({}, file)
      for (let tries = 0; tries < 200 && (await store.get('lot', LOT))?.disposition === 'held'; tries++) await setTimeout(20)
      assert.equal((await store.get('lot', LOT))?.disposition, 'in-process')
    } finally {
      await helper.unload()
      rmSync(folder, { recursive: true })
    }
  })

  it("takes people's measurements and decisions", async () => {
    await load()
    const held = nextMessage(port.hold)
    send({ payload: { characteristic: 'diameter', values: [40, 40.06], lot: LOT, id: 'sheet-1' } })
    const { payload } = await held
    assert.equal(payload.jobOrder, JOB)
    const released = nextMessage(port.pass)
    send({ topic: 'quality/release', payload: { lot: LOT, why: 'measured again, gauge was dirty' }, by: 'eva' })
    assert.equal((await released).payload.disposition, 'in-process')
    const [event] = (await store.events(0, 1000)).filter(({ type }) => type === 'lot.released')
    assert.deepEqual([event?.actor, event?.why], ['eva', 'measured again, gauge was dirty'])
    const scrapped = nextMessage(port.reject)
    send({ topic: 'scrap', payload: { lot: LOT, why: 'cracked' }, by: 'node:evil' })
    assert.equal((await scrapped).payload.disposition, 'scrapped')
    assert.equal((await store.events(0, 1000)).find(({ type }) => type === 'lot.scrapped')?.actor, "'node:evil'")
  })

  it('takes a plain number with the signal as topic', async () => {
    await load()
    const passed = nextMessage(port.pass)
    await world.state(MILL_1, 'Execute', JOB)
    send({ topic: `${MILL_1}/diameter`, payload: 40.02 })
    assert.deepEqual((await passed).payload.values, [40.02])
  })

  it('leaves other samples and documents alone', async () => {
    await load()
    const seen = [...Object.values(port)].flatMap((helperNode) => [collect(helperNode)])
    send({ payload: { ...sample(7, 'p-1').payload, signal: 'vibration' } })
    send({ payload: { kind: 'count', equipment: MILL_1, jobOrder: JOB, good: 1, scrap: 0, total: { good: 1, scrap: 0 }, time: 1 } })
    const passed = nextMessage(port.pass)
    send(sample(40, 'p-9'))
    await passed
    assert.equal(seen.flat().length, 1)
  })

  for (const [what, message, code] of [
    ['a value that is no number', sample('wide', 'p-1'), 'TAKT_QUALITY_VALUE_INVALID'],
    ['a sample out of shape', { payload: { ...sample(40, 'p-1').payload, time: -1 } }, 'TAKT_MESSAGE_INVALID'],
    ['an unknown job order', { payload: { characteristic: 'diameter', value: 1, jobOrder: 'jo-9' } }, 'TAKT_QUALITY_JOB_UNKNOWN'],
    ['a characteristic that is not specified', { payload: { characteristic: 'colour', value: 1, jobOrder: JOB } }, 'TAKT_QUALITY_SPECIFICATION_MISSING'],
    ['a text', { payload: 'hello' }, 'TAKT_MESSAGE_INVALID'],
    ['nothing', { payload: null }, 'TAKT_MESSAGE_INVALID'],
    ['a decision without a lot', { topic: 'release', payload: 'please' }, 'TAKT_MESSAGE_INVALID'],
    ['a decision without a reason', { topic: 'release', payload: { lot: LOT } }, 'TAKT_MESSAGE_INVALID'],
    ['a decision on an unknown lot', { topic: 'scrap', payload: { lot: 'lot-9', why: 'x' } }, 'TAKT_QUALITY_LOT_UNKNOWN'],
    ['a forbidden key', { payload: JSON.parse('{"characteristic":"diameter","value":1,"__proto__":{}}') }, 'TAKT_MESSAGE_FORBIDDEN_KEY'],
  ] as const) {
    it(`quarantines ${what} and goes on`, async () => {
      await load()
      const failed = nextError()
      send(message as Record<string, unknown>)
      assert.equal((await failed).code, code)
      const passed = nextMessage(port.pass)
      send(sample(40, 'p-9'))
      await passed
      const rows = await store.db.selectFrom('quarantine').select('code').execute()
      assert.deepEqual(rows, [{ code }])
    })
  }

  it('refuses a setting that is no share', async () => {
    const get = await loadFlow(
      [registerPlant, registerStore, registerQualityGate],
      [
        { id: 'p1', type: 'takt-plant', source: 'inline', model: JSON.stringify(MODEL), clock: 'system' },
        { id: 's1', type: 'takt-store', file: ':memory:' },
        { id: 'n1', type: 'takt-quality-gate', plant: 'p1', store: 's1', rejectBeyond: 'much' },
      ],
    )
    node = get('n1')
    const failed = nextError()
    send(sample(40, 'p-1'))
    assert.equal((await failed).code, 'TAKT_CONFIG_INVALID')
  })
})
