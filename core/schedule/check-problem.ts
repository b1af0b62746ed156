import { TaktError } from '../base/error.ts'
import type { ProblemAlternative, ScheduleProblem } from './problem.ts'

/** One thing that makes a problem unsolvable; `operation` is its index, null when it is about something else. */
export interface ProblemFault {
  readonly operation: number | null
  readonly what: string
}

/** Every fault of a problem; an empty list means that a feasible schedule exists (units that never open again make it late for ever, not infeasible). */
export function problemFaults(problem: ScheduleProblem): readonly ProblemFault[] {
  const faults: ProblemFault[] = []
  const { units, orders, operations } = problem
  const isTime = (value: number): boolean => Number.isFinite(value)
  const isDuration = (value: number): boolean => Number.isFinite(value) && value >= 0
  if (!isTime(problem.now)) faults.push({ operation: null, what: '`now` is not a time' })
  for (const order of orders) {
    if (!isTime(order.release) || !(order.due === null || isTime(order.due)) || !isDuration(order.weight))
      faults.push({ operation: null, what: `order ${order.id}: release, due or weight is not a number that can be used` })
  }
  for (const unit of units) {
    if (unit.closed.some((span) => Number.isNaN(span.from) || Number.isNaN(span.to)))
      faults.push({ operation: null, what: `unit ${unit.id}: closed time is not a number` })
  }
  faults.push(...resourceFaults(problem), ...riskFaults(problem))
  operations.forEach((operation, index) => {
    const fault = (what: string): void => void faults.push({ operation: index, what: `operation ${operation.id} ${what}` })
    if (orders[operation.order] === undefined) fault(`belongs to an order that does not exist (${operation.order})`)
    for (const before of operation.after) {
      if (operations[before] === undefined || before === index) fault(`waits for an operation that does not exist (${before})`)
    }
    const { transferShare } = operation
    if (transferShare !== undefined && !(transferShare > 0 && transferShare < 1))
      fault(`hands on a share of its pieces that is not between 0 and 1 (${transferShare})`)
    for (const alternative of operation.alternatives) for (const what of needFaults(problem, alternative)) fault(what)
    if (operation.frozen !== undefined) {
      const { unit, start, end } = operation.frozen
      if (units[unit] === undefined) fault(`is frozen on a unit that does not exist (${unit})`)
      if (!isTime(start) || !isTime(end) || end < start) fault('is frozen at times that are not a span')
      if (start > problem.now) fault('is frozen but has not begun; pin it instead')
      return
    }
    if (operation.alternatives.length === 0) fault('can be done on no unit')
    for (const { unit, duration, setup } of operation.alternatives) {
      if (units[unit] === undefined) fault(`names a unit that does not exist (${unit})`)
      if (!isDuration(duration) || !isDuration(setup)) fault('has a duration or a set-up time that is not a length of time')
    }
    if (operation.first !== undefined && operation.alternatives.length !== 1) fault('is first on its unit and so must have exactly one alternative')
  })
  if (faults.length === 0) {
    for (const index of inCircle(problem)) faults.push({ operation: index, what: `operation ${operations[index]?.id ?? index} waits for itself in a circle` })
  }
  return faults
}

function resourceFaults({ resources = [] }: ScheduleProblem): ProblemFault[] {
  const isCapacity = (value: number): boolean => Number.isFinite(value) && value >= 0
  return resources.flatMap(({ id, capacity, reduced }) => [
    ...(isCapacity(capacity) ? [] : [{ operation: null, what: `resource ${id}: its capacity is not a number of things (${capacity})` }]),
    ...(reduced.every((span) => !Number.isNaN(span.from) && !Number.isNaN(span.to) && isCapacity(span.capacity))
      ? []
      : [{ operation: null, what: `resource ${id}: a time in which there are fewer is not a span with a number of things` }]),
  ])
}

