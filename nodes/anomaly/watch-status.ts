import type { Node } from 'node-red'

export interface WatchCounts {
  readonly signals: number
  readonly alarms: number
  /** messages that could not be used */
  readonly bad: number
  /** there is no room for another signal */
  readonly isFull: boolean
}

/** The node's status: alarms, signals under watch, bad messages; set only when it changes. */
export class WatchStatus {
  readonly #node: Node
  #shown = ''

  constructor(node: Node) {
    this.#node = node
  }

  show({ signals, alarms, bad, isFull }: WatchCounts): void {
    const text = `${alarms > 0 ? `${alarms} alarm${alarms === 1 ? '' : 's'}, ` : ''}${signals} signal${signals === 1 ? '' : 's'}${isFull ? ', full' : ''}${bad > 0 ? `, ${bad} bad` : ''}`
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
