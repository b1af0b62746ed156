import type { Lot } from '../../core/messages/lot.ts'
import type { WorkOrder } from '../../core/messages/work-order.ts'
import type { OpenStep } from '../../core/orders/open-steps.ts'
import type { Plant } from '../../core/plant/plant.ts'
import { releaseFinishedLots } from '../../core/quality/finished-lots.ts'
import { settleHeldLots } from '../../core/quality/held-lots.ts'
import type { LedgerEvent, Store } from '../../core/store/store.ts'

export interface LotSettlerParts {
  readonly store: Store
  readonly plant: () => Plant
  /** Raise a rework order for parts that are held. */
  readonly rework: boolean
  readonly actor: string
  readonly released: (lot: Lot) => void
  /** A finished lot is not released: these steps are open. Told once, and again when others are. */
  readonly waits: (lot: Lot, open: readonly OpenStep[]) => void
  readonly failed: (thrown: unknown) => void
}

/** Goes through the lots that wait whenever something happens that can let one go. One round at a time; what happens meanwhile is seen to by another. */
export class LotSettler {
  readonly #parts: LotSettlerParts
  readonly #unsubscribe: () => void
  readonly #told = new Map<string, string>()
  #round: Promise<void> | undefined
  #again = false
  #waiting = 0

  constructor(parts: LotSettlerParts) {
    this.#parts = parts
    this.#unsubscribe = parts.store.subscribe((event) => {
      if (concernsLots(event, this.#waiting > 0 || this.#round !== undefined)) this.settle()
    })
  }

  settle(): void {
    if (this.#round !== undefined) {
      this.#again = true
      return
    }
    this.#round = this.#settle()
      .catch(this.#parts.failed)
      .finally(() => {
        this.#round = undefined
        if (!this.#again) return
        this.#again = false
        this.settle()
      })
  }

  async stop(): Promise<void> {
    this.#unsubscribe()
    this.#again = false
    await this.#round
  }

  async #settle(): Promise<void> {
    const { store, plant, rework, actor, released } = this.#parts
    const { held, finished } = await store.transaction(async (tx) => ({
      held: await settleHeldLots(tx, rework ? plant() : null, actor),
      finished: await releaseFinishedLots(tx, plant(), actor),
    }))
    this.#waiting = finished.waiting
    for (const lot of [...held, ...finished.released]) released(lot)
    this.#tellOpen(finished.open)
  }

  #tellOpen(open: ReadonlyArray<{ readonly lot: Lot; readonly steps: readonly OpenStep[] }>): void {
    const waiting = new Set(open.map(({ lot }) => lot.id))
    for (const id of this.#told.keys()) if (!waiting.has(id)) this.#told.delete(id)
    for (const { lot, steps } of open) {
      const text = steps.map(({ what }) => what).join()
      if (this.#told.get(lot.id) === text) continue
      this.#told.set(lot.id, text)
      this.#parts.waits(lot, steps)
    }
  }
}

/** Whatever can let a lot go, or call for more rework; a passed measurement or a procedure that is done only while a finished lot waits for it. */
function concernsLots({ type, after }: LedgerEvent, awaited: boolean): boolean {
  if (type === 'lot.released' || type === 'lot.scrapped' || type === 'work-order.completed') return true
  if (type === 'quality-result.recorded' || type === 'procedure-run.done') return awaited
  return (type === 'work-order.closed' || type === 'work-order.canceled') && (after as WorkOrder).type === 'rework'
}
