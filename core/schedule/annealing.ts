import type { Random } from '../base/random.ts'
import type { Progress } from './progress.ts'
import type { UnitRisk } from './risk-cost.ts'
import { type Snapshot, snapshotOf } from './snapshot.ts'
import type { Timetable } from './timetable.ts'

const STEPS_BETWEEN_QUESTIONS = 32
/** Where operations share resources they are ranked by their starts every so many steps for each of them. */
const STEPS_BETWEEN_RANKINGS = 5

/**
 * Simulated annealing for every objective and every kind of calendar: each step takes an order that costs something, walks back along what
 * decides its end, and moves one operation of that path to another place on its unit or to another unit. Every move is evaluated exactly.
 * Returns the best found; the table is left somewhere.
 */
export function anneal(table: Timetable, random: Random, progress: Progress): Snapshot {
  const { model } = table
  const { count } = model
  let best = snapshotOf(table)
  if (count < 2) return best
  const path = new Int32Array(count)
  const hot = temperatureOf(table)
  const cold = hot * 0.02
  let temperature = hot
  let current = table.cost
  for (let step = 0; ; step++) {
    if (step % STEPS_BETWEEN_QUESTIONS === 0) {
      const used = progress()
      if (used >= 1) break
      temperature = hot * (cold / hot) ** used
    }
    if (model.coupled && step % (STEPS_BETWEEN_RANKINGS * count) === 0) {
      table.rankByStart()
      current = table.cost
    }
    const length = costlyPath(table, random, path)
    const operation = path[Math.floor(random() * length)] as number
    if (!propose(table, operation, random)) {
      // counts as tried, or a problem in which nothing can move would never end
      table.evaluations++
      continue
    }
    const cost = proposed.cost
    if (cost <= current || random() < Math.exp((current - cost) / temperature)) {
      current = cost
      if (cost < best.cost - 1e-9) best = snapshotOf(table)
    } else if (cost !== Number.POSITIVE_INFINITY) table.undo()
  }
  return best
}

/** Of more operations each gets fewer moves: what is made worse at first would never be made good again. */
const COOLER_ABOVE = 500

/** One move's effect on the cost that is worth accepting at first, in mean operations at the price of time (tried on plants and public instances). */
const HEAT = 1.25
/** The same where operations share resources: a move there costs ten times as much to try, and fewer are. */
const HEAT_COUPLED = 0.6

function temperatureOf(table: Timetable): number {
  const { model } = table
  const { weights } = model.problem
  let work = 0
  for (let operation = 0; operation < model.count; operation++) work += (table.end[operation] as number) - (table.start[operation] as number)
  const mean = work / model.count
  let weight = 0
  for (const value of model.weight) weight += value
  weight /= Math.max(1, model.orders)
  const heat = model.coupled ? HEAT_COUPLED : HEAT
  return Math.max(1e-9, heat * Math.min(1, (COOLER_ABOVE / model.count) ** 2) * mean * (weights.makespan + weights.tardiness * weight))
}

/**
 * Walks back from the end of an order that costs something along what decides its end, and collects the operations that a unit's order, or whoever has what they need, holds up
 * (or all of the path, when nothing does); returns how many.
 */
function costlyPath(table: Timetable, random: Random, path: Int32Array): number {
  const { model } = table
  const from = costlyOperation(table, random)
  let length = 0
  for (let operation = from; operation >= 0; operation = table.binding[operation] as number) {
    if (operation === from || table.binding[operation] === table.previous[operation] || table.isHeldUp(operation)) path[length++] = operation
  }
  if (length === 0) path[length++] = Math.floor(random() * model.count)
  return length
}

