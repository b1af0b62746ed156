import { TaktError, toTaktError } from '../base/error.ts'
import type { ErrorCode } from '../base/error-codes.ts'
import type { Accepted, Arrival, Inbox } from '../store/inbox.ts'

/** What a guaranteed message carries as `msg.takt`: its row of the inbox and its place among the messages of that row. */
export interface InboxMark {
  readonly inbox: number
  readonly index: number
  /** It was sent before, perhaps by another process. */
  readonly replayed?: true
}

export interface IntakeMessage {
  readonly topic: string
  readonly payload: Arrival['messages'][number]['payload']
  /** Absent where delivery is fast. */
  readonly takt?: InboxMark
}

export interface IntakeSetting {
  /** Without one everything is sent at once and nothing is kept. */
  readonly inbox: Inbox | undefined
  /** Stable across restarts: connection and node. */
  readonly source: string
  /** Sends into the flow, in order. */
  send(messages: readonly IntakeMessage[]): void
  /** The store refused an arrival that it can never take, or a sender contradicted itself; the arrival is acknowledged all the same. */
  refused?(problem: TaktError, arrival: Arrival): void
  /** The store does not answer, or does again. */
  problem?(problem: TaktError | undefined): void
  /** Real ms for which a store that fails is tried again before an arrival is given back. Default 3,000. */
  readonly patienceMs?: number
}

/** What a sensor shows of its intake. */
export interface IntakeFigures {
  /** arrivals not durable yet */
  readonly waiting: number
  /** real ms that the oldest of them has waited */
  readonly oldestMs: number
  /** messages sent again since the start */
  readonly replayed: number
  /** repetitions that were recognised */
  readonly known: number
}

interface Waiting {
  readonly arrival: Arrival
  readonly since: number
  /** Set once durable: one before it may have failed, and the round is then tried again. */
  accepted?: Accepted
  readonly resolve: () => void
  readonly reject: (error: TaktError) => void
}

const PATIENCE_MS = 3000
const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 5000
/** Arrivals in one round; more wait for the next. */
const ROUND = 2000
const REPLAY_PAGE = 200
/** Rows that recording nodes may be behind before the next are sent: what records shall not be buried. */
const HELD_AT_MOST = 2000
/** For those that stay behind, as on a full disk, nothing is held up for longer. */
const WAIT_FOR_HELD_MS = 5000
const LOOK_EVERY_MS = 5
/** Nothing is gained by trying these again. */
const NEVER: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['TAKT_STORE_VALUE'])
const HOPELESS: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['TAKT_STORE_CLOSED', 'TAKT_STORE_NEWER', 'TAKT_STORE_MIGRATION'])

/**
 * The common half of guaranteed sensors: takes what arrived, makes it durable, sends it into the flow in order, and says when it may be acknowledged.
 * What an earlier process left unsettled is sent again before anything new.
 */
export class Intake {
  readonly #setting: IntakeSetting
  readonly #patienceMs: number
  #queue: Waiting[] = []
  /** the round under way */
  #round: readonly Waiting[] = []
  /** how many of the round are dealt with */
  #dealtWith = 0
  #pumping: Promise<void> | undefined
  #replaying: Promise<void> | undefined
  #stopped = false
  #failing = false
  #wake: (() => void) | undefined
  #replayed = 0
  #known = 0

  constructor(setting: IntakeSetting) {
    this.#setting = setting
    this.#patienceMs = setting.patienceMs ?? PATIENCE_MS
  }

