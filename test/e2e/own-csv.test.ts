import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packageRoot } from '../../core/base/package-root.ts'
import type { JobOrder } from '../../core/messages/job-order.ts'
import type { Plan } from '../../core/messages/plan.ts'
import { freePort } from './support/free-port.ts'
import { type FlowNode, NodeRedProcess } from './support/node-red-process.ts'
import { Recorded } from './support/recorded.ts'

const DATA = join(process.env.TAKT_BENCH_DATA ?? join(packageRoot, '..', 'shared'), 'bench')
const SENSOR = join(DATA, 'nab', 'data', 'realKnownCause', 'ambient_temperature_system_failure.csv')
const LABELS = join(DATA, 'nab', 'labels', 'combined_windows.json')
const ORDERS = join(DATA, 'production-log', 'production.csv')
const VALIDATOR = join(DATA, 'schedule', 'validate.mjs')
const ROWS = 7267
const ROWS_PER_SECOND = 1000
const DAY_MS = 86_400_000

/** The plan as rows of the validator's own format: minutes do not matter to it, so milliseconds since the plan was made. */
function asInstance(plan: Plan, jobs: readonly JobOrder[]) {
  const placed = new Map(plan.assignments.map((assignment) => [assignment.jobOrder, assignment]))
  const units = [...new Set(jobs.flatMap((job) => job.alternatives.map(({ equipment }) => equipment)))]
  const orders = Map.groupBy(
    jobs.filter((job) => placed.has(job.id)).toSorted((a, b) => a.sequence - b.sequence),
    (job) => job.workOrder,
  )
  const rows: Array<Record<string, number>> = []
  const instanceJobs = [...orders.values()].map((steps, job) => ({
    ops: steps.map((step, op) => {
      const { equipment, start, end } = placed.get(step.id)!
      rows.push({
        job,
        op,
        machine: units.indexOf(equipment),
        start: start - plan.now,
        end: end - plan.now,
      })
      return {
        alts: step.alternatives.map(({ equipment, setupMs, perPieceMs }) => [units.indexOf(equipment), Math.round(setupMs + perPieceMs * step.quantity.value)]),
        pre: step.after.flatMap((id) => steps.findIndex((other) => other.id === id)).filter((index) => index >= 0),
      }
    }),
  }))
  return {
    instance: {
      format: 'fjs1',
      name: 'production log',
      objective: 'makespan',
      machines: units.length,
      jobs: instanceJobs,
    },
    schedule: { ops: rows },
  }
}

const placed = (plan: Plan | undefined): number => plan?.assignments.length ?? 0

