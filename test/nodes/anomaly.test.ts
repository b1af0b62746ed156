import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Node } from 'node-red'
import type { Sample } from '../../core/messages/sample.ts'
import { validateDocument } from '../../core/messages/validate.ts'
import registerAnomaly from '../../nodes/anomaly/anomaly.ts'
import { tellsOfBounds } from '../../nodes/anomaly/tells-of-bounds.ts'
import registerPlant from '../../nodes/plant/plant.ts'
import registerStore, { type StoreNode } from '../../nodes/store/store.ts'
import { loadExample } from './support/example.ts'
import { collect, helper, loadFlow, nextMessage } from './support/helper.ts'
import { MILL, machinePlant } from './support/machine-plant.ts'

describe('anomaly node', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'takt-anomaly-'))
    helper.settings({ userDir: folder } as never)
  })
  afterEach(async () => {
    await helper.unload()
    helper.settings({})
    rmSync(folder, { recursive: true, force: true })
  })

  interface Loaded {
    readonly anomaly: Node
    readonly out: Node
    readonly scored: Node
    readonly caught: Node
    readonly node: (id: string) => Node
  }

  async function load(properties: Record<string, unknown> = {}): Promise<Loaded> {
    const node = await loadFlow(
      [registerPlant, registerStore, registerAnomaly],
      [
        { id: 'f1', type: 'tab' },
        machinePlant(),
        { id: 'b0', type: 'takt-store', file: 'takt.db' },
        { id: 'n0', z: 'f1', type: 'takt-anomaly', method: 'limits', high: '10', clearAfter: '0', wires: [['d0'], ['d1']], ...properties },
        { id: 'd0', z: 'f1', type: 'helper' },
        { id: 'd1', z: 'f1', type: 'helper' },
        { id: 'c0', z: 'f1', type: 'catch', scope: ['n0'], wires: [['e0']] },
        { id: 'e0', z: 'f1', type: 'helper' },
      ],
    )
    return { anomaly: node('n0'), out: node('d0'), scored: node('d1'), caught: node('e0'), node }
  }

  let clock = 1_700_000_000_000
  const sample = (value: Sample['value'], signal = 'vibration'): Record<string, unknown> => {
    const time = (clock += 1000)
    const payload: Sample = { kind: 'sample', equipment: MILL, signal, value, quality: 'good', time, received: time }
    return { topic: `${MILL}/${signal}`, payload }
  }
  const send = (node: Node, ...messages: Record<string, unknown>[]): void => {
    for (const message of messages) node.receive(message as never)
  }

  it('raises and clears on its first output, scores every sample on its second', async () => {
    const { anomaly, out, scored } = await load()
    const charted = collect(scored)
    const raised = nextMessage(out)
    send(anomaly, sample(1), sample(12))
    const first = await raised
    assert.equal(first.topic, `${MILL}/anomaly`)
    validateDocument(first.payload, 'anomaly', 'test')
    const cleared = nextMessage(out)
    send(anomaly, sample(2))
    const second = (await cleared).payload
    assert.deepEqual([first.payload.state, second.state, second.id], ['raised', 'cleared', first.payload.id])
    assert.deepEqual(
      charted.map(({ payload, anomaly: said }) => [payload.value, (said as { raised: boolean }).raised, (said as { upper: number }).upper]),
      [
        [1, false, 10],
        [12, true, 10],
        [2, false, 10],
      ],
    )
  })

  it('takes numbers with a topic, and batches', async () => {
    const { anomaly, out } = await load()
    const raised = nextMessage(out)
    send(anomaly, { topic: 'office/temperature', payload: 30 })
    const { payload } = await raised
    assert.deepEqual([payload.equipment, payload.signals], ['office', ['temperature']])
    const other = nextMessage(out)
    send(anomaly, { payload: [sample(1).payload, sample(50).payload, sample(51).payload] })
    assert.equal((await other).payload.equipment, MILL)
  })

  it('watches the condition signals of a plant, by their own alarm limits', async () => {
    const { anomaly, out, scored } = await load({ plant: 'a1', high: '' })
    const charted = collect(scored)
    const raised = nextMessage(out)
    send(anomaly, sample(99, 'good'), sample(99, 'unknown'), sample('text'), sample(11))
    assert.deepEqual((await raised).payload.signals, ['vibration'])
    assert.equal(charted.length, 1)
  })

  it('neither learns nor judges while the unit does not run', async () => {
    const { anomaly, out } = await load()
    const state = (name: string): Record<string, unknown> => ({
      payload: {
        kind: 'machine-state',
        equipment: MILL,
        state: name,
        mode: 'Produce',
        since: clock,
        element: null,
        reason: null,
        jobOrder: 'jo-1',
        time: clock,
      },
    })
    const seen = collect(out)
    send(anomaly, state('Idle'), sample(50), state('Execute'))
    const raised = nextMessage(out)
    send(anomaly, sample(40))
    assert.deepEqual((await raised).payload.context, { jobOrder: 'jo-1' })
    assert.equal(seen.length, 1)
  })

  it('remembers what it learned, and the standing alarm, through a redeploy: in a file', async () => {
    const first = await load({ method: 'auto', high: '' })
    const raised = nextMessage(first.out)
    for (let n = 0; n < 100; n++) send(first.anomaly, sample(50 + (n % 7) / 7))
    for (let n = 0; n < 5; n++) send(first.anomaly, sample(80))
    const { id } = (await raised).payload
    await helper.unload()
    assert.deepEqual(readdirSync(join(folder, 'takt')), ['anomaly-n0'])
    const second = await load({ method: 'auto', high: '' })
    const cleared = nextMessage(second.out)
    for (let n = 0; n < 60; n++) send(second.anomaly, sample(50 + (n % 7) / 7))
    assert.deepEqual([(await cleared).payload.state, (await cleared).payload.id], ['cleared', id])
  })

  it('remembers in the store too, and records each anomaly there before it tells', async () => {
    const first = await load({ store: 'b0' })
    const raised = nextMessage(first.out)
    send(first.anomaly, sample(12))
    const { payload } = await raised
    const { store } = first.node('b0') as StoreNode
    assert.deepEqual(await store.get('anomaly', payload.id), payload)
    assert.ok(payload.ledger > 0)
    await helper.unload()
    const second = await load({ store: 'b0' })
    const cleared = nextMessage(second.out)
    send(second.anomaly, sample(1))
    const stored = (await cleared).payload
    assert.deepEqual([stored.id, stored.state, stored.revision], [payload.id, 'cleared', 2])
    const events = await (second.node('b0') as StoreNode).store.events(0, 10)
    assert.deepEqual(
      events.map(({ type }) => type),
      ['anomaly.raised', 'anomaly.cleared'],
    )
  })

  it('refuses messages that are no sample, and works on', async () => {
    const { anomaly, out, caught } = await load({ store: 'b0', plant: 'a1' })
    const errors = collect(caught)
    const raised = nextMessage(out)
    send(
      anomaly,
      { topic: `${MILL}/vibration`, payload: Number.NaN },
      { payload: 7 },
      { topic: 'x', payload: 7 },
      { payload: { kind: 'sample', equipment: MILL, signal: 'vibration' } },
      { payload: { kind: 'count' } },
      { topic: `${MILL}/vibration`, payload: 12 },
    )
    await raised
    assert.deepEqual(
      errors.map(({ payload }) => payload.code),
      ['TAKT_SAMPLE_VALUE_NOT_FINITE', 'TAKT_SAMPLE_SIGNAL_MISSING', 'TAKT_EQUIPMENT_UNKNOWN', 'TAKT_MESSAGE_INVALID'],
    )
  })

  const inState = (context: Record<string, string>, value: number): Record<string, unknown> => {
    const message = sample(value)
    return { ...message, payload: { ...(message.payload as Sample), context } }
  }

  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await new Promise((resolve) => setImmediate(resolve))
  }

  it('keeps a baseline for each product: said by the sample, or by the orders on its input', async () => {
    const { anomaly, out, scored, caught } = await load({ method: 'ewma', high: '', context: 'product' })
    const seen = collect(out)
    const charted = collect(scored)
    const errors = collect(caught)
    send(anomaly, { payload: { kind: 'job-order', id: 'half an order' } })
    const job = (id: string, workOrder: string): Record<string, unknown> => ({
      payload: {
        ...{ kind: 'job-order', id, workOrder, operation: 'mill', sequence: 0, after: [], state: 'Running', substate: null, equipment: MILL, alternatives: [] },
        ...{ quantity: { value: 1, unit: 'pcs' }, good: 0, scrap: 0, lot: null, plannedStart: null, plannedEnd: null, actualStart: null, actualEnd: null },
        ...{ planVersion: null, pinned: false },
      },
    })
    send(anomaly, job('j-b', 'wo-b'))
    for (let round = 0; round < 3; round++) {
      for (let n = 0; n < 60; n++) send(anomaly, inState({ product: 'A' }, 10 + (n % 7) / 7))
      for (let n = 0; n < 60; n++) send(anomaly, inState({ product: 'B', jobOrder: 'j-b' }, 40 + (n % 7) / 7))
    }
    await until(() => charted.length === 360)
    assert.deepEqual(seen, [])
    const raised = nextMessage(out)
    for (let n = 0; n < 10; n++) send(anomaly, inState({ product: 'A' }, 40))
    assert.equal((await raised).payload.state, 'raised')
    assert.deepEqual(
      errors.map(({ payload }) => payload.code),
      ['TAKT_MESSAGE_INVALID'],
    )
  })

  it('says in sum what it had to forget or to refuse, each once a minute', () => {
    const told: string[] = []
    const bounds = tellsOfBounds(1000, 'anomaly', (what) => told.push(what))
    bounds.report(0)
    bounds.hears.contextForgotten(MILL, 'vibration', 'A')
    bounds.report(1000)
    for (let n = 0; n < 40; n++) bounds.hears.contextForgotten(MILL, 'vibration', `P${n}`)
    for (let n = 0; n < 900; n++) bounds.hears.forgotten(1, 'room')
    for (let n = 0; n < 7; n++) bounds.hears.refused(MILL, `s${n}`)
    bounds.hears.forgotten(1, 'idle')
    for (const now of [2000, 60_999, 61_000, 200_000]) bounds.report(now)
    assert.equal(told.length, 5)
    for (const [at, says] of [
      [0, /of 1 contexts/],
      [1, /^anomaly: 1 signal of which nothing was heard/],
      [2, /TAKT_SIGNALS_TOO_MANY: it watches 1000 signals at most; 900 signals, /],
      [3, /TAKT_SIGNALS_TOO_MANY: .*all of them are in alarm; 7 values .*vibration|s6'/],
      [4, /of 40 contexts/],
    ] as const)
      assert.match(told[at] ?? '', says)
  })

  it('looks an unknown job order up in the store, once', async () => {
    const { anomaly, scored, node } = await load({ method: 'ewma', high: '', context: 'product', store: 'b0' })
    const { store } = node('b0') as StoreNode
    const asked: string[] = []
    const get = store.get.bind(store)
    store.get = ((kind: 'job-order', id: string) => {
      asked.push(`${kind} ${id}`)
      return get(kind, id)
    }) as typeof store.get
    const charted = collect(scored)
    for (let round = 1; round <= 3; round++) {
      for (let n = 0; n < 20; n++) send(anomaly, inState({ jobOrder: 'jo-unknown' }, 10))
      await until(() => charted.length === 20 * round)
      await get('lot', 'after')
    }
    assert.deepEqual(
      asked.filter((what) => what.startsWith('job-order')),
      ['job-order jo-unknown'],
    )
  })

  it('is told to retrain, freeze, unfreeze and forget, and refuses other commands', async () => {
    const { anomaly, out, scored, caught } = await load({ method: 'ewma', high: '', store: 'b0' })
    const errors = collect(caught)
    const raised = nextMessage(out)
    for (let n = 0; n < 60; n++) send(anomaly, sample(10 + (n % 7) / 7))
    for (let n = 0; n < 10; n++) send(anomaly, sample(40 + (n % 7) / 7))
    const { id } = (await raised).payload
    const cleared = nextMessage(out)
    send(anomaly, { payload: { command: 'freeze' } }, { payload: { command: 'retrain', equipment: MILL, signal: 'vibration' } })
    const { payload, topic } = await cleared
    assert.deepEqual([payload.id, payload.state, payload.evidence[0].source, topic], [id, 'cleared', 'retrain', `${MILL}/anomaly`])
    const charted = collect(scored)
    for (let n = 0; n < 60; n++) send(anomaly, sample(40 + (n % 7) / 7))
    await until(() => charted.length === 60)
    const expected = (): unknown => (charted.at(-1)?.anomaly as { expected: number | null } | undefined)?.expected
    assert.ok(Math.abs(Number(expected()) - 40.4) < 0.3)
    send(anomaly, { payload: { command: 'forget', signal: 'vibration' } }, sample(40))
    await until(() => charted.length === 61)
    assert.equal(expected(), null)
    send(
      anomaly,
      { payload: { command: 'explode' } },
      { payload: { command: 'freeze', equipment: 7 } },
      { payload: { command: 'freeze', equipment: 'acme/nowhere' } },
    )
    await until(() => errors.length === 3)
    assert.deepEqual(
      errors.map(({ payload: record }) => record.code),
      ['TAKT_MESSAGE_INVALID', 'TAKT_MESSAGE_INVALID', 'TAKT_SIGNAL_UNKNOWN'],
    )
  })

  it('stays frozen through a redeploy', async () => {
    const settings = { method: 'cusum', high: '' }
    // what was not heard of for a month is forgotten when it is saved
    clock = Date.now()
    const first = await load(settings)
    const learned = collect(first.scored)
    for (let n = 0; n < 150; n++) send(first.anomaly, sample(10 + (n % 7) / 7))
    send(first.anomaly, { payload: { command: 'freeze', equipment: MILL } }, sample(10))
    await until(() => learned.length === 151)
    await helper.unload()
    const second = await load(settings)
    const charted = collect(second.scored)
    for (let n = 0; n < 300; n++) send(second.anomaly, sample(10.4))
    await until(() => charted.length === 300)
    const expected = new Set(charted.map(({ anomaly: said }) => (said as { expected: number }).expected))
    assert.equal(expected.size, 1)
    assert.ok(!expected.has(null as never))
  })

  it('takes each method with its defaults, as a flow saved before has it', async () => {
    for (const method of ['cusum', 'hampel', 'seasonal', 'discord', 'drift', 'variance']) {
      const { anomaly, scored, caught } = await load({ method, high: '' })
      const errors = collect(caught)
      const seen = nextMessage(scored)
      send(anomaly, sample(1))
      assert.equal((await seen).payload.value, 1, method)
      assert.deepEqual(errors, [], method)
      await helper.unload()
    }
  })

  for (const [what, properties] of [
    ['standard deviation', { method: 'cusum', sigma: '0' }],
    ['target', { method: 'cusum', target: 'ten' }],
    ['allowance', { method: 'cusum', allowance: '-1' }],
    ['decision limit', { method: 'cusum', decision: '0' }],
    ['reach', { method: 'hampel', reach: '1' }],
    ['season', { method: 'seasonal', season: 'year' }],
    ['period', { method: 'seasonal', season: 'period' }],
    ['period, a text', { method: 'seasonal', season: 'period', period: 'long' }],
    ['shape', { method: 'discord', shape: '3' }],
    ['memory', { method: 'discord', memory: '10' }],
    ['memory for the shape', { method: 'discord', shape: '200', memory: '700' }],
    ['drift', { method: 'drift', driftSize: '0' }],
    ['long average', { method: 'drift', driftOver: 'x' }],
    ['short term', { method: 'variance', shortTerm: '2' }],
    ['factor', { method: 'variance', factor: '1' }],
    ['cycle', { method: 'seasonal', season: 'cycle' }],
    ['cycle, of another equipment', { method: 'seasonal', season: 'cycle', cycle: 'acme/good' }],
    ['beginning of a cycle', { method: 'seasonal', season: 'cycle', cycle: 'good', cycleBegins: 'fall' }],
    ['false-alarm budget', { method: 'ewma', falseAlarms: '-1' }],
    ['false-alarm budget of a limit', { falseAlarms: '2' }],
    ['context', { context: 'weather' }],
    ['method', { method: 'magic' }],
    ['limit', { low: '20', high: '10' }],
    ['number', { holdOff: 'soon' }],
    ['rate', { method: 'rate', rate: '' }],
    ['role', { roles: 'condition, quality' }],
    ['state', { judgeOnlyIn: 'Running' }],
    ['limits at all', { high: '' }],
  ] as const) {
    it(`says that the ${what} is wrong`, async () => {
      const { anomaly, caught } = await load(properties)
      const error = nextMessage(caught)
      send(anomaly, sample(1))
      assert.match(JSON.stringify((await error).error), /TAKT_CONFIG_INVALID/)
    })
  }

  it('says which signal or equipment of its settings the plant does not have, at deploy', async () => {
    for (const [properties, what] of [
      [{ filter: `${MILL}/vibraton` }, /no signal 'acme\/line-1\/mill-1\/vibraton'/],
      [{ method: 'seasonal', season: 'cycle', cycle: 'strokes' }, /'acme\/line-1\/mill-1' has no signal 'strokes'/],
      [{ method: 'seasonal', season: 'cycle', cycle: 'good', roles: 'characteristic' }, /no equipment .* 'good'/],
    ] as const) {
      const { anomaly, caught } = await load({ plant: 'a1', ...properties })
      const error = nextMessage(caught)
      send(anomaly, sample(1))
      const text = JSON.stringify((await error).error)
      assert.match(text, /TAKT_CONFIG_INVALID/)
      assert.match(text, what)
      await helper.unload()
    }
  })

  it('says so too when the plant is reloaded without a signal that it names, and works on', async () => {
    const file = join(folder, 'plant.json')
    const model = JSON.parse(String(machinePlant().model)) as { equipment: Array<{ signals: Array<{ name: string }> }> }
    const write = (): void => writeFileSync(file, JSON.stringify(model))
    write()
    const node = await loadFlow(
      [registerPlant, registerStore, registerAnomaly],
      [
        { id: 'f1', type: 'tab' },
        { ...machinePlant(), source: 'file', file },
        { id: 'n0', z: 'f1', type: 'takt-anomaly', plant: 'a1', method: 'seasonal', season: 'cycle', cycle: 'good', wires: [[], ['d1']] },
        { id: 'd1', z: 'f1', type: 'helper' },
        { id: 'c0', z: 'f1', type: 'catch', scope: ['n0'], wires: [['e0']] },
        { id: 'e0', z: 'f1', type: 'helper' },
      ],
    )
    const told: string[] = []
    const anomaly = node('n0')
    anomaly.error = ((thrown: unknown) => void told.push(String(thrown))) as never
    for (const unit of model.equipment) unit.signals = unit.signals.filter(({ name }) => name !== 'good')
    write()
    await until(() => told.length > 0)
    assert.match(told[0] ?? '', /TAKT_CONFIG_INVALID: 'acme\/line-1\/mill-1' has no signal 'good'/)
    const charted = nextMessage(node('d1'))
    send(anomaly, sample(1))
    assert.equal((await charted).payload.value, 1)
  })

  it('judges by machine cycles, of a signal beside it in the stream', async () => {
    const { anomaly, out, scored } = await load({ plant: 'a1', high: '', method: 'seasonal', season: 'cycle', cycle: 'good' })
    const raised = nextMessage(out)
    const charted = collect(scored)
    for (let cycle = 0; cycle < 20; cycle++) {
      send(anomaly, sample(cycle, 'good'))
      for (let n = 0; n < 20; n++) send(anomaly, sample(10 * Math.sin(n / 6) + (n % 3) / 10 + (cycle === 19 && n > 8 ? 9 : 0)))
    }
    const { payload } = await raised
    assert.deepEqual([payload.signals, payload.evidence[0].source], [['vibration'], 'seasonal'])
    assert.match(payload.evidence[0].text, /of the cycle, seen in/)
    assert.ok(charted.every(({ payload: said }) => said.signal === 'vibration'))
  })

  it('keeps to a false-alarm budget, and says with each sample which threshold is in force', async () => {
    const { anomaly, scored } = await load({ method: 'ewma', high: '', falseAlarms: '2' })
    const charted = collect(scored)
    for (let n = 0; n < 60; n++) send(anomaly, sample(10 + (n % 7) / 7))
    await until(() => charted.length === 60)
    assert.equal((charted.at(-1)?.anomaly as { threshold?: number } | undefined)?.threshold, 2)
  })

  it('leaves nothing behind when it is removed, in the store or in a file', async () => {
    for (const store of ['b0', '']) {
      const { anomaly, scored, node } = await load({ store, method: 'ewma', high: '' })
      const seen = nextMessage(scored)
      send(anomaly, sample(1))
      await seen
      await (anomaly as unknown as { close(removed: boolean): Promise<void> }).close(true)
      if (store !== '') assert.deepEqual(await (node('b0') as StoreNode).store.loadStates('n0', '', 10), [])
      assert.deepEqual(existsSync(join(folder, 'takt')) ? readdirSync(join(folder, 'takt')) : [], [])
      await helper.unload()
    }
  })

  it('takes on what versions before saved in one file', async () => {
    mkdirSync(join(folder, 'takt'))
    const latch = { since: 0, values: 0, alarm: { id: 'an-old', since: 1, severity: 'low', worst: 1 } }
    const saved = { format: 1, method: 'limits', tracks: [[MILL, [['vibration', { detector: {}, latch, time: 1, value: 20, late: 0 }]]]], units: {} }
    writeFileSync(join(folder, 'takt', 'anomaly-n0.json'), JSON.stringify(saved))
    const { anomaly, out } = await load()
    const cleared = nextMessage(out)
    send(anomaly, sample(1))
    assert.deepEqual([(await cleared).payload.id, (await cleared).payload.state], ['an-old', 'cleared'])
    assert.deepEqual(readdirSync(join(folder, 'takt')), ['anomaly-n0'])
  })

  it('has an example that works', async () => {
    const { node, press } = await loadExample('anomaly.json', [registerPlant, registerAnomaly])
    const raised = nextMessage(node('anomalies'))
    for (let value = 0; value < 100; value++) press('ten a second')
    press('wear')
    for (let value = 0; value < 100; value++) press('ten a second')
    const { payload } = await raised
    assert.deepEqual([payload.state, payload.signals, payload.evidence[0].source], ['raised', ['vibration'], 'level'])
  })
})
