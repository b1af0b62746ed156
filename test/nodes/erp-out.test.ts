import assert from 'node:assert/strict'
import type { EventEmitter } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:https'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Node } from 'node-red'
import type { TaktError } from '../../core/base/error.ts'
import type { ErpMessage } from '../../core/messages/erp-message.ts'
import type { Store } from '../../core/store/store.ts'
import registerErpOut from '../../nodes/erp-out/erp-out.ts'
import registerPlant from '../../nodes/plant/plant.ts'
import registerStore, { type StoreNode } from '../../nodes/store/store.ts'
import registerWorkOrder from '../../nodes/work-order/work-order.ts'
import { selfSigned } from '../core/connect/support/self-signed.ts'
import { b2mmlFaults } from '../core/erp/support/b2mml-structure.ts'
import { ErpServer } from '../core/erp/support/erp-server.ts'
import { count, PLANT, released, show } from '../core/orders/fixture.ts'
import { loadExample } from './support/example.ts'
import { collect, helper, loadFlow, nextMessage, type Register } from './support/helper.ts'

const registerTls = createRequire(import.meta.url)('@node-red/nodes/core/network/05-tls.js') as Register

describe('erp out node', () => {
  let store: Store
  let node: Node
  let get: (id: string) => Node
  let erp: ErpServer

  async function load(config: Record<string, unknown>, credentials: Record<string, unknown> = {}, file = ':memory:'): Promise<void> {
    get = await loadFlow(
      [registerTls, registerPlant, registerStore, registerErpOut],
      [
        { id: 'f1', type: 'tab' },
        { id: 'a1', type: 'takt-plant', source: 'inline', model: JSON.stringify(PLANT), clock: 'system' },
        { id: 'a2', type: 'takt-store', file, plant: 'a1' },
        { id: 'a3', type: 'tls-config', verifyservercert: true, ca: config.ca ?? '' },
        {
          id: 'n1',
          z: 'f1',
          type: 'takt-erp-out',
          plant: 'a1',
          store: 'a2',
          system: '*',
          settle: '0',
          wires: [['received'], ['refused'], ['send']],
          ...config,
        },
        { id: 'received', z: 'f1', type: 'helper' },
        { id: 'refused', z: 'f1', type: 'helper' },
        { id: 'send', z: 'f1', type: 'helper' },
      ],
      { n1: credentials },
    )
    node = get('n1')
    store = (get('a2') as StoreNode).store
  }
  async function make(id = 'wo-1'): Promise<string> {
    const job = `jo-${id}-10-saw`
    await released(store, { id })
    await show(store, 'p/saw', 'Execute', job, { since: 2_000_000 })
    await count(store, 'p/saw', job, 10, 0)
    await show(store, 'p/saw', 'Complete', job, { since: 2_060_000 })
    return `erp:${job}:1`
  }
  const nextError = (): Promise<TaktError> =>
    new Promise((resolve) => (node as unknown as EventEmitter).once('call:error', (call: { args: [TaktError] }) => resolve(call.args[0])))
  const statuses = (): Array<{ fill: string; text: string }> =>
    (node.status as unknown as { getCalls(): Array<{ args: [{ fill: string; text: string }] }> }).getCalls().map(({ args }) => args[0])

  before((done) => void helper.startServer(done))
  after((done) => void helper.stopServer(done))
  beforeEach(async () => {
    erp = new ErpServer()
    await erp.listen()
  })
  afterEach(async () => {
    await helper.unload()
    await erp.close()
  })

  it('brings what is over to the ERP in B2MML, with its login, and tells of the receipt', async () => {
    erp.reply = () => ({ status: 201, body: '{"number":77}' })
    await load({ url: erp.url, auth: 'basic' }, { user: 'takt', password: 'söcret' })
    const received = nextMessage(get('received'))
    const id = await make()
    const { topic, payload } = (await received) as { topic: string; payload: ErpMessage }
    assert.deepEqual([topic, payload.id, payload.receipt?.number], ['erp/erp/received', id, '77'])
    assert.equal(erp.taken.length, 1)
    assert.deepEqual(b2mmlFaults(JSON.parse(erp.taken[0]!.body)), [])
    assert.equal(erp.taken[0]!.headers.authorization, `Basic ${Buffer.from('takt:söcret').toString('base64')}`)
  })

  it('says how many wait and since when, tells catch and the second output of what is refused, and sends it again', async () => {
    erp.reply = () => ({ status: 503 })
    await load({ url: erp.url, format: 'json' })
    const id = await make()
    await erp.until((taken) => taken.length >= 1)
    const deadline = Date.now() + 4000
    while (!statuses().some(({ text }) => / · 1 waiting since \d{4}-\d\d-\d\d \d\d:\d\d$/.test(text)) && Date.now() < deadline)
      await new Promise((later) => setTimeout(later, 50))
    const status = statuses().at(-1)
    assert.match(status!.text, /^the ERP answers 503 Service Unavailable · 0 received · 1 waiting since /)
    assert.equal(status!.fill, 'red')

    const [refused, error] = [nextMessage(get('refused')), nextError()]
    erp.reply = () => ({ status: 422, body: 'no such order' })
    assert.equal((await refused).payload.id, id)
    assert.equal((await error).code, 'TAKT_ERP_REFUSED')
    erp.reply = () => ({ status: 200 })
    const [again, received] = [
      nextMessage(get('received'), ({ topic }) => topic === 'erp/erp/again'),
      nextMessage(get('received'), ({ topic }) => topic === 'erp/erp/received'),
    ]
    node.receive({ topic: 'again', payload: { ids: [id], why: 'order was made' }, ticket: 5 } as never)
    assert.deepEqual([(await again).ticket, (await again).payload[0].state], [5, 'waiting'])
    assert.equal((await received).payload.id, id)
  })

  it('hands messages to a flow and takes its receipt: in words, as an http request node leaves it, and late', async () => {
    await load({ transport: 'message', timeout: '1', format: 'json' })
    const handed = nextMessage(get('send'))
    const id = await make()
    const { erp: mark, payload, headers, topic } = (await handed) as unknown as { erp: { id: string }; payload: any; headers: any; topic: string }
    assert.deepEqual([topic, mark.id, headers['idempotency-key'], payload.kind], ['erp/erp/send', id, id, 'work-performance'])
    let received = nextMessage(get('received'))
    node.receive({ topic: 'receipt', payload: { id, status: 'received', number: 'A-1' } } as never)
    assert.equal((await received).payload.receipt.number, 'A-1')

    const next = nextMessage(get('send'))
    await make('wo-2')
    received = nextMessage(get('received'))
    node.receive({ ...(await next), statusCode: 409, payload: {} } as never)
    assert.equal((await received).payload.receipt.status, '409 known already')

    const first = nextMessage(get('send'))
    const late = await make('wo-3')
    await first
    const second = await nextMessage(get('send'), ({ erp }) => (erp as { id: string }).id === late)
    assert.deepEqual(second.payload, (await first).payload)
    received = nextMessage(get('received'))
    node.receive({ topic: 'receipt', payload: { id: late, status: 'received' } } as never)
    assert.equal((await received).payload.id, late)
  })

  it('refuses what it cannot use with a code, and stays alive', async () => {
    await load({ transport: 'message' })
    const bad: ReadonlyArray<readonly [string, unknown, string]> = [
      ['dance', {}, 'TAKT_MESSAGE_INVALID'],
      ['receipt', { status: 'received' }, 'TAKT_MESSAGE_INVALID'],
      ['receipt', { id: 'erp:x:1', status: 'perhaps' }, 'TAKT_MESSAGE_INVALID'],
      ['receipt', { id: 'erp:x:1', status: 'received' }, 'TAKT_ERP_MESSAGE_UNKNOWN'],
      ['again', { why: 'x' }, 'TAKT_MESSAGE_INVALID'],
      ['again', ['a', 7], 'TAKT_MESSAGE_INVALID'],
      ['again', 'erp:none:1', 'TAKT_ERP_MESSAGE_UNKNOWN'],
      ['set-aside', ['a', 'b'], 'TAKT_MESSAGE_INVALID'],
    ]
    for (const [topic, payload, code] of bad) {
      const error = nextError()
      node.receive({ topic, payload } as never)
      assert.equal((await error).code, code, `${topic} ${JSON.stringify(payload)}`)
    }
  })

  it('stops at once while the ERP has not answered, and delivers after the next start', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'takt-erp-'))
    helper.settings({ userDir: folder } as never)
    try {
      erp.reply = () => undefined
      await load({ url: erp.url }, {}, 'takt.db')
      const id = await make()
      await erp.until((taken) => taken.length >= 1)
      const before = performance.now()
      await helper.unload()
      assert.ok(performance.now() - before < 5000)
      erp.reply = () => ({ status: 201 })
      await load({ url: erp.url }, {}, 'takt.db')
      const received = await nextMessage(get('received'))
      assert.equal(received.payload.id, id)
      assert.equal(erp.taken[0]!.body, erp.taken[1]!.body)
    } finally {
      await helper.unload()
      helper.settings({})
      rmSync(folder, { recursive: true })
    }
  })

  it('takes certificates from the TLS settings, and trusts no other', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'takt-erp-tls-'))
    const { certificate, key } = await selfSigned(join(folder, 'server'))
    const server = createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, (_request, response) => void response.writeHead(201).end())
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const url = `https://localhost:${(server.address() as AddressInfo).port}/x`
    try {
      await load({ url, tls: 'a3', ca: certificate })
      const received = nextMessage(get('received'))
      await make()
      assert.equal((await received).payload.receipt.status, '201 Created')
      await helper.unload()
      await load({ url })
      const id = await make()
      const deadline = Date.now() + 4000
      while (!statuses().some(({ text }) => /certificate/.test(text)) && Date.now() < deadline) await new Promise((later) => setTimeout(later, 50))
      assert.match(statuses().at(-1)!.text, /certificate/)
      assert.equal((await store.get('erp-message', id))?.state, 'waiting')
    } finally {
      await new Promise((closed) => server.close(closed))
      rmSync(folder, { recursive: true })
    }
  })

  for (const [wrong, credentials] of [
    [{ url: 'ftp://x' }],
    [{ url: '' }],
    [{ url: 'http://x', auth: 'basic' }],
    [{ url: 'http://x', auth: 'bearer' }, { user: 'x' }],
    [{ url: 'http://x', timeout: '0' }],
    [{ url: 'http://x', channel: 'a b' }],
    [{ url: 'http://x', jobs: false, orders: 'none' }],
    [{ url: 'http://x', tls: 'gone' }],
    [{ transport: 'pigeon' }],
  ] as ReadonlyArray<readonly [Record<string, unknown>, Record<string, unknown>?]>) {
    it(`does not start with ${JSON.stringify(wrong)}`, async () => {
      await load(wrong, credentials)
      const error = nextError()
      node.receive({ topic: 'again', payload: 'all' } as never)
      assert.equal((await error).code, 'TAKT_CONFIG_INVALID')
    })
  }

  it('works as its example shows', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'takt-erp-'))
    helper.settings({ userDir: folder } as never)
    const { node: named, press } = await loadExample('erp-out.json', [registerPlant, registerStore, registerWorkOrder, registerErpOut])
    const seen = collect(named('received'))
    for (const button of ["the ERP's order 4711: 10 shafts", 'saw-1 runs it', 'it has made 9, and 1 is scrap', 'saw-1 is through']) {
      press(button)
      await new Promise((later) => setTimeout(later, 150))
    }
    const { payload } = await nextMessage(named('received'), undefined, 8000)
    assert.deepEqual([payload.id, payload.receipt.number], ['erp:jo-wo-4711-10-saw:1', '500001'])
    const corrected = nextMessage(named('received'), undefined, 8000)
    press('a late count: 2 are scrap')
    assert.equal((await corrected).payload.version, 2)
    assert.equal(seen.length, 2)
    await helper.unload()
    helper.settings({})
    rmSync(folder, { recursive: true })
  }).timeout(20_000)
})
