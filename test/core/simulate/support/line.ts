import { join } from 'node:path'
import { packageRoot } from '../../../../core/base/package-root.ts'
import type { Receipt } from '../../../../core/messages/command.ts'
import { loadPlant } from '../../../../core/plant/load-plant.ts'
import type { Publication, Step } from '../../../../core/simulate/happenings.ts'
import { totalsOf } from '../../../../core/simulate/ledger.ts'
import { PlantSimulation, type SimulationOptions } from '../../../../core/simulate/plant-simulation.ts'

export const referencePlant = loadPlant(join(packageRoot, 'flows', 'reference-plant.json'))
export const LINE = 'acme/berlin/machining/line-1'
export const START = Date.UTC(2026, 0, 12, 5)
export const MINUTE = 60_000
export const HOUR = 60 * MINUTE

export const OPTIONS: SimulationOptions = {
  plant: referencePlant,
  seed: 7,
  start: START,
  wornUnit: 'mill-2',
  wornAt: 0.68,
  ordersPerHour: 2,
  ordersAhead: 6,
}

/** A simulation with everything that it gave so far, for tests. */
export class Line {
  readonly simulation: PlantSimulation
  readonly steps: Step = { publications: [], rows: [] }
  #command = 0

  constructor(options: Partial<SimulationOptions> = {}, saved?: ConstructorParameters<typeof PlantSimulation>[1]) {
    this.simulation = new PlantSimulation({ ...OPTIONS, ...options }, saved)
  }

  get totals() {
    return totalsOf(this.steps.rows)
  }

  take(step: Step): void {
    for (const publication of step.publications) this.steps.publications.push(publication)
    for (const row of step.rows) this.steps.rows.push(row)
  }

  run(durationMs: number): this {
    this.take(this.simulation.advance(this.simulation.time + durationMs))
    return this
  }

  command(unit: string, name: string, args: Record<string, unknown> = {}, id = `cmd-${++this.#command}`): Receipt {
    const step: Step = { publications: [], rows: [] }
    const receipt = this.simulation.command(`${LINE}/${unit}`, { id, name, arguments: args }, step)
    this.take(step)
    return receipt
  }

  start(unit: string, jobOrder: string, quantity = 10, more: Record<string, unknown> = {}): Receipt {
    return this.command(unit, 'start-job', { jobOrder, lot: `lot-${jobOrder}`, quantity, setupMs: 5 * MINUTE, perPieceMs: MINUTE, ...more })
  }

  state(unit: string) {
    return structuredClone(this.simulation.state.units[`${LINE}/${unit}`]!)
  }

  of<K extends Publication['kind']>(kind: K, unit: string): Array<Extract<Publication, { kind: K }>> {
    return this.steps.publications.filter(
      (publication): publication is Extract<Publication, { kind: K }> => publication.kind === kind && publication.unit === `${LINE}/${unit}`,
    )
  }

  /** Keeps every unit busy with jobs that its class makes. */
  work(durationMs: number, stepMs = MINUTE): this {
    let next = 0
    for (const end = this.simulation.time + durationMs; this.simulation.time < end; ) {
      for (const unit of referencePlant.units) {
        const name = unit.id.slice(unit.id.lastIndexOf('/') + 1)
        if (!['Idle', 'Complete'].includes(this.state(name).state)) continue
        const [product, operation] = this.#workFor(unit.id, next)
        this.start(name, `jo-${name}-${next++}`, 6, { lot: `lot-${next % 5}`, product, operation, setupMs: 2 * MINUTE, perPieceMs: undefined })
      }
      this.run(stepMs)
    }
    return this
  }

  #workFor(unit: string, turn: number): [string, string] {
    const can = (referencePlant.model.workMasters ?? []).flatMap((master) =>
      master.operations
        .filter((operation) => referencePlant.unitsFor(operation).some((candidate) => candidate.equipment === unit))
        .map((operation): [string, string] => [master.id, operation.id]),
    )
    return can[turn % can.length]!
  }
}
