import assert from 'node:assert/strict'
import { ERROR_CODES } from '../../../../core/base/error-codes.ts'
import { seededRandom } from '../../../../core/base/random.ts'
import type { Anomaly } from '../../../../core/messages/anomaly.ts'
import type { Disruption } from '../../../../core/messages/disruption.ts'
import type { JobOrder } from '../../../../core/messages/job-order.ts'
import type { Plan } from '../../../../core/messages/plan.ts'
import type { WorkOrder } from '../../../../core/messages/work-order.ts'
import { buildProblem, type PlanningProblem } from '../../../../core/orders/planning/build-problem.ts'
import { type PlanningFacts, readFacts } from '../../../../core/orders/planning/read-facts.ts'
import { draftPlan } from '../../../../core/orders/planning/to-plan.ts'
import { checkPlant } from '../../../../core/plant/check-plant.ts'
import { problemFaults } from '../../../../core/schedule/check-problem.ts'
import type { Schedule } from '../../../../core/schedule/problem.ts'
import { doNothing, solve } from '../../../../core/schedule/search.ts'
import { brokenRules } from '../../schedule/support/judge-schedule.ts'
import { HOUR, MINUTE, PLANT, Shop, START, plant as sound } from './fixture.ts'

const YEAR_9999 = Date.UTC(9999, 0, 1)
const DAY = 24 * HOUR

/** The fixture's plant, and a unit whose calendar never opens. */
const plant = checkPlant(
  {
    ...PLANT,
    equipment: [...PLANT.equipment, { id: 'p/museum', level: 'workUnit', classes: ['museum'], calendar: 'never' }],
    calendars: {
      ...PLANT.calendars,
      never: { shifts: [{ name: 'once', days: 'Mon', from: '06:00', to: '06:01' }], exceptions: mondays() },
    },
    personnel: [
      { id: 'milling', people: 2, calendar: 'day' },
      { id: 'nobody', people: 0 },
    ],
    tools: [{ id: 'fixture', count: 2, away: [{ from: '2026-01-05 08:00', to: '2026-01-05 12:00' }] }],
  },
  'test',
)

/** Every Monday of three years, closed. */
function mondays(): { date: string; open: boolean }[] {
  return Array.from({ length: 160 }, (_, week) => ({ date: new Date(START + (week - 1) * 7 * DAY).toISOString().slice(0, 10), open: false }))
}

function order(id: string, more: Partial<WorkOrder> = {}): WorkOrder {
  return {
    kind: 'work-order',
    id,
    type: 'production',
    workMaster: null,
    quantity: { value: 10, unit: 'pcs' },
    release: START,
    due: START + 2 * DAY,
    priority: 5,
    weight: 1,
    state: 'Released',
    progress: { good: 0, scrap: 0 },
    lots: [],
    jobOrders: [],
    created: START,
    ...more,
  }
}

function job(id: string, workOrder: string, more: Partial<JobOrder> = {}): JobOrder {
  return {
    kind: 'job-order',
    id,
    workOrder,
    operation: id,
    sequence: 1,
    after: [],
    state: 'NotAllowedToStart',
    substate: 'Waiting',
    equipment: null,
    alternatives: [{ equipment: 'p/saw', setupMs: MINUTE, perPieceMs: MINUTE }],
    quantity: { value: 10, unit: 'pcs' },
    good: 0,
    scrap: 0,
    lot: null,
    plannedStart: null,
    plannedEnd: null,
    actualStart: null,
    actualEnd: null,
    planVersion: null,
    pinned: false,
    ...more,
  }
}

function facts(jobs: readonly JobOrder[], orders: readonly WorkOrder[], more: Partial<PlanningFacts> = {}): PlanningFacts {
  return {
    now: START,
    jobs,
    workOrders: new Map(orders.map((one) => [one.id, one])),
    states: new Map(),
    lastCounted: new Map(),
    heldLots: new Set(),
    disruptions: [],
    lastFamily: new Map(),
    plan: undefined,
    ...more,
  }
}

const build = (given: PlanningFacts): PlanningProblem => buildProblem(given, plant, { objective: 'due-dates', resumable: true })
const named = ({ problems }: PlanningProblem): string[] => problems.map(({ code, jobOrder, workOrder }) => `${code} ${jobOrder ?? workOrder}`)
const planned = ({ jobs }: PlanningProblem): string[] => jobs.map(({ id }) => id)

