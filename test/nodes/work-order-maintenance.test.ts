import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Node } from 'node-red'
import { packageRoot } from '../../core/base/package-root.ts'
import type { Store } from '../../core/store/store.ts'
import registerPlant from '../../nodes/plant/plant.ts'
import registerStore, { type StoreNode } from '../../nodes/store/store.ts'
import registerTrace from '../../nodes/trace/trace.ts'
import registerWorkOrder from '../../nodes/work-order/work-order.ts'
import { PLANT } from '../core/orders/fixture.ts'
import { CHEAP, PASSWORD } from '../core/people/support.ts'
import { collect, helper, loadFlow, nextMessage, type Received } from './support/helper.ts'

const SAW = 'p/saw'
const JOB = 'jo-mo-saw-1-maintenance'

/** The saw's return is confirmed by maintenance and its vibration calm; then it is tried. */
function model(): object {
  const asked = {
    spare: [{ material: 'blade', quantity: 1 }],
    returnToService: { confirm: { role: 'maintenance' }, signals: [{ signal: 'vibration', upper: 4, samples: 2 }] },
    trial: { parts: 2 },
  }
  const equipment = PLANT.equipment.map((unit) =>
    unit.id === SAW ? { ...unit, signals: [{ name: 'vibration', role: 'condition' }], maintenance: { ...unit.maintenance, ...asked } } : unit,
  )
  return {
    ...PLANT,
    equipment,
    materials: [...(PLANT.materials ?? []), { id: 'blade', unit: 'pcs' }],
    reasons: [{ code: 'blade-worn', text: 'blade worn', element: 'unplanned' }],
  }
}

