import type { ClientSession, DataValue, NotificationMessage } from 'node-opcua'
import { TaktError, toTaktError } from '../base/error.ts'
import type { ErrorCode } from '../base/error-codes.ts'
import type { Gap } from '../messages/gap.ts'
import type { Sample } from '../messages/sample.ts'
import type { BoundSignal } from '../plant/plant.ts'
import { qualityOfStatus, roleRank, type SampleSetting, sampleOf } from '../signal/sample.ts'
import { GapCollector } from './gap-collector.ts'
import type { Opcua } from './load-opcua.ts'
import { Checkpoint, type KeptState, keptState, type SamplerMemory } from './opcua-checkpoint.ts'
import type { OpcuaConnection } from './opcua-connection.ts'
import { haveHistory, readHistory } from './opcua-history.ts'
import { checkNodeId, hasExtras, type MonitoringSetting, monitoringRequest, type OpcuaItem } from './opcua-items.ts'
import { messageOf } from './opcua-problem.ts'
import { OpcuaSubscription, type SubscriptionHooks } from './opcua-subscription.ts'
import { partOf, scalarOf } from './opcua-value.ts'

export interface OpcuaSampleSetting extends SampleSetting, MonitoringSetting {
  readonly publishingMs: number
  /** Name of the endpoint, for the sample's origin. */
  readonly source: string
  /** Which server, for a memory that may be of another. */
  readonly url?: string
  /** For gaps: the connection, and the node that reads it; `source` without it. */
  readonly reader?: string
  /** Signals whose values must be durable before the server may forget them; none without it. */
  readonly guaranteed?: (bound: BoundSignal) => boolean
  /** What outlives the process; without it a later one begins anew. */
  readonly memory?: SamplerMemory | undefined
  /** How long the server keeps the subscription for a client that is away, ms. */
  readonly lifetimeMs?: number
}

export interface OpcuaSink {
  /** A new subscription begins: what the server did not give before, it may give now. */
  began(): void
  /** In the order they must be taken: by source time, then job, counts, mode, state. */
  sample(sample: Sample, topic: string): void
  /** The same for guaranteed signals: fulfilled once durable; rejects where it cannot be made so now. `content` tells values apart, `repeated` that it may have come before. */
  deliver?(sample: Sample, topic: string, content: string, repeated: boolean): Promise<void>
  /** A value that cannot be used. */
  bad(problem: TaktError, value: unknown, topic: string): void
  /** A signal that the server does not give, or not as asked for; told once a subscription. The others go on. */
  unknown(problem: TaktError): void
  /** Values were lost on the way: an overflow, a gap in the sequence. */
  lost(problem: TaktError): void
  /** The bounds of what is missing, or came later from the server's history. */
  gap?(gap: Gap): void
  /** The server answers, whether or not anything changed. */
  alive(): void
}

interface Watched {
  readonly item: OpcuaItem
  readonly topic: string
  readonly setting: OpcuaSampleSetting
  readonly rank: number
  readonly guaranteed: boolean
  /** The server cuts the array to the element. */
  cut: boolean
  last: Sample['value'] | undefined
  /** Of the last value: its source time, epoch ms. */
  lastTime: number | undefined
  lastStatus: number
  /** Real time of the last value, `performance.now()`. */
  lastSeen: number
  /** The next value is the first of a subscription: it may be one that came before. */
  first: boolean
  /** Whether the server keeps a history of it that we may read. */
  history: boolean | undefined
}

interface Ranked {
  readonly sample: Sample
  readonly topic: string
  readonly rank: number
  readonly guaranteed: boolean
  readonly repeated: boolean
  readonly content: string
}

interface Held {
  readonly message: NotificationMessage
  readonly repeated: boolean
  prepared: boolean
}

interface Range {
  readonly watched: Watched
  readonly from: number
  readonly to: number
}