/** An operation whose delay costs: the end of a late order, of the longest one, or one that is late for its `startBy`. */
function costlyOperation(table: Timetable, random: Random): number {
  const { model } = table
  const { weights } = model.problem
  // now and then any operation: set-ups and stability have no critical path
  if (random() < 0.1) return Math.floor(random() * model.count)
  let chosen = -1
  let seen = 0
  const offer = (operation: number, price: number): void => {
    if (price <= 0) return
    seen += price
    if (random() * seen < price) chosen = operation
  }
  for (let order = 0; order < model.orders; order++) {
    const completion = table.completion[order] as number
    const late = completion - (model.due[order] as number)
    let price = late > 0 ? weights.tardiness * (model.weight[order] as number) : 0
    if (completion - model.now === table.makespan && model.counts[order] === 1) price += weights.makespan
    if (price > 0) offer(endOf(table, order), price)
  }
  if (weights.lateStart > 0) {
    for (let operation = 0; operation < model.count; operation++)
      if ((table.start[operation] as number) > (model.startBy[operation] as number)) offer(operation, weights.lateStart)
  }
  if (table.unitRisk !== undefined) offerRisky(table, table.unitRisk, offer)
  return chosen
}

/** What is done on units that may fail before their repair, and the repair: moving the one elsewhere or the other forward saves the price of its working time. */
function offerRisky({ model, firstOf, next }: Timetable, unitRisk: UnitRisk, offer: (operation: number, price: number) => void): void {
  for (let unit = 0; unit < model.units; unit++) {
    const price = unitRisk.price(unit)
    if (price === 0) continue
    const repair = unitRisk.repair(unit)
    for (let operation = firstOf[unit] as number; operation >= 0; operation = next[operation] as number) {
      offer(operation, price)
      if (operation === repair) break
    }
  }
}

function endOf(table: Timetable, order: number): number {
  const { last, lastFirst } = table.model
  for (let at = lastFirst[order] as number; at < (lastFirst[order + 1] as number); at++) {
    const operation = last[at] as number
    if (table.end[operation] === table.completion[order]) return operation
  }
  return -1
}

/** How often an operation that waits for what another one has is put ahead of that one; else it is moved like others. */
const OVERTAKING = 0.6

const proposed = { cost: 0 }

/** Makes one random move around an operation; false when there was none to make. The cost is in `proposed`. */
function propose(table: Timetable, operation: number, random: Random): boolean {
  const { model } = table
  const from = model.alternativeFirst[operation] as number
  const alternatives = (model.alternativeFirst[operation + 1] as number) - from
  if (model.coupled && table.isHeldUp(operation) && random() < OVERTAKING) {
    proposed.cost = table.overtake(operation, table.binding[operation] as number)
    return true
  }
  if (model.isHead[operation] === 1) return false
  if (alternatives > 1 && random() < 0.5) {
    const alternative = from + Math.floor(random() * alternatives)
    if (alternative !== table.alternative[operation]) {
      proposed.cost = table.move(operation, alternative, placeByTime(table, operation, alternative, random))
      return true
    }
  }
  const alternative = table.alternative[operation] as number
  const previous = table.previous[operation] as number
  if (previous >= 0 && model.isHead[previous] === 0 && random() < 0.6) {
    // earlier: before its predecessor on the unit, sometimes further
    let target = table.previous[previous] as number
    while (target >= 0 && model.isHead[target] === 0 && random() < 0.3) target = table.previous[target] as number
    proposed.cost = table.move(operation, alternative, target)
    return true
  }
  let target = table.next[operation] as number
  if (target < 0) return false
  while ((table.next[target] as number) >= 0 && random() < 0.3) target = table.next[target] as number
  proposed.cost = table.move(operation, alternative, target)
  return true
}

/** Where on another unit an operation would come by its present start, give or take one place: the operation to follow, −1 for none. */
function placeByTime(table: Timetable, operation: number, alternative: number, random: Random): number {
  const { model } = table
  const unit = model.alternativeUnit[alternative] as number
  const start = table.start[operation] as number
  let other = table.lastOf[unit] as number
  while (other >= 0 && (table.start[other] as number) >= start && model.isHead[other] === 0) other = table.previous[other] as number
  const shake = random()
  const previous = other >= 0 ? (table.previous[other] as number) : -1
  if (shake < 0.3 && other >= 0 && model.isHead[other] === 0) other = previous
  else if (shake > 0.7) {
    const next = (other < 0 ? table.firstOf[unit] : table.next[other]) as number
    if (next >= 0) other = next
  }
  return other === operation ? (table.previous[operation] as number) : other
}
