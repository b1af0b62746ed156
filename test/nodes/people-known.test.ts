import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { IncomingMessage } from 'node:http'
import { createRequire } from 'node:module'
import { Socket } from 'node:net'
import type { Node } from 'node-red'
import type { Anomaly } from '../../core/messages/anomaly.ts'
import type { Disruption } from '../../core/messages/disruption.ts'
import { DEFAULT_ROLES } from '../../core/people/roles.ts'
import type { Store } from '../../core/store/store.ts'
import registerAnomaly from '../../nodes/anomaly/anomaly.ts'
import registerDisruption from '../../nodes/disruption/disruption.ts'
import registerPlant from '../../nodes/plant/plant.ts'
import registerProcedure from '../../nodes/procedure/procedure.ts'
import registerQualityGate from '../../nodes/quality-gate/quality-gate.ts'
import registerScheduler from '../../nodes/scheduler/scheduler.ts'
import { type DashboardConnection, evidenceOf, KnownConnections } from '../../nodes/shared/known-connections.ts'
import registerSign from '../../nodes/sign/sign.ts'
import registerStore, { type StoreNode } from '../../nodes/store/store.ts'
import registerWorkOrder from '../../nodes/work-order/work-order.ts'
import { MESSAGE_EXAMPLES } from '../../scripts/message-examples.ts'
import { CHEAP, PASSWORD } from '../core/people/support.ts'
import { created, lot } from '../core/store/support/store.ts'
import { collect, helper, loadFlow, type Received } from './support/helper.ts'
import { MILL, machinePlant } from './support/machine-plant.ts'

const registers = [
  registerPlant,
  registerStore,
  registerDisruption,
  registerScheduler,
  registerQualityGate,
  registerWorkOrder,
  registerAnomaly,
  registerProcedure,
  registerSign,
]
const SOP = { procedure: 'mill-shaft', why: 'first', steps: [{ id: 'a', type: 'confirm', text: 'Clean?' }] }

