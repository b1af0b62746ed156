import { join } from 'node:path'
import type { NodeAPI, NodeDef } from 'node-red'
import { TaktError, toTaktError } from '../../core/base/error.ts'
import { deliverySetting, isGuaranteed } from '../../core/connect/delivery.ts'
import { Intake } from '../../core/connect/intake.ts'
import type { SamplerMemory } from '../../core/connect/opcua-checkpoint.ts'
import { boundItems, deadbandOf, listedItems, type OpcuaItem } from '../../core/connect/opcua-items.ts'
import { OpcuaSampler, type OpcuaSampleSetting, type OpcuaSink } from '../../core/connect/opcua-samples.ts'
import { StateFile } from '../../core/connect/state-file.ts'
import type { Document } from '../../core/messages/document.ts'
import type { Plant } from '../../core/plant/plant.ts'
import { recordGap } from '../../core/store/gaps.ts'
import { inboxOf } from '../../core/store/inbox.ts'
import type { Store } from '../../core/store/store.ts'
import type { OpcuaEndpointNode } from '../opcua-endpoint/opcua-endpoint.ts'
import type { PlantNode } from '../plant/plant.ts'
import { BadInput } from '../shared/bad-input.ts'
import { defineNode, nameOf } from '../shared/define-node.ts'
import { whenFlowsStarted } from '../shared/flows-started.ts'
import { followPlant } from '../shared/follow-plant.ts'
import { optionalConfigNode, requireConfigNode } from '../shared/lookup.ts'
import { SensorStatus } from '../shared/sensor-status.ts'
import { numberSetting, toleranceSetting } from '../shared/settings.ts'
import type { StoreNode } from '../store/store.ts'
import { serveSignals } from './serve-signals.ts'
import { ReceiverWatcher, receiverMemory } from './watch-receivers.ts'

export interface OpcuaSensorConfig extends NodeDef {
  plant: string
  endpoint: string
  store: string
  /** `bindings`: every signal of the plant model bound to the endpoint; `list`: those named here */
  mode: 'bindings' | 'list'
  /** topic is `<equipment>/<signal>`; path leads into an array or a structure; deadband is `0.5` or `1 %` */
  items: ReadonlyArray<{ nodeId: string; topic: string; path?: string; deadband?: string }>
  delivery: 'role' | 'guaranteed' | 'fast'
  publishing: string | number
  sampling: string | number
  queueSize: string | number
  discardOldest: boolean
  /** minutes for which the server keeps the subscription while Takt is away */
  keep: string | number
  maxFutureSeconds: string | number
  maxAgeDays: string | number
}

/** The server speaks every two seconds, changed values or none. */
const QUIET_MS = 5000
/** Overflows come in series: once in a while is enough. */
const WARN_EVERY_MS = 10_000
const STALE_EVERY_MS = 1000
const SUBSCRIPTION = 'subscription'

