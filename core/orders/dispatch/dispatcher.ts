import type { Cancel, Clock } from '../../base/clock.ts'
import { TaktError, toTaktError } from '../../base/error.ts'
import type { Command, Receipt } from '../../messages/command.ts'
import type { Autonomy } from '../../messages/common.ts'
import type { Disruption } from '../../messages/disruption.ts'
import type { JobOrder } from '../../messages/job-order.ts'
import type { MachineState } from '../../messages/machine-state.ts'
import type { ProcedureRun } from '../../messages/procedure-run.ts'
import type { WorkOrder } from '../../messages/work-order.ts'
import type { Plant } from '../../plant/plant.ts'
import type { LedgerEvent, Store, StoreReader } from '../../store/store.ts'
import { changeJobOrder } from '../change-job-order.ts'
import { endUnseen, type UnitState } from '../follow-machine.ts'
import { assertUnitNotHeld } from '../holds/held-unit.ts'
import { isUnderWay } from '../job-order-states.ts'
import { cutJobOrder } from '../maintenance/cut-job-order.ts'
import { assertBack } from '../maintenance/service.ts'
import { assertProcedure, openProcedure } from '../procedure-gate.ts'
import { holdsResources, lackingNow } from './free-resources.ts'
import { type CommandNames, commandFor, commandIdOf, jobOrderOfCommand } from './job-command.ts'
import { type NextStep, nextStep, type UnitView } from './next-step.ts'
import { readUnitView } from './read-unit-view.ts'
import { Tellings } from './tellings.ts'

export interface DispatcherSettings {
  readonly autonomy: Autonomy
  /** How much before its planned start a job order may begin when its unit is free, plant ms. */
  readonly toleranceMs: number
  /** How long a unit may take to name what it was told, real ms. */
  readonly ackTimeoutMs: number
  readonly commands: CommandNames
  readonly actor: string
}

export interface DispatcherParts {
  readonly store: Store
  readonly plant: () => Plant
  /** Plant time. */
  readonly clock: Clock
  /** False while another instance does the dispatching; this one looks on, and lets begin what a person asks of it. Default: nobody else does. */
  readonly leads?: () => boolean
  /** Real time, for answers of machines: they do not come faster in a plant whose clock does. */
  readonly real: Clock
  command(command: Command): void
  /** Something that a person should look at. */
  problem(problem: TaktError, jobOrder: string | null): void
  /** Autonomy approve: this may begin now and waits for a person. */
  waiting(job: JobOrder): void
}

/** Everything is looked at anew this often, real ms: nothing hangs on one message having arrived. */
const SWEEP_MS = 30_000
/** What others have is asked for again this often, plant ms; sooner when they give it back. */
const LACKING_MS = 60_000
const GIVES_BACK: ReadonlySet<string> = new Set(['job-order.completed', 'job-order.aborted', 'job-order.revoked'])
const RETURNS: ReadonlySet<string> = new Set(['work-order.awaiting-check', 'work-order.on-trial', 'work-order.in-service', 'work-order.trial-failed'])
/** Messages of one happening are through in this time, real ms. */
const MOMENT_MS = 1000
/** After this many commands without an answer a person is told, and the waiting times grow. */
const PATIENCE = 3
/** A command must not be obeyed long after it was sent. In acknowledgement times. */
const EXPIRES_AFTER = 6

/**
 * Brings the plan to the machines: allows the next job order of each unit and tells the unit, until its own state names it. All is decided by what stands in the
 * store and what the units have said since the start; a crash between any two steps leaves a state from which the same steps go on.
 */
export class Dispatcher {
  readonly #parts: DispatcherParts
  readonly #settings: DispatcherSettings
  readonly #units = new Map<string, UnitState>()
  readonly #tellings: Tellings
  /** job orders that a unit has refused → the unit; until something changes there, or some time has passed */
  readonly #refused = new Map<string, string>()
  /** by unit, what is shown to people as waiting for them */
  readonly #offered = new Map<string, JobOrder>()
  readonly #timers = new Map<string, Cancel>()
  readonly #dirty = new Set<string>()
  readonly #unsubscribe: () => void
  #sweep: Cancel
  #working: Promise<void> | undefined
  #stopped = false

