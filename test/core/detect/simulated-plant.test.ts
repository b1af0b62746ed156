import assert from 'node:assert/strict'
import { join } from 'node:path'
import { countingIds } from '../../../core/base/id.ts'
import { packageRoot } from '../../../core/base/package-root.ts'
import { type Random, seededRandom } from '../../../core/base/random.ts'
import { AnomalyWatch } from '../../../core/detect/anomaly-watch.ts'
import { RunningUnits } from '../../../core/detect/running-units.ts'
import { selection } from '../../../core/detect/selection.ts'
import type { Anomaly } from '../../../core/messages/anomaly.ts'
import { loadPlant } from '../../../core/plant/load-plant.ts'
import type { Step } from '../../../core/simulate/happenings.ts'
import { PlantSimulation } from '../../../core/simulate/plant-simulation.ts'

const HOUR_MS = 3_600_000
const START = Date.UTC(2026, 5, 1, 4)
const WORN = 'mill-2'
/** Wear that cannot be felt yet. */
const HEALTHY = 0.58

interface Day {
  readonly anomalies: ReadonlyArray<{ readonly anomaly: Anomaly; readonly wear: number }>
  readonly failedAt: number
}

/** A day of the reference plant: every unit gets jobs of its products with pauses between, and its condition signals are watched as the node does it. */
function day(seed: number): Day {
  const plant = loadPlant(join(packageRoot, 'flows', 'reference-plant.json'))
  const simulation = new PlantSimulation({ plant, seed, start: START, wornUnit: WORN, wornAt: 0.62, ordersPerHour: 0, ordersAhead: 0 })
  const random: Random = seededRandom(seed)
  const running = new RunningUnits(['Execute'], 0)
  const watch = new AnomalyWatch({
    method: { name: 'auto' },
    latch: { holdOffMs: 0, clearAfterMs: 60_000, persistMs: 1_800_000 },
    maxSignals: 1000,
    running,
    ids: countingIds(),
    select: selection({ roles: ['condition'], patterns: [] }, () => plant),
    forgotten: () => {},
  })
  const anomalies: Array<{ anomaly: Anomaly; wear: number }> = []
  let failedAt = Number.POSITIVE_INFINITY
  const hear = ({ publications, rows }: Step): void => {
    for (const row of rows) if (row.kind === 'stop' && row.unit.endsWith(WORN)) failedAt = Math.min(failedAt, row.time)
    for (const said of publications) {
      if (said.kind === 'status') {
        const { unit: equipment, state, mode, time } = said
        running.told({ kind: 'machine-state', equipment, state, mode, since: time, element: null, reason: null, jobOrder: null, time })
      }
      if (said.kind !== 'condition') continue
      const { unit: equipment, signal, value, time } = said
      const sample = { kind: 'sample', equipment, signal, value, quality: 'good', time, received: time } as const
      const track = watch.trackOf(sample)
      const anomaly = track === undefined ? undefined : watch.judge(track, sample)
      if (anomaly !== undefined) anomalies.push({ anomaly, wear: simulation.state.units[equipment]!.wear })
    }
  }

  const work = plant.units.map(({ id }) => ({
    id,
    pauseUntil: 0,
    operations: (plant.model.workMasters ?? []).flatMap((master) =>
      master.operations
        .filter((operation) => plant.unitsFor(operation).some(({ equipment }) => equipment === id))
        .map(({ id: operation }) => [master.id, operation] as const),
    ),
  }))
  let jobs = 0
  while (simulation.time < START + 24 * HOUR_MS) {
    hear(simulation.advance(simulation.time + 30_000))
    for (const unit of work) {
      const { state, due } = simulation.state.units[unit.id]!
      if (due !== null || !['Idle', 'Complete'].includes(state) || unit.operations.length === 0) continue
      if (unit.pauseUntil === 0) unit.pauseUntil = simulation.time + (random() < 0.5 ? 1 : random() * 2 * HOUR_MS)
      if (simulation.time < unit.pauseUntil) continue
      unit.pauseUntil = 0
      const [product, operation] = unit.operations[Math.floor(random() * unit.operations.length)]!
      const step: Step = { publications: [], rows: [] }
      const quantity = 5 + Math.floor(random() * 40)
      const job = { jobOrder: `jo-${++jobs}`, lot: 'lot', quantity, product, operation, perPieceMs: 120_000 }
      simulation.command(unit.id, { id: `c-${jobs}`, name: 'start-job', arguments: job }, step)
      hear(step)
    }
  }
  return { anomalies, failedAt }
}

describe('anomalies of the simulated plant', () => {
  it('are seen on the worn unit long before it fails, and hardly ever on healthy ones', function () {
    this.timeout(60_000)
    let falseAlarms = 0
    for (const seed of [5, 21]) {
      const { anomalies, failedAt } = day(seed)
      assert.ok(Number.isFinite(failedAt), 'the worn unit fails within the day')
      const worn = anomalies.filter(({ anomaly }) => anomaly.equipment.endsWith(WORN) && anomaly.time < failedAt)
      const first = worn.find(({ anomaly }) => anomaly.state === 'raised')
      assert.ok(first !== undefined, `seed ${seed}: it failed unseen`)
      const leadMin = (failedAt - first.anomaly.time) / 60_000
      assert.ok(leadMin > 30, `seed ${seed}: seen only ${leadMin} min before`)
      assert.ok(
        worn.some(({ anomaly }) => anomaly.severity === 'high'),
        `seed ${seed}: never of high severity`,
      )
      const healthy = anomalies.filter(({ anomaly, wear }) => anomaly.state === 'raised' && wear < HEALTHY && !anomaly.equipment.endsWith(WORN))
      assert.ok(
        healthy.every(({ anomaly }) => anomaly.severity === 'low'),
        'a severe alarm on a healthy unit',
      )
      falseAlarms += healthy.length
    }
    assert.ok(falseAlarms <= 3, `${falseAlarms} alarms on healthy units in two days`)
  })
})
