import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { jobOrderOfCommand } from '../../core/orders/dispatch/job-command.ts'
import registerDispatch from '../../nodes/dispatch/dispatch.ts'
import registerJobControl from '../../nodes/job-control/job-control.ts'
import registerMachineCommand from '../../nodes/machine-command/machine-command.ts'
import registerMachineState from '../../nodes/machine-state/machine-state.ts'
import registerOpcuaEndpoint from '../../nodes/opcua-endpoint/opcua-endpoint.ts'
import registerOpcuaSensor from '../../nodes/opcua-sensor/opcua-sensor.ts'
import registerPlant from '../../nodes/plant/plant.ts'
import registerScheduler from '../../nodes/scheduler/scheduler.ts'
import registerSimulator from '../../nodes/simulator/simulator.ts'
import registerStore, { type StoreNode } from '../../nodes/store/store.ts'
import registerWorkOrder from '../../nodes/work-order/work-order.ts'
import { ForeignClient, quantity, STATUS } from '../core/connect/job-control/foreign-client.ts'
import { until } from '../core/connect/support/wait.ts'
import { freePort } from '../e2e/support/free-port.ts'
import { collect, helper, loadFlow } from './support/helper.ts'

const UNIT = 'works/line/lathe'
const target = { connection: 'machines', jobReceiver: 'ns=1;s=Lathe.JobOrderControl' }
const MODEL = {
  plant: 'works',
  equipment: [
    { id: 'works/line', level: 'workCenter' },
    {
      id: UNIT,
      level: 'workUnit',
      classes: ['lathe'],
      signals: ['job-order', 'good-count', 'scrap-count', 'packml-state'].map((role) => ({ name: role, role, source: target })),
      commands: [
        { name: 'start-job', target },
        { name: 'stop', target },
      ],
    },
  ],
  materials: [{ id: 'pin', unit: 'pcs' }],
  workMasters: [
    { id: 'pin', version: 1, produces: 'pin', operations: [{ id: '10-turn', alternatives: [{ class: 'lathe', setupMs: 5000, perPieceMs: 20_000 }] }] },
  ],
}