describe('work order node: repairs', () => {
  let node: Node
  let changes: Node
  let refusals: Node
  let store: Store
  const tokens = new Map<string, string>()

  before((done) => void helper.startServer(done))
  after((done) => void helper.stopServer(done))
  beforeEach(async () => {
    const get = await loadFlow(
      [registerPlant, registerStore, registerWorkOrder],
      [
        { id: 'f1', type: 'tab' },
        { id: 'p1', type: 'takt-plant', source: 'inline', model: JSON.stringify(model()), clock: 'system' },
        { id: 's1', type: 'takt-store', file: ':memory:', plant: 'p1' },
        { id: 'n1', z: 'f1', type: 'takt-work-order', plant: 'p1', store: 's1', autoRelease: true, mapping: '', wires: [['changes'], ['refusals']] },
        { id: 'changes', z: 'f1', type: 'helper' },
        { id: 'refusals', z: 'f1', type: 'helper' },
      ],
    )
    node = get('n1')
    changes = get('changes')
    refusals = get('refusals')
    const storeNode = get('s1') as StoreNode
    store = storeNode.store
    const { people } = storeNode.known
    Object.assign(people.settings, { cost: CHEAP })
    for (const [id, role] of [
      ['anna', 'maintenance'],
      ['otto', 'operator'],
    ] as const) {
      await people.add({ id, name: id, password: PASSWORD, roles: [role] }, 'person:test', 'for the test')
      tokens.set(id, await store.transaction((tx) => people.sessions.begin(tx, { person: id, connection: null, by: 'id' })))
    }
  })
  afterEach(() => helper.unload())

  const send = (topic: string | undefined, payload: unknown, more: Record<string, unknown> = {}): void => node.receive({ topic, payload, ...more } as never)
  const isEvent = (type: string) => (message: Received) => (message.event as { type: string } | undefined)?.type === type
  const seen = async (type: string, work: () => void): Promise<Received> => {
    const next = nextMessage(changes, isEvent(type))
    work()
    return next
  }
  const refused = async (topic: string, payload: unknown, more: Record<string, unknown> = {}): Promise<string> => {
    const next = nextMessage(refusals)
    send(topic, payload, more)
    return String((await next).payload.code)
  }
  const show = (state: string, mode: string, since: number): void =>
    send(undefined, { kind: 'machine-state', equipment: SAW, state, mode, since, element: null, reason: null, jobOrder: JOB, time: since })
  const vibration = (value: number): void =>
    send(`${SAW}/vibration`, { kind: 'sample', equipment: SAW, signal: 'vibration', value, quality: 'good', time: 1, received: 1 })
  const asAnna = () => ({ session: tokens.get('anna') })

  it('refuses what nobody can say yet, or who may not, or what makes no sense, and changes nothing', async () => {
    assert.equal(await refused('maintenance', { equipment: 'p/nowhere' }), 'TAKT_EQUIPMENT_UNKNOWN')
    const told = nextMessage(refusals, ({ topic }) => topic === 'orders/attention')
    await seen('job-order.ready', () => send('maintenance', { equipment: SAW, cause: 'vibration' }))
    assert.equal((await told).payload.code, 'TAKT_SPARE_MISSING')
    const { sequence } = await store.head()
    const found = { equipment: SAW, cause: 'blade worn', done: 'blade replaced' }
    for (const [topic, payload, code] of [
      ['maintenance.confirm', { equipment: 'p/nowhere' }, 'TAKT_MAINTENANCE_UNKNOWN'],
      ['maintenance.confirm', 'wo-none', 'TAKT_MAINTENANCE_UNKNOWN'],
      ['maintenance.confirm', {}, 'TAKT_MESSAGE_INVALID'],
      ['maintenance.confirm', { equipment: SAW }, 'TAKT_MAINTENANCE_STATE'],
      ['maintenance.back', { equipment: SAW, why: 'we are in a hurry' }, 'TAKT_MAINTENANCE_STATE'],
      ['maintenance.found', found, 'TAKT_MAINTENANCE_STATE'],
      ['maintenance.found', { equipment: SAW, done: 'something' }, 'TAKT_MESSAGE_INVALID'],
      ['maintenance.found', { ...found, code: 'no such code' }, 'TAKT_MESSAGE_INVALID'],
      ['maintenance.found', { ...found, alarm: 'perhaps' }, 'TAKT_MESSAGE_INVALID'],
      ['maintenance.found', { ...found, cause: 'a\u0000b' }, 'TAKT_ORDER_TEXT'],
      ['maintenance.figures', { equipment: 'p/nowhere' }, 'TAKT_EQUIPMENT_UNKNOWN'],
      ['maintenance.figures', { equipment: SAW, from: 'soon' }, 'TAKT_ORDER_TIME'],
      ['maintenance.figures', { equipment: SAW, from: '2199-01-01' }, 'TAKT_ORDER_TIME'],
    ] as const) {
      assert.equal(await refused(topic, payload, asAnna()), code, `${topic} ${JSON.stringify(payload)}`)
    }
    const since = (await store.events(sequence, 100)).map(({ type }) => type)
    assert.deepEqual(
      since,
      since.map(() => 'message.quarantined'),
      'what was refused changed nothing',
    )
  })

  it('leads a repaired unit through its check, and says what was found and what it comes to', async () => {
    const began = Date.now() - 600_000
    await seen('job-order.ready', () => send('maintenance', { equipment: SAW, kind: 'unplanned' }))
    await seen('job-order.running', () => show('Execute', 'Maintenance', began))
    const worn = { equipment: SAW, cause: 'blade worn', done: 'blade replaced', code: 'blade-worn' }
    const said = await seen('work-order.found', () => send('orders/maintenance.found', worn, { ...asAnna(), ticket: 3 }))
    const { cause, code, by } = said.payload.found as Record<string, unknown>
    assert.deepEqual([said.ticket, cause, code, by], [3, 'blade worn', 'blade-worn', 'person:anna'])
    await seen('work-order.awaiting-check', () => show('Complete', 'Produce', began + 300_000))

    // a name in a message is nobody, and an operator is not asked
    assert.equal(await refused('maintenance.confirm', { equipment: SAW, by: 'anna' }), 'TAKT_PERSON_NOT_SIGNED_IN')
    assert.equal(await refused('maintenance.confirm', { equipment: SAW }, { session: tokens.get('otto') }), 'TAKT_PERSON_NOT_ALLOWED')
    const confirmed = await seen('work-order.return-confirmed', () => send('maintenance.confirm', { equipment: SAW, why: 'runs true' }, asAnna()))
    assert.equal(confirmed.payload.service.state, 'check', 'its vibration has not been seen')
    assert.equal(await refused('maintenance.confirm', { equipment: SAW }, asAnna()), 'TAKT_MAINTENANCE_STATE')
    for (const value of [3, 9, 3]) vibration(value)
    const trial = await seen('work-order.on-trial', () => vibration(2.5))
    assert.deepEqual(trial.payload.service.check.calm, ['vibration'])
    assert.deepEqual([trial.payload.service.check.confirmed.by, trial.payload.service.check.confirmed.why], ['person:anna', 'runs true'])

    const figures = nextMessage(changes, ({ payload }) => payload.kind === 'kpi')
    send('maintenance.figures', { equipment: SAW })
    const { payload, topic } = await figures
    assert.deepEqual([topic, payload.values.repairTime, payload.values.correctiveMaintenance], ['p/saw/maintenance-figures', 300_000, 1])
    assert.deepEqual(payload.lineage.orders.repairTime, ['mo-saw-1'])
    const back = await seen('work-order.in-service', () => send('maintenance.back', { workOrder: 'mo-saw-1', why: 'two parts measured by hand' }, asAnna()))
    assert.equal(back.payload.service.state, 'full')
    assert.equal(await refused('maintenance.back', { workOrder: 'mo-saw-1', why: 'again' }, asAnna()), 'TAKT_MAINTENANCE_STATE')
    assert.ok((await store.verify()).ok)
  })

  it('does what a guaranteed message asks once, however often it is replayed', async () => {
    await seen('job-order.ready', () => send('maintenance', { equipment: SAW }))
    await seen('job-order.running', () => show('Execute', 'Maintenance', 1000))
    const takt = { inbox: 7, index: 0 }
    const worn = { workOrder: 'mo-saw-1', cause: 'blade worn', done: 'replaced', by: 'Anna' }
    await seen('work-order.found', () => send('maintenance.found', worn, { takt }))
    await seen('work-order.found', () => send('maintenance.found', { ...worn, done: 'sharpened' }))
    const { sequence } = await store.head()
    send('maintenance.found', worn, { takt: { ...takt, replayed: true } })
    assert.equal(await refused('maintenance.found', 'mo-none'), 'TAKT_MAINTENANCE_UNKNOWN')
    assert.equal((await store.head()).sequence, sequence)
    assert.equal((await store.get('work-order', 'mo-saw-1'))?.found?.done, 'sharpened')
  })
})

