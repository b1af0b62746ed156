import { Targets } from './targets.ts'
import type { Timetable } from './timetable.ts'

/**
 * Lets operations that stay on their unit wait for the start they had in the baseline instead of moving ahead, wherever nothing is reached later for it: then
 * fewer things change for people. Whoever turns out to be in the way of a target is let go again.
 */
export function holdBaseline(table: Timetable): void {
  const { model } = table
  const targets = new Targets(table)
  const { cost } = table
  const before = Float64Array.from({ length: targets.count }, (_, target) => targets.reached(target))
  const held = new Uint8Array(model.count)
  let left = 0
  for (let operation = 0; operation < model.count; operation++) {
    const start = model.baselineStart[operation] as number
    if (model.baselineUnit[operation] !== table.unit(operation) || (table.start[operation] as number) >= start) continue
    held[operation] = 1
    left++
    table.notBefore[operation] = Math.max(table.notBefore[operation] as number, start)
  }
  while (left > 0) {
    table.evaluate()
    const released = release(table, targets, before, held)
    if (released === 0) break
    left -= released
  }
  table.evaluate()
  if (table.cost <= cost && !isWorse(targets, before)) return
  table.notBefore.set(model.release)
  table.evaluate()
  if (model.coupled) holdByParts(table, (then) => table.cost <= then && !isWorse(targets, before))
}

/** How many operations may be looked at for this altogether; a plan of some hundred is then held operation by operation. */
const LOOKS = 50_000

/**
 * The same a few operations at a time, the last to start first. Where operations share resources, who waits may leave a hole that somebody else falls into, and what then comes
 * late cannot be traced to anybody; so each part is held that does no harm.
 */
function holdByParts(table: Timetable, isGood: (cost: number) => boolean): void {
  const { model, notBefore } = table
  const wanting = Array.from(table.order)
    .reverse()
    .filter(
      (operation) => model.baselineUnit[operation] === table.unit(operation) && (table.start[operation] as number) < (model.baselineStart[operation] as number),
    )
  const size = Math.ceil((wanting.length * model.count) / LOOKS)
  for (let from = 0; from < wanting.length; from += size) {
    const { cost } = table
    const part = wanting.slice(from, from + size)
    for (const operation of part) notBefore[operation] = Math.max(notBefore[operation] as number, model.baselineStart[operation] as number)
    table.evaluate()
    if (isGood(cost)) continue
    for (const operation of part) notBefore[operation] = model.release[operation] as number
    table.evaluate()
  }
}

function isWorse(targets: Targets, before: Float64Array): boolean {
  return before.some((was, target) => targets.reached(target) > Math.max(was, targets.due[target] as number))
}

/** Lets go of what makes targets worse than they were; returns how many operations that are. */
function release(table: Timetable, targets: Targets, before: Float64Array, held: Uint8Array): number {
  const { model, binding, end } = table
  let released = 0
  for (let target = 0; target < targets.count; target++) {
    const reached = targets.reached(target)
    if (reached <= Math.max(before[target] as number, targets.due[target] as number)) continue
    for (const last of targets.reachedBy[target] as Int32Array) {
      if ((end[last] as number) < reached) continue
      // back along what decides its end to whatever decides it in the first place
      let operation = last
      while ((binding[operation] as number) >= 0) operation = binding[operation] as number
      if (held[operation] !== 1) continue
      held[operation] = 0
      table.notBefore[operation] = model.release[operation] as number
      released++
    }
  }
  return released
}
