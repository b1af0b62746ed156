import type {
  ClientSession,
  CreateMonitoredItemsRequestOptions,
  CreateMonitoredItemsResponse,
  CreateSubscriptionRequestOptions,
  CreateSubscriptionResponse,
  DeleteSubscriptionsRequestOptions,
  MonitoredItemCreateRequestOptions,
  MonitoredItemCreateResult,
  NotificationMessage,
  RepublishRequest,
  RepublishResponse,
  TransferSubscriptionsRequestOptions,
  TransferSubscriptionsResponse,
} from 'node-opcua'
import type { Opcua } from './load-opcua.ts'
import { NotificationOrder } from './notification-order.ts'

export interface SubscriptionSetting {
  readonly publishingMs: number
  /** The server must speak at least this often, changed values or none. */
  readonly keepAliveMs: number
  /** How long the server keeps the subscription, and what it collects, for a client that is away. */
  readonly lifetimeMs: number
}

/** What a later process needs to take the subscription over. */
export interface SubscriptionState {
  readonly id: number
  readonly publishingMs: number
  readonly keepAliveCount: number
  /** Signals that the server does not give, and why; by topic. */
  readonly refused?: Readonly<Record<string, string>>
  /** 1 for items that the server cuts to one element, in the order of their handles. */
  readonly cut?: readonly number[]
  /** This server lets no session take over what another began. */
  readonly transferRefused?: boolean
}

export interface SubscriptionHooks {
  /** In their order. The server keeps a message until it is acknowledged; `repeated` where a process before this one may have taken it already. */
  take(message: NotificationMessage, repeated: boolean): void
  /** So many messages before this one will never come. */
  lost(count: number, before: NotificationMessage): void
  /** The server spoke, changed values or none. */
  heard(): void
  /** The server no longer has it. */
  gone(why: string): void
}

const ITEMS_PER_CALL = 200

/**
 * A subscription on the server, above the client's publish engine. The client's own class acknowledges a message before anyone has seen it, and cannot
 * take over a subscription that another process began (TransferSubscriptions, OPC 10000-4, 5.14.7); this one does both as delivery needs it.
 */
export class OpcuaSubscription {
  readonly state: SubscriptionState
  readonly #session: ClientSession
  readonly #opcua: Opcua
  readonly #hooks: SubscriptionHooks
  readonly #order: NotificationOrder<NotificationMessage>
  readonly #engine: PublishEngine
  readonly #repeated = new Set<number>()
  #member: Member | undefined

