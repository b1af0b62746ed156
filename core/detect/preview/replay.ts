import { countingIds } from '../../base/id.ts'
import type { Anomaly, Severity } from '../../messages/anomaly.ts'
import type { JobOrder } from '../../messages/job-order.ts'
import type { Sample } from '../../messages/sample.ts'
import type { WorkOrder } from '../../messages/work-order.ts'
import type { Plant } from '../../plant/plant.ts'
import type { RingSample } from '../../store/sample-ring.ts'
import { AnomalyWatch, type WatchSetting } from '../anomaly-watch.ts'
import { type ContextBy, Making } from '../making.ts'
import { RunningUnits } from '../running-units.ts'
import { type SelectionSetting, selection } from '../selection.ts'
import { evidenceText } from './evidence-text.ts'
import type { History } from './history.ts'
import type { PreviewPoint } from './thin.ts'

/** What decides which alarms there are. */
export interface DetectionSettings extends Pick<WatchSetting, 'method' | 'latch' | 'falseAlarmsAWeek'>, SelectionSetting {
  readonly context: ContextBy
  readonly judgeOnlyIn: readonly string[]
  readonly settleMs: number
}

/** An alarm that the settings would have given. */
export interface PreviewAlarm {
  /** source time at which the signal was out for the first time, epoch ms */
  readonly since: number
  /** null: it stands */
  readonly until: number | null
  readonly severity: Severity
  /** why, a line for each source that spoke */
  readonly evidence: readonly string[]
}

export interface Replayed {
  /** from `from` on */
  readonly points: readonly PreviewPoint[]
  /** those that stood at `from` or later */
  readonly alarms: readonly PreviewAlarm[]
  /** values that the detector took in all, and those of them before `from` */
  readonly learned: { readonly all: number; readonly before: number }
  /** values that were judged from `from` on */
  readonly judged: number
  /** older values that were left out, because there was no time for them */
  readonly leftOut: number
}

export interface Bounds {
  /** Computing time at most, ms: when it does not do for all, the oldest values are left out. */
  readonly budgetMs: number
  /** Real time, ms. */
  tick(): number
  /** Lets others work. Rejects when nobody waits for the result any more. */
  rest(): Promise<void>
}

export interface About {
  readonly equipment: string
  readonly signal: string
  readonly plant?: Plant | undefined
  readonly orders: ReadonlyArray<JobOrder | WorkOrder>
  /** signals that share the budget of false alarms; absent: it is alone */
  readonly signals?: number | undefined
}

/** Values judged in one go: some milliseconds at most. */
const IN_ONE_GO = 256

/**
 * Judges a signal's past by the very code that judges its present. When half of the time is gone before half of the values are judged, it begins anew with
 * as many, the newest.
 */
export async function replay(history: History, settings: DetectionSettings, about: About, from: number, { budgetMs, tick, rest }: Bounds): Promise<Replayed> {
  let first = 0
  let once = new Replay(settings, about, history, from)
  let spentMs = 0
  let mayCut = true
  for (let at = 0; at < history.samples.length; ) {
    const began = tick()
    const end = Math.min(at + IN_ONE_GO, history.samples.length)
    for (; at < end; at++) once.take(at)
    spentMs += tick() - began
    if (mayCut && spentMs >= budgetMs / 2 && at < history.samples.length / 2) {
      first = history.samples.length - at
      at = first
      once = new Replay(settings, about, history, from)
      mayCut = false
    }
    await rest()
  }
  return { ...once.result(), leftOut: first }
}

/** One run through the past. */
class Replay {
  readonly #watch: AnomalyWatch
  readonly #running: RunningUnits
  readonly #history: History
  readonly #about: { readonly equipment: string; readonly signal: string; readonly cycle: string | undefined }
  readonly #from: number
  readonly #points: PreviewPoint[] = []
  readonly #alarms = new Map<string, PreviewAlarm>()
  readonly #learned = { all: 0, before: 0 }
  #nextState = 0
  #nextCycle = 0
  #judged = 0

  constructor(settings: DetectionSettings, { equipment, signal, plant, orders, signals = 1 }: About, history: History, from: number) {
    this.#running = new RunningUnits(settings.judgeOnlyIn, settings.settleMs)
    this.#history = history
    this.#about = { equipment, signal, cycle: settings.method.name === 'seasonal' ? settings.method.cycle?.signal : undefined }
    this.#from = from
    const making = settings.context === 'none' ? undefined : new Making(settings.context, this.#running)
    for (const order of orders) making?.told(order)
    this.#watch = new AnomalyWatch({
      method: settings.method,
      latch: settings.latch,
      maxSignals: 1,
      ...(settings.falseAlarmsAWeek === undefined ? {} : { falseAlarmsAWeek: settings.falseAlarmsAWeek / Math.max(1, signals) }),
      running: this.#running,
      ...(making === undefined ? {} : { making }),
      ids: countingIds(),
      select: selection(settings, plant === undefined ? undefined : () => plant),
      forgotten: () => {},
    })
  }

  take(at: number): void {
    const ring = this.#history.samples[at]
    if (ring === undefined) return
    this.#hear(ring.time)
    const sample = sampleOf(this.#about.equipment, this.#about.signal, ring)
    const track = this.#watch.trackOf(sample)
    if (track === undefined) return
    const taken = track.taken
    const anomaly = this.#watch.judge(track, sample)
    if (anomaly !== undefined) this.#tell(anomaly)
    const isShown = ring.time >= this.#from
    if (track.taken > taken) {
      this.#learned.all++
      if (!isShown) this.#learned.before++
    }
    if (!isShown) return
    const { judged } = track
    if (judged) this.#judged++
    const { score, expected, lower, upper } = track.scored()
    this.#points.push({ time: ring.time, value: ring.value, expected, lower, upper, score, judged })
  }

  result(): Omit<Replayed, 'leftOut'> {
    const alarms = [...this.#alarms.values()].filter(({ until }) => until === null || until >= this.#from)
    return { points: this.#points, alarms, learned: this.#learned, judged: this.#judged }
  }

  /** What the unit did until then. */
  #hear(time: number): void {
    const { states } = this.#history
    for (let state = states[this.#nextState]; state !== undefined && state.since <= time; state = states[++this.#nextState]) this.#running.told(state)
    const { cycle, equipment } = this.#about
    if (cycle === undefined) return
    const { cycles } = this.#history
    for (let ring = cycles[this.#nextCycle]; ring !== undefined && ring.time <= time; ring = cycles[++this.#nextCycle])
      this.#watch.hear(sampleOf(equipment, cycle, ring))
  }

  #tell({ id, state, since, time, severity, evidence }: Anomaly): void {
    const told = this.#alarms.get(id)
    // what it said when it was worst is why; that it is over is no reason
    const why = state === 'cleared' ? (told?.evidence ?? []) : evidenceText(evidence)
    this.#alarms.set(id, { since, until: state === 'cleared' ? time : null, severity, evidence: why })
  }
}

function sampleOf(equipment: string, signal: string, { value, quality, time }: RingSample): Sample {
  return { kind: 'sample', equipment, signal, value, quality, time, received: time }
}