/** The server must speak at least this often, changed values or none. */
const KEEP_ALIVE_MS = 2000
/** How long a subscription outlives a lost connection or process on the server, and keeps its values for us. */
const LIFETIME_MS = 600_000
const WATCH_MS = 500
/** Source times are saved this often, and messages of fast signals acknowledged. */
const SAVE_FAST_MS = 1000
const SAVE_GUARANTEED_MS = 100
/** Messages that are not dealt with: above the first no more are asked for, below the second again. */
const PAUSE_AT = 50
const RESUME_AT = 10
/** First values of a new subscription are waited for before what happened since the last ones is asked for. */
const FIRST_VALUES_MS = 3000
const HISTORY_PAGE = 1000
const HISTORY_MOST = 100_000
const HISTORY_MS = 30_000
const HISTORY_AT_ONCE = 4
const READS_AT_ONCE = 200
const STORE_RETRY_MS = 1000
const GOOD_PART = 0xffff0000

/**
 * A subscription that makes samples. It follows its connection through losses, takes over what a process before it left on the server, fills from the
 * server's history what neither kept, declares what nothing can fill, and has the connection built anew when it stays mute.
 */
export class OpcuaSampler {
  readonly #connection: OpcuaConnection
  readonly #setting: OpcuaSampleSetting
  readonly #sink: OpcuaSink
  /** By client handle less one. */
  readonly #watched: readonly Watched[]
  readonly #gaps: GapCollector
  readonly #checkpoint: Checkpoint
  readonly #made: string
  readonly #forget: () => void
  readonly #watch: NodeJS.Timeout
  #session: ClientSession | undefined
  #opcua: Opcua | undefined
  #subscription: OpcuaSubscription | undefined
  /** Counts sessions: what an earlier one began has no say any more. */
  #era = 0
  #kept: KeptState | undefined
  #loaded: Promise<void> | undefined
  #held: Held[] = []
  #blocked = true
  #paused = false
  /** Signals whose first value is waited for; what was lost lies between their last value and that. */
  #awaited: Map<Watched, { readonly from: number; to: number | undefined }> | undefined
  /** The server does not let one session take over what another began. */
  #transferRefused: boolean | undefined
  #heard = 0
  #mute = 0

