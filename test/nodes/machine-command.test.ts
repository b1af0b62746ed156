import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type MqttClient } from 'mqtt'
import { StatusCodes } from 'node-opcua'
import type { Node } from 'node-red'
import registerMachineCommand from '../../nodes/machine-command/machine-command.ts'
import registerMqttBroker, { type MqttBrokerNode } from '../../nodes/mqtt-broker/mqtt-broker.ts'
import registerOpcuaEndpoint from '../../nodes/opcua-endpoint/opcua-endpoint.ts'
import registerPlant from '../../nodes/plant/plant.ts'
import registerStore, { type StoreNode } from '../../nodes/store/store.ts'
import { OpcuaTestServer } from '../core/connect/support/opcua-server.ts'
import { until } from '../core/connect/support/wait.ts'
import { embeddedBrokerNode, endpointNode, errorCodesOf, MILL, plantNode, statusOf } from './support/connect.ts'
import { collect, type FlowNode, helper, loadFlow, type Received } from './support/helper.ts'

const registers = [registerPlant, registerStore, registerMqttBroker, registerOpcuaEndpoint, registerMachineCommand]

describe('machine command node', function () {
  this.timeout(60_000)
  let folder: string
  let server: OpcuaTestServer
  let machine: MqttClient
  let node: (id: string) => Node
  let receipts: Received[]
  let problems: Received[]
  let caught: Received[]
  /** What the machine was told over MQTT. */
  let told: Array<{ topic: string; body: { id: string; name: string; arguments: unknown; ts: number } }>
  /** What it answers; nothing when undefined. */
  let answer: ((of: string) => unknown) | undefined

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'takt-machine-command-'))
    server = await OpcuaTestServer.start()
  })
  after(async () => {
    helper.settings({})
    await server.remove()
    rmSync(folder, { recursive: true, force: true })
  })
  afterEach(async () => {
    await machine?.endAsync(true)
    await helper.unload()
    server.answer = StatusCodes.Good
    server.reply = ''
    server.calls.length = 0
  })

  async function load(more: Record<string, unknown> = {}, others: readonly FlowNode[] = []): Promise<void> {
    helper.settings({ userDir: folder } as never)
    node = await loadFlow(registers, [
      { id: 'tab', type: 'tab', label: 'test' },
      plantNode(),
      embeddedBrokerNode(0),
      endpointNode(server.url),
      ...others,
      {
        id: 'command',
        type: 'takt-machine-command',
        name: 'cell',
        plant: 'plant',
        autonomy: 'auto',
        timeout: '2',
        z: 'tab',
        x: 1,
        y: 1,
        wires: [['receipts'], ['problems']],
        ...more,
      },
      { id: 'receipts', type: 'helper', z: 'tab', x: 1, y: 1, wires: [] },
      { id: 'problems', type: 'helper', z: 'tab', x: 1, y: 1, wires: [] },
      { id: 'caught', type: 'helper', z: 'tab', x: 1, y: 1, wires: [] },
      { id: 'catch', type: 'catch', z: 'tab', x: 1, y: 1, scope: ['command'], wires: [['caught']] },
    ])
    receipts = collect(node('receipts'))
    problems = collect(node('problems'))
    caught = collect(node('caught'))
    told = []
    answer = (of) => ({ of, status: 'done' })
    const broker = node('broker') as MqttBrokerNode
    await until(() => broker.connection.state === 'connected', 'the broker')
    machine = connect(broker.brokerUrl)
    machine.on('message', (topic, payload) => {
      const body = JSON.parse(payload.toString()) as (typeof told)[number]['body']
      told.push({ topic, body })
      if (topic === 'mill/command' && answer !== undefined) machine.publish('mill/reply', JSON.stringify(answer(body.id)), { qos: 1 })
    })
    await until(() => machine.connected, 'the machine')
    await machine.subscribeAsync(['mill/command', 'mill/light', 'mill/nobody'], { qos: 1 })
  }

  let next = 1
  function give(name: string, args: Record<string, unknown> = {}, more: Record<string, unknown> = {}): string {
    const id = `cmd-${next++}`
    node('command').receive({ payload: { kind: 'command', id, to: MILL, name, arguments: args, ...more }, order: 'kept' } as never)
    return id
  }
  const state = (name: string) =>
    node('command').receive({
      payload: { kind: 'machine-state', equipment: MILL, state: name, mode: 'Produce', since: 1, element: null, reason: null, jobOrder: null, time: 1 },
    } as never)
  const receiptOf = async (id: string) => {
    await until(() => receipts.some(({ payload }) => payload.of === id), `the receipt of ${id}`)
    return receipts.find(({ payload }) => payload.of === id)!
  }

  it('tells a machine over MQTT, and gives its answer as the receipt', async () => {
    await load()
    state('Idle')
    const id = give('start-job', { jobOrder: 'jo-1', quantity: 5 })
    const message = await receiptOf(id)
    assert.deepEqual({ ...message.payload, time: 0 }, { kind: 'receipt', of: id, to: MILL, status: 'done', time: 0 })
    assert.deepEqual([message.topic, message.order], [`${MILL}/receipt`, 'kept'])
    assert.deepEqual(
      told.map(({ topic, body }) => [topic, body.id, body.name, body.arguments]),
      [['mill/command', id, 'start-job', { jobOrder: 'jo-1', quantity: 5 }]],
    )
    assert.ok(Math.abs(told[0]!.body.ts - Date.now()) < 60_000)
    assert.equal(problems.length, 0)
    await until(() => statusOf(node('command')).text === 'start-job mill: done', 'the status')
  })

  it('says `sent` where the machine gives no answer', async () => {
    await load()
    assert.equal((await receiptOf(give('light'))).payload.status, 'sent')
    await until(() => told.length === 1, 'the machine has it')
  })

  it('passes the machine’s refusal on, and shows it to a person', async () => {
    await load()
    answer = (of) => ({ kind: 'receipt', of, status: 'refused', reason: 'the door is open' })
    const { payload } = await receiptOf(give('stop'))
    assert.deepEqual([payload.status, payload.code, payload.reason], ['refused', 'TAKT_COMMAND_REFUSED', 'the door is open'])
    await until(() => problems.length === 1, 'the problem')
    assert.equal((problems[0]!.command as { name: string }).name, 'stop')
  })

  it('fails when nobody answers, and takes no notice of answers to others or of rubbish', async () => {
    await load({ timeout: '1' })
    answer = () => ({ of: 'somebody else', status: 'done' })
    const id = give('stop')
    await until(() => told.length === 1, 'the machine has it')
    await machine.publishAsync('mill/reply', 'rubbish', { qos: 1 })
    await machine.publishAsync('mill/reply', JSON.stringify({ of: id, status: 'perhaps' }), { qos: 1 })
    const { payload } = await receiptOf(id)
    assert.deepEqual([payload.status, payload.code], ['failed', 'TAKT_COMMAND_UNANSWERED'])
    assert.equal(problems.length, 1)
  })

  it('does not send a repeated id twice', async () => {
    await load()
    const command = { kind: 'command', id: 'cmd-same', to: MILL, name: 'stop', arguments: {} }
    for (let i = 0; i < 3; i++) node('command').receive({ payload: { ...command } } as never)
    await until(() => receipts.length === 3, 'three receipts')
    node('command').receive({ payload: { ...command } } as never)
    await until(() => receipts.length === 4, 'one more')
    assert.deepEqual(new Set(receipts.map(({ payload }) => payload.status)), new Set(['done']))
    assert.equal(told.length, 1)
  })

  it('calls OPC UA methods, and reads their answer', async () => {
    await load()
    server.reply = '{"of":"x","status":"refused","code":"E7","reason":"not homed"}'
    const id = give('reset', { axis: 1 })
    const { payload } = await receiptOf(id)
    assert.deepEqual([payload.status, payload.code, payload.reason], ['refused', 'E7', 'not homed'])
    assert.deepEqual({ ...JSON.parse(server.calls[0]!), ts: 0 }, { id, name: 'reset', arguments: { axis: 1 }, ts: 0 })
    server.reply = ''
    assert.equal((await receiptOf(give('reset'))).payload.status, 'done')
    server.answer = StatusCodes.BadInvalidState
    const refused = (await receiptOf(give('reset'))).payload
    assert.deepEqual([refused.status, refused.code], ['refused', 'TAKT_COMMAND_REFUSED'])
    assert.match(refused.reason, /BadInvalidState/)
  })

  it('writes OPC UA variables: the one argument, or the whole command as JSON', async () => {
    await load()
    assert.equal((await receiptOf(give('setpoint', { value: 12.5 }))).payload.status, 'done')
    assert.equal(server.get('Setpoint'), 12.5)
    const id = give('order', { a: 1, b: 2 })
    assert.equal((await receiptOf(id)).payload.status, 'done')
    assert.deepEqual({ ...JSON.parse(String(server.get('Order'))), ts: 0 }, { id, name: 'order', arguments: { a: 1, b: 2 }, ts: 0 })
  })

  it('gives a method its arguments by name, and refuses what the server could not take before it is sent', async () => {
    await load()
    server.reply = ''
    server.answer = StatusCodes.Good
    assert.equal((await receiptOf(give('setup', { program: 'shaft', speed: 900, serial: '9007199254740993', steps: '[1,2]' }))).payload.status, 'done')
    assert.equal(server.calls.at(-1), 'shaft 900 2097152,1 1,2')
    const told = server.calls.length
    for (const wrong of [{ program: 'shaft' }, { program: 'shaft', speed: 'fast', serial: 1, steps: '[]' }]) {
      const { payload } = await receiptOf(give('setup', wrong))
      assert.deepEqual([payload.status, payload.code], ['refused', 'TAKT_OPCUA_VALUE'])
    }
    assert.equal(server.calls.length, told)
    server.answer = StatusCodes.BadUserAccessDenied
    assert.equal((await receiptOf(give('setup', { program: 'a', speed: 1, serial: 1, steps: '[]' }))).payload.code, 'TAKT_OPCUA_ACCESS')
  })

  it('writes wide integers exactly, and reads them back', async () => {
    await load()
    assert.equal((await receiptOf(give('serial', { value: '9007199254740993' }))).payload.status, 'done')
    assert.deepEqual(server.get('Big'), [2 ** 21, 1])
    const tooWide = (await receiptOf(give('serial', { value: '9223372036854775808' }))).payload
    assert.deepEqual([tooWide.status, tooWide.code], ['refused', 'TAKT_OPCUA_VALUE'])
    const readOnly = (await receiptOf(give('status', { value: 1 }))).payload
    assert.deepEqual([readOnly.status, readOnly.code], ['refused', 'TAKT_OPCUA_ACCESS'])
  })

  it('asks the interlock: by messages, or by what the store has committed', async () => {
    await load()
    const unknown = (await receiptOf(give('start-job'))).payload
    assert.deepEqual([unknown.status, unknown.code], ['refused', 'TAKT_COMMAND_INTERLOCK'])
    state('Execute')
    assert.equal((await receiptOf(give('start-job'))).payload.code, 'TAKT_COMMAND_INTERLOCK')
    state('Complete')
    assert.equal((await receiptOf(give('start-job'))).payload.status, 'done')
    assert.equal(told.length, 1)
    await machine.endAsync(true)
    await helper.unload()

    await load({ store: 'store' }, [{ id: 'store', type: 'takt-store', file: ':memory:' }])
    const { store } = node('store') as StoreNode
    const was = { equipment: MILL, mode: 'Produce', element: null, reason: null, job_order: null }
    await store.transaction(async (tx) => {
      await tx.db
        .insertInto('machine_state')
        .values([
          { ...was, state: 'Execute', since: 1, until: 2 },
          { ...was, state: 'Idle', since: 2, until: null },
        ])
        .execute()
    })
    state('Execute')
    assert.equal((await receiptOf(give('start-job'))).payload.status, 'done')
  })

  it('remembers in the store what it has done', async () => {
    const store = { id: 'store', type: 'takt-store', file: join(folder, 'memory.db') }
    await load({ store: 'store' }, [store])
    const command = { kind: 'command', id: 'cmd-before', to: MILL, name: 'stop', arguments: {} }
    node('command').receive({ payload: command } as never)
    const first = (await receiptOf('cmd-before')).payload
    await machine.endAsync(true)
    await helper.unload()
    await load({ store: 'store' }, [store])
    node('command').receive({ payload: command } as never)
    assert.deepEqual((await receiptOf('cmd-before')).payload, first)
    assert.equal(told.length, 0)
  })

  it('passes only what is in its list', async () => {
    await load({ allowed: 'start-job, reset' })
    assert.equal((await receiptOf(give('stop'))).payload.code, 'TAKT_COMMAND_NOT_ALLOWED')
    assert.equal((await receiptOf(give('reset'))).payload.status, 'done')
    assert.equal(told.length, 0)
  })

  it('does nothing in shadow, and says so without alarming anybody', async () => {
    await load({ autonomy: 'shadow' })
    const { payload } = await receiptOf(give('stop'))
    assert.deepEqual([payload.status, payload.code], ['refused', 'TAKT_COMMAND_SHADOW'])
    assert.deepEqual([told.length, problems.length], [0, 0])
  })

  it('waits for a person in approve', async () => {
    await load({ autonomy: 'approve' })
    const [yes, no] = [give('stop'), give('stop')]
    await until(() => problems.length === 2, 'both are shown')
    assert.deepEqual([problems[0]?.awaiting, problems[0]?.payload.id, receipts.length, told.length], [true, yes, 0, 0])
    await until(() => statusOf(node('command')).text === '2 waiting for a person', 'the status')
    node('command').receive({ payload: { accept: yes } } as never)
    node('command').receive({ payload: { refuse: no, why: 'not now' } } as never)
    assert.equal((await receiptOf(yes)).payload.status, 'done')
    assert.deepEqual([(await receiptOf(no)).payload.code, told.length], ['TAKT_COMMAND_DECLINED', 1])
    node('command').receive({ payload: { accept: 'cmd-nobody-knows' } } as never)
    await until(() => caught.length === 1, 'the error')
  })

  it('expires by plant time', async () => {
    await load()
    assert.deepEqual((await receiptOf(give('stop', {}, { expires: Date.now() - 1 }))).payload.status, 'expired')
    assert.equal(told.length, 0)
  })

  const bad: ReadonlyArray<readonly [string, string, unknown]> = [
    ['no document', 'TAKT_MESSAGE_INVALID', 'stop!'],
    ['a command without a name', 'TAKT_MESSAGE_INVALID', { kind: 'command', id: 'c', to: MILL, arguments: {} }],
    ['arguments that are deep', 'TAKT_MESSAGE_INVALID', { kind: 'command', id: 'c', to: MILL, name: 'stop', arguments: { a: { b: 1 } } }],
    ['__proto__', 'TAKT_MESSAGE_FORBIDDEN_KEY', JSON.parse(`{"kind": "command", "id": "c", "to": "${MILL}", "name": "stop", "arguments": {"__proto__": 1}}`)],
  ]
  for (const [what, code, payload] of bad) {
    it(`refuses ${what}: to catch and into the quarantine`, async () => {
      await load({ store: 'store' }, [{ id: 'store', type: 'takt-store', file: ':memory:' }])
      node('command').receive({ payload } as never)
      await until(() => caught.length === 1, 'the error')
      assert.equal((caught[0] as unknown as { error: { code: string } }).error.code, code)
      const { store } = node('store') as StoreNode
      await until(async () => (await store.db.selectFrom('quarantine').select('code').execute()).some((row) => row.code === code), 'the quarantine')
      assert.equal(told.length, 0)
    })
  }

  it('takes no notice of documents that are for others', async () => {
    await load()
    node('command').receive({ payload: { kind: 'count', equipment: MILL } } as never)
    assert.equal((await receiptOf(give('stop'))).payload.status, 'done')
    assert.equal(caught.length, 0)
  })

  it('fails when the broker stays away, and shows that it is', async () => {
    await load({ timeout: '1' })
    await (node('broker') as MqttBrokerNode).close(false)
    const { payload } = await receiptOf(give('stop'))
    assert.deepEqual([payload.status, payload.code], ['failed', 'TAKT_BROKER_AWAY'])
  })

  it('names the connections that it does not find, and serves the others', async () => {
    await load({}, [])
    await machine.endAsync(true)
    await helper.unload()
    helper.settings({ userDir: folder } as never)
    node = await loadFlow(registers, [
      { id: 'tab', type: 'tab', label: 'test' },
      plantNode(),
      endpointNode(server.url),
      { id: 'command', type: 'takt-machine-command', name: 'cell', plant: 'plant', autonomy: 'auto', z: 'tab', x: 1, y: 1, wires: [['receipts'], []] },
      { id: 'receipts', type: 'helper', z: 'tab', x: 1, y: 1, wires: [] },
    ])
    receipts = collect(node('receipts'))
    assert.deepEqual(errorCodesOf(node('command')), ['TAKT_COMMAND_CONNECTION'])
    const missing = (await receiptOf(give('stop'))).payload
    assert.deepEqual([missing.status, missing.code], ['failed', 'TAKT_COMMAND_CONNECTION'])
    assert.equal((await receiptOf(give('reset'))).payload.status, 'done')
  })
})
