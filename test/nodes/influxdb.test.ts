import assert from 'node:assert/strict'
import type { Node } from 'node-red'
import registerInfluxdb, { type InfluxdbNode } from '../../nodes/influxdb/influxdb.ts'
import { Influxd, needsInfluxd } from '../core/connect/support/influxd.ts'
import { until } from '../core/connect/support/wait.ts'
import { helper, loadFlow } from './support/helper.ts'

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
})