/** Input that nobody here made, through the example that users are to point at files of their own. */
describe('real recorded data, through the example own-csv', function () {
  this.timeout(120_000)
  if (!existsSync(SENSOR) || !existsSync(ORDERS)) {
    it.skip(`the data is not here: ${DATA} (set TAKT_BENCH_DATA)`)
    return
  }
  let userDir: string
  let red: NodeRedProcess
  let recorded: Recorded

  before(async () => {
    userDir = mkdtempSync(join(tmpdir(), 'takt-csv-'))
    const flow = JSON.parse(readFileSync(join(packageRoot, 'examples', 'own-csv.json'), 'utf8')) as FlowNode[]
    const port = String(await freePort())
    const values: Record<string, string> = {
      SENSOR_CSV: SENSOR,
      ORDERS_CSV: ORDERS,
    }
    for (const node of flow) {
      if (node.type === 'tab') for (const entry of node.env) entry.value = values[entry.name] ?? entry.value
      if (node.type === 'takt-mqtt-broker' || node.type === 'mqtt-broker') node.port = port
      if (node.type === 'delay') node.rate = String(ROWS_PER_SECOND)
    }
    const button = (name: string): string => flow.find((node) => node.type === 'inject' && node.name === name)!.id
    red = new NodeRedProcess({ userDir, flow })
    await red.start()
    const look = <T>(read: (now: Recorded) => T): T => {
      const reader = new Recorded(join(userDir, 'takt', 'own-csv.db'))
      try {
        return read(reader)
      } finally {
        reader.close()
      }
    }
    await red.inject(button('import orders'))
    await red.until('every order is planned', () => look((now) => placed(now.documents('plan').at(-1)) >= 277), 30_000)
    await red.inject(button('replay sensor file'))
    const replayed = Date.now() + (ROWS / ROWS_PER_SECOND) * 1000 + 2000
    const maintenance = (): JobOrder | undefined => look((now) => now.documents('job-order').find((job) => job.maintenance !== undefined))
    await red.until('a repair is asked for', () => maintenance() !== undefined, 60_000)
    await red.until('it is planned', () => look((now) => now.documents('plan').some((plan) => plan.assignments.some((row) => row.maintenance))), 30_000)
    // let the whole file through
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, replayed - Date.now())))
    await red.stop()
    recorded = new Recorded(join(userDir, 'takt', 'own-csv.db'))
  })

  after(async () => {
    recorded?.close()
    await red?.stop()
    rmSync(userDir, { recursive: true, force: true })
  })

  it('finds an anomaly in, or up to two days before, a labelled window of the sensor file', () => {
    const labels = JSON.parse(readFileSync(LABELS, 'utf8'))['realKnownCause/ambient_temperature_system_failure.csv'] as string[][]
    const windows = labels.map((window) => window.map((text) => Date.parse(`${text.replace(' ', 'T').slice(0, 19)}Z`)))
    const raised = recorded.documents('anomaly').map((anomaly) => anomaly.since)
    assert.ok(
      windows.some(([from, to]) => raised.some((time) => time >= from! - 2 * DAY_MS && time <= to!)),
      raised.map((time) => new Date(time).toISOString()).join(' '),
    )
    assert.ok(raised.length <= 40, `${raised.length} alarms in 300 days`)
  })

  it('turns it into one repair of that unit, and one only while it is open', () => {
    const repairs = recorded.documents('work-order').filter((order) => order.type === 'maintenance')
    assert.deepEqual(
      repairs.map((order) => order.equipment),
      ['shop/machine-8-turning-milling'],
    )
    assert.ok(recorded.documents('disruption').some((disruption) => disruption.status === 'acted'))
  })

  it('imported the first thirty orders of the log', () => {
    const orders = recorded.documents('work-order').filter((order) => order.type === 'production')
    assert.equal(orders.length, 30)
    assert.ok(orders.every((order) => order.jobOrders.length > 0))
  })

  it('made plans that an independent validator finds feasible, before and after the repair', async () => {
    const { validate } = (await import(VALIDATOR)) as {
      validate(instance: unknown, schedule: unknown): { feasible: boolean; errors: string[] }
    }
    const jobs = recorded.documents('job-order')
    const production = jobs.filter((job) => job.maintenance === undefined)
    const plans = recorded.documents('plan').toSorted((a, b) => a.version - b.version)
    const before = plans.findLast((plan) => !plan.assignments.some((row) => row.maintenance))!
    for (const plan of [before, plans.at(-1)!]) {
      const { instance, schedule } = asInstance(plan, production)
      assert.equal(schedule.ops.length, production.length, 'every job order has its place')
      const { feasible, errors } = validate(instance, schedule)
      assert.ok(feasible, errors.join('; '))
    }
    const last = plans.at(-1)!
    const repair = last.assignments.find((row) => row.maintenance)!
    const beside = last.assignments.filter((row) => row !== repair && row.equipment === repair.equipment && row.start < repair.end && row.end > repair.start)
    assert.deepEqual(beside, [], 'nothing runs on the unit during its repair')
  })

  it('lost no row: what was bad would stand in quarantine', () => {
    assert.deepEqual(recorded.quarantined(), [])
    assert.doesNotMatch(red.log, /TAKT_INTERNAL|TypeError|Uncaught/)
  })
})
