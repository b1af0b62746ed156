import assert from 'node:assert/strict'
import type { EventEmitter } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Node } from 'node-red'
import type { TaktError } from '../../core/base/error.ts'
import type { Store } from '../../core/store/store.ts'
import registerPlant from '../../nodes/plant/plant.ts'
import registerStore, { type StoreNode } from '../../nodes/store/store.ts'
import registerWorkOrder from '../../nodes/work-order/work-order.ts'
import { PLANT } from '../core/orders/fixture.ts'
import { collect, helper, loadFlow, nextMessage, type Received } from './support/helper.ts'

const SAW = 'jo-wo-1-10-saw'

describe('work order node', () => {
  let node: Node
  let changes: Node
  let refusals: Node
  let store: Store
  let folder: string

  async function load(config: Record<string, unknown> = {}): Promise<void> {
    const get = await loadFlow(
      [registerPlant, registerStore, registerWorkOrder],
      [
        { id: 'f1', type: 'tab' },
        { id: 'p1', type: 'takt-plant', source: 'inline', model: JSON.stringify(PLANT), clock: 'system' },
        { id: 's1', type: 'takt-store', file: ':memory:', plant: 'p1' },
        {
          id: 'n1',
          z: 'f1',
          type: 'takt-work-order',
          plant: 'p1',
          store: 's1',
          autoRelease: true,
          mapping: '',
          importFolder: folder,
          wires: [['changes'], ['refusals']],
          ...config,
        },
        { id: 'changes', z: 'f1', type: 'helper' },
        { id: 'refusals', z: 'f1', type: 'helper' },
      ],
    )
    node = get('n1')
    changes = get('changes')
    refusals = get('refusals')
    store = (get('s1') as StoreNode).store
  }
  const send = (topic: string | undefined, payload: unknown, more: Record<string, unknown> = {}): void =>
    node.receive({ ...(topic === undefined ? {} : { topic }), payload, ...more } as never)
  const state = (value: string, jobOrder: string, more: Record<string, unknown> = {}) => ({
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
  /** What goes to `catch` next. */
  const nextError = (): Promise<TaktError> =>
    new Promise((resolve) => (node as unknown as EventEmitter).once('call:error', (call: { args: [TaktError] }) => resolve(call.args[0])))
  /** What an http in node puts into its messages; it is answered once. */
  const http = { req: {}, res: { _res: {} } }
  const isEvent = (type: string) => (message: Received) => (message.event as { type: string } | undefined)?.type === type

  before((done) => void helper.startServer(done))
  after((done) => void helper.stopServer(done))
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'takt-orders-'))
  })
  afterEach(async () => {
    await helper.unload()
    rmSync(folder, { recursive: true })
  })

  it('creates and releases an order and tells of every change; the answer carries what the message carried', async () => {
    await load()
    const seen = collect(changes)
    const answer = nextMessage(changes, (message) => message.ticket === 7)
    send('orders/create', { id: 'wo-1', product: 'shaft', quantity: 10 }, { ticket: 7 })
    const ready = nextMessage(changes, isEvent('job-order.ready'))
    const { topic, payload } = await answer
    assert.equal(topic, 'orders/wo-1')
    assert.equal(payload.state, 'Released')
    await ready
    assert.deepEqual(
      seen.map((message) => (message.event as { type: string }).type),
      ['work-order.created', 'work-order.released', 'job-order.created', 'job-order.created', 'job-order.ready'],
    )
    const again = nextMessage(changes)
    send(undefined, { id: 'wo-1', product: 'shaft', quantity: 10 }, { ticket: 8 })
    assert.equal((await again).ticket, 8)
    assert.equal(seen.length, 6)
  })

  it('refuses on its second port, with a code, and changes nothing', async () => {
    await load()
    const created = nextMessage(changes, isEvent('job-order.ready'))
    send('create', { id: 'wo-1', product: 'shaft', quantity: 10 })
    await created
    const { sequence } = await store.head()
    for (const [topic, payload, code] of [
      ['create', { id: 'wo-1', product: 'shaft', quantity: 11 }, 'TAKT_ORDER_EXISTS_DIFFERENT'],
      ['create', { id: 'wo-2', product: 'unicorn', quantity: 1 }, 'TAKT_WORK_MASTER_UNKNOWN'],
      ['close', 'wo-1', 'TAKT_ORDER_STATE'],
      ['release', { external: { system: 'erp', id: 'none' } }, 'TAKT_ORDER_UNKNOWN'],
      ['command', { jobOrder: SAW, command: 'Pause' }, 'TAKT_JOB_ORDER_TRANSITION'],
      ['import', 'orders.csv', 'TAKT_IMPORT_FILE'],
      [undefined, state('Execute', 'somebody-elses'), 'TAKT_JOB_ORDER_UNKNOWN'],
    ] as const) {
      const refused = nextMessage(refusals)
      send(topic, payload)
      const message = await refused
      assert.equal(message.payload.code, code)
      assert.equal(message.payload.kind, 'quarantined')
      assert.deepEqual(message.request, payload)
    }
    assert.equal((await store.head()).sequence, sequence)
  })

  it('sends what is malformed to catch and keeps it, too', async () => {
    await load()
    for (const [topic, payload, code] of [
      ['create', JSON.parse('{"__proto__": {"quantity": 1}}'), 'TAKT_MESSAGE_FORBIDDEN_KEY'],
      ['create', { product: 'shaft', quantity: 'ten' }, 'TAKT_MESSAGE_INVALID'],
      ['hold', 42, 'TAKT_MESSAGE_INVALID'],
      ['import', '{"orders": [', 'TAKT_MESSAGE_NOT_JSON'],
      ['whatever', 42, 'TAKT_MESSAGE_INVALID'],
      [undefined, { kind: 'sample', value: 1 }, 'TAKT_MESSAGE_INVALID'],
      [undefined, state('Dancing', SAW), 'TAKT_MESSAGE_INVALID'],
    ] as const) {
      const both = Promise.all([nextMessage(refusals), nextError()])
      send(topic, payload)
      const [refused, error] = await both
      assert.equal(refused.payload.code, code)
      assert.equal(error.code, code)
    }
    // the writer takes one after the other
    await store.transaction(async () => {})
    const rows = await store.db.selectFrom('quarantine').select('code').execute()
    assert.equal(rows.length, 7)
  })

  it('holds lots and units with a reason, and lets them go on', async () => {
    await load()
    const created = nextMessage(changes, isEvent('job-order.ready'))
    send('orders/create', { id: 'wo-1', product: 'shaft', quantity: 4 })
    await created
    const asked = async (topic: string, payload: unknown, kind: string) => {
      const answer = nextMessage(changes, (message) => message.payload.kind === kind)
      send(topic, payload, { by: 'Eva', ticket: 7 })
      return answer
    }
    const unit = await asked('orders/hold', { equipment: 'p/saw', why: 'crack in the guard' }, 'disruption')
    assert.deepEqual([unit.topic, unit.ticket, unit.payload.status], ['p/saw/disruption', 7, 'acted'])
    assert.equal((await asked('orders/resume', { equipment: 'p/saw', why: 'changed' }, 'disruption')).payload.status, 'withdrawn')
    const lot = await asked('orders/hold', { lot: 'lot-wo-1', why: 'wrong steel' }, 'lot')
    assert.deepEqual([lot.topic, lot.ticket, lot.payload.disposition, lot.payload.reason], ['lots/lot-wo-1', 7, 'held', 'wrong steel'])
    const events = (await store.events(0, 100)).filter(({ actor }) => actor === 'Eva')
    assert.ok(['disruption.acted', 'disruption.withdrawn', 'lot.held'].every((type) => events.some((event) => event.type === type)))
    const shown = nextMessage(changes, (message) => message.signatures !== undefined)
    send('orders/show', { lot: 'lot-wo-1' }, { ticket: 8 })
    const { topic, payload, ticket, signatures, open } = await shown
    assert.deepEqual([topic, payload.reason, ticket, signatures, open], ['lots/lot-wo-1', 'wrong steel', 8, [], []])
    const refused = nextMessage(refusals)
    send('orders/resume', { equipment: 'p/saw', why: 'again' })
    assert.equal((await refused).payload.code, 'TAKT_UNIT_NOT_HELD')
  })

  it('follows machines and counts to the end of an order', async () => {
    await load()
    const created = nextMessage(changes, isEvent('job-order.ready'))
    send('create', { id: 'wo-1', product: 'shaft', quantity: 2 })
    await created
    const response = nextMessage(changes, isEvent('job-response.recorded'))
    send(undefined, state('Execute', SAW))
    send(undefined, { kind: 'count', equipment: 'p/saw', jobOrder: SAW, good: 2, scrap: 0, total: { good: 2, scrap: 0 }, time: 2_000_100 })
    send(undefined, state('Complete', SAW, { since: 2_000_100, time: 2_000_100 }))
    assert.equal((await response).payload.good, 2)
    assert.equal((await store.get('job-order', SAW))?.substate, 'Completed')
    const held = nextMessage(changes, isEvent('work-order.held'))
    send('hold', { id: 'wo-1', why: 'the customer called' })
    assert.equal((await held).event && ((await store.events(0, 100)).find((event) => event.type === 'work-order.held')?.why ?? ''), 'the customer called')
    const late = nextMessage(changes, isEvent('work-order.updated'))
    send('create', { id: 'wo-2', product: 'shaft', quantity: 2 })
    send('material', { workOrder: 'wo-2', at: 4_000_000, why: 'the truck is late' })
    assert.equal((await late).payload.materialAt, 4_000_000)
    const repair = nextMessage(changes, (message) => message.payload.type === 'maintenance')
    send('maintenance', { equipment: 'p/saw', why: 'it squeals' })
    assert.equal((await repair).payload.id, 'mo-saw-1')
  })

  it('imports files of its folder only, and says what became of each row', async () => {
    await load({ mapping: JSON.stringify({ system: 'erp', fields: { order: 'Nr', product: 'Item', quantity: 'Pcs' } }) })
    writeFileSync(join(folder, 'orders.csv'), 'Nr;Item;Pcs\n1;shaft;4\n2;unicorn;4\n3;shaft;\n4;shaft;5\n')
    const imported = nextMessage(refusals)
    send('import', 'orders.csv')
    const { topic, payload } = await imported
    assert.equal(topic, 'orders/import')
    assert.deepEqual([payload.rows, payload.created, payload.refused, payload.workOrders], [4, 2, 2, ['wo-1', 'wo-4']])
    assert.deepEqual(
      payload.problems.map(({ row, code }: { row: number; code: string }) => [row, code]),
      [
        [4, 'TAKT_ORDER_QUANTITY'],
        [3, 'TAKT_WORK_MASTER_UNKNOWN'],
      ],
    )
    assert.equal((await store.db.selectFrom('quarantine').select('what').execute()).length, 2)

    mkdirSync(join(folder, 'inside'))
    symlinkSync('/etc/hostname', join(folder, 'inside', 'link.csv'))
    for (const name of ['../secret.csv', '/etc/passwd.csv', 'inside/link.csv']) {
      const refused = nextMessage(refusals)
      send('import', { file: name })
      assert.equal((await refused).payload.code, 'TAKT_IMPORT_FILE')
    }
    const text = nextMessage(refusals)
    send('import', Buffer.from('Nr,Item,Pcs\n1,shaft,4\n5,shaft,1\n'))
    assert.deepEqual([(await text).payload.created, (await store.list('work-order')).length], [1, 3])
  })

  it('does not start with a mapping that makes no sense', async () => {
    await load({ mapping: '{"columns": 1}' })
    const refused = nextError()
    send('create', { id: 'wo-1', product: 'shaft', quantity: 10 })
    assert.equal((await refused).code, 'TAKT_IMPORT_MAPPING')
    assert.deepEqual(await store.list('work-order'), [])
  })

  it('says how to answer a message that came over HTTP, once', async () => {
    await load()
    const answers = collect(changes)
    const refused = collect(refusals)
    const ask = async (topic: string, payload: unknown): Promise<Received> => {
      const [first, second] = [answers.length, refused.length]
      send(topic, payload, http)
      for (let n = 0; n < 200; n++) {
        const answer = [...answers.slice(first), ...refused.slice(second)].find(({ res }) => res !== undefined)
        if (answer !== undefined) return answer
        await new Promise((later) => setTimeout(later, 10))
      }
      throw new Error(`no answer to ${topic}`)
    }
    const order = { id: 'wo-1', product: 'shaft', quantity: 10 }
    const statuses: unknown[] = []
    for (const [topic, payload] of [
      ['create', order],
      ['create', order],
      ['create', { ...order, quantity: 9 }],
      ['create', { ...order, id: 'wo-2', product: 'ring' }],
      ['create', { product: 'shaft' }],
      ['hold', 'wo-9'],
      ['command', { jobOrder: SAW, command: 'Pause' }],
      ['import', 'order,product,quantity\n1,shaft,4\n2,shaft,5'],
      ['import', 'order,product,quantity\n1,shaft,4\n2,shaft,5'],
      ['import', 'order,product,quantity\n3,ring,4\n4,ring,5'],
      ['split', { id: 'wo-1', quantity: 4, why: 'some first' }],
    ] as const)
      statuses.push((await ask(topic, payload)).statusCode)
    assert.deepEqual(statuses, [201, 200, 409, 422, 422, 404, 409, 201, 200, 422, 200])
    await new Promise((later) => setTimeout(later, 50))
    assert.equal([...answers, ...refused].filter(({ res }) => res !== undefined).length, 11)
    const plain = nextMessage(changes, ({ ticket }) => ticket === 3)
    send('create', { ...order, id: 'wo-5' }, { ticket: 3 })
    assert.equal((await plain).statusCode, undefined)
  })
})
