import { TaktError } from '../../base/error.ts'
import type { Plant } from '../../plant/plant.ts'
import type { Store } from '../../store/store.ts'
import { verdictsOf, withVerdicts } from '../challenger/verdicts.ts'
import { detectorOf } from '../methods.ts'
import { ordersOf } from '../orders-of.ts'
import { pastStops } from '../scorecard/past-stops.ts'
import { type AlarmScore, type PastAlarm, scoreAlarms } from '../scorecard/score-alarms.ts'
import { DEFAULT_HORIZON_MS } from '../scorecard/scorecard.ts'
import { selection } from '../selection.ts'
import { type PastState, readHistory } from './history.ts'
import { type Bounds, type DetectionSettings, type PreviewAlarm, replay } from './replay.ts'
import { type PreviewPoint, thin } from './thin.ts'

export interface PreviewView {
  readonly equipment: string
  readonly signal: string
  /** source time, epoch ms: what is drawn and counted; it is learned from what lies before it too */
  readonly from: number
  readonly to: number
  /** signals that share a budget of false alarms; absent: it is alone */
  readonly signals?: number
}

/** What settings would have done. */
export interface Preview {
  readonly equipment: string
  readonly signal: string
  readonly unit: string | null
  /** times of the first and the last sample in the view, epoch ms */
  readonly from: number
  readonly to: number
  /** numbers in the view, and those of them that could be judged */
  readonly samples: number
  readonly judged: number
  /** values that the detector took in all, and those of them before the view */
  readonly learned: { readonly all: number; readonly before: number }
  /** why this is too little to go by; null where it is enough */
  readonly tooFew: 'values' | 'seasons' | null
  /** older values that were left out, because there are too many */
  readonly isCut: boolean
  /** at most 1,500, thinned so that extremes stay */
  readonly points: readonly PreviewPoint[]
  /** alarms that stood in the view, at most 500, the newest */
  readonly alarms: readonly PreviewAlarm[]
  readonly cost: PreviewCost
}

export interface PreviewCost {
  /** alarms that stood in the view, and how many that is in a week at this pace */
  readonly alarms: number
  readonly alarmsPerWeek: number | null
  /** those that a failure or a repair of the unit followed */
  readonly beforeStop: number
  /** failures and repairs in the view */
  readonly stops: number
  readonly score: AlarmScore
}

export const DEFAULT_BOUNDS: Bounds = {
  budgetMs: 1000,
  tick: () => performance.now(),
  rest: () => new Promise((resolve) => setImmediate(resolve)),
}

/** Samples read at most. */
const SAMPLES = 50_000
const POINTS = 1500
const ALARMS = 500
/** Fewer judged values say nothing of alarms a week. */
const JUDGED_AT_LEAST = 100
const ORDERS = 500
const WEEK_MS = 7 * 86_400_000

/**
 * What alarms settings would have given on the stored samples of a signal, and what they would have cost. Nothing is written. Throws TAKT_SIGNAL_UNKNOWN where
 * there are no samples or the settings do not watch the signal, TAKT_CONFIG_INVALID where there is nothing to judge it by, TAKT_STORE_… .
 */
export async function preview(
  store: Store,
  plant: Plant | undefined,
  settings: DetectionSettings,
  view: PreviewView,
  bounds: Bounds = DEFAULT_BOUNDS,
): Promise<Preview> {
  const { equipment, signal } = view
  const { method } = settings
  const cycle = method.name === 'seasonal' ? method.cycle?.signal : undefined
  const history = await readHistory(store, equipment, signal, view.to, SAMPLES, cycle)
  const shown = history.samples.filter(({ time }) => time >= view.from)
  const first = shown[0]
  const last = shown.at(-1)
  checkWatched(plant, settings, view)
  if (first === undefined || last === undefined) throw unknown(`the store has no numbers of '${signal}' in this time`, view)
  const orders = settings.context === 'none' ? [] : await ordersIn(store, history.states)
  const { points, alarms, learned, judged, leftOut } = await replay(
    history,
    settings,
    { equipment, signal, plant, orders, signals: view.signals },
    first.time,
    bounds,
  )
  return {
    equipment,
    signal,
    unit: last.unit ?? null,
    from: first.time,
    to: last.time,
    samples: shown.length,
    judged,
    learned,
    tooFew: tooFew(settings, judged, last.time - (history.samples[leftOut]?.time ?? last.time)),
    isCut: history.isCut || leftOut > 0,
    points: thin(points, POINTS),
    alarms: alarms.slice(-ALARMS),
    cost: await costOf(store, view, alarms, first.time, last.time),
  }
}

function checkWatched(plant: Plant | undefined, settings: DetectionSettings, view: PreviewView): void {
  const selected = selection(settings, plant === undefined ? undefined : () => plant)(view.equipment, view.signal)
  if (selected === undefined) throw unknown(`the signal roles or the filter of the node leave '${view.signal}' out`, view)
  if (detectorOf(settings.method, selected.alarm) === undefined)
    throw new TaktError('TAKT_CONFIG_INVALID', { what: `no limit is given, and '${view.signal}' has none in the plant model`, where: view.equipment })
}

/** Against what became of the unit, and what people said of alarms at the same time. */
async function costOf(store: Store, { equipment, signal }: PreviewView, alarms: readonly PreviewAlarm[], from: number, to: number): Promise<PreviewCost> {
  const stops = await pastStops(store, [equipment], from, to + 1)
  const past = alarms.map(({ since, until }, at): PastAlarm & { signal: string } => ({
    id: String(at),
    equipment,
    signal,
    since: Math.max(from, since),
    cleared: until,
  }))
  const judged = withVerdicts(past, await verdictsOf(store, [equipment]))
  const span = { from, to: to + 1, horizonMs: DEFAULT_HORIZON_MS, knownTo: to }
  return {
    alarms: alarms.length,
    alarmsPerWeek: to > from ? (alarms.length * WEEK_MS) / (to - from) : null,
    // here a repair counts like a failure: in both cases somebody would have been glad to know
    beforeStop: scoreAlarms(
      past,
      stops.map((stop) => ({ ...stop, kind: 'failure' })),
      span,
    ).confirmed,
    stops: stops.length,
    score: scoreAlarms(judged, stops, span),
  }
}

function tooFew({ method }: DetectionSettings, judged: number, replayedMs: number): Preview['tooFew'] {
  if (method.name === 'seasonal' && replayedMs < 2 * method.periodMs) return 'seasons'
  return judged < JUDGED_AT_LEAST ? 'values' : null
}

async function ordersIn(store: Store, states: readonly PastState[]): Promise<Awaited<ReturnType<ReturnType<typeof ordersOf>>>> {
  const ids = new Set(states.map(({ jobOrder }) => jobOrder).filter((id) => id !== null))
  const find = ordersOf(store)
  return (await Promise.all([...ids].slice(-ORDERS).map(find))).flat()
}

function unknown(what: string, { equipment }: PreviewView): TaktError {
  return new TaktError('TAKT_SIGNAL_UNKNOWN', { what, where: equipment })
}