  /**
   * Sends what is not settled again, in pages, so that the flow can breathe. Call it before live traffic goes on; what arrives meanwhile waits.
   * While the store cannot be read it is tried again, until `stop`. Never rejects.
   */
  async replay(): Promise<void> {
    let pauseMs = FIRST_PAUSE_MS
    while (!this.#stopped) {
      try {
        return await this.#whenReplayed()
      } catch (thrown) {
        this.#tell(toTaktError(thrown, this.#setting.source))
        await this.#pause(pauseMs)
        pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)
      }
    }
  }

  /**
   * Resolves when the arrival may be acknowledged: it is durable and was sent into the flow, or it need not be. Rejects with a TAKT_STORE_… error when the
   * store goes on failing: then acknowledge nothing, drop the connection and come back later.
   */
  take(arrival: Omit<Arrival, 'source'>): Promise<void> {
    const { inbox, source } = this.#setting
    if (inbox === undefined) {
      this.#setting.send(arrival.messages)
      return Promise.resolve()
    }
    return new Promise((resolve, reject) => {
      if (this.#stopped) return reject(stoppedError(source))
      this.#queue.push({ arrival: { ...arrival, source }, since: performance.now(), resolve, reject })
      this.#pumping ??= this.#pump(inbox)
    })
  }

  get figures(): IntakeFigures {
    const oldest = this.#round[this.#dealtWith] ?? this.#queue[0]
    return {
      waiting: this.#round.length - this.#dealtWith + this.#queue.length,
      oldestMs: oldest === undefined ? 0 : Math.round(performance.now() - oldest.since),
      replayed: this.#replayed,
      known: this.#known,
    }
  }

  /** Gives back what waits, finishes the commit under way and sends nothing any more. What was committed comes again with the next replay. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#wake?.()
    for (const { reject } of this.#queue.splice(0)) reject(stoppedError(this.#setting.source))
    await Promise.allSettled([this.#pumping, this.#replaying])
    this.#setting.inbox?.leave(this.#setting.source)
  }

  async #pump(inbox: Inbox): Promise<void> {
    // arrivals of the same turn get into the same round
    await Promise.resolve()
    while (this.#queue.length > 0) {
      this.#round = this.#queue.splice(0, ROUND)
      this.#dealtWith = 0
      await this.#whenWorked(inbox)
      await this.#accept(inbox, this.#round)
    }
    this.#round = []
    this.#dealtWith = 0
    this.#pumping = undefined
  }

  /** Never rejects: each arrival is told its own outcome. All that follow wait, so nothing overtakes what is tried again. */
  async #accept(inbox: Inbox, round: readonly Waiting[]): Promise<void> {
    let left = round
    let pauseMs = FIRST_PAUSE_MS
    const givenUpAt = performance.now() + this.#patienceMs
    for (;;) {
      const problem = await this.#attempt(inbox, left).catch((thrown: unknown) => ({ error: toTaktError(thrown, this.#setting.source), left }))
      if (problem === undefined) return this.#tell(undefined)
      left = problem.left
      this.#tell(problem.error)
      if (this.#stopped || HOPELESS.has(problem.error.code) || performance.now() + pauseMs > givenUpAt) {
        for (const { reject } of left) reject(problem.error)
        return
      }
      await this.#pause(pauseMs)
      pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)
    }
  }

  /** Accepts and sends in order, up to the first that failed; gives back that and all after it. */
  async #attempt(inbox: Inbox, round: readonly Waiting[]): Promise<{ error: TaktError; left: readonly Waiting[] } | undefined> {
    await this.#whenReplayed()
    const outcomes = await Promise.allSettled(round.map((waiting) => acceptOnce(inbox, waiting)))
    for (const [at, outcome] of outcomes.entries()) {
      const waiting = round[at] as Waiting
      if (outcome.status === 'fulfilled') {
        this.#passOn(waiting.arrival, outcome.value)
        this.#dealtWith++
        acknowledge(waiting)
        continue
      }
      const error = toTaktError(outcome.reason, this.#setting.source)
      if (!NEVER.has(error.code)) return { error, left: round.slice(at) }
      this.#setting.refused?.(error, waiting.arrival)
      this.#dealtWith++
      acknowledge(waiting)
    }
    return undefined
  }

  #passOn(arrival: Arrival, { verdict, id }: Accepted): void {
    if (verdict === 'new') return this.#send(id, arrival.messages)
    this.#known++
    if (verdict === 'contradicts') {
      const { key, source } = arrival
      this.#setting.refused?.(new TaktError('TAKT_INBOX_CONTRADICTION', { where: `${source}, session ${key?.session}, number ${key?.sequence}` }), arrival)
    }
  }

  #send(id: number, messages: Arrival['messages'], replayed?: true): void {
    if (this.#stopped) return
    this.#setting.send(messages.map(({ topic, payload }, index) => ({ topic, payload, takt: { inbox: id, index, ...(replayed && { replayed }) } })))
  }

  #whenReplayed(): Promise<void> {
    this.#replaying ??= this.#replayAll().catch((error: unknown) => {
      this.#replaying = undefined
      throw error
    })
    return this.#replaying
  }

  #cursor = 0

  async #replayAll(): Promise<void> {
    const { inbox, source } = this.#setting
    if (inbox === undefined) return
    while (!this.#stopped) {
      const page = await inbox.unsettled(source, this.#cursor, REPLAY_PAGE)
      for (const { id, messages } of page) {
        this.#send(id, messages, true)
        this.#cursor = id
        this.#replayed += messages.length
      }
      if (page.length < REPLAY_PAGE) return this.#tell(undefined)
      await new Promise((resolve) => setImmediate(resolve))
      await this.#whenWorked(inbox)
    }
  }

  async #whenWorked(inbox: Inbox): Promise<void> {
    const until = performance.now() + WAIT_FOR_HELD_MS
    while (inbox.held > HELD_AT_MOST && !this.#stopped && performance.now() < until) await this.#pause(LOOK_EVERY_MS)
  }

  #tell(problem: TaktError | undefined): void {
    if (problem === undefined && !this.#failing) return
    this.#failing = problem !== undefined
    this.#setting.problem?.(problem)
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}

/** What is durable is not written again when the round is tried again: the inbox would take it for a second message, or for one that was sent before. */
async function acceptOnce(inbox: Inbox, waiting: Waiting): Promise<Accepted> {
  waiting.accepted ??= await inbox.accept(waiting.arrival)
  return waiting.accepted
}

/** The sender may forget it now. */
function acknowledge({ resolve }: Waiting): void {
  resolve()
}

function stoppedError(source: string): TaktError {
  return new TaktError('TAKT_STORE_CLOSED', { what: 'the sensor is being closed', where: source })
}
