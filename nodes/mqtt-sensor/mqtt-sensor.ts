import type { NodeAPI, NodeDef } from 'node-red'
import { TaktError } from '../../core/base/error.ts'
import type { MqttFormat } from '../../core/connect/mqtt-decoder.ts'
import type { QoS } from '../../core/connect/mqtt-options.ts'
import { MqttReader } from '../../core/connect/mqtt-reader.ts'
import { bindingDecoders, templateDecoder } from '../../core/connect/mqtt-samples.ts'
import type { LinkUser } from '../../core/connect/shared-link.ts'
import { isFilter } from '../../core/connect/topics.ts'
import type { Plant } from '../../core/plant/plant.ts'
import type { MqttBrokerNode } from '../mqtt-broker/mqtt-broker.ts'
import type { PlantNode } from '../plant/plant.ts'
import { BadInput } from '../shared/bad-input.ts'
import { defineNode, nameOf } from '../shared/define-node.ts'
import { followPlant } from '../shared/follow-plant.ts'
import { optionalConfigNode, requireConfigNode } from '../shared/lookup.ts'
import { SensorStatus } from '../shared/sensor-status.ts'
import { numberSetting, quietAfterMs, toleranceSetting } from '../shared/settings.ts'
import type { StoreNode } from '../store/store.ts'

export interface MqttSensorConfig extends NodeDef {
  plant: string
  broker: string
  store: string
  /** `bindings`: every signal of the plant model bound to the broker; `topic`: one filter, mapped by a template */
  mode: 'bindings' | 'topic'
  topic: string
  template: string
  target: string
  value: string
  time: string
  qos: '0' | '1' | '2'
  maxKb: string | number
  maxFutureSeconds: string | number
  maxAgeDays: string | number
}

export default function registerMqttSensor(RED: NodeAPI): void {
  defineNode<MqttSensorConfig>(RED, {
    type: 'takt-mqtt-sensor',
    create(node, config) {
      const where = nameOf(node)
      const number = numberSetting(where)
      const plantNode = requireConfigNode<PlantNode>(RED, node, config.plant, 'plant')
      const broker = requireConfigNode<MqttBrokerNode>(RED, node, config.broker, 'MQTT broker')
      const store = optionalConfigNode<StoreNode>(RED, node, config.store, 'store')?.store
      const qos = number(config.qos, 'QoS', 1, 0, 2) as QoS
      const setting = {
        clock: plantNode.clock,
        where,
        tolerance: toleranceSetting(config, where),
        maxBytes: number(config.maxKb, 'largest message', 64, 1, 65_536) * 1024,
        source: broker.name || broker.id,
      }
      const { connection } = broker
      const bad = new BadInput(node, { store, now: () => plantNode.clock.now() })
      let samples = 0
      const status = new SensorStatus(
        node,
        () => ({ samples, bad: bad.count }),
        () => quietAfterMs(plantNode, setting.source),
      )
      const reader = new MqttReader({
        connection,
        qos,
        send(topic, payload) {
          samples++
          node.send({ topic, payload } as never)
        },
        bad(problem, message) {
          bad.report(problem, message)
          status.bad(problem)
        },
        refused(problem, filter) {
          status.bad(problem)
          node.error(problem, { topic: filter } as never)
        },
      })
      const forget = followPlant(
        node,
        plantNode,
        (plant) => reader.use(formats(config, plant, setting)),
        (problem) => status.fault(problem),
      )
      const user: LinkUser = {
        linkChanged(state, problem) {
          status.link(state, problem)
          reader.linkChanged(state)
        },
      }
      connection.register(user)

      return {
        async close(removed) {
          forget()
          status.stop()
          // of a session that the broker keeps, the subscription goes on queueing until the node is back
          await reader.stop(!removed)
          return connection.deregister(user)
        },
      }
    },
  })
}

function formats(config: MqttSensorConfig, plant: Plant, setting: Parameters<typeof bindingDecoders>[2]): readonly MqttFormat[] {
  const { where } = setting
  if (config.mode === 'topic') {
    if (!isFilter(config.topic)) throw new TaktError('TAKT_CONFIG_INVALID', { what: `'${config.topic}' is not a topic filter`, where })
    const mapping = {
      filter: config.topic,
      template: config.template || '{equipment}/{signal}',
      target: config.target || '{equipment}/{signal}',
      value: config.value || undefined,
      time: config.time || undefined,
    }
    return [{ decoders: [templateDecoder(mapping, plant, setting)] }]
  }
  const found = bindingDecoders(plant, setting.source, setting)
  if (found.length === 0)
    throw new TaktError('TAKT_CONFIG_INVALID', { what: `no signal of the plant model has a topic on the connection '${setting.source}'`, where })
  return [{ decoders: found }]
}
