import type { Node, NodeAPI, NodeDef } from 'node-red'
import { systemClock } from '../../core/base/clock.ts'
import { TaktError, toTaktError } from '../../core/base/error.ts'
import { uniqueId } from '../../core/base/id.ts'
import { LedgerWitness } from '../../core/connect/ledger-witness.ts'
import { MEANINGS, type Meaning } from '../../core/messages/signature.ts'
import { refusalOf } from '../../core/orders/refusal.ts'
import { takeSecrets } from '../../core/sign/read-request.ts'
import { SIGN_TOPICS, SignDesk, type SignTopic } from '../../core/sign/sign-desk.ts'
import { readOrder, type SigningPolicy } from '../../core/sign/signing.ts'
import type { MqttBrokerNode } from '../mqtt-broker/mqtt-broker.ts'
import type { PlantNode } from '../plant/plant.ts'
import { defineNode, type Message, nameOf, type Send } from '../shared/define-node.ts'
import { optionalConfigNode, requireConfigNode } from '../shared/lookup.ts'
import { numberSetting } from '../shared/settings.ts'
import type { StoreNode } from '../store/store.ts'

export interface SignConfig extends NodeDef {
  store: string
  /** Its time zone is that of signatures; UTC without one */
  plant: string
  /** of a request that names none; empty: it has to */
  meaning: string
  /** the meanings that a record needs, in their order, by commas; empty: any */
  order: string
  differentPeople: boolean
  /** who signs must have it; empty: none */
  certification: string
  /** told where the ledger ends; empty: nobody */
  broker?: string
  witnessTopic?: string
  witnessSeconds?: string | number
}

const WITNESS_TOPIC = 'takt/ledger/head'

export default function registerSign(RED: NodeAPI): void {
  defineNode<SignConfig, Node>(RED, {
    type: 'takt-sign',
    create(node, config) {
      const where = nameOf(node)
      const { store, known, onProblem } = requireConfigNode<StoreNode>(RED, node, config.store, 'store')
      const plant = optionalConfigNode<PlantNode>(RED, node, config.plant, 'plant')
      const { people, key } = known
      const desk = new SignDesk({
        store,
        people,
        key,
        timeZone: () => plant?.plant().timeZone ?? 'UTC',
        newId: uniqueId,
        policy: policyOf(config, where),
        meaning: meaningOf(config.meaning, where),
        where,
      })
      const stopWitness = witnessOf(RED, node, config, store, key)
      let trouble: TaktError | undefined
      const show = (fill: 'green' | 'yellow' | 'red' | 'grey', text: string): void => {
        if (trouble === undefined) node.status({ fill, shape: fill === 'green' ? 'dot' : 'ring', text: text.slice(0, 60) })
        else node.status({ fill: 'red', shape: 'ring', text: trouble.what.slice(0, 60) })
      }
      const stopWatching = onProblem((problem) => {
        trouble = problem
        show('grey', people.settings.required ? 'who acts must be known' : 'ready')
      })

      return {
        async input(message, send: Send) {
          // before anything can fail and carry it on
          const secrets = takeSecrets(message)
          try {
            const { topic, payload, session, good } = await desk.handle({
              topic: topicOf(message, where),
              payload: message.payload,
              secrets,
              evidence: known.evidenceOf(message),
            })
            const { session: _token, ...rest } = message
            const answer = { ...rest, topic, payload, ...(session === undefined ? {} : { session }) }
            send(good ? [answer, null] : [null, answer])
            show(good ? 'green' : 'red', good ? topic : 'the ledger is not whole')
          } catch (thrown) {
            const problem = toTaktError(thrown, where)
            if (problem.code.startsWith('TAKT_STORE_') || problem.code === 'TAKT_INTERNAL') throw problem
            const { session: _token, ...rest } = message
            send([null, { ...rest, topic: 'sign/refused', payload: refusalOf(problem, message.payload, (plant?.clock ?? systemClock).now()) }])
            show('yellow', problem.what)
          }
        },
        async close() {
          stopWatching()
          await stopWitness()
        },
      }
    },
  })
}

/**
 * The last part of the topic, `quality/sign-in`, and for people the last two; of a message without one (a dashboard takes it away from what a browser sends) that of `payload.ask`.
 * Without a known one it is a request to sign.
 */
function topicOf(message: Message, where: string): SignTopic {
  const parts = askedOf(message).split('/')
  const last = parts.at(-1) ?? ''
  if (parts.at(-2) !== 'people') return SIGN_TOPICS.find((known) => known === last) ?? 'sign'
  const found = SIGN_TOPICS.find((known) => known === `people/${last}`)
  // what is meant for people must never pass for a signature
  if (found === undefined) throw new TaktError('TAKT_SIGN_INVALID', { what: `topic people/${last.slice(0, 40)} is unknown`, where })
  return found
}

function askedOf({ topic, payload }: Message): string {
  if (typeof topic === 'string' && topic !== '') return topic
  const { ask } = (typeof payload === 'object' && payload !== null ? payload : {}) as Readonly<Record<string, unknown>>
  return typeof ask === 'string' ? ask : ''
}

function policyOf({ order, differentPeople, certification }: SignConfig, where: string): SigningPolicy {
  return { order: readOrder(order, where), differentPeople: differentPeople === true, certification: certification?.trim() || undefined }
}

function meaningOf(text: string | undefined, where: string): Meaning | undefined {
  if (text === undefined || text === '') return undefined
  const found = MEANINGS.find((meaning) => meaning === text)
  if (found === undefined) throw new TaktError('TAKT_CONFIG_INVALID', { what: `the meaning '${text}' is none of ${MEANINGS.join(', ')}`, where })
  return found
}

/** Begins to tell a broker where the ledger ends, if one is chosen. Gives the way to stop. */
function witnessOf(RED: NodeAPI, node: Node, config: SignConfig, store: StoreNode['store'], key: StoreNode['known']['key']): () => Promise<void> {
  const broker = optionalConfigNode<MqttBrokerNode>(RED, node, config.broker, 'MQTT broker')
  if (broker === undefined) return async () => {}
  const { connection } = broker
  const topic = config.witnessTopic?.trim() || WITNESS_TOPIC
  if (/[#+\0]/.test(topic)) throw new TaktError('TAKT_CONFIG_INVALID', { what: `the witness topic '${topic}' has a wildcard`, where: nameOf(node) })
  const everyMs = numberSetting(nameOf(node))(config.witnessSeconds, 'witness every', 10, 1, 86_400) * 1000
  const witness = new LedgerWitness({ store, connection, topic, key, everyMs, problem: (problem) => node.warn(problem.message) })
  connection.register(witness)
  return async () => {
    witness.close()
    await connection.deregister(witness)
  }
}
