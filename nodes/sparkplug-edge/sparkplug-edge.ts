import { join } from 'node:path'
import type { Node, NodeAPI, NodeDef } from 'node-red'
import { systemClock } from '../../core/base/clock.ts'
import { TaktError, toTaktError } from '../../core/base/error.ts'
import { uniqueId } from '../../core/base/id.ts'
import { StateFile } from '../../core/base/state-file.ts'
import type { MqttConnection } from '../../core/connect/mqtt-connection.ts'
import { type EdgeMemory, SparkplugEdge } from '../../core/connect/sparkplug/edge.ts'
import { EdgeDevices, isSparkplugId } from '../../core/connect/sparkplug/edge-devices.ts'
import { expectedOf, publicationOf } from '../../core/connect/sparkplug/edge-documents.ts'
import { gapOf } from '../../core/connect/sparkplug/edge-gap.ts'
import { MqttEdgeTransport } from '../../core/connect/sparkplug/edge-mqtt.ts'
import { WrittenMetrics } from '../../core/connect/sparkplug/edge-written.ts'
import type { Document } from '../../core/messages/document.ts'
import type { Gap } from '../../core/messages/gap.ts'
import { hasKind } from '../../core/messages/validate.ts'
import { recordGap } from '../../core/store/gaps.ts'
import type { MqttBrokerNode } from '../mqtt-broker/mqtt-broker.ts'
import type { PlantNode } from '../plant/plant.ts'
import { BadInput } from '../shared/bad-input.ts'
import { connectionNamed } from '../shared/connections.ts'
import { defineNode, nameOf } from '../shared/define-node.ts'
import { whenFlowsStarted } from '../shared/flows-started.ts'
import { followPlant } from '../shared/follow-plant.ts'
import { optionalConfigNode, requireConfigNode } from '../shared/lookup.ts'
import { sampleReader } from '../shared/sample-fields.ts'
import { numberSetting } from '../shared/settings.ts'
import type { StoreNode } from '../store/store.ts'
import { EdgeStatus } from './status.ts'

export interface SparkplugEdgeConfig extends NodeDef {
  plant: string
  broker: string
  /** names of further brokers, separated by commas: used in turn */
  brokers: string
  store: string
  group: string
  edge: string
  /** how a device is named: `{path}`, `{line}`, `{unit}` */
  device: string
  /** host application id; empty: births wait for nobody */
  primaryHost: string
  aliases: boolean
  /** values kept while hosts cannot be told */
  capacity: string | number
  /** ms that changes are gathered */
  gather: string | number
}

const SETTLE_MS = 250
const PATIENCE_MS = 10_000

