import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../../core/base/clock.ts'
import { openStore } from '../../../core/store/open-store.ts'
import { type PlantProcess, startPlant } from '../../plant/start-plant.ts'
import { flowOnPlant, simulatedAs } from './closed-loop.ts'
import { NodeRedProcess } from './node-red-process.ts'
import { Recorded } from './recorded.ts'

const LINE = 'acme/berlin/machining/line-1'
const WORN_UNIT = 'lathe-2'
const WORN = `${LINE}/${WORN_UNIT}`
const SPEED = 120

interface OrderReport {
  readonly jobOrders: readonly { readonly jobOrder: string; readonly good: number; readonly scrap: number }[]
  readonly quantities: readonly { readonly jobOrder: string; readonly good: number; readonly scrap: number }[]
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

const completedOrders = (recorded: Recorded): string[] =>
  recorded
    .documents('work-order')
    .filter((order) => order.type === 'production' && /Completed|Closed/.test(order.state))
    .map((order) => order.id)

async function report(red: NodeRedProcess, order: string): Promise<OrderReport> {
  return (await (await fetch(`${red.url}/reports/${order}.json`)).json()) as OrderReport
}

/**
 * The product's promise, seen from outside: a plant in a process of its own, a real Node-RED with the reference flow, and a reader that knows neither.
 * With kills, Node-RED is killed along the way, as the power would go, while the plant works on.
 */
export function closedLoopSuite(kills: 0 | 2): void {
  describe(kills === 0 ? 'the closed loop' : `the closed loop, killed ${kills} times`, function () {
    this.timeout(900_000)
    let userDir: string
    let plant: PlantProcess
    let red: NodeRedProcess
    let recorded: Recorded
    let ledger: Awaited<ReturnType<PlantProcess['ledger']>>
    const reports = new Map<string, OrderReport>()

    before(async () => {
      userDir = mkdtempSync(join(tmpdir(), 'takt-loop-'))
      // healthy at first; the shock comes when it is known what healthy looks like
      plant = await startPlant({ ...simulatedAs(), wornUnit: WORN_UNIT, wornAt: 0.5, speed: SPEED })
      red = new NodeRedProcess({ userDir, flow: flowOnPlant(plant, SPEED) })
      await red.start()
      const look = <T>(read: (recorded: Recorded) => T): T => {
        const reader = new Recorded(join(userDir, 'takt', 'takt.db'))
        try {
          return read(reader)
        } finally {
          reader.close()
        }
      }
      const running = (): boolean => look((now) => now.documents('job-order').some((job) => job.state === 'Running'))
      await red.until('a job runs', running)
      await plant.spoil('lathe-1', 3)
      await plant.spoil('grinder-1', 3)
      if (kills > 0) {
        await red.kill()
        await red.start()
      }
      const partsOfWorn = (now: Recorded): number => [...now.counts()].reduce((sum, [key, { good }]) => sum + (key.endsWith(WORN) ? good : 0), 0)
      await red.until('the unit has worked for a while', () => look((now) => partsOfWorn(now) >= 25), 240_000)
      await plant.break(WORN_UNIT, 0.7)
      const repair = () => look((now) => now.documents('job-order').find((job) => job.maintenance !== undefined && job.equipment === WORN))
      await red.until('a repair is asked for', () => repair() !== undefined, 180_000)
      if (kills > 1) {
        await red.kill()
        await red.start()
      }
      await red.until('the repair is done', () => repair()?.state === 'Ended', 240_000)
      await red.until('orders are completed', () => look((now) => completedOrders(now).length >= 2), 240_000)
      await plant.pause()
      // a plant that was behind its clock still makes good what it owed
      for (let parts = -1; parts !== ledger?.parts; ) {
        parts = ledger?.parts ?? -2
        await pause(1000)
        ledger = await plant.ledger()
      }
      await red.until('Takt has heard of every part', () =>
        look((now) => [...now.counts().values()].reduce((sum, { good, scrap }) => sum + good + scrap, 0) >= ledger.parts),
      )
      // counts and measurements come on different ways: the last part may be counted before it is judged; what is never judged is said below
      const heldLots = (now: Recorded): ReadonlySet<string> => new Set(now.events('lot.held').map(({ subject }) => subject))
      await red.until('every lot with a bad part is held', () => look((now) => ledger.badSerials.every(({ lot }) => heldLots(now).has(lot)))).catch(() => {})
      await pause(1000)
      for (const order of look(completedOrders)) reports.set(order, await report(red, order))
      await red.stop()
      recorded = new Recorded(join(userDir, 'takt', 'takt.db'))
    })

    after(async () => {
      recorded?.close()
      await red?.stop()
      await plant?.stop()
      rmSync(userDir, { recursive: true, force: true })
    })

    it('heard units over both protocols', () => {
      const heard = new Set(recorded.events('machine-state.changed').map((event) => event.subject))
      assert.ok(heard.has(`${LINE}/saw-1`), 'MQTT')
      assert.ok(heard.has(`${LINE}/saw-2`), 'OPC UA')
      assert.equal(heard.size, 11)
    })

    it('created, planned, dispatched, ran and completed orders', () => {
      assert.ok(recorded.documents('work-order').filter((order) => order.type === 'production').length >= 8)
      assert.ok(recorded.documents('plan').length >= 2)
      for (const type of ['job-order.allowed', 'job-order.running', 'job-order.completed', 'work-order.completed'])
        assert.ok(recorded.events(type).length > 0, type)
      assert.ok(recorded.documents('job-response').length >= 12)
    })

    it('saw the worn unit going bad before it could fail', () => {
      // by an alarm, or by a prognosis that came first
      const seen = recorded.documents('disruption').filter(({ equipment, cause }) => equipment === WORN && (cause.anomaly ?? cause.prognosis) !== undefined)
      assert.ok(seen.length > 0, JSON.stringify(recorded.documents('disruption').filter(({ equipment }) => equipment === WORN)))
      const failures = ledger.stops.filter((stop) => stop.cause === 'failure' && stop.unit === WORN)
      assert.deepEqual(failures, [], 'it was repaired before it failed')
      const repaired = ledger.repairs.find((repair) => repair.unit === WORN && repair.kind === 'repair-started')
      assert.ok(seen.some(({ time }) => time < (repaired?.time ?? 0)))
      assert.equal(repaired?.unplanned, false)
    })

    it('made one maintenance order of it, however many alarms', () => {
      const repaired = ledger.repairs.find((repair) => repair.unit === WORN && repair.kind === 'repair-ended')!
      const orders = recorded
        .documents('work-order')
        .filter((order) => order.type === 'maintenance' && order.equipment === WORN && order.created < repaired.time)
      assert.equal(orders.length, 1)
    })

    it('kept what spoke for the repair, and put the unit on trial after it', () => {
      const order = recorded.documents('work-order').find(({ type, equipment }) => type === 'maintenance' && equipment === WORN)
      const [first] = order?.evidence ?? []
      assert.match(first?.source ?? '', /^(anomaly|prognosis)$/)
      assert.ok(recorded.documents('disruption').some(({ id, maintenanceOrder }) => id === first?.disruption && maintenanceOrder === order?.id))
      assert.match(order?.service?.state ?? '', /^(trial|full|failed|replaced)$/)
    })

    it('left the unit alone during its repair, and moved its work', () => {
      const plans = recorded.documents('plan').toSorted((a, b) => a.version - b.version)
      const replan = plans.find((plan) => plan.assignments.some((assignment) => assignment.maintenance && assignment.equipment === WORN))!
      const repair = replan.assignments.find((assignment) => assignment.maintenance && assignment.equipment === WORN)!
      const others = replan.assignments.filter((assignment) => assignment.equipment === WORN && !assignment.maintenance)
      assert.deepEqual(
        others.filter((assignment) => assignment.start < repair.end && assignment.end > repair.start),
        [],
      )
      // to another unit, or to another time where there is room for that
      const moved = plans.flatMap((plan) => plan.changes).filter(({ from, to }) => from?.equipment === WORN && to !== null)
      assert.ok(
        moved.some(({ from, to }) => to?.equipment !== from?.equipment || to?.start !== from?.start),
        'no job moved',
      )
      for (const change of moved) assert.ok(change.because.length > 0)
    })

    it('let the other units make parts meanwhile', () => {
      const [started, ended] = ['repair-started', 'repair-ended'].map((kind) => ledger.repairs.find((repair) => repair.unit === WORN && repair.kind === kind)!)
      const meanwhile = recorded.events('count.recorded').filter((event) => event.time > started!.time && event.time < ended!.time && event.subject !== WORN)
      assert.ok(meanwhile.length > 0)
    })

    it('held the lots with parts out of specification', () => {
      assert.ok(ledger.badSerials.length > 0, 'the plant made no bad part')
      const held = new Set(recorded.events('lot.held').map((event) => event.subject))
      const results = recorded.documents('quality-result')
      for (const { lot, serial, unit, time } of ledger.badSerials) {
        const judged = results.filter((result) => result.serial === serial).map(({ characteristic, decision }) => `${characteristic}: ${decision}`)
        const what =
          judged.length > 0
            ? judged.join(', ')
            : `never judged; it arrived ${recorded.arrived(serial)} times; of no use were: ${recorded.quarantined().join(', ') || 'none'}`
        const links = red.log.split('\n').filter((line) => line.includes('[takt-mqtt'))
        assert.ok(held.has(lot), [`${serial} of ${lot}, made on ${unit} at ${new Date(time).toISOString()}: ${what}`, ...links].join('\n'))
      }
    })

    it('counted every part once: by job order, unit and lot as the plant itself', () => {
      const counted = recorded.counts()
      const byJob: Record<string, { good: number; scrap: number }> = {}
      for (const [key, { good, scrap }] of counted) {
        const [job = ''] = key.split(' ')
        const total = (byJob[job] ??= { good: 0, scrap: 0 })
        total.good += good
        total.scrap += scrap
      }
      const made = Object.fromEntries(Object.entries(ledger.byJob).map(([job, { good, scrap }]) => [job, { good, scrap }]))
      assert.deepEqual(byJob, made)

      const lots = new Map(recorded.documents('job-order').map((job) => [job.id, job.lot]))
      const byLot: Record<string, { good: number; scrap: number }> = {}
      for (const [job, { good, scrap }] of Object.entries(byJob)) {
        const total = (byLot[lots.get(job) ?? 'none'] ??= { good: 0, scrap: 0 })
        total.good += good
        total.scrap += scrap
      }
      assert.deepEqual(byLot, Object.fromEntries(Object.entries(ledger.byLot).map(([lot, { good, scrap }]) => [lot, { good, scrap }])))
      for (const job of recorded.documents('job-order')) assert.deepEqual({ good: job.good, scrap: job.scrap }, byJob[job.id] ?? { good: 0, scrap: 0 }, job.id)
    })

    it('has a ledger that verifies', async () => {
      const store = openStore({ file: join(userDir, 'takt', 'takt.db'), clock: systemClock })
      try {
        const verification = await store.verify()
        assert.equal(verification.fault, null)
        assert.ok(verification.ok && verification.rows > 100)
      } finally {
        await store.close()
      }
    })

    it('wrote reports whose sums agree with the records', () => {
      const files = readdirSync(join(userDir, 'takt', 'reports'))
      const jobs = recorded.documents('job-order')
      const responses = new Map(recorded.documents('job-response').map((response) => [response.jobOrder, response]))
      assert.ok(reports.size >= 2)
      for (const [order, { jobOrders, quantities }] of reports) {
        assert.ok(
          files.some((file) => file.includes(order) && file.endsWith('.html')),
          `no file of ${order}`,
        )
        const own = jobs.filter((job) => job.workOrder === order)
        assert.deepEqual(jobOrders.map((row) => row.jobOrder).toSorted(), own.map((job) => job.id).toSorted())
        for (const row of jobOrders) {
          const made = ledger.byJob[row.jobOrder] ?? { good: 0, scrap: 0 }
          assert.deepEqual({ good: row.good, scrap: row.scrap }, { good: made.good, scrap: made.scrap }, row.jobOrder)
          const counted = quantities.filter((quantity) => quantity.jobOrder === row.jobOrder)
          assert.equal(
            counted.reduce((sum, { good }) => sum + good, 0),
            row.good,
          )
          const response = responses.get(row.jobOrder)
          if (response !== undefined) assert.deepEqual([response.good, response.scrap], [row.good, row.scrap])
        }
      }
    })

    it('stayed up and raised no error that is not ours', () => {
      assert.doesNotMatch(red.log, /TAKT_INTERNAL|TypeError|ReferenceError|Uncaught|UnhandledPromise/)
    })
  })
}
