import assert from 'node:assert/strict'
import { connect } from 'mqtt'
import type { MqttBrokerNode } from '../../nodes/mqtt-broker/mqtt-broker.ts'
import registerMqttBroker from '../../nodes/mqtt-broker/mqtt-broker.ts'
import { freePort } from '../core/connect/support/mosquitto.ts'
import { until } from '../core/connect/support/wait.ts'
import { brokerNode, embeddedBrokerNode, errorCodesOf } from './support/connect.ts'
import { helper, loadFlow } from './support/helper.ts'

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

  const wrong: ReadonlyArray<readonly [string, Record<string, unknown>]> = [
    ['a URL that is none', { url: 'broker:1883' }],
    ['a kept session without a client id', { cleanSession: false }],
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

  it('serves others only with a password', async () => {
    const broker = await load(embeddedBrokerNode(0, { host: '0.0.0.0' }))
    await until(() => errorCodesOf(broker).includes('TAKT_BROKER_OPEN'), 'the refusal')
  })
})
