import { TaktError } from '../base/error.ts'
import type { Document, Kind } from '../messages/document.ts'
import { enqueue, OutboxWorker } from '../store/outbox.ts'
import type { Store, StoreTransaction } from '../store/store.ts'
import type { MqttConnection } from './mqtt-connection.ts'
import type { LinkState } from './shared-link.ts'
import { UnsBuffer } from './uns-buffer.ts'
import { bodyWithSchema, publishUns, schemaBody, type UnsMessage } from './uns-message.ts'
import { placeOf } from './uns-place.ts'
import { type UnsTopicSetting, unsTopic } from './uns-topic.ts'

/** `kind`: telemetry fast, everything else guaranteed. */
export const UNS_DELIVERIES = ['kind', 'guaranteed', 'fast'] as const
export type UnsDelivery = (typeof UNS_DELIVERIES)[number]

export interface UnsSetting extends Omit<UnsTopicSetting, 'plant'> {
  readonly plant: () => UnsTopicSetting['plant']
  readonly connection: MqttConnection
  /** Without one nothing is guaranteed. */
  readonly store: Store | undefined
  readonly delivery: UnsDelivery
  /** States are retained, so that who subscribes later knows them. */
  readonly retain: boolean
  /** The last state of what has ended is not kept: its retained message is taken back. */
  readonly clearEnded: boolean
  /** Bodies name their schema, and the schemas are published beside them. */
  readonly schema: boolean
  /** Name of the outbox's destination; stable across restarts. */
  readonly destination: string
  problem(problem: TaktError | undefined): void
}

/** One document as it goes out: its message, and perhaps one after it that takes it back. */
export interface Planned {
  readonly messages: readonly UnsMessage[]
  readonly isState: boolean
  readonly guaranteed: boolean
}

/** What comes often and is soon replaced by the next. */
const TELEMETRY: ReadonlySet<Kind> = new Set<Kind>(['sample', 'kpi', 'prognosis'])
const WAITING_AT_MOST = 10_000
const UNDER_WAY = 500
const RETAINED_REMEMBERED = 50_000

/** Publishes documents into a unified namespace: fast from memory, or guaranteed from the outbox, where they stay until the broker has confirmed them. */
export class UnsPublisher {
  readonly #setting: UnsSetting
  readonly #buffer: UnsBuffer
  readonly #worker: OutboxWorker | undefined
  readonly #schemas = new Set<Kind>()
  readonly #retained = new Set<string>()
  readonly #lost = new Set<(problem: TaktError) => void>()

