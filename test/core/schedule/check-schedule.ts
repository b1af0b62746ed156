import type { ProblemOperation, Schedule, ScheduleProblem, Span } from '../../../core/schedule/problem.ts'

/**
 * Every rule that a schedule must keep, checked minute by minute of thought rather than of code: it shares nothing with the scheduler but the problem's types.
 * Returns what is broken.
 */
export function brokenRules(problem: ScheduleProblem, schedule: Schedule): string[] {
  const broken: string[] = []
  const rows = problem.operations.map((operation, index) => {
    const placement = schedule.placements[index]
    if (placement === undefined) throw new Error(`operation ${operation.id} has no placement`)
    return { operation, index, ...placement }
  })
  const fail = (row: { operation: ProblemOperation }, what: string): void => void broken.push(`${row.operation.id} ${what}`)

  for (const row of rows) {
    const { operation, unit, start, end, setup } = row
    if (operation.frozen !== undefined) {
      const { frozen } = operation
      if (frozen.unit !== unit || frozen.start !== start || frozen.end !== end) fail(row, 'was frozen and has changed')
      continue
    }
    const alternative = operation.alternatives.find((candidate) => candidate.unit === unit)
    if (alternative === undefined) {
      fail(row, `cannot be done on ${unit}`)
      continue
    }
    if (start < problem.now) fail(row, 'begins in the past')
    if (start < (problem.orders[operation.order]?.release ?? 0)) fail(row, 'begins before its release')
    if (start < (operation.notBefore ?? 0)) fail(row, 'begins before it may')
    for (const before of operation.after) if ((rows[before]?.end ?? 0) > start) fail(row, `begins before ${rows[before]?.operation.id} ends`)
    const closed = alternative.closed ?? problem.units[unit]?.closed ?? []
    const resumable = operation.resumable ?? problem.resumable
    const work = alternative.duration + (problem.setupIs === 'attached' ? setup : 0)
    const lost = closedWithin(closed, start, end)
    if (!resumable && lost > 0) fail(row, 'runs while its unit is closed')
    if (end - start - lost !== work) fail(row, `works ${end - start - lost} instead of ${work}`)
    if (work > 0 && closedWithin(closed, start, start + 1e-3) > 0) fail(row, 'begins while its unit is closed')
  }

  problem.units.forEach((unit, index) => {
    const list = rows.filter((row) => row.unit === index).sort((a, b) => a.start - b.start || a.end - b.end)
    let heads = list.filter((row) => row.operation.first !== undefined && row.operation.frozen === undefined).length
    list.forEach((row, at) => {
      if (row.operation.frozen !== undefined) return
      const previous = list[at - 1]
      if (row.operation.first !== undefined) heads--
      else if (heads > 0) fail(row, `comes before what is first on ${unit.id}`)
      if (previous !== undefined && previous.end > row.start) fail(row, `overlaps ${previous.operation.id} on ${unit.id}`)
      const expected = setupOf(problem, index, previous?.operation, row.operation)
      if (row.setup !== expected) fail(row, `is set up for ${row.setup} instead of ${expected}`)
      if (problem.setupIs === 'before' && expected > 0) {
        const ready = Math.max(problem.orders[row.operation.order]?.release ?? 0, ...row.operation.after.map((before) => rows[before]?.end ?? 0))
        const from = Math.max(previous?.end ?? problem.now, problem.now, problem.anticipatory === true ? 0 : ready)
        const open = row.start - from - (problem.setupInOpenTime === true ? closedWithin(closedOf(problem, row.operation, index), from, row.start) : 0)
        if (open < expected) fail(row, `has ${open} to be set up, and needs ${expected}`)
      }
    })
  })
  return broken
}

function closedOf(problem: ScheduleProblem, operation: ProblemOperation, unit: number): readonly Span[] {
  return operation.alternatives.find((candidate) => candidate.unit === unit)?.closed ?? problem.units[unit]?.closed ?? []
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

function closedWithin(spans: readonly Span[], from: number, to: number): number {
  const points = [from, to, ...spans.flatMap((span) => [span.from, span.to])].filter((point) => point >= from && point <= to).sort((a, b) => a - b)
  let sum = 0
  for (let at = 1; at < points.length; at++) {
    const [low, high] = [points[at - 1] as number, points[at] as number]
    const middle = (low + high) / 2
    if (spans.some((span) => span.from <= middle && middle < span.to)) sum += high - low
  }
  return sum
}
