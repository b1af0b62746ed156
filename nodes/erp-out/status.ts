import type { Node } from 'node-red'
import { systemClock } from '../../core/base/clock.ts'
import type { TaktError } from '../../core/base/error.ts'
import { isoText } from '../../core/base/iso-text.ts'
import type { ErpFigures } from '../../core/erp/erp-link.ts'

const LONGEST = 80

/** What the node says of itself: how many wait and since when, how many the ERP refused, and what is wrong. */
export class ErpStatus {
  readonly #node: Node
  readonly #timeZone: () => string
  #shown = ''
  problem: TaktError | undefined
  received = 0
  refused = 0

  constructor(node: Node, timeZone: () => string) {
    this.#node = node
    this.#timeZone = timeZone
  }

  /** Something else is shown; the next `show` shows this again. */
  covered(): void {
    this.#shown = ''
  }

  show({ waiting, oldestMs, behind }: ErpFigures): void {
    const since = isoText(systemClock.now() - oldestMs, this.#timeZone())
      .slice(0, 16)
      .replace('T', ' ')
    const parts = [
      ...(this.problem === undefined ? [] : [this.problem.what.slice(0, LONGEST)]),
      `${this.received.toLocaleString('en')} received`,
      ...(waiting > 0 ? [`${waiting} waiting since ${since}`] : []),
      ...(behind > 0 ? [`${behind} to be looked at`] : []),
      ...(this.refused > 0 ? [`${this.refused} refused`] : []),
    ]
    const fill = this.problem !== undefined || this.refused > 0 ? 'red' : waiting > 0 ? 'yellow' : this.received > 0 ? 'green' : 'grey'
    const shape = this.problem !== undefined || this.received === 0 ? 'ring' : 'dot'
    const text = parts.join(' · ')
    if (`${fill} ${shape} ${text}` === this.#shown) return
    this.#shown = `${fill} ${shape} ${text}`
    this.#node.status({ fill, shape, text })
  }
}
