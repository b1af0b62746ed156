import type { Disruption } from '../../../messages/disruption.ts'
import type { JobOrder } from '../../../messages/job-order.ts'
import type { MachineState } from '../../../messages/machine-state.ts'
import type { Plant } from '../../../plant/plant.ts'
import type { Span } from '../../../schedule/problem.ts'
import { mergeSpans, Timeline } from '../../../schedule/timeline.ts'
import { isUnitHold, LONGEST_REASON } from '../../holds/held-unit.ts'
import type { CalendarHorizon } from '../calendar-horizon.ts'
import type { PlanningFacts } from '../read-facts.ts'
import { type Block, FOREVER_MS, isUnderWay, type ProblemLog, SOON_MS } from './planning-problem.ts'

const DOWN_STATES: ReadonlySet<MachineState['state']> = new Set(['Aborting', 'Aborted', 'Clearing', 'Deactivating', 'Deactivated'])

/** The plant's units as a plan finds them: which are down, which are to be repaired first, and when they take no work. */
export class PlanningUnits {
  /** By index. */
  readonly ids: readonly string[]
  readonly index: ReadonlyMap<string, number>
  readonly repairs: ReadonlyMap<string, JobOrder>
  readonly down: ReadonlySet<string>
  /** Units that take no other work before their repair: those that are down, and those that people or the disruption node want repaired now. */
  readonly repairFirst: ReadonlySet<string>
  readonly blocks: readonly Block[]
  readonly #facts: PlanningFacts
  readonly #plant: Plant
  readonly #horizon: CalendarHorizon
  readonly #blocksOn = new Map<string, Block[]>()
  readonly #closed = new Map<string, readonly Span[]>()

  constructor(facts: PlanningFacts, plant: Plant, horizon: CalendarHorizon, log: ProblemLog) {
    this.#facts = facts
    this.#plant = plant
    this.#horizon = horizon
    this.ids = plant.units.map((unit) => unit.id)
    this.index = new Map(this.ids.map((id, index) => [id, index]))
    this.repairs = new Map(facts.jobs.flatMap((job) => (job.maintenance !== undefined && job.equipment !== null ? [[job.equipment, job] as const] : [])))
    this.down = new Set([...facts.states].flatMap(([unit, { state }]) => (DOWN_STATES.has(state) ? [unit] : [])))
    const repairNow = facts.disruptions.filter((disruption) => disruption.action === 'repair-now' && this.#isOpenRepair(disruption))
    this.repairFirst = new Set([...this.down, ...repairNow.map((disruption) => disruption.equipment)])
    this.blocks = facts.disruptions.flatMap((disruption) => this.#blocksOf(disruption, log))
    for (const block of this.blocks) this.#blocksOn.set(block.equipment, [...(this.#blocksOn.get(block.equipment) ?? []), block])
  }

  blocksOn(unit: string): readonly Block[] {
    return this.#blocksOn.get(unit) ?? []
  }

  /** By its calendar alone. */
  closedByCalendar(unit: string): readonly Span[] {
    return this.#horizon.closed(unit)
  }

  /** By its calendar, blocks, and while it is down. */
  closed(unit: string): readonly Span[] {
    const known = this.#closed.get(unit) ?? this.#closedOf(unit)
    this.#closed.set(unit, known)
    return known
  }

  #closedOf(unit: string): readonly Span[] {
    const calendar = this.#horizon.closed(unit)
    const blocked = this.blocksOn(unit)
    // the same array for units of one calendar: it goes to the searching thread only once
    const check = this.#checkOf(unit)
    if (blocked.length === 0 && check.length === 0 && !this.down.has(unit)) return calendar
    const spans = [...calendar, ...blocked.map((block) => block.span), ...check]
    const guess = this.#plant.equipment(unit)?.maintenance?.unplanned.durationMs
    if (this.down.has(unit) && !this.repairs.has(unit)) {
      const { now, states } = this.#facts
      // nobody has ordered the repair yet: a guess keeps the plan honest until somebody does
      const since = Math.min(states.get(unit)?.since ?? now, now)
      const back = guess === undefined ? Number.POSITIVE_INFINITY : Math.max(Number.isNaN(since) ? now : since + guess, now + guess / 2)
      spans.push({ from: now, to: back })
    }
    return spans
  }

  /** Its return after a repair is checked: nobody knows until when, so as long as that usually takes, or half of that again. */
  #checkOf(unit: string): readonly Span[] {
    const { now, limits } = this.#facts
    const limit = limits?.get(unit)
    return limit?.state === 'check' ? [{ from: now, to: Math.max(limit.since + limit.checkMs, now + limit.checkMs / 2) }] : []
  }

  /** A repair is done when its crew works, if the plant says when that is, else when the unit is open. Blocks do not keep it away. */
  repairTime(unit: string): readonly Span[] {
    const crew = this.#plant.equipment(unit)?.maintenance?.crew
    if (crew === undefined) return this.#horizon.closed(unit)
    const people = this.#plant.resource(crew)
    // a crew that is no personnel class may have a calendar of its name
    const name = people === undefined ? crew : 'calendar' in people ? people.calendar : undefined
    const calendar = name === undefined ? undefined : this.#plant.model.calendars?.[name]
    return name === undefined || calendar === undefined ? this.#horizon.closed(unit) : this.#horizon.closedOf(name, calendar)
  }

  /** It was begun on a unit that is down, and is not the repair itself. */
  waitsForRepair(job: JobOrder, unit: string): boolean {
    return this.down.has(unit) && this.repairs.get(unit)?.id !== job.id
  }

  opensAgain(unit: string): boolean {
    const timeline = new Timeline([mergeSpans(this.closed(unit), this.#facts.now)])
    timeline.fit(0, this.#facts.now, SOON_MS, true)
    return timeline.end < this.#facts.now + FOREVER_MS
  }

  /** Down, with nobody to repair it and no guess when it will be back. */
  isOut(unit: string): boolean {
    return this.down.has(unit) && !this.repairs.has(unit) && this.#plant.equipment(unit)?.maintenance === undefined
  }

  /** Blocks of disruptions that are in force. One whose repair is over has ended with it; one whose repair is open ends with that. */
  #blocksOf(disruption: Disruption, log: ProblemLog): readonly Block[] {
    const { id, equipment, unavailable: span, maintenanceOrder, action, resource } = disruption
    if (span === null || resource !== undefined || !this.index.has(equipment)) return []
    if (Number.isNaN(span.from) || Number.isNaN(span.to)) {
      const why = `disruption ${id} blocks ${this.#plant.nameOf(equipment)} at a time that is none, and is left out`
      log.problems.push({ workOrder: null, code: 'TAKT_PLAN_TIME_INVALID', why })
      return []
    }
    // with a repair only a known end counts, and only while the repair is to come: the repair itself occupies the unit in the plan
    if (maintenanceOrder !== undefined || action !== 'block')
      return span.to === null || !this.#isOpenRepair(disruption) ? [] : [{ equipment, span: { from: span.from, to: span.to }, disruption: id }]
    const held = isUnitHold(disruption) ? { held: disruption.why.slice(0, LONGEST_REASON) } : {}
    return [{ equipment, span: { from: span.from, to: span.to ?? Number.POSITIVE_INFINITY }, disruption: id, ...held }]
  }

  /** Is the repair that a disruption asks for still to begin? */
  #isOpenRepair({ equipment, maintenanceOrder }: Disruption): boolean {
    const repair = this.repairs.get(equipment)
    if (repair === undefined || isUnderWay(repair)) return false
    return maintenanceOrder === undefined || maintenanceOrder === repair.id || maintenanceOrder === repair.workOrder
  }
}
