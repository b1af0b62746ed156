import type { Node, NodeAPI, NodeDef } from 'node-red'
import { TaktError, toTaktError } from '../../core/base/error.ts'
import { type EmbeddedBroker, startEmbeddedBroker } from '../../core/connect/embedded-broker.ts'
import { MqttConnection } from '../../core/connect/mqtt-connection.ts'
import type { MqttWill, QoS } from '../../core/connect/mqtt-options.ts'
import { isTopic } from '../../core/connect/topics.ts'
import { defineNode, nameOf } from '../shared/define-node.ts'
import { expandEnv } from '../shared/expand-env.ts'
import { whenFlowsStarted } from '../shared/flows-started.ts'
import { numberSetting } from '../shared/settings.ts'
import { tellLink } from '../shared/tell-link.ts'
import { clientIdOf } from './client-id.ts'

export interface MqttBrokerConfig extends NodeDef {
  /** `mqtt://host:1883`, or empty: then host and port. */
  url: string
  host: string
  port: string | number
  embedded: boolean
  protocolVersion: '4' | '5'
  clientId: string
  cleanSession: boolean
  sessionExpiry: string | number
  keepalive: string | number
  receiveMaximum: string | number
  maximumPacketKb: string | number
  /** id of a core tls-config */
  tls: string
  /** What the broker publishes when it loses us; without a topic nothing. */
  willTopic: string
  willPayload: string
  willQos: string | number
  willRetain: boolean
  /** What we publish after each connect; without a topic nothing. */
  birthTopic: string
  birthPayload: string
  birthQos: string | number
  birthRetain: boolean
}

/** What other nodes use: `RED.nodes.getNode(config.broker) as MqttBrokerNode`. `credentials` has `user` and `password`. */
export interface MqttBrokerNode extends Node<{ user?: string; password?: string }> {
  readonly connection: MqttConnection
  /** Where the broker is; with an embedded one on port 0, the true port once it runs. */
  readonly brokerUrl: string
}

interface TlsConfigNode extends Node {
  addTLSOptions(options: Record<string, unknown>): unknown
}

const EMBEDDED_RETRY_MS = 1000

export default function registerMqttBroker(RED: NodeAPI): void {
  defineNode<MqttBrokerConfig, MqttBrokerNode>(RED, {
    type: 'takt-mqtt-broker',
    credentials: { user: { type: 'text' }, password: { type: 'password' } },
    create(node, config) {
      const where = nameOf(node)
      const expand = (text: string | undefined, what: string): string => expandEnv(RED, node, text ?? '', what)
      const username = expand(node.credentials?.user, 'the user') || undefined
      const password = expand(node.credentials?.password, 'the password') || undefined
      const number = numberSetting(where)
      let url = urlOf({ ...config, url: expand(config.url, 'the URL') }, where)
      let broker: Promise<EmbeddedBroker> | undefined
      let retry: NodeJS.Timeout | undefined
      let startProblem = ''

      const start = (): Promise<EmbeddedBroker> => {
        const host = config.host || '127.0.0.1'
        broker ??= startEmbeddedBroker({ host, port: number(config.port, 'port', 1883, 0, 65_535), username, password, where }).then(
          (started) => {
            url = started.url
            node.log(`embedded broker on ${url}`)
            return started
          },
          (thrown) => {
            broker = undefined
            const problem = toTaktError(thrown, where)
            if (problem.message !== startProblem) node.error(problem)
            startProblem = problem.message
            retry = setTimeout(() => void start().catch(() => {}), EMBEDDED_RETRY_MS)
            throw problem
          },
        )
        return broker
      }

      const cleanSession = config.cleanSession !== false
      const message = (kind: 'will' | 'birth'): MqttWill | undefined => {
        const topic = expand(config[`${kind}Topic`], `the ${kind}'s topic`)
        if (topic === '') return undefined
        if (!isTopic(topic)) throw new TaktError('TAKT_CONFIG_INVALID', { what: `'${topic}' is not a topic to publish to`, where })
        const payload = expand(config[`${kind}Payload`], `the ${kind}'s payload`)
        return { topic, payload, qos: number(config[`${kind}Qos`], `the ${kind}'s QoS`, 1, 0, 2) as QoS, retain: Boolean(config[`${kind}Retain`]) }
      }
      const tls: Record<string, unknown> = {}
      const tlsNode = config.tls ? (RED.nodes.getNode(config.tls) as TlsConfigNode | null) : null
      if (config.tls && tlsNode === null) throw new TaktError('TAKT_CONFIG_INVALID', { what: 'the TLS settings are missing or disabled', where })
      tlsNode?.addTLSOptions(tls)

      const connection = new MqttConnection({
        url: () => (config.embedded ? start().then((started) => started.url) : Promise.resolve(url)),
        // aedes speaks 3.1.1
        protocolVersion: config.embedded || String(config.protocolVersion) === '4' ? 4 : 5,
        clientId: expand(config.clientId, 'the client id') || clientIdOf(RED, node, !cleanSession),
        cleanSession,
        sessionExpirySeconds: number(config.sessionExpiry, 'session expiry', 86_400, 0, 0xffffffff),
        keepaliveSeconds: number(config.keepalive, 'keepalive', 15, 1, 65_535),
        receiveMaximum: number(config.receiveMaximum, 'receive maximum', 1000, 1, 65_535),
        maximumPacketBytes: number(config.maximumPacketKb, 'largest packet', 1024, 1, 262_144) * 1024,
        username,
        password,
        tls: tlsNode === null ? undefined : tls,
        will: message('will'),
        birth: message('birth'),
        where,
        waiting: true,
      })
      Object.defineProperty(node, 'connection', { value: connection })
      Object.defineProperty(node, 'brokerUrl', { get: () => url })

      const stopTelling = tellLink(node, connection, () => url)
      if (config.embedded) start().catch(() => {})
      const forget = whenFlowsStarted(RED, () => connection.begin())

      return {
        async close() {
          forget()
          stopTelling()
          await connection.end()
          clearTimeout(retry)
          await (await broker?.catch(() => undefined))?.close()
        },
      }
    },
  })
}

function urlOf(config: MqttBrokerConfig, where: string): string {
  const host = config.host || '127.0.0.1'
  const url =
    !config.embedded && config.url ? config.url : `${config.tls ? 'mqtts' : 'mqtt'}://${host.includes(':') ? `[${host}]` : host}:${config.port || 1883}`
  if (!/^(mqtts?|tcp|ssl|wss?):\/\/[^\s/]+/.test(url))
    throw new TaktError('TAKT_CONFIG_INVALID', { what: `'${url}' is not the URL of a broker (mqtt, mqtts, ws or wss)`, where })
  return url
}