  constructor(setting: UnsSetting) {
    this.#setting = setting
    const { connection, store, destination } = setting
    const publish = (message: UnsMessage): Promise<void> => this.#publish(message)
    this.#buffer = new UnsBuffer({
      publish,
      isConnected: () => connection.state === 'connected',
      limit: WAITING_AT_MOST,
      inFlight: UNDER_WAY,
      failed: (problem) => setting.problem(problem),
    })
    this.#worker =
      store === undefined
        ? undefined
        : new OutboxWorker(store, destination, ({ topic, body }) => publish({ ...(JSON.parse(body) as Omit<UnsMessage, 'topic'>), topic }), {
            problem: (problem) => setting.problem(problem),
          })
  }

  start(): void {
    this.#worker?.start()
  }

  get figures(): { readonly waiting: number; readonly oldestMs: number; readonly dropped: number; readonly published: number } {
    const { waiting, oldestMs, dropped, published } = this.#buffer.figures
    const outbox = this.#worker?.figures
    return {
      waiting: waiting + (outbox?.waiting ?? 0),
      oldestMs: Math.max(oldestMs, outbox?.oldestMs ?? 0),
      dropped: dropped + (outbox?.givenUp ?? 0),
      published: published + (outbox?.delivered ?? 0),
    }
  }

  /** Topics that hold a retained message of ours. */
  get retained(): readonly string[] {
    return [...this.#retained]
  }

  remember(retained: readonly string[]): void {
    for (const topic of retained) this.#retained.add(topic)
  }

  /** What is to be published for a document. Throws TAKT_UNS_TOPIC. */
  plan(document: Document): Planned {
    const { plant, store, delivery, retain, clearEnded, schema, ...rest } = this.#setting
    const place = placeOf(document)
    const { kind } = document
    const topic = unsTopic(document, place, { ...rest, plant: plant() })
    const ended = place.ended === true && clearEnded
    const message: UnsMessage = { topic, kind, body: schema ? bodyWithSchema(document) : JSON.stringify(document), retain: retain && place.isState && !ended }
    return {
      messages: ended && retain ? [message, { topic, kind, body: '', retain: true }] : [message],
      isState: place.isState && !ended,
      guaranteed: store !== undefined && (delivery === 'guaranteed' || (delivery === 'kind' && !TELEMETRY.has(kind))),
    }
  }

  /** Writes what is guaranteed into the outbox. */
  async enqueue(tx: StoreTransaction, planned: readonly Planned[]): Promise<void> {
    for (const { messages, guaranteed } of planned) {
      if (!guaranteed) continue
      for (const { topic, ...body } of messages) await enqueue(tx, { destination: this.#setting.destination, topic, body: JSON.stringify(body) })
    }
  }

  /** Sends what is fast, and lets the outbox know of what was committed. */
  send(planned: readonly Planned[]): void {
    for (const { messages, isState, guaranteed } of planned) {
      for (const message of messages) {
        this.#note(message)
        if (!guaranteed) this.#buffer.put(message, isState)
      }
    }
    this.#worker?.wake()
  }

  linkChanged(state: LinkState, problem: TaktError | undefined): void {
    if (state === 'connected') {
      this.#schemas.clear()
      this.#buffer.drain()
      this.#worker?.wake()
    } else this.#giveBack(problem ?? this.#setting.connection.away())
  }

  async stop(): Promise<void> {
    this.#giveBack(this.#setting.connection.away())
    await this.#worker?.stop()
  }

  /** Takes every retained message back; for a node that is removed. */
  async clear(): Promise<void> {
    const { connection } = this.#setting
    if (connection.state !== 'connected') return
    await Promise.allSettled([...this.#retained].map((topic) => connection.publish(topic, '', { qos: 1, retain: true })))
    this.#retained.clear()
  }

  /** mqtt.js keeps a message of a lost connection and sends it on the next one; whoever waits for it is told at once that it did not arrive yet. */
  async #publish(message: UnsMessage): Promise<void> {
    if (this.#setting.schema && message.body !== '') await this.#publishSchema(message.kind)
    let giveBack: (problem: TaktError) => void = () => {}
    const lost = new Promise<never>((_resolve, reject) => {
      giveBack = reject
      this.#lost.add(reject)
    })
    try {
      await Promise.race([publishUns(this.#setting.connection, message, 1), lost])
    } finally {
      this.#lost.delete(giveBack)
    }
  }

  async #publishSchema(kind: Kind): Promise<void> {
    if (this.#schemas.has(kind)) return
    this.#schemas.add(kind)
    const { connection, plant, prefix } = this.#setting
    const topic = [...(prefix === '' ? [] : [prefix]), plant().model.plant, '_schema', kind].join('/')
    this.#note({ topic, kind, body: 'x', retain: true })
    await connection.publish(topic, schemaBody(kind), { qos: 1, retain: true, contentType: 'application/schema+json' })
  }

  #note({ topic, body, retain }: UnsMessage): void {
    if (body === '') this.#retained.delete(topic)
    else if (retain && this.#retained.size < RETAINED_REMEMBERED) this.#retained.add(topic)
  }

  #giveBack(problem: TaktError): void {
    for (const reject of this.#lost) reject(problem)
    this.#lost.clear()
  }
}

/** Throws TAKT_CONFIG_INVALID for a word that is none, and where `guaranteed` has no store. */
export function unsDelivery(value: unknown, hasStore: boolean, where: string): UnsDelivery {
  const delivery = value === undefined || value === null || value === '' ? 'kind' : value
  if (!UNS_DELIVERIES.some((known) => known === delivery))
    throw new TaktError('TAKT_CONFIG_INVALID', { what: `delivery is '${String(value)}' where one of ${UNS_DELIVERIES.join(', ')} is taken`, where })
  if (delivery === 'guaranteed' && !hasStore) throw new TaktError('TAKT_CONFIG_INVALID', { what: 'guaranteed delivery needs a store', where })
  return delivery as UnsDelivery
}
