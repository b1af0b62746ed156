import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Node } from 'node-red'
import { packageRoot } from '../../core/base/package-root.ts'
import registerJobControl from '../../nodes/job-control/job-control.ts'
import registerPlant from '../../nodes/plant/plant.ts'
import registerStore, { type StoreNode } from '../../nodes/store/store.ts'
import registerWorkOrder from '../../nodes/work-order/work-order.ts'
import { ForeignClient, quantity, STATUS } from '../core/connect/job-control/foreign-client.ts'
import { until } from '../core/connect/support/wait.ts'
import { LINES } from '../core/orders/job-control/fixture.ts'
import { freePort } from '../e2e/support/free-port.ts'
import { collect, type FlowNode, helper, loadFlow, nextMessage } from './support/helper.ts'

describe('job control node', function () {
  this.timeout(180_000)
  let folder: string
  let port: number
  let get: (id: string) => Node
  let client: ForeignClient | undefined

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'takt-job-control-'))
    helper.settings({ userDir: folder })
    port = await freePort()
  })
  afterEach(async () => {
    await client?.close()
    client = undefined
    await helper.unload()
    rmSync(folder, { recursive: true, force: true })
  })

  async function load(config: Record<string, unknown> = {}, credentials: Record<string, unknown> = { user: 'erp', password: 'secret' }): Promise<void> {
    get = await loadFlow(
      [registerPlant, registerStore, registerJobControl],
      [
        { id: 'f1', type: 'tab' },
        { id: 'p1', type: 'takt-plant', source: 'inline', model: JSON.stringify(LINES.model), clock: 'system' },
        { id: 's1', type: 'takt-store', file: join(folder, 'takt.db'), plant: 'p1' },
        {
          id: 'n1',
          z: 'f1',
          type: 'takt-job-control',
          plant: 'p1',
          store: 's1',
          host: '',
          port,
          security: 'None',
          maxJobOrders: 2,
          wires: [['out'], ['refused']],
          ...config,
        },
        { id: 'out', z: 'f1', type: 'helper' },
        { id: 'refused', z: 'f1', type: 'helper' },
      ],
      { n1: credentials },
    )
  }
  const connect = async (login = { user: 'erp', password: 'secret' }): Promise<ForeignClient> => {
    let problem: unknown
    await until(
      async () => {
        client = await ForeignClient.connect(`opc.tcp://127.0.0.1:${port}`, 'p', login).catch((thrown: unknown) => {
          problem = thrown
          return undefined
        })
        return client !== undefined
      },
      `the server listens: ${String(problem)}`,
    )
    return client as ForeignClient
  }
  const order = (id: string): Record<string, unknown> => ({ jobOrderID: id, workMasterID: [{ ID: 'plate' }], jobOrderParameters: [quantity(4)] })

  it('takes job orders over OPC UA into the store, and tells the flow what was taken and what was refused', async () => {
    await load()
    const erp = await connect()
    const taken = nextMessage(get('out'), () => true, 30_000)
    const refused = collect(get('refused'))
    assert.deepEqual(await erp.order('StoreAndStart', order('4711')), { code: 'Good', status: STATUS.noError })
    const { topic, payload, call } = await taken
    assert.deepEqual([topic, payload.kind, payload.state, payload.quantity.value], ['orders/wo-4711', 'work-order', 'Released', 4])
    assert.deepEqual(call, { receiver: 'p', method: 'StoreAndStart', jobOrder: '4711', user: 'erp' })
    const { store } = get('s1') as StoreNode
    assert.equal((await store.get('work-order', 'wo-4711'))?.state, 'Released')

    assert.equal((await erp.command('Pause', '4711')).code, 'Uncertain')
    await erp.order('StoreAndStart', order('2'))
    assert.deepEqual((await erp.order('StoreAndStart', order('3'))).status, [4, 16])
    await until(() => refused.length === 2, 'two refusals')
    assert.deepEqual(
      refused.map((message) => message.payload.code),
      ['TAKT_JOB_CONTROL_STATE', 'TAKT_JOB_CONTROL_FULL'],
    )
  })

  it('shows who is connected and how many job orders it has', async () => {
    await load()
    const statuses: string[] = []
    ;(get('n1') as any).status = ({ text }: { text: string }) => statuses.push(text)
    const erp = await connect()
    await erp.order('StoreAndStart', order('1'))
    await until(() => statuses.at(-1) === '1 connected, 1 job orders, StoreAndStart 1', 'its status')
    await erp.close()
    client = undefined
    await until(() => statuses.at(-1)?.startsWith('nobody connected, 1 job orders') === true, 'its status')
  })

  it('has its list again after a redeploy, and the same job order is no second one', async () => {
    await load()
    let erp = await connect()
    await erp.order('StoreAndStart', order('4711'))
    await erp.close()
    await helper.unload()
    await load()
    erp = await connect()
    assert.deepEqual(await erp.states(), ['4711: AllowedToStart/Ready'])
    assert.deepEqual((await erp.order('StoreAndStart', order('4711'))).status, STATUS.noError)
    assert.equal((await (get('s1') as StoreNode).store.list('work-order')).length, 1)
  })

  it('the plant’s and the viewer’s user: one may order, the other only look', async () => {
    await load({}, { user: 'erp', password: 'secret', viewer: 'board', viewerPassword: 'look' })
    const board = await connect({ user: 'board', password: 'look' })
    assert.equal((await board.order('StoreAndStart', order('1'))).code, 'BadUserAccessDenied')
    assert.deepEqual(await board.list(), [])
  })

  for (const [what, config, credentials, words] of [
    ['without any user', {}, {}, /no user is named/],
    ['with a user without a password', {}, { user: 'erp' }, /no password/],
    ['with one name for both', {}, { user: 'a', password: 'b', viewer: 'a', viewerPassword: 'c' }, /one name/],
    ['with a port that is none', { port: 70_000 }, { user: 'a', password: 'b' }, /port/],
    ['with a security that is none', { security: 'Secret' }, { user: 'a', password: 'b' }, /unknown/],
    ['with a list of 10,001', { maxJobOrders: 10_001 }, { user: 'a', password: 'b' }, /job orders/],
  ] as const) {
    it(`does not begin ${what}`, async () => {
      await load(config, credentials)
      const [error] = helper
        .log()
        .args.flat()
        .filter((entry: { id?: string; level?: number }) => entry.id === 'n1' && entry.level === 20)
      assert.match(String((error as { msg?: unknown })?.msg), words)
      await assert.rejects(ForeignClient.connect(`opc.tcp://127.0.0.1:${port}`, 'p', { user: 'a', password: 'b' }))
    })
  }

  it('its example runs', async () => {
    const example = JSON.parse(readFileSync(join(packageRoot, 'examples', 'job-control.json'), 'utf8')) as FlowNode[]
    const flow = example
      .filter(({ type }) => type !== 'comment')
      .map((node) => (node.type === 'takt-job-control' ? { ...node, port } : node.type === 'debug' ? { ...node, type: 'helper' } : node))
    await loadFlow([registerPlant, registerStore, registerJobControl, registerWorkOrder], flow)
    await until(
      async () => {
        client = await ForeignClient.connect(`opc.tcp://127.0.0.1:${port}`, 'works').catch(() => undefined)
        return client !== undefined
      },
      'it listens',
      60_000,
    )
    assert.deepEqual(await client?.list(), [], 'anybody may look')
    assert.equal((await client?.order('StoreAndStart', order('1')))?.code, 'BadUserAccessDenied', 'and nobody may order until a user is named')
  })
})
