import type { ScheduleProblem, Span } from '../../../../core/schedule/problem.ts'

/** The same problem in another unit of time, so that times are fractions whose sums are not exact. */
export function scaledProblem(problem: ScheduleProblem, factor: number): ScheduleProblem {
  const time = (value: number): number => value * factor
  const span = <T extends Span>(value: T): T => ({ ...value, from: time(value.from), to: time(value.to) })
  const setup = (value: number): number => (value < 0 ? value : time(value))
  return {
    ...problem,
    now: time(problem.now),
    units: problem.units.map(({ closed, setups, initialSetups, ...unit }) => ({
      ...unit,
      closed: closed.map(span),
      setups: setups?.map((row) => row.map(setup)),
      initialSetups: initialSetups?.map(setup),
    })),
    resources: problem.resources?.map((resource) => ({ ...resource, reduced: resource.reduced.map(span) })),
    orders: problem.orders.map((order) => ({ ...order, release: time(order.release), due: order.due === null ? null : time(order.due) })),
    operations: problem.operations.map(({ notBefore, startBy, frozen, baseline, ...operation }) => ({
      ...operation,
      alternatives: operation.alternatives.map((alternative) => ({
        ...alternative,
        duration: time(alternative.duration),
        setup: time(alternative.setup),
        closed: alternative.closed?.map(span),
      })),
      notBefore: notBefore === undefined ? undefined : time(notBefore),
      startBy: startBy === undefined ? undefined : time(startBy),
      frozen: frozen === undefined ? undefined : { unit: frozen.unit, start: time(frozen.start), end: time(frozen.end) },
      baseline: baseline === undefined ? undefined : { unit: baseline.unit, start: time(baseline.start) },
    })),
  }
}
