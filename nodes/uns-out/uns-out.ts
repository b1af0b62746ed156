import type { NodeAPI, NodeDef } from 'node-red'
import { type TaktError, toTaktError } from '../../core/base/error.ts'
import type { LinkUser } from '../../core/connect/shared-link.ts'
import { type Planned, UnsPublisher, unsDelivery } from '../../core/connect/uns-publisher.ts'
import { checkTemplate } from '../../core/connect/uns-topic.ts'
import { DOCUMENTS, type Kind } from '../../core/messages/document.ts'
import { validateAnyDocument } from '../../core/messages/validate.ts'
import type { MqttBrokerNode } from '../mqtt-broker/mqtt-broker.ts'
import type { PlantNode } from '../plant/plant.ts'
import { BadInput } from '../shared/bad-input.ts'
import { defineNode, nameOf } from '../shared/define-node.ts'
import { expandEnv } from '../shared/expand-env.ts'
import { KeyedEffects } from '../shared/keyed-effects.ts'
import { optionalConfigNode, requireConfigNode } from '../shared/lookup.ts'
import type { StoreNode } from '../store/store.ts'

export interface UnsOutConfig extends NodeDef {
  plant: string
  broker: string
  store: string
  /** empty: `<equipment>/<kind>/<name>` */
  template: string
  prefix: string
  delivery: 'kind' | 'guaranteed' | 'fast'
  retain: boolean
  clearEnded: boolean
  clearRemoved: boolean
  schema: boolean
}

const KINDS = Object.keys(DOCUMENTS) as Kind[]
const STATUS_MS = 1000
const RETAINED = 'retained'

export default function registerUnsOut(RED: NodeAPI): void {
  defineNode<UnsOutConfig>(RED, {
    type: 'takt-uns-out',
    create(node, config) {
      const where = nameOf(node)
      const plantNode = requireConfigNode<PlantNode>(RED, node, config.plant, 'plant')
      const { connection } = requireConfigNode<MqttBrokerNode>(RED, node, config.broker, 'MQTT broker')
      const store = optionalConfigNode<StoreNode>(RED, node, config.store, 'store')?.store
      const template = expandEnv(RED, node, config.template ?? '', 'the template').trim()
      const prefix = expandEnv(RED, node, config.prefix ?? '', 'the prefix').replace(/^\/+|\/+$/g, '')
      checkTemplate(template, where)
      const effects = store === undefined ? undefined : new KeyedEffects(node, store)
      const bad = new BadInput(node, { store, now: () => plantNode.clock.now() })
      let problem: TaktError | undefined
      const publisher = new UnsPublisher({
        plant: () => plantNode.plant(),
        connection,
        store,
        template,
        prefix,
        delivery: unsDelivery(config.delivery, store !== undefined, where),
        retain: config.retain !== false,
        clearEnded: config.clearEnded !== false,
        schema: config.schema !== false,
        destination: `uns:${node.id}`,
        where,
        problem: (trouble) => {
          problem = trouble
        },
      })

      let shown = ''
      const show = (): void => {
        const { waiting, oldestMs, dropped, published } = publisher.figures
        const parts = [
          `${published.toLocaleString('en')} published`,
          ...(waiting > 0 ? [`${waiting} waiting, ${Math.round(oldestMs / 1000)} s`] : []),
          ...(dropped > 0 ? [`${dropped} dropped`] : []),
          ...(bad.count > 0 ? [`${bad.count} bad`] : []),
        ]
        const away = connection.state === 'away'
        const trouble = away ? connection.problem : problem
        const text = [...(trouble === undefined ? [] : [trouble.what.slice(0, 60)]), ...parts].join(' · ')
        const fill = trouble !== undefined ? 'red' : waiting > 0 || dropped > 0 ? 'yellow' : published > 0 ? 'green' : 'grey'
        if (`${fill} ${text}` === shown) return
        shown = `${fill} ${text}`
        node.status({ fill, shape: away || published === 0 ? 'ring' : 'dot', text })
      }
      const timer = setInterval(show, STATUS_MS).unref()
      const user: LinkUser = {
        linkChanged(state, trouble) {
          publisher.linkChanged(state, trouble)
          show()
        },
      }
      connection.register(user)
      publisher.start()
      store?.loadState(node.id, RETAINED).then(
        (topics) => Array.isArray(topics) && publisher.remember(topics as string[]),
        (thrown: unknown) => node.warn(toTaktError(thrown, where).message),
      )

      /** A list is published document by document; one that cannot be used costs only itself. */
      const planAll = (payload: unknown, topic: string | undefined): Planned[] =>
        (Array.isArray(payload) ? payload : [payload]).flatMap((document: unknown) => {
          try {
            return [publisher.plan(validateAnyDocument(document, KINDS, where))]
          } catch (thrown) {
            bad.report(toTaktError(thrown, where), { topic, payload: document })
            return []
          }
        })

      return {
        input(message) {
          const planned = planAll(message.payload, message.topic)
          if (!planned.some(({ guaranteed }) => guaranteed) || effects === undefined) return publisher.send(planned)
          return effects.record(
            message,
            async (tx, fresh) => {
              if (fresh) await publisher.enqueue(tx, planned)
            },
            () => publisher.send(planned),
          )
        },
        async close(removed) {
          clearInterval(timer)
          effects?.stop()
          if (removed && config.clearRemoved) await publisher.clear()
          await publisher.stop()
          await store?.saveState(node.id, RETAINED, removed ? [] : publisher.retained).catch(() => {})
          await connection.deregister(user)
        },
      }
    },
  })
}
