import type { Steps } from '../../../base/in-slices.ts'
import type { ProblemAlternative, ProblemOperation, ProblemResource, ProblemUnit, Span } from '../../../schedule/problem.ts'

/** Operations with what they need, and the resources that the numbers mean. */
export interface Resourced {
  readonly operations: readonly ProblemOperation[]
  readonly resources: readonly ProblemResource[]
}

/**
 * Takes out of a problem the resources of which there are always enough while there are any: a unit does one thing at a time, so no more is needed at once than the
 * sum of what each unit may need. When there are none is closed time of those who need them. What is left couples units to each other, and costs the search dearly.
 */
export function* foldPlentiful({ operations, resources }: Resourced, units: readonly ProblemUnit[]): Steps<Resourced> {
  if (resources.length === 0) return { operations, resources }
  const most = resources.map(() => new Map<number, number>())
  for (const [index, { alternatives }] of operations.entries()) {
    if (index % OPERATIONS_A_STEP === 0) yield
    for (const { unit, needs = [] } of alternatives)
      for (const { resource, amount } of needs) most[resource]?.set(unit, Math.max(most[resource].get(unit) ?? 0, amount))
  }
  const scarce = resources.flatMap((resource, index) =>
    [...(most[index]?.values() ?? [])].reduce((sum, amount) => sum + amount, 0) > least(resource) ? [index] : [],
  )
  if (scarce.length === resources.length) return { operations, resources }
  const indexOf = new Map(scarce.map((index, at) => [index, at]))
  const closed = new ClosedTimes(resources, units)
  const fold = (alternative: ProblemAlternative, isFrozen: boolean): ProblemAlternative => {
    const { needs, ...rest } = alternative
    if (needs === undefined) return alternative
    const left = needs.flatMap(({ resource, amount }) => (indexOf.has(resource) ? [{ resource: indexOf.get(resource) ?? 0, amount }] : []))
    const away = isFrozen
      ? undefined
      : closed.with(
          alternative,
          needs.map(({ resource }) => resource).filter((resource) => !indexOf.has(resource)),
        )
    return { ...rest, ...(left.length === 0 ? {} : { needs: left }), ...(away === undefined ? {} : { closed: away }) }
  }
  const folded: ProblemOperation[] = []
  for (const operation of operations) {
    if (folded.length % OPERATIONS_A_STEP === 0) yield
    const { alternatives, frozen } = operation
    const isBare = alternatives.every(({ needs }) => needs === undefined)
    folded.push(isBare ? operation : { ...operation, alternatives: alternatives.map((alternative) => fold(alternative, frozen !== undefined)) })
  }
  return { resources: scarce.map((index) => resources[index] as ProblemResource), operations: folded }
}

const OPERATIONS_A_STEP = 200

/** How many there are at least while there are any. */
function least({ capacity, reduced }: ProblemResource): number {
  return reduced.reduce((lowest, span) => (span.capacity > 0 ? Math.min(lowest, span.capacity) : lowest), capacity)
}

/** Closed time of a unit, or of an alternative, with the times at which there is nothing of a resource; the same array for the same, because it goes to the searching thread only once. */
class ClosedTimes {
  readonly #none: readonly (readonly Span[])[]
  readonly #units: readonly ProblemUnit[]
  readonly #known = new Map<readonly Span[], Map<string, readonly Span[]>>()

  constructor(resources: readonly ProblemResource[], units: readonly ProblemUnit[]) {
    this.#none = resources.map(({ reduced }) => reduced.flatMap(({ from, to, capacity }) => (capacity > 0 ? [] : [{ from, to }])))
    this.#units = units
  }

  /** Undefined where they add nothing. */
  with({ unit, closed }: ProblemAlternative, resources: readonly number[]): readonly Span[] | undefined {
    const adding = resources.filter((resource) => (this.#none[resource]?.length ?? 0) > 0)
    const own = closed ?? this.#units[unit]?.closed ?? []
    if (adding.length === 0) return closed
    const key = adding.join()
    const byKey = this.#known.get(own) ?? new Map<string, readonly Span[]>()
    const known = byKey.get(key) ?? [...own, ...adding.flatMap((resource) => this.#none[resource] ?? [])]
    byKey.set(key, known)
    this.#known.set(own, byKey)
    return known
  }
}
