import type { ScoredSample } from '../../messages/anomaly.ts'
import type { CalmSignal } from '../../messages/maintenance.ts'
import type { Sample } from '../../messages/sample.ts'
import type { Returning } from './service.ts'

interface Waiting {
  readonly workOrder: string
  readonly asked: CalmSignal
  /** calm values one after the other */
  run: number
}

/** Counts the calm values of signals that a unit's return waits for. After a restart it counts anew. */
export class CalmSignals {
  /** by topic of the sample */
  readonly #waiting = new Map<string, Waiting>()

  /** What an order waits for now; nothing, unless it is checked. */
  await({ id, equipment, service }: Returning): void {
    const asked = service.state === 'check' ? (service.check?.signals ?? []).filter(({ signal }) => service.check?.calm?.includes(signal) !== true) : []
    const topics = new Map(asked.map((one) => [`${equipment}/${one.signal}`, one]))
    for (const [topic, { workOrder }] of this.#waiting) if (workOrder === id && !topics.has(topic)) this.#waiting.delete(topic)
    for (const [topic, one] of topics) if (this.#waiting.get(topic)?.workOrder !== id) this.#waiting.set(topic, { workOrder: id, asked: one, run: 0 })
  }

  /** Is any signal waited for? */
  get any(): boolean {
    return this.#waiting.size > 0
  }

  /** Gives the order and its signal when that has been calm for long enough. A value that is bad, or that nobody held against anything, counts for nothing. */
  take({ equipment, signal, value, quality }: Sample, seen: ScoredSample | undefined): { readonly workOrder: string; readonly signal: string } | undefined {
    const waiting = this.#waiting.get(`${equipment}/${signal}`)
    if (waiting === undefined || typeof value !== 'number' || quality !== 'good') return undefined
    const calm = isCalm(value, waiting.asked, seen)
    if (calm === undefined) return undefined
    waiting.run = calm ? waiting.run + 1 : 0
    return waiting.run >= waiting.asked.samples ? { workOrder: waiting.workOrder, signal } : undefined
  }
}

function isCalm(value: number, { lower, upper }: CalmSignal, seen: ScoredSample | undefined): boolean | undefined {
  if (lower !== undefined || upper !== undefined) return value >= (lower ?? Number.NEGATIVE_INFINITY) && value <= (upper ?? Number.POSITIVE_INFINITY)
  if (seen === undefined) return undefined
  return !seen.raised && value >= (seen.lower ?? Number.NEGATIVE_INFINITY) && value <= (seen.upper ?? Number.POSITIVE_INFINITY)
}
