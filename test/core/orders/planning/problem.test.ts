import assert from 'node:assert/strict'
import type { Anomaly } from '../../../../core/messages/anomaly.ts'
import type { Disruption } from '../../../../core/messages/disruption.ts'
import type { JobOrder } from '../../../../core/messages/job-order.ts'
import type { Plan } from '../../../../core/messages/plan.ts'
import type { WorkOrder } from '../../../../core/messages/work-order.ts'
import { buildProblem, type PlanningSettings } from '../../../../core/orders/planning/build-problem.ts'
import type { PlanningFacts } from '../../../../core/orders/planning/read-facts.ts'
import { checkPlant } from '../../../../core/plant/check-plant.ts'
import { problemFaults } from '../../../../core/schedule/check-problem.ts'
import { HOUR, MINUTE, PLANT, START } from './fixture.ts'

const plant = checkPlant(
  {
    ...PLANT,
    equipment: PLANT.equipment.map((unit) =>
      unit.id === 'p/mill-1' || unit.id === 'p/mill-2' ? { ...unit, maintenance: { ...unit.maintenance!, crew: 'fitters', crewSize: 2 } } : unit,
    ),
    personnel: [
      { id: 'milling', people: 2, calendar: 'day' },
      { id: 'fitters', people: 3 },
    ],
    tools: [{ id: 'fixture', count: 2 }],
  },
  'test',
)

