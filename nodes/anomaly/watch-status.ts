import type { Node } from 'node-red'
import type { TaktError } from '../../core/base/error.ts'
import { showError } from '../shared/define-node.ts'

export interface WatchCounts {
  readonly signals: number
  readonly alarms: number
  /** messages that could not be used */
  readonly bad: number
  /** there is no room for another signal */
  readonly isFull: boolean
  /** units of which no cycle was seen, where values are judged by cycles */
  readonly cycleless: number
}

/** The node's status: alarms, signals under watch, bad messages; set only when it changes. */
export class WatchStatus {
  readonly #node: Node
  #shown = ''
  /** The settings do not fit the plant; shown until they do. */
  problem: TaktError | undefined

  constructor(node: Node) {
    this.#node = node
  }

  show({ signals, alarms, bad, isFull, cycleless }: WatchCounts): void {
    if (this.problem !== undefined) {
      if (this.#shown !== this.problem.what) showError(this.#node, this.problem)
      this.#shown = this.problem.what
      return
    }
    const text = `${alarms > 0 ? `${alarms} alarm${alarms === 1 ? '' : 's'}, ` : ''}${signals} signal${signals === 1 ? '' : 's'}${isFull ? ', full' : ''}${cycleless > 0 ? `, no cycle seen of ${cycleless}` : ''}${bad > 0 ? `, ${bad} bad` : ''}`
    if (text === this.#shown) return
    this.#shown = text
    this.#node.status({ fill: alarms > 0 ? 'red' : signals > 0 ? 'green' : 'grey', shape: signals > 0 ? 'dot' : 'ring', text })
  }

  /** Something is wrong with the node itself. */
  fault(text: string): void {
    this.#shown = ''
    this.#node.status({ fill: 'red', shape: 'ring', text: text.slice(0, 60) })
  }
}
