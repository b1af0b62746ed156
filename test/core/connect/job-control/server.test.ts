import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AttributeIds, constructEventFilter, DataType, MessageSecurityMode, resolveNodeId, TimestampsToReturn, type Variant } from 'node-opcua'
import { JobControlServer, type JobServerOptions } from '../../../../core/connect/job-control/job-server.ts'
import { ServerUsers } from '../../../../core/connect/job-control/server-users.ts'
import { freePort } from '../../../e2e/support/free-port.ts'
import { complete, run, type World, world } from '../../orders/job-control/fixture.ts'
import { until } from '../support/wait.ts'
import { comment, ForeignClient, type Login, quantity, STATUS } from './foreign-client.ts'

const USERS = new ServerUsers(
  [
    { name: 'erp', password: 'secret', role: 'control' },
    { name: 'board', password: 'look', role: 'view' },
  ],
  false,
)
const ERP: Login = { user: 'erp', password: 'secret' }

describe('job control server', function () {
  this.timeout(180_000)
  const folder = mkdtempSync(join(tmpdir(), 'takt-jobs-'))
  let w: World
  let server: JobControlServer
  let erp: ForeignClient
  const opened: ForeignClient[] = []

  const start = async (more: Partial<JobServerOptions> = {}): Promise<JobControlServer> =>
    JobControlServer.start({
      host: '127.0.0.1',
      port: await freePort(),
      security: 'None',
      users: USERS,
      pkiFolder: join(folder, 'pki'),
      acceptClientCertificate: true,
      plant: 'p',
      maxJobOrders: 50,
      desk: w.desk,
      where: 'test',
      ...more,
    })
  const connect = async (login: Login = ERP, receiver = 'p', url = server.url): Promise<ForeignClient> => {
    const client = await ForeignClient.connect(url, receiver, login)
    opened.push(client)
    return client
  }

  const begin = async (maxJobOrders = 50): Promise<void> => {
    w = await world(maxJobOrders)
    server = await start({ maxJobOrders })
    erp = await connect()
  }
  const end = async (): Promise<void> => {
    await Promise.all(opened.splice(0).map((client) => client.close().catch(() => {})))
    await server.close()
    await w.close()
  }
  after(() => rmSync(folder, { recursive: true, force: true }))

  const order = (id: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
    jobOrderID: id,
    workMasterID: [{ ID: 'plate@2' }],
    jobOrderParameters: [quantity(10)],
    ...more,
  })

  describe('job orders', () => {
    // one server for all, which takes a second to start: each test has job orders of its own names
    before(() => begin())
    after(end)

    it('takes a job order from its Store to its response, as the specification says', async () => {
      assert.deepEqual(await erp.order('Store', order('4711', { priority: 7, description: [{ text: 'plates for 4711' }] })), {
        code: 'Good',
        status: STATUS.noError,
      })
      assert.deepEqual(await erp.states(), ['4711: NotAllowedToStart/Ready'], 'on the list as soon as the call is answered')
      assert.deepEqual(await erp.command('Start', '4711'), { code: 'Good', status: STATUS.noError })
      assert.deepEqual(await erp.states(), ['4711: AllowedToStart/Ready'])
      await run(w, '4711', 4)
      await until(async () => (await erp.states())[0] === '4711: Running', 'Running')
      assert.deepEqual(await erp.command('Pause', '4711'), { code: 'Good', status: STATUS.noError })
      assert.deepEqual(await erp.command('Resume', '4711'), { code: 'Good', status: STATUS.noError })
      await complete(w, '4711', 9)
      await until(async () => (await erp.states())[0] === '4711: Ended/Completed', 'Ended')
      const { status, response } = await erp.response('4711')
      assert.deepEqual(status, { code: 'Good', status: STATUS.noError })
      const { jobOrderID, jobResponseData, materialActuals, equipmentActuals } = response as Record<string, ReadonlyArray<Record<string, unknown>>>
      assert.equal(jobOrderID, '4711')
      assert.deepEqual(
        jobResponseData?.slice(0, 2).map(({ ID, value }) => [ID, (value as Variant).value]),
        [
          ['Good', 9],
          ['Scrap', 0],
        ],
      )
      assert.deepEqual(
        [materialActuals?.[0]?.materialDefinitionID, materialActuals?.[0]?.quantity, materialActuals?.[0]?.materialUse],
        ['plate', '9', 'Produced'],
      )
      assert.equal(equipmentActuals?.[0]?.ID, 'p/line-1/mill-1')
      assert.deepEqual(await erp.command('Clear', '4711'), { code: 'Good', status: STATUS.noError })
      assert.deepEqual(await erp.list(), [])
      assert.deepEqual((await erp.response('4711')).status, { code: 'Uncertain', status: STATUS.unknownId })
    })

    it('shows a job order on the list as it was stored, in every field that it carries', async () => {
      const fields = order('F', {
        startTime: new Date(1_800_000_000_000),
        endTime: new Date(1_800_000_360_000),
        priority: -3,
        jobOrderParameters: [
          quantity(3),
          { ID: 'Wide', value: { dataType: DataType.UInt64, arrayType: 0, value: [0x20_0000, 1] } },
          { ID: 'List', value: { dataType: DataType.Int16, arrayType: 1, value: [1, -2, 3] } },
          { ID: 'When', value: { dataType: DataType.DateTime, value: new Date(1_700_000_000_000) } },
          {
            ID: 'Text',
            value: { dataType: DataType.String, value: 'größer ≥ 5' },
            subparameters: [{ ID: 'below', value: { dataType: DataType.Boolean, value: true } }],
          },
          { ID: 'None', value: { dataType: DataType.Null } },
        ],
        personnelRequirements: [{ ID: 'setter', quantity: '1' }],
        equipmentRequirements: [{ ID: 'mill' }],
        physicalAssetRequirements: [{ ID: 'fixture-7', physicalAssetUse: 'Used' }],
        materialRequirements: [{ materialDefinitionID: 'bar', materialLotID: 'lot-1', materialUse: 'Consumed', quantity: '4.25' }],
      })
      assert.deepEqual((await erp.order('Store', fields)).status, STATUS.noError)
      const entry = (await erp.list()).find(({ jobOrder }) => (jobOrder as { jobOrderID?: string }).jobOrderID === 'F')
      const shown = JSON.parse(JSON.stringify(entry?.jobOrder)) as Record<string, ReadonlyArray<Record<string, unknown>>>
      assert.deepEqual([shown.startTime, shown.endTime], ['2027-01-15T08:00:00.000Z', '2027-01-15T08:06:00.000Z'])
      assert.deepEqual(
        shown.jobOrderParameters?.map(({ ID, value }) => [ID, plain((value as { value: unknown }).value)]),
        [
          ['Quantity', 3],
          ['Wide', [0x20_0000, 1]],
          ['List', [1, -2, 3]],
          ['When', '2023-11-14T22:13:20.000Z'],
          ['Text', 'größer ≥ 5'],
          ['None', undefined],
        ],
      )
      assert.match(JSON.stringify(shown.jobOrderParameters?.[4]?.subparameters), /"ID":"below"/)
      assert.deepEqual([shown.personnelRequirements?.[0]?.ID, shown.physicalAssetRequirements?.[0]?.physicalAssetUse], ['setter', 'Used'])
      assert.deepEqual([shown.materialRequirements?.[0]?.materialLotID, shown.materialRequirements?.[0]?.quantity], ['lot-1', '4.25'])
      assert.equal(shown.priority as unknown, -3)
    })

    it('says what may be ordered, at the plant and at each line', async () => {
      const line = await connect(ERP, 'p/line-2')
      const read = async (client: ForeignClient, name: string): Promise<unknown> =>
        (await client.session.read({ nodeId: `${client.control}-${name}`, attributeId: AttributeIds.Value })).value.value
      assert.equal(await read(erp, 'MaxDownloadableJobOrders'), 50)
      assert.deepEqual(
        ((await read(erp, 'WorkMaster')) as { ID: string }[]).map(({ ID }) => ID),
        ['shaft@1', 'plate@2'],
      )
      assert.deepEqual(
        ((await read(line, 'WorkMaster')) as { ID: string }[]).map(({ ID }) => ID),
        ['plate@2'],
      )
      assert.deepEqual(await read(line, 'EquipmentID'), ['mill', 'p/line-2/mill-2'])
      assert.deepEqual((await line.order('StoreAndStart', order('L'))).status, STATUS.noError)
      assert.deepEqual(await line.states(), ['L: AllowedToStart/Ready'])
      assert.ok(!(await erp.states()).some((state) => state.startsWith('L:')))
    })

    it('gives responses by state', async () => {
      await erp.order('StoreAndStart', order('A'))
      await erp.order('StoreAndStart', order('B'))
      await erp.command('Abort', 'B')
      const { status, responses } = await erp.responses([{ browsePath: { elements: [] }, stateText: { text: 'Aborted' }, stateNumber: 6 }])
      assert.deepEqual(status, { code: 'Good', status: STATUS.noError })
      assert.deepEqual(
        responses.map(({ jobOrderID }) => jobOrderID),
        ['B'],
      )
      assert.deepEqual((await erp.responses([])).status, { code: 'Uncertain', status: STATUS.invalidState })
    })

    it('raises an event for every change of state, at the receiver’s folder and at the server', async () => {
      const subscription = await erp.session.createSubscription2({ requestedPublishingInterval: 50, publishingEnabled: true })
      const filter = constructEventFilter(['Message', 'SourceNode', `${erp.namespace}:JobState`, `${erp.namespace}:JobOrder`, `${erp.namespace}:JobResponse`])
      const heard: Record<string, string[]> = { server: [], results: [] }
      for (const [name, nodeId] of [
        ['server', 'i=2253'],
        ['results', erp.results],
      ] as const) {
        const item = await subscription.monitor(
          { nodeId, attributeId: AttributeIds.EventNotifier },
          { queueSize: 1000, filter, discardOldest: true },
          TimestampsToReturn.Both,
        )
        item.on('changed', (fields: Variant[]) => {
          if (fields[3]?.value === null || fields[3]?.value === undefined) return
          heard[name]?.push(`${fields[3].value.jobOrderID} ${fields[2]?.value[0].stateText.text}`)
          assert.equal(fields[4]?.value.jobOrderID, fields[3].value.jobOrderID)
        })
      }
      await erp.order('StoreAndStart', order('E'))
      await run(w, 'E', 1)
      await complete(w, 'E', 10)
      const wanted = ['E AllowedToStart', 'E Running', 'E Ended']
      const tops = (list: readonly string[] = []): string[] => list.filter((state, index) => state !== list[index - 1] && !state.includes('NotAllowed'))
      await until(() => tops(heard.results).length >= 3 && tops(heard.server).length >= 3, 'three events')
      assert.deepEqual(tops(heard.results), wanted)
      assert.deepEqual(tops(heard.server), wanted)
    })

    it('tells a subscriber of the list', async () => {
      const lengths: number[] = []
      const before = (await erp.list()).length
      const subscription = await erp.session.createSubscription2({ requestedPublishingInterval: 50, publishingEnabled: true })
      const item = await subscription.monitor(
        { nodeId: `${erp.control}-JobOrderList`, attributeId: AttributeIds.Value },
        { queueSize: 100, samplingInterval: 0, discardOldest: true },
        TimestampsToReturn.Both,
      )
      item.on('changed', ({ value }: { value: Variant }) => lengths.push(value.value?.length ?? 0))
      await erp.order('StoreAndStart', order('1'))
      await erp.order('StoreAndStart', order('2'))
      await until(() => lengths.at(-1) === before + 2, 'two entries')
      await erp.command('Cancel', '1')
      await until(() => lengths.at(-1) === before + 1, 'one entry')
    })
  })

  describe('who may do what', () => {
    before(() => begin())
    after(end)

    it('nobody comes in without a name, with a wrong password, or with a name of no user', async () => {
      for (const login of [
        {},
        { user: 'erp', password: 'Secret' },
        { user: 'erp', password: '' },
        { user: 'nobody', password: '' },
        { user: '__proto__', password: '' },
      ])
        await assert.rejects(connect(login), /denied|Identity|token policy|reject|Invalid/i, JSON.stringify(login))
    })

    it('who may only look is refused every method, and sees the list', async () => {
      await erp.order('StoreAndStart', order('J'))
      const board = await connect({ user: 'board', password: 'look' })
      assert.equal((await board.order('StoreAndStart', order('K'))).code, 'BadUserAccessDenied')
      for (const method of ['Start', 'Stop', 'Abort', 'Cancel', 'Clear', 'Pause', 'Resume', 'RevokeStart'])
        assert.equal((await board.command(method, 'J')).code, 'BadUserAccessDenied', method)
      assert.deepEqual(await board.states(), ['J: AllowedToStart/Ready'])
      assert.equal((await board.response('J')).status.code, 'Good')
    })

    it('the list is read-only for all', async () => {
      const status = await erp.session.write({
        nodeId: `${erp.control}-MaxDownloadableJobOrders`,
        attributeId: AttributeIds.Value,
        value: { value: { dataType: DataType.UInt16, value: 9 } },
      })
      assert.ok(status.isNotGood(), status.name)
    })

    it('anonymous users only look, and only where that is chosen', async () => {
      const open = await start({ users: new ServerUsers([], true), pkiFolder: join(folder, 'pki-open') })
      try {
        const anyone = await connect({}, 'p', open.url)
        const seen = await anyone.states()
        assert.equal((await anyone.order('StoreAndStart', order('N'))).code, 'BadUserAccessDenied')
        assert.deepEqual(await anyone.states(), seen)
        await anyone.close()
      } finally {
        await open.close()
      }
    })

    it('with SignAndEncrypt no weaker connection is taken, and a client must be trusted first', async () => {
      const pkiFolder = join(folder, 'pki-strict')
      const strict = await start({ security: 'SignAndEncrypt', acceptClientCertificate: false, pkiFolder })
      try {
        await assert.rejects(connect(ERP, 'p', strict.url))
        await assert.rejects(connect({ ...ERP, mode: MessageSecurityMode.Sign }, 'p', strict.url))
        const login: Login = { ...ERP, mode: MessageSecurityMode.SignAndEncrypt, pki: join(folder, 'pki-client') }
        await assert.rejects(connect(login, 'p', strict.url))
        const rejected = readdirSync(join(pkiFolder, 'rejected'))
        assert.ok(rejected.length > 0, 'it waits for a person')
        for (const file of rejected) renameSync(join(pkiFolder, 'rejected', file), join(pkiFolder, 'trusted', 'certs', file))
        const trusted = await trustedOne(() => connect(login, 'p', strict.url))
        assert.deepEqual((await trusted.order('StoreAndStart', order('S'))).status, STATUS.noError)
        await trusted.close()
      } finally {
        await strict.close()
      }
    })

    it('says so when its port is taken', async () => {
      const port = Number(/:(\d+)/.exec(server.url.slice('opc.tcp://'.length))?.[1])
      await assert.rejects(start({ port }), { code: 'TAKT_JOB_CONTROL_PORT' })
    })
  })

  describe('bad input', () => {
    // one server for all: none of it changes anything
    before(() => begin())
    after(end)

    const unchanged = async (): Promise<void> => {
      assert.deepEqual(await erp.list(), [])
      assert.equal((await w.store.head()).sequence, 0)
    }

    for (const [what, fields] of [
      ['no id', { jobOrderID: '' }],
      ['an id of null', { jobOrderID: null }],
      ['an id with a NUL', { jobOrderID: 'J\0K' }],
      ['an id with a line break', { jobOrderID: 'J\nK' }],
      ['an id of 101 characters', { jobOrderID: 'x'.repeat(101) }],
      ['an id of 1 MB', { jobOrderID: 'x'.repeat(1_000_000) }],
      ['a description of 1 MB', { description: [{ text: 'x'.repeat(1_000_000) }] }],
      ['a NUL in a parameter', { jobOrderParameters: [quantity(1), { ID: 'a', value: { dataType: DataType.String, value: 'a\0b' } }] }],
      ['501 parameters', { jobOrderParameters: Array.from({ length: 501 }, () => quantity(1)) }],
      ['parameters nested nine deep', { jobOrderParameters: [nested(9)] }],
      ['a quantity that is NaN', { jobOrderParameters: [quantity(Number.NaN)] }],
      ['a quantity that is infinite', { jobOrderParameters: [quantity(Number.POSITIVE_INFINITY)] }],
      ['a parameter that is a structure', { jobOrderParameters: [{ ID: 'a', value: { dataType: DataType.LocalizedText, value: { text: 'a' } } }] }],
      ['a material quantity that is no number', { materialRequirements: [{ materialDefinitionID: 'plate', materialUse: 'Produced', quantity: '1e3' }] }],
      [
        'many texts that are 64 kB together',
        { jobOrderParameters: Array.from({ length: 60 }, (_, n) => ({ ID: `${n}`, value: { dataType: DataType.String, value: 'y'.repeat(1900) } })) },
      ],
    ] as const) {
      it(`${what}: InvalidRequest, and nothing changes`, async () => {
        assert.deepEqual(await erp.order('StoreAndStart', order('J', fields)), { code: 'Uncertain', status: STATUS.invalidRequest })
        await unchanged()
      })
    }

    it('wrong argument types, too few and too many: refused by the call service', async () => {
      const text = { dataType: DataType.String, value: 'x' }
      assert.equal((await erp.call('StoreAndStart', [text, comment()])).code, 'BadInvalidArgument')
      assert.equal((await erp.call('StoreAndStart', [text])).code, 'BadArgumentsMissing')
      assert.equal((await erp.call('Start', [{ dataType: DataType.Int32, value: 4 }, comment()])).code, 'BadInvalidArgument')
      assert.equal((await erp.call('Start', [text, comment(), text])).code, 'BadTooManyArguments')
      const other = await erp.session.constructExtensionObject(resolveNodeId(`ns=${erp.namespace};i=3002`), { ID: 'a property' })
      assert.notEqual((await erp.call('StoreAndStart', [{ dataType: DataType.ExtensionObject, value: other }, comment()])).code, 'Good')
      assert.notEqual((await erp.call('StoreAndStart', [{ dataType: DataType.ExtensionObject, value: null }, comment()])).code, 'Good')
      await unchanged()
    })

    it('ids that are not there, in every command', async () => {
      for (const method of ['Start', 'RevokeStart', 'Pause', 'Resume', 'Stop', 'Abort', 'Cancel', 'Clear'])
        for (const id of ['nobody', '__proto__', 'constructor', '4711; drop table'])
          assert.deepEqual(await erp.command(method, id), { code: 'Uncertain', status: STATUS.unknownId }, `${method} ${id}`)
      for (const id of ['', null, 'x'.repeat(200_000)]) assert.deepEqual((await erp.command('Start', id)).status, STATUS.invalidRequest)
      await unchanged()
    })
  })

  describe('much input', () => {
    beforeEach(() => begin(10))
    afterEach(end)

    it('ids that mean something to JavaScript are ids like others', async () => {
      for (const id of ['__proto__', 'constructor', '../../etc', 'ü 漢 🙂'])
        assert.deepEqual((await erp.order('StoreAndStart', order(id))).status, STATUS.noError, id)
      assert.equal((await erp.list()).length, 4)
    })

    it('five clients with 60 job orders for a list of 10: 10 are taken, the others told that it is full, and one id from all is one order', async () => {
      const clients = [erp, ...(await Promise.all(Array.from({ length: 4 }, () => connect())))]
      const answers = await Promise.all(clients.flatMap((client) => Array.from({ length: 12 }, (_, n) => client.order('StoreAndStart', order(`J-${n}`)))))
      const done = answers.filter(({ code }) => code === 'Good').length
      assert.equal(done, 10 * 5, 'each of the 10 was answered to all five')
      for (const { code, status } of answers) if (code !== 'Good') assert.deepEqual(status, [4, 16])
      assert.equal((await w.store.list('work-order')).length, 10)
      assert.equal((await erp.list()).length, 10)
      assert.equal((await w.store.verify()).ok, true)
    })
  })
})

/** The server notices a trusted certificate in a moment. */
async function trustedOne(connect: () => Promise<ForeignClient>): Promise<ForeignClient> {
  let client: ForeignClient | undefined
  await until(async () => {
    client = await connect().catch(() => undefined)
    return client !== undefined
  }, 'the certificate is trusted')
  return client as ForeignClient
}

/** A typed array as JSON has it. */
function plain(value: unknown): unknown {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.values(value) : value
}

function nested(depth: number): object {
  const value = { dataType: DataType.Boolean, value: true }
  return depth === 0 ? { ID: 'end', value } : { ID: `d${depth}`, value, subparameters: [nested(depth - 1)] }
}
