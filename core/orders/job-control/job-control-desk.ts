import { TaktError, toTaktError } from '../../base/error.ts'
import type { Asked, DeskListener, JobDesk, ListedJob, Outcome, Receiver } from '../../connect/job-control/job-desk.ts'
import type { JobOrderRecord, JobResponseRecord } from '../../connect/job-control/job-record.ts'
import type { ReturnBit } from '../../connect/job-control/return-status.ts'
import type { JobMethod, OrderMethod, ReceiverMethod } from '../../connect/job-control/vocabulary.ts'
import type { WorkOrder } from '../../messages/work-order.ts'
import type { Plant } from '../../plant/plant.ts'
import type { Store, StoreTransaction } from '../../store/store.ts'
import type { Because } from '../change-job-order.ts'
import { inTurn } from '../in-turn.ts'
import { commandOrder, storeOrder, updateOrder } from './control-order.ts'
import { ListedOrders } from './listed-orders.ts'
import { receiversOf } from './receivers.ts'

/** One call and what came of it, for the flow and for people. */
export interface Call {
  readonly receiver: string
  readonly method: ReceiverMethod
  readonly jobOrder: string
  readonly user: string
}

export interface DeskSettings {
  /** job orders that one receiver's list may hold */
  readonly maxJobOrders: number
  readonly where: string
  taken(call: Call, order: WorkOrder): void
  refused(call: Call, problem: TaktError): void
}

const BITS_OF_CODE: Readonly<Record<string, readonly ReturnBit[]>> = {
  TAKT_JOB_ORDER_UNKNOWN: ['UnknownJobOrderId'],
  TAKT_JOB_CONTROL_STATE: ['InvalidJobOrderStatus'],
  TAKT_ORDER_STATE: ['InvalidJobOrderStatus', 'UnitDecides'],
  TAKT_JOB_CONTROL_EXISTS: ['UnableToAcceptJobOrder', 'JobOrderIdInUse'],
  TAKT_ORDER_EXISTS_DIFFERENT: ['UnableToAcceptJobOrder', 'JobOrderIdInUse'],
  TAKT_JOB_CONTROL_FULL: ['UnableToAcceptJobOrder', 'ListIsFull'],
  TAKT_WORK_MASTER_UNKNOWN: ['UnableToAcceptJobOrder'],
  TAKT_EQUIPMENT_UNKNOWN: ['UnableToAcceptJobOrder'],
  TAKT_ORDER_ROUTING: ['UnableToAcceptJobOrder'],
  TAKT_ORDER_QUANTITY: ['UnableToAcceptJobOrder', 'InvalidRequest'],
  TAKT_ORDER_TIME: ['UnableToAcceptJobOrder', 'InvalidRequest'],
  TAKT_JOB_CONTROL_INVALID: ['InvalidRequest'],
}

/**
 * Job orders of an ERP or a line controller as work orders in the store. A call is one transaction: what it answers with `NoError` is committed, anything else has
 * changed nothing. Which answer means what stands in docs/job-control.md.
 */
export class JobControlDesk implements JobDesk {
  readonly receivers: readonly Receiver[]
  readonly #store: Store
  readonly #plant: () => Plant
  readonly #settings: DeskSettings
  readonly #listed = new ListedOrders()
  readonly #listeners = new Set<DeskListener>()
  readonly #turn = inTurn()
  #unsubscribe = (): void => {}

  constructor(store: Store, plant: () => Plant, settings: DeskSettings) {
    this.#store = store
    this.#plant = plant
    this.#settings = settings
    this.receivers = receiversOf(plant())
  }

  /** Reads what is on the lists and follows the store from there. Throws when the store cannot be read. */
  async start(): Promise<void> {
    this.#unsubscribe()
    this.#unsubscribe = this.#store.subscribe((event) => this.#hear(event.after))
    await this.#listed.load(
      this.#store,
      this.receivers.map(({ equipment }) => equipment),
    )
  }

  stop(): void {
    this.#unsubscribe()
    this.#listeners.clear()
  }

  listen(listener: DeskListener): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  list(receiver: string): readonly ListedJob[] {
    return this.#listed.list(receiver)
  }

  response(receiver: string, jobOrder: string): JobResponseRecord | undefined {
    return this.#listed.response(receiver, jobOrder)
  }

  order(receiver: string, method: OrderMethod, record: JobOrderRecord, asked: Asked): Promise<Outcome> {
    const call = { receiver, method, jobOrder: record.id, user: asked.user }
    return this.#take(call, asked, (tx, plant, because) => {
      if (method === 'Update') return updateOrder(tx, plant, receiver, record, because)
      return storeOrder(tx, plant, receiver, record, method === 'StoreAndStart', because)
    })
  }

  command(receiver: string, method: JobMethod, jobOrder: string, asked: Asked): Promise<Outcome> {
    const call = { receiver, method, jobOrder, user: asked.user }
    return this.#take(call, asked, (tx, plant, because) => commandOrder(tx, plant, receiver, jobOrder, method, because))
  }

  /** One call after the other: the room that a list has is known only when those before are through. */
  #take(call: Call, asked: Asked, work: (tx: StoreTransaction, plant: Plant, because: Because) => Promise<WorkOrder>): Promise<Outcome> {
    return this.#turn(async () => {
      const { taken, refused, where } = this.#settings
      try {
        const why = `${call.method} by ${asked.user}${asked.comment === undefined ? '' : `: ${asked.comment.slice(0, 500)}`}`
        const plant = this.#plant()
        if (this.#isFull(call))
          throw new TaktError('TAKT_JOB_CONTROL_FULL', { what: `${call.receiver} holds ${this.#settings.maxJobOrders} job orders`, where })
        const order = await this.#store.transaction((tx) => work(tx, plant, { actor: `opcua:${asked.user}`, why }))
        this.#hear(order)
        taken(call, order)
        return { bits: ['NoError'] }
      } catch (thrown) {
        const problem = toTaktError(thrown, where)
        refused(call, problem)
        return { bits: bitsOf(problem), why: problem.what }
      }
    })
  }

  #isFull({ method, receiver, jobOrder }: Call): boolean {
    const adds = method === 'Store' || method === 'StoreAndStart'
    return adds && this.#listed.size(receiver) >= this.#settings.maxJobOrders && !this.#listed.has(receiver, jobOrder)
  }

  #hear(after: unknown): void {
    const change = this.#listed.apply({ after })
    if (change === undefined) return
    for (const listener of this.#listeners) {
      if (change.moved) listener.changed(change.receiver, change.job, this.#listed.response(change.receiver, change.job.record.id))
      listener.listChanged(change.receiver)
    }
  }
}

/** What is nobody's fault but ours may be tried again. */
function bitsOf({ code }: TaktError): readonly ReturnBit[] {
  return BITS_OF_CODE[code] ?? ['UnableToAcceptJobOrder', 'TryAgainLater']
}
