import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Node } from 'node-red'
import type { Store } from '../../core/store/store.ts'
import registerPlant from '../../nodes/plant/plant.ts'
import registerProcedure from '../../nodes/procedure/procedure.ts'
import registerQualityGate from '../../nodes/quality-gate/quality-gate.ts'
import registerReport from '../../nodes/report/report.ts'
import registerSign from '../../nodes/sign/sign.ts'
import registerStore, { type StoreNode } from '../../nodes/store/store.ts'
import registerTrace from '../../nodes/trace/trace.ts'
import registerWorkOrder from '../../nodes/work-order/work-order.ts'
import { CHEAP, PASSWORD } from '../core/people/support.ts'
import { MILL_1, MODEL, SAW } from '../core/report/support/world.ts'
import { needsPostgres, PostgresServer } from '../support/postgres-server.ts'
import { collect, helper, loadFlow, type Received } from './support/helper.ts'

const registers = [registerPlant, registerStore, registerWorkOrder, registerTrace, registerQualityGate, registerProcedure, registerSign, registerReport]

const SQL = `Robert'); DROP TABLE work_order;-- " \\ ' OR 1=1`
const FORMULA = `=cmd|' /C calc'!A0`
const MARKUP = '<img src=x onerror=alert(1)>'
const LONG = 'x'.repeat(1_000_000)
/** What no database stores as it is. */
const BROKEN = ['a\0b', 'a\ud800b'] as const

const LOG = {
  fields: { order: 'order', quantity: 'qty' },
  operations: { operation: 'step', equipment: 'unit', start: 'from', complete: 'to' },
  records: { type: 'type', types: { D: 'run' }, completed: 'good', rejected: 'bad' },
}

/** What came of a message: codes on outputs and to `catch`, and the messages on the outputs. */
interface Outcome {
  readonly codes: readonly string[]
  readonly sent: readonly Received[]
}

