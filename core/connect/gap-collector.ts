import type { ErrorCode } from '../base/error-codes.ts'
import type { Gap } from '../messages/gap.ts'
import type { BoundSignal } from '../plant/plant.ts'

export interface FoundGap {
  readonly bound: BoundSignal
  /** Epoch ms: of the last value before, and of the first after. */
  readonly from: number
  readonly to: number
  readonly code: ErrorCode
  readonly why: string
  readonly backfilled?: boolean
  readonly lost?: number
}

const MERGE_MS = 1000
const LONGEST_WHY = 2000

/** Makes one gap of those that signals of one unit have together: an outage concerns all of them, and a full queue comes back with every publication. */
export class GapCollector {
  readonly #source: string
  readonly #emit: (gap: Gap) => void
  readonly #open = new Map<string, Gap>()
  #timer: NodeJS.Timeout | undefined

  constructor(source: string, emit: (gap: Gap) => void) {
    this.#source = source
    this.#emit = emit
  }

  add({ bound, from, to, code, why, backfilled, lost }: FoundGap): void {
    const equipment = bound.equipment.id
    const key = `${code} ${backfilled === true} ${equipment}`
    const known = this.#open.get(key)
    const signals = known?.signals ?? []
    this.#open.set(key, {
      kind: 'gap',
      source: this.#source,
      equipment,
      signals: signals.includes(bound.signal.name) ? signals : [...signals, bound.signal.name],
      from: Math.min(from, known?.from ?? from),
      to: Math.max(to, known?.to ?? to),
      code,
      why: (known?.why ?? why).slice(0, LONGEST_WHY),
      ...(backfilled === undefined ? {} : { backfilled }),
      ...(lost === undefined ? {} : { lost: Math.max(lost, known?.lost ?? 0) }),
    })
    this.#timer ??= setTimeout(() => this.flush(), MERGE_MS).unref()
  }

  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const gaps = [...this.#open.values()]
    this.#open.clear()
    for (const gap of gaps) this.#emit(gap)
  }
}