/** What no plan can give it: of what does not exist, or more than there is at the best of times. */
function needFaults({ resources = [] }: ScheduleProblem, { needs = [] }: ProblemAlternative): string[] {
  const amounts = new Map<number, number>()
  const faults: string[] = []
  for (const { resource, amount } of needs) {
    if (resources[resource] === undefined) faults.push(`needs a resource that does not exist (${resource})`)
    else if (!(Number.isFinite(amount) && amount >= 0)) faults.push(`needs an amount of ${resources[resource].id} that is not a number of things (${amount})`)
    else amounts.set(resource, (amounts.get(resource) ?? 0) + amount)
  }
  for (const [resource, amount] of amounts) {
    const { id, capacity } = resources[resource] as NonNullable<ScheduleProblem['resources']>[number]
    if (amount > capacity) faults.push(`needs ${amount} of ${id}, and there are ${capacity}`)
  }
  return faults
}

function riskFaults({ units, operations, weights }: ScheduleProblem): ProblemFault[] {
  const faults: ProblemFault[] = []
  const isPrice = (value: number): boolean => Number.isFinite(value) && value >= 0
  if (!isPrice(weights.risk ?? 0)) faults.push({ operation: null, what: `the weight of risk is not a number that can be used (${weights.risk})` })
  for (const [index, { id, risk }] of units.entries()) {
    if (risk === undefined) continue
    if (!isPrice(risk.perTime)) faults.push({ operation: null, what: `unit ${id}: its risk is not a number that can be used (${risk.perTime})` })
    if (risk.until === undefined) continue
    const until = operations[risk.until]
    if (until === undefined) faults.push({ operation: null, what: `unit ${id}: its risk ends with an operation that does not exist (${risk.until})` })
    else if (!(until.frozen === undefined ? until.alternatives : [until.frozen]).every(({ unit }) => unit === index))
      faults.push({ operation: risk.until, what: `operation ${until.id} ends the risk of unit ${id}, and can be done elsewhere` })
  }
  return faults
}

/** Throws TAKT_SCHEDULE_INVALID with every fault. */
export function checkProblem(problem: ScheduleProblem): void {
  const faults = problemFaults(problem)
  if (faults.length === 0) return
  const what = faults
    .slice(0, 20)
    .map((fault) => fault.what)
    .join('; ')
  throw new TaktError('TAKT_SCHEDULE_INVALID', { what, where: 'schedule problem', details: faults })
}

/** Operations that can never start: predecessors, and the fixed order of those that come first on a unit, run in a circle. */
function inCircle(problem: ScheduleProblem): readonly number[] {
  const count = problem.operations.length
  const waits = problem.operations.map((operation) => [...operation.after])
  for (const heads of headsByUnit(problem).values()) for (const [at, head] of heads.slice(1).entries()) waits[head]?.push(heads[at] as number)
  // whatever is not first on a unit waits for those that are, so none of them may be a predecessor of one
  const heads = new Set([...headsByUnit(problem).values()].flat())
  const openOf = waits.map((list) => list.length)
  const followers: number[][] = Array.from({ length: count }, () => [])
  for (const [index, list] of waits.entries()) for (const before of list) followers[before]?.push(index)
  const free = openOf.flatMap((open, index) => (open === 0 ? [index] : []))
  for (let at = 0; at < free.length; at++) {
    for (const next of followers[free[at] as number] ?? []) {
      openOf[next] = (openOf[next] as number) - 1
      if (openOf[next] === 0) free.push(next)
    }
  }
  const done = new Set(free)
  const stuck = problem.operations.flatMap((_, index) => (done.has(index) ? [] : [index]))
  const waitsForOther = [...heads].filter((head) =>
    (problem.operations[head]?.after ?? []).some((before) => !heads.has(before) && problem.operations[before]?.frozen === undefined),
  )
  return [...new Set([...stuck, ...waitsForOther])]
}

/** The operations that come first on each unit, in their order. */
export function headsByUnit(problem: ScheduleProblem): Map<number, number[]> {
  const heads = new Map<number, number[]>()
  problem.operations.forEach((operation, index) => {
    if (operation.first === undefined || operation.frozen !== undefined) return
    const unit = operation.alternatives[0]?.unit ?? -1
    heads.set(unit, [...(heads.get(unit) ?? []), index])
  })
  for (const list of heads.values()) list.sort((a, b) => (problem.operations[a]?.first ?? 0) - (problem.operations[b]?.first ?? 0) || a - b)
  return heads
}