describe('nodes where people must be known', () => {
  let node: (id: string) => Node
  let store: Store
  let out: Received[]
  const tokens = new Map<string, string>()

  async function load(peopleKnown: boolean): Promise<void> {
    node = await loadFlow(registers, [
      { id: 'f1', type: 'tab' },
      machinePlant(),
      { id: 's1', type: 'takt-store', name: 'S', file: ':memory:', plant: 'a1', peopleKnown },
      { id: 'd1', z: 'f1', type: 'takt-disruption', plant: 'a1', store: 's1', autonomy: 'approve', wires: [['out'], ['out']] },
      { id: 'p1', z: 'f1', type: 'takt-scheduler', plant: 'a1', store: 's1', autonomy: 'approve', watch: false, searchMs: 50, wires: [['out'], ['out']] },
      { id: 'q1', z: 'f1', type: 'takt-quality-gate', plant: 'a1', store: 's1', wires: [['out'], ['out'], ['out']] },
      { id: 'w1', z: 'f1', type: 'takt-work-order', plant: 'a1', store: 's1', mapping: '', wires: [['out'], ['out']] },
      { id: 'n1', z: 'f1', type: 'takt-anomaly', plant: 'a1', store: 's1', method: 'auto', wires: [['out'], ['out']] },
      { id: 'r1', z: 'f1', type: 'takt-procedure', plant: 'a1', store: 's1', wires: [['out'], ['out']] },
      { id: 'g1', z: 'f1', type: 'takt-sign', store: 's1', meaning: 'approved', order: '', wires: [['out'], ['out']] },
      { id: 'out', z: 'f1', type: 'helper' },
    ])
    const known = (node('s1') as StoreNode).known
    store = (node('s1') as StoreNode).store
    out = collect(node('out'))
    // what a hash costs is tested elsewhere
    Object.assign(known.people.settings, { cost: CHEAP })
    for (const role of [...Object.keys(DEFAULT_ROLES), 'nothing']) {
      await known.people.add(
        { id: role, name: `The ${role}`, password: PASSWORD, ...(role === 'nothing' ? {} : { roles: [role] }) },
        'person:test',
        'for the test',
      )
      tokens.set(role, await store.transaction((tx) => known.people.sessions.begin(tx, { person: role, connection: null, by: 'id' })))
    }
    await store.transaction(async (tx) => {
      for (const id of ['lot-1', 'lot-2']) await tx.save(lot(id), created)
      const disruption: Disruption = { ...MESSAGE_EXAMPLES.disruption, id: 'dis-1', equipment: MILL, status: 'proposed', autonomy: 'approve' }
      await tx.save(disruption, { type: 'disruption.proposed', actor: 'node:d1' })
      const { verdict: _, ...anomaly } = MESSAGE_EXAMPLES.anomaly as Anomaly
      await tx.save({ ...anomaly, id: 'an-1', equipment: MILL }, { type: 'anomaly.raised', actor: 'node:n1' })
    })
  }
  afterEach(() => helper.unload())

  /** What each acting node is asked, and the event that shows that it was done. `done` undefined: that nothing was refused is all that shows. */
  const ACTS = [
    { action: 'lot.hold', to: 'q1', topic: 'quality/hold', payload: { lot: 'lot-1', why: 'a scratch' }, done: 'lot.held' },
    { action: 'lot.release', to: 'q1', topic: 'quality/release', payload: { lot: 'lot-1', why: 'it is none' }, done: 'lot.released' },
    { action: 'lot.scrap', to: 'q1', topic: 'quality/scrap', payload: { lot: 'lot-2', why: 'broken' }, done: 'lot.scrapped' },
    { action: 'lot.hold', to: 'w1', topic: 'orders/hold', payload: { lot: 'lot-1', why: 'a scratch' }, done: 'lot.held' },
    { action: 'lot.release', to: 'w1', topic: 'orders/resume', payload: { lot: 'lot-1', why: 'it is none' }, done: 'lot.released' },
    { action: 'unit.hold', to: 'w1', topic: 'orders/hold', payload: { equipment: MILL, why: 'a crack' }, done: 'disruption.acted' },
    { action: 'unit.release', to: 'w1', topic: 'orders/resume', payload: { equipment: MILL, why: 'it is none' }, done: 'disruption.withdrawn' },
    { action: 'order.maintenance', to: 'w1', topic: 'orders/maintenance', payload: { equipment: 'none' } },
    { action: 'order.maintenance', to: 'w1', topic: 'orders/maintenance.confirm', payload: { equipment: 'none' } },
    { action: 'order.maintenance', to: 'w1', topic: 'orders/maintenance.found', payload: { workOrder: 'mo-none', cause: 'worn', done: 'replaced' } },
    { action: 'order.maintenance', to: 'w1', topic: 'orders/maintenance.back', payload: { equipment: 'none', why: 'measured' } },
    { action: 'order.close', to: 'w1', topic: 'orders/complete', payload: 'wo-none' },
    { action: 'procedure.propose', to: 'r1', topic: 'procedures/propose', payload: SOP, done: 'procedure.proposed' },
    { action: 'procedure.approve', to: 'r1', topic: 'procedures/refuse', payload: { procedure: 'mill-shaft@1', why: 'not now' }, done: 'procedure.refused' },
    { action: 'procedure.approve', to: 'r1', topic: 'procedures/approve', payload: { procedure: 'none', sha256: 'x', why: 'seen' } },
    { action: 'procedure.perform', to: 'r1', topic: 'procedures/begin', payload: { jobOrder: 'jo-none' } },
    { action: 'procedure.perform', to: 'r1', topic: 'procedures/step', payload: { jobOrder: 'jo-none', step: 'a' } },
    { action: 'procedure.perform', to: 'r1', topic: 'procedures/restart', payload: { jobOrder: 'jo-none', why: 'moved' } },
    { action: 'people.unlock', to: 'g1', topic: 'people/list', payload: {} },
    { action: 'people.manage', to: 'g1', topic: 'people/add', payload: { id: 'new', name: 'New', why: 'begins' }, done: 'person.added' },
    { action: 'people.manage', to: 'g1', topic: 'people/change', payload: { person: 'new', name: 'Newer', why: 'married' }, done: 'person.changed' },
    { action: 'people.manage', to: 'g1', topic: 'people/lock', payload: { person: 'new', why: 'ill' }, done: 'person.locked' },
    { action: 'people.unlock', to: 'g1', topic: 'people/unlock', payload: { person: 'new', why: 'well' }, done: 'person.unlocked' },
    {
      action: 'people.manage',
      to: 'g1',
      topic: 'people/new-password',
      payload: { person: 'new', newPassword: 'first-time-only-9', why: 'x' },
      done: 'person.password-changed',
    },
    { action: 'disruption.decide', to: 'd1', topic: 'refuse', payload: { id: 'dis-1', why: 'not now' }, done: 'disruption.refused' },
    { action: 'disruption.autonomy', to: 'd1', topic: 'autonomy', payload: 'shadow' },
    { action: 'anomaly.judge', to: 'n1', topic: 'refuse', payload: { anomaly: 'an-1', why: 'door was open' }, done: 'anomaly.refused' },
    { action: 'order.hold', to: 'w1', topic: 'orders/hold', payload: 'wo-none' },
    { action: 'order.hold', to: 'w1', topic: 'orders/resume', payload: 'wo-none' },
    { action: 'order.cancel', to: 'w1', topic: 'orders/cancel', payload: 'wo-none' },
    { action: 'order.close', to: 'w1', topic: 'orders/close', payload: 'wo-none' },
    { action: 'order.release', to: 'w1', topic: 'orders/release', payload: 'wo-none' },
    { action: 'order.command', to: 'w1', topic: 'orders/command', payload: { jobOrder: 'jo-none', command: 'Start' } },
    { action: 'plan.approve', to: 'p1', topic: 'approve', payload: '' },
    { action: 'plan.approve', to: 'p1', topic: 'refuse', payload: '', done: 'plan.refused' },
    { action: 'plan.pin', to: 'p1', topic: 'pin', payload: { jobOrder: 'jo-none' } },
    { action: 'plan.pin', to: 'p1', topic: 'unpin', payload: { jobOrder: 'jo-none' } },
    { action: 'plan.adopt', to: 'p1', topic: 'adopt', payload: { whatIf: 'wi-none', by: 'somebody' } },
  ] as const

  /** Sends it and gives the codes of what came of it: on an output, or to catch. */
  async function ask(to: string, message: Record<string, unknown>): Promise<string[]> {
    const target = node(to)
    const errors: string[] = []
    out.length = 0
    const finished = new Promise<void>((resolve) => {
      const complete = (thrown?: { code?: string }): void => {
        if (thrown?.code !== undefined) errors.push(thrown.code)
        resolve()
      }
      const { error } = target
      // what a node reports by itself
      target.error = ((thrown: { code?: string }, ...rest: unknown[]) => {
        if (thrown?.code !== undefined) errors.push(thrown.code)
        return (error as (...args: unknown[]) => void).call(target, thrown, ...rest)
      }) as never
      ;(target as unknown as { _complete(message: unknown, error?: unknown): void })._complete = (_message, thrown) => complete(thrown as never)
    })
    target.receive(message as never)
    await finished
    // Node-RED hands messages over in a later turn
    await new Promise((turn) => setImmediate(turn))
    await new Promise((turn) => setImmediate(turn))
    return [...errors, ...out.map(({ payload }) => (payload as { code?: string } | null)?.code ?? '')]
  }
  const isPersons = (code: string): boolean => code.startsWith('TAKT_PERSON_')

  it('take decisions from those whose role may, cell by cell, and from nobody else', async () => {
    await load(true)
    for (const { action, to, topic, payload, ...rest } of ACTS) {
      const allowed = Object.keys(DEFAULT_ROLES).filter((role) => DEFAULT_ROLES[role]!.includes(action))
      for (const role of [...tokens.keys()].filter((candidate) => !allowed.includes(candidate))) {
        const codes = await ask(to, { topic, payload: structuredClone(payload), session: tokens.get(role) })
        assert.deepEqual([...new Set(codes.filter(isPersons))], ['TAKT_PERSON_NOT_ALLOWED'], `${role} ${topic} at ${to}: ${codes.join()}`)
      }
      const role = allowed[0]!
      const codes = await ask(to, { topic, payload: structuredClone(payload), session: tokens.get(role) })
      assert.deepEqual(codes.filter(isPersons), [], `${role} ${topic} at ${to}`)
      if (!('done' in rest)) continue
      const event = (await store.events(0, 10_000)).findLast(({ type }) => type === rest.done)
      assert.equal(event?.actor === `person:${role}` || JSON.stringify(event?.after).includes(`person:${role}`), true, `${rest.done}: ${JSON.stringify(event)}`)
    }
  }).timeout(20_000)

  it('believe nothing that a message says of itself', async () => {
    await load(true)
    const before = (await store.head()).sequence
    const forged: ReadonlyArray<Record<string, unknown>> = [
      { by: 'quality' },
      { by: 'person:quality' },
      { session: 'quality' },
      { session: { person: 'quality' } },
      { user: { id: 'quality' }, person: 'quality' },
      { _client: { socketId: 'made-up', user: { username: 'quality' } } },
      { req: { user: { username: 'quality' } } },
      { session: [...tokens.values()][0]!.slice(0, -1) },
    ]
    for (const evidence of forged) {
      const codes = await ask('q1', { topic: 'quality/release', payload: { lot: 'lot-1', why: 'because I say so', by: 'person:quality' }, ...evidence })
      assert.deepEqual(codes.filter(isPersons), ['TAKT_PERSON_NOT_SIGNED_IN'], JSON.stringify(evidence))
    }
    const after = (await store.events(before, 100)).filter(({ type }) => type.startsWith('lot.'))
    assert.deepEqual(after, [])
  })

  it('need not be, as it is set at first: a name is written down as it was said, and cannot pass for a person', async () => {
    await load(false)
    await ask('q1', { topic: 'quality/hold', payload: { lot: 'lot-1', why: 'a scratch' }, by: 'Otto' })
    await ask('q1', { topic: 'quality/scrap', payload: { lot: 'lot-2', why: 'broken' }, by: 'person:quality' })
    await ask('q1', { topic: 'quality/release', payload: { lot: 'lot-1', why: 'fine' }, by: 'Otto', session: tokens.get('quality') })
    const events = (await store.events(0, 1000)).filter(({ type }) => /^lot\.(held|scrapped|released)$/.test(type))
    assert.deepEqual(events.map(({ actor }) => actor), ['Otto', "'person:quality'", 'person:quality']) // biome-ignore format: one line
  })
})

