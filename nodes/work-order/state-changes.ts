import type { Node } from 'node-red'
import type { TaktError } from '../../core/base/error.ts'
import type { JobOrder } from '../../core/messages/job-order.ts'
import type { JobResponse } from '../../core/messages/job-response.ts'
import type { OrderTemplate } from '../../core/messages/order-template.ts'
import type { WorkOrder } from '../../core/messages/work-order.ts'
import type { LedgerEvent, Store } from '../../core/store/store.ts'
import { type Message, showError } from '../shared/define-node.ts'
import { withoutHttp } from './http-status.ts'

const STATUS_MS = 500

/** Sends every change of orders, whoever made it, and shows how many are open. The change that a message asked for carries that message's properties. */
export class StateChanges {
  readonly #node: Node
  readonly #store: Store
  readonly #unsubscribe: () => void
  readonly #replies = new Map<number, Message>()
  #waiting: LedgerEvent[] = []
  #status: NodeJS.Timeout | undefined
  #problem: TaktError | undefined

  constructor(node: Node, store: Store) {
    this.#node = node
    this.#store = store
    this.#unsubscribe = store.subscribe((event) => {
      if (!/^(work-order|job-order|job-response)\./.test(event.type)) return
      // by the next turn whoever asked for the change has said so
      if (this.#waiting.push(event) === 1) setImmediate(() => this.#flush())
    })
    this.#showSoon()
  }

  /** These documents are what a message asked for. One that did not change is sent too: who asked is waiting for it. */
  reply(documents: readonly (WorkOrder | JobOrder | OrderTemplate)[], message: Message): void {
    for (const [index, document] of documents.entries()) {
      const answer = index === 0 ? message : withoutHttp(message)
      const sequence = document.ledger ?? 0
      if (this.#waiting.some((event) => event.sequence === sequence)) this.#replies.set(sequence, answer)
      else this.#node.send({ ...answer, topic: topicOf(document), payload: structuredClone(document) })
    }
  }

  problem(problem: TaktError | undefined): void {
    this.#problem = problem
    this.#showSoon()
  }

  stop(): void {
    this.#unsubscribe()
    clearTimeout(this.#status)
    this.#status = undefined
    this.#waiting = []
  }

  #flush(): void {
    const events = this.#waiting
    this.#waiting = []
    for (const { sequence, type, subject, actor, why, time, after } of events) {
      const document = after as WorkOrder | JobOrder | JobResponse
      // its own copy: a flow may change what it gets
      const payload = structuredClone(document)
      this.#node.send({ ...this.#replies.get(sequence), topic: topicOf(document), payload, event: { sequence, type, subject, actor, why, time } } as never)
    }
    this.#replies.clear()
    this.#showSoon()
  }

  #showSoon(): void {
    this.#status ??= setTimeout(() => {
      this.#status = undefined
      this.#show().catch(() => {})
    }, STATUS_MS)
  }

  async #show(): Promise<void> {
    if (this.#problem !== undefined) return showError(this.#node, this.#problem)
    const rows = await this.#store.db
      .selectFrom('work_order')
      .select(({ fn }) => ['state', fn.countAll<number>().as('orders')])
      .where('state', 'in', ['Planned', 'Released', 'Running', 'Held'])
      .groupBy('state')
      .execute()
    const of = (state: string): number => Number(rows.find((row) => row.state === state)?.orders ?? 0)
    const open = rows.reduce((sum, row) => sum + Number(row.orders), 0)
    const held = of('Held') > 0 ? `, ${of('Held')} held` : ''
    const running = of('Running')
    this.#node.status({ fill: running > 0 ? 'green' : 'grey', shape: open > 0 ? 'dot' : 'ring', text: `${open} open, ${running} running${held}` })
  }
}

function topicOf(document: WorkOrder | JobOrder | JobResponse | OrderTemplate): string {
  if (document.kind === 'order-template') return `orders/templates/${document.name}`
  if (document.kind === 'work-order') return `orders/${document.id}`
  return document.kind === 'job-order' ? `jobs/${document.id}` : `jobs/${document.jobOrder}/response`
}