function job(id: string, more: Partial<JobOrder> = {}): JobOrder {
  return {
    kind: 'job-order',
    id,
    workOrder: 'wo-1',
    operation: '10-mill',
    sequence: 0,
    after: [],
    state: 'NotAllowedToStart',
    substate: 'Ready',
    equipment: null,
    alternatives: ['p/mill-1', 'p/mill-2'].map((equipment) => ({ equipment, setupMs: 15 * MINUTE, perPieceMs: 6 * MINUTE })),
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
const needing = (...needs: { resource: string; count: number }[]) => ({
  alternatives: [{ equipment: 'p/mill-1', setupMs: 0, perPieceMs: 6 * MINUTE, needs }],
})
const repair = (id: string, equipment: string, more: Partial<JobOrder> = {}) =>
  job(id, {
    equipment,
    operation: 'maintenance',
    maintenance: 'planned',
    alternatives: [{ equipment, setupMs: 0, perPieceMs: HOUR }],
    quantity: { value: 1, unit: 'repair' },
    ...more,
  })
const running = (more: Partial<JobOrder> = {}) => ({ state: 'Running' as const, substate: null, equipment: 'p/mill-1', actualStart: START - HOUR, ...more })

function facts(jobs: readonly JobOrder[], more: Partial<PlanningFacts> = {}): PlanningFacts {
  const order = (id: string): WorkOrder => ({
    kind: 'work-order',
    id,
    type: 'production',
    workMaster: null,
    quantity: { value: 10, unit: 'pcs' },
    release: START,
    due: null,
    priority: 5,
    weight: 1,
    state: 'Released',
    progress: { good: 0, scrap: 0 },
    lots: [],
    jobOrders: [],
    created: START,
  })
  return {
    now: START,
    jobs,
    workOrders: new Map([...new Set(jobs.map((one) => one.workOrder))].map((id) => [id, order(id)])),
    states: new Map(),
    lastCounted: new Map(),
    heldLots: new Set(),
    disruptions: [],
    lastFamily: new Map(),
    plan: undefined,
    ...more,
  }
}
const build = (given: PlanningFacts, settings: Partial<PlanningSettings> = {}) => {
  const built = buildProblem(given, plant, { objective: 'due-dates', resumable: true, ...settings })
  assert.deepEqual(problemFaults(built.problem), [])
  return built
}
const codes = ({ problems }: { problems: readonly { code: string; jobOrder?: string }[] }) => problems.map(({ code, jobOrder }) => `${jobOrder ?? '-'} ${code}`)

describe('the problem of a plan', () => {
  describe('with people, tools and crews', () => {
    it('has those that something needs as capacities, by their shifts', () => {
      const { asked: problem } = build(facts([job('a', needing({ resource: 'milling', count: 1 }, { resource: 'fixture', count: 2 })), job('b')]))
      assert.deepEqual(
        problem.resources.map(({ id, capacity }) => [id, capacity]),
        [
          ['milling', 2],
          ['fixture', 2],
        ],
      )
      assert.deepEqual(problem.operations[0]?.alternatives[0]?.needs, [
        { resource: 0, amount: 1 },
        { resource: 1, amount: 2 },
      ])
      assert.equal(problem.operations[1]?.alternatives[0]?.needs, undefined)
      const [night] = problem.resources[0]?.reduced ?? []
      assert.deepEqual(night, { from: START + 8 * HOUR, to: START + 24 * HOUR, capacity: 0 }, 'open from six to two')
      assert.deepEqual(problem.resources[0]?.reduced.at(-1), {
        from: problem.resources[0]?.reduced.at(-1)?.from,
        to: Number.POSITIVE_INFINITY,
        capacity: 0,
      })
      assert.deepEqual(problem.resources[1]?.reduced, [])
    })

    it('has fewer while a disruption says that some are away, and no unit is blocked by it', () => {
      const gone = away('fixture', 1, { from: START, to: START + 3 * HOUR })
      const { asked: problem, blocks } = build(facts([job('a', needing({ resource: 'fixture', count: 1 }))], { disruptions: [gone, away('milling', 1, null)] }))
      assert.deepEqual(problem.resources, [{ id: 'fixture', capacity: 2, reduced: [{ from: START, to: START + 3 * HOUR, capacity: 1 }] }])
      assert.deepEqual(blocks, [])
      const forGood = build(
        facts([job('a', needing({ resource: 'fixture', count: 1 }))], { disruptions: [away('fixture', 1, { from: START + HOUR, to: null })] }),
      )
      assert.deepEqual(forGood.asked.resources?.[0]?.reduced, [{ from: START + HOUR, to: Number.POSITIVE_INFINITY, capacity: 1 }])
    })

    it('gives a repair its crew: people of a class, or one crew of a name', () => {
      const { asked: problem } = build(facts([repair('r-1', 'p/mill-1'), repair('r-2', 'p/mill-2'), repair('r-3', 'p/mill-3')]))
      assert.deepEqual(
        problem.resources.map(({ id, capacity }) => [id, capacity]),
        [
          ['fitters', 3],
          ['mechanics', 1],
        ],
      )
      assert.deepEqual(
        problem.operations.map(({ alternatives }) => alternatives[0]?.needs),
        [[{ resource: 0, amount: 2 }], [{ resource: 0, amount: 2 }], [{ resource: 1, amount: 1 }]],
      )
    })

    it('lets what runs hold its own, as far as there is any', () => {
      const { asked: problem } = build(facts([job('a', { ...needing({ resource: 'milling', count: 1 }), ...running() })]))
      const [operation] = problem.operations
      assert.ok(operation?.frozen !== undefined)
      assert.deepEqual(
        operation.alternatives.map(({ unit, needs }) => [unit, needs]),
        [[1, [{ resource: 0, amount: 1 }]]],
      )
      const none = build(facts([job('a', { ...needing({ resource: 'milling', count: 5 }, { resource: 'gone', count: 1 }), ...running() })]))
      assert.equal(none.asked.operations[0]?.alternatives[0]?.needs, undefined)
      assert.deepEqual(none.problems, [])
    })

    it('names what the plant does not have or has too few of, and plans the rest', () => {
      const other = { equipment: 'p/mill-2', setupMs: 0, perPieceMs: MINUTE }
      const built = build(
        facts([
          job('unknown', needing({ resource: 'laser', count: 1 })),
          job('elsewhere', { alternatives: [...needing({ resource: 'laser', count: 1 }).alternatives, other] }),
          job('many', needing({ resource: 'fixture', count: 3 })),
          job('never', { ...needing({ resource: 'milling', count: 2 }), workOrder: 'wo-2' }),
          job('after', { after: ['unknown'] }),
          job('plain'),
        ]),
        { resumable: false },
      )
      assert.deepEqual(codes(built), [
        'unknown TAKT_PLAN_RESOURCE_UNKNOWN',
        'elsewhere TAKT_PLAN_RESOURCE_UNKNOWN',
        'many TAKT_PLAN_RESOURCE_SHORT',
        'after TAKT_PLAN_PREDECESSOR',
      ])
      assert.match(built.problems[0]?.why ?? '', /needs laser, not in the plant model/)
      assert.match(built.problems[2]?.why ?? '', /needs 3 of fixture, and there are 2/)
      assert.deepEqual(
        built.jobs.map(({ id }) => id),
        ['elsewhere', 'never', 'plain'],
      )
      // away for good: the two that it needs are never there together
      const disruptions = [away('milling', 1, { from: START - HOUR, to: null })]
      const short = build(facts([job('a', needing({ resource: 'milling', count: 2 }))], { disruptions }))
      assert.deepEqual(codes(short), ['a TAKT_PLAN_RESOURCE_SHORT'])
    })

    it('names what fits into no shift of its people', () => {
      const long = job('long', { ...needing({ resource: 'milling', count: 1 }), quantity: { value: 100, unit: 'pcs' } })
      assert.deepEqual(codes(build(facts([long]))), [], 'interrupted at the end of a shift')
      const built = build(facts([long]), { resumable: false })
      assert.deepEqual(codes(built), ['long TAKT_PLAN_RESOURCE_SHORT'])
      assert.match(built.problems[0]?.why ?? '', /takes 10.0 h and needs 1 of milling: there is no time with so many on mill-1/)
    })

    it('tells the search only what there may be too few of', () => {
      const person = { resource: 'milling', count: 1 }
      const two = build(
        facts([job('a', needing(person)), job('b', { alternatives: [{ equipment: 'p/mill-2', setupMs: 0, perPieceMs: MINUTE, needs: [person] }] })]),
      )
      assert.equal(two.problem.resources, undefined, 'two people, and two mills that do one thing at a time')
      const [a, b] = two.problem.operations
      assert.equal(a?.alternatives[0]?.needs, undefined)
      assert.ok(
        a?.alternatives[0]?.closed?.some(({ from, to }) => from === START + 8 * HOUR && to === START + 24 * HOUR),
        'closed while nobody is there',
      )
      assert.equal(a?.alternatives[0]?.closed, b?.alternatives[0]?.closed, 'the same array for both')
      const more = needing({ resource: 'milling', count: 2 })
      const three = build(
        facts([
          job('a', more),
          job('b', { alternatives: [{ equipment: 'p/mill-2', setupMs: 0, perPieceMs: MINUTE, needs: [person, { resource: 'fixture', count: 1 }] }] }),
        ]),
      )
      assert.deepEqual(
        three.problem.resources?.map(({ id }) => id),
        ['milling'],
      )
      assert.deepEqual(
        three.problem.operations.map(({ alternatives }) => alternatives[0]?.needs),
        [[{ resource: 0, amount: 2 }], [{ resource: 0, amount: 1 }]],
      )
      const one = build(facts([repair('r-3', 'p/mill-3')]))
      assert.equal(one.problem.resources, undefined, 'one repair has its crew for itself')
    })
  })

  describe('with material and transfer lots', () => {
    it('begins nothing before its material is there', () => {
      const given = facts([job('a', { materialAt: START + 2 * HOUR }), job('b', { materialAt: null }), job('c', { materialAt: START - HOUR })])
      assert.deepEqual(
        build(given).problem.operations.map(({ notBefore }) => notBefore),
        [START + 2 * HOUR, undefined, undefined],
      )
      const told = job('d', { materialAt: START + HOUR, state: 'AllowedToStart', equipment: 'p/mill-1' })
      assert.equal(build(facts([told])).problem.operations[0]?.notBefore, undefined, 'what its unit was told is not put off')
      const pinned = job('e', { materialAt: START + HOUR, pinned: true, equipment: 'p/mill-1', plannedStart: START + 3 * HOUR })
      assert.equal(build(facts([pinned])).problem.operations[0]?.notBefore, START + 3 * HOUR)
      assert.deepEqual(codes(build(facts([job('f', { materialAt: START + 400 * 24 * HOUR })]))), ['f TAKT_PLAN_TOO_FAR'])
      assert.deepEqual(codes(build(facts([job('g', { materialAt: Number.NaN })]))), ['g TAKT_PLAN_TIME_INVALID'])
    })

    it('hands on the share of a transfer lot, where it is not the whole', () => {
      const given = facts([job('a', { transferLot: 4 }), job('b', { transferLot: 10 }), job('c', { transferLot: 40 }), job('d')])
      assert.deepEqual(
        build(given).problem.operations.map(({ transferShare }) => transferShare),
        [0.4, undefined, undefined, undefined],
      )
    })

    it('knows by the count when the first lot of what runs will be made, and that the last comes at its end', () => {
      const first = job('a', { transferLot: 4, ...running({ good: 1, equipment: 'p/mill-2', actualStart: START - 21 * MINUTE }) })
      const waiting = build(facts([first, job('b', { after: ['a'] })]))
      assert.equal(waiting.problem.operations[1]?.notBefore, START + 3 * 6 * MINUTE)
      assert.deepEqual(waiting.problem.operations[1]?.after, [0])
      const made = build(facts([{ ...first, good: 4 }, job('b', { after: ['a'] })]))
      assert.equal(made.problem.operations[1]?.notBefore, undefined)
      const both = build(facts([{ ...first, good: 4 }, job('b', { after: ['a'], ...running({ good: 3 }) })]))
      const ends = both.problem.operations.map(({ frozen }) => frozen?.end ?? 0)
      assert.ok((ends[1] ?? 0) >= (ends[0] ?? 0) + 4 * 6 * MINUTE, 'the last four are worked on after the first has ended')
    })
  })

  describe('with a frozen horizon', () => {
    const planned = (id: string, at: number, more: Partial<JobOrder> = {}) =>
      job(id, { equipment: 'p/mill-1', plannedStart: START + at, plannedEnd: START + at + HOUR, ...more })
    const inForce = (jobs: readonly JobOrder[]): Plan => ({
      kind: 'plan',
      version: 1,
      previous: null,
      now: START,
      trigger: { type: 'message' },
      objective: { tardinessMs: 0, makespanMs: 0, setups: 0, moved: 0 },
      assignments: jobs.flatMap((one) =>
        one.plannedStart === null || one.equipment === null
          ? []
          : [
              {
                jobOrder: one.id,
                workOrder: one.workOrder,
                equipment: one.equipment,
                start: one.plannedStart,
                end: one.plannedStart + HOUR,
                setupMs: 0,
                frozen: false,
              },
            ],
      ),
      changes: [],
      doNothing: null,
      problems: [],
    })
    const kept = (jobs: readonly JobOrder[], more: Partial<PlanningFacts> = {}, frozenMs = 2 * HOUR) => {
      const built = build(facts(jobs, { plan: inForce(jobs), ...more }), { frozenMs })
      return [...(built.kept ?? [])]
    }
    const [a, b, c] = [planned('a', 0), planned('b', HOUR), planned('c', 3 * HOUR)]

    it('keeps unit and sequence of what starts within it', () => {
      const built = build(facts([c, b, a], { plan: inForce([a, b, c]) }), { frozenMs: 2 * HOUR })
      assert.deepEqual([...(built.kept ?? [])], ['a', 'b'])
      const [last, second, first] = built.problem.operations
      assert.ok((first?.first ?? 9) < (second?.first ?? 0))
      assert.deepEqual([first?.alternatives.length, second?.alternatives.length, last?.alternatives.length, last?.first], [1, 1, 2, undefined])
      assert.deepEqual(kept([a, b, c], {}, 0), [], 'and nothing without one')
    })

    it('keeps nothing on a unit that is down, blocked or about to be repaired', () => {
      assert.deepEqual(kept([a, b], { states: new Map([['p/mill-1', { state: 'Aborted', since: START }]]) }), [])
      const block = { ...away('x', 1, { from: START + 90 * MINUTE, to: null }), equipment: 'p/mill-1' }
      const { resource: _, ...blocked } = block
      assert.deepEqual(kept([a, b], { disruptions: [blocked] }), [])
      assert.deepEqual(kept([a, b, repair('r', 'p/mill-1')]), [])
      const late = repair('r', 'p/mill-1', { plannedStart: START + 3 * HOUR, deadline: START + 2 * HOUR })
      assert.deepEqual(kept([a, b, late]), [])
      assert.deepEqual(kept([a, b, { ...late, deadline: START + 4 * HOUR }]), ['a', 'b'])
    })

    it('keeps nothing that would make its unit wait for what does not come', () => {
      assert.deepEqual(kept([a, { ...b, materialAt: START + 9 * HOUR }]), ['a'])
      assert.deepEqual(kept([a, { ...b, after: ['later'] }, planned('later', 5 * HOUR, { equipment: 'p/mill-2' })]), ['a'])
      assert.deepEqual(kept([a, { ...b, after: ['a'] }]), ['a', 'b'])
      const long = job('long', { ...running({ equipment: 'p/mill-2' }), quantity: { value: 100, unit: 'pcs' } })
      assert.deepEqual(kept([long, a, { ...b, after: ['long'] }]), ['a'])
      assert.deepEqual(kept([{ ...long, transferLot: 5 }, a, { ...b, after: ['long'] }]), ['a', 'b'], 'its first lot comes in time')
      assert.deepEqual(kept([a, { ...b, pinned: true, plannedStart: START + 90 * MINUTE }], { plan: inForce([a, b]) }), ['a'])
      assert.deepEqual(kept([a, { ...b, equipment: 'p/mill-2' }], { plan: inForce([a, b]) }), ['a'])
      const tooled = { ...b, ...needing({ resource: 'fixture', count: 2 }) }
      assert.deepEqual(kept([a, tooled]), ['a', 'b'])
      assert.deepEqual(kept([a, tooled], { disruptions: [away('fixture', 1, { from: START, to: START + 9 * HOUR })] }), ['a'])
      assert.deepEqual(kept([a, tooled], { disruptions: [away('fixture', 1, { from: START, to: START + 90 * MINUTE })] }), ['a', 'b'])
    })
  })

  describe('with units that may fail', () => {
    const anomaly = (more: Partial<Anomaly> = {}): Anomaly => ({
      kind: 'anomaly',
      id: 'an-1',
      equipment: 'p/mill-1',
      signals: ['vibration'],
      state: 'raised',
      method: 'auto',
      score: 0.9,
      severity: 'high',
      since: START - HOUR,
      time: START - HOUR,
      evidence: [],
      ...more,
    })
    const risks = (more: Partial<PlanningFacts>, jobs: readonly JobOrder[] = [job('a')]) => build(facts(jobs, more)).problem.units.map(({ risk }) => risk)

    it('expects their work to lose what an unplanned repair takes, as much more often as they fail', () => {
      // eight times as often as once in 200 h, and a repair of 4 h
      const expected = (7 / (200 * HOUR)) * 4 * HOUR
      assert.deepEqual(risks({ anomalies: [anomaly()] }), [undefined, { perTime: expected }, undefined, undefined, undefined])
      const both = [anomaly({ severity: 'low', id: 'an-2' }), anomaly({ verdict: { decision: 'confirmed', by: 'jo', time: START } })]
      assert.equal(risks({ anomalies: both })[1]?.perTime, (15 / (200 * HOUR)) * 4 * HOUR)
      assert.deepEqual(build(facts([job('a')], { anomalies: [anomaly()] })).threats?.get('p/mill-1'), { hazard: 8, because: 'an-1' })
      assert.ok((build(facts([job('a')])).problem.weights.risk ?? 0) > 0)
    })

    it('expect it until the repair, and not of a unit that is down, under repair, or repaired since', () => {
      const anomalies = [anomaly()]
      assert.equal(risks({ anomalies }, [job('a'), repair('r', 'p/mill-1')])[1]?.until, 1)
      const under = repair('r', 'p/mill-1', running())
      for (const none of [
        risks({ anomalies }, [under]),
        risks({ anomalies, states: new Map([['p/mill-1', { state: 'Aborted', since: START }]]) }),
        risks({ anomalies, renewedAt: new Map([['p/mill-1', START]]) }),
        risks({ anomalies: [anomaly({ verdict: { decision: 'refused', by: 'jo', time: START } })] }),
        risks({ anomalies: [anomaly({ equipment: 'p/gone' })] }),
      ])
        assert.equal(none[1], undefined)
    })

    it('knows by a deadline when they will fail, also one that is only proposed', () => {
      const foretold: Disruption = {
        ...away('x', 1, null),
        id: 'dis-1',
        equipment: 'p/mill-2',
        action: 'maintain-before',
        deadline: START + 2 * HOUR,
        cause: { prognosis: 'wear' },
      }
      const { resource: _, ...proposal } = foretold
      const perTime = (-Math.log(0.95) / (2 * HOUR) - 1 / (200 * HOUR)) * 4 * HOUR
      for (const more of [{ disruptions: [proposal] }, { proposals: [{ ...proposal, status: 'proposed' as const }] }])
        assert.ok(Math.abs((risks(more)[2]?.perTime ?? 0) - perTime) < 1e-12)
      assert.equal(risks({ disruptions: [{ ...proposal, deadline: START + 40 * HOUR }] })[2], undefined, 'no sooner than usual')
    })
  })
})

function away(resource: string, count: number, unavailable: Disruption['unavailable']): Disruption {
  return {
    kind: 'disruption',
    id: `dis-${resource}`,
    equipment: 'p',
    cause: { person: 'jo' },
    action: 'block',
    deadline: null,
    unavailable,
    resource: { id: resource, count },
    autonomy: 'auto',
    status: 'acted',
    why: 'away',
    time: START,
  }
}
