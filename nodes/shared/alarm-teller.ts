import { recordAnomaly } from '../../core/detect/record-anomaly.ts'
import type { Anomaly } from '../../core/messages/anomaly.ts'
import { UnitQueue } from '../../core/signal/unit-queue.ts'
import type { Store } from '../../core/store/store.ts'
import type { Message, Send } from './define-node.ts'

interface Waiting {
  readonly anomaly: Anomaly
  readonly message: Message
  readonly send: Send
}

/** Sends anomalies on the first output, in order for each equipment; with a store each is recorded before it is told, and what could not be is tried again. */
export class AlarmTeller {
  readonly #own: Required<Pick<Anomaly, 'detector' | 'detectorName'>>
  readonly #recording: UnitQueue<Waiting> | undefined

  /** `detector`: id of the node that raises them, under which they are scored. */
  constructor(store: Store | undefined, detector: string, detectorName: string) {
    this.#own = { detector, detectorName }
    if (store === undefined) return
    this.#recording = new UnitQueue<Waiting>(async (_equipment, waiting) => {
      for (const { anomaly, message, send } of waiting) send(told(await recordAnomaly(store, anomaly, `node:${detector}`), message))
    })
  }

  /** A promise only where it has to be recorded first. */
  tell(raised: Anomaly, message: Message, send: Send): Promise<void> | undefined {
    const anomaly = { ...raised, ...this.#own }
    if (this.#recording !== undefined) return this.#recording.add(anomaly.equipment, { anomaly, message, send })
    send(told(anomaly, message))
    return undefined
  }

  /** Tries again what could not be recorded. Rejects when it cannot be still. */
  async retry(): Promise<void> {
    if (this.#recording !== undefined && this.#recording.failing > 0) await this.#recording.retry()
  }

  async idle(): Promise<void> {
    await this.#recording?.idle()
  }
}

function told(anomaly: Anomaly, message: Message): Array<Message | null> {
  return [{ ...message, topic: `${anomaly.equipment}/anomaly`, payload: anomaly }, null]
}