/** Messages that make no sense, or mean harm, sent to the nodes that write records: refused with a code, or stored and shown to the letter. Both dialects have to pass. */
function badInput(storeNode: () => Promise<Record<string, unknown>>): void {
  let node: (id: string) => Node
  let store: Store
  let out: Received[]
  let session = ''
  const CODE = /^TAKT_(?!STORE_|INTERNAL)/

  before(async () => {
    node = await loadFlow(registers, [
      { id: 'f1', type: 'tab' },
      { id: 'p1', type: 'takt-plant', source: 'inline', model: JSON.stringify(MODEL), clock: 'system' },
      { id: 's1', type: 'takt-store', plant: 'p1', ...(await storeNode()) },
      { id: 'orders', z: 'f1', type: 'takt-work-order', plant: 'p1', store: 's1', autoRelease: true, mapping: '', wires: [['out'], ['out']] },
      { id: 'logs', z: 'f1', type: 'takt-work-order', plant: 'p1', store: 's1', mapping: JSON.stringify(LOG), wires: [['out'], ['out']] },
      { id: 'trace', z: 'f1', type: 'takt-trace', plant: 'p1', store: 's1', wires: [['out'], ['out']] },
      { id: 'gate', z: 'f1', type: 'takt-quality-gate', plant: 'p1', store: 's1', rework: false, wires: [['out'], ['out'], ['out']] },
      { id: 'procedure', z: 'f1', type: 'takt-procedure', plant: 'p1', store: 's1', wires: [['out'], ['out']] },
      { id: 'sign', z: 'f1', type: 'takt-sign', plant: 'p1', store: 's1', meaning: 'approved', order: '', wires: [['out'], ['out']] },
      { id: 'report', z: 'f1', type: 'takt-report', plant: 'p1', store: 's1', reportType: 'work-order', format: 'csv', output: 'message', wires: [['out']] },
      { id: 'out', z: 'f1', type: 'helper' },
    ])
    out = collect(node('out'))
    const { store: opened, known } = node('s1') as StoreNode
    store = opened
    Object.assign(known.people.settings, { cost: CHEAP })
    await known.people.firstAdministrator({ id: 'root.admin', name: 'Rita Root', password: PASSWORD })
    await known.people.add({ id: 'eva', name: 'Eva', roles: ['quality', 'administrator'], password: 'first-time-only-9' }, 'person:root.admin', 'new')
    await known.people.changePassword('eva', 'first-time-only-9', PASSWORD)
    session = (await known.people.signIn.start('eva', PASSWORD, null)).token
  })
  after(() => helper.unload())

  async function ask(to: string, topic: string, payload: unknown, more: Record<string, unknown> = {}): Promise<Outcome> {
    const target = node(to)
    const codes: string[] = []
    const from = out.length
    await new Promise<void>((resolve) => {
      const tell = (thrown: { code?: string } | undefined): void => void (thrown?.code !== undefined && codes.push(thrown.code))
      const { error } = target
      target.error = ((thrown: { code?: string }, ...rest: unknown[]) => {
        tell(thrown)
        return (error as (...args: unknown[]) => void).call(target, thrown, ...rest)
      }) as never
      ;(target as unknown as { _complete(message: unknown, thrown?: { code?: string }): void })._complete = (_message, thrown) => {
        tell(thrown)
        target.error = error
        resolve()
      }
      target.receive({ topic, payload, ...more } as never)
    })
    // Node-RED hands messages over in later turns
    for (let turns = 0; turns < 3; turns++) await new Promise((turn) => setImmediate(turn))
    const sent = out.slice(from)
    return { codes: [...new Set([...codes, ...sent.flatMap(({ payload: said }) => (typeof said?.code === 'string' ? [said.code] : []))])], sent }
  }

  /** It is refused with this code, goes to nobody as a result, and nothing is written but its quarantine. */
  async function refused(code: string | RegExp, to: string, topic: string, payload: unknown, more?: Record<string, unknown>): Promise<void> {
    const { sequence } = await store.head()
    const { codes } = await ask(to, topic, payload, more)
    const shown = `${to} ${topic} ${JSON.stringify(payload)?.slice(0, 120)}: ${codes.join()}`
    if (typeof code === 'string') assert.deepEqual(codes, [code], shown)
    else assert.ok(codes.length === 1 && code.test(codes[0]!), shown)
    const written = (await store.events(sequence, 100)).filter(({ type }) => type !== 'message.quarantined' && !type.startsWith('person.sign-in'))
    assert.deepEqual(written.map(({ type }) => type), [], shown) // biome-ignore format: one line
  }
  async function taken(to: string, topic: string, payload: unknown, more?: Record<string, unknown>): Promise<readonly Received[]> {
    const { codes, sent } = await ask(to, topic, payload, more)
    assert.deepEqual(codes, [], `${to} ${topic} ${JSON.stringify(payload)?.slice(0, 200)}`)
    return sent
  }

  const order = (id: string, more: Record<string, unknown> = {}) => taken('orders', 'orders/create', { id, product: 'shaft-a', quantity: 4, ...more })
  const receive = (lot: string, value: number, more: Record<string, unknown> = {}) => ({
    outputs: [{ lot, quantity: value, unit: 'm', material: 'bar-40' }],
    ...more,
  })
  const moved = (from: string, to: string, value = 1) => ({
    inputs: [{ lot: from, quantity: value, unit: 'm' }],
    outputs: [{ lot: to, quantity: value, unit: 'm', material: 'bar-40' }],
  })
  const job = (id: string) => store.get('job-order', id)
  const count = (more: Record<string, unknown>) => ({
    kind: 'count',
    equipment: SAW,
    jobOrder: null,
    good: 0,
    scrap: 0,
    total: { good: 0, scrap: 0 },
    time: Date.now(),
    ...more,
  })

  it('finish before start', async () => {
    await order('fin')
    for (const command of ['Stop', 'Clear', 'Pause', 'Resume', 'RevokeStart'])
      await refused(/^TAKT_(JOB_ORDER_TRANSITION|PROCEDURE_OPEN)$/, 'orders', 'orders/command', { jobOrder: 'jo-fin-10-saw', command })
    for (const topic of ['complete', 'close']) await refused('TAKT_ORDER_STATE', 'orders', `orders/${topic}`, 'fin')
    // a unit that shows the end of what has not begun is not believed
    const state = {
      kind: 'machine-state',
      equipment: SAW,
      state: 'Complete',
      mode: 'Produce',
      since: Date.now(),
      element: null,
      reason: null,
      jobOrder: 'jo-fin-10-saw',
      time: Date.now(),
    }
    await ask('orders', '', state)
    assert.deepEqual([(await job('jo-fin-10-saw'))?.state, (await job('jo-fin-10-saw'))?.actualEnd], ['NotAllowedToStart', null])
    const log = 'order,step,unit,from,to,qty,type,good,bad\nL,Cut,UNIT,2026-01-01T09:10Z,2026-01-01T09:00Z,1,D,1,0\n'.replace('UNIT', SAW)
    await refused('TAKT_ORDER_TIME', 'logs', 'orders/import', log)
    await refused('TAKT_ORDER_QUANTITY', 'logs', 'orders/import', log.replace('09:00', '09:20').replace('D,1,', 'D,-1,'))
    await refused('TAKT_PROCEDURE_NOT_BEGUN', 'procedure', 'procedures/step', { jobOrder: 'jo-fin-10-saw', step: 'a', by: 'Eva' })
  })

  it('negative quantities', async () => {
    for (const quantity of [-1, 0, { value: -0.5, unit: 'kg' }])
      await refused(/^TAKT_(MESSAGE_INVALID|ORDER_QUANTITY)$/, 'orders', 'orders/create', { id: 'neg', product: 'shaft-a', quantity })
    await refused(/^TAKT_/, 'orders', 'orders/create', { id: 'neg', product: 'shaft-a', quantity: 4, tolerance: { under: -1 } })
    await order('neg-2')
    await refused(/^TAKT_/, 'orders', 'orders/split', { id: 'neg-2', quantity: -1, why: 'x' })
    await refused(/^TAKT_/, 'orders', 'orders/change', { id: 'neg-2', quantity: -1, why: 'x' })
    for (const bad of [{ good: -1 }, { scrap: -1 }, { total: { good: -1, scrap: 0 } }]) await refused(/^TAKT_MESSAGE_/, 'orders', '', count(bad))
    for (const value of [-1, 0]) await refused('TAKT_TRACE_QUANTITY', 'trace', 'genealogy/receive', receive('neg-lot', value))
  })

  it('same id with another body', async () => {
    await order('same')
    await refused('TAKT_ORDER_EXISTS_DIFFERENT', 'orders', 'orders/create', { id: 'same', product: 'shaft-a', quantity: 5 })
    await taken('trace', 'genealogy/receive', receive('same-bar', 6, { id: 'r-1' }))
    await refused(/^TAKT_TRACE_/, 'trace', 'genealogy/receive', receive('same-bar', 7, { id: 'r-1' }))
    const measured = { characteristic: 'diameter', values: [40], jobOrder: 'jo-same-20-mill', id: 'm-1' }
    await taken('gate', 'quality', measured)
    await taken('gate', 'quality', measured)
    await refused('TAKT_QUALITY_EXISTS_DIFFERENT', 'gate', 'quality', { ...measured, values: [41] })
    await refused('TAKT_PERSON_EXISTS', 'sign', 'people/add', { id: 'eva', name: 'Another Eva', why: 'new' }, { session })
  })

  it('consumption beyond stock', async () => {
    await taken('trace', 'genealogy/receive', receive('bar-1', 6))
    await refused('TAKT_TRACE_BEYOND_STOCK', 'trace', 'genealogy/consume', { inputs: [{ lot: 'bar-1', quantity: 6.1, unit: 'm' }] })
    await refused('TAKT_TRACE_BEYOND_STOCK', 'trace', 'genealogy/ship', { inputs: [{ lot: 'bar-1', quantity: 7, unit: 'm' }], party: 'ACME' })
    assert.equal((await store.get('lot', 'bar-1'))?.quantity.value, 6)
  })

  it('self-parent', async () => {
    await taken('trace', 'genealogy/receive', receive('self', 6))
    await refused('TAKT_TRACE_SELF_PARENT', 'trace', 'genealogy/transform', moved('self', 'self'))
    await refused(/^TAKT_TRACE_/, 'trace', 'genealogy/pack', moved('self', 'self'))
    const operation = { id: '10', after: ['10'], alternatives: [{ equipment: SAW, durationMs: 1 }] }
    await refused('TAKT_ORDER_ROUTING', 'orders', 'orders/create', { id: 'self', quantity: 1, operations: [operation] })
    await order('own')
    await refused(/^TAKT_/, 'orders', 'orders/merge', { orders: ['own', 'own'], why: 'x' })
    const steps = [{ id: 'a', type: 'confirm', text: 'x', next: 'a' }]
    await refused('TAKT_PROCEDURE_INVALID', 'procedure', 'procedures/propose', { procedure: 'circle', why: 'x', by: 'Eva', steps })
  })

  it('genealogy cycle', async () => {
    await taken('trace', 'genealogy/receive', receive('c-1', 6))
    for (const [from, to] of [['c-1', 'c-2'], ['c-2', 'c-3']] as const) await taken('trace', 'genealogy/split', moved(from, to)) // biome-ignore format: one line
    await refused('TAKT_TRACE_CYCLE', 'trace', 'genealogy/split', moved('c-3', 'c-1'))
    const circle = ['10', '20'].map((id, index) => ({ id, after: [index === 0 ? '20' : '10'], alternatives: [{ equipment: SAW, durationMs: 1 }] }))
    await refused('TAKT_ORDER_ROUTING', 'orders', 'orders/create', { id: 'circle', quantity: 1, operations: circle })
  })

  it('unknown person', async () => {
    await order('who')
    const record = { kind: 'work-order', id: 'who' }
    for (const person of ['nobody', "eva' or '1'='1", 'person:eva', '__proto__'])
      await refused('TAKT_PERSON_REFUSED', 'sign', 'sign', { record, person, password: PASSWORD })
    await refused('TAKT_PERSON_NOT_SIGNED_IN', 'sign', 'sign', { record, password: PASSWORD, by: 'eva' })
    await refused('TAKT_PERSON_NOT_SIGNED_IN', 'sign', 'people/add', { id: 'mallory', name: 'M', why: 'x' }, { session: 'made up', user: { id: 'eva' } })
    for (const topic of ['people/change', 'people/lock', 'people/unlock'])
      await refused('TAKT_PERSON_UNKNOWN', 'sign', topic, { person: 'nobody', why: 'x' }, { session })
  })

  it('two starts at once', async () => {
    await order('two')
    const start = () => ask('orders', 'orders/command', { jobOrder: 'jo-two-10-saw', command: 'Start' })
    node('orders').receive({ topic: 'orders/command', payload: { jobOrder: 'jo-two-10-saw', command: 'Start' } } as never)
    const { codes } = await start()
    assert.deepEqual(codes, ['TAKT_JOB_ORDER_TRANSITION'])
    const events = (await store.events(0, 10_000)).filter(({ type, subject }) => subject === 'jo-two-10-saw' && type === 'job-order.allowed')
    assert.equal(events.length, 1)
    assert.deepEqual([(await job('jo-two-10-saw'))?.state, (await job('jo-two-10-saw'))?.substate], ['AllowedToStart', 'Ready'])
  })

  it('NUL and lone surrogates in names, and names of a megabyte', async () => {
    await order('txt')
    for (const bad of [...BROKEN, LONG]) {
      await refused(CODE, 'orders', 'orders/create', { id: bad, product: 'shaft-a', quantity: 1 })
      await refused(CODE, 'orders', 'orders/create', { id: 'n', product: bad, quantity: 1 })
      await refused(CODE, 'orders', 'orders/hold', bad)
      await refused(CODE, 'orders', 'orders/hold', { equipment: bad, why: 'x' })
      await refused(CODE, 'orders', 'orders/resume', { lot: bad, why: 'x' })
      await refused(CODE, 'orders', 'orders/command', { jobOrder: bad, command: 'Start' })
      await refused(CODE, 'orders', '', count({ jobOrder: bad }))
      await refused(CODE, 'trace', 'genealogy/receive', receive(bad, 1))
      await refused(CODE, 'trace', 'trace/backward', bad)
      await refused(CODE, 'gate', 'quality/hold', { lot: bad, why: 'x' })
      for (const field of ['lot', 'jobOrder', 'characteristic', 'id', 'serial', 'equipment'])
        await refused(CODE, 'gate', 'quality', { characteristic: 'diameter', values: [40], jobOrder: 'jo-txt-20-mill', [field]: bad })
      await refused(CODE, 'procedure', 'procedures/propose', { procedure: 'p', why: 'x', by: 'Eva', steps: [{ id: 'a', type: 'confirm', text: bad }] })
      await refused(CODE, 'procedure', 'procedures/propose', { procedure: bad, why: 'x', by: 'Eva', steps: [{ id: 'a', type: 'confirm', text: 'x' }] })
      await refused(CODE, 'procedure', 'procedures/begin', { jobOrder: bad, by: 'Eva' })
      await refused(CODE, 'sign', 'sign', { record: { kind: 'lot', id: bad }, person: 'eva', password: PASSWORD })
      await refused(CODE, 'sign', 'sign', { record: { kind: 'work-order', id: 'txt' }, person: bad, password: PASSWORD })
      await refused(CODE, 'sign', 'people/add', { id: 'mia', name: bad, why: 'x' }, { session })
      await refused(CODE, 'report', '', bad)
    }
    for (const bad of BROKEN) {
      await refused(CODE, 'orders', 'orders/hold', { id: 'txt', why: bad })
      await refused(CODE, 'gate', 'quality/hold', { lot: 'lot-txt', why: bad })
      await refused(CODE, 'sign', 'sign', { record: { kind: 'work-order', id: 'txt' }, comment: bad, person: 'eva', password: PASSWORD })
      await refused(CODE, 'trace', 'genealogy/ship', { inputs: [{ lot: 'bar-1', quantity: 1, unit: 'm' }], party: bad })
      await refused(CODE, 'procedure', 'procedures/refuse', { procedure: 'p@1', why: bad, by: 'Eva' })
    }
  })

  it('CSV with formulas, and markup: stored to the letter, and run by nothing that shows it', async () => {
    const names = [FORMULA, '@SUM(A1)', '+1+1', MARKUP]
    const field = (text: string): string => `"${text.replaceAll('"', '""')}"`
    const csv = ['order,workMaster,quantity,due', ...names.map((name) => [name, 'shaft-a', '2', '2026-12-01 14:00'].map(field).join())].join('\n')
    await ask('orders', 'orders/import', csv)
    for (const name of names) {
      const { id, external } = (await store.list('work-order', { where: { external_id: name } }))[0] ?? {}
      assert.equal(external?.id, name)
      await taken('orders', 'orders/hold', { id, why: name })
      const shown: string[] = []
      for (const asked of [{ format: 'csv', table: 'events' }, { format: 'html' }]) {
        const [answer] = await taken('report', '', { type: 'work-order', subject: id, ...asked })
        shown.push(String(answer?.payload.content ?? answer?.payload))
      }
      const [text = '', html = ''] = shown
      assert.ok(text.includes('held') && html.includes('</html>'))
      assert.ok(!/(^|,|")[=@+]/m.test(text.replaceAll(/T\d\d:\d\d:\d\d\.\d{3}\+/g, '')), text.slice(0, 400))
      assert.ok(!html.includes('<img'), 'no element of the data')
    }
  })

  it('SQL in every text field', async () => {
    const operations = [{ id: SQL, setupFamily: SQL, alternatives: [{ equipment: SAW, durationMs: 1 }] }]
    await taken('orders', 'orders/create', { id: SQL, external: { system: SQL, id: SQL }, product: SQL, quantity: 1, operations })
    await taken('orders', 'orders/hold', { id: SQL, why: SQL }, { by: SQL })
    await taken('orders', 'orders/resume', { external: { system: SQL, id: SQL }, why: SQL })
    await taken('orders', 'orders/hold', { equipment: MILL_1, why: SQL }, { by: SQL })
    await taken('orders', 'orders/resume', { equipment: MILL_1, why: SQL })
    await taken('orders', 'orders/hold', { lot: `lot-${SQL}`, why: SQL })
    await taken('orders', 'orders/maintenance', { equipment: SAW, cause: SQL })
    await refused('TAKT_EQUIPMENT_UNKNOWN', 'orders', 'orders/hold', { equipment: SQL, why: SQL })
    await taken('trace', 'genealogy/receive', {
      outputs: [{ lot: SQL, quantity: 3, unit: 'm', material: SQL }],
      party: SQL,
      location: SQL,
      reason: SQL,
      people: [SQL],
      tools: [SQL],
      procedure: SQL,
    })
    await taken('trace', 'trace/backward', SQL)
    await taken('gate', 'quality/hold', { lot: SQL, why: SQL }, { by: SQL })
    await taken('procedure', 'procedures/propose', { procedure: 'sql', title: SQL, why: SQL, by: SQL, steps: [{ id: 'a', type: 'confirm', text: SQL }] })
    await taken('sign', 'people/add', { id: 'sql', name: SQL, badge: SQL, login: SQL, why: SQL, certifications: [{ name: SQL }] }, { session })
    await taken('sign', 'sign', { record: { kind: 'work-order', id: SQL }, comment: SQL, person: 'eva', password: PASSWORD })
    const [report] = await taken('report', '', { type: 'work-order', subject: SQL, format: 'json' })
    assert.ok(JSON.stringify(report?.payload).includes(JSON.stringify(SQL).slice(1, -1)))
    const { external, product } = (await store.get('work-order', SQL))!
    assert.deepEqual(
      [external, product, (await store.get('lot', SQL))?.reason, (await store.get('person', 'sql'))?.name],
      [{ system: SQL, id: SQL }, SQL, SQL, SQL],
    )
    assert.ok((await store.verify()).ok)
  })
}

describe('bad input at the nodes', () => {
  before((done) => void helper.startServer(done))
  after((done) => void helper.stopServer(done))

  describe('with SQLite', () => badInput(async () => ({ file: ':memory:' })))

  describe('with PostgreSQL', () => {
    let server: PostgresServer | undefined
    let folder: string | undefined
    before(async function () {
      needsPostgres(this)
      folder = mkdtempSync(join(tmpdir(), 'takt-test-bad-input-'))
      helper.settings({ userDir: folder } as never)
      server = await PostgresServer.start()
    })
    after(async () => {
      await server?.remove()
      helper.settings({})
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
    })
    badInput(async () => ({ database: 'postgres', url: server?.url(await server.database()) }))
  })
})
