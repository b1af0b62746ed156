import type { Receipt } from '../messages/command.ts'
import type { Characteristic, Equipment, Signal } from '../plant/model.ts'
import type { Plant } from '../plant/plant.ts'
import { type MachineCommand, parseJob } from './commands.ts'
import { type Activity, drift, type Feel, readCondition, temperatureHigh, warm } from './conditions.ts'
import { Dice, seedOf } from './dice.ts'
import { isOutOfSpec, measure } from './gauge.ts'
import type { InterventionRow, Step, StopRow } from './happenings.ts'
import type { ModeName, StateName } from './packml.ts'
import { scrapShare, severity, wearStep } from './wear.ts'

/** What the machine was told to make; for maintenance the repair it is under. */
export interface UnitJob {
  id: string
  lot: string
  product: string
  operation: string
  family: string
  quantity: number
  setupMs: number
  perPieceMs: number
  good: number
  scrap: number
}

/** Everything a unit is, as plain JSON: saved between steps and continued from. */
export interface UnitState {
  state: StateName
  mode: ModeName
  job: UnitJob | null
  /** lifetime totals */
  good: number
  scrap: number
  wear: number
  /** worn out: only a repair helps */
  failed: boolean
  /** coming parts that will be out of specification for certain */
  spoil: number
  /** what it is set up for */
  family: string
  temperature: number
  loadDrift: number
  /** plant time up to which it has lived */
  at: number
  /** when the present state or the present part ends; null: only a command changes it */
  due: number | null
  repair: { startedAt: number; endsAt: number; unplanned: boolean } | null
  /** number of the next sampling instant */
  tick: number
  /** cutting time since the last sampling instant */
  executedMs: number
  random: number
  /** the newest job orders and commands it has obeyed: told again, it answers done and does nothing */
  jobs: string[]
  commands: string[]
}

const SAMPLE_MS = 30_000
const HEARTBEAT_MS = 60_000
const MEMORY = 100
const DEFECT_SHARE = 0.0003
/** Times of the states that a machine passes through by itself. */
const PASSING_MS = { Clearing: 2000, Resetting: 2000, Idle: 1000, Stopping: 3000, Aborting: 1000, Completing: 1000, Starting: 2000 } as const

/** A machine as first delivered: idle, counters somewhere in their life, a little worn. */
export function newUnitState(id: string, seed: number, at: number, wear?: number): UnitState {
  const dice = new Dice(seedOf(seed, id))
  return {
    state: 'Idle',
    mode: 'Produce',
    job: null,
    good: Math.floor(dice.between(0, 65_000)),
    scrap: Math.floor(dice.between(0, 900)),
    wear: wear ?? dice.between(0.02, 0.35),
    failed: false,
    spoil: 0,
    family: '',
    temperature: 22,
    loadDrift: 0,
    at,
    due: null,
    repair: null,
    tick: 0,
    executedMs: 0,
    random: dice.state,
    jobs: [],
    commands: [],
  }
}

/**
 * One machine: PackML states, parts, wear, sensors, commands. Pure: time comes with each call, chance from its own seeded dice, results go into the step.
 * Events happen at their exact times however the calls cut the time, so a run depends on the seed and the commands alone.
 */
export class UnitSimulation {
  readonly #plant: Plant
  readonly #equipment: Equipment
  readonly #state: UnitState
  readonly #dice: Dice
  readonly #conditions: readonly Signal[]
  readonly #gauges: ReadonlySet<string>
  readonly #sampleMs: number
  readonly #phaseMs: number
  readonly #temperatureHigh: number
  readonly #unitFactor: number

