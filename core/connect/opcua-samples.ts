import type {
  ClientMonitoredItemBase,
  ClientSession,
  ClientSubscription,
  DataValue,
  NotificationMessage,
  RepublishRequest,
  RepublishResponse,
} from 'node-opcua'
import { TaktError, toTaktError } from '../base/error.ts'
import type { Sample } from '../messages/sample.ts'
import type { BoundSignal, Plant } from '../plant/plant.ts'
import { findSignal, qualityOfStatus, roleRank, type SampleSetting, sampleOf } from '../signal/sample.ts'
import type { Opcua } from './load-opcua.ts'
import { NotificationOrder } from './notification-order.ts'
import type { OpcuaConnection } from './opcua-connection.ts'
import { scalarOf } from './opcua-value.ts'

export interface OpcuaItem {
  readonly nodeId: string
  readonly bound: BoundSignal
}

/** Every signal that the plant model binds to an endpoint. */
export function boundItems(plant: Plant, connection: string): readonly OpcuaItem[] {
  return plant.signalsOfConnection(connection).flatMap((bound) => {
    const nodeId = bound.signal.source?.nodeId
    return nodeId === undefined ? [] : [{ nodeId, bound }]
  })
}

/** Items by hand: a node id and `<equipment>/<signal>`. Throws TAKT_EQUIPMENT_UNKNOWN, TAKT_SIGNAL_UNKNOWN. */
export function listedItems(list: ReadonlyArray<{ readonly nodeId: string; readonly topic: string }>, plant: Plant, where: string): readonly OpcuaItem[] {
  return list.map(({ nodeId, topic }) => ({ nodeId, bound: findSignal({ topic }, plant, `${where}, node ${nodeId}`) }))
}

export interface OpcuaSampleSetting extends SampleSetting {
  readonly publishingMs: number
  /** -1: the publishing interval; 0: every change, where the server can. */
  readonly samplingMs: number
  /** Values that the server keeps for each signal between two publications. */
  readonly queueSize: number
  /** When the queue is full: true drops the oldest, false the newest. */
  readonly discardOldest: boolean
  /** Name of the endpoint, for the sample's origin. */
  readonly source: string
}

export interface OpcuaSink {
  /** A new subscription begins: what the server did not give before, it may give now. */
  began(): void
  /** In the order they must be taken: by source time, then job, counts, mode, state. */
  sample(sample: Sample, topic: string): void
  /** A value that cannot be used. */
  bad(problem: TaktError, value: unknown, topic: string): void
  /** A signal that the server does not give; told once a session. The others go on. */
  unknown(problem: TaktError): void
  /** Values were lost on the way: an overflow, a gap in the sequence. */
  lost(problem: TaktError): void
  /** The server answers, whether or not anything changed. */
  alive(): void
}

interface Watched {
  readonly item: OpcuaItem
  readonly topic: string
  readonly setting: OpcuaSampleSetting
  readonly rank: number
  last: Sample['value'] | undefined
}

interface Ranked {
  readonly sample: Sample
  readonly topic: string
  readonly rank: number
}

/** The server must speak at least this often, changed values or none. */
const KEEP_ALIVE_MS = 2000
/** How long a subscription outlives a lost connection on the server, and keeps its values for us. */
const LIFETIME_MS = 120_000
const WATCH_MS = 500
const ITEMS_PER_CALL = 200

/** A subscription that makes samples. It follows its connection through losses, and has the connection built anew when it stays mute. */
export class OpcuaSampler {
  readonly #connection: OpcuaConnection
  readonly #items: readonly OpcuaItem[]
  readonly #setting: OpcuaSampleSetting
  readonly #sink: OpcuaSink
  readonly #watched = new Map<number, Watched>()
  readonly #forget: () => void
  readonly #watch: NodeJS.Timeout
  #session: ClientSession | undefined
  #opcua: Opcua | undefined
  #subscription: ClientSubscription | undefined
  readonly #order: NotificationOrder<NotificationMessage>
  #heard = 0
  #mute = 0
  #early: NotificationMessage[] | undefined

