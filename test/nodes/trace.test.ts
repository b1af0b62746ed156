import assert from 'node:assert/strict'
import type { EventEmitter } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Node } from 'node-red'
import type { TaktError } from '../../core/base/error.ts'
import { openStore } from '../../core/store/open-store.ts'
import type { Store } from '../../core/store/store.ts'
import registerPlant from '../../nodes/plant/plant.ts'
import registerStore, { type StoreNode } from '../../nodes/store/store.ts'
import registerTrace from '../../nodes/trace/trace.ts'
import { MILL_1, MINUTE, MODEL, SAW, World } from '../core/report/support/world.ts'
import { collect, helper, loadFlow, nextMessage, type Received } from './support/helper.ts'

describe('trace node', () => {
  let node: Node
  let results: Node
  let attention: Node
  let store: Store

  async function load(config: Record<string, unknown> = {}, file = ':memory:'): Promise<void> {
    const get = await loadFlow(
      [registerPlant, registerStore, registerTrace],
      [
        { id: 'f1', type: 'tab' },
        { id: 'p1', type: 'takt-plant', source: 'inline', model: JSON.stringify(MODEL), clock: 'system' },
        { id: 's1', type: 'takt-store', file, plant: 'p1' },
        { id: 'n1', z: 'f1', type: 'takt-trace', plant: 'p1', store: 's1', wires: [['results'], ['attention']], ...config },
        { id: 'results', z: 'f1', type: 'helper' },
        { id: 'attention', z: 'f1', type: 'helper' },
      ],
    )
    node = get('n1')
    results = get('results')
    attention = get('attention')
    store = (get('s1') as StoreNode).store
  }
  const send = (message: Record<string, unknown>): void => node.receive(message as never)
  const ask = (message: Record<string, unknown>, from = results): Promise<Received> => {
    const next = nextMessage(from)
    send(message)
    return next
  }
  const receive = (lot: string, value: number, more: Record<string, unknown> = {}) => ({
    topic: 'genealogy/receive',
    payload: { outputs: [{ lot, quantity: value, unit: 'm', material: 'bar-40' }], ...more },
  })
  const nextError = (): Promise<TaktError> =>
    new Promise((resolve) => (node as unknown as EventEmitter).once('call:error', (call: { args: [TaktError] }) => resolve(call.args[0])))
  const until = async (condition: () => Promise<boolean>): Promise<void> => {
    for (let tries = 0; !(await condition()); tries++) {
      assert.ok(tries < 200, 'it did not come to that')
      await new Promise((later) => setTimeout(later, 20))
    }
  }

  before((done) => void helper.startServer(done))
  after((done) => void helper.stopServer(done))
  afterEach(() => helper.unload())

  it('records events, keeps what the message carried, and tells the same one again as replayed', async () => {
    await load()
    const first = await ask({ ...receive('bar-7', 6, { id: 'e-1' }), by: 'Eva', scanner: 3 })
    assert.deepEqual(
      [first.topic, first.payload.kind, first.payload.id, first.scanner, first.replayed],
      ['genealogy/receive', 'genealogy', 'e-1', 3, undefined],
    )
    assert.deepEqual(
      (first.lots as { id: string }[]).map(({ id }) => id),
      ['bar-7'],
    )
    assert.equal((await store.events(0, 10)).find(({ type }) => type === 'genealogy.receive')?.actor, 'Eva')
    assert.equal((await ask(receive('bar-7', 6, { id: 'e-1' }))).replayed, true)
    const document = {
      kind: 'genealogy',
      event: 'consume',
      inputs: [{ lot: 'bar-7', quantity: { value: 1, unit: 'm' } }],
      outputs: [],
      jobOrder: null,
      time: 5,
    }
    await ask({ payload: document })
    assert.equal((await store.get('lot', 'bar-7'))?.quantity.value, 5)
  })

  it('answers questions', async () => {
    await load()
    await ask(receive('bar-7', 6))
    await ask({
      topic: 'transform',
      payload: { inputs: [{ lot: 'bar-7', quantity: 2, unit: 'm' }], outputs: [{ lot: 'shafts', quantity: 5, unit: 'pcs', material: 'shaft-a' }] },
    })
    const back = await ask({ topic: 'trace/backward', payload: 'shafts' })
    assert.deepEqual([back.topic, back.payload.kind, back.payload.lots.map(({ lot }: { lot: string }) => lot)], ['trace/backward', 'trace', ['bar-7']])
    const forward = await ask({ topic: 'forward', payload: { lot: 'bar-7', relations: true } })
    assert.deepEqual(
      forward.payload.relations.map(({ from, to }: { from: string; to: string }) => [from, to]),
      [['bar-7', 'shafts']],
    )
    assert.equal((await ask({ topic: 'recall', payload: 'bar-7' })).payload.lots.length, 2)
    assert.equal((await ask({ topic: 'touched', payload: 'shafts' })).payload.touched.events.length, 1)
    const limited = await ask({ topic: 'forward', payload: { lot: 'bar-7', limit: 0 } }, attention)
    assert.equal(limited.payload.code, 'TAKT_MESSAGE_INVALID')
  })

  it('refuses at the second output, to catch and to the quarantine, and stays alive', async () => {
    await load()
    await ask(receive('bar-7', 6))
    const wrong: ReadonlyArray<readonly [Record<string, unknown>, string]> = [
      [{ topic: 'consume', payload: { inputs: [{ lot: 'bar-7', quantity: 7, unit: 'm' }] } }, 'TAKT_TRACE_BEYOND_STOCK'],
      [{ topic: 'consume', payload: { inputs: [{ lot: 'bar-7', quantity: -7, unit: 'm' }] } }, 'TAKT_TRACE_QUANTITY'],
      [{ topic: 'consume', payload: { inputs: [{ lot: 'x\0', quantity: 1, unit: 'm' }] } }, 'TAKT_TRACE_NAME'],
      [{ topic: 'consume', payload: { inputs: [{ lot: 'x'.repeat(1_000_000), quantity: 1, unit: 'm' }] } }, 'TAKT_MESSAGE_INVALID'],
      [{ topic: 'consume', payload: { inputs: 'bar-7' } }, 'TAKT_MESSAGE_INVALID'],
      [{ topic: 'nonsense', payload: 7 }, 'TAKT_MESSAGE_INVALID'],
      [{ topic: 'forward', payload: '\ud800' }, 'TAKT_MESSAGE_INVALID'],
      [{ topic: 'forward', payload: `'); drop table lot; --` }, 'TAKT_LOT_UNKNOWN'],
      [{ topic: 'capture', payload: '{"type":"EPCISDocument"}' }, 'TAKT_EPCIS_INVALID'],
      [{ topic: 'contain', payload: 'an-none' }, 'TAKT_ANOMALY_UNKNOWN'],
      [{ topic: 'accept', payload: 'containment-none' }, 'TAKT_CONTAINMENT_UNKNOWN'],
      [{ payload: { kind: 'genealogy', event: 'steal' } }, 'TAKT_MESSAGE_INVALID'],
    ]
    for (const [message, code] of wrong) {
      const error = nextError()
      const told = await ask(message, attention)
      assert.deepEqual([told.topic, told.payload.kind, told.payload.code, (await error).code], ['trace/refused', 'quarantined', code, code])
    }
    await until(async () => (await store.db.selectFrom('quarantine').select('id').execute()).length === wrong.length)
    const quiet = collect(results)
    send({ payload: { kind: 'sample' } })
    assert.equal((await ask({ topic: 'forward', payload: 'bar-7' })).payload.lots.length, 0)
    assert.equal(quiet.length, 1, 'documents of other kinds are for others')
  })

  it('follows what job orders use and count, and holds the lots of an anomaly, also where it happened while it was away', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'takt-test-trace-'))
    const file = join(folder, 'takt.db')
    try {
      await load({ containment: 'auto' }, file)
      await ask(receive('bar-7', 6))
      await until(async () => (await store.loadState('n1', 'place')) !== undefined)
      await helper.unload()

      const away = openStore({ file, clock: new World().clock })
      const world = new World(away)
      await world.order('wo-1', 4)
      const since = world.clock.now()
      await world.run('jo-wo-1-10-saw', SAW, 4)
      await world.run('jo-wo-1-20-mill', MILL_1, 4)
      await world.tx(async (tx) => {
        const response = await tx.get('job-response', 'jr-jo-wo-1-10-saw')
        assert.ok(response)
        const materials = [
          { lot: 'bar-7', quantity: { value: 2, unit: 'm' }, use: 'consumed' as const },
          { lot: 'bar-8', quantity: { value: 1, unit: 'm' }, use: 'consumed' as const },
        ]
        await tx.save<'job-response'>({ ...response, materials }, { type: 'job-response.recorded', actor: 'Eva' })
        await tx.save<'anomaly'>(
          {
            kind: 'anomaly',
            id: 'an-1',
            equipment: MILL_1,
            signals: ['vibration'],
            state: 'cleared',
            method: 'auto',
            score: 1,
            severity: 'high',
            since,
            time: since + 60 * MINUTE,
            evidence: [],
          },
          { type: 'anomaly.cleared', actor: 'node:anomaly' },
        )
      })
      await away.close()

      await load({ containment: 'auto' }, file)
      await until(async () => (await store.get('lot', 'lot-wo-1'))?.disposition === 'held')
      assert.equal((await store.get('lot', 'bar-7'))?.quantity.value, 4)
      assert.equal((await store.get('containment', 'containment-an-1'))?.status, 'acted')
      // what waited for a lot is booked when it comes in
      await ask(receive('bar-8', 3), results)
      await until(async () => (await store.get('lot', 'bar-8'))?.quantity.value === 2)
      const answer = nextMessage(results, ({ topic }) => topic === 'trace/backward')
      send({ topic: 'backward', payload: 'lot-wo-1' })
      assert.deepEqual(
        (await answer).payload.lots.map(({ lot }: { lot: string }) => lot),
        ['bar-7', 'bar-8'],
      )
      assert.ok((await store.verify()).ok)
    } finally {
      await helper.unload()
      rmSync(folder, { recursive: true, force: true })
    }
  })

  it('proposes a containment to a person, and takes the answer', async () => {
    await load()
    const world = new World(store)
    await world.order('wo-1', 4)
    const since = world.clock.now()
    await world.run('jo-wo-1-10-saw', SAW, 4)
    const anomaly = {
      kind: 'anomaly',
      id: 'an-1',
      equipment: SAW,
      signals: ['load'],
      state: 'cleared',
      method: 'auto',
      score: 1,
      severity: 'high',
      since,
      time: since + 60 * MINUTE,
      evidence: [],
    }
    const proposal = await ask({ payload: anomaly }, attention)
    assert.deepEqual([proposal.topic, proposal.payload.status], [`${SAW}/containment`, 'proposed'])
    const held = nextMessage(attention)
    const acted = await ask({ topic: 'accept', payload: { containment: 'containment-an-1', why: 'looked at it' }, by: 'node:evil' })
    assert.deepEqual([acted.payload.status, acted.payload.decidedBy], ['acted', "'node:evil'"])
    assert.deepEqual([(await held).payload.id, (await store.get('lot', 'lot-wo-1'))?.disposition], ['lot-wo-1', 'held'])
  })

  it('goes as far as a person says by message, also after a restart', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'takt-test-trace-'))
    const file = join(folder, 'takt.db')
    const anomaly = (id: string, since: number) => ({
      payload: {
        kind: 'anomaly',
        id,
        equipment: SAW,
        signals: ['load'],
        state: 'cleared',
        method: 'auto',
        score: 1,
        severity: 'high',
        since,
        time: since + 60 * MINUTE,
        evidence: [],
      },
    })
    try {
      await load({}, file)
      const world = new World(store)
      await world.order('wo-1', 4)
      const since = world.clock.now()
      await world.run('jo-wo-1-10-saw', SAW, 4)
      assert.equal((await ask(anomaly('an-1', since), attention)).payload.status, 'proposed')
      send({ topic: 'trace/autonomy', payload: 'auto' })
      await until(async () => (await store.loadState('n1', 'autonomy')) !== undefined)
      assert.equal((await ask({ topic: 'trace/autonomy', payload: 'wild' }, attention)).payload.code, 'TAKT_MESSAGE_INVALID')
      await helper.unload()
      await load({}, file)
      assert.equal((await ask(anomaly('an-2', since))).payload.status, 'acted')
      await helper.unload()
      await load({ containment: 'off' }, file)
      const told = collect(results)
      send(anomaly('an-3', since))
      assert.equal((await ask({ topic: 'recall', payload: 'lot-wo-1' })).payload.kind, 'trace')
      assert.equal(told.length, 1, 'the dialog was set to something else')
    } finally {
      await helper.unload()
      rmSync(folder, { recursive: true, force: true })
    }
  })

  it('captures and exports EPCIS', async () => {
    await load({ book: true, idScheme: 'digital-link', gtins: '{"shaft-a":{"gtin":"04012345123456"}}' })
    await ask({ topic: 'produce', payload: { outputs: [{ lot: 'shafts', quantity: 5, unit: 'pcs', material: 'shaft-a' }] } })
    const document = (await ask({ topic: 'export', payload: { lot: 'shafts' } })).payload
    assert.equal(document.epcisBody.eventList[0].quantityList[0].epcClass, 'https://id.gs1.org/01/04012345123456/10/shafts')
    const shipped = {
      ...document,
      epcisBody: { eventList: [{ ...document.epcisBody.eventList[0], eventID: 'urn:x:1', action: 'OBSERVE', bizStep: 'shipping' }] },
    }
    const problems = nextMessage(attention)
    const receipt = await ask({ payload: shipped })
    assert.deepEqual([receipt.payload.kind, receipt.payload.status, (receipt.events as unknown[]).length], ['receipt', 'done', 1])
    assert.equal(((await problems).events as { code: string }[])[0]?.code, 'TAKT_TRACE_EVENT', 'it is shipped to nobody')
    const again = await ask({ topic: 'epcis/export', payload: { document: receipt.payload.of } })
    assert.deepEqual(again.payload, shipped)
  })

  for (const wrong of [
    { containment: 'sometimes' },
    { gtins: '[]' },
    { gtins: '{"a":"123"}' },
    { names: 'x' },
    { idBase: 'no uri' },
    { minSeverity: 'huge' },
  ]) {
    it(`does not start with ${JSON.stringify(wrong)}`, async () => {
      await load(wrong)
      const error = nextError()
      send({ topic: 'forward', payload: 'bar-7' })
      assert.equal((await error).code, 'TAKT_CONFIG_INVALID')
    })
  }
})
