import type { Cancel, Clock } from '../../base/clock.ts'
import { TaktError } from '../../base/error.ts'
import type { ScoredSample } from '../../messages/anomaly.ts'
import type { Sample } from '../../messages/sample.ts'
import type { WorkOrder } from '../../messages/work-order.ts'
import type { Plant } from '../../plant/plant.ts'
import type { LedgerEvent, Store } from '../../store/store.ts'
import { CalmSignals } from './calm-signals.ts'
import { type Returning, returning } from './service.ts'
import { settleReturn } from './settle-return.ts'
import { lookForSpares, missingText } from './spares.ts'

export interface MaintenanceDeskParts {
  readonly store: Store
  readonly plant: () => Plant
  /** Plant time. */
  readonly clock: Clock
  readonly actor: string
  /** Something that a person should look at, of this maintenance order. */
  problem(problem: TaktError, workOrder: string): void
  /** The store could not be read or written; it is tried again. */
  failed(thrown: unknown): void
}

/** What could not be settled is tried again after so long, plant ms. */
const RETRY_MS = 60_000
/** Events of a unit after which its return may stand otherwise. */
const CONCERNS = /^(job-order|anomaly|quality-result|procedure-run|machine-state)\./
const STOCK = /^(genealogy|lot)\./
const OPEN_STATES = ['Planned', 'Released', 'Running', 'Held'] as const

/**
 * Follows repaired units back to full work, and repairs that wait for a spare. All is decided by what stands in the store, each time something about the unit happens; only calm
 * signals are counted in memory.
 */
export class MaintenanceDesk {
  readonly #parts: MaintenanceDeskParts
  readonly #calm = new CalmSignals()
  /** by unit, the order after which it is checked or tried */
  readonly #units = new Map<string, string>()
  /** orders that wait for a spare */
  readonly #lacking = new Set<string>()
  readonly #dirty = new Set<string>()
  readonly #timers = new Map<string, Cancel>()
  readonly #unsubscribe: () => void
  #working: Promise<void> | undefined
  #stopped = false

  constructor(parts: MaintenanceDeskParts) {
    this.#parts = parts
    this.#unsubscribe = parts.store.subscribe((event) => this.#hear(event))
  }

  /** Takes up what a restart interrupted. */
  async start(): Promise<void> {
    const { store } = this.#parts
    for (const order of await returning(store)) this.#follow(order)
    for (const order of await store.list('work-order', { where: { type: 'maintenance', state: OPEN_STATES } })) this.#follow(order)
    await this.idle()
  }

  /** Do values of signals matter at present? */
  get awaitsSignals(): boolean {
    return this.#calm.any
  }

  /** A value of any signal; `seen`: what an anomaly node says of it. */
  sample(sample: Sample, seen: ScoredSample | undefined): void {
    const calm = this.#calm.take(sample, seen)
    if (calm !== undefined) this.#markCalm(calm.workOrder, calm.signal).catch((thrown: unknown) => this.#parts.failed(thrown))
  }

  /** Resolves when nothing is left to look at. */
  async idle(): Promise<void> {
    while (this.#working !== undefined) await this.#working
  }

  stop(): void {
    this.#stopped = true
    this.#unsubscribe()
    for (const cancel of this.#timers.values()) cancel()
    this.#timers.clear()
  }

  #hear({ type, subject, after }: LedgerEvent): void {
    if (type.startsWith('work-order.')) {
      const order = after as WorkOrder | null
      if (order?.type !== 'maintenance') return
      if (type === 'work-order.spare-missing') this.#tellMissing(order)
      this.#follow(order)
    } else if (CONCERNS.test(type)) {
      const unit = type.startsWith('machine-state.') ? subject : (after as { equipment?: string | null } | null)?.equipment
      const order = unit == null ? undefined : this.#units.get(unit)
      if (order !== undefined) this.#look(order)
    } else if (this.#lacking.size > 0 && STOCK.test(type)) for (const order of this.#lacking) this.#look(order)
  }

  #follow(order: WorkOrder): void {
    const { id, equipment, service, spares = [], state } = order
    const isLacking = (OPEN_STATES as readonly string[]).includes(state) && spares.some((spare) => spare.state === 'missing')
    if (isLacking) this.#lacking.add(id)
    else this.#lacking.delete(id)
    if (isLacking) this.#look(id)
    if (service === undefined || equipment === undefined) return
    this.#calm.await(order as Returning)
    if (service.state === 'check' || service.state === 'trial') {
      this.#units.set(equipment, id)
      this.#look(id)
    } else if (this.#units.get(equipment) === id) this.#units.delete(equipment)
  }

  #tellMissing({ id, spares = [], equipment = '' }: WorkOrder): void {
    const what = `the repair of ${this.#parts.plant().nameOf(equipment)} waits for ${missingText(spares)}`
    this.#parts.problem(new TaktError('TAKT_SPARE_MISSING', { what, where: `maintenance order ${id}` }), id)
  }

  async #markCalm(workOrder: string, signal: string): Promise<void> {
    await this.#parts.store.transaction(async (tx) => {
      const order = await tx.get('work-order', workOrder)
      const check = order?.service?.check
      if (order?.service?.state !== 'check' || check === undefined || check.calm?.includes(signal) === true) return
      const service = { ...order.service, check: { ...check, calm: [...(check.calm ?? []), signal] } }
      await tx.save<'work-order'>({ ...order, service }, { type: 'work-order.return-calm', actor: this.#parts.actor, why: `${signal} is calm` })
    })
  }

  #look(workOrder: string): void {
    if (this.#stopped) return
    this.#dirty.add(workOrder)
    this.#working ??= this.#work()
  }

  async #work(): Promise<void> {
    // what happened in the same turn is looked at together
    await Promise.resolve()
    for (let [order] = this.#dirty; order !== undefined && !this.#stopped; [order] = this.#dirty) {
      this.#dirty.delete(order)
      try {
        await this.#settle(order)
      } catch (thrown) {
        if (this.#stopped) break
        this.#parts.failed(thrown)
        this.#lookLater(order, this.#parts.clock.now() + RETRY_MS)
      }
    }
    this.#working = undefined
  }

  async #settle(workOrder: string): Promise<void> {
    const { store, plant, actor } = this.#parts
    this.#timers.get(workOrder)?.()
    this.#timers.delete(workOrder)
    const isLacking = this.#lacking.has(workOrder)
    const { again } = await store.transaction(async (tx) => {
      if (isLacking) await lookForSpares(tx, plant(), workOrder, { actor })
      return settleReturn(tx, plant(), workOrder, { actor })
    })
    if (again !== undefined) this.#lookLater(workOrder, again)
  }

  #lookLater(workOrder: string, at: number): void {
    const { clock } = this.#parts
    this.#timers.set(
      workOrder,
      clock.after(Math.max(1, at - clock.now()), () => this.#look(workOrder)),
    )
  }
}
