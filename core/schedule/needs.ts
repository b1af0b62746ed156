import type { ProblemAlternative, ProblemNeed, ScheduleProblem, Span } from './problem.ts'
import { mergeSpans } from './timeline.ts'

/** What an alternative needs, each resource once. */
export function needsOf({ needs = [] }: ProblemAlternative): readonly ProblemNeed[] {
  if (needs.length === 0) return needs
  const amounts = new Map<number, number>()
  for (const { resource, amount } of needs) amounts.set(resource, (amounts.get(resource) ?? 0) + amount)
  return [...amounts].flatMap(([resource, amount]) => (amount > 0 ? [{ resource, amount }] : []))
}

/** When an alternative cannot be worked on: its unit's closed time or its own, and when there are fewer than it needs of what it needs. */
export function closedTimeOf(problem: ScheduleProblem, alternative: ProblemAlternative): readonly Span[] {
  const closed = alternative.closed ?? problem.units[alternative.unit]?.closed ?? []
  const short = needsOf(alternative).flatMap(({ resource, amount }) =>
    (problem.resources?.[resource]?.reduced ?? []).filter(({ capacity }) => capacity < amount).map(({ from, to }) => ({ from, to })),
  )
  return short.length === 0 ? closed : [...closed, ...short]
}

/**
 * How many of each resource there are beside those that frozen rows have, as steps from −∞ on: capacity, less where it is reduced. Fewer than none where more
 * rows are frozen than there is capacity for.
 */
export function capacityLeft(problem: ScheduleProblem): readonly (readonly { readonly from: number; readonly left: number }[])[] {
  const { resources = [], now } = problem
  const taken: (Span & { readonly amount: number })[][] = resources.map(() => [])
  for (const operation of problem.operations) {
    const { frozen } = operation
    const alternative = frozen === undefined ? undefined : operation.alternatives.find(({ unit }) => unit === frozen.unit)
    if (frozen === undefined || alternative === undefined) continue
    const needs = needsOf(alternative)
    if (needs.length === 0) continue
    const spans =
      (operation.resumable ?? problem.resumable)
        ? openSpans(alternative.closed ?? problem.units[frozen.unit]?.closed ?? [], now, frozen.end)
        : [{ from: now, to: frozen.end }]
    for (const { resource, amount } of needs) for (const { from, to } of spans) taken[resource]?.push({ from, to, amount })
  }
  return resources.map(({ capacity, reduced }, index) => {
    const fewer = reduced.flatMap((span) => mergeSpans([span], now).map(({ from, to }) => ({ from, to, capacity: span.capacity })))
    const used = taken[index] ?? []
    const times = [...new Set([...fewer, ...used].flatMap(({ from, to }) => [from, to]))].filter((time) => time > now).sort((a, b) => a - b)
    return [Number.NEGATIVE_INFINITY, ...times].map((from) => {
      const at = Math.max(from, now)
      let left = capacity
      for (const span of fewer) if (span.from <= at && at < span.to) left = Math.min(left, span.capacity)
      for (const span of used) if (span.from <= at && at < span.to) left -= span.amount
      return { from, left }
    })
  })
}

/** What is open of a time. */
export function openSpans(closed: readonly Span[], from: number, to: number): Span[] {
  const open: Span[] = []
  let at = from
  for (const span of closed.filter((other) => other.to > other.from).sort((a, b) => a.from - b.from)) {
    if (span.from >= to) break
    if (span.from > at) open.push({ from: at, to: span.from })
    at = Math.max(at, span.to)
  }
  if (at < to) open.push({ from: at, to })
  return open
}
