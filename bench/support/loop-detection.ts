import { countingIds } from '../../core/base/id.ts'
import { AnomalyWatch } from '../../core/detect/anomaly-watch.ts'
import { Making } from '../../core/detect/making.ts'
import { PrognosisWatch } from '../../core/detect/prognosis/prognosis-watch.ts'
import { RunningUnits } from '../../core/detect/running-units.ts'
import { selection } from '../../core/detect/selection.ts'
import type { Anomaly } from '../../core/messages/anomaly.ts'
import type { Command } from '../../core/messages/command.ts'
import type { Prognosis } from '../../core/messages/prognosis.ts'
import type { Sample } from '../../core/messages/sample.ts'
import type { Plant } from '../../core/plant/plant.ts'
import type { ConditionPublication, StatusPublication } from '../../core/simulate/happenings.ts'
import { readSettings as readAnomaly } from '../../nodes/anomaly/settings.ts'
import { readSettings as readPrognosis, targetOf } from '../../nodes/prognosis/settings.ts'
import { nodeOf } from './loop-flow.ts'

/** Anomaly and prognosis nodes of the reference flow without their nodes: what machines publish comes in, what must be told of them waits to be taken. */
export class LoopDetection {
  readonly #running: RunningUnits
  readonly #making: Making
  readonly #watch: AnomalyWatch
  readonly #prognoses: PrognosisWatch
  #news: Array<Anomaly | Prognosis> = []

  constructor(plant: Plant) {
    const settings = readAnomaly(nodeOf('takt-anomaly'), true, 'bench')
    this.#running = new RunningUnits(settings.judgeOnlyIn, settings.settleMs)
    this.#making = new Making(settings.context, this.#running)
    const shared = { running: this.#running, forgotten: () => {} }
    this.#watch = new AnomalyWatch({ ...settings, ...shared, making: this.#making, ids: countingIds(), select: selection(settings, () => plant) })
    const target = readPrognosis(nodeOf('takt-prognosis'), true, 'bench')
    this.#prognoses = new PrognosisWatch({ ...shared, maxSignals: 1000, select: targetOf(target, () => plant) })
  }

  hear(said: StatusPublication | ConditionPublication): void {
    const { unit: equipment, time } = said
    if (said.kind === 'status') {
      const { state, mode, job } = said
      this.#running.told({ kind: 'machine-state', equipment, state, mode, since: time, element: null, reason: null, jobOrder: job || null, time })
      return
    }
    const { signal, value } = said
    const sample: Sample = { kind: 'sample', equipment, signal, value, quality: 'good', time, received: time }
    const track = this.#watch.trackOf(sample)
    const anomaly = track === undefined ? undefined : this.#watch.judge(track, sample)
    if (anomaly !== undefined) this.#news.push(anomaly)
    const followed = this.#prognoses.trackOf(sample)
    const prognosis = followed === undefined ? undefined : this.#prognoses.take(followed, sample, value)
    if (prognosis !== undefined) this.#news.push(prognosis)
  }

  /** A machine is told what to make: each product has a baseline of its own. */
  told({ arguments: { jobOrder, product, operation } }: Command): void {
    if (typeof jobOrder !== 'string' || typeof product !== 'string' || typeof operation !== 'string') return
    this.#making.told({ kind: 'job-order', id: jobOrder, workOrder: `wo-${product}`, operation })
    this.#making.told({ kind: 'work-order', id: `wo-${product}`, product })
  }

  /** What has been found since the last time. */
  take(): Array<Anomaly | Prognosis> {
    const news = this.#news
    this.#news = []
    return news
  }
}
