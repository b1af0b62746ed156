import type { Anomaly, Evidence } from '../../messages/anomaly.ts'
import type { Sample } from '../../messages/sample.ts'
import type { Store, StoreReader } from '../../store/store.ts'
import { recordVerdict } from '../record-verdict.ts'
import { REPAIRED } from '../track.ts'

/** Who said it: not a person. */
export const RETURN_TO_SERVICE = 'return to service'
/** Values of a running unit that are looked at after its repair. */
const VALUES = 30
/**
 * Back is what has gone so much of the way from where it was when it was raised to where it was expected. Further is well, as far as to the mirror image of what it
 * was: a unit may be better after its repair than when it was learned.
 */
const BACK = { least: 2 / 3, most: 2 }
/** Repairs followed at a time; one more is not. */
const MOST = 1000

interface Followed {
  readonly anomaly: string
  readonly evidence: Evidence
  readonly values: number[]
}

/**
 * Looks at what a repair changed. An alarm that stood until the repair, and whose signal is afterwards where it had been expected, was right: the repair took away
 * what it saw. It is confirmed, unless a person has spoken. Where the signal is not back, nothing is said. After a restart nothing is either.
 */
export class ReturnToService {
  readonly #store: Store
  readonly #actor: string
  readonly #failed: (thrown: unknown) => void
  /** by equipment and signal; null: its evidence is being read */
  readonly #followed = new Map<string, Map<string, Followed | null>>()
  #size = 0

  constructor(store: Store, actor: string, failed: (thrown: unknown) => void) {
    this.#store = store
    this.#actor = actor
    this.#failed = failed
  }

  /** Hears of every alarm of the watch: one that a repair cleared is followed, a new one on the same signal ends that. */
  told(anomaly: Anomaly): void {
    const [signal] = anomaly.signals
    if (signal === undefined || anomaly.signals.length > 1) return
    this.#drop(anomaly.equipment, signal)
    if (anomaly.state !== 'cleared' || anomaly.evidence[0]?.source !== REPAIRED.source || this.#size >= MOST) return
    this.#set(anomaly.equipment, signal, null)
    raisedBy(this.#store, anomaly.id).then((evidence) => {
      if (this.#followed.get(anomaly.equipment)?.get(signal) !== null) return
      if (evidence === undefined) this.#drop(anomaly.equipment, signal)
      else this.#set(anomaly.equipment, signal, { anomaly: anomaly.id, evidence, values: [] })
    }, this.#failed)
  }

  /** A value of a running unit. */
  saw({ equipment, signal, value }: Pick<Sample, 'equipment' | 'signal' | 'value'>): void {
    if (this.#size === 0 || typeof value !== 'number') return
    const followed = this.#followed.get(equipment)?.get(signal)
    if (followed === null || followed === undefined || followed.values.push(value) < VALUES) return
    this.#drop(equipment, signal)
    const after = medianOf(followed.values)
    if (isBack(followed.evidence, after)) this.#confirm(followed, signal, after)
  }

  #confirm({ anomaly, evidence }: Followed, signal: string, after: number): void {
    const was = evidence.value === undefined ? '' : `, and was ${short(evidence.value)} before`
    const why = `after the repair ${signal} is ${short(after)}${was}`.slice(0, 500)
    recordVerdict(this.#store, { anomaly, decision: 'confirmed', by: RETURN_TO_SERVICE, why }, this.#actor, { unlessSpoken: true }).catch(this.#failed)
  }

  #set(equipment: string, signal: string, followed: Followed | null): void {
    const signals = this.#followed.get(equipment) ?? new Map<string, Followed | null>()
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

/** What an alarm was last raised by, with numbers to compare with; undefined where it has none. */
async function raisedBy(store: StoreReader, anomaly: string): Promise<Evidence | undefined> {
  const event = await store.db
    .selectFrom('ledger')
    .select('after')
    .where('subject', '=', anomaly)
    .where('type', 'in', ['anomaly.raised', 'anomaly.updated'])
    .orderBy('sequence', 'desc')
    .limit(1)
    .executeTakeFirst()
  const { evidence } = JSON.parse(event?.after ?? '{"evidence":[]}') as Pick<Anomaly, 'evidence'>
  return evidence.find(({ value, expected, lower, upper }) => value !== undefined && (expected ?? lower ?? upper) !== undefined)
}

function isBack({ value, expected, lower = Number.NEGATIVE_INFINITY, upper = Number.POSITIVE_INFINITY }: Evidence, after: number): boolean {
  if (value === undefined) return false
  if (expected !== undefined) {
    const way = (value - after) / (value - expected)
    return way >= BACK.least && way <= BACK.most
  }
  return (value < lower || value > upper) && after >= lower && after <= upper
}

function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN
}

function short(value: number): string {
  return String(Number(value.toPrecision(3)))
}
