import type { Plant } from '../../../plant/plant.ts'
import type { PlanningFacts } from '../read-facts.ts'

/** Set-up families as numbers, and the set-up times from one to another by unit. */
export class SetupFamilies {
  readonly #plant: Plant
  readonly #numbers = new Map<string, number>()
  readonly #matrices = new Map<string, readonly (readonly number[])[]>()

  constructor({ jobs, lastFamily }: PlanningFacts, plant: Plant) {
    this.#plant = plant
    for (const job of jobs) if (job.setupFamily !== undefined) this.#learn(job.setupFamily)
    for (const family of lastFamily.values()) this.#learn(family)
  }

  /** −1 for none. */
  of(name: string | undefined): number {
    return this.#numbers.get(name ?? '') ?? -1
  }

  /** From family to family; −1 where an alternative's own set-up applies. */
  matrix(unit: string): readonly (readonly number[])[] | undefined {
    if (this.#numbers.size === 0) return undefined
    // units of the same classes have the same matrix, which goes to the searching thread only once
    const classes = (this.#plant.equipment(unit)?.classes ?? []).join('\n')
    const known = this.#matrices.get(classes) ?? this.#matrixOf(unit)
    this.#matrices.set(classes, known)
    return known
  }

  #matrixOf(unit: string): readonly (readonly number[])[] {
    const families = [...this.#numbers.keys()]
    // without a matrix, the same family needs no set-up and another one the alternative's own
    const setup = (from: string, to: string): number => this.#plant.setupMs(unit, from, to) ?? (from === to ? 0 : -1)
    return families.map((from) => families.map((to) => setup(from, to)))
  }

  #learn(name: string): void {
    if (!this.#numbers.has(name)) this.#numbers.set(name, this.#numbers.size)
  }
}