  constructor(plant: Plant, equipment: Equipment, state: UnitState) {
    this.#plant = plant
    this.#equipment = equipment
    this.#state = state
    this.#dice = new Dice(state.random)
    const signals = equipment.signals ?? []
    this.#conditions = signals.filter((signal) => signal.role === 'condition')
    this.#gauges = new Set(signals.filter((signal) => signal.role === 'characteristic').map((signal) => signal.name))
    this.#sampleMs = Math.min(SAMPLE_MS, ...this.#conditions.map((signal) => signal.everyMs ?? SAMPLE_MS))
    // machines do not sample in step with each other
    this.#phaseMs = seedOf(0, equipment.id) % this.#sampleMs
    this.#temperatureHigh = temperatureHigh(signals)
    this.#unitFactor = 0.94 + (seedOf(7, equipment.id) % 1000) / 8333
    if (state.tick === 0) state.tick = Math.floor((state.at - this.#phaseMs) / this.#sampleMs) + 1
  }

  get id(): string {
    return this.#equipment.id
  }

  /** Its state for saving. The same object stays in use: copy or serialise it at once. */
  get state(): UnitState {
    this.#state.random = this.#dice.state
    return this.#state
  }

  /** Lives up to `to`. */
  advance(to: number, step: Step): void {
    for (;;) {
      const sampleAt = this.#state.tick * this.#sampleMs + this.#phaseMs
      const due = this.#state.due ?? Number.POSITIVE_INFINITY
      const next = Math.min(sampleAt, due)
      if (next > to) break
      this.#live(next)
      if (next === due) this.#due(next, step)
      else this.#sample(next, step)
    }
    this.#live(to)
  }

  /** Obeys a command, or refuses it with a reason. Call `advance(now)` first. */
  command(command: MachineCommand, now: number, step: Step): Receipt {
    const receipt = this.#obey(command, now, step)
    if (receipt.status === 'done' && command.id !== '' && !this.#state.commands.includes(command.id)) remember(this.#state.commands, command.id)
    step.rows.push({
      kind: 'command',
      time: now,
      unit: this.id,
      command: command.id,
      name: command.name,
      status: receipt.status,
      reason: receipt.reason ?? null,
    })
    return receipt
  }

  /** Makes it nearly or wholly worn out. */
  break(wear: number, now: number, step: Step): void {
    this.#state.wear = Math.max(0, wear)
    this.#intervened('break', wear, now, step)
  }

  /** The next `parts` parts will be out of specification, and only the gauge will see it. */
  spoil(parts: number, now: number, step: Step): void {
    this.#state.spoil = parts
    this.#intervened('spoil', parts, now, step)
  }

  /** As first delivered, but with its counters and its memory of jobs: those never go back. */
  reset(fresh: UnitState, now: number, step: Step): void {
    const { good, scrap, jobs, commands, tick, at } = this.#state
    Object.assign(this.#state, fresh, { good, scrap, jobs, commands, tick, at })
    this.#publishStatus(now, step)
    this.#intervened('reset', fresh.wear, now, step)
  }

  /** Says everything about itself, as a machine does to a client that has just come. */
  publishStatus(now: number, step: Step): void {
    this.#publishStatus(now, step, false)
  }

  #obey(command: MachineCommand, now: number, step: Step): Receipt {
    const done: Receipt = { kind: 'receipt', of: command.id, to: this.id, status: 'done', time: now }
    const refuse = (reason: string): Receipt => ({ ...done, status: 'refused', code: 'TAKT_SIMULATOR_COMMAND_REFUSED', reason })
    const unit = this.#state
    if (command.expires !== undefined && command.expires < now) return { ...done, status: 'expired', reason: 'it arrived after it expired' }
    if (unit.commands.includes(command.id)) return done
    const job = command.name === 'start-job' || command.name === 'enter-maintenance' ? parseJob(command, this.#plant, this.id, unit.family) : null
    if (typeof job === 'string') return refuse(job)
    if (job !== null && unit.jobs.includes(job.id)) return done
    if (unit.mode === 'Maintenance') return refuse(`under repair until ${new Date(unit.repair?.endsAt ?? now).toISOString()}`)

    switch (command.name) {
      case 'start-job':
        if (unit.failed) return refuse('worn out: it needs maintenance first')
        if (job === null || !['Idle', 'Complete', 'Stopped'].includes(unit.state) || unit.due !== null) return refuse(this.#busy())
        this.#take(job, now, step)
        this.#enter(unit.state === 'Idle' ? 'Idle' : 'Resetting', now, step)
        return done
      case 'enter-maintenance':
        if (job === null || !['Idle', 'Complete', 'Stopped', 'Aborted'].includes(unit.state) || unit.due !== null) return refuse(this.#busy())
        this.#beginRepair(job, now, step)
        return done
      case 'stop':
        if (unit.state === 'Aborted' || unit.state === 'Aborting') return refuse('it is aborted')
        if (unit.state === 'Stopped' || unit.state === 'Stopping') return done
        // meant for a job that is over: the present one must not suffer for it
        if (typeof command.arguments.jobOrder === 'string' && command.arguments.jobOrder !== unit.job?.id) return refuse(this.#busy())
        this.#halt('stop', now, step)
        return done
      case 'abort':
        if (unit.state !== 'Aborted' && unit.state !== 'Aborting') this.#halt('abort', now, step)
        return done
      case 'reset':
        if (unit.failed) return refuse('worn out: only maintenance makes it well again')
        if (unit.state === 'Idle' && unit.job === null) return done
        if (!['Idle', 'Complete', 'Stopped', 'Aborted'].includes(unit.state) || unit.due !== null) return refuse(this.#busy())
        unit.job = null
        this.#enter(unit.state === 'Aborted' ? 'Clearing' : 'Resetting', now, step)
        return done
      default:
        return refuse(`it knows no command '${command.name}'`)
    }
  }

  #busy(): string {
    const { state, job } = this.#state
    return job === null ? `its state is ${state}` : `its state is ${state} with ${job.id}`
  }

  #take(job: UnitJob, now: number, step: Step): void {
    this.#state.job = job
    remember(this.#state.jobs, job.id)
    step.rows.push({ kind: 'job-started', time: now, unit: this.id, job: job.id, lot: job.lot, good: 0, scrap: 0 })
  }

  #halt(cause: StopRow['cause'], now: number, step: Step): void {
    this.#enter(cause === 'stop' ? 'Stopping' : 'Aborting', now, step)
    step.rows.push({ kind: 'stop', time: now, unit: this.id, cause, job: this.#state.job?.id ?? '', wear: this.#state.wear })
  }

  #beginRepair(job: UnitJob, now: number, step: Step): void {
    const unit = this.#state
    const unplanned = unit.failed
    // how long a repair takes is the machine's matter; what the planner thought (perPieceMs holds its durationMs) counts only where the model is silent
    const usual = this.#equipment.maintenance?.[unplanned ? 'unplanned' : 'planned'].durationMs ?? job.perPieceMs
    const durationMs = Math.round(usual * this.#dice.between(0.95, 1.05))
    unit.repair = { startedAt: now, endsAt: now + durationMs, unplanned }
    unit.mode = 'Maintenance'
    unit.job = job
    remember(unit.jobs, job.id)
    step.rows.push({ kind: 'repair-started', time: now, unit: this.id, job: job.id, unplanned, durationMs })
    this.#enter('Starting', now, step)
  }

  #endRepair(now: number, step: Step): void {
    const unit = this.#state
    const { startedAt, unplanned } = unit.repair ?? { startedAt: now, unplanned: false }
    unit.repair = null
    unit.mode = 'Produce'
    unit.wear = this.#dice.between(0.01, 0.05)
    unit.failed = false
    unit.spoil = 0
    step.rows.push({ kind: 'repair-ended', time: now, unit: this.id, job: unit.job?.id ?? '', unplanned, durationMs: now - startedAt })
  }

  /** The present state, or the present part, has come to its end. */
  #due(now: number, step: Step): void {
    const unit = this.#state
    switch (unit.state) {
      case 'Clearing':
      case 'Stopping':
        return this.#enter('Stopped', now, step)
      case 'Aborting':
        return this.#enter('Aborted', now, step)
      case 'Resetting':
        return this.#enter('Idle', now, step)
      case 'Idle':
        return this.#enter('Starting', now, step)
      case 'Starting':
        return this.#enter('Execute', now, step)
      case 'Execute':
        return unit.mode === 'Maintenance' ? this.#enter('Completing', now, step) : this.#finishPart(now, step)
      case 'Completing':
        if (unit.mode === 'Maintenance') this.#endRepair(now, step)
        else this.#endJob(now, step)
        return this.#enter('Complete', now, step)
      default:
        unit.due = null
    }
  }

  #enter(state: StateName, now: number, step: Step): void {
    const unit = this.#state
    unit.state = state
    unit.due = this.#endOf(state, now)
    if (state === 'Execute' && unit.job !== null && unit.mode === 'Produce') unit.family = unit.job.family
    this.#publishStatus(now, step)
  }

  #endOf(state: StateName, now: number): number | null {
    const { job, mode, repair } = this.#state
    switch (state) {
      case 'Stopped':
      case 'Aborted':
      case 'Complete':
        return null
      case 'Idle':
        return job === null ? null : now + PASSING_MS.Idle
      case 'Starting':
        if (mode === 'Maintenance') return now + PASSING_MS.Starting
        return now + Math.max(PASSING_MS.Starting, Math.round((job?.setupMs ?? 0) * Math.min(1.25, Math.max(0.8, 1 + 0.05 * this.#dice.normal()))))
      case 'Execute':
        return mode === 'Maintenance' ? Math.max(now, (repair?.endsAt ?? now) - PASSING_MS.Completing) : now + this.#cycleMs()
      default:
        return now + PASSING_MS[state]
    }
  }

  #cycleMs(): number {
    return Math.max(100, Math.round((this.#state.job?.perPieceMs ?? 60_000) * Math.exp(0.035 * this.#dice.normal())))
  }

  #finishPart(now: number, step: Step): void {
    const unit = this.#state
    const { job } = unit
    if (job === null) return this.#enter('Completing', now, step)
    const serial = `${this.id.slice(this.id.lastIndexOf('/') + 1)}-${unit.good + unit.scrap + 1}`
    const spoiled = unit.spoil > 0
    const scrap = !spoiled && this.#dice.chance(scrapShare(unit.wear))
    const measured: Record<string, number> = {}
    let bad = false
    for (const characteristic of scrap ? [] : this.#characteristics(job)) {
      const value = measure(characteristic, unit.wear, spoiled || this.#dice.chance(DEFECT_SHARE), this.#dice)
      measured[characteristic.id] = value
      bad ||= isOutOfSpec(characteristic, value)
    }
    if (spoiled) unit.spoil--
    const result = scrap ? 'scrap' : 'good'
    unit[result]++
    job[result]++
    const { id, lot, product, operation } = job
    step.rows.push({ kind: 'part', time: now, unit: this.id, job: id, lot, product, operation, serial, result, bad, measured })
    for (const [characteristic, value] of Object.entries(measured)) {
      const every = this.#plant.characteristic(product, operation, characteristic)?.every ?? 1
      if (!this.#gauges.has(characteristic) || (job.good + job.scrap) % every !== 0) continue
      step.publications.push({ kind: 'gauge', unit: this.id, time: now, characteristic, value, job: id, lot, serial, product })
    }
    if (job.good + job.scrap >= job.quantity) return this.#enter('Completing', now, step)
    unit.due = now + this.#cycleMs()
    this.#publishStatus(now, step)
  }

  #characteristics(job: UnitJob): readonly Characteristic[] {
    return this.#plant.operation(job.product, job.operation)?.characteristics ?? []
  }

  #endJob(now: number, step: Step): void {
    const { job } = this.#state
    if (job !== null) step.rows.push({ kind: 'job-ended', time: now, unit: this.id, job: job.id, lot: job.lot, good: job.good, scrap: job.scrap })
  }

  /** A sampling instant: wear catches up with the cutting done since the last, the worn-out fail, sensors speak. */
  #sample(now: number, step: Step): void {
    const unit = this.#state
    unit.wear += wearStep(unit.wear, unit.executedMs, this.#dice)
    unit.executedMs = 0
    unit.loadDrift = drift(unit.loadDrift, this.#dice)
    unit.temperature = warm(this.#feel(), this.#sampleMs, this.#temperatureHigh)
    if (unit.wear >= 1 && !unit.failed && unit.mode === 'Produce') {
      unit.failed = true
      if (unit.state !== 'Aborting' && unit.state !== 'Aborted') this.#halt('failure', now, step)
    }
    const feel = this.#feel()
    for (const signal of this.#conditions) {
      if (unit.tick % Math.max(1, Math.round((signal.everyMs ?? this.#sampleMs) / this.#sampleMs)) !== 0) continue
      step.publications.push({ kind: 'condition', unit: this.id, time: now, signal: signal.name, value: readCondition(signal, feel, this.#dice) })
    }
    if (unit.tick % Math.max(1, Math.round(HEARTBEAT_MS / this.#sampleMs)) === 0) this.#publishStatus(now, step, false)
    unit.tick++
  }

  #feel(): Feel {
    const { wear, job, loadDrift, temperature } = this.#state
    return {
      activity: this.#activity(),
      severity: severity(wear),
      productFactor: job === null ? 1 : 0.95 + (seedOf(3, job.product) % 1000) / 10_000,
      unitFactor: this.#unitFactor,
      loadDrift,
      temperature,
    }
  }

  #activity(): Activity {
    const { state, mode } = this.#state
    if (mode === 'Maintenance') return 'idle'
    return state === 'Execute' ? 'running' : state === 'Starting' ? 'setup' : 'idle'
  }

  #live(to: number): void {
    const unit = this.#state
    if (unit.state === 'Execute' && unit.mode === 'Produce') unit.executedMs += Math.max(0, to - unit.at)
    unit.at = Math.max(unit.at, to)
  }

  #publishStatus(time: number, step: Step, changed = true): void {
    const { state, mode, job, good, scrap } = this.#state
    const made = job === null ? {} : { made: { good: job.good, scrap: job.scrap } }
    step.publications.push({ kind: 'status', unit: this.id, time, state, mode, job: job?.id ?? '', good, scrap, changed, ...made })
  }

  #intervened(what: InterventionRow['what'], value: number, time: number, step: Step): void {
    step.rows.push({ kind: 'intervention', time, unit: this.id, what, value })
  }
}

/** Keeps the newest; older than that nobody repeats. */
function remember(list: string[], id: string): void {
  list.push(id)
  if (list.length > MEMORY) list.shift()
}
