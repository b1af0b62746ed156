import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../../core/base/clock.ts'
import { packageRoot } from '../../../core/base/package-root.ts'
import { OpcuaConnection } from '../../../core/connect/opcua-connection.ts'
import { discover } from '../../../core/connect/opcua-discovery.ts'
import { boundItems } from '../../../core/connect/opcua-items.ts'
import { OpcuaSampler } from '../../../core/connect/opcua-samples.ts'
import type { Sample } from '../../../core/messages/sample.ts'
import { checkPlant } from '../../../core/plant/check-plant.ts'
import { freePort } from './support/mosquitto.ts'
import { until } from './support/wait.ts'

/** Nothing of this server was set up for Takt: its policies, limits, sampling and address space are what it ships with. */
describe('a foreign OPC UA server', function () {
  this.timeout(120_000)
  let folder: string
  let url: string
  let server: ChildProcess
  let connection: OpcuaConnection
  const user = { linkChanged: () => {} }

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'takt-opcua-foreign-'))
    const port = await freePort()
    url = `opc.tcp://127.0.0.1:${port}`
    server = spawn(process.execPath, [join(packageRoot, 'test/core/connect/support/foreign-server.ts'), String(port)], {
      stdio: ['ignore', 'pipe', 'ignore'],
      // its certificates belong to it, not to whoever runs the test
      env: { ...process.env, HOME: folder, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder },
    })
    let text = ''
    server.stdout?.on('data', (data) => (text += data))
    await until(() => text.includes('TAKT-READY'), 'the server', 90_000)
    const offer = await discover(url, join(folder, 'pki'), 'a test')
    const best = offer.endpoints.find(({ identities, known, securityMode }) => known && securityMode === 'None' && identities.includes('anonymous'))
    assert.ok(best, 'it can be read without security')
    connection = new OpcuaConnection({
      url,
      securityMode: 'None',
      securityPolicy: 'Basic256Sha256',
      acceptServerCertificate: false,
      pkiFolder: join(folder, 'pki'),
      where: 'a test',
    })
    connection.register(user)
    await connection.whenConnected(60_000, () => connection.away())
  })
  after(async () => {
    await connection?.deregister(user)
    server?.kill()
    rmSync(folder, { recursive: true, force: true })
  })

  it('offers several policies, which are understood', async () => {
    const offer = await discover(url, join(folder, 'pki'), 'a test')
    assert.ok(offer.endpoints.filter(({ known }) => known).length >= 3)
    assert.ok(offer.endpoints.every(({ known }) => known))
  })

  it('is searched and browsed, and its variables are read as they change', async () => {
    const { found } = await connection.search('Static_Scalar_Double', { visited: 20_000, found: 20, timeMs: 60_000 })
    const double = found.find(({ variable, name }) => variable && name.endsWith('Double'))
    assert.ok(double, JSON.stringify(found.slice(0, 3)))
    const array = (await connection.search('Static_Array_Int32', { visited: 20_000, found: 20, timeMs: 60_000 })).found.find(({ variable }) => variable)
    assert.ok(array)
    const wide = (await connection.search('Static_Scalar_Int64', { visited: 20_000, found: 20, timeMs: 60_000 })).found.find(({ variable }) => variable)
    assert.ok(wide)
    const plant = checkPlant(
      {
        plant: 'acme',
        equipment: [
          {
            id: 'acme/mill',
            level: 'workUnit',
            signals: [
              { name: 'double', role: 'condition', source: { connection: 'line', nodeId: double.nodeId } },
              { name: 'element', source: { connection: 'line', nodeId: array.nodeId, value: '[1]' } },
            ],
          },
        ],
      },
      'test',
    )
    const samples: Sample[] = []
    const sampler = new OpcuaSampler(
      connection,
      boundItems(plant, 'line'),
      { clock: systemClock, where: 'a test', publishingMs: 100, samplingMs: 0, discardOldest: true, source: 'line' },
      { began() {}, sample: (sample) => samples.push(sample), bad() {}, unknown() {}, lost() {}, alive() {} },
    )
    try {
      await until(() => samples.some(({ signal }) => signal === 'double') && samples.some(({ signal }) => signal === 'element'), 'the first values', 30_000)
      assert.equal((await connection.write(double.nodeId, 12.25)).name, 'Good')
      await until(() => samples.some(({ value }) => value === 12.25), 'the change', 30_000)
      assert.equal((await connection.write(wide.nodeId, '9007199254740993')).name, 'Good')
      assert.equal(await connection.read(wide.nodeId), 9_007_199_254_740_993n)
    } finally {
      await sampler.close()
    }
  })
})