  constructor(connection: OpcuaConnection, items: readonly OpcuaItem[], setting: OpcuaSampleSetting, sink: OpcuaSink) {
    this.#connection = connection
    this.#items = items
    this.#setting = setting
    this.#sink = sink
    this.#order = new NotificationOrder<NotificationMessage>({
      take: (message) => this.#take(message),
      repeat: (sequenceNumber) => this.#repeat(sequenceNumber),
      lost: (count) => sink.lost(new TaktError('TAKT_OPCUA_LOST', { what: `${count} notifications were not delivered`, where: setting.where })),
    })
    this.#watch = setInterval(() => this.#notice(), WATCH_MS).unref()
    this.#forget = connection.onSession((session, opcua) => void this.#subscribe(session, opcua))
  }

  async close(): Promise<void> {
    clearInterval(this.#watch)
    this.#order.restart()
    this.#forget()
    const subscription = this.#subscription
    this.#subscription = undefined
    this.#session = undefined
    if (subscription !== undefined && this.#connection.state === 'connected') await subscription.terminate().catch(() => {})
  }

  async #subscribe(session: ClientSession, opcua: Opcua): Promise<void> {
    const { publishingMs, samplingMs, queueSize, discardOldest, where } = this.#setting
    const subscription = opcua.ClientSubscription.create(session, {
      requestedPublishingInterval: publishingMs,
      requestedMaxKeepAliveCount: Math.max(3, Math.ceil(KEEP_ALIVE_MS / publishingMs)),
      requestedLifetimeCount: Math.max(100, Math.ceil(LIFETIME_MS / publishingMs)),
      maxNotificationsPerPublish: 0,
      publishingEnabled: true,
      priority: 1,
    })
    this.#session = session
    this.#opcua = opcua
    this.#subscription = subscription
    this.#order.restart()
    this.#hear()
    this.#watched.clear()
    this.#sink.began()
    this.#early = []
    const present = (): boolean => this.#subscription === subscription
    subscription.on('raw_notification', (message: NotificationMessage) => {
      if (present()) this.#receive(message)
    })
    // the client made it anew on the same session: the server counts from 1 again, and knows nothing of the time between
    ;(subscription as unknown as NodeJS.EventEmitter).on('subscriptionId_changed', () => {
      this.#order.restart()
      this.#hear()
    })
    subscription.on('error', (error) => this.#fail(session, error))
    // the server has ended it; without this only the silence would tell
    subscription.on('terminated', () => {
      if (present()) this.#fail(session, new Error('the server ended it'))
    })
    try {
      for (let from = 0; from < this.#items.length; from += ITEMS_PER_CALL) {
        const chunk = this.#items.slice(from, from + ITEMS_PER_CALL).filter((item) => this.#isNodeId(item, opcua))
        if (chunk.length === 0) continue
        const group = await subscription.monitorItems(
          chunk.map(({ nodeId }) => ({ nodeId, attributeId: opcua.AttributeIds.Value })),
          { samplingInterval: samplingMs, queueSize, discardOldest },
          opcua.TimestampsToReturn.Both,
        )
        if (!present()) return
        for (const [index, monitored] of group.monitoredItems.entries()) this.#watchItem(monitored, chunk[index] as OpcuaItem)
      }
    } catch (thrown) {
      return this.#fail(session, toTaktError(thrown, where))
    }
    const early = this.#early
    this.#early = undefined
    for (const message of early ?? []) this.#receive(message)
  }

  #isNodeId(item: OpcuaItem, { resolveNodeId }: Opcua): boolean {
    try {
      resolveNodeId(item.nodeId)
      return true
    } catch (cause) {
      this.#sink.unknown(new TaktError('TAKT_OPCUA_NODE_UNKNOWN', { what: `'${item.nodeId}' is not a node id`, where: this.#whereOf(item), cause }))
      return false
    }
  }

  #watchItem(monitored: ClientMonitoredItemBase, item: OpcuaItem): void {
    const where = this.#whereOf(item)
    const { statusCode } = monitored as unknown as { statusCode: { name: string; isNotGood(): boolean } }
    if (statusCode.isNotGood()) {
      this.#sink.unknown(new TaktError('TAKT_OPCUA_NODE_UNKNOWN', { what: `the server refused to monitor ${item.nodeId}: ${statusCode.name}`, where }))
      return
    }
    const { equipment, signal } = item.bound
    this.#watched.set(monitored.monitoringParameters.clientHandle, {
      item,
      topic: `${equipment.id}/${signal.name}`,
      setting: { ...this.#setting, where },
      rank: roleRank(signal.role),
      last: undefined,
    })
  }

  #whereOf(item: OpcuaItem): string {
    return `${this.#setting.where}, ${item.bound.equipment.id}/${item.bound.signal.name}, node ${item.nodeId}`
  }

  #receive(message: NotificationMessage): void {
    this.#hear()
    if ((message.notificationData ?? []).length === 0) return
    // values may come before the answer that says which handle is which
    if (this.#early !== undefined) this.#early.push(message)
    else this.#order.receive(message)
  }

  #take(message: NotificationMessage): void {
    const opcua = this.#opcua
    if (opcua === undefined) return
    const samples: Ranked[] = []
    let ordered = true
    for (const notification of message.notificationData ?? []) {
      if (!(notification instanceof opcua.DataChangeNotification)) continue
      for (const { clientHandle, value } of notification.monitoredItems ?? []) {
        const watched = this.#watched.get(clientHandle)
        if (watched === undefined) continue
        const made = this.#sample(watched, value, opcua)
        if (made === undefined) continue
        const before = samples.at(-1)
        if (before !== undefined && inOrder(before, made) > 0) ordered = false
        samples.push(made)
      }
    }
    if (!ordered) samples.sort(inOrder)
    for (const { sample, topic } of samples) this.#sink.sample(sample, topic)
  }

  #repeat(retransmitSequenceNumber: number): Promise<NotificationMessage | undefined> {
    const session = this.#session
    const subscriptionId = this.#subscription?.subscriptionId
    const opcua = this.#opcua
    if (session === undefined || opcua === undefined || typeof subscriptionId !== 'number') return Promise.resolve(undefined)
    return new Promise((resolve) => {
      const { republish } = session as unknown as Republisher
      republish.call(session, new opcua.RepublishRequest({ subscriptionId, retransmitSequenceNumber }), (error, response) =>
        resolve(!error && response?.responseHeader.serviceResult.isGood() ? response.notificationMessage : undefined),
      )
    })
  }

  #sample(watched: Watched, value: DataValue, opcua: Opcua): Ranked | undefined {
    const { statusCode } = value
    const { where } = watched.setting
    if (statusCode.hasOverflowBit) this.#sink.lost(new TaktError('TAKT_OPCUA_OVERFLOW', { where }))
    const quality = qualityOfStatus(statusCode.value)
    let raw: unknown
    try {
      raw = scalarOf(value.value, where, opcua)
      // a value that is bad and empty says when the last one ceased to be good
      if ((raw === null || raw === undefined) && quality === 'bad') {
        if (watched.last === undefined) throw new TaktError('TAKT_SAMPLE_VALUE_MISSING', { what: `no value: ${statusCode.name}`, where })
        raw = watched.last
      }
      const time = value.sourceTimestamp ?? value.serverTimestamp
      const sample = sampleOf(
        watched.item.bound,
        { value: raw, time: time === null ? undefined : time.getTime(), quality, origin: { source: this.#setting.source } },
        watched.setting,
      )
      watched.last = sample.value
      return { sample, topic: watched.topic, rank: watched.rank }
    } catch (thrown) {
      this.#sink.bad(toTaktError(thrown, where), raw ?? value.value?.value, watched.topic)
      return undefined
    }
  }

  #hear(): void {
    this.#heard = performance.now()
    this.#mute = 0
    this.#sink.alive()
  }

  /** A subscription may be gone on the server while the session lives. Twice in a row: our own process may have stood still. */
  #notice(): void {
    const session = this.#session
    if (session === undefined || this.#connection.state !== 'connected') {
      this.#heard = performance.now()
      return
    }
    const { publishingInterval, maxKeepAliveCount } = this.#subscription ?? { publishingInterval: this.#setting.publishingMs, maxKeepAliveCount: 3 }
    const patience = 2 * publishingInterval * maxKeepAliveCount + KEEP_ALIVE_MS
    this.#mute = performance.now() - this.#heard > patience ? this.#mute + 1 : 0
    if (this.#mute >= 2) this.#fail(session, new Error(`the subscription has been mute for ${Math.round(patience)} ms`))
  }

  #fail(session: ClientSession, cause: Error): void {
    this.#hear()
    if (session !== this.#session) return
    this.#subscription = undefined
    this.#session = undefined
    const problem = new TaktError('TAKT_OPCUA_AWAY', { what: `the subscription failed: ${cause.message}`, where: this.#setting.where, cause })
    this.#connection.rebuild(session, problem)
  }
}

function inOrder(a: Ranked, b: Ranked): number {
  return a.sample.time - b.sample.time || a.rank - b.rank
}

/** A service that the session has and the published types do not list. */
interface Republisher {
  republish(request: RepublishRequest, callback: (error: Error | null, response?: RepublishResponse) => void): void
}