export default function registerOpcuaSensor(RED: NodeAPI): void {
  serveSignals(RED)
  defineNode<OpcuaSensorConfig>(RED, {
    type: 'takt-opcua-sensor',
    create(node, config) {
      const where = nameOf(node)
      const plantNode = requireConfigNode<PlantNode>(RED, node, config.plant, 'plant')
      const endpoint = requireConfigNode<OpcuaEndpointNode>(RED, node, config.endpoint, 'OPC UA endpoint')
      const store = optionalConfigNode<StoreNode>(RED, node, config.store, 'store')?.store
      const delivery = deliverySetting(config.delivery, store !== undefined, where)
      const { connection } = endpoint
      const source = endpoint.name || endpoint.id
      const reader = `${source}/${node.id}`
      const setting: OpcuaSampleSetting = {
        ...settingOf(config, where),
        clock: plantNode.clock,
        source,
        url: endpoint.endpointUrl,
        reader,
        guaranteed: ({ signal }) => isGuaranteed(delivery, signal, store !== undefined),
        memory: memoryOf(store, node.id, RED.settings.userDir ?? process.cwd()),
      }
      const bad = new BadInput(node, { store, now: () => plantNode.clock.now() })
      let samples = 0
      let unknown = 0
      let warnedAt = Number.NEGATIVE_INFINITY
      let sampler: OpcuaSampler | undefined
      let note: string | undefined
      const status = new SensorStatus(
        node,
        () => ({ samples, bad: bad.count + unknown, ...intake?.figures, note }),
        () => QUIET_MS,
      )
      const send = (message: { readonly topic: string; readonly payload: Document }): void => {
        if (message.payload.kind === 'sample') samples++
        node.send(message as never)
      }
      const intake =
        store === undefined || delivery === 'fast'
          ? undefined
          : new Intake({
              inbox: inboxOf(store),
              source: reader,
              send: (messages) => messages.forEach(send),
              refused(problem, arrival) {
                bad.report(problem, { topic: arrival.messages[0]?.topic, payload: arrival.content })
                status.bad(problem)
              },
              problem(problem) {
                if (problem !== undefined) status.warn(problem)
              },
            })
      const sink: OpcuaSink = {
        began() {
          unknown = 0
        },
        sample: (sample, topic) => send({ topic, payload: sample }),
        ...(intake === undefined
          ? {}
          : { deliver: (sample, topic, content, repeated) => intake.take({ content, repeated, messages: [{ topic, payload: sample }] }) }),
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
        gap(gap) {
          send({ topic: `${reader}/gap`, payload: gap })
          if (store !== undefined) recordGap(store, gap, `node:${node.id}`).catch((thrown: unknown) => node.error(toTaktError(thrown, where)))
        },
        alive: () => status.alive(),
      }

      // one after the other: the next takes over what the one before leaves on the server
      let turn: Promise<void> = Promise.resolve()
      const next = (make: () => OpcuaSampler | undefined, then: 'end' | 'later' | 'next'): Promise<void> => {
        turn = turn.then(async () => {
          await sampler?.close(then)
          sampler = make()
        })
        return turn
      }
      const jobs = { ...setting, memory: receiverMemory(store, node.id, join(RED.settings.userDir ?? process.cwd(), 'takt', 'state', `jobs-${node.id}.json`)) }
      const receivers = new ReceiverWatcher(connection, jobs, {
        sample: sink.sample,
        response: (document, topic) => send({ topic, payload: document }),
        problem: sink.unknown,
      })
      const sample = (plant: Plant): void => {
        const watched = config.mode === 'list' ? 0 : receivers.use(plant)
        const items = itemsOf(config, plant, setting, watched)
        const recorded = items.some(({ bound }) => isGuaranteed(delivery, bound.signal, true))
        note = recorded && store === undefined ? 'fast: no store' : undefined
        void next(() => new OpcuaSampler(connection, items, setting, sink), 'next')
      }
      const forget = followPlant(node, plantNode, sample, (problem) => status.fault(problem))
      const user = { linkChanged: status.link.bind(status) }
      connection.register(user)
      const forgetStart = whenFlowsStarted(RED, () => void intake?.replay())
      const watch = setInterval(() => {
        const stale = connection.state === 'connected' ? (sampler?.stale ?? []) : []
        if (stale.length > 0) status.warn(new TaktError('TAKT_OPCUA_STALE', { what: `no new value: ${stale.slice(0, 3).join(', ')}`, where }))
      }, STALE_EVERY_MS).unref()

      return {
        async close(removed) {
          forget()
          forgetStart()
          receivers.close()
          clearInterval(watch)
          status.stop()
          await next(() => undefined, removed ? 'end' : 'later')
          await intake?.stop()
          await connection.deregister(user)
        },
      }
    },
  })
}

function settingOf(config: OpcuaSensorConfig, where: string): Omit<OpcuaSampleSetting, 'clock' | 'source'> {
  const number = numberSetting(where)
  const automatic = config.queueSize === undefined || config.queueSize === null || config.queueSize === ''
  return {
    where,
    tolerance: toleranceSetting(config, where),
    publishingMs: number(config.publishing, 'publishing interval', 250, 10, 3_600_000),
    samplingMs: number(config.sampling, 'sampling interval', 0, -1, 3_600_000),
    queueSize: automatic ? undefined : number(config.queueSize, 'queue size', 100, 1, 100_000),
    discardOldest: config.discardOldest !== false,
    lifetimeMs: number(config.keep, 'minutes kept', 10, 1, 10_080) * 60_000,
  }
}

/** What is needed to take the subscription over after a restart: in the store, or in a file where none is chosen. */
function memoryOf(store: Store | undefined, id: string, userDir: string): SamplerMemory {
  if (store === undefined) return new StateFile(join(userDir, 'takt', 'state', `opcua-${id}.json`))
  return { load: () => store.loadState(id, SUBSCRIPTION), save: (state) => store.saveState(id, SUBSCRIPTION, state) }
}

function itemsOf(config: OpcuaSensorConfig, plant: Plant, { source, where }: OpcuaSampleSetting, watched: number): readonly OpcuaItem[] {
  const listed = (config.items ?? []).map((row) => ({ ...row, deadband: deadbandOf(row.deadband, `${where}, node ${row.nodeId}`) }))
  const items = config.mode === 'list' ? listedItems(listed, plant, where) : boundItems(plant, source)
  if (items.length + watched > 0) return items
  const what = config.mode === 'list' ? 'the list of nodes is empty' : `no signal of the plant model has a node id on the connection '${source}'`
  throw new TaktError('TAKT_CONFIG_INVALID', { what, where })
}
