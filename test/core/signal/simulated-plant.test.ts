import assert from 'node:assert/strict'
import { join } from 'node:path'
import { ManualClock } from '../../../core/base/clock.ts'
import { packageRoot } from '../../../core/base/package-root.ts'
import { seededRandom } from '../../../core/base/random.ts'
import type { Sample } from '../../../core/messages/sample.ts'
import { loadPlant } from '../../../core/plant/load-plant.ts'
import type { SignalRole } from '../../../core/plant/model.ts'
import { StoreRecorder } from '../../../core/signal/store-recorder.ts'
import { readFact, type UnitFact } from '../../../core/signal/unit.ts'
import type { StatusPublication, Step } from '../../../core/simulate/happenings.ts'
import { PlantSimulation } from '../../../core/simulate/plant-simulation.ts'
import { openStore } from '../../../core/store/open-store.ts'

const START = Date.UTC(2026, 5, 1, 4)
const MINUTE_MS = 60_000

describe('counts of the simulated plant', () => {
  it("equal the machines' own ledger by job order, through lost connections, repetitions, restarts and a rollover", async function () {
    this.timeout(60_000)
    const plant = loadPlant(join(packageRoot, 'flows', 'reference-plant.json'))
    const units = ['mill-2', 'saw-1', 'lathe-2'].map((name) => plant.units.find(({ id }) => id.endsWith(name))!.id)
    const simulation = new PlantSimulation({ plant, seed: 3, start: START, wornUnit: 'mill-2', wornAt: 0.4, ordersPerHour: 0, ordersAhead: 0 })
    const clock = new ManualClock(START)
    const store = openStore({ file: ':memory:', clock })
    const random = seededRandom(9)
    let recorder = new StoreRecorder(store, clock, 'node:m')
    const truth = new Map<string, { good: number; scrap: number }>()
    const said: UnitFact[][] = units.map(() => [])
    let deaf = 0
    let crossed = false

    const facts = (status: StatusPublication): UnitFact[] => {
      const values: Partial<Record<SignalRole, Sample['value']>> = {
        'packml-state': status.state,
        'packml-mode': status.mode,
        'job-order': status.job,
        'good-count': status.good % 65_536,
        'scrap-count': status.scrap % 65_536,
      }
      return plant.signalsOf(status.unit).flatMap((signal) => {
        const value = values[signal.role ?? 'other']
        if (value === undefined) return []
        const { unit: equipment, time } = status
        const sample: Sample = { kind: 'sample', equipment, signal: signal.name, value, quality: 'good', time, received: clock.now() }
        return readFact(sample, signal, 'test') ?? []
      })
    }
    const hear = async (step: Step): Promise<void> => {
      for (const row of step.rows) {
        if (row.kind !== 'part') continue
        const made = truth.get(row.job) ?? { good: 0, scrap: 0 }
        made[row.result]++
        truth.set(row.job, made)
      }
      for (const publication of step.publications) {
        const at = units.indexOf(publication.unit)
        if (publication.kind !== 'status' || at < 0) continue
        crossed ||= publication.good >= 65_536
        if (deaf > 0) continue
        const fresh = facts(publication)
        // sometimes in another order, or with something that was said before
        if (random() < 0.2) fresh.reverse()
        const past = said[at]!
        if (random() < 0.2 && past.length > 0) fresh.push(...past.slice(-3 - Math.floor(random() * 12)))
        past.push(...fresh)
        for (let from = 0; from < fresh.length; ) {
          const to = from + 1 + Math.floor(random() * fresh.length)
          await recorder.record(publication.unit, fresh.slice(from, to))
          from = to
        }
      }
    }

    let jobs = 0
    while (simulation.time < START + 16 * 60 * MINUTE_MS) {
      if (deaf > 0) deaf--
      else if (random() < 0.03) deaf = Math.floor(random() * 20)
      if (random() < 0.02) recorder = new StoreRecorder(store, clock, 'node:m')
      clock.advance(MINUTE_MS)
      await hear(simulation.advance(clock.now()))
      if (deaf > 0) continue
      for (const [at, equipment] of units.entries()) {
        // the next job comes when the one before has ended as far as the store knows
        const row = await store.db
          .selectFrom('machine_state')
          .select(['state', 'job_order'])
          .where('equipment', '=', equipment)
          .where('until', 'is', null)
          .executeTakeFirst()
        if (row === undefined || !['Idle', 'Complete'].includes(row.state) || (jobs > 0 && row.state === 'Idle' && row.job_order !== null)) continue
        const jobOrder = `jo-${++jobs}-${at}`
        const step: Step = { publications: [], rows: [] }
        const job = { jobOrder, lot: 'lot', quantity: 5 + Math.floor(random() * 20), product: 'x', operation: 'y', perPieceMs: 90_000, setupMs: 300_000 }
        simulation.command(equipment, { id: jobOrder, name: 'start-job', arguments: job }, step)
        await hear(step)
      }
    }
    deaf = 0
    await hear(simulation.present())

    assert.ok(crossed, 'the counter rolled over')
    assert.ok(jobs > 30, `${jobs} jobs`)
    const counted = await store.db.selectFrom('job_count').select(['job_order', 'good', 'scrap']).execute()
    assert.deepEqual(Object.fromEntries(counted.map(({ job_order, good, scrap }) => [job_order, { good, scrap }])), Object.fromEntries(truth))
    const rows = await store.db.selectFrom('machine_state').select(['equipment', 'since', 'until']).orderBy('equipment').orderBy('id').execute()
    for (const [at, row] of rows.entries()) {
      const next = rows[at + 1]
      assert.equal(row.until, next?.equipment === row.equipment ? next.since : null, 'the history of a unit has no gap')
    }
    assert.ok((await store.verify()).ok)
    await store.close()
  })
})
