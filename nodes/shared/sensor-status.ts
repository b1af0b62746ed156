import type { Node, NodeStatus } from 'node-red'
import type { TaktError } from '../../core/base/error.ts'
import type { LinkState } from '../../core/connect/shared-link.ts'

const REFRESH_MS = 1000
const BAD_SHOWN_MS = 10_000
const LONGEST_TEXT = 60

export interface SensorFigures {
  /** Samples sent since the start. */
  readonly samples: number
  readonly bad: number
  /** Messages taken and not durable yet, and the real ms for which the oldest of them has waited. */
  readonly waiting?: number
  readonly oldestMs?: number
  /** What a person should know although all works: `fast, no store`. */
  readonly note?: string | undefined
}

/**
 * The true state of a sensor, at most once a second: green only while values come. `quietMs` is how long (real ms) none may come
 * before it is no longer green; where the server itself proves that nothing changed, the sensor calls `alive`.
 */
export class SensorStatus {
  readonly #node: Node
  readonly #figures: () => SensorFigures
  readonly #quietMs: () => number
  readonly #timer: NodeJS.Timeout
  #link: LinkState = 'idle'
  #problem: TaktError | undefined
  #fault: TaktError | undefined
  #warning: TaktError | undefined
  #warned = 0
  #bad = 0
  #badAt = Number.NEGATIVE_INFINITY
  #samples = 0
  #lastLife = 0
  #lastRefresh = performance.now()
  #shown = ''
  #shownAt = 0

  constructor(node: Node, figures: () => SensorFigures, quietMs: () => number) {
    this.#node = node
    this.#figures = figures
    this.#quietMs = quietMs
    this.#timer = setInterval(() => this.refresh(), REFRESH_MS).unref()
  }

  link(state: LinkState, problem: TaktError | undefined): void {
    this.#link = state
    this.#problem = problem
    if (state === 'connected') this.#lastLife = performance.now()
    this.refresh()
  }

  /** The node cannot work as it is set up; shown until it can. */
  fault(problem: TaktError | undefined): void {
    this.#fault = problem
    this.refresh()
  }

  /** Something that a person should look at although values come. */
  warn(problem: TaktError): void {
    this.#warning = problem
    this.#warned = performance.now()
    this.refresh()
  }

  /** A problem with one message or signal, shown red for a while. */
  bad(problem: TaktError): void {
    this.#warning = problem
    this.#badAt = performance.now()
    if (this.#badAt - this.#shownAt >= REFRESH_MS) this.refresh()
  }

  /** The server is there and says that nothing changed. */
  alive(): void {
    this.#lastLife = performance.now()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  refresh(): void {
    const status = this.#status()
    const text = `${status.fill} ${status.shape} ${status.text}`
    if (text === this.#shown) return
    this.#shown = text
    this.#shownAt = performance.now()
    this.#node.status(status)
  }

  #status(): NodeStatus {
    const now = performance.now()
    const { samples, bad, waiting = 0, oldestMs = 0, note } = this.#figures()
    const seconds = (now - this.#lastRefresh) / 1000
    const rate = seconds > 0.5 ? Math.round((samples - this.#samples) / seconds) : 0
    if (samples > this.#samples) this.#lastLife = now
    if (seconds > 0.5) {
      this.#samples = samples
      this.#lastRefresh = now
    }
    if (bad > this.#bad) this.#badAt = now
    this.#bad = bad

    if (this.#fault !== undefined) return { fill: 'red', shape: 'ring', text: short(this.#fault.what) }
    if (this.#link === 'away') return { fill: 'red', shape: 'ring', text: short(this.#problem?.what ?? 'away') }
    if (this.#link !== 'connected') return { fill: 'yellow', shape: 'ring', text: 'connecting' }
    const tail = [
      ...(waiting > 0 ? [`${waiting} waiting, ${duration(oldestMs)}`] : []),
      ...(note === undefined ? [] : [note]),
      ...(bad > 0 ? [`${bad} bad`] : []),
    ]
      .map((part) => ` · ${part}`)
      .join('')
    if (now - this.#badAt < BAD_SHOWN_MS) return { fill: 'red', shape: 'dot', text: `${short(this.#warning?.what ?? 'bad message')}${tail}` }
    if (now - this.#warned < BAD_SHOWN_MS && this.#warning !== undefined) return { fill: 'yellow', shape: 'dot', text: short(this.#warning.what) }
    if (samples === 0 && now - this.#lastLife <= this.#quietMs()) return { fill: 'yellow', shape: 'ring', text: `connected, no data yet${tail}` }
    if (now - this.#lastLife > this.#quietMs())
      return { fill: 'yellow', shape: 'dot', text: `no data for ${Math.round((now - this.#lastLife) / 1000)} s${tail}` }
    return { fill: 'green', shape: 'dot', text: `${samples.toLocaleString('en')} sample${samples === 1 ? '' : 's'}${rate > 0 ? `, ${rate}/s` : ''}${tail}` }
  }
}

function duration(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${Math.round(ms / 1000)} s`
}

function short(text: string): string {
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT - 1)}…` : text
}