describe('silly input of a plan', () => {
  /** What is silly about job order `bad`; `good` is always planned. */
  const cases: [string, Partial<JobOrder>, Partial<WorkOrder>, string, boolean][] = [
    ['a quantity of nothing', { quantity: { value: 0, unit: 'pcs' } }, {}, 'TAKT_PLAN_NO_QUANTITY bad', false],
    ['a quantity that is no number', { quantity: { value: Number.NaN, unit: 'pcs' } }, {}, 'TAKT_PLAN_NO_QUANTITY bad', false],
    ['no alternative', { alternatives: [] }, {}, 'TAKT_PLAN_NO_ALTERNATIVE bad', false],
    ['no time at all', { alternatives: [{ equipment: 'p/saw', setupMs: 0, perPieceMs: 0 }] }, {}, 'TAKT_PLAN_NO_DURATION bad', false],
    ['a time below zero', { alternatives: [{ equipment: 'p/saw', setupMs: -1, perPieceMs: 5 }] }, {}, 'TAKT_PLAN_NO_DURATION bad', false],
    ['a time that is no number', { alternatives: [{ equipment: 'p/saw', setupMs: 0, perPieceMs: Number.NaN }] }, {}, 'TAKT_PLAN_NO_DURATION bad', false],
    ['a calendar that never opens', { alternatives: [{ equipment: 'p/museum', setupMs: 0, perPieceMs: 5 }] }, {}, 'TAKT_PLAN_NO_OPEN_TIME bad', false],
    ['centuries of work', { alternatives: [{ equipment: 'p/saw', setupMs: 0, perPieceMs: 1e13 }] }, {}, 'TAKT_PLAN_NO_OPEN_TIME bad', false],
    ['itself as predecessor', { after: ['bad'] }, {}, 'TAKT_PLAN_CIRCLE bad', false],
    ['a release in the year 9999', {}, { release: YEAR_9999, due: YEAR_9999 + 1 }, 'TAKT_PLAN_TOO_FAR bad', false],
    ['a pin in the year 9999', { equipment: 'p/saw', pinned: true, plannedStart: YEAR_9999 }, {}, 'TAKT_PLAN_TOO_FAR bad', false],
    ['a due time before its release', {}, { release: START + DAY, due: START }, 'TAKT_PLAN_DUE_BEFORE_RELEASE wo-bad', true],
    ['a weight below zero', {}, { weight: -3 }, 'TAKT_PLAN_TIME_INVALID wo-bad', true],
    ['a due time that is none', {}, { due: Number.NaN }, 'TAKT_PLAN_TIME_INVALID wo-bad', true],
    [
      'one alternative of two that makes no sense',
      { alternatives: [{ equipment: 'p/mill-1', setupMs: 0, perPieceMs: -5 }, ...job('x', 'y').alternatives] },
      {},
      'TAKT_PLAN_NO_DURATION bad',
      true,
    ],
    [
      'a unit named twice',
      { alternatives: [...job('x', 'y').alternatives, ...job('x', 'y').alternatives], state: 'AllowedToStart', equipment: 'p/saw' },
      {},
      '',
      true,
    ],
    [
      'a repair whose deadline has passed',
      { maintenance: 'planned', equipment: 'p/saw', deadline: START - DAY, quantity: { value: 1, unit: 'repair' } },
      { type: 'maintenance', due: null },
      'TAKT_PLAN_DEADLINE bad',
      true,
    ],
    ['an order that is not there', { workOrder: 'nobody' }, {}, 'TAKT_PLAN_ORDER_UNKNOWN bad', false],
  ]
  for (const [what, ofJob, ofOrder, problem, isPlanned] of cases) {
    it(`names ${what}`, () => {
      const built = build(facts([job('bad', 'wo-bad', ofJob), job('good', 'wo-good')], [order('wo-bad', ofOrder), order('wo-good')]))
      assert.deepEqual(named(built), problem === '' ? [] : [problem])
      assert.deepEqual(planned(built), isPlanned ? ['bad', 'good'] : ['good'])
      assert.deepEqual(problemFaults(built.problem), [])
    })
  }

  it('names who waits for whom in a circle, and what waits for the circle', () => {
    const jobs = [
      job('a', 'wo', { after: ['c'] }),
      job('b', 'wo', { after: ['a'] }),
      job('c', 'wo', { after: ['b', 'z'] }),
      job('d', 'wo', { after: ['c'] }),
      job('z', 'wo'),
    ]
    const built = build(facts(jobs, [order('wo')]))
    assert.deepEqual(named(built), ['TAKT_PLAN_CIRCLE a', 'TAKT_PLAN_CIRCLE b', 'TAKT_PLAN_CIRCLE c', 'TAKT_PLAN_PREDECESSOR d'])
    assert.equal(built.problems[0]?.why, 'a: it waits for itself: a → c → b → a')
    assert.deepEqual(planned(built), ['z'])
  })

  it('plans the first of two job orders with one id', () => {
    const built = build(facts([job('a', 'wo'), job('a', 'wo', { quantity: { value: 3, unit: 'pcs' } })], [order('wo')]))
    assert.deepEqual(named(built), ['TAKT_PLAN_DUPLICATE a'])
    assert.deepEqual([planned(built), built.jobs[0]?.quantity.value], [['a'], 10])
  })

  it('names orders without operations, and plans what is most urgent of too much', async () => {
    const shop = new Shop()
    try {
      for (let n = 1; n <= 6; n++) await shop.order(`wo-${n}`, { dueIn: (10 - n) * HOUR })
      await shop.store.transaction((tx) => tx.save<'work-order'>(order('wo-empty'), { type: 'work-order.released', actor: 'test' }))
      const few = await readFacts(shop.store, sound, START, 8)
      // three job orders each: the two that are due first
      assert.deepEqual([...new Set(few.jobs.map((one) => one.workOrder))], ['wo-5', 'wo-6'])
      assert.deepEqual(few.leftOut, { jobs: 12, orders: 4 })
      assert.deepEqual(named(buildProblem(few, sound, { objective: 'due-dates', resumable: true })), [
        'TAKT_PLAN_NO_OPERATIONS wo-empty',
        'TAKT_PLAN_TOO_MANY null',
      ])
      assert.equal((await readFacts(shop.store, sound, START, 18)).leftOut, undefined)
      await shop.runs('jo-wo-1-10-saw', 'p/saw')
      assert.equal((await readFacts(shop.store, sound, START, 8)).jobs.filter((one) => one.state === 'Running').length, 1, 'what runs is never left out')
    } finally {
      await shop.close()
    }
  })

  it('plans whatever is left of random nonsense, and names the rest', () => {
    for (let seed = 1; seed <= RUNS; seed++) {
      const given = nonsense(seed)
      const built = buildProblem(given, plant, { objective: 'due-dates', resumable: seed % 3 > 0, frozenMs: seed % 2 === 0 ? 0 : 6 * HOUR })
      assert.deepEqual(problemFaults(built.problem), [], `seed ${seed}`)
      const begun = performance.now()
      const schedule: Schedule = solve(built.problem, { moves: 60, seed })
      assert.ok(performance.now() - begun < 2000, `seed ${seed} took ${performance.now() - begun} ms`)
      assert.deepEqual(brokenRules(built.problem, schedule), [], `seed ${seed}`)
      assert.ok(Number.isFinite(schedule.cost.total), `seed ${seed}: cost ${schedule.cost.total}`)
      for (const { code, why } of built.problems) assert.ok(code in ERROR_CODES && why.length > 0 && why.length <= 1000, code)
      const places = new Set(planned(built))
      const blamed = new Set(built.problems.map((problem) => problem.jobOrder))
      for (const one of given.jobs) assert.ok(places.has(one.id) || blamed.has(one.id), `seed ${seed}: ${one.id} is neither planned nor named`)
      const drafted = draftPlan(given, built, { schedule, doNothing: doNothing(built.problem) }, plant, { trigger: { type: 'test' }, toleranceMs: MINUTE })
      assert.ok(drafted.plan.assignments.length === built.jobs.length)
    }
  })
})