  constructor(connection: OpcuaConnection, items: readonly OpcuaItem[], setting: OpcuaSampleSetting, sink: OpcuaSink) {
    this.#connection = connection
    this.#setting = setting
    this.#sink = sink
    const { where, guaranteed } = setting
    this.#watched = items.map((item) => {
      const { equipment, signal } = item.bound
      const topic = `${equipment.id}/${signal.name}`
      return {
        item,
        topic,
        setting: { ...setting, where: `${where}, ${topic}, node ${item.nodeId}` },
        rank: roleRank(signal.role),
        guaranteed: sink.deliver !== undefined && guaranteed?.(item.bound) === true,
        cut: false,
        last: undefined,
        lastTime: undefined,
        lastStatus: 0,
        lastSeen: performance.now(),
        first: true,
        history: undefined,
      }
    })
    this.#made = fingerprint(this.#watched, setting)
    this.#gaps = new GapCollector(setting.reader ?? setting.source, (gap) => sink.gap?.(gap))
    this.#checkpoint = new Checkpoint({
      memory: setting.memory,
      everyMs: this.#watched.some((watched) => watched.guaranteed) ? SAVE_GUARANTEED_MS : SAVE_FAST_MS,
      made: this.#made,
      times: () => this.#times(),
      failed: (thrown) => sink.lost(toTaktError(thrown, where)),
    })
    this.#watch = setInterval(() => this.#notice(), WATCH_MS).unref()
    this.#forget = connection.onSession((session, opcua) => void this.#begin(session, opcua))
  }

  /** Topics of signals that had no new value for longer than their `staleAfterMs`. */
  get stale(): readonly string[] {
    const now = performance.now()
    const rate = Math.max(this.#setting.clock.rate, 1e-9)
    return this.#watched.flatMap(({ item, lastSeen, topic }) => {
      const { staleAfterMs } = item.bound.signal
      return staleAfterMs !== undefined && now - lastSeen > Math.max(staleAfterMs / rate, this.#setting.publishingMs * 2) ? [topic] : []
    })
  }

  /** Messages of the server that are not dealt with yet. */
  get waiting(): number {
    return this.#checkpoint.underWay + this.#held.length
  }

  /**
   * `end` ends it on the server. `later` leaves it there for another process or session, unless the server does not let those take it over;
   * `next` for a sampler that follows on this session.
   */
  async close(then: 'end' | 'later' | 'next' = 'end'): Promise<void> {
    clearInterval(this.#watch)
    this.#forget()
    this.#era++
    this.#gaps.flush()
    const subscription = this.#subscription
    this.#subscription = undefined
    this.#session = undefined
    this.#blocked = true
    const leave = this.#setting.memory !== undefined && (then === 'next' || (then === 'later' && subscription?.state.transferRefused !== true))
    if (leave) subscription?.leave()
    else if (subscription !== undefined && this.#connection.state === 'connected') await subscription.delete()
    if (then !== 'end') await this.#checkpoint.end()
  }

  async #begin(session: ClientSession, opcua: Opcua): Promise<void> {
    this.#remember()
    const era = ++this.#era
    this.#session = session
    this.#opcua = opcua
    this.#held = []
    this.#blocked = true
    this.#paused = false
    this.#awaited = undefined
    this.#hear()
    for (const watched of this.#watched) {
      watched.first = true
      watched.history = undefined
    }
    this.#sink.began()
    await (this.#loaded ??= this.#load())
    if (era !== this.#era) return
    try {
      const adopted = await this.#adopt(era, session, opcua)
      if (!adopted && era === this.#era) await this.#create(era, session, opcua)
    } catch (thrown) {
      if (era === this.#era) this.#fail(session, toTaktError(thrown, this.#setting.where))
    }
  }

  /** What this process knows itself goes before what was saved. */
  #remember(): void {
    const subscription = this.#subscription
    if (subscription === undefined) return
    subscription.leave()
    this.#subscription = undefined
    this.#kept = { made: this.#made, subscription: subscription.state, sequenceNumber: this.#checkpoint.sequenceNumber, times: this.#times() }
  }

  async #load(): Promise<void> {
    this.#kept ??= keptState(await this.#setting.memory?.load().catch(() => undefined))
  }

  #times(): Record<string, number> {
    const times: Record<string, number> = { ...this.#kept?.times }
    for (const { topic, lastTime } of this.#watched) if (lastTime !== undefined) times[topic] = lastTime
    return times
  }

  /** Takes over what is left on the server; false where there is nothing, or it is of other items. */
  async #adopt(era: number, session: ClientSession, opcua: Opcua): Promise<boolean> {
    const kept = this.#kept
    if (kept === undefined) return false
    const same = kept.made === this.#made
    const hooks = same ? this.#hooks(era, session) : { ...this.#hooks(era, session), take: () => {}, lost: () => {}, gone: () => {} }
    let subscription: OpcuaSubscription
    try {
      subscription = await OpcuaSubscription.adopt(session, opcua, kept.subscription, kept.sequenceNumber, hooks)
    } catch (thrown) {
      this.#transferRefused = /AccessDenied|NotSupported|ServiceUnsupported|NotImplemented/.test(messageOf(thrown))
      return false
    }
    this.#transferRefused = false
    if (era !== this.#era) {
      subscription.leave()
      return true
    }
    if (!same) {
      await subscription.delete()
      return false
    }
    this.#subscription = subscription
    for (const watched of this.#watched) watched.first = false
    for (const [handle, cut] of (kept.subscription.cut ?? []).entries()) (this.#watched[handle] as Watched).cut = cut === 1
    for (const [topic, status] of Object.entries(kept.subscription.refused ?? {})) this.#refuse(topic, status)
    this.#checkpoint.begin(subscription, kept.sequenceNumber)
    const present = this.#watched.some(({ last }) => last === undefined) ? await this.#present(kept, session, opcua) : []
    if (era !== this.#era) return true
    for (const each of present) this.#send(each, [])
    this.#goOn()
    return true
  }

  /** What has not changed since it was last seen: nodes after us in the flow may have begun with us and know no value. */
  async #present(kept: KeptState, session: ClientSession, opcua: Opcua): Promise<readonly Ranked[]> {
    const made: Ranked[] = []
    const asked = this.#watched.filter(({ topic, guaranteed, last, cut }) => !guaranteed && !cut && last === undefined && kept.times[topic] !== undefined)
    for (let from = 0; from < asked.length; from += READS_AT_ONCE) {
      const chunk = asked.slice(from, from + READS_AT_ONCE)
      const values = await session.read(chunk.map(({ item }) => ({ nodeId: item.nodeId, attributeId: opcua.AttributeIds.Value }))).catch(() => [])
      for (const [index, value] of values.entries()) {
        const watched = chunk[index] as Watched
        // newer ones come by the subscription, after what it kept
        if (value.sourceTimestamp?.getTime() !== kept.times[watched.topic]) continue
        const sample = this.#sample(watched, value, opcua, true)
        if (sample !== undefined) made.push(sample)
      }
    }
    return made.sort(inOrder)
  }

  async #create(era: number, session: ClientSession, opcua: Opcua): Promise<void> {
    const { publishingMs, lifetimeMs = LIFETIME_MS } = this.#setting
    const subscription = await OpcuaSubscription.create(session, opcua, { publishingMs, keepAliveMs: KEEP_ALIVE_MS, lifetimeMs }, this.#hooks(era, session))
    if (era !== this.#era) return subscription.leave()
    this.#subscription = subscription
    const times = this.#kept?.times ?? {}
    const awaited = new Map<Watched, { readonly from: number; to: number | undefined }>()
    for (const watched of this.#watched) {
      const from = watched.lastTime ?? times[watched.topic]
      if (from !== undefined) awaited.set(watched, { from, to: undefined })
    }
    this.#awaited = awaited
    const refused = await this.#monitor(subscription, opcua)
    if (era !== this.#era) return
    for (const watched of this.#watched) if (refused[watched.topic] !== undefined) awaited.delete(watched)
    const transferRefused = this.#transferRefused ?? this.#kept?.subscription.transferRefused
    Object.assign(subscription.state, { refused, transferRefused, cut: this.#watched.map(({ cut }) => (cut ? 1 : 0)) })
    this.#checkpoint.begin(subscription, 0)
    await this.#checkpoint.keep()
    if (era !== this.#era) return
    await this.#untilFirstValues(era)
    if (era !== this.#era) return
    this.#awaited = undefined
    const ranges = [...awaited].flatMap(([watched, { from, to }]) => (to !== undefined && to > from ? [{ watched, from, to }] : []))
    await this.#heal(era, ranges, 'TAKT_OPCUA_INTERRUPTED', 'the server no longer had the subscription: what changed meanwhile was not collected')
    if (era === this.#era) this.#goOn()
  }

  /** Answers the signals that the server does not give, with its reason. */
  async #monitor(subscription: OpcuaSubscription, opcua: Opcua): Promise<Record<string, string>> {
    const refused: Record<string, string> = {}
    const known = this.#watched.filter((watched) => {
      try {
        checkNodeId(watched.item.nodeId, opcua, watched.setting.where)
        return true
      } catch (thrown) {
        refused[watched.topic] = toTaktError(thrown, watched.setting.where).what
        this.#sink.unknown(toTaktError(thrown, watched.setting.where))
        return false
      }
    })
    const ask = async (asked: readonly Watched[], bare: boolean): Promise<Array<{ watched: Watched; status: string }>> => {
      if (asked.length === 0) return []
      for (const watched of asked) watched.cut = !bare && watched.item.path !== undefined && /^(\[\d+\])+$/.test(watched.item.path)
      const requests = asked.map((watched) =>
        monitoringRequest(watched.item, this.#watched.indexOf(watched) + 1, watched.guaranteed, this.#setting, opcua, bare),
      )
      const results = await subscription.monitor(requests)
      return asked.flatMap((watched, index) => {
        const status = results[index]?.statusCode
        return status?.isGood() ? [] : [{ watched, status: status?.name ?? 'no answer' }]
      })
    }
    const failed = await ask(known, false)
    const again = failed.filter(({ watched }) => hasExtras(watched.item))
    const still = new Map(
      (
        await ask(
          again.map(({ watched }) => watched),
          true,
        )
      ).map(({ watched, status }) => [watched, status]),
    )
    for (const { watched, status } of failed) {
      const final = hasExtras(watched.item) ? still.get(watched) : status
      if (final !== undefined) {
        refused[watched.topic] = final
        this.#refuse(watched.topic, final)
      } else if (watched.item.deadband !== undefined)
        this.#sink.unknown(new TaktError('TAKT_OPCUA_DEADBAND', { what: `the server takes no deadband here: ${status}`, where: watched.setting.where }))
    }
    return refused
  }

  #refuse(topic: string, status: string): void {
    const watched = this.#watched.find((each) => each.topic === topic)
    if (watched !== undefined)
      this.#sink.unknown(
        new TaktError('TAKT_OPCUA_NODE_UNKNOWN', { what: `the server refused to monitor ${watched.item.nodeId}: ${status}`, where: watched.setting.where }),
      )
  }

  /** Held messages bring them. A signal that brings none is not waited for without end. */
  async #untilFirstValues(era: number): Promise<void> {
    const end = performance.now() + FIRST_VALUES_MS + this.#setting.publishingMs
    const missing = (): boolean => [...(this.#awaited?.values() ?? [])].some(({ to }) => to === undefined)
    while (era === this.#era && missing() && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 20))
  }

  #hooks(era: number, session: ClientSession): SubscriptionHooks {
    const present = (): boolean => era === this.#era
    return {
      take: (message, repeated) => {
        if (present()) this.#receive(message, repeated)
      },
      lost: (count, before) => {
        if (present()) this.#missed(era, count, before)
      },
      heard: () => {
        if (present()) this.#hear()
      },
      gone: (why) => {
        if (!present()) return
        if (this.#connection.state === 'connected' && this.#opcua !== undefined) void this.#begin(session, this.#opcua)
        else this.#fail(session, new Error(why))
      },
    }
  }

  #receive(message: NotificationMessage, repeated: boolean): void {
    if (this.#blocked || this.#held.length > 0) {
      this.#held.push({ message, repeated, prepared: false })
      if (this.#awaited !== undefined) this.#noteFirst(message)
      return this.#mind()
    }
    const preparing = this.#prepare(message)
    if (preparing === undefined) return this.#take(message, repeated)
    this.#held.push({ message, repeated, prepared: true })
    this.#hold(preparing)
  }

  /** Goes on with what was held. */
  #goOn(): void {
    this.#blocked = false
    while (this.#held.length > 0 && !this.#blocked) {
      const held = this.#held[0] as Held
      const preparing = held.prepared ? undefined : this.#prepare(held.message)
      held.prepared = true
      if (preparing !== undefined) return this.#hold(preparing)
      this.#held.shift()
      this.#take(held.message, held.repeated)
    }
  }

  #hold(until: Promise<void>): void {
    const era = this.#era
    this.#blocked = true
    void until.finally(() => {
      if (era === this.#era) this.#goOn()
    })
  }

  /** What must be done before a message can be taken: structures that the library has not decoded, values lost before one of its values. */
  #prepare(message: NotificationMessage): Promise<void> | undefined {
    const opcua = this.#opcua
    const session = this.#session
    if (opcua === undefined || session === undefined) return undefined
    const opaque: DataValue[] = []
    const overflown: Range[] = []
    if (needsCare(message, opcua)) {
      for (const { watched, value } of this.#changes(message, opcua)) {
        if (watched.item.path !== undefined && value.value?.dataType === opcua.DataType.ExtensionObject) opaque.push(value)
        if (!value.statusCode.hasOverflowBit) continue
        this.#sink.lost(new TaktError('TAKT_OPCUA_OVERFLOW', { where: watched.setting.where }))
        const to = timeOf(value)?.getTime()
        if (watched.lastTime !== undefined && to !== undefined && to > watched.lastTime) overflown.push({ watched, from: watched.lastTime, to })
      }
    }
    if (opaque.length === 0 && overflown.length === 0) return undefined
    const era = this.#era
    return Promise.all([
      opaque.length === 0 ? undefined : opcua.promoteOpaqueStructure(session as never, opaque).catch(() => {}),
      this.#heal(era, overflown, 'TAKT_OPCUA_OVERFLOW', 'its queue on the server was full'),
    ]).then(() => {})
  }

  #missed(era: number, count: number, before: NotificationMessage): void {
    const { where } = this.#setting
    this.#sink.lost(new TaktError('TAKT_OPCUA_LOST', { what: `${count} notifications were not delivered`, where }))
    const to = before.publishTime?.getTime()
    const ranges = this.#watched.flatMap((watched) => {
      const from = watched.lastTime ?? this.#kept?.times[watched.topic]
      return from !== undefined && to !== undefined && to > from ? [{ watched, from, to }] : []
    })
    this.#hold(this.#heal(era, ranges, 'TAKT_OPCUA_LOST', `${count} notifications were not delivered`, count))
  }

  #noteFirst(message: NotificationMessage): void {
    const opcua = this.#opcua
    if (opcua === undefined) return
    for (const { watched, value } of this.#changes(message, opcua)) {
      const entry = this.#awaited?.get(watched)
      if (entry !== undefined) entry.to ??= timeOf(value)?.getTime() ?? entry.from
    }
  }

  *#changes(message: NotificationMessage, opcua: Opcua): Generator<{ readonly watched: Watched; readonly value: DataValue }> {
    for (const notification of message.notificationData ?? []) {
      if (!(notification instanceof opcua.DataChangeNotification)) continue
      for (const { clientHandle, value } of notification.monitoredItems ?? []) {
        const watched = this.#watched[clientHandle - 1]
        if (watched !== undefined) yield { watched, value }
      }
    }
  }

  /** Fills from the server's history what lies between, and declares what cannot be filled. Never rejects. */
  async #heal(era: number, ranges: readonly Range[], code: ErrorCode, why: string, lost?: number): Promise<void> {
    const session = this.#session
    const opcua = this.#opcua
    if (ranges.length === 0 || session === undefined || opcua === undefined) return
    const asking = [...new Set(ranges.map(({ watched }) => watched))].filter(({ history }) => history === undefined)
    const answers = await haveHistory(
      session,
      opcua,
      asking.map(({ item }) => item.nodeId),
    )
    for (const [index, watched] of asking.entries()) watched.history = answers[index] === true
    const bounds = { pageSize: HISTORY_PAGE, most: HISTORY_MOST, deadline: performance.now() + HISTORY_MS }
    const recovered: Ranked[] = []
    const queue = [...ranges]
    const fill = async (): Promise<void> => {
      for (let range = queue.shift(); range !== undefined && era === this.#era; range = queue.shift()) {
        const { watched, from, to } = range
        const gap = { bound: watched.item.bound, from, to, code, why, ...(lost === undefined ? {} : { lost }) }
        if (watched.history !== true || watched.item.path !== undefined) {
          this.#gaps.add(gap)
          continue
        }
        const { values, complete, why: reason } = await readHistory(session, opcua, watched.item.nodeId, from, to, bounds)
        if (era !== this.#era) return
        const before = recovered.length
        let last = from
        for (const value of values) {
          const time = timeOf(value)?.getTime() ?? 0
          // what lies on the bounds is known to the inbox, and to nobody else
          if (!watched.guaranteed && (time <= from || time >= to)) continue
          last = Math.max(last, time)
          const sample = this.#sample(watched, value, opcua, true)
          if (sample !== undefined) recovered.push(sample)
        }
        if (!complete) this.#gaps.add({ ...gap, from: last, why: `${why}; ${reason}` })
        else if (recovered.length > before) this.#gaps.add({ ...gap, backfilled: true })
      }
    }
    await Promise.all(Array.from({ length: HISTORY_AT_ONCE }, fill))
    if (era !== this.#era) return
    const under: Promise<void>[] = []
    for (const each of recovered.sort(inOrder)) this.#send(each, under)
    await Promise.all(under).catch((thrown: unknown) => {
      if (era === this.#era) this.#fail(session, toTaktError(thrown, this.#setting.where), STORE_RETRY_MS)
    })
  }

  #take(message: NotificationMessage, repeated: boolean): void {
    const opcua = this.#opcua
    const session = this.#session
    if (opcua === undefined || session === undefined) return
    const samples: Ranked[] = []
    let ordered = true
    for (const notification of message.notificationData ?? []) {
      if (!(notification instanceof opcua.DataChangeNotification)) continue
      for (const { clientHandle, value } of notification.monitoredItems ?? []) {
        const watched = this.#watched[clientHandle - 1]
        if (watched === undefined) continue
        const made = this.#sample(watched, value, opcua, repeated)
        if (made === undefined) continue
        const before = samples.at(-1)
        if (before !== undefined && inOrder(before, made) > 0) ordered = false
        samples.push(made)
      }
    }
    if (!ordered) samples.sort(inOrder)
    const { sequenceNumber } = message
    const under: Promise<void>[] = []
    this.#checkpoint.took(sequenceNumber)
    for (const each of samples) this.#send(each, under)
    if (under.length === 0) return this.#checkpoint.dealtWith(sequenceNumber)
    const era = this.#era
    this.#mind()
    Promise.all(under).then(
      () => {
        if (era !== this.#era) return
        this.#checkpoint.dealtWith(sequenceNumber)
        this.#mind()
      },
      (thrown: unknown) => {
        if (era === this.#era) this.#fail(session, toTaktError(thrown, this.#setting.where), STORE_RETRY_MS)
      },
    )
  }

  #send({ sample, topic, guaranteed, content, repeated }: Ranked, under: Promise<void>[]): void {
    if (guaranteed && this.#sink.deliver !== undefined) under.push(this.#sink.deliver(sample, topic, content, repeated))
    else this.#sink.sample(sample, topic)
  }

  /** Asks for no more than can be dealt with: the server's queues are made for that. */
  #mind(): void {
    const { waiting } = this
    if (!this.#paused && waiting >= PAUSE_AT) {
      this.#paused = true
      this.#subscription?.pause()
    } else if (this.#paused && waiting <= RESUME_AT) {
      this.#paused = false
      this.#hear()
      this.#subscription?.resume()
    }
  }

  #sample(watched: Watched, value: DataValue, opcua: Opcua, repeated: boolean): Ranked | undefined {
    const { statusCode } = value
    const { item, guaranteed } = watched
    const { where } = watched.setting
    const quality = qualityOfStatus(statusCode.value)
    let raw: unknown
    try {
      raw = item.path === undefined ? scalarOf(value.value, where, opcua) : partOf(value.value, item.path, watched.cut, where, opcua)
      // a value that is bad and empty says when the last one ceased to be good
      if ((raw === null || raw === undefined) && quality === 'bad') {
        if (watched.last === undefined) throw new TaktError('TAKT_SAMPLE_VALUE_MISSING', { what: `no value: ${statusCode.name}`, where })
        raw = watched.last
      }
      const time = timeOf(value)
      const sample = sampleOf(item.bound, { value: raw, time: time?.getTime(), quality, origin: { source: this.#setting.source } }, watched.setting)
      const again = repeated || watched.first
      const sameAsLast = sample.time === watched.lastTime && sample.value === watched.last && statusCode.value === watched.lastStatus
      // what comes from the history does not make the first live value, which it ends with, a new one
      if (!repeated) watched.first = false
      watched.last = sample.value
      watched.lastStatus = statusCode.value
      watched.lastSeen = performance.now()
      if (watched.lastTime === undefined || sample.time > watched.lastTime || !again) watched.lastTime = sample.time
      // the inbox knows better than the last value what came before
      if (again && sameAsLast && !guaranteed) return undefined
      const content = guaranteed
        ? `${item.nodeId}${item.path ?? ''} ${sample.time} ${value.sourcePicoseconds ?? 0} ${(statusCode.value & GOOD_PART) >>> 0} ${JSON.stringify(sample.value)}`
        : ''
      return { sample, topic: watched.topic, rank: watched.rank, guaranteed, repeated: again, content }
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
    if (session === undefined || this.#connection.state !== 'connected' || this.#paused) {
      this.#heard = performance.now()
      return
    }
    const { publishingMs, keepAliveCount } = this.#subscription?.state ?? { publishingMs: this.#setting.publishingMs, keepAliveCount: 3 }
    const patience = 2 * publishingMs * keepAliveCount + KEEP_ALIVE_MS
    this.#mute = performance.now() - this.#heard > patience ? this.#mute + 1 : 0
    if (this.#mute >= 2) this.#fail(session, new Error(`the subscription has been mute for ${Math.round(patience)} ms`))
  }

  #fail(session: ClientSession, cause: Error, afterMs = 0): void {
    this.#hear()
    if (session !== this.#session) return
    this.#remember()
    this.#session = undefined
    this.#era++
    const problem =
      cause instanceof TaktError && cause.code.startsWith('TAKT_STORE')
        ? cause
        : new TaktError('TAKT_OPCUA_AWAY', { what: `the subscription failed: ${cause.message}`, where: this.#setting.where, cause })
    this.#connection.rebuild(session, problem, afterMs)
  }
}

function inOrder(a: Ranked, b: Ranked): number {
  return a.sample.time - b.sample.time || a.rank - b.rank
}

/** Nearly no message has such values: this is looked at for each of them, so it is plain. */
function needsCare(message: NotificationMessage, opcua: Opcua): boolean {
  for (const notification of message.notificationData ?? []) {
    if (!(notification instanceof opcua.DataChangeNotification)) continue
    for (const { value } of notification.monitoredItems ?? [])
      if (value.statusCode.hasOverflowBit || value.value?.dataType === opcua.DataType.ExtensionObject) return true
  }
  return false
}

function timeOf(value: DataValue): Date | undefined {
  return value.sourceTimestamp ?? value.serverTimestamp ?? undefined
}

/** Another server, other items or parameters make another subscription. */
function fingerprint(watched: readonly Watched[], { url, publishingMs, samplingMs, queueSize, discardOldest }: OpcuaSampleSetting): string {
  const items = watched.map(({ item, topic, guaranteed }) => [item.nodeId, item.path ?? null, item.deadband ?? null, topic, guaranteed])
  return JSON.stringify([url ?? null, publishingMs, samplingMs, queueSize ?? null, discardOldest, items])
}
