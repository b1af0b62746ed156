import assert from 'node:assert/strict'
import { join } from 'node:path'
import { ManualClock } from '../../../core/base/clock.ts'
import { countingIds } from '../../../core/base/id.ts'
import { packageRoot } from '../../../core/base/package-root.ts'
import { AnomalyWatch } from '../../../core/detect/anomaly-watch.ts'
import { recordAnomaly } from '../../../core/detect/record-anomaly.ts'
import { RunningUnits } from '../../../core/detect/running-units.ts'
import { saveScope } from '../../../core/detect/scorecard/detector-scopes.ts'
import { selection } from '../../../core/detect/selection.ts'
import type { Anomaly } from '../../../core/messages/anomaly.ts'
import { loadPlant } from '../../../core/plant/load-plant.ts'
import type { TableSection } from '../../../core/report/content.ts'
import { shiftReport } from '../../../core/report/shift-report.ts'
import { packmlMode, packmlState, timeElement } from '../../../core/signal/packml.ts'
import type { Step } from '../../../core/simulate/happenings.ts'
import { PlantSimulation } from '../../../core/simulate/plant-simulation.ts'
import { openStore } from '../../../core/store/open-store.ts'

const HOUR_MS = 3_600_000
const WEEK_MS = 7 * 24 * HOUR_MS
const START = Date.UTC(2026, 5, 1, 4)
const END = START + 14 * HOUR_MS
const WORN = 'mill-2'

describe('detection on the simulated plant', () => {
  it('is reported with the lead time that the simulator knows of', async function () {
    this.timeout(60_000)
    const plant = loadPlant(join(packageRoot, 'flows', 'reference-plant.json'))
    const mills = plant.units.filter(({ id }) => /\/mill-\d$/.test(id)).map(({ id }) => id)
    const worn = mills.find((id) => id.endsWith(WORN))!
    const simulation = new PlantSimulation({ plant, seed: 3, start: START, wornUnit: WORN, wornAt: 0.66, ordersPerHour: 0, ordersAhead: 0 })
    const running = new RunningUnits(['Execute'], 0)
    const watch = new AnomalyWatch({
      method: { name: 'auto' },
      latch: { holdOffMs: 0, clearAfterMs: 60_000, persistMs: 1_800_000 },
      maxSignals: 1000,
      running,
      ids: countingIds(),
      select: selection({ roles: ['condition'], patterns: ['*/vibration'] }, () => plant),
      forgotten: () => {},
    })
    const anomalies: Anomaly[] = []
    const failures: number[] = []
    const states: Array<{
      equipment: string
      state: string
      mode: string
      element: string | null
      reason: null
      job_order: null
      since: number
      until: number | null
    }> = []
    const hear = ({ publications, rows }: Step): void => {
      for (const row of rows) if (row.kind === 'stop' && row.cause === 'failure') failures.push(row.time)
      for (const said of publications) {
        const { unit: equipment, time } = said
        if (said.kind === 'status' && mills.includes(equipment)) {
          const state = packmlState(said.state, equipment)
          const mode = packmlMode(said.mode, equipment)
          running.told({ kind: 'machine-state', equipment, state, mode, since: time, element: null, reason: null, jobOrder: null, time })
          const last = states.findLast((row) => row.equipment === equipment)
          if (last !== undefined && (last.state !== state || last.mode !== mode)) last.until = time
          if (last === undefined || last.until === time)
            states.push({ equipment, state, mode, element: timeElement(state, mode), reason: null, job_order: null, since: time, until: null })
        }
        if (said.kind !== 'condition' || !mills.includes(equipment)) continue
        const sample = { kind: 'sample', equipment, signal: said.signal, value: said.value, quality: 'good', time, received: time } as const
        const track = watch.trackOf(sample)
        const anomaly = track === undefined ? undefined : watch.judge(track, sample)
        if (anomaly !== undefined) anomalies.push({ ...anomaly, detector: 'd1', detectorName: 'wear' })
      }
    }
    let jobs = 0
    const tell = (unit: string, name: string, product: string, operation: string): void => {
      const step: Step = { publications: [], rows: [] }
      const job = { jobOrder: `jo-${++jobs}`, lot: 'lot', quantity: 25, product, operation, perPieceMs: 120_000 }
      simulation.command(unit, { id: `c-${jobs}`, name, arguments: job }, step)
      hear(step)
    }
    // one product, so that nothing but wear changes what a mill sounds like
    const master = plant.model.workMasters!.find(({ operations }) =>
      operations.some((operation) => plant.unitsFor(operation).some(({ equipment }) => equipment === worn)),
    )!
    const operation = master.operations.find((step) => plant.unitsFor(step).some(({ equipment }) => equipment === worn))!
    while (simulation.time < END) {
      hear(simulation.advance(simulation.time + 30_000))
      for (const unit of mills) {
        const { state, due, failed } = simulation.state.units[unit]!
        if (due !== null) continue
        if (failed) tell(unit, 'enter-maintenance', master.id, operation.id)
        else if (['Idle', 'Complete'].includes(state)) tell(unit, 'start-job', master.id, operation.id)
      }
    }
    assert.ok(failures.length >= 1, 'the simulator fails the worn mill')

    const store = openStore({ file: ':memory:', clock: new ManualClock(END) })
    try {
      await store.transaction((tx) =>
        tx.db
          .insertInto('machine_state')
          .values(states)
          .execute()
          .then(() => {}),
      )
      for (const anomaly of anomalies) await recordAnomaly(store, anomaly, 'node:d1')
      await saveScope(store, { detector: 'd1', name: 'wear', method: 'auto', equipment: mills, since: START })
      const content = await shiftReport(store, plant, { scope: worn, span: 'current-shift', from: START, to: END, now: END, by: 'test' })
      const [shift, week] = (content.sections.find(({ id }) => id === 'detection') as TableSection).rows
      assert.deepEqual([shift?.detector, shift?.span, week?.span], ['wear', 'shift', '7 days'])
      const first = anomalies.find(({ equipment }) => equipment === worn)!
      assert.ok(first.since < failures[0]!, 'it is seen before it fails')
      assert.deepEqual([shift?.stops, shift?.foreseen, shift?.recall], [failures.length, failures.length, 1])
      assert.equal(shift?.leadMost, failures[0]! - first.since)
      assert.ok(Number(shift?.leadMedian) > 20 * 60_000, `${Number(shift?.leadMedian) / 60_000} min`)
      assert.equal(shift?.falsePerWeek, Math.round((Number(shift?.false) * 10 * WEEK_MS) / (END - START)) / 10)
      // the same alarms and stops: the detector is scored from when it began
      assert.deepEqual([week?.alarms, week?.leadMedian, week?.falsePerWeek], [shift?.alarms, shift?.leadMedian, shift?.falsePerWeek])
    } finally {
      await store.close()
    }
  })
})
