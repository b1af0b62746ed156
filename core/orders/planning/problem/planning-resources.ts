import type { Alternative, JobOrder } from '../../../messages/job-order.ts'
import type { Plant } from '../../../plant/plant.ts'
import { type Absence, capacityOf } from '../../../plant/resource-time.ts'
import type { ProblemNeed, ProblemResource, Span } from '../../../schedule/problem.ts'
import type { PlanningFacts } from '../read-facts.ts'

/** What a job order needs beside a unit; `unknown` names what the plant does not have, `short` what there is too little of at the best of times. */
export interface Needs {
  readonly needs: readonly ProblemNeed[]
  readonly unknown: readonly string[]
  readonly short: readonly { readonly resource: string; readonly needed: number; readonly most: number }[]
}

const NOTHING: Needs = { needs: [], unknown: [], short: [] }

/** People, crews and tools as capacities over time. Only what something needs is in the problem. */
export class PlanningResources {
  readonly list: ProblemResource[] = []
  readonly #facts: PlanningFacts
  readonly #plant: Plant
  readonly #end: number
  readonly #index = new Map<string, number>()
  readonly #away = new Map<string, Absence[]>()
  /** Of equal needs the same object: thousands of job orders need the same. */
  readonly #known = new Map<string, Needs>()

  /** `end`: until when calendars are looked at, epoch ms. */
  constructor(facts: PlanningFacts, plant: Plant, end: number) {
    this.#facts = facts
    this.#plant = plant
    this.#end = end
    for (const { resource, unavailable } of facts.disruptions) {
      if (resource === undefined || unavailable === null || !(resource.count > 0)) continue
      const absence = { from: unavailable.from, to: unavailable.to ?? Number.POSITIVE_INFINITY, count: resource.count }
      if (!Number.isNaN(absence.from) && !Number.isNaN(absence.to)) this.#away.set(resource.id, [...(this.#away.get(resource.id) ?? []), absence])
    }
  }

  /** A repair needs its crew, whatever was written into its job order; anything else what its alternative says. */
  of(job: JobOrder, alternative: Pick<Alternative, 'equipment' | 'needs'>): Needs {
    if (job.maintenance === undefined) return alternative.needs === undefined || alternative.needs.length === 0 ? NOTHING : this.#find(alternative.needs)
    const { crew, crewSize = 1 } = this.#plant.equipment(alternative.equipment)?.maintenance ?? {}
    return crew === undefined ? NOTHING : this.#find([{ resource: crew, count: crewSize }], true)
  }

  /** When there are too few for these needs, whatever else is done. */
  closedFor(needs: readonly ProblemNeed[]): readonly Span[] {
    return needs.flatMap(({ resource, amount }) => (this.list[resource]?.reduced ?? []).filter(({ capacity }) => capacity < amount))
  }

  nameOf(resource: number): string {
    return this.#plant.nameOf(this.list[resource]?.id ?? '')
  }

  #find(asked: NonNullable<Alternative['needs']>, isCrew = false): Needs {
    const key = asked.map(({ resource, count }) => `${count} ${resource}`).join('\n')
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const needs: ProblemNeed[] = []
    const unknown: string[] = []
    const short: Needs['short'][number][] = []
    for (const { resource, count } of asked) {
      const index = this.#indexOf(resource, isCrew)
      if (index === undefined) unknown.push(resource)
      // also where it is no number
      else if (!(count <= (this.list[index]?.capacity ?? 0))) short.push({ resource, needed: count, most: this.list[index]?.capacity ?? 0 })
      else if (count > 0) needs.push({ resource: index, amount: count })
    }
    const found = { needs, unknown, short }
    this.#known.set(key, found)
    return found
  }

  #indexOf(id: string, isCrew: boolean): number | undefined {
    const known = this.#index.get(id)
    if (known !== undefined) return known
    // a crew that is no personnel class is one crew
    const resource = this.#plant.resource(id) ?? (isCrew ? { id, count: 1 } : undefined)
    if (resource === undefined) return undefined
    const { most, reduced } = capacityOf(resource, this.#plant, this.#facts.now, this.#end, this.#away.get(id))
    const last = reduced.at(-1)
    const hasCalendar = 'calendar' in resource && resource.calendar !== undefined
    // no plan relies on shifts that were not looked at; what is away for good stays away
    const beyond = hasCalendar ? [{ from: this.#end, to: Number.POSITIVE_INFINITY, capacity: 0 }] : []
    const spans = !hasCalendar && last?.to === this.#end ? [...reduced.slice(0, -1), { ...last, to: Number.POSITIVE_INFINITY }] : [...reduced, ...beyond]
    const index = this.list.push({ id, capacity: most, reduced: spans }) - 1
    this.#index.set(id, index)
    return index
  }
}
