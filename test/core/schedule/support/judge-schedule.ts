import type { Placement, ProblemAlternative, ProblemOperation, Schedule, ScheduleProblem, Span } from '../../../../core/schedule/problem.ts'

/** Times may be sums of fractions. */
const TINY = 1e-6

interface Row extends Placement {
  readonly operation: ProblemOperation
  readonly index: number
  /** Undefined where its unit cannot do it. */
  readonly alternative: ProblemAlternative | undefined
  /** When it cannot be worked on. */
  readonly closed: readonly Span[]
  /** When it is. */
  readonly working: readonly Span[]
}

/**
 * Every rule that a schedule must keep, checked minute by minute of thought rather than of code: it shares nothing with the scheduler but the problem's types.
 * Returns what is broken.
 */
export function brokenRules(problem: ScheduleProblem, schedule: Schedule): string[] {
  const rows = rowsOf(problem, schedule)
  return [
    ...rows.flatMap((row) => rowFaults(problem, rows, row).map((what) => `${row.operation.id} ${what}`)),
    ...problem.units.flatMap((_, unit) => unitFaults(problem, rows, unit)),
    ...(problem.resources ?? []).flatMap((_, resource) => resourceFaults(problem, rows, resource)),
  ]
}

/** What a schedule says that it costs, and is not so: every figure counted from its rows. */
export function wrongCosts(problem: ScheduleProblem, schedule: Schedule): string[] {
  const rows = rowsOf(problem, schedule)
  const active = rows.filter((row) => row.operation.frozen === undefined)
  const known = active.filter((row) => row.operation.baseline !== undefined)
  const { weights, orders, now } = problem
  const ends = orders.map((_, order) => Math.max(0, ...rows.filter((row) => row.operation.order === order).map((row) => row.end)))
  const lateness = orders.map(({ due }, order) => Math.max(0, (ends[order] ?? 0) - (due ?? Number.POSITIVE_INFINITY)))
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
  const other = (row: Row): boolean => row.operation.baseline?.unit !== row.unit
  const shift = (row: Row): number => Math.abs(row.start - (row.operation.baseline?.start ?? 0))
  const counted = {
    weightedTardiness: sum(lateness.map((late, order) => late * (orders[order]?.weight ?? 0))),
    tardiness: sum(lateness),
    late: lateness.flatMap((late, order) => (late > 0 ? [order] : [])),
    makespan: Math.max(0, ...ends.filter((_, order) => orders[order]?.counts !== false).map((end) => end - now)),
    setups: active.filter((row) => row.setup > 0).length,
    setupTime: sum(active.map((row) => row.setup)),
    lateStart: sum(active.map((row) => Math.max(0, row.start - (row.operation.startBy ?? Number.POSITIVE_INFINITY)))),
    reassigned: known.filter(other).length,
    moved: known.filter((row) => other(row) || shift(row) !== 0).length,
    deviation: sum(known.map(shift)),
    risk: sum(active.map((row) => riskOf(problem, rows, row))),
  }
  const total =
    weights.tardiness * counted.weightedTardiness +
    weights.makespan * counted.makespan +
    weights.setup * counted.setupTime +
    weights.lateStart * counted.lateStart +
    weights.reassigned * counted.reassigned +
    weights.deviation * counted.deviation +
    (weights.risk ?? 0) * counted.risk
  return Object.entries({ ...counted, total }).flatMap(([name, value]) => {
    const said = schedule.cost[name as keyof Schedule['cost']]
    const same =
      typeof value === 'number' && typeof said === 'number' ? Math.abs(value - said) <= TINY * Math.max(1, Math.abs(value)) : String(value) === String(said)
    return same ? [] : [`${name} is ${value} instead of ${said}`]
  })
}

function rowsOf(problem: ScheduleProblem, schedule: Schedule): Row[] {
  return problem.operations.map((operation, index) => {
    const placement = schedule.placements[index]
    if (placement === undefined) throw new Error(`operation ${operation.id} has no placement`)
    const { unit, start, end, setup } = placement
    const alternative = operation.alternatives.find((candidate) => candidate.unit === unit)
    const closed = alternative?.closed ?? problem.units[unit]?.closed ?? []
    if (operation.frozen !== undefined) {
      const working = (operation.resumable ?? problem.resumable) ? openWithin(closed, start, end) : [{ from: start, to: end }]
      return { operation, index, ...placement, alternative, closed, working }
    }
    const short = [...amountsOf(alternative)].flatMap(([resource, amount]) =>
      (problem.resources?.[resource]?.reduced ?? []).filter((span) => span.capacity < amount),
    )
    const away = [...closed, ...short]
    const settingUp =
      problem.setupIs === 'attached' || setup === 0
        ? []
        : problem.setupInOpenTime === true
          ? lastOpen(away, start, setup)
          : [{ from: start - setup, to: start }]
    return { operation, index, ...placement, alternative, closed: away, working: [...settingUp, ...openWithin(away, start, end)] }
  })
}

