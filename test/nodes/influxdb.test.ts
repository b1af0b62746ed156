import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Node } from 'node-red'
import registerInfluxdb, { type InfluxdbNode } from '../../nodes/influxdb/influxdb.ts'
import { Influxd, needsInfluxd } from '../core/connect/support/influxd.ts'
import { selfSigned } from '../core/connect/support/self-signed.ts'
import { until } from '../core/connect/support/wait.ts'
import { helper, loadFlow, type Register } from './support/helper.ts'

const registerTls = createRequire(import.meta.url)('@node-red/nodes/core/network/05-tls.js') as Register

describe('influxdb node', () => {
  afterEach(async () => {
    await helper.unload()
  })

  async function load(properties: Record<string, unknown>, credentials: Record<string, unknown> = {}): Promise<Node> {
    const node = await loadFlow([registerInfluxdb], [{ id: 'a0', type: 'takt-influxdb', name: 'history', database: 'takt', ...properties }], {
      a0: credentials,
    })
    return node('a0')
  }
  const variable = (name: string): string => `\${${name}}`
  const problem = (node: Node): string => (node as unknown as { error: { args: unknown[][] } }).error.args.map(([error]) => (error as Error).message).join()

  it('says what is wrong with its settings', async () => {
    for (const [properties, what] of [
      [{ database: '' }, /no database/],
      [{ url: 'influx:8086' }, /is not the URL/],
      [{ url: 'http://user:secret@host:8086' }, /own fields/],
      [{ timeout: 'soon' }, /timeout/],
      [{ tls: 'f0' }, /TLS/],
      [{ url: variable('TAKT_NO_SUCH_VARIABLE') }, /TAKT_NO_SUCH_VARIABLE/],
    ] as const) {
      const node = await load(properties)
      assert.equal((node as InfluxdbNode).link, undefined)
      assert.match(problem(node), what)
      assert.match(problem(node), /TAKT_CONFIG_INVALID/)
      assert.doesNotMatch(problem(node), /secret/)
      await helper.unload()
    }
  })

  it('is away, and back, without anybody deploying; its login stays in the credentials', async function () {
    this.timeout(60_000)
    needsInfluxd(this)
    const influxd = await Influxd.start({ auth: true })
    try {
      await influxd.ask(`CREATE USER admin WITH PASSWORD 'secret' WITH ALL PRIVILEGES`)
      process.env.TAKT_TEST_INFLUX = influxd.url
      const node = (await load({ url: variable('TAKT_TEST_INFLUX'), login: 'user' }, { user: 'admin', password: 'secret' })) as InfluxdbNode
      const states: string[] = []
      node.link.register({ linkChanged: (state) => void states.push(state) })
      await until(() => node.link.state === 'connected', 'it is connected')
      assert.equal((await node.link.write('sample value=1 1')).kind, 'written')
      assert.equal((await node.link.query('SELECT * FROM "sample"')).results.length, 1)
      await influxd.stop('SIGKILL')
      assert.equal((await node.link.write('sample value=2 2')).kind, 'failed')
      assert.equal(node.link.state, 'away')
      await influxd.start()
      await until(() => node.link.state === 'connected', 'it is connected again')
      assert.deepEqual(states.slice(0, 5), ['idle', 'connecting', 'connected', 'away', 'connected'])
    } finally {
      delete process.env.TAKT_TEST_INFLUX
      await influxd.remove()
    }
  })

  describe('with TLS', function () {
    this.timeout(60_000)
    let folder: string
    let influxd: Influxd
    let certificate: string
    before(async function () {
      needsInfluxd(this)
      folder = mkdtempSync(join(tmpdir(), 'takt-influx-tls-'))
      const files = await selfSigned(join(folder, 'server'))
      certificate = files.certificate
      influxd = await Influxd.start({ tls: files })
    })
    after(async () => {
      await influxd?.remove()
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
    })

    const loadTls = async (ca: string): Promise<InfluxdbNode> => {
      const node = await loadFlow(
        [registerTls, registerInfluxdb],
        [
          { id: 'tls', type: 'tls-config', verifyservercert: true, ca },
          { id: 'a0', type: 'takt-influxdb', database: 'takt', url: influxd.url, tls: 'tls' },
        ],
      )
      return node('a0') as InfluxdbNode
    }

    it('takes certificates from the TLS settings of Node-RED, for writes and for questions', async () => {
      const { link } = await loadTls(certificate)
      assert.equal((await link.write('sample value=1 1')).kind, 'written')
      const { results } = await link.query('SELECT "value" FROM "sample"')
      assert.equal(results.length, 1)
    })

    it('does not talk to a server whose certificate nobody vouches for', async () => {
      const { link } = await loadTls((await selfSigned(join(folder, 'other'))).certificate)
      const outcome = await link.write('sample value=1 1')
      assert.equal(outcome.kind === 'failed' && outcome.problem.code, 'TAKT_INFLUX_TLS')
      await assert.rejects(link.query('SHOW DATABASES'), { code: 'TAKT_INFLUX_TLS' })
    })
  })
})
