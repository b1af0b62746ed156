import type { NodeAPI, NodeDef } from 'node-red'
import { TaktError } from '../../core/base/error.ts'
import { boundItems, listedItems, type OpcuaItem } from '../../core/connect/opcua-items.ts'
import { OpcuaSampler, type OpcuaSampleSetting, type OpcuaSink } from '../../core/connect/opcua-samples.ts'
import type { Plant } from '../../core/plant/plant.ts'
import type { OpcuaEndpointNode } from '../opcua-endpoint/opcua-endpoint.ts'
import type { PlantNode } from '../plant/plant.ts'
import { BadInput } from '../shared/bad-input.ts'
import { defineNode, nameOf } from '../shared/define-node.ts'
import { followPlant } from '../shared/follow-plant.ts'
import { optionalConfigNode, requireConfigNode } from '../shared/lookup.ts'
import { SensorStatus } from '../shared/sensor-status.ts'
import { numberSetting, toleranceSetting } from '../shared/settings.ts'
import type { StoreNode } from '../store/store.ts'

export interface OpcuaSensorConfig extends NodeDef {
  plant: string
  endpoint: string
  store: string
  /** `bindings`: every signal of the plant model bound to the endpoint; `list`: those named here */
  mode: 'bindings' | 'list'
  /** topic is `<equipment>/<signal>` */
  items: ReadonlyArray<{ nodeId: string; topic: string }>
  publishing: string | number
  sampling: string | number
  queueSize: string | number
  discardOldest: boolean
  maxFutureSeconds: string | number
  maxAgeDays: string | number
}

/** The server speaks every two seconds, changed values or none. */
const QUIET_MS = 5000
/** Overflows come in series: once in a while is enough. */
const WARN_EVERY_MS = 10_000

export default function registerOpcuaSensor(RED: NodeAPI): void {
  defineNode<OpcuaSensorConfig>(RED, {
    type: 'takt-opcua-sensor',
    create(node, config) {
      const where = nameOf(node)
      const plantNode = requireConfigNode<PlantNode>(RED, node, config.plant, 'plant')
      const endpoint = requireConfigNode<OpcuaEndpointNode>(RED, node, config.endpoint, 'OPC UA endpoint')
      const store = optionalConfigNode<StoreNode>(RED, node, config.store, 'store')?.store
      const setting = settingOf(config, plantNode, endpoint, where)
      const { connection } = endpoint
      const bad = new BadInput(node, { store, now: () => plantNode.clock.now() })
      let samples = 0
      let unknown = 0
      let warnedAt = Number.NEGATIVE_INFINITY
      const status = new SensorStatus(
        node,
        () => ({ samples, bad: bad.count + unknown }),
        () => QUIET_MS,
      )
      const sink: OpcuaSink = {
        began() {
          unknown = 0
        },
        sample(sample, topic) {
          samples++
          node.send({ topic, payload: sample } as never)
        },
        bad(problem, value, topic) {
          bad.report(problem, { topic, payload: value })
          status.bad(problem)
        },
        unknown(problem) {
          unknown++
          status.bad(problem)
          node.error(problem, {} as never)
        },
        lost(problem) {
          status.warn(problem)
          if (performance.now() - warnedAt < WARN_EVERY_MS) return
          warnedAt = performance.now()
          node.warn(problem.message)
        },
        alive: () => status.alive(),
      }

      let sampler: OpcuaSampler | undefined
      const sample = (plant: Plant): void => {
        const items = itemsOf(config, plant, setting)
        void sampler?.close()
        sampler = new OpcuaSampler(connection, items, setting, sink)
      }
      const forget = followPlant(node, plantNode, sample, (problem) => status.fault(problem))
      const user = { linkChanged: status.link.bind(status) }
      connection.register(user)

      return {
        async close() {
          forget()
          status.stop()
          await sampler?.close()
          await connection.deregister(user)
        },
      }
    },
  })
}

function settingOf(config: OpcuaSensorConfig, plantNode: PlantNode, endpoint: OpcuaEndpointNode, where: string): OpcuaSampleSetting {
  const number = numberSetting(where)
  return {
    clock: plantNode.clock,
    where,
    tolerance: toleranceSetting(config, where),
    publishingMs: number(config.publishing, 'publishing interval', 250, 10, 3_600_000),
    samplingMs: number(config.sampling, 'sampling interval', 0, -1, 3_600_000),
    queueSize: number(config.queueSize, 'queue size', 100, 1, 100_000),
    discardOldest: config.discardOldest !== false,
    source: endpoint.name || endpoint.id,
  }
}

function itemsOf(config: OpcuaSensorConfig, plant: Plant, { source, where }: OpcuaSampleSetting): readonly OpcuaItem[] {
  const items = config.mode === 'list' ? listedItems(config.items ?? [], plant, where) : boundItems(plant, source)
  if (items.length > 0) return items
  const what = config.mode === 'list' ? 'the list of nodes is empty' : `no signal of the plant model has a node id on the connection '${source}'`
  throw new TaktError('TAKT_CONFIG_INVALID', { what, where })
}