export default function registerSparkplugEdge(RED: NodeAPI): void {
  defineNode<SparkplugEdgeConfig>(RED, {
    type: 'takt-sparkplug-edge',
    create(node, config) {
      const where = nameOf(node)
      const number = numberSetting(where)
      const plantNode = requireConfigNode<PlantNode>(RED, node, config.plant, 'plant')
      const store = optionalConfigNode<StoreNode>(RED, node, config.store, 'store')?.store
      const { clock } = plantNode
      const group = idOf(config.group, 'group', where)
      const name = idOf(config.edge, 'edge node', where)
      const primaryHost = config.primaryHost ? idOf(config.primaryHost, 'primary host', where) : undefined
      const bad = new BadInput(node, { store, now: () => clock.now() })
      const read = sampleReader(RED, node, {}, { clock, plant: () => plantNode.plant() })
      const devices = new EdgeDevices(config.device || '{path}', where)
      /** Equipment whose signals and commands hosts know of. */
      const introduced = new Set<string>()
      const written = new WrittenMetrics(uniqueId, where)
      const connections = connectionsOf(RED, node, config, where)
      const file = new StateFile(join(RED.settings.userDir ?? process.cwd(), 'takt', `sparkplug-edge-${node.id}.json`))

      const edge = new SparkplugEdge(
        {
          group,
          edge: name,
          primaryHost,
          aliases: config.aliases === true,
          servers: connections.length,
          capacity: number(config.capacity, 'values kept', 100_000, 1, 1_000_000),
          gatherMs: number(config.gather, 'gathered for', 100, 0, 60_000),
          settleMs: SETTLE_MS,
          patienceMs: PATIENCE_MS,
          now: () => Math.round(clock.now()),
          timer: systemClock,
          memory: { load: () => memoryOf(file.load()), save: (memory) => file.save(memory) },
          // an edge node is unique by its group and name, and a server must take its next session for the end of the last one
          transport: new MqttEdgeTransport(
            connections.map(({ settings }) => settings),
            `takt-edge-${group}-${name}`,
          ),
          where,
        },
        {
          changed: (state, problem) => status.link(state, problem),
          command: (command) => {
            try {
              const equipment = command.device === undefined ? plantNode.plant().model.plant : devices.equipmentOf(command.device)
              if (equipment === undefined) throw new TaktError('TAKT_EQUIPMENT_UNKNOWN', { what: `a command to the device '${command.device}'`, where })
              const document = written.commandOf(command, equipment)
              status.commanded()
              node.send([{ topic: `${equipment}/command`, payload: document } as never, null])
            } catch (thrown) {
              refuse(thrown, `${group}/${name}/${command.device ?? ''}`, command)
            }
          },
          bad: (problem, topic, payload) => refuse(problem, topic, payload),
          dropped: (lost) => {
            for (const each of lost) declare(gapOf(each, where, devices))
            status.warn(new TaktError('TAKT_SPARKPLUG_BACKLOG', { where }))
          },
        },
      )
      const status: EdgeStatus = new EdgeStatus(node, {
        primaryHost,
        figures: () => ({ ...edge.waiting, devices: edge.devices, bad: bad.count }),
        server: () => connections[edge.server]?.settings.where ?? '',
        now: () => clock.now(),
      })

      const declare = (gap: Gap): void => {
        node.send([null, { topic: `${where}/gap`, payload: gap } as never])
        if (store !== undefined) recordGap(store, gap, `node:${node.id}`).catch((thrown: unknown) => node.error(toTaktError(thrown, where)))
      }
      const refuse = (thrown: unknown, topic: string, payload: unknown): void => {
        const problem = toTaktError(thrown, where)
        bad.report(problem, { topic, payload })
        status.warn(problem)
      }
      const publish = (document: Document, topic: string | undefined): void => {
        const { equipment, values, dead } = publicationOf(document, plantNode.plant(), Math.round(clock.now()))
        const device = equipment === undefined ? undefined : devices.deviceOf(equipment)
        const known = equipment === undefined || introduced.has(equipment) ? undefined : plantNode.plant().equipment(equipment)
        if (known !== undefined) introduced.add(known.id)
        const expected = known === undefined ? [] : expectedOf(known, values[0]?.time ?? 0)
        const missing = expected.filter(({ name }) => edge.current(device, name) === undefined && values.every((other) => other.name !== name))
        for (const problem of edge.update(device, [...missing, ...values])) refuse(problem, topic ?? document.kind, document)
        if (dead && device !== undefined) edge.deviceDied(device)
        status.took(values.length)
      }

      const forgetPlant = followPlant(
        node,
        plantNode,
        (plant) => {
          introduced.clear()
          devices.use(plant)
        },
        (problem) => status.fault(problem),
      )
      const forget = whenFlowsStarted(RED, () => {
        for (const connection of connections) connection.begin()
        edge.start()
      })

      return {
        input(message) {
          const { payload, topic } = message
          for (const each of Array.isArray(payload) ? payload : [payload]) {
            try {
              if (!hasKind(each)) publish(read({ ...message, payload: each }) as Document, topic)
              else if (each.kind === 'receipt') {
                const told = written.told(each as never, (device, metric) => edge.current(device, metric)?.datatype)
                if (told !== undefined) edge.update(told.device, [told.value])
              } else publish(each as Document, topic)
            } catch (thrown) {
              refuse(thrown, topic ?? '', each)
            }
          }
        },
        async close() {
          forget()
          forgetPlant()
          await edge.stop()
          status.stop()
        },
      }
    },
  })
}

function idOf(text: string | undefined, what: string, where: string): string {
  if (text === undefined || !isSparkplugId(text))
    throw new TaktError('TAKT_CONFIG_INVALID', { what: `the ${what} id '${text ?? ''}' is empty or has one of / + #`, where })
  return text
}

/** The chosen broker first, then the others by name. */
function connectionsOf(RED: NodeAPI, node: Node, { broker, brokers }: SparkplugEdgeConfig, where: string): readonly MqttConnection[] {
  const first = requireConfigNode<MqttBrokerNode>(RED, node, broker, 'broker').connection
  const others = (brokers ?? '')
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '')
    .map((each) => {
      const found = connectionNamed(RED, each)
      if (found?.type !== 'takt-mqtt-broker') throw new TaktError('TAKT_CONFIG_INVALID', { what: `no mqtt broker is named '${each}'`, where })
      return found.connection
    })
  return [first, ...others]
}

function memoryOf(saved: unknown): EdgeMemory | undefined {
  const memory = saved as EdgeMemory | undefined
  return typeof memory?.bdSeq === 'number' ? memory : undefined
}
