import type { Cancel, Clock } from '../base/clock.ts'
import { TaktError, toTaktError } from '../base/error.ts'
import type { ProcedureRun } from '../messages/procedure-run.ts'
import type { Sample } from '../messages/sample.ts'
import { inTurn } from '../orders/in-turn.ts'
import { STEPS_MISSING } from '../orders/procedure-gate.ts'
import type { Actor, LedgerEvent, Store } from '../store/store.ts'
import type { Measured } from './check-step.ts'
import { type Performed, performFromSensor } from './perform.ts'
import { settleRun, viewRun, waitsUntil } from './run.ts'

export interface RunFollowerParts {
  readonly store: Store
  /** Plant time. */
  readonly clock: Clock
  readonly actor: Actor
  /** A step was done, or a value refused, without anybody asking. */
  moved(performed: Performed): void
  /** Something that a person should look at. */
  problem(problem: TaktError, jobOrder: string): void
}

/** Samples that wait until runs have been looked at; with more than that the next ones will do. */
const QUEUED_AT_MOST = 1000

/** What a run waits for besides people. */
interface Watched {
  readonly step: string
  /** `<equipment>/<signal>` that its present step measures. */
  readonly signal: string | undefined
  /** Nobody has to act. */
  readonly alone: boolean
  readonly since: number
  latest: Measured | undefined
  cancel: Cancel
}

/**
 * Goes on by itself where nobody has to act: time that is over, values of sensors, branches that a value decides. All stands in the store; this remembers only what to look out for,
 * one entry for each run that is open.
 */
export class RunFollower {
  readonly #parts: RunFollowerParts
  readonly #watched = new Map<string, Watched>()
  readonly #bySignal = new Map<string, Set<string>>()
  readonly #queue = inTurn()
  #queued = 0
  readonly #unsubscribe: () => void
  #stopped = false

  constructor(parts: RunFollowerParts) {
    this.#parts = parts
    this.#unsubscribe = parts.store.subscribe((event) => this.#hear(event))
    void this.#inTurn(async () => {
      for (const run of await parts.store.list('procedure-run', { where: { phase: ['start', 'end'] } })) await this.#look(run.id)
    }).catch((thrown: unknown) => this.#tell(thrown, ''))
  }

  get open(): number {
    return this.#watched.size
  }

  /** The last good value of the signal that the present step of a job order measures, since that step began. */
  measured(jobOrder: string): Measured | undefined {
    return this.#watched.get(jobOrder)?.latest
  }

  /** A value of a sensor. Costs a look into a map when no step waits for it. */
  sample(sample: Sample): void {
    // a step that has just begun may not be known yet
    if (this.#queued > 0 && this.#queued < QUEUED_AT_MOST) void this.#inTurn(async () => this.#take(sample))
    else this.#take(sample)
  }

  #take({ equipment, signal, value, unit, quality, time }: Sample): void {
    const source = `${equipment}/${signal}`
    const waiting = this.#bySignal.get(source)
    if (waiting === undefined || quality !== 'good' || typeof value !== 'number' || !Number.isFinite(value)) return
    for (const jobOrder of waiting) {
      const watched = this.#watched.get(jobOrder)
      if (watched === undefined || time < watched.since) continue
      const measured = { value, unit: unit ?? undefined, source }
      watched.latest = measured
      if (!watched.alone) continue
      void this.#inTurn(async () => {
        // meanwhile the step may have been done with the value before
        if (this.#stopped || this.#watched.get(jobOrder) !== watched) return
        const { store, actor, moved } = this.#parts
        const performed = await store.transaction((tx) => performFromSensor(tx, jobOrder, watched.step, measured, time, actor))
        if (performed !== undefined) moved(performed)
      }).catch((thrown: unknown) => this.#tell(thrown, jobOrder))
    }
  }

  async #inTurn(task: () => Promise<void>): Promise<void> {
    this.#queued++
    try {
      await this.#queue(task)
    } finally {
      this.#queued--
    }
  }

  /** Resolves when nothing is left to look at. */
  idle(): Promise<void> {
    return this.#inTurn(async () => {})
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#unsubscribe()
    for (const jobOrder of [...this.#watched.keys()]) this.#forget(jobOrder)
    await this.idle()
  }

  #hear({ type, subject, after }: LedgerEvent): void {
    if (type === STEPS_MISSING) {
      const { before, what } = after as { readonly before: string; readonly what: string }
      const problem = new TaktError('TAKT_PROCEDURE_OPEN', {
        what: `it ${before === 'start' ? 'began' : 'ended'} nevertheless: ${what}`,
        where: `job order ${subject}`,
      })
      return this.#parts.problem(problem, subject)
    }
    // what comes after the start counts from the start
    const begun = type === 'job-order.running' && this.#watched.has(subject)
    const run = type.startsWith('procedure-run.') && (after as Partial<ProcedureRun> | null)?.kind === 'procedure-run'
    if (begun || run) void this.#inTurn(() => this.#look(subject)).catch((thrown: unknown) => this.#tell(thrown, subject))
  }

  async #look(jobOrder: string): Promise<void> {
    if (this.#stopped) return
    const { store, clock, actor, moved } = this.#parts
    const before = await viewRun(store, jobOrder)
    // most steps wait for people: then nothing is written
    const automatic = before.step?.type === 'wait' || (before.step?.type === 'branch' && before.step.of !== undefined)
    const view = automatic ? await store.transaction(async (tx) => settleRun(tx, await viewRun(tx, jobOrder), actor)) : before
    const { run, step } = view
    if (run.revision !== before.run.revision) moved({ view })
    const known = this.#watched.get(jobOrder)
    if (known !== undefined && known.step === run.step && known.since === run.since && step?.type === 'measure') return
    this.#forget(jobOrder)
    if (step === undefined || view.job.state === 'Aborted' || view.job.substate === 'Closed') return
    const signal = step.type === 'measure' && step.signal !== undefined ? `${run.equipment}/${step.signal}` : undefined
    const alone = step.role === undefined && step.certifications === undefined
    const until = waitsUntil(view)
    const cancel =
      until === undefined
        ? () => {}
        : clock.after(
            Math.max(1, until - clock.now()),
            () => void this.#inTurn(() => this.#look(jobOrder)).catch((thrown: unknown) => this.#tell(thrown, jobOrder)),
          )
    this.#watched.set(jobOrder, { step: step.id, signal, alone, since: run.since, latest: undefined, cancel })
    if (signal !== undefined) this.#bySignal.set(signal, (this.#bySignal.get(signal) ?? new Set()).add(jobOrder))
  }

  #forget(jobOrder: string): void {
    const watched = this.#watched.get(jobOrder)
    if (watched === undefined) return
    watched.cancel()
    this.#watched.delete(jobOrder)
    if (watched.signal === undefined) return
    const waiting = this.#bySignal.get(watched.signal)
    waiting?.delete(jobOrder)
    if (waiting?.size === 0) this.#bySignal.delete(watched.signal)
  }

  #tell(thrown: unknown, jobOrder: string): void {
    if (!this.#stopped) this.#parts.problem(toTaktError(thrown, `job order ${jobOrder}`), jobOrder)
  }
}