describe('the example of maintenance', () => {
  interface Part {
    readonly id: string
    readonly type: string
    readonly wires?: readonly (readonly string[])[]
    readonly [key: string]: unknown
  }
  const example = JSON.parse(readFileSync(join(packageRoot, 'examples/maintenance.json'), 'utf8')) as Part[]

  before((done) => void helper.startServer(done))
  after((done) => void helper.stopServer(done))
  afterEach(() => helper.unload())

  it('leads from the order to full work, button by button, with the spares out of stock and two refusals', async () => {
    const flow = example
      .filter(({ type }) => type !== 'inject' && type !== 'comment')
      .map((part) => (part.type === 'debug' ? { ...part, type: 'helper' } : part))
    const get = await loadFlow(
      [registerPlant, registerStore, registerWorkOrder, registerTrace],
      flow.map((part) => (part.type === 'takt-store' ? { ...part, file: ':memory:' } : part)),
    )
    const { store } = get(example.find(({ type }) => type === 'takt-store')?.id ?? '') as StoreNode
    const refusals = collect(get(example.find(({ name }) => name === 'refused, or for people')?.id ?? ''))
    const press = async (name: RegExp): Promise<void> => {
      const button = example.find((part) => part.type === 'inject' && name.test(String(part.name)))
      const payload = JSON.parse(String(button?.payload).replaceAll('$millis()', String(Date.now())))
      get(button?.wires?.[0]?.[0] ?? '').receive({ topic: button?.topic, payload } as never)
      // the writer takes one after the other
      for (let turn = 0; turn < 5; turn++) await store.transaction(async () => {})
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    const order = () => store.get('work-order', 'mo-mill-1-1')
    await press(/^ask/)
    assert.equal((await order())?.spares?.[0]?.state, 'missing')
    await press(/received/)
    assert.equal((await order())?.spares?.[0]?.state, 'reserved')
    for (const button of [/^found already/, /under repair/, /^what was found/, /has ended/, /^its return/]) await press(button)
    assert.deepEqual([(await order())?.service?.state, (await order())?.found?.code], ['check', 'bearing-worn'])
    for (const _ of [1, 2, 3]) await press(/^calm/)
    assert.equal((await order())?.service?.state, 'trial')
    for (const button of [/twice/, /^full work/, /^figures/]) await press(button)
    assert.equal((await order())?.service?.state, 'full')
    assert.deepEqual(
      refusals.map(({ payload }) => payload.code),
      ['TAKT_SPARE_MISSING', 'TAKT_MAINTENANCE_STATE', 'TAKT_MAINTENANCE_STATE'],
    )
    const booked = async (): Promise<number | undefined> =>
      (await store.db.selectFrom('lot_stock').select('on_hand').where('lot', '=', 'bearings-1').executeTakeFirst())?.on_hand
    for (let wait = 0; wait < 50 && (await booked()) !== 2; wait++) await new Promise((resolve) => setTimeout(resolve, 20))
    assert.equal(await booked(), 2, 'the trace node has booked what the repair used')
  })
})
