import type { JobOrder } from '../../messages/job-order.ts'
import type { Plant } from '../../plant/plant.ts'
import type { Placement, ProblemNeed } from '../../schedule/problem.ts'
import type { PlanningProblem } from './build-problem.ts'
import type { PlanningFacts } from './read-facts.ts'
import { isTime } from './screen-input.ts'

/** An id that people can look up, and the beginning of a sentence. */
export interface WaitCause {
  readonly id: string
  readonly text: string
}

/**
 * Says what beside its unit a job order waits for: people or tools that another has, or that are not there, its material; and which unit it keeps away from. What it
 * says is seen in the schedule, where something else ends in the moment that the job order begins, and neither its unit nor what is before it does.
 */
export class WaitReasons {
  readonly #facts: PlanningFacts
  readonly #built: PlanningProblem
  readonly #plant: Plant
  readonly #clock: (time: number) => string
  readonly #index = new Map<string, number>()
  readonly #placements: Placement[] = []
  /** By resource, who gives it back when. */
  readonly #givenBack = new Map<number, Map<number, string>>()
  /** By resource, who needs it. */
  readonly #users = new Map<number, number[]>()
  /** By unit, when job orders end there. */
  readonly #ends = new Map<number, Set<number>>()

  constructor(facts: PlanningFacts, built: PlanningProblem, plant: Plant, clock: (time: number) => string) {
    this.#facts = facts
    this.#built = built
    this.#plant = plant
    this.#clock = clock
  }

  /** Where the schedule has a job order; all of them in the order of the problem, before the first question. */
  learn(job: JobOrder, placement: Placement): void {
    const index = this.#placements.push(placement) - 1
    this.#index.set(job.id, index)
    if (this.#built.asked.resources.length === 0) return
    this.#of(this.#ends, placement.unit, () => new Set<number>()).add(placement.end)
    for (const { resource } of this.#needsOf(index)) {
      this.#of(this.#givenBack, resource, () => new Map<number, string>()).set(placement.end, job.id)
      this.#of(this.#users, resource, () => [] as number[]).push(index)
    }
  }

  /** Its material comes after the time that the plan in force had for it; or, where it had none, it is yet to come. */
  material({ id, materialAt, plannedStart }: JobOrder, before: number | null = plannedStart): WaitCause | undefined {
    if (!isTime(materialAt) || materialAt <= this.#facts.now || (before !== null && before >= materialAt)) return undefined
    return { id, text: `Its material is there at ${this.#clock(materialAt)}` }
  }

  /** People or tools that it needs become free, or come back, in the moment that it begins. */
  resource(job: JobOrder): WaitCause | undefined {
    const index = this.#index.get(job.id)
    const { problem, asked } = this.#built
    if (index === undefined || asked.resources.length === 0 || problem.operations[index]?.frozen !== undefined) return undefined
    const { unit, start } = this.#placements[index] as Placement
    if (start <= this.#facts.now || this.#ends.get(unit)?.has(start) === true) return undefined
    const operation = problem.operations[index]
    if (operation?.notBefore === start || operation?.after.some((before) => this.#placements[before]?.end === start)) return undefined
    if (problem.units[unit]?.closed.some(({ to }) => to === start)) return undefined
    for (const { resource, amount } of this.#needsOf(index)) {
      const { id = '', reduced = [] } = asked.resources[resource] ?? {}
      const name = this.#plant.nameOf(id)
      const other = this.#givenBack.get(resource)?.get(start)
      if (other !== undefined && other !== job.id && this.#isFull(resource, amount, start))
        return { id: other, text: `${name}: ${other} has them until ${this.#clock(start)}` }
      if (!reduced.some(({ to }) => to === start)) continue
      const away = this.#facts.disruptions.findLast((disruption) => disruption.resource?.id === id && disruption.unavailable?.to === start)
      if (away !== undefined) return { id: away.id, text: `${away.why} (${away.id})` }
      return { id, text: `${name}: too few are there before ${this.#clock(start)}` }
    }
    return undefined
  }

  /** It was taken from a unit that may fail, to one of which less is to be feared. */
  risk(from: string, to: string): WaitCause | undefined {
    const { threats, units, problem } = this.#built
    const threat = threats?.get(from)
    const risk = (unit: string): number => problem.units[units.indexOf(unit)]?.risk?.perTime ?? 0
    if (threat === undefined || from === to || risk(from) <= risk(to)) return undefined
    return { id: threat.because, text: `${this.#plant.nameOf(from)} may fail (${threat.because})` }
  }

  /** Just before a time, would so many more have been too many? */
  #isFull(resource: number, amount: number, time: number): boolean {
    let inUse = amount
    for (const index of this.#users.get(resource) ?? []) {
      const { start, end } = this.#placements[index] as Placement
      if (start < time && end >= time) inUse += this.#needsOf(index).reduce((sum, need) => sum + (need.resource === resource ? need.amount : 0), 0)
    }
    const { capacity = 0, reduced = [] } = this.#built.asked.resources[resource] ?? {}
    return inUse > (reduced.find(({ from, to }) => from < time && to >= time)?.capacity ?? capacity)
  }

  #needsOf(index: number): readonly ProblemNeed[] {
    const { unit } = this.#placements[index] as Placement
    return this.#built.asked.operations[index]?.alternatives.find((alternative) => alternative.unit === unit)?.needs ?? []
  }

  #of<K, V>(map: Map<K, V>, key: K, make: () => V): V {
    const known = map.get(key) ?? make()
    map.set(key, known)
    return known
  }
}
