import type { Random } from '../base/random.ts'
import type { Timetable } from './timetable.ts'

/** A timetable's choices, to come back to. */
export interface Snapshot {
  readonly cost: number
  readonly sequence: Int32Array
  readonly alternative: Int32Array
}

export function snapshotOf(table: Timetable): Snapshot {
  return { cost: table.cost, sequence: table.order.slice(), alternative: table.alternative.slice() }
}

export function restore(table: Timetable, snapshot: Snapshot): void {
  table.load(snapshot.sequence, snapshot.alternative)
}

/**
 * A schedule between two others: `share` 0 is the first, 1 the second. Both list the operations in an order that respects every precedence, so a weighted
 * mean of the two places of each operation does too: whatever comes of it is feasible.
 */
export function between(table: Timetable, one: Snapshot, other: Snapshot, share: number, random: Random): void {
  const { model } = table
  const key = new Float64Array(model.count)
  one.sequence.forEach((operation, rank) => {
    key[operation] = (1 - share) * rank
  })
  other.sequence.forEach((operation, rank) => {
    key[operation] = (key[operation] as number) + share * rank
  })
  // what comes first on its unit depends on nothing else that is still to be placed
  one.sequence.forEach((operation, rank) => {
    if (model.isHead[operation] === 1) key[operation] = rank - model.count
  })
  const alternative = one.alternative.slice()
  for (let operation = 0; operation < model.count; operation++) if (random() < share) alternative[operation] = other.alternative[operation] as number
  // equal keys keep the order of the first schedule: sorting is stable
  const sequence = Int32Array.from(Array.from(one.sequence).sort((a, b) => (key[a] as number) - (key[b] as number)))
  table.load(sequence, alternative)
}
