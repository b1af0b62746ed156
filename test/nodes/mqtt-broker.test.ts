import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'mqtt'
import { OPCUACertificateManager } from 'node-opcua'
import type { Node, NodeAPI } from 'node-red'
import { clientIdOf } from '../../nodes/mqtt-broker/client-id.ts'
import type { MqttBrokerNode } from '../../nodes/mqtt-broker/mqtt-broker.ts'
import registerMqttBroker from '../../nodes/mqtt-broker/mqtt-broker.ts'
import { freePort, Mosquitto, needsMosquitto, type TlsFiles } from '../core/connect/support/mosquitto.ts'
import { until } from '../core/connect/support/wait.ts'
import { brokerNode, embeddedBrokerNode, errorCodesOf } from './support/connect.ts'
import { helper, loadFlow, type Register } from './support/helper.ts'

const registerTls = createRequire(import.meta.url)('@node-red/nodes/core/network/05-tls.js') as Register

const user = () => ({ linkChanged: () => {} })

describe('mqtt broker node', () => {
  afterEach(() => helper.unload())

  const load = async (...nodes: ReturnType<typeof brokerNode>[]) => {
    const node = await loadFlow([registerMqttBroker], nodes)
    return node('broker') as MqttBrokerNode
  }

  it('runs a broker in this process, and says where it is', async () => {
    const broker = await load(embeddedBrokerNode(0))
    await until(() => !broker.brokerUrl.endsWith(':0'), 'it listens')
    const client = connect(broker.brokerUrl)
    await until(() => client.connected, 'others reach it')
    await client.endAsync()
    broker.connection.register(user())
    await until(() => broker.connection.state === 'connected', 'our own connection')
  })

  it('waits with its connection until every node of the flow is there', async () => {
    const broker = await load(embeddedBrokerNode(0))
    broker.connection.register(user())
    await until(() => broker.connection.state === 'connected', 'the connection, once the flows have started')
  })

  it('gives up nothing while its port is taken: it starts as soon as it is free', async () => {
    const port = await freePort()
    const other =
      (await load(embeddedBrokerNode(port), { ...embeddedBrokerNode(port), id: 'second' })) && (helper.getNode('second') as unknown as MqttBrokerNode)
    await until(() => errorCodesOf(other).includes('TAKT_BROKER_PORT'), 'the problem is told')
    await (helper.getNode('broker') as unknown as MqttBrokerNode).close(false)
    other.connection.register(user())
    await until(() => other.connection.state === 'connected', 'the second one runs')
  })

  it('fills environment variables in anywhere, and takes them from the credentials too', async () => {
    process.env.TAKT_TEST_HOST = '127.0.0.1'
    const config = brokerNode(`mqtt://${'$'}{TAKT_TEST_HOST}:1`, { clientId: `line-${'$'}{TAKT_TEST_HOST}` })
    const node = await loadFlow([registerMqttBroker], [config], { broker: { user: `${'$'}{TAKT_TEST_HOST}`, password: 'x' } })
    assert.equal((node('broker') as MqttBrokerNode).brokerUrl, 'mqtt://127.0.0.1:1')
    delete process.env.TAKT_TEST_HOST
  })

  it('makes a client id that stays where the session is kept, and another each time where it is not', async () => {
    const node = { id: 'a1' } as Node
    const red = (instance: string) => ({ settings: { get: () => instance } }) as unknown as NodeAPI
    assert.equal(clientIdOf(red('one'), node, true), clientIdOf(red('one'), node, true))
    assert.notEqual(clientIdOf(red('one'), node, true), clientIdOf(red('two'), node, true))
    assert.notEqual(clientIdOf(red('one'), node, false), clientIdOf(red('one'), node, false))
    assert.match(clientIdOf(red('one'), node, true), /^[0-9a-z-]{1,23}$/)
  })

  const wrong: ReadonlyArray<readonly [string, Record<string, unknown>]> = [
    ['a URL that is none', { url: 'broker:1883' }],
    ['an environment variable that is not set', { url: `mqtt://${'$'}{TAKT_NOT_SET_ANYWHERE}:1883` }],
    ['a last will to a topic with a wildcard', { willTopic: 'a/#' }],
    ['a keepalive that is no number', { keepalive: 'often' }],
    ['TLS settings that are gone', { tls: 'nowhere' }],
  ]
  for (const [what, more] of wrong) {
    it(`refuses ${what}`, async () => {
      const broker = await load(brokerNode('mqtt://127.0.0.1:1', more))
      assert.deepEqual(errorCodesOf(broker), ['TAKT_CONFIG_INVALID'])
      assert.equal(broker.connection, undefined)
    })
  }

  describe('with TLS', () => {
    let folder: string
    let server: Mosquitto
    let files: TlsFiles
    before(async function () {
      needsMosquitto(this)
      folder = mkdtempSync(join(tmpdir(), 'takt-tls-'))
      files = await selfSigned(join(folder, 'server'))
      server = await Mosquitto.start({ tls: files })
    })
    after(async () => {
      await server?.remove()
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
    })

    const loadTls = async (tls: Record<string, unknown>) => {
      const node = await loadFlow(
        [registerTls, registerMqttBroker],
        [{ id: 'tls', type: 'tls-config', verifyservercert: true, ...tls }, brokerNode(server.url, { tls: 'tls' })],
      )
      const broker = node('broker') as MqttBrokerNode
      broker.connection.register(user())
      return broker
    }

    it('takes certificates from the TLS settings of Node-RED', async () => {
      const broker = await loadTls({ ca: files.certificate })
      await until(() => broker.connection.state === 'connected', 'the connection')
    })

    it('does not talk to a broker whose certificate nobody vouches for', async () => {
      const broker = await loadTls({ ca: (await selfSigned(join(folder, 'other'))).certificate })
      await until(() => broker.connection.state === 'away', 'the refusal')
      assert.deepEqual([broker.connection.problem?.code, errorCodesOf(broker)], ['TAKT_BROKER_TLS', ['TAKT_BROKER_TLS']])
    })
  })

  it('serves others only with a password', async () => {
    const broker = await load(embeddedBrokerNode(0, { host: '0.0.0.0' }))
    await until(() => errorCodesOf(broker).includes('TAKT_BROKER_OPEN'), 'the refusal')
  })
})

/** A key and a certificate for 127.0.0.1, made by the tool that OPC UA needs anyway. */
async function selfSigned(rootFolder: string): Promise<TlsFiles> {
  const manager = new OPCUACertificateManager({ rootFolder, disableFileWatchers: true })
  await manager.initialize()
  const certificate = join(rootFolder, 'server.pem')
  await manager.createSelfSignedCertificate({
    applicationUri: 'urn:takt:test',
    dns: ['localhost'],
    ip: ['127.0.0.1'],
    subject: '/CN=localhost',
    startDate: new Date(Date.now() - 86_400_000),
    validity: 2,
    outputFile: certificate,
  })
  await manager.dispose()
  return { certificate, key: join(rootFolder, 'own', 'private', 'private_key.pem') }
}
