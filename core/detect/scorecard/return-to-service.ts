import type { Anomaly, Evidence } from '../../messages/anomaly.ts'
import type { Sample } from '../../messages/sample.ts'
import type { Store } from '../../store/store.ts'
import { recordVerdict } from '../record-verdict.ts'
import { REPAIRED } from '../track.ts'

/** Who said it: not a person. */
export const RETURN_TO_SERVICE = 'return to service'
/** Values of a running unit that are looked at: the last before the repair, the first after it. */
const VALUES = 30
/** With fewer before it nothing is said: an alarm that stands because the unit no longer runs has been seen by nobody. */
const LEAST_BEFORE = 10
/**
 * Back is what has gone so much of the way from where it was before the repair to where it was expected. Further is well, as far as to the mirror image of what it
 * was: a unit may be better after its repair than when it was learned.
 */
const BACK = { least: 2 / 3, most: 2 }
/** Alarms followed at a time; one more is not. */
const MOST = 1000

interface Followed {
  readonly anomaly: string
  readonly evidence: Evidence
  /** the newest at the end */
  readonly before: number[]
  /** null: not repaired yet */
  readonly after: number[] | null
}

/**
 * Looks at what a repair changed. An alarm that stood until the repair, whose signal was out to the end and afterwards is where it had been expected, was right: the
 * repair took away what it saw. It is confirmed, unless a person has spoken. Otherwise nothing is said, nor after a restart in between.
 */
export class ReturnToService {
  readonly #store: Store
  readonly #actor: string
  readonly #failed: (thrown: unknown) => void
  /** by equipment and signal */
  readonly #followed = new Map<string, Map<string, Followed>>()
  #size = 0

  constructor(store: Store, actor: string, failed: (thrown: unknown) => void) {
    this.#store = store
    this.#actor = actor
    this.#failed = failed
  }

  /** Hears of every alarm of the watch. */
  told({ id, equipment, signals, state, evidence }: Anomaly): void {
    const [signal] = signals
    if (signal === undefined || signals.length > 1) return
    const followed = this.#followed.get(equipment)?.get(signal)
    this.#drop(equipment, signal)
    if (state === 'cleared') {
      const isRepaired = evidence[0]?.source === REPAIRED.source
      if (isRepaired && followed?.anomaly === id && followed.before.length >= LEAST_BEFORE) this.#set(equipment, signal, { ...followed, after: [] })
      return
    }
    const numbers = evidence.find(({ expected, lower, upper }) => (expected ?? lower ?? upper) !== undefined)
    if (numbers === undefined || this.#size >= MOST) return
    const before = followed?.anomaly === id ? followed.before : []
    this.#set(equipment, signal, { anomaly: id, evidence: numbers, before, after: null })
  }

  /** A value of a running unit. */
  saw({ equipment, signal, value }: Pick<Sample, 'equipment' | 'signal' | 'value'>): void {
    if (this.#size === 0 || typeof value !== 'number') return
    const followed = this.#followed.get(equipment)?.get(signal)
    if (followed === undefined) return
    const values = followed.after ?? followed.before
    values.push(value)
    if (followed.after === null) {
      if (values.length > VALUES) values.shift()
      return
    }
    if (values.length < VALUES) return
    this.#drop(equipment, signal)
    const before = medianOf(followed.before)
    const after = medianOf(values)
    if (!isBack(followed.evidence, before, after)) return
    const why = `after the repair ${signal} is ${short(after)}, and was ${short(before)} before`.slice(0, 500)
    const feedback = { anomaly: followed.anomaly, decision: 'confirmed', by: RETURN_TO_SERVICE, why } as const
    recordVerdict(this.#store, feedback, this.#actor, { unlessSpoken: true }).catch(this.#failed)
  }

  #set(equipment: string, signal: string, followed: Followed): void {
    const signals = this.#followed.get(equipment) ?? new Map<string, Followed>()
    this.#followed.set(equipment, signals)
    if (!signals.has(signal)) this.#size++
    signals.set(signal, followed)
  }

  #drop(equipment: string, signal: string): void {
    const signals = this.#followed.get(equipment)
    if (signals?.delete(signal) !== true) return
    this.#size--
    if (signals.size === 0) this.#followed.delete(equipment)
  }
}

function isBack({ expected, lower = Number.NEGATIVE_INFINITY, upper = Number.POSITIVE_INFINITY }: Evidence, before: number, after: number): boolean {
  if (before >= lower && before <= upper) return false
  if (expected === undefined) return after >= lower && after <= upper
  const way = (before - after) / (before - expected)
  return way >= BACK.least && way <= BACK.most
}

function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN
}

function short(value: number): string {
  return String(Number(value.toPrecision(3)))
}
