import type { Node, NodeAPI, NodeDef } from 'node-red'
import { TaktError } from '../../core/base/error.ts'
import { EventFollower, typeFilter } from '../../core/store/follow-events.ts'
import type { LedgerEvent, Store } from '../../core/store/store.ts'
import { defineNode, nameOf } from '../shared/define-node.ts'
import { whenFlowsStarted } from '../shared/flows-started.ts'
import { requireConfigNode } from '../shared/lookup.ts'
import type { StoreNode } from '../store/store.ts'

export interface EventConfig extends NodeDef {
  store: string
  /** Patterns of event types, comma-separated, `work-order.*, anomaly.raised`; empty: all */
  types: string
  /** Where to begin: `now`, `beginning` (the whole ledger at each start), `last` (after the last event seen, also through restarts) */
  from: 'now' | 'beginning' | 'last'
}

/** How often at most the place in the ledger is saved and the status shown, real time. */
const SAVE_MS = 1000
const STATUS_MS = 500
const SEEN = 'seen'

export default function registerEvent(RED: NodeAPI): void {
  defineNode<EventConfig, Node>(RED, {
    type: 'takt-event',
    create(node, config) {
      const where = nameOf(node)
      const storeNode = requireConfigNode<StoreNode>(RED, node, config.store, 'store')
      const accepts = typeFilter(config.types ?? '')
      if (accepts === undefined) throw new TaktError('TAKT_CONFIG_INVALID', { what: `'${config.types}' is not a list of event types`, where })
      if (!['now', 'beginning', 'last'].includes(config.from)) {
        throw new TaktError('TAKT_CONFIG_INVALID', { what: `'${config.from}' is not now, beginning or last`, where })
      }

      const status = new EventStatus(node)
      const place = config.from === 'last' ? new Place(storeNode.store, node) : undefined
      const follow = (after: number | undefined): EventFollower =>
        new EventFollower(storeNode.store, after, {
          deliver(event) {
            place?.moved(event.sequence)
            if (!accepts(event.type)) return
            node.send(messageOf(event) as never)
            status.seen(event)
          },
          problem: (problem) => status.problem(problem),
        })

      let follower = config.from === 'last' ? undefined : follow(config.from === 'now' ? undefined : 0)
      let closed = false
      const forget = whenFlowsStarted(RED, async () => {
        if (place !== undefined) {
          const after = await place.load()
          if (closed) return
          follower = follow(after)
        }
        await follower?.start()
      })
      const stopWatching = storeNode.onProblem((problem) => status.problem(problem))

      return {
        async close() {
          closed = true
          forget()
          stopWatching()
          follower?.stop()
          status.stop()
          await place?.close()
        },
      }
    },
  })
}

/** Its own copy of the document for each message: a flow may change what it gets. */
function messageOf({ sequence, type, subject, actor, why, time, after }: LedgerEvent): Record<string, unknown> {
  return { topic: type, payload: structuredClone(after), event: { sequence, type, subject, actor, why, time } }
}

/** How far this node has come in the ledger, kept in the store. After a crash the events of the last second come again. */
class Place {
  readonly #store: Store
  readonly #node: Node
  #sequence = 0
  #saved = 0
  #timer: NodeJS.Timeout | undefined

  constructor(store: Store, node: Node) {
    this.#store = store
    this.#node = node
  }

  /** A node that is new begins with what happens from now on. Waits for a store that is away. */
  async load(): Promise<number> {
    for (;;) {
      try {
        const state = (await this.#store.loadState(this.#node.id, SEEN)) as { sequence: number } | undefined
        this.#sequence = state?.sequence ?? (await this.#store.head()).sequence
        if (state === undefined) await this.#save()
        else this.#saved = state.sequence
        return this.#sequence
      } catch (thrown) {
        if (thrown instanceof TaktError && thrown.code === 'TAKT_STORE_CLOSED') return this.#sequence
        await new Promise((later) => setTimeout(later, SAVE_MS).unref())
      }
    }
  }

  moved(sequence: number): void {
    this.#sequence = sequence
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#save().catch((thrown: unknown) => this.#node.warn(`${nameOf(this.#node)}: its place was not saved: ${String(thrown)}`))
    }, SAVE_MS)
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer)
    if (this.#sequence !== this.#saved) await this.#save()
  }

  async #save(): Promise<void> {
    const sequence = this.#sequence
    await this.#store.saveState(this.#node.id, SEEN, { sequence })
    this.#saved = sequence
  }
}

/** The last event, shown at most twice a second; what is wrong with the store, at once. */
class EventStatus {
  readonly #node: Node
  #last: LedgerEvent | undefined
  #problem: TaktError | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(node: Node) {
    this.#node = node
  }

  seen(event: LedgerEvent): void {
    this.#last = event
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#show()
    }, STATUS_MS)
  }

  problem(problem: TaktError | undefined): void {
    this.#problem = problem
    this.#show()
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  #show(): void {
    if (this.#problem !== undefined) this.#node.status({ fill: 'red', shape: 'ring', text: this.#problem.what.slice(0, 60) })
    else if (this.#last === undefined) this.#node.status({ fill: 'grey', shape: 'ring', text: 'waiting for events' })
    else this.#node.status({ fill: 'green', shape: 'dot', text: `${this.#last.type} ${this.#last.subject}`.slice(0, 60) })
  }
}