/** From an ERP's StoreAndStart to its response, and from dispatch to a machine that knows nothing but job orders: OPC 10031-4 at both ends. */
describe('job orders from an ERP to a machine and back', function () {
  this.timeout(240_000)
  const folder = mkdtempSync(join(tmpdir(), 'takt-job-loop-'))
  let erp: ForeignClient | undefined

  after(async () => {
    await erp?.close()
    await helper.unload()
    rmSync(folder, { recursive: true, force: true })
  })

  it('two orders run on the machine, one after the other, with every part counted once', async () => {
    helper.settings({ userDir: folder })
    const [machines, orders] = [await freePort(), await freePort()]
    const flow = [
      { id: 'f1', type: 'tab' },
      { id: 'p1', type: 'takt-plant', source: 'inline', model: JSON.stringify(MODEL), clock: 'simulator' },
      { id: 's1', type: 'takt-store', file: join(folder, 'takt.db'), plant: 'p1' },
      { id: 'e1', type: 'takt-opcua-endpoint', name: 'machines', url: `opc.tcp://127.0.0.1:${machines}`, securityMode: 'None' },
      {
        id: 'sim',
        z: 'f1',
        type: 'takt-simulator',
        plant: 'p1',
        broker: '',
        opcuaPort: machines,
        speed: 60,
        seed: 7,
        wornUnit: '',
        orders: 0,
        ordersAhead: 0,
        wires: [[], []],
      },
      { id: 'jobs', z: 'f1', type: 'takt-job-control', plant: 'p1', store: 's1', port: orders, security: 'None', wires: [[], ['refused']] },
      {
        id: 'sensor',
        z: 'f1',
        type: 'takt-opcua-sensor',
        plant: 'p1',
        endpoint: 'e1',
        store: 's1',
        mode: 'bindings',
        items: [],
        wires: [['state', 'samples']],
      },
      { id: 'state', z: 'f1', type: 'takt-machine-state', plant: 'p1', store: 's1', wires: [['order', 'dispatch'], ['order']] },
      { id: 'order', z: 'f1', type: 'takt-work-order', plant: 'p1', store: 's1', wires: [[], []] },
      {
        id: 'plan',
        z: 'f1',
        type: 'takt-scheduler',
        plant: 'p1',
        store: 's1',
        watch: true,
        autonomy: 'auto',
        objective: 'due-dates',
        searchMs: 100,
        debounceMs: 50,
        wires: [[], []],
      },
      {
        id: 'dispatch',
        z: 'f1',
        type: 'takt-dispatch',
        plant: 'p1',
        store: 's1',
        autonomy: 'auto',
        toleranceMs: 600_000,
        ackTimeoutMs: 20_000,
        commands: '',
        wires: [['command'], ['people']],
      },
      { id: 'command', z: 'f1', type: 'takt-machine-command', plant: 'p1', store: 's1', autonomy: 'auto', timeout: 20, wires: [['dispatch', 'receipts'], []] },
      ...['refused', 'samples', 'receipts', 'people'].map((id) => ({ id, z: 'f1', type: 'helper' })),
    ]
    const get = await loadFlow(
      [
        registerPlant,
        registerStore,
        registerOpcuaEndpoint,
        registerSimulator,
        registerJobControl,
        registerOpcuaSensor,
        registerMachineState,
        registerWorkOrder,
        registerScheduler,
        registerDispatch,
        registerMachineCommand,
      ],
      flow,
      { jobs: { user: 'erp', password: 'secret' } },
    )
    const samples = collect(get('samples'))
    const receipts = collect(get('receipts'))
    await until(
      async () => {
        erp = await ForeignClient.connect(`opc.tcp://127.0.0.1:${orders}`, 'works/line', { user: 'erp', password: 'secret' }).catch(() => undefined)
        return erp !== undefined
      },
      'the server listens',
      60_000,
    )
    for (const id of ['4711', '4712']) {
      const order = { jobOrderID: id, workMasterID: [{ ID: 'pin' }], jobOrderParameters: [quantity(6)] }
      assert.deepEqual(await erp?.order('StoreAndStart', order), { code: 'Good', status: STATUS.noError })
    }
    const seen = new Set<string>()
    await until(
      async () => {
        for (const state of (await erp?.states()) ?? []) seen.add(state)
        return seen.has('4711: Ended/Completed') && seen.has('4712: Ended/Completed')
      },
      'both end',
      180_000,
    )
    assert.ok(seen.has('4711: Running') && seen.has('4712: Running'), [...seen].join(', '))

    const { store } = get('s1') as StoreNode
    for (const id of ['4711', '4712']) {
      const [order] = await store.list('work-order', { where: { external_id: id } })
      assert.equal((order?.progress.good ?? 0) + (order?.progress.scrap ?? 0), 6, id)
      const { response } = (await erp?.response(id)) ?? {}
      const [good] = (response?.jobResponseData ?? []) as { readonly value: { readonly value: number } }[]
      assert.equal(good?.value.value, order?.progress.good)
      const job = await store.get('job-response', `jr-jo-wo-${id}-10-turn`)
      assert.deepEqual([job?.equipment, job?.state, job?.good], [UNIT, 'Completed', order?.progress.good])
    }
    // told again where the answer was late, which changes nothing at the machine
    const told = receipts.filter(({ payload }) => payload.status === 'done').map(({ payload }) => jobOrderOfCommand(payload.of))
    assert.deepEqual(new Set(told), new Set(['jo-wo-4711-10-turn', 'jo-wo-4712-10-turn']))
    const documents = samples.filter(({ payload }) => payload.kind === 'job-response')
    assert.deepEqual(new Set(documents.map(({ payload }) => payload.jobOrder)), new Set(['jo-wo-4711-10-turn', 'jo-wo-4712-10-turn']))
    assert.equal((await store.verify()).ok, true)
  })
})
