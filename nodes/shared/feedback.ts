import { TaktError, toTaktError } from '../../core/base/error.ts'
import { assertSafe } from '../../core/base/json.ts'
import { type Feedback, recordVerdict } from '../../core/detect/record-verdict.ts'
import type { VerdictDecision } from '../../core/messages/anomaly.ts'
import type { Store } from '../../core/store/store.ts'
import type { Message, Send } from './define-node.ts'
import { whoActs } from './known-people.ts'

const DECISIONS: Readonly<Record<string, VerdictDecision>> = { confirm: 'confirmed', refuse: 'refused' }
const NAME_LONGEST = 200
const WHY_LONGEST = 500

/**
 * What a person says of an alarm: `{ command: 'confirm', anomaly: 'an-7', by?, why? }`, or on topic `confirm` or `refuse` the id alone or `{ anomaly, by?, why? }`.
 * Undefined where the message is no such thing: a number on that topic is a value. Throws TAKT_MESSAGE_INVALID where it is one and is wrong.
 */
export function readFeedback({ topic, payload }: Message, where: string): Feedback | undefined {
  const own: Record<string, unknown> = typeof payload === 'object' && payload !== null && !Array.isArray(payload) ? { ...payload } : { anomaly: payload }
  const isObject = typeof payload === 'object' && payload !== null
  const command = isObject && Object.hasOwn(own, 'command') ? own.command : typeof payload === 'number' ? undefined : topic
  const decision = typeof command === 'string' && Object.hasOwn(DECISIONS, command) ? DECISIONS[command] : undefined
  // a document, and a value with an object around it, are for others
  if (decision === undefined || Object.hasOwn(own, 'kind') || Object.hasOwn(own, 'value')) return undefined
  assertSafe(payload, where)
  const { anomaly, by, why } = own
  if (typeof anomaly !== 'string' || anomaly.trim() === '' || anomaly.length > NAME_LONGEST)
    throw new TaktError('TAKT_MESSAGE_INVALID', { what: `to ${String(command)} an alarm takes its id as anomaly`, where })
  return { anomaly: anomaly.trim(), decision, by: text(by, NAME_LONGEST) ?? 'a person', why: text(why, WHY_LONGEST) }
}

export interface FeedbackParts {
  readonly store: Store | undefined
  /** Who records, `node:<id>`. */
  readonly actor: string
  readonly where: string
  /** What was said is kept; the watch may learn from it. */
  readonly learn: (anomaly: string, decision: VerdictDecision) => void
  /** It could not be used. */
  readonly report: (problem: TaktError, message: Message) => void
}

/** Records what people say of alarms, and sends the anomaly on with the verdict: same id and state, so it is no new alarm. */
export class FeedbackDesk {
  readonly #parts: FeedbackParts

  constructor(parts: FeedbackParts) {
    this.#parts = parts
  }

  /** Undefined where the message is no such thing. Throws TAKT_MESSAGE_INVALID where it is one and is wrong, TAKT_ANOMALY_NOT_KEPT without a store. */
  take(message: Message, send: Send): Promise<void> | undefined {
    const { store, where } = this.#parts
    const feedback = readFeedback(message, where)
    if (feedback === undefined) return undefined
    if (store === undefined) throw new TaktError('TAKT_ANOMALY_NOT_KEPT', { where })
    return this.#record(store, feedback, message, send)
  }

  async #record(store: Store, feedback: Feedback, message: Message, send: Send): Promise<void> {
    const { actor, where, learn, report } = this.#parts
    try {
      const scope = (await store.get('anomaly', feedback.anomaly))?.equipment ?? ''
      const by = (await whoActs(store, message, 'anomaly.judge', scope, feedback.by, where)) ?? feedback.by
      const { anomaly, changed } = await recordVerdict(store, { ...feedback, by }, actor)
      learn(anomaly.id, feedback.decision)
      if (changed) send([{ ...message, topic: `${anomaly.equipment}/anomaly`, payload: anomaly }, null])
    } catch (thrown) {
      const problem = toTaktError(thrown, where)
      if (problem.code !== 'TAKT_ANOMALY_UNKNOWN' && !problem.code.startsWith('TAKT_PERSON_')) throw problem
      report(problem, message)
    }
  }
}

function text(value: unknown, longest: number): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim().slice(0, longest) : undefined
}
