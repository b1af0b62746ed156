import { type Random, seededRandom } from '../../../core/base/random.ts'
import type { ProblemOperation, ProblemOrder, ProblemUnit, ScheduleProblem, Span } from '../../../core/schedule/problem.ts'

export interface Shape {
  readonly orders?: number
  readonly units?: number
  /** Seconds since some moment; times are whole numbers of any unit. */
  readonly now?: number
  readonly setupIs?: 'attached' | 'before'
  readonly resumable?: boolean
  readonly closed?: boolean
  readonly own?: boolean
}

/** A problem with everything at once: alternatives, assembly, set-ups, calendars, downtimes, frozen rows, repairs with deadlines, pins, first ones, a baseline. */
export function randomProblem(seed: number, shape: Shape = {}): ScheduleProblem {
  const random = seededRandom(seed)
  const int = (below: number): number => Math.floor(random() * below)
  const now = shape.now ?? 1000 + int(1000)
  const unitCount = shape.units ?? 3 + int(4)
  const families = 3
  const units: ProblemUnit[] = Array.from({ length: unitCount }, (_, index) => ({
    id: `unit-${index}`,
    closed: shape.closed === false ? [] : [...shifts(random, now), ...(random() < 0.3 ? [span(now + int(300), 1 + int(200))] : [])],
    ...(random() < 0.7
      ? {
          setups: Array.from({ length: families }, (_from, from) =>
            Array.from({ length: families }, (_to, to) => (random() < 0.2 ? -1 : from === to ? 0 : int(20))),
          ),
        }
      : {}),
    ...(random() < 0.5 ? { family: int(families) } : { initialSetups: Array.from({ length: families }, () => int(15)) }),
  }))
  const orders: ProblemOrder[] = []
  const operations: ProblemOperation[] = []
  const free = new Set(units.map((_, index) => index))
  for (let order = 0; order < (shape.orders ?? 4 + int(10)); order++) {
    orders.push({ id: `order-${order}`, release: now - 200 + int(400), due: random() < 0.2 ? null : now + int(800), weight: 1 + int(4) })
    const base = operations.length
    const length = 1 + int(5)
    for (let step = 0; step < length; step++) {
      const chosen = [...units.keys()].sort(() => random() - 0.5).slice(0, 1 + int(3))
      const alternatives = chosen.map((unit) => ({ unit, duration: random() < 0.05 ? 0 : 1 + int(60), setup: int(15) }))
      // mostly chains; now and then two operations side by side and one that needs both
      const after = step === 0 ? [] : step > 1 && random() < 0.2 ? [base + step - 1, base + step - 2] : [base + step - 1 - (step > 1 && random() < 0.2 ? 1 : 0)]
      const unit = chosen[0] as number
      const begun = step === 0 && random() < 0.15 && free.delete(unit)
      operations.push({
        id: `${order}/${step}`,
        order,
        alternatives,
        after,
        family: random() < 0.2 ? -1 : int(families),
        ...(begun ? { frozen: { unit, start: now - 1 - int(50), end: now + int(80) } } : {}),
        ...(!begun && random() < 0.05 ? { notBefore: now + int(200), startBy: now + int(300) } : {}),
        ...(random() < 0.5 ? { baseline: { unit: random() < 0.8 ? unit : int(unitCount), start: now + int(500) } } : {}),
        ...(shape.own === true && random() < 0.2 ? { resumable: random() < 0.5 } : {}),
      })
    }
  }
  for (const [unit] of units.entries()) {
    if (random() < 0.3) {
      orders.push({ id: `repair-${unit}`, release: 0, due: null, weight: 1, counts: false })
      const crew = shape.own === true && random() < 0.5 ? { closed: shifts(random, now) } : {}
      operations.push({
        id: `repair-${unit}`,
        order: orders.length - 1,
        alternatives: [{ unit, duration: 20 + int(40), setup: 0, ...crew }],
        after: [],
        startBy: now + int(400),
        ...(random() < 0.3 ? { first: 0 } : {}),
      })
    }
    if (random() < 0.2) {
      const candidate = operations.findIndex(
        (operation) => operation.after.length === 0 && operation.first === undefined && operation.alternatives[0]?.unit === unit,
      )
      const operation = operations[candidate]
      if (operation !== undefined && operation.frozen === undefined)
        operations[candidate] = { ...operation, alternatives: operation.alternatives.slice(0, 1), first: 1 }
    }
  }
  const setupIs = shape.setupIs ?? (random() < 0.5 ? 'attached' : 'before')
  return {
    now,
    units,
    orders,
    operations,
    resumable: shape.resumable ?? random() < 0.5,
    setupIs,
    anticipatory: setupIs === 'before' && random() < 0.5,
    setupInOpenTime: random() < 0.5,
    weights: { tardiness: 1, makespan: 0.1, setup: 0.05, lateStart: 5, reassigned: 2, deviation: 0.01 },
  }
}

function span(from: number, length: number): Span {
  return { from, to: from + length }
}

/** Closed again and again, wide enough open for every operation (a set-up and 60), and open for good at last. */
function shifts(random: Random, now: number): Span[] {
  if (random() < 0.4) return []
  const spans: Span[] = random() < 0.5 ? [{ from: Number.NEGATIVE_INFINITY, to: now + 20 }] : []
  let at = now + 100 + Math.floor(random() * 100)
  for (let count = 0; count < 12; count++) {
    spans.push(span(at, 20 + Math.floor(random() * 80)))
    at += 220 + Math.floor(random() * 100)
  }
  return spans
}