  constructor(parts: DispatcherParts, settings: DispatcherSettings) {
    this.#parts = parts
    this.#settings = settings
    this.#tellings = new Tellings(parts.real)
    this.#unsubscribe = parts.store.subscribe((event) => this.#hear(event))
    this.#sweep = parts.real.after(SWEEP_MS, () => this.#sweepAll())
  }

  /** Units that have spoken, commands that wait for their units, job orders that wait for people. */
  get counts(): { readonly units: number; readonly told: number; readonly offered: number } {
    return { units: this.#units.size, told: this.#tellings.size, offered: this.#offered.size }
  }

  /** A unit has spoken. Until then it gets no command: what the store remembers of it may be old. */
  machineState(state: UnitState): void {
    const known = this.#units.get(state.equipment)
    this.#units.set(state.equipment, state)
    const changed = known?.state !== state.state || known.mode !== state.mode || known.jobOrder !== state.jobOrder
    if (changed) for (const [jobOrder, unit] of this.#refused) if (unit === state.equipment) this.#refused.delete(jobOrder)
    this.look(state.equipment)
  }

  /** What became of a command. The unit's own state is the answer that counts; a refusal takes the permission back. */
  async receipt({ of, to, status, code, reason }: Receipt): Promise<void> {
    const jobOrder = jobOrderOfCommand(of)
    if (jobOrder === undefined || status === 'sent' || status === 'done') return
    const said = `${reason ?? status}${code === undefined ? '' : ` (${code})`}`
    const attempt = this.#tellings.get(jobOrder)?.attempt
    if (status !== 'refused') {
      if (attempt === 1)
        this.#tellPeople('TAKT_DISPATCH_NO_ANSWER', to, jobOrder, `the command to begin ${jobOrder} did not reach ${this.#nameOf(to)}: ${said}`)
      return
    }
    // an old command may be refused because a newer one was obeyed
    if (this.#units.get(to)?.jobOrder === jobOrder || (attempt !== undefined && commandIdOf(jobOrder, attempt) !== of)) return
    this.#tellings.forget(jobOrder)
    this.#refused.set(jobOrder, to)
    this.#parts.real.after(SWEEP_MS, () => void this.#refused.delete(jobOrder))
    const revoked = await this.#parts.store.transaction(async (tx) => {
      const job = await tx.get('job-order', jobOrder)
      if (job?.state !== 'AllowedToStart' || job.substate === 'Loaded') return false
      await changeJobOrder(tx, job, 'RevokeStart', { actor: this.#settings.actor, why: `${this.#nameOf(to)} refused it: ${said}` })
      return true
    })
    if (revoked) this.#tellPeople('TAKT_DISPATCH_REFUSED', to, jobOrder, `${this.#nameOf(to)} refuses ${jobOrder}: ${said}`)
  }

  /** A person lets a job order begin; its unit is told as soon as it is free. Throws TAKT_JOB_ORDER_UNKNOWN, TAKT_JOB_ORDER_NOT_READY, TAKT_UNIT_HELD, TAKT_PROCEDURE_OPEN, TAKT_UNIT_NOT_BACK, TAKT_DISPATCH_SHADOW. */
  async start(jobOrder: string, actor: string): Promise<JobOrder> {
    const where = `job order ${jobOrder}`
    if (this.#settings.autonomy === 'shadow') throw new TaktError('TAKT_DISPATCH_SHADOW', { where })
    const started = await this.#parts.store.transaction(async (tx) => {
      const job = await tx.get('job-order', jobOrder)
      if (job === undefined) throw new TaktError('TAKT_JOB_ORDER_UNKNOWN', { what: `there is no job order '${jobOrder}'`, where })
      if (job.state === 'AllowedToStart') return job
      const missing = job.equipment === null ? 'no plan says on which unit' : 'an operation before it has not ended, or its lot or order is held'
      if (job.state === 'NotAllowedToStart' && (job.substate === 'Waiting' || job.equipment === null)) {
        throw new TaktError('TAKT_JOB_ORDER_NOT_READY', { what: missing, where })
      }
      await assertUnitNotHeld(tx, job)
      await assertProcedure(tx, job, 'start')
      await assertBack(tx, job)
      return changeJobOrder(tx, job, 'Start', { actor, why: 'a person started it' })
    })
    if (started.equipment !== null) this.look(started.equipment)
    return started
  }

  /** Looks at a unit soon; at all units that have spoken when none is named. */
  look(equipment?: string): void {
    if (this.#stopped) return
    for (const unit of equipment === undefined ? this.#units.keys() : [equipment]) this.#dirty.add(unit)
    this.#working ??= this.#work()
  }

  /** Resolves when nothing is left to look at. */
  async idle(): Promise<void> {
    while (this.#working !== undefined) await this.#working
  }

  stop(): void {
    this.#stopped = true
    this.#unsubscribe()
    this.#sweep()
    this.#tellings.clear()
    for (const cancel of this.#timers.values()) cancel()
  }

  #hear(event: LedgerEvent): void {
    if (event.type === 'plan.published') this.look()
    // the step that it waited for may have been the last before its start
    else if (event.type.startsWith('procedure-run.')) this.look((event.after as ProcedureRun).equipment)
    // a unit was held, or let go on
    else if (event.type === 'disruption.acted' || event.type === 'disruption.withdrawn') this.look((event.after as Disruption).equipment)
    // a repaired unit gets more, or less, than before
    else if (RETURNS.has(event.type)) this.look((event.after as WorkOrder).equipment)
    else if (event.type === 'machine-state.changed') this.machineState(event.after as MachineState)
    // parts counted on a running unit change nothing about what comes next
    else if (event.type === 'job-order.progress' && isUnderWay(event.after as JobOrder)) return
    else if (event.type.startsWith('job-order.')) {
      const job = event.after as JobOrder | null
      // what it had, another unit may wait for
      if (job !== null && GIVES_BACK.has(event.type) && holdsResources(job, this.#parts.plant())) return this.look()
      for (const job of [event.before, event.after] as (JobOrder | null)[]) if (typeof job?.equipment === 'string') this.look(job.equipment)
    }
  }

  #sweepAll(): void {
    this.look()
    this.#sweep = this.#parts.real.after(SWEEP_MS, () => this.#sweepAll())
  }

  async #work(): Promise<void> {
    // callers of the same turn are looked at together
    await Promise.resolve()
    for (let [unit] = this.#dirty; unit !== undefined && !this.#stopped; [unit] = this.#dirty) {
      this.#dirty.delete(unit)
      try {
        await this.#lookAt(unit)
      } catch (thrown) {
        // the store is away or busy; the next sweep looks again
        if (!this.#stopped) this.#parts.problem(toTaktError(thrown, `dispatch to ${unit}`), null)
      }
    }
    this.#working = undefined
  }

  async #lookAt(equipment: string): Promise<void> {
    this.#timers.get(equipment)?.()
    this.#timers.delete(equipment)
    const view = await this.#view(this.#parts.store, equipment)
    this.#forgetSettled(view)
    const step = nextStep(view)
    if (step.do !== 'start') this.#offered.delete(equipment)
    // in shadow, and where another instance acts, everything is looked at and nothing is done
    if (this.#settings.autonomy === 'shadow' || this.#parts.leads?.() === false) return
    switch (step.do) {
      case 'wait':
        if (step.until !== undefined) this.#lookLater(equipment, step.until)
        return
      case 'start':
        if (await this.#lacks(this.#parts.store, equipment, step.job)) {
          this.#offered.delete(equipment)
          return this.#lookLater(equipment, view.now + LACKING_MS)
        }
        return this.#settings.autonomy === 'auto' ? this.#start(equipment, step.job) : this.#offer(equipment, step.job)
      case 'tell':
        return this.#tellUnit(equipment, step.job)
      case 'acknowledged':
        return this.#watchTaken(equipment, step.job, view)
      case 'revoke':
        return this.#revoke(equipment, step)
      case 'cut':
        return this.#cut(equipment)
      case 'stop':
        return this.#stopUnit(equipment, step.job)
    }
  }

  async #view(reader: Parameters<typeof readUnitView>[0], equipment: string): Promise<UnitView> {
    const view = await readUnitView(reader, this.#units, equipment)
    const now = this.#parts.clock.now()
    return {
      ...view,
      now,
      jobs: view.jobs.filter((job) => !this.#refused.has(job.id)),
      open: this.#parts.plant().openWindows(equipment, now, now + 1).length > 0,
      toleranceMs: this.#settings.toleranceMs,
    }
  }

  async #start(equipment: string, job: JobOrder): Promise<void> {
    const allowed = await this.#parts.store.transaction(async (tx) => {
      // the same question once more, now that nobody can change the answer
      const step = nextStep(await this.#view(tx, equipment))
      if (step.do !== 'start' || step.job.id !== job.id || (await this.#lacks(tx, equipment, job))) return undefined
      const why = step.job.maintenance === undefined ? `${this.#nameOf(equipment)} is free and it is next` : `the repair of ${this.#nameOf(equipment)} is due`
      return changeJobOrder(tx, step.job, 'Start', { actor: this.#settings.actor, why })
    })
    if (allowed !== undefined) await this.#tellUnit(equipment, allowed)
  }

  /** The unit is on trial: it gets the first parts of its next job order, the rest may go to any unit. */
  async #cut(equipment: string): Promise<void> {
    await this.#parts.store.transaction(async (tx) => {
      const step = nextStep(await this.#view(tx, equipment))
      if (step.do !== 'cut') return
      const why = `${this.#nameOf(equipment)} is on trial after its repair and gets ${step.parts} parts at a time`
      await cutJobOrder(tx, step.job, step.parts, { actor: this.#settings.actor, why })
    })
    this.look(equipment)
  }

  /** Others have the people, the crew or the tool that it needs, or steps of its procedure come before. */
  async #lacks(reader: StoreReader, equipment: string, job: JobOrder): Promise<boolean> {
    if ((await openProcedure(reader, job, 'start')) !== undefined) return true
    return (await lackingNow(reader, this.#parts.plant(), this.#parts.clock.now(), job, equipment)) !== undefined
  }

  #offer(equipment: string, job: JobOrder): void {
    const shown = this.#offered.get(equipment)
    this.#offered.set(equipment, job)
    if (shown?.id !== job.id || shown.plannedStart !== job.plannedStart) this.#parts.waiting(job)
  }

  async #tellUnit(equipment: string, job: JobOrder): Promise<void> {
    const telling = this.#tellings.get(job.id)
    if (telling !== undefined && !telling.overdue) return
    const attempt = (telling?.attempt ?? 0) + 1
    const { ackTimeoutMs, commands: names } = this.#settings
    const document = await commandFor(this.#parts.store, job, equipment, { names, attempt, expires: this.#expiry() })
    this.#tellings.expect(job.id, attempt, ackTimeoutMs * 2 ** Math.min(4, Math.max(0, attempt - PATIENCE)), () => this.look(equipment))
    if (attempt === PATIENCE + 1) {
      const what = `${this.#nameOf(equipment)} was told ${PATIENCE} times to begin ${job.id} and does not name it`
      this.#tellPeople('TAKT_DISPATCH_NO_ANSWER', equipment, job.id, what)
    }
    this.#parts.command(document)
  }

  /** The unit names what it was told. When it shows for long that it is through with it, beginning and end were not seen. */
  async #watchTaken(equipment: string, job: JobOrder, { unit }: UnitView): Promise<void> {
    if (unit === undefined || !isThrough(unit, job)) return this.#tellings.forget(job.id)
    const telling = this.#tellings.get(job.id)
    if (telling === undefined) return this.#tellings.expect(job.id, 0, this.#settings.ackTimeoutMs, () => this.look(equipment))
    if (!telling.overdue) return
    this.#tellings.forget(job.id)
    const why = `${this.#nameOf(equipment)} has been ${unit.state} with it for long`
    await this.#parts.store.transaction((tx) => endUnseen(tx, job.id, unit, { actor: this.#settings.actor, why }))
  }

  async #revoke(equipment: string, { job, why }: Extract<NextStep, { do: 'revoke' }>): Promise<void> {
    this.#tellings.forget(job.id)
    await this.#parts.store.transaction(async (tx) => {
      const step = nextStep(await this.#view(tx, equipment))
      if (step.do === 'revoke' && step.job.id === job.id) await changeJobOrder(tx, step.job, 'RevokeStart', { actor: this.#settings.actor, why })
    })
  }

  /** People ended a job order that the unit goes on with. A unit that ends it by itself says so in a moment. */
  #stopUnit(equipment: string, job: JobOrder): void {
    const key = stopKeyOf(job.id)
    const telling = this.#tellings.get(key)
    if (telling !== undefined && !telling.overdue) return
    const attempt = telling === undefined ? 0 : telling.attempt + 1
    const waitMs = attempt === 0 ? Math.min(MOMENT_MS, this.#settings.ackTimeoutMs) : this.#settings.ackTimeoutMs
    this.#tellings.expect(key, attempt, waitMs, () => this.look(equipment))
    if (attempt === 0) return
    const { stop: name } = this.#settings.commands
    this.#parts.command({ kind: 'command', id: commandIdOf(key, attempt), to: equipment, name, arguments: { jobOrder: job.id }, expires: this.#expiry() })
  }

  /** Forgets what nobody waits for any more: the unit runs it, or it was taken back. */
  #forgetSettled({ jobs, named, unit }: UnitView): void {
    for (const job of jobs) if (isUnderWay(job) || job.state === 'NotAllowedToStart') this.#tellings.forget(job.id)
    if (named !== undefined && unit !== undefined && unit.state !== 'Execute' && unit.state !== 'Starting') this.#tellings.forget(stopKeyOf(named.id))
  }

  #expiry(): number {
    const { clock } = this.#parts
    return clock.now() + EXPIRES_AFTER * this.#settings.ackTimeoutMs * Math.max(1, clock.rate)
  }

  #lookLater(equipment: string, until: number): void {
    const { clock } = this.#parts
    const cancel = clock.after(Math.max(1, until - clock.now()), () => this.look(equipment))
    this.#timers.set(equipment, cancel)
  }

  #tellPeople(code: 'TAKT_DISPATCH_NO_ANSWER' | 'TAKT_DISPATCH_REFUSED', equipment: string, jobOrder: string, what: string): void {
    this.#parts.problem(new TaktError(code, { what, where: equipment }), jobOrder)
  }

  #nameOf(equipment: string): string {
    return this.#parts.plant().nameOf(equipment)
  }
}

const stopKeyOf = (jobOrder: string): string => `${jobOrder}-stop`

/** Would the unit look like this had it done the job order already? */
function isThrough(unit: UnitState, job: JobOrder): boolean {
  if (job.maintenance === undefined) return unit.state === 'Complete' || unit.state === 'Stopped'
  return unit.mode !== 'Maintenance' && ['Complete', 'Stopped', 'Idle', 'Aborted'].includes(unit.state)
}