function rowFaults(problem: ScheduleProblem, rows: readonly Row[], row: Row): string[] {
  const { operation, unit, start, end, setup, alternative, closed } = row
  if (operation.frozen !== undefined) {
    const { frozen } = operation
    return frozen.unit === unit && frozen.start === start && frozen.end === end ? [] : ['was frozen and has changed']
  }
  if (alternative === undefined) return [`cannot be done on ${unit}`]
  const broken: string[] = []
  if (start < problem.now) broken.push('begins in the past')
  if (start < (problem.orders[operation.order]?.release ?? 0)) broken.push('begins before its release')
  if (start < (operation.notBefore ?? 0)) broken.push('begins before it may')
  for (const before of operation.after) broken.push(...precedenceFaults(problem, rows[before] as Row, row))
  const resumable = operation.resumable ?? problem.resumable
  const lost = lengthOf(overlapWith(closed, start, end))
  const work = alternative.duration + (problem.setupIs === 'attached' ? setup : 0)
  if (!resumable && lost > TINY) broken.push('runs while its unit is closed')
  if (Math.abs(end - start - lost - work) > TINY) broken.push(`works ${end - start - lost} instead of ${work}`)
  if (work > 0 && lengthOf(overlapWith(closed, start, start + 1e-3)) > TINY) broken.push('begins while its unit is closed')
  return broken
}

function precedenceFaults(problem: ScheduleProblem, before: Row, row: Row): string[] {
  const share = before.operation.transferShare
  if (share === undefined) return before.end > row.start ? [`begins before ${before.operation.id} ends`] : []
  const broken: string[] = []
  if (row.start < lotMade(problem, before, share) - TINY) broken.push(`begins before ${before.operation.id} has made its first lot`)
  const after = lengthOf(openWithin(row.closed, Math.max(row.start, before.end), row.end))
  const least = share * (row.alternative?.duration ?? 0)
  if (row.start < before.end && (row.end < before.end || after < least - TINY)) broken.push(`does ${after} of ${least} after ${before.operation.id} has ended`)
  return broken
}

/** When so much of an operation is done that its first lot is made. */
function lotMade(problem: ScheduleProblem, { operation, start, end, setup, alternative, closed }: Row, share: number): number {
  const open = openWithin((operation.resumable ?? problem.resumable) ? closed : [], start, end)
  const made = operation.frozen === undefined ? share * (alternative?.duration ?? 0) + (problem.setupIs === 'attached' ? setup : 0) : share * lengthOf(open)
  let left = made
  for (const { from, to } of open) {
    if (left <= to - from) return from + left
    left -= to - from
  }
  return end
}

/** What takes no time may have been done in any order with what else does at the same moment: the one that breaks least counts. */
function unitFaults(problem: ScheduleProblem, rows: readonly Row[], index: number): string[] {
  const list = rows.filter((row) => row.unit === index).sort((a, b) => a.start - b.start || a.end - b.end)
  let least = faultsInOrder(problem, rows, index, list)
  for (let at = 1; at < list.length && least.length > 0; at++) {
    const [one, other] = [list[at - 1], list[at]] as [Row, Row]
    if (one.start !== other.start || one.end !== other.end) continue
    const swapped = list.toSpliced(at - 1, 2, other, one)
    const broken = faultsInOrder(problem, rows, index, swapped)
    if (broken.length < least.length) least = broken
  }
  return least
}

function faultsInOrder(problem: ScheduleProblem, rows: readonly Row[], index: number, list: readonly Row[]): string[] {
  const broken: string[] = []
  const unit = problem.units[index]
  let heads = list.filter((row) => row.operation.first !== undefined && row.operation.frozen === undefined).length
  list.forEach((row, at) => {
    const fail = (what: string): void => void broken.push(`${row.operation.id} ${what}`)
    if (row.operation.frozen !== undefined) return
    const previous = list[at - 1]
    if (row.operation.first !== undefined) heads--
    else if (heads > 0) fail(`comes before what is first on ${unit?.id}`)
    if (previous !== undefined && previous.end > row.start) fail(`overlaps ${previous.operation.id} on ${unit?.id}`)
    const expected = setupOf(problem, index, previous?.operation, row.operation)
    if (row.setup !== expected) fail(`is set up for ${row.setup} instead of ${expected}`)
    if (problem.setupIs === 'before' && expected > 0) {
      const readyAfter = (before: Row): number => {
        const share = before.operation.transferShare
        return share === undefined ? before.end : lotMade(problem, before, share)
      }
      const ready = Math.max(problem.orders[row.operation.order]?.release ?? 0, ...row.operation.after.map((before) => readyAfter(rows[before] as Row)))
      const from = Math.max(previous?.end ?? problem.now, problem.now, problem.anticipatory === true ? 0 : ready)
      const open = row.start - from - (problem.setupInOpenTime === true ? lengthOf(overlapWith(row.closed, from, row.start)) : 0)
      if (open < expected - TINY) fail(`has ${open} to be set up, and needs ${expected}`)
    }
  })
  return broken
}