const RUNS = 60

/** Orders and job orders like any other, but for a value here and there that nobody can mean. */
function nonsense(seed: number): PlanningFacts {
  const random = seededRandom(seed)
  const int = (below: number): number => Math.floor(random() * below)
  const pick = <T>(list: readonly T[]): T => list[int(list.length)] as T
  const odd = <T>(value: T, others: readonly T[], chance = 0.06): T => (random() < chance ? pick(others) : value)
  const times = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1, 0, 1e300, YEAR_9999, START - DAY, START + 300 * DAY]
  const lengths = [Number.NaN, Number.POSITIVE_INFINITY, -5, 0, 1e300, 1e13, 1e-9]
  const units = ['p/saw', 'p/mill-1', 'p/mill-2', 'p/mill-3', 'p/grinder']
  const jobs: JobOrder[] = []
  const orders: WorkOrder[] = []
  for (let n = 0; n < 3 + int(8); n++) {
    const id = `wo-${n}`
    const repair = random() < 0.2
    orders.push(
      order(id, {
        type: repair ? 'maintenance' : 'production',
        release: odd(START + int(10) * HOUR, times),
        due: odd<number | null>(START + int(60) * HOUR, [null, ...times]),
        weight: odd(1 + int(3), lengths),
        priority: odd(5, lengths),
      }),
    )
    for (let step = 0; step < (repair ? 1 : 1 + int(4)); step++) {
      const unit = pick(units)
      const begun = random() < 0.12
      const told = !begun && random() < 0.1
      const hasPlace = repair || begun || told || random() < 0.4
      const start = START + int(20) * HOUR
      jobs.push(
        job(odd(`jo-${n}-${step}`, ['jo-0-0', 'jo-1-0'], 0.03), odd(id, ['nobody', 'wo-0'], 0.03), {
          after: odd(step === 0 ? [] : [`jo-${n}-${step - 1}`], [[`jo-${n}-${step}`], [`jo-${n}-${step + 1}`], ['jo-0-0'], ['jo-gone']]),
          state: begun ? pick(['Running', 'Interrupted'] as const) : told ? 'AllowedToStart' : 'NotAllowedToStart',
          equipment: hasPlace ? unit : null,
          alternatives: odd(
            [unit, ...(random() < 0.5 ? [pick(units)] : [])].map((equipment) => ({
              equipment: odd(equipment, ['p/gone', 'p/museum']),
              setupMs: odd(int(20) * MINUTE, lengths),
              perPieceMs: odd((1 + int(20)) * MINUTE, lengths),
              ...(random() < 0.5 ? { needs: [{ resource: odd(pick(['milling', 'fixture']), ['nobody', 'laser']), count: odd(1, [2, 3, ...lengths]) }] } : {}),
            })),
            [[]],
          ),
          ...(random() < 0.3 ? { transferLot: odd(1 + int(8), lengths) } : {}),
          ...(random() < 0.2 ? { materialAt: odd<number | null>(START + int(20) * HOUR, [null, ...times], 0.3) } : {}),
          ...(random() < 0.5 ? { setupFamily: pick(['shaft', 'plate', 'other']) } : {}),
          quantity: { value: odd(repair ? 1 : 1 + int(20), lengths), unit: 'pcs' },
          good: odd(0, lengths),
          plannedStart: hasPlace ? odd(start, times) : null,
          plannedEnd: hasPlace ? odd(start + HOUR, times) : null,
          actualStart: begun ? odd(START - int(5) * HOUR, times) : null,
          pinned: hasPlace && random() < 0.2,
          ...(repair ? { maintenance: pick(['planned', 'unplanned'] as const), deadline: odd<number | null>(START + int(20) * HOUR, [null, ...times]) } : {}),
        }),
      )
    }
  }
  const states = units.flatMap((unit) => (random() < 0.2 ? [[unit, { state: 'Aborted' as const, since: odd(START - HOUR, times) }] as const] : []))
  const disruptions = units.flatMap((equipment, n): Disruption[] =>
    random() > 0.2
      ? []
      : [
          {
            kind: 'disruption',
            id: `dis-${n}`,
            equipment,
            action: pick(['block', 'repair-now'] as const),
            cause: {},
            deadline: null,
            unavailable: { from: odd(START, times, 0.3), to: odd<number | null>(START + int(30) * HOUR, [null, ...times], 0.3) },
            autonomy: 'auto',
            status: 'accepted',
            why: 'worn',
            time: START,
          },
        ],
  )
  const away = { ...disruptions[0], id: 'dis-away', equipment: 'p', action: 'block', unavailable: { from: odd(START, times, 0.3), to: null } } as Disruption
  if (disruptions.length > 0 && random() < 0.5) disruptions.push({ ...away, resource: { id: odd('fixture', ['laser']), count: odd(1, lengths) } })
  const anomalies = units.flatMap((equipment, n): Anomaly[] =>
    random() < 0.7
      ? []
      : [
          {
            kind: 'anomaly',
            id: `an-${n}`,
            equipment: odd(equipment, ['p/gone']),
            signals: ['vibration'],
            state: 'raised',
            method: 'auto',
            score: 0.9,
            severity: pick(['low', 'medium', 'high'] as const),
            since: START,
            time: odd(START, times),
            evidence: [],
          },
        ],
  )
  return facts(jobs, orders, { states: new Map(states), disruptions, anomalies, plan: planOf(jobs), lastFamily: new Map([['p/mill-1', 'plate']]) })
}

/** The plan in force, as the job orders that have a place say. */
function planOf(jobs: readonly JobOrder[]): Plan {
  const assignments = jobs.flatMap(({ id, workOrder, equipment, plannedStart, plannedEnd }) =>
    equipment === null || plannedStart === null || plannedEnd === null
      ? []
      : [{ jobOrder: id, workOrder, equipment, start: plannedStart, end: plannedEnd, setupMs: 0, frozen: false }],
  )
  const objective = { tardinessMs: 0, makespanMs: 0, setups: 0, moved: 0 }
  return { kind: 'plan', version: 1, previous: null, now: START, trigger: { type: 'test' }, objective, assignments, changes: [], doNothing: null, problems: [] }
}
