import { join } from 'node:path'
import type { NodeAPI, NodeDef } from 'node-red'
import { toTaktError } from '../../core/base/error.ts'
import { StateFile } from '../../core/base/state-file.ts'
import { deliverySetting, isGuaranteed } from '../../core/connect/delivery.ts'
import { Intake } from '../../core/connect/intake.ts'
import { MqttIntake } from '../../core/connect/mqtt-intake.ts'
import type { QoS } from '../../core/connect/mqtt-options.ts'
import { MqttReader } from '../../core/connect/mqtt-reader.ts'
import type { LinkUser } from '../../core/connect/shared-link.ts'
import type { Document } from '../../core/messages/document.ts'
import type { Plant } from '../../core/plant/plant.ts'
import { recordGap } from '../../core/store/gaps.ts'
import { inboxOf } from '../../core/store/inbox.ts'
import type { MqttBrokerNode } from '../mqtt-broker/mqtt-broker.ts'
import type { PlantNode } from '../plant/plant.ts'
import { BadInput } from '../shared/bad-input.ts'
import { defineNode, nameOf } from '../shared/define-node.ts'
import { whenFlowsStarted } from '../shared/flows-started.ts'
import { followPlant } from '../shared/follow-plant.ts'
import { optionalConfigNode, requireConfigNode } from '../shared/lookup.ts'
import { SensorStatus } from '../shared/sensor-status.ts'
import { numberSetting, quietAfterMs, toleranceSetting } from '../shared/settings.ts'
import type { StoreNode } from '../store/store.ts'
import { formats } from './formats.ts'

export interface MqttSensorConfig extends NodeDef {
  plant: string
  broker: string
  store: string
  /** `bindings`: every signal of the plant model bound to the broker; `topic`: one filter, `sparkplug`: every edge node, mapped by a template */
  mode: 'bindings' | 'topic' | 'sparkplug'
  topic: string
  template: string
  target: string
  value: string
  time: string
  qos: '0' | '1' | '2'
  delivery: 'role' | 'guaranteed' | 'fast'
  /** Paths of the sender's own numbering of its messages; empty: it has none. */
  session: string
  sequence: string
  /** Sparkplug: the host's id (empty: it says nothing of itself), one group of edge nodes, what their metrics mean, patience with missing messages. */
  hostId?: string
  group?: string
  metricTarget?: string
  reorderSeconds?: string | number
  maxKb: string | number
  maxFutureSeconds: string | number
  maxAgeDays: string | number
}

/** How often it is written down when the last message came, real ms; the bound of a gap that a restart makes. */
const REMEMBER_MS = 10_000
const LAST_MESSAGE = 'last-message'

export default function registerMqttSensor(RED: NodeAPI): void {
  defineNode<MqttSensorConfig>(RED, {
    type: 'takt-mqtt-sensor',
    create(node, config) {
      const where = nameOf(node)
      const number = numberSetting(where)
      const plantNode = requireConfigNode<PlantNode>(RED, node, config.plant, 'plant')
      const broker = requireConfigNode<MqttBrokerNode>(RED, node, config.broker, 'MQTT broker')
      const store = optionalConfigNode<StoreNode>(RED, node, config.store, 'store')?.store
      const { connection } = broker
      const { clock } = plantNode
      const delivery = deliverySetting(config.delivery, store !== undefined, where)
      const setting = {
        clock,
        where,
        tolerance: toleranceSetting(config, where),
        maxBytes: number(config.maxKb, 'largest message', 64, 1, 65_536) * 1024,
        source: broker.name || broker.id,
        numbering: config.sequence ? { session: config.session || undefined, sequence: config.sequence } : undefined,
      }
      const source = `${setting.source}/${node.id}`
      const bad = new BadInput(node, { store, now: () => clock.now() })
      let samples = 0
      const send = (message: { readonly topic: string; readonly payload: Document }): void => {
        if (message.payload.kind === 'sample') samples++
        node.send(message as never)
      }
      const intake =
        store === undefined || delivery === 'fast'
          ? undefined
          : new Intake({
              inbox: inboxOf(store),
              source,
              send: (messages) => messages.forEach(send),
              refused(problem, arrival) {
                bad.report(problem, { topic: arrival.messages[0]?.topic, payload: arrival.content })
                status.bad(problem)
              },
              problem: (problem) => problem !== undefined && status.warn(problem),
            })
      const status = new SensorStatus(
        node,
        () => ({ samples, bad: bad.count, ...intake?.figures, note }),
        () => quietAfterMs(plantNode, setting.source),
      )
      let note: string | undefined
      const reader = new MqttReader({
        connection,
        source,
        qos: number(config.qos, 'QoS', 1, 0, 2) as QoS,
        intake: intake === undefined || store === undefined ? undefined : new MqttIntake({ intake, store, source }),
        isGuaranteed: (topic) => isGuaranteed(delivery, plantNode.plant().signal(topic)?.signal, store !== undefined),
        now: () => clock.now(),
        send: (topic, payload) => send({ topic, payload }),
        bad(problem, message) {
          bad.report(problem, message)
          status.bad(problem)
        },
        refused(problem, filter) {
          status.bad(problem)
          node.error(problem, { topic: filter } as never)
        },
        gap(gap) {
          send({ topic: `${source}/gap`, payload: gap })
          if (store !== undefined) recordGap(store, gap, `node:${node.id}`).catch((thrown: unknown) => node.error(toTaktError(thrown, where)))
        },
      })
      const births = new StateFile(join(RED.settings.userDir ?? process.cwd(), 'takt', `sparkplug-host-${node.id}.json`))
      const use = (plant: Plant): void => {
        const used = formats(config, plant, setting, births)
        reader.use(used)
        note = noteOf(plant, used.length > 0 && used.every(({ cleanSession }) => cleanSession))
      }
      const noteOf = (plant: Plant, cleanSession: boolean): string | undefined => {
        if (cleanSession) return connection.keepsSession ? 'Sparkplug: session kept' : undefined
        if (intake !== undefined) return connection.keepsSession ? undefined : 'session not kept'
        const recorded = plant.signalsOfConnection(setting.source).some(({ signal }) => isGuaranteed(delivery, signal, true))
        return recorded && store === undefined ? 'fast: no store' : undefined
      }
      const forget = followPlant(node, plantNode, use, (problem) => status.fault(problem))
      const remember = (): void => {
        if (reader.lastAt !== undefined) store?.saveState(node.id, LAST_MESSAGE, reader.lastAt).catch(() => {})
      }
      const known = store?.loadState(node.id, LAST_MESSAGE).then(
        (at) => typeof at === 'number' && reader.since(at),
        () => {},
      )
      const user: LinkUser = {
        linkChanged(state, problem) {
          status.link(state, problem)
          reader.linkChanged(state)
          // a process that is killed soon leaves at least the time at which it began
          if (state === 'connected') void known?.then(remember)
        },
      }
      connection.register(user)

      const remembering = setInterval(remember, REMEMBER_MS).unref()
      const forgetStart = whenFlowsStarted(RED, () => void intake?.replay())

      return {
        async close(removed) {
          forget()
          forgetStart()
          clearInterval(remembering)
          status.stop()
          // of a session that the broker keeps, the subscription goes on queueing until the node is back
          await reader.stop(!removed)
          await intake?.stop()
          if (removed) births.remove()
          remember()
          return connection.deregister(user)
        },
      }
    },
  })
}