/** Times at which operations have more of a resource than there is. What is frozen may have more, but then nothing else may have any. */
function resourceFaults(problem: ScheduleProblem, rows: readonly Row[], resource: number): string[] {
  const { id, capacity, reduced } = (problem.resources ?? [])[resource] as NonNullable<ScheduleProblem['resources']>[number]
  const users = rows.flatMap((row) => {
    const amount = amountsOf(row.alternative).get(resource) ?? 0
    return amount === 0 ? [] : row.working.map((span) => ({ row, amount, from: span.from, to: span.to }))
  })
  const points = [...new Set([...users, ...reduced].flatMap(({ from, to }) => [from, to]))].filter(Number.isFinite).sort((a, b) => a - b)
  return points.flatMap((from, at) => {
    const middle = (from + (points[at + 1] ?? from)) / 2
    if (middle <= Math.max(from, problem.now)) return []
    const present = users.filter((user) => user.from <= middle && middle < user.to)
    if (present.every(({ row }) => row.operation.frozen !== undefined)) return []
    const left = Math.min(capacity, ...reduced.filter((span) => span.from <= middle && middle < span.to).map((span) => span.capacity))
    const taken = present.reduce((sum, { amount }) => sum + amount, 0)
    return taken > left + TINY ? [`${present.map(({ row }) => row.operation.id).join(' and ')} have ${taken} of ${id} at ${middle}, and there are ${left}`] : []
  })
}

function amountsOf(alternative: ProblemAlternative | undefined): Map<number, number> {
  const amounts = new Map<number, number>()
  for (const { resource, amount } of alternative?.needs ?? []) amounts.set(resource, (amounts.get(resource) ?? 0) + amount)
  return amounts
}

function riskOf(problem: ScheduleProblem, rows: readonly Row[], row: Row): number {
  const risk = problem.units[row.unit]?.risk
  if (risk === undefined || risk.until === row.index) return 0
  const repair = risk.until === undefined ? undefined : rows[risk.until]
  const isBefore = repair === undefined || (repair.operation.frozen === undefined && row.start <= repair.start && row.end <= repair.start)
  return isBefore ? risk.perTime * ((row.alternative?.duration ?? 0) + row.setup) : 0
}

function setupOf(problem: ScheduleProblem, unit: number, before: ProblemOperation | undefined, operation: ProblemOperation): number {
  const own = operation.alternatives.find((candidate) => candidate.unit === unit)?.setup ?? 0
  const { setups, initialSetups, family: present } = problem.units[unit] ?? {}
  const to = operation.family ?? -1
  if (to < 0) return own
  const from = before === undefined ? (present ?? -1) : (before.family ?? -1)
  const known = from < 0 ? initialSetups?.[to] : setups?.[from]?.[to]
  return known === undefined || known < 0 ? own : known
}

/** A time cut at every beginning and end of spans, and of each piece whether any covers it. */
function pieces(spans: readonly Span[], from: number, to: number): (Span & { readonly covered: boolean })[] {
  const points = [...new Set([from, to, ...spans.flatMap((span) => [span.from, span.to])])]
    .filter((point) => point >= from && point <= to)
    .sort((a, b) => a - b)
  return points.slice(1).map((end, at) => {
    const begin = points[at] as number
    const middle = (begin + end) / 2
    return { from: begin, to: end, covered: spans.some((span) => span.from <= middle && middle < span.to) }
  })
}

function overlapWith(spans: readonly Span[], from: number, to: number): Span[] {
  return pieces(spans, from, to).filter(({ covered }) => covered)
}

function openWithin(closed: readonly Span[], from: number, to: number): Span[] {
  return from < to ? pieces(closed, from, to).filter(({ covered }) => !covered) : []
}

/** The last open time of a length before a moment. */
function lastOpen(closed: readonly Span[], until: number, length: number): Span[] {
  const earliest = until - length - lengthOf(closed.filter(({ from, to }) => Number.isFinite(from) && Number.isFinite(to)))
  const found: Span[] = []
  let left = length
  for (const { from, to } of openWithin(closed, earliest, until).reverse()) {
    if (left <= 0) break
    found.push({ from: Math.max(from, to - left), to })
    left -= to - from
  }
  return found
}

function lengthOf(spans: readonly Span[]): number {
  return spans.reduce((sum, { from, to }) => sum + to - from, 0)
}
