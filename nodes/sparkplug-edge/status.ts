import type { Node, NodeStatus } from 'node-red'
import type { TaktError } from '../../core/base/error.ts'
import type { EdgeState } from '../../core/connect/sparkplug/edge.ts'

const REFRESH_MS = 1000
const WARNED_MS = 10_000
/** A loss that mends itself at once is not worth a line in the log. */
const PATIENCE_MS = 5000
const LONGEST_TEXT = 60

export interface EdgeFigures {
  readonly values: number
  /** Plant time of the oldest value that waits. */
  readonly oldest: number | undefined
  readonly dropped: number
  readonly devices: number
  readonly bad: number
}

export interface EdgeStatusSetting {
  readonly primaryHost: string | undefined
  readonly figures: () => EdgeFigures
  /** The broker that is used now. */
  readonly server: () => string
  readonly now: () => number
}

/** The true state of an edge node: green only while hosts have its births and nothing waits to be told. Each problem is logged once. */
export class EdgeStatus {
  readonly #node: Node
  readonly #setting: EdgeStatusSetting
  readonly #timer: NodeJS.Timeout
  #patience: NodeJS.Timeout | undefined
  #state: EdgeState = 'idle'
  #problem: TaktError | undefined
  #told = ''
  #fault: TaktError | undefined
  #warning: TaktError | undefined
  #warnedAt = Number.NEGATIVE_INFINITY
  #values = 0
  #commands = 0
  #shown = ''

  constructor(node: Node, setting: EdgeStatusSetting) {
    this.#node = node
    this.#setting = setting
    this.#timer = setInterval(() => this.#refresh(), REFRESH_MS).unref()
  }

  link(state: EdgeState, problem: TaktError | undefined): void {
    this.#state = state
    if (problem !== undefined) this.#problem = problem
    if (state === 'online' || state === 'waiting') {
      clearTimeout(this.#patience)
      this.#patience = undefined
      this.#problem = undefined
      this.#told = ''
      if (state === 'online') this.#node.log(`born on ${this.#setting.server()}`)
    } else if (problem !== undefined) this.#log(problem)
    this.#refresh()
  }

  /** The node cannot work as it is set up. */
  fault(problem: TaktError | undefined): void {
    this.#fault = problem
    this.#refresh()
  }

  warn(problem: TaktError): void {
    this.#warning = problem
    this.#warnedAt = performance.now()
  }

  took(values: number): void {
    this.#values += values
  }

  commanded(): void {
    this.#commands++
  }

  stop(): void {
    clearInterval(this.#timer)
    clearTimeout(this.#patience)
  }

  /** What goes away when the broker is back is told only when it does not. */
  #log(problem: TaktError): void {
    if (problem.message === this.#told) return
    if (problem.code !== 'TAKT_BROKER_AWAY') {
      this.#told = problem.message
      this.#node.error(problem)
      return
    }
    this.#patience ??= setTimeout(() => {
      this.#patience = undefined
      if (this.#problem === undefined) return
      this.#told = this.#problem.message
      this.#node.warn(this.#problem.message)
    }, PATIENCE_MS).unref()
  }

  #refresh(): void {
    const status = this.#status()
    const shown = `${status.fill} ${status.shape} ${status.text}`
    if (shown === this.#shown) return
    this.#shown = shown
    this.#node.status(status)
  }

  #status(): NodeStatus {
    const { values, oldest, dropped, devices, bad } = this.#setting.figures()
    const age = oldest === undefined ? '' : `, oldest ${Math.max(0, Math.round((this.#setting.now() - oldest) / 1000))} s`
    const kept = values === 0 ? '' : ` · ${values.toLocaleString('en')} kept${age}${dropped === 0 ? '' : `, ${dropped.toLocaleString('en')} dropped`}`
    if (this.#fault !== undefined) return { fill: 'red', shape: 'ring', text: short(this.#fault.what) }
    if (this.#state === 'away') return { fill: 'red', shape: 'ring', text: `${short(this.#problem?.what ?? 'away')}${kept}` }
    if (this.#state === 'waiting') return { fill: 'yellow', shape: 'ring', text: `waiting for ${this.#setting.primaryHost ?? ''}${kept}` }
    if (this.#state !== 'online') return { fill: 'yellow', shape: 'ring', text: `connecting${kept}` }
    const tail = `${this.#commands === 0 ? '' : ` · ${this.#commands} commanded`}${bad === 0 ? '' : ` · ${bad} bad`}`
    if (performance.now() - this.#warnedAt < WARNED_MS && this.#warning !== undefined)
      return { fill: 'red', shape: 'dot', text: `${short(this.#warning.what)}${bad === 0 ? '' : ` · ${bad} bad`}` }
    const text = `${devices} device${devices === 1 ? '' : 's'}, ${this.#values.toLocaleString('en')} values${kept}${tail}`
    return { fill: values === 0 ? 'green' : 'yellow', shape: 'dot', text }
  }
}

function short(text: string): string {
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT - 1)}…` : text
}
