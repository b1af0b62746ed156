import type { Command, Receipt } from '../../../core/messages/command.ts'
import type { PackmlMode, PackmlState } from '../../../core/messages/machine-state.ts'
import type { UnitFact } from '../../../core/signal/unit.ts'

/** A part that was really made. */
export interface Part {
  readonly unit: string
  readonly job: string
  readonly lot: string
  readonly good: boolean
}

type Said = 'state' | 'mode' | 'job' | 'good' | 'scrap'

/** A machine reduced to what orders see of it: it takes commands, makes a part a step, may fail once, and keeps its own ledger. It knows nothing of Takt's crashes. */
export class FakeUnit {
  readonly id: string
  readonly parts: Part[] = []
  /** Job orders and repairs begun, in order. */
  readonly begun: string[] = []
  readonly refused: string[] = []
  state: PackmlState = 'Idle'
  mode: PackmlMode = 'Produce'
  job: { id: string; lot: string; quantity: number; made: number } | null = null
  /** Lifetime totals. */
  good = 100
  scrap = 7
  /** Parts until it fails; repaired it does not fail again. */
  failsAfter = Number.POSITIVE_INFINITY
  #repairLeft = 0
  #now: number
  readonly #changed: Record<Said, number>

  constructor(id: string, now: number) {
    this.id = id
    this.#now = now
    this.#changed = { state: now, mode: now, job: now, good: now, scrap: now }
  }

  command({ id, name, arguments: given }: Command): Receipt {
    const receipt = (status: Receipt['status'], reason?: string): Receipt => ({
      kind: 'receipt',
      of: id,
      to: this.id,
      status,
      time: this.#now,
      ...(reason === undefined ? {} : { reason }),
    })
    const job = String(given.jobOrder)
    if (this.begun.includes(job)) return receipt('done')
    const takes = name === 'start-job' ? ['Idle', 'Complete', 'Stopped'] : ['Idle', 'Complete', 'Stopped', 'Aborted']
    if (this.mode === 'Maintenance' || !takes.includes(this.state)) {
      this.refused.push(id)
      return receipt('refused', `it is ${this.state}`)
    }
    this.begun.push(job)
    this.#set('job', { id: job, lot: String(given.lot), quantity: Number(given.quantity ?? 0), made: 0 })
    if (name === 'enter-maintenance') {
      this.#set('mode', 'Maintenance')
      this.#set('state', 'Execute')
      this.#repairLeft = 2
    } else this.#set('state', 'Starting')
    return receipt('done')
  }

  step(now: number): void {
    this.#now = now
    if (this.mode === 'Maintenance') {
      if (--this.#repairLeft > 0) return
      this.failsAfter = Number.POSITIVE_INFINITY
      this.#set('mode', 'Produce')
      this.#set('state', 'Complete')
    } else if (this.state === 'Starting') this.#set('state', 'Execute')
    else if (this.state === 'Execute' && this.job !== null) this.#work(this.job)
  }

  /** All that it says of itself, each with the time it changed. */
  facts(): UnitFact[] {
    const at = (what: Said) => ({ time: this.#changed[what], received: this.#now })
    return [
      { what: 'job', job: this.job?.id ?? null, ...at('job') },
      { what: 'count', kind: 'good', signal: 'good', raw: this.good, rollover: undefined, ...at('good') },
      { what: 'count', kind: 'scrap', signal: 'scrap', raw: this.scrap, rollover: undefined, ...at('scrap') },
      { what: 'mode', mode: this.mode, ...at('mode') },
      { what: 'state', state: this.state, ...at('state') },
    ]
  }

  #work(job: NonNullable<FakeUnit['job']>): void {
    if (job.made === job.quantity) return this.#set('state', 'Complete')
    if (this.failsAfter <= 0) return this.#set('state', 'Aborted')
    this.failsAfter--
    job.made++
    const good = (this.good + this.scrap) % 5 !== 0
    this.parts.push({ unit: this.id, job: job.id, lot: job.lot, good })
    this.#set(good ? 'good' : 'scrap', good ? this.good + 1 : this.scrap + 1)
  }

  #set<K extends Said>(what: K, value: FakeUnit[K]): void {
    Object.assign(this, { [what]: value })
    this.#changed[what] = this.#now
  }
}