describe('what a message carries to know somebody by', () => {
  const RED = { events: new EventEmitter() } as never
  const rules = { dashboard: 'data.user.username', http: 'headers.x-forwarded-user' }
  const browser = (id: string, more: Partial<DashboardConnection> = {}) => Object.assign(new EventEmitter(), { id, handshake: { address: '::1', headers: {} }, ...more }) as EventEmitter & DashboardConnection // biome-ignore format: one line

  /** Dashboard 2.0's own code, as its server calls it for what a browser sends. */
  const { addConnectionCredentials } = createRequire(import.meta.url)('@flowfuse/node-red-dashboard/nodes/utils/index.js') as {
    addConnectionCredentials(RED: unknown, message: unknown, connection: unknown, config: unknown): Record<string, unknown>
  }
  const received = (connections: KnownConnections, connection: DashboardConnection, message: Record<string, unknown>) => {
    const plugins = { getByType: () => [{ hooks: connections.hooks }] }
    return addConnectionCredentials({ plugins }, connections.hooks.onAction(connection, 'widget', message), connection, { includeClientData: true })
  }

  it('is one for each Node-RED', () => assert.equal(KnownConnections.of(RED), KnownConnections.of(RED)))

  it('takes the connection that the dashboard’s server has, and not the one that a browser names', () => {
    const connections = new KnownConnections()
    const [anna, mallory] = [browser('socket-a', { data: { user: { username: 'anna' } } }), browser('socket-m')]
    const genuine = received(connections, anna, { payload: 1 })
    assert.deepEqual(evidenceOf(genuine, connections, rules), { session: undefined, connection: 'socket-a', login: 'anna' })
    const forged = received(connections, mallory, {
      payload: 1,
      _client: { socketId: 'socket-a', user: { username: 'anna' } },
      req: { headers: { 'x-forwarded-user': 'anna' } },
    })
    assert.deepEqual(evidenceOf(forged, connections, rules), { session: undefined, connection: 'socket-m', login: undefined })
    assert.equal(evidenceOf(genuine, connections, { dashboard: '', http: '' }).login, undefined)
    // a widget's last message, which was somebody else's
    assert.deepEqual(evidenceOf(connections.hooks.onChange(mallory, 'w', { ...genuine }) as never, connections, rules).connection, undefined)
    const ended: string[] = []
    connections.onEnd((id) => ended.push(id))
    anna.emit('disconnect')
    assert.deepEqual([ended, evidenceOf(genuine, connections, rules)], [['socket-a'], { session: undefined, connection: undefined, login: undefined }])
  })

  it('takes a user from a request of the web server, and not from an object that looks like one', () => {
    const connections = new KnownConnections()
    const req = new IncomingMessage(new Socket())
    req.headers['x-forwarded-user'] = 'anna'
    assert.equal(evidenceOf({ req }, connections, rules).login, 'anna')
    assert.equal(evidenceOf({ req: { headers: { 'x-forwarded-user': 'anna' } } }, connections, rules).login, undefined)
    assert.equal(evidenceOf({ req: JSON.parse(JSON.stringify({ headers: req.headers })) }, connections, rules).login, undefined)
    assert.equal(evidenceOf({ req }, connections, { ...rules, http: 'user.username' }).login, undefined)
  })
})
