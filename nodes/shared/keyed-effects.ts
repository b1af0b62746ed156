import type { Node } from 'node-red'
import { type TaktError, toTaktError } from '../../core/base/error.ts'
import type { InboxMark } from '../../core/connect/intake.ts'
import { inboxOf } from '../../core/store/inbox.ts'
import type { Store, StoreTransaction } from '../../core/store/store.ts'
import { type Message, nameOf } from './define-node.ts'

const FIRST_PAUSE_MS = 1000
const LONGEST_PAUSE_MS = 30_000
/** Effects that are tried again side by side; more wait in the inbox for the next start. */
const RETRIES_AT_MOST = 10_000

/** The row of the inbox that a message came from; undefined for one whose delivery is fast, or that a flow made itself. */
export function inboxMarkOf({ takt, parts }: Message): (InboxMark & { readonly key: string }) | undefined {
  if (typeof takt !== 'object' || takt === null) return undefined
  const { inbox, index, replayed } = takt as Partial<InboxMark>
  if (!Number.isSafeInteger(inbox) || !Number.isSafeInteger(index)) return undefined
  // a split node makes several messages of one, each with an effect of its own
  const part = (parts as { index?: unknown } | undefined)?.index
  const place = Number.isSafeInteger(part) ? `${index}.${part}` : String(index)
  return { inbox: inbox as number, index: index as number, ...(replayed === true && { replayed }), key: `inbox:${inbox}/${place}` }
}

/**
 * What a node records because of messages: each effect once, however often its message comes. The effect and its key are one transaction; the row of the inbox is
 * held until it is committed. An effect that the store refuses is tried again here, and after a restart by the replay.
 */
export class KeyedEffects {
  readonly #node: Node
  readonly #store: Store
  readonly #retries = new Set<NodeJS.Timeout>()
  #stopped = false

  constructor(node: Node, store: Store) {
    this.#node = node
    this.#store = store
  }

  /** Effects that the store refused and that are tried again. */
  get waiting(): number {
    return this.#retries.size
  }

  /** For a node that keeps what failed itself: the row is not settled until the returned function is called. */
  hold(message: Message): () => void {
    const mark = inboxMarkOf(message)
    return mark === undefined ? () => {} : inboxOf(this.#store).hold(mark.inbox)
  }

  /**
   * Runs `work` in a transaction and gives its result to `then` after the commit. `fresh` is false when this message had its effect before: change nothing then,
   * only say what there is. `part` tells several effects of one message apart. Rejects when the store refuses at first; for a guaranteed message `then` is called
   * later nevertheless, when it does not any more.
   */
  record<T>(message: Message, work: (tx: StoreTransaction, fresh: boolean) => Promise<T>, then: (result: T) => void, part = ''): Promise<void> {
    const once = this.onceFor(message)
    return this.attempt(message, async () => {
      const result = await this.#store.transaction(async (tx) => work(tx, once === undefined || (await once(tx, part))))
      then(result)
    })
  }

  /** The key of a message's effect, to be taken in the transaction of the effect; undefined where delivery is fast. */
  onceFor(message: Message): ((tx: StoreTransaction, part: string) => Promise<boolean>) | undefined {
    const mark = inboxMarkOf(message)
    if (mark === undefined) return undefined
    const key = `${mark.key}/${this.#node.id}`
    return (tx, part) => tx.once(part === '' ? key : `${key}/${part}`, mark.inbox)
  }

  /** Does what follows from a message, and holds its row until it is done. Rejects when the store refuses at first; a guaranteed message is then tried again. */
  async attempt(message: Message, effect: () => Promise<void>): Promise<void> {
    const mark = inboxMarkOf(message)
    if (mark === undefined) return effect()
    const release = inboxOf(this.#store).hold(mark.inbox)
    try {
      await effect()
      release()
    } catch (thrown) {
      const problem = toTaktError(thrown, nameOf(this.#node))
      if (isStoreTrouble(problem)) this.#later(effect, release, FIRST_PAUSE_MS)
      else release()
      throw problem
    }
  }

  /** What is not recorded by now keeps its row, and comes with the next replay. */
  stop(): void {
    this.#stopped = true
    for (const timer of this.#retries) clearTimeout(timer)
    this.#retries.clear()
  }

  #later(effect: () => Promise<void>, release: () => void, pauseMs: number): void {
    if (this.#stopped || this.#retries.size >= RETRIES_AT_MOST) return
    const timer = setTimeout(async () => {
      try {
        await effect()
        release()
      } catch (thrown) {
        const problem = toTaktError(thrown, nameOf(this.#node))
        if (isStoreTrouble(problem)) return this.#later(effect, release, Math.min(2 * pauseMs, LONGEST_PAUSE_MS))
        release()
        this.#node.error(problem)
      } finally {
        this.#retries.delete(timer)
      }
    }, pauseMs).unref()
    this.#retries.add(timer)
  }
}

/** Trouble that passes, as against a message that nothing can be made of. */
function isStoreTrouble({ code }: TaktError): boolean {
  return (
    (code.startsWith('TAKT_STORE_') && code !== 'TAKT_STORE_VALUE' && code !== 'TAKT_STORE_CONFLICT' && code !== 'TAKT_STORE_DISK_BUDGET') ||
    code === 'TAKT_INTERNAL'
  )
}
