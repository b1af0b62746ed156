import type { Clock } from '../base/clock.ts'
import { toTaktError } from '../base/error.ts'
import { StateFile } from '../base/state-file.ts'
import type { Receipt } from '../messages/command.ts'
import type { MachineCommand } from './commands.ts'
import type { GaugePublication, Publication, SimulatedOrder, Step } from './happenings.ts'
import { SimulationLedger } from './ledger.ts'
import { PlantSimulation, type SimulationOptions, type SimulationState } from './plant-simulation.ts'

/** A way in which the machines talk: MQTT, OPC UA. */
export interface Face {
  /** Puts what happened on the wires, in order. */
  publish(publications: readonly Publication[]): void
  /** Readings of gauges that nobody has acknowledged yet: a gauge keeps them, they are said only once. */
  pending(): readonly GaugePublication[]
  close(): Promise<void>
}

/** What is on disk between runs. */
export interface SavedRun {
  readonly simulation: SimulationState
  readonly ledgerBytes: number
  /** plant time that no clock had passed when this was saved: continue there, and plant time never goes back */
  readonly horizon: number
  readonly pending: readonly GaugePublication[]
}

export interface RunnerOptions {
  readonly simulation: SimulationOptions
  readonly clock: Clock
  /** JSON file of the state; replaced as a whole */
  readonly stateFile: string
  /** JSON lines of what was really made */
  readonly ledgerFile: string
  /** hears of every step, after it is on disk */
  readonly onStep?: (step: Step) => void
  readonly onError?: (error: Error) => void
}

const TICK_MS = 100
const HORIZON_MS = 2000
/** After a standstill the machines have lived on, but their sensors' values of that time are gone. */
const FRESH_MS = 10 * 60_000
const SLICE_MS = 60 * 60_000

/** The run that a state file holds, or nothing when there is none. */
export function loadRun(stateFile: string): SavedRun | undefined {
  const saved = new StateFile(stateFile).load() as SavedRun | undefined
  return saved?.simulation?.version === 1 ? saved : undefined
}

/**
 * Lets a simulated plant live in step with a clock. State and ledger are on disk before anything is published, so a process that is killed
 * continues with counters that never go back; what it published and had not saved it lives again, with the same values.
 * (No fsync: this outlives its process, not the power.)
 */
export class SimulationRunner {
  readonly #options: RunnerOptions
  readonly #simulation: PlantSimulation
  readonly #stateFile: StateFile
  readonly #ledger: SimulationLedger
  readonly #faces: Face[] = []
  readonly #startPending: readonly GaugePublication[]
  #unsaved: Step = { publications: [], rows: [] }
  #horizon = 0
  #cancelTick = (): void => {}
  #closed = false

  constructor(options: RunnerOptions) {
    this.#options = options
    const saved = loadRun(options.stateFile)
    this.#simulation = new PlantSimulation(options.simulation, saved?.simulation)
    this.#stateFile = new StateFile(options.stateFile)
    this.#ledger = new SimulationLedger(options.ledgerFile, saved?.ledgerBytes ?? 0)
    this.#startPending = saved?.pending ?? []
  }

  /** Begins to live. Faces come first, so that they miss nothing. */
  start(faces: readonly Face[]): void {
    this.#faces.push(...faces)
    const now = this.#options.clock.now()
    while (!this.#closed && this.#simulation.time < now) {
      this.#take(this.#simulation.advance(Math.min(now, this.#simulation.time + SLICE_MS)), now - FRESH_MS)
    }
    this.#unsaved.publications.push(...this.#startPending)
    this.#settle(this.#simulation.present())
    this.#arm()
  }

  /** Plant time up to which the plant has lived, epoch ms. */
  get time(): number {
    return this.#simulation.time
  }

  /** Gives a unit a command, now. Throws TAKT_SIMULATOR_UNIT_UNKNOWN. */
  command(unit: string, command: MachineCommand): Receipt {
    return this.#now((step) => this.#simulation.command(unit, command, step))
  }

  break(unit: string, wear: number): void {
    this.#now((step) => this.#simulation.break(unit, wear, step))
  }

  spoil(unit: string, parts: number): void {
    this.#now((step) => this.#simulation.spoil(unit, parts, step))
  }

  reset(): void {
    this.#now((step) => this.#simulation.reset(step))
  }

  /** To be told when the clock was tied to another time or speed: the next tick was due by the old one. */
  clockChanged(): void {
    if (this.#closed) return
    this.#cancelTick()
    this.#now(() => {})
    this.#arm()
  }

  /** The newest orders, oldest first, to send again after a restart. */
  get recentOrders(): readonly SimulatedOrder[] {
    return this.#simulation.recentOrders
  }

  /** What every unit says about itself at this moment, for a client that has just come. */
  present(): readonly Publication[] {
    return this.#simulation.present().publications
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#cancelTick()
    await Promise.allSettled(this.#faces.map((face) => face.close()))
    try {
      this.#save(this.#options.clock.now())
    } finally {
      this.#ledger.close()
    }
  }

  #now<T>(work: (step: Step) => T): T {
    const step = this.#simulation.advance(this.#options.clock.now())
    const result = work(step)
    this.#settle(step)
    return result
  }

  #arm(): void {
    if (this.#closed) return
    const { clock } = this.#options
    this.#cancelTick = clock.after(TICK_MS * (clock.rate || 1), () => {
      if (this.#closed) return
      try {
        this.#settle(this.#simulation.advance(clock.now()))
      } catch (thrown) {
        this.#options.onError?.(toTaktError(thrown, 'simulator'))
      }
      this.#arm()
    })
  }

  #take({ publications, rows }: Step, conditionsSince = 0): void {
    for (const publication of publications) {
      if (publication.kind !== 'condition' || publication.time >= conditionsSince) this.#unsaved.publications.push(publication)
    }
    this.#unsaved.rows.push(...rows)
  }

  /** Saves what happened, then says it. What cannot be saved is kept, unsaid, until it can. */
  #settle(step: Step): void {
    const { clock, onStep } = this.#options
    this.#take(step)
    const { publications, rows } = this.#unsaved
    const changes =
      rows.length > 0 || publications.some((publication) => publication.kind !== 'condition' && !(publication.kind === 'status' && !publication.changed))
    this.#ledger.append(rows)
    // the ledger has them now; a save that fails must not write them again
    const said: Step = { publications, rows: [...rows] }
    rows.length = 0
    if (changes || clock.now() > this.#horizon - (HORIZON_MS / 2) * clock.rate) this.#save(clock.now() + HORIZON_MS * clock.rate)
    this.#unsaved = { publications: [], rows: [] }
    if (said.publications.length > 0) for (const face of this.#faces) face.publish(said.publications)
    if (said.rows.length > 0 || said.publications.length > 0) onStep?.(said)
  }

  #save(horizon: number): void {
    const unsaid = this.#unsaved.publications.filter((publication) => publication.kind === 'gauge')
    const pending = [...this.#faces.flatMap((face) => face.pending()), ...unsaid]
    const saved: SavedRun = { simulation: this.#simulation.state, ledgerBytes: this.#ledger.bytes, horizon, pending }
    this.#stateFile.save(saved)
    this.#horizon = horizon
  }
}
