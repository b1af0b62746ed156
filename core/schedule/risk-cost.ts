import type { Model } from './model.ts'
import type { Placement, ScheduleProblem } from './problem.ts'

/** Σ working time (set-up included) before the repair of each unit that may fail, times what it is expected to lose per unit of that time. */
export function riskCost(problem: ScheduleProblem, placements: readonly Placement[]): number {
  if (problem.units.every(({ risk }) => risk === undefined)) return 0
  let cost = 0
  problem.operations.forEach((operation, index) => {
    const row = placements[index]
    if (row === undefined || operation.frozen !== undefined) return
    const { risk } = problem.units[row.unit] ?? {}
    if (risk === undefined || risk.until === index) return
    if (risk.until !== undefined) {
      if (problem.operations[risk.until]?.frozen !== undefined) return
      const repair = placements[risk.until] as Placement
      // what takes no time may begin together with the repair, before it
      if (row.start > repair.start || (row.start === repair.start && row.end > row.start)) return
    }
    cost += risk.perTime * workOf(problem, operation, row)
  })
  return cost
}

/** Where an operation has several ways on one unit, that whose length fits best. */
function workOf({ setupIs }: ScheduleProblem, { alternatives }: ScheduleProblem['operations'][number], { unit, start, end, setup }: Placement): number {
  let duration = 0
  let misfit = Number.POSITIVE_INFINITY
  for (const alternative of alternatives) {
    if (alternative.unit !== unit) continue
    const off = Math.abs(end - start - alternative.duration - (setupIs === 'attached' ? setup : 0))
    if (off >= misfit) continue
    misfit = off
    duration = alternative.duration
  }
  return duration + setup
}

/** The units of a model that may fail, counted along the order of their work. */
export class UnitRisk {
  readonly #model: Model
  readonly #perTime: Float64Array
  /** The repair of each unit; −1 where there is none. */
  readonly #until: Int32Array

  private constructor(model: Model) {
    const { units, operations, weights } = model.problem
    this.#model = model
    const weight = weights.risk ?? 0
    this.#perTime = Float64Array.from(units, ({ risk }) =>
      risk === undefined || (risk.until !== undefined && operations[risk.until]?.frozen !== undefined) ? 0 : weight * risk.perTime,
    )
    const at = new Map(Array.from(model.operationOf, (index, active) => [index, active]))
    this.#until = Int32Array.from(units, ({ risk }) => at.get(risk?.until ?? -1) ?? -1)
  }

  /** Undefined where no unit may fail, or nobody cares. */
  static of(model: Model): UnitRisk | undefined {
    const risk = new UnitRisk(model)
    return risk.#perTime.some((price) => price > 0) ? risk : undefined
  }

  /** What working on a unit costs per time, until its repair. */
  price(unit: number): number {
    return this.#perTime[unit] as number
  }

  repair(unit: number): number {
    return this.#until[unit] as number
  }

  /** What the work before the repair of a unit costs as its order is now. */
  cost(unit: number, first: number, next: Int32Array, alternative: Int32Array): number {
    const price = this.#perTime[unit] as number
    if (price === 0) return 0
    const model = this.#model
    const until = this.#until[unit] as number
    let work = 0
    let previous = -1
    for (let operation = first; operation >= 0 && operation !== until; operation = next[operation] as number) {
      const own = alternative[operation] as number
      work += (model.alternativeDuration[own] as number) + model.setup(own, operation, previous)
      previous = operation
    }
    return price * work
  }
}
