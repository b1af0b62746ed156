import type { Node } from 'node-red'
import { ReturnToService } from '../../core/detect/scorecard/return-to-service.ts'
import { ScopeKeeper } from '../../core/detect/scorecard/scope-keeper.ts'
import type { Anomaly } from '../../core/messages/anomaly.ts'
import type { Sample } from '../../core/messages/sample.ts'
import type { Store } from '../../core/store/store.ts'
import { AlarmTeller } from './alarm-teller.ts'
import type { BadInput } from './bad-input.ts'
import { type Message, nameOf, type Send } from './define-node.ts'
import { FeedbackDesk, type FeedbackParts } from './feedback.ts'
import { rememberScored } from './scorecard-endpoint.ts'

export interface AlarmDeskParts {
  readonly node: Node
  /** For people. */
  readonly name: string
  readonly method: string
  readonly store: Store | undefined
  readonly bad: BadInput
  /** Plant time, epoch ms. */
  readonly now: () => number
  readonly learn: FeedbackParts['learn']
  readonly failed: (thrown: unknown) => void
}

/** What becomes of a detector's alarms: they are recorded and told, judged by people and by what repairs changed, and scored under the node's name. */
export class AlarmDesk {
  readonly #teller: AlarmTeller
  readonly #feedback: FeedbackDesk
  readonly #scope: ScopeKeeper | undefined
  readonly #returns: ReturnToService | undefined

  constructor({ node, name, method, store, bad, now, learn, failed }: AlarmDeskParts) {
    const actor = `node:${node.id}`
    rememberScored(node, { store, now })
    this.#teller = new AlarmTeller(store, node.id, name)
    const report: FeedbackParts['report'] = (problem, { topic, payload }) => bad.report(problem, { topic, payload })
    this.#feedback = new FeedbackDesk({ store, actor, where: nameOf(node), learn, report })
    if (store === undefined) return
    this.#scope = new ScopeKeeper(store, { detector: node.id, name, method }, now)
    this.#returns = new ReturnToService(store, actor, failed)
  }

  /** A value of this equipment is judged. */
  watches(equipment: string): void {
    this.#scope?.saw(equipment)
  }

  /** A value of a unit that runs. */
  saw(sample: Sample): void {
    this.#scope?.saw(sample.equipment)
    this.#returns?.saw(sample)
  }

  /** A promise only where it has to be recorded first. */
  tell(anomaly: Anomaly, message: Message, send: Send): Promise<void> | undefined {
    this.#returns?.told(anomaly)
    return this.#teller.tell(anomaly, message, send)
  }

  /** What a person says of an alarm; undefined where the message is no such thing. Throws TAKT_MESSAGE_INVALID, TAKT_ANOMALY_NOT_KEPT. */
  feedback(message: Message, send: Send): Promise<void> | undefined {
    return this.#feedback.take(message, send)
  }

  /** Tries again what could not be kept, and keeps what is new. Rejects when it cannot be still. */
  async tick(): Promise<void> {
    await Promise.all([this.#teller.retry(), this.#scope?.save()])
  }

  idle(): Promise<void> {
    return this.#teller.idle()
  }

  /** The node is no more. */
  async drop(): Promise<void> {
    await this.#scope?.drop()
  }
}
