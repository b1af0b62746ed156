import assert from 'node:assert/strict'
import type { EventEmitter } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Node } from 'node-red'
import type { TaktError } from '../../core/base/error.ts'
import type { JobOrder } from '../../core/messages/job-order.ts'
import { commandJobOrder } from '../../core/orders/control-work-order.ts'
import { followMachine } from '../../core/orders/follow-machine.ts'
import { requestMaintenance } from '../../core/orders/maintenance.ts'
import type { Store } from '../../core/store/store.ts'
import registerDispatch from '../../nodes/dispatch/dispatch.ts'
import registerPlant from '../../nodes/plant/plant.ts'
import registerStore, { type StoreNode } from '../../nodes/store/store.ts'
import { count, PLANT, plant, released, show, tester } from '../core/orders/fixture.ts'
import { collect, helper, loadFlow, nextMessage, type Received } from './support/helper.ts'

const SAW = 'jo-wo-1-10-saw'

describe('dispatch node', () => {
  let node: Node
  let commands: Node
  let people: Node
  let store: Store
  let folder: string

  async function load(config: Record<string, unknown> = {}): Promise<void> {
    const get = await loadFlow(
      [registerPlant, registerStore, registerDispatch],
      [
        { id: 'f1', type: 'tab' },
        {
          id: 'p1',
          type: 'takt-plant',
          source: 'inline',
          model: JSON.stringify(PLANT),
          clock: 'system',
        },
        {
          id: 's1',
          type: 'takt-store',
          file: join(folder, 'takt.db'),
          plant: 'p1',
        },
        {
          id: 'n1',
          z: 'f1',
          type: 'takt-dispatch',
          plant: 'p1',
          store: 's1',
          autonomy: 'auto',
          toleranceMs: 0,
          ackTimeoutMs: 10_000,
          commands: '',
          wires: [['commands'], ['people']],
          ...config,
        },
        { id: 'commands', z: 'f1', type: 'helper' },
        { id: 'people', z: 'f1', type: 'helper' },
      ],
    )
    node = get('n1')
    commands = get('commands')
    people = get('people')
    store = (get('s1') as StoreNode).store
  }

  const send = (payload: unknown, topic?: string): void =>
    node.receive({
      payload,
      ...(topic === undefined ? {} : { topic }),
    } as never)
  const state = (value: string, jobOrder: string | null = null, more: Record<string, unknown> = {}) => ({
    kind: 'machine-state',
    equipment: 'p/saw',
    state: value,
    mode: 'Produce',
    since: 2_000_000,
    element: null,
    reason: null,
    jobOrder,
    time: 2_000_000,
    ...more,
  })
  /** The unit says so, and orders follow it, as the nodes beside do. */
  async function says(value: string, jobOrder: string | null = null, more: Record<string, unknown> = {}): Promise<void> {
    const document = state(value, jobOrder, more)
    await store.transaction((tx) => followMachine(tx, document as never, tester))
    send(document)
  }
  async function planned(id = SAW, equipment = 'p/saw', start = Date.now() - 1000): Promise<void> {
    await store.transaction(async (tx) => {
      const job = (await tx.get('job-order', id)) as JobOrder
      await tx.save<'job-order'>({ ...job, equipment, plannedStart: start, plannedEnd: start + 1000 }, { type: 'job-order.planned', actor: 'test' })
    })
  }
  const statusOf = async (id = SAW) => {
    const job = await store.get('job-order', id)
    return `${job?.state}/${job?.substate}`
  }
  const nextError = (): Promise<TaktError> =>
    new Promise((resolve) => (node as unknown as EventEmitter).once('call:error', (call: { args: [TaktError] }) => resolve(call.args[0])))
  /** Everything that was sent before has been dealt with. */
  async function settled(): Promise<void> {
    for (let turn = 0; turn < 5; turn++) {
      await new Promise((later) => setImmediate(later))
      await store.transaction(async () => {})
    }
  }

  before((done) => void helper.startServer(done))
  after((done) => void helper.stopServer(done))
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'takt-dispatch-'))
  })
  afterEach(async () => {
    await helper.unload()
    rmSync(folder, { recursive: true })
  })

  it('allows the next job order of a free unit and tells the unit all it needs', async () => {
    await load()
    await released(store)
    await planned()
    const told = nextMessage(commands)
    send(state('Idle'))
    const { topic, payload } = await told
    assert.equal(topic, 'p/saw/command')
    const { expires, ...command } = payload
    assert.ok(expires > Date.now())
    assert.deepEqual(command, {
      kind: 'command',
      id: `cmd-${SAW}-1`,
      to: 'p/saw',
      name: 'start-job',
      arguments: {
        jobOrder: SAW,
        lot: 'lot-wo-1',
        quantity: 10,
        setupMs: 100,
        perPieceMs: 10,
        family: '',
        product: 'shaft',
        operation: '10-saw',
      },
    })
    assert.equal(await statusOf(), 'AllowedToStart/Ready')
  })

  it('tells a unit once, and again only when it does not answer in time', async () => {
    await load({ ackTimeoutMs: 60 })
    await released(store)
    await planned()
    const all = collect(commands)
    const second = nextMessage(commands, ({ payload }) => payload.id.endsWith('-2'))
    send(state('Idle'))
    send(state('Idle'))
    await second
    await says('Starting', SAW)
    await settled()
    const sent = all.length
    await new Promise((later) => setTimeout(later, 200))
    assert.equal(all.length, sent)
    assert.deepEqual(
      all.slice(0, 2).map(({ payload }) => payload.id),
      [`cmd-${SAW}-1`, `cmd-${SAW}-2`],
    )
  })

  it('tells people when a unit does not answer at all', async () => {
    await load({ ackTimeoutMs: 20 })
    await released(store)
    await planned()
    const problem = nextMessage(people)
    send(state('Idle'))
    const { topic, payload } = await problem
    assert.equal(topic, 'p/saw/problem')
    assert.equal(payload.code, 'TAKT_DISPATCH_NO_ANSWER')
    assert.equal(await statusOf(), 'AllowedToStart/Ready')
  })

  it('takes the permission back when the unit refuses, and offers it again when the unit changes', async () => {
    await load()
    await released(store)
    await planned()
    const told = nextMessage(commands)
    send(state('Idle'))
    await told
    const problem = nextMessage(people)
    send({
      kind: 'receipt',
      of: `cmd-${SAW}-1`,
      to: 'p/saw',
      status: 'refused',
      code: 'DOOR',
      reason: 'the door is open',
      time: 1,
    })
    assert.equal((await problem).payload.what, `saw refuses ${SAW}: the door is open (DOOR)`)
    assert.equal(await statusOf(), 'NotAllowedToStart/Ready')
    await settled()
    const again = nextMessage(commands)
    send(state('Stopped', null, { since: 2_000_001 }))
    assert.equal((await again).payload.id, `cmd-${SAW}-1`)
  })

  it('begins nothing on a unit before its present job order has ended', async () => {
    await load()
    await released(store)
    await released(store, { id: 'wo-2' })
    await planned()
    await planned('jo-wo-2-10-saw')
    const all = collect(commands)
    const first = nextMessage(commands)
    send(state('Idle'))
    assert.equal((await first).payload.arguments.jobOrder, SAW)
    await says('Execute', SAW)
    // complete says the unit, but the last count has not come
    send(state('Complete', SAW, { since: 2_000_500 }))
    await settled()
    assert.equal(all.length, 1)
    const next = nextMessage(commands)
    await count(store, 'p/saw', SAW, 10)
    await show(store, 'p/saw', 'Complete', SAW, { since: 2_000_500 })
    assert.equal((await next).payload.arguments.jobOrder, 'jo-wo-2-10-saw')
  })

  it('has a unit repaired that failed, at once', async () => {
    await load({ commands: '{"maintain": "service"}' })
    await released(store)
    await planned()
    await store.transaction((tx) =>
      requestMaintenance(tx, plant, {
        equipment: 'p/saw',
        kind: 'unplanned',
        deadline: null,
        cause: 'failed',
        actor: 'test',
      }),
    )
    const told = nextMessage(commands)
    send(state('Aborted'))
    const { payload } = await told
    assert.deepEqual([payload.name, payload.arguments], ['service', { jobOrder: 'jo-mo-saw-1-maintenance', durationMs: 5000 }])
  })

  it('stops a unit that goes on with what people have ended', async () => {
    await load({ ackTimeoutMs: 40 })
    await released(store)
    await says('Execute', SAW)
    const told = nextMessage(commands)
    await store.transaction((tx) => commandJobOrder(tx, SAW, 'Stop', tester))
    const { payload } = await told
    assert.deepEqual([payload.name, payload.arguments], ['stop', { jobOrder: SAW }])
  })

  it('leaves the start to people where it is told to', async () => {
    await load({ autonomy: 'approve' })
    await released(store)
    await planned()
    const all = collect(commands)
    const waiting = nextMessage(people)
    send(state('Idle'))
    const { topic, payload } = await waiting
    assert.equal(topic, `jobs/${SAW}/waiting`)
    assert.equal(payload.kind, 'job-order')
    await settled()
    assert.equal(all.length, 0)
    const told = nextMessage(commands)
    send(SAW, 'start')
    assert.equal((await told).payload.arguments.jobOrder, SAW)
    const refused = nextMessage(people)
    send({ jobOrder: 'jo-wo-1-20-mill' }, 'jobs/start')
    assert.equal((await refused).payload.code, 'TAKT_JOB_ORDER_NOT_READY')
  })

  it('does nothing in shadow', async () => {
    await load({ autonomy: 'shadow' })
    await released(store)
    await planned()
    const all = collect(commands)
    const refused = nextMessage(people)
    send(state('Idle'))
    send(SAW, 'start')
    assert.equal((await refused).payload.code, 'TAKT_DISPATCH_SHADOW')
    await settled()
    assert.equal(all.length, 0)
    assert.equal(await statusOf(), 'NotAllowedToStart/Ready')
  })

  it('goes on after a restart, when the unit has spoken', async () => {
    await load()
    await released(store)
    await planned()
    const told = nextMessage(commands)
    send(state('Idle'))
    const before = (await told).payload
    await helper.unload()
    await load()
    const all: Received[] = collect(commands)
    await released(store)
    await settled()
    assert.equal(all.length, 0)
    const again = nextMessage(commands)
    send(state('Idle'))
    assert.deepEqual({ ...(await again).payload, expires: 0 }, { ...before, expires: 0 })
  })

  it('refuses what it cannot use, and passes over what is for others', async () => {
    await load()
    for (const [payload, topic] of [
      [{ kind: 'machine-state', equipment: 'p/saw' }, undefined],
      [42, 'start'],
      [JSON.parse('{"__proto__": 1}'), 'start'],
      ['hello', 'world'],
    ] as const) {
      const both = Promise.all([nextMessage(people), nextError()])
      send(payload, topic)
      const [refused, error] = await both
      assert.match(refused.payload.code, /^TAKT_MESSAGE_/)
      assert.equal(error.code, refused.payload.code)
    }
    const all = collect(people)
    send({ kind: 'count', equipment: 'p/saw' })
    send({ kind: 'plan' })
    await settled()
    assert.equal(all.length, 0)
  })
})