  private constructor(session: ClientSession, opcua: Opcua, state: SubscriptionState, hooks: SubscriptionHooks) {
    this.#session = session
    this.#opcua = opcua
    this.state = state
    this.#hooks = hooks
    this.#engine = engineOf(session)
    this.#order = new NotificationOrder<NotificationMessage>({
      take: (message) => hooks.take(message, this.#repeated.delete(message.sequenceNumber)),
      repeat: (sequenceNumber) => this.#repeat(sequenceNumber),
      lost: (count, before) => hooks.lost(count, before),
    })
  }

  /** A new one. Rejects with the server's refusal. */
  static async create(session: ClientSession, opcua: Opcua, setting: SubscriptionSetting, hooks: SubscriptionHooks): Promise<OpcuaSubscription> {
    const { publishingMs, keepAliveMs, lifetimeMs } = setting
    const keepAliveCount = Math.max(3, Math.ceil(keepAliveMs / publishingMs))
    const made = await servicesOf(session).createSubscription({
      requestedPublishingInterval: publishingMs,
      requestedMaxKeepAliveCount: keepAliveCount,
      requestedLifetimeCount: Math.max(3 * keepAliveCount, Math.ceil(lifetimeMs / publishingMs)),
      maxNotificationsPerPublish: 0,
      publishingEnabled: true,
      priority: 1,
    })
    const state = { id: made.subscriptionId, publishingMs: made.revisedPublishingInterval, keepAliveCount: made.revisedMaxKeepAliveCount }
    const subscription = new OpcuaSubscription(session, opcua, state, hooks)
    subscription.#join()
    return subscription
  }

  /**
   * Takes over one that an earlier session left on the server, without its present values: what it kept since `sequenceNumber`, the last message that
   * was dealt with, comes first. Rejects where the server no longer has it, or does not let this user have it.
   */
  static async adopt(
    session: ClientSession,
    opcua: Opcua,
    state: SubscriptionState,
    sequenceNumber: number,
    hooks: SubscriptionHooks,
  ): Promise<OpcuaSubscription> {
    const { results } = await servicesOf(session).transferSubscriptions({ subscriptionIds: [state.id], sendInitialValues: false })
    const result = results?.[0]
    // the session has it already: its owner left it and comes back
    const own = result?.statusCode.equals(opcua.StatusCodes.BadNothingToDo) === true
    if (result === undefined || (result.statusCode.isNotGood() && !own)) throw new Error(result?.statusCode.name ?? 'no answer')
    const subscription = new OpcuaSubscription(session, opcua, state, hooks)
    subscription.#order.restart(sequenceNumber === 0xffffffff ? 1 : sequenceNumber + 1)
    // what comes from now on waits in the order for what came before
    subscription.#join()
    if (own) await subscription.#receiveNext(sequenceNumber)
    else await subscription.#receiveKept([...(result.availableSequenceNumbers ?? [])], sequenceNumber)
    return subscription
  }

  /** Asks for values; one result for each item, in their order. */
  async monitor(items: readonly MonitoredItemCreateRequestOptions[]): Promise<readonly MonitoredItemCreateResult[]> {
    const results: MonitoredItemCreateResult[] = []
    for (let from = 0; from < items.length; from += ITEMS_PER_CALL) {
      const made = await servicesOf(this.#session).createMonitoredItems({
        subscriptionId: this.state.id,
        timestampsToReturn: this.#opcua.TimestampsToReturn.Both,
        itemsToCreate: items.slice(from, from + ITEMS_PER_CALL) as MonitoredItemCreateRequestOptions[],
      })
      results.push(...(made.results ?? []))
    }
    return results
  }

  /** The server may forget this message. */
  acknowledge(sequenceNumber: number): void {
    this.#engine.acknowledge_notification(this.state.id, sequenceNumber, true)
  }

  /** Asks for no more messages until `resume`: the server collects them. Only where no other subscription of the session is active. */
  pause(): void {
    if (this.#engine.subscriptionCount <= 1) this.#engine.suspend(true)
  }

  resume(): void {
    if (servicesOf(this.#session).isChannelValid()) this.#engine.suspend(false)
  }

  /** Leaves it on the server, for whoever takes it over. */
  leave(): void {
    this.#order.restart()
    const member = this.#member
    this.#member = undefined
    if (member === undefined) return
    // what is under way for it stays unacknowledged, for whoever takes it over
    if (this.#engine.subscriptionMap[this.state.id] === member) this.#engine.unregisterSubscription(this.state.id)
  }

  /** Ends it on the server. Never rejects: a server that does not listen ends it by itself. */
  async delete(): Promise<void> {
    this.leave()
    this.#engine.held?.delete(this.state.id)
    await servicesOf(this.#session)
      .deleteSubscriptions({ subscriptionIds: [this.state.id] })
      .catch(() => {})
  }

  #join(): void {
    const { id, publishingMs, keepAliveCount } = this.state
    const order = this.#order
    const session = this.#session
    const gone = (why: string): void => {
      if (this.#member !== member) return
      this.leave()
      this.#hooks.gone(why)
    }
    const member: Member = {
      subscriptionId: id,
      timeoutHint: Math.min((keepAliveCount + 10) * publishingMs * 2, 0x7ffff),
      session,
      hasSession: true,
      get lastSequenceNumber() {
        return order.last
      },
      // asked for by the client when the server has lost the subscription and all is to be made anew, which is done here
      get monitoredItems(): never {
        setImmediate(() => gone('the server no longer has it'))
        throw new Error('made anew by its owner')
      },
      onNotificationMessage: (message) => {
        if (this.#member !== member) return
        this.#hooks.heard()
        const ended = this.#endOf(message)
        if (ended !== undefined) gone(ended)
        else if ((message.notificationData ?? []).length > 0) order.receive(message)
      },
    }
    this.#member = member
    this.#engine.held?.add(id)
    this.#engine.registerSubscription(member)
  }

  #endOf({ notificationData }: NotificationMessage): string | undefined {
    for (const data of notificationData ?? []) {
      if (!(data instanceof this.#opcua.StatusChangeNotification)) continue
      if (data.status.isNotGood()) return `the server ended it: ${data.status.name}`
    }
    return undefined
  }

  /** What the server kept unacknowledged, oldest first; what was dealt with before is acknowledged at last. */
  async #receiveKept(available: number[], sequenceNumber: number): Promise<void> {
    // after the largest number they begin again at 1
    const distance = (number: number): number => (number - sequenceNumber + 0xffffffff) % 0xffffffff
    available.sort((a, b) => distance(a) - distance(b))
    for (const number of available) {
      if (distance(number) === 0 || distance(number) > 0x7fffffff) {
        this.acknowledge(number)
        continue
      }
      const message = await this.#repeat(number)
      if (message === undefined) continue
      this.#repeated.add(number)
      this.#order.receive(message)
    }
  }

  /** The same where the server does not say which it kept. */
  async #receiveNext(sequenceNumber: number): Promise<void> {
    for (let number = sequenceNumber; ; ) {
      number = number === 0xffffffff ? 1 : number + 1
      const message = await this.#repeat(number)
      if (message === undefined) return
      this.#repeated.add(number)
      this.#order.receive(message)
    }
  }

  #repeat(retransmitSequenceNumber: number): Promise<NotificationMessage | undefined> {
    const { RepublishRequest } = this.#opcua
    return new Promise((resolve) => {
      servicesOf(this.#session).republish(new RepublishRequest({ subscriptionId: this.state.id, retransmitSequenceNumber }), (error, response) =>
        resolve(!error && response?.responseHeader.serviceResult.isGood() ? response.notificationMessage : undefined),
      )
    })
  }
}

/** Services that the session has and its published type does not list. */
interface Services {
  createSubscription(options: CreateSubscriptionRequestOptions): Promise<CreateSubscriptionResponse>
  transferSubscriptions(options: TransferSubscriptionsRequestOptions): Promise<TransferSubscriptionsResponse>
  deleteSubscriptions(options: DeleteSubscriptionsRequestOptions): Promise<unknown>
  createMonitoredItems(options: CreateMonitoredItemsRequestOptions): Promise<CreateMonitoredItemsResponse>
  republish(request: RepublishRequest, callback: (error: Error | null, response?: RepublishResponse) => void): void
  isChannelValid(): boolean
}

function servicesOf(session: ClientSession): Services {
  return session as unknown as Services
}

/** What the client's publish engine and its reconnection ask of a subscription. */
interface Member {
  readonly subscriptionId: number
  readonly timeoutHint: number
  readonly session: ClientSession
  readonly hasSession: boolean
  readonly lastSequenceNumber: number
  readonly monitoredItems: never
  onNotificationMessage(message: NotificationMessage): void
}

interface PublishEngine {
  readonly subscriptionMap: Readonly<Record<number, unknown>>
  readonly subscriptionCount: number
  /** Subscriptions that acknowledge by themselves. */
  held?: Set<number>
  registerSubscription(member: Member): void
  unregisterSubscription(id: number): void
  suspend(suspended: boolean): void
  acknowledge_notification(id: number, sequenceNumber: number, dealtWith?: boolean): void
}

/** The session's publish engine, taught to leave the acknowledgement to those who want to give it themselves. */
function engineOf(session: ClientSession): PublishEngine {
  const engine = (session as unknown as { getPublishEngine(): PublishEngine }).getPublishEngine()
  if (engine.held === undefined) {
    const held = new Set<number>()
    const acknowledge = engine.acknowledge_notification.bind(engine)
    engine.held = held
    engine.acknowledge_notification = (id, sequenceNumber, dealtWith = false) => {
      if (dealtWith || !held.has(id)) acknowledge(id, sequenceNumber)
    }
  }
  return engine
}
