import assert from 'node:assert/strict'
import { TaktError } from '../../../core/base/error.ts'
import type { Schedule } from '../../../core/schedule/problem.ts'
import { ScheduleClient } from '../../../core/schedule/schedule-client.ts'
import { solve } from '../../../core/schedule/search.ts'
import { randomProblem } from './random-problem.ts'
import { brokenRules } from './support/judge-schedule.ts'

const hasCode = (code: string) => (error: unknown) => error instanceof TaktError && error.code === code

describe('schedule client', () => {
  let client: ScheduleClient
  beforeEach(() => {
    client = new ScheduleClient()
  })
  afterEach(() => client.close())

  it('gives from its thread what the search gives here', async () => {
    const problem = randomProblem(11)
    const solved = await client.solve(problem, { moves: 1000, seed: 3 })
    assert.deepEqual(solved.schedule, solve(problem, { moves: 1000, seed: 3 }))
    assert.notEqual(solved.doNothing, null)
  })

  it('rejects an aborted request at once, and goes on with the next', async () => {
    const problem = randomProblem(12, { orders: 30 })
    const controller = new AbortController()
    // an hour: only the abort can end it
    const long = client.solve(problem, { timeMs: 3_600_000, signal: controller.signal })
    setTimeout(() => controller.abort(), 50)
    await assert.rejects(long, hasCode('TAKT_SCHEDULE_CANCELED'))
    assert.ok((await client.solve(problem, { moves: 100 })).schedule.placements.length > 0)
    await assert.rejects(client.solve(problem, { signal: controller.signal }), hasCode('TAKT_SCHEDULE_CANCELED'))
  })

  it('leaves the event loop free while it searches', async () => {
    let turns = 0
    const timer = setInterval(() => turns++, 5)
    await client.solve(randomProblem(13, { orders: 30 }), { timeMs: 300 })
    clearInterval(timer)
    assert.ok(turns > 5, `${turns} turns`)
  })

  it('sends large problems in parts, also two at a time', async () => {
    const problem = randomProblem(16, { orders: 130, closed: false })
    assert.ok(problem.operations.length > 250)
    const expected = solve(problem, { moves: 1 })
    const both = await Promise.all([client.solve(problem, { moves: 1 }), client.solve(problem, { moves: 1 })])
    assert.deepEqual([both[0]?.schedule, both[1]?.schedule], [expected, expected])
  })

  it('has a plan to go on with before the search ends', async () => {
    const problem = randomProblem(15, { orders: 20 })
    const told: Schedule[] = []
    const solved = await client.solve(problem, { timeMs: 150, onRepaired: (schedule) => void told.push(schedule) })
    assert.deepEqual(told, [solved.doNothing])
    assert.deepEqual(brokenRules(problem, told[0] as Schedule), [])
    // without a plan in force it is a new one
    const fresh = { ...problem, operations: problem.operations.map(({ baseline: _, ...operation }) => operation) }
    assert.equal((await client.solve(fresh, { moves: 10, onRepaired: (schedule) => void told.push(schedule) })).doNothing, null)
    assert.deepEqual(brokenRules(fresh, told[1] as Schedule), [])
  })

  it('sleeps most of the time when it is told to, and wakes up to be stopped', async () => {
    const problem = randomProblem(12, { orders: 30 })
    const begun = performance.now()
    await client.solve(problem, { timeMs: 60, duty: 0.2 })
    assert.ok(performance.now() - begun > 200, 'a fifth of the time')
    const controller = new AbortController()
    const long = client.solve(problem, { timeMs: 3_600_000, duty: 0.0001, signal: controller.signal })
    setTimeout(() => controller.abort(), 60)
    await assert.rejects(long, hasCode('TAKT_SCHEDULE_CANCELED'))
    const again = performance.now()
    await client.solve(problem, { moves: 10 })
    assert.ok(performance.now() - again < 5000, 'it was asleep for a hundred seconds')
  })

  it('rejects a problem that makes no sense, and what is under way when it is closed', async () => {
    const problem = randomProblem(14)
    await assert.rejects(client.solve({ ...problem, now: Number.NaN }), hasCode('TAKT_SCHEDULE_INVALID'))
    const long = client.solve(problem, { timeMs: 3_600_000 })
    const rejected = assert.rejects(long, hasCode('TAKT_SCHEDULE_CANCELED'))
    await client.close()
    await rejected
    // and is as good as new afterwards
    assert.ok((await client.solve(problem, { moves: 10 })).tookMs >= 0)
  })
})
