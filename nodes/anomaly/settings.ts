import { TaktError } from '../../core/base/error.ts'
import type { WatchSetting } from '../../core/detect/anomaly-watch.ts'
import type { CycleSetting } from '../../core/detect/cycles.ts'
import { LONGEST_SHAPE } from '../../core/detect/discord.ts'
import { CONTEXTS, type ContextBy } from '../../core/detect/making.ts'
import { BUDGETED, type METHOD_NAMES, type Method } from '../../core/detect/methods.ts'
import type { SelectionSetting } from '../../core/detect/selection.ts'
import { PACKML_STATE_NAMES } from '../../core/messages/machine-state.ts'
import { SIGNAL_ROLES } from '../../core/plant/model.ts'
import type { SampleFields } from '../shared/sample-fields.ts'

type Field = string | number | undefined

/** The dialog's fields; numbers may be texts or empty. */
export interface AnomalyFields extends SampleFields {
  method?: string
  /** auto: `low`, `normal`, `high` */
  sensitivity?: string
  /** auto, ewma, robust-z, cusum, drift, variance: values learned from before it judges */
  warmup?: Field
  /** limits; empty: the signal's own alarm limit */
  low?: Field
  high?: Field
  /** rate: largest change per `ratePer` (second, minute, hour) */
  rate?: Field
  ratePer?: string
  /** ewma: weight of the newest value, and width of the band in standard deviations */
  lambda?: Field
  width?: Field
  /** robust-z: values looked back on, and robust standard deviations */
  window?: Field
  threshold?: Field
  /** stuck: seconds, and how far a value may move and still be the same */
  stuckFor?: Field
  tolerance?: Field
  /** cusum: what is not given is learned; allowance (k) and decision (h) in standard deviations */
  target?: Field
  sigma?: Field
  allowance?: Field
  decision?: Field
  /** hampel: values on either side */
  reach?: Field
  /** seasonal: `day`, `week`, `period`, then of so many seconds, or `cycle`, then of a signal of the same equipment whose `change` or `rise` begins one */
  season?: string
  period?: Field
  cycle?: string
  cycleBegins?: string
  /** discord: values in the window, empty: found in the signal; values remembered */
  shape?: Field
  memory?: Field
  /** drift: standard deviations, and values of the long average */
  driftSize?: Field
  driftOver?: Field
  /** variance: values of the short term, and how many times as large or small */
  shortTerm?: Field
  factor?: Field

  /** false alarms a week that the node may raise; empty: the method's own threshold */
  falseAlarms?: Field
  /** separate baselines: `none`, `product`, `operation`, `state` */
  context?: string
  /** seconds out before it is raised, seconds back before it is cleared, minutes standing that make it one step more severe */
  holdOff?: Field
  clearAfter?: Field
  escalateAfter?: Field
  /** roles of the plant model, by commas, or `all`; empty: condition with a plant, all without */
  roles?: string
  /** topics by commas, `*` for any characters; empty: all */
  filter?: string
  /** PackML states by commas; empty: Execute */
  judgeOnlyIn?: string
  /** seconds after such a state began that do not count yet */
  settle?: Field
  maxSignals?: Field
  /** seconds */
  saveEvery?: Field
  /** JSON of the fields of a changed detector that is tried in shadow; empty: none */
  challenger?: string
}

export interface AnomalySettings extends Pick<WatchSetting, 'method' | 'latch' | 'maxSignals' | 'falseAlarmsAWeek'>, SelectionSetting {
  readonly context: ContextBy
  readonly judgeOnlyIn: readonly string[]
  readonly settleMs: number
  readonly saveEveryMs: number
}

const CAUTION: Readonly<Record<string, number>> = { low: 1.5, normal: 1, high: 0.7 }
/** Length of a season and the parts it is divided into. */
const SEASONS: Readonly<Record<string, { readonly ms: number | undefined; readonly bins: number }>> = {
  day: { ms: 86_400_000, bins: 48 },
  week: { ms: 7 * 86_400_000, bins: 168 },
  period: { ms: undefined, bins: 32 },
  cycle: { ms: 0, bins: 32 },
}
const PER_SECONDS: Readonly<Record<string, number>> = { second: 1, minute: 60, hour: 3600 }

/** The settings behind the fields. Throws TAKT_CONFIG_INVALID that names the field. */
export function readSettings(fields: AnomalyFields, hasPlant: boolean, where: string): AnomalySettings {
  const invalid = (what: string): TaktError => new TaktError('TAKT_CONFIG_INVALID', { what, where })
  const optional = (value: Field, what: string): number | undefined => {
    if (value === undefined || value === null || value === '') return undefined
    const number = Number(value)
    if (!Number.isFinite(number)) throw invalid(`${what} is '${value}' where a number is taken`)
    return number
  }
  const number = (value: Field, what: string, fallback: number, lowest: number, highest: number): number => {
    const found = optional(value, what) ?? fallback
    if (found < lowest || found > highest) throw invalid(`${what} is ${found} where ${lowest} to ${highest} is taken`)
    return found
  }
  const choice = <T>(value: string | undefined, what: string, fallback: string, choices: Readonly<Record<string, T>>): T => {
    const key = value || fallback
    const chosen = Object.hasOwn(choices, key) ? choices[key] : undefined
    if (chosen === undefined) throw invalid(`${what} is '${key}' where one of ${Object.keys(choices).join(', ')} is taken`)
    return chosen
  }
  const words = (value: string | undefined, what: string, allowed: readonly string[]): readonly string[] => {
    const list = listOf(value)
    for (const word of list) if (!allowed.includes(word)) throw invalid(`${what} '${word}' is none of ${allowed.join(', ')}`)
    return list
  }

  const cycleOf = (): CycleSetting => {
    const signal = (fields.cycle ?? '').trim()
    if (signal === '') throw invalid('no signal is named whose cycles are the seasons')
    if (signal.includes('/')) throw invalid(`'${signal}' names an equipment; the cycle is a signal of the same equipment, by its name alone`)
    return { signal, begins: choice(fields.cycleBegins, 'beginning of a cycle', 'change', { change: 'change', rise: 'rise' } as const) }
  }

  const methods: Record<(typeof METHOD_NAMES)[number], () => Method> = {
    auto: () => ({
      name: 'auto',
      caution: choice(fields.sensitivity, 'sensitivity', 'normal', CAUTION),
      warmup: number(fields.warmup, 'values to learn from', 30, 5, 100_000),
    }),
    limits: () => {
      const low = optional(fields.low, 'lower limit')
      const high = optional(fields.high, 'upper limit')
      if (low === undefined && high === undefined && !hasPlant) throw invalid('neither limit is given, and there is no plant that could have alarm limits')
      if (low !== undefined && high !== undefined && low >= high) throw invalid(`the lower limit ${low} is not below the upper limit ${high}`)
      return { name: 'limits', low, high }
    },
    rate: () => {
      const change = optional(fields.rate, 'largest change')
      if (change === undefined || change <= 0) throw invalid(`largest change is '${fields.rate ?? ''}' where a number above 0 is taken`)
      return { name: 'rate', maxPerSecond: change / choice(fields.ratePer, 'time of the change', 'second', PER_SECONDS) }
    },
    ewma: () => ({
      name: 'ewma',
      lambda: number(fields.lambda, 'weight of the newest value', 0.2, 0.001, 1),
      width: number(fields.width, 'width of the band', 4, 0.5, 100),
      warmup: number(fields.warmup, 'values to learn from', 50, 5, 100_000),
    }),
    'robust-z': () => ({
      name: 'robust-z',
      window: Math.round(number(fields.window, 'values looked back on', 100, 10, 10_000)),
      threshold: number(fields.threshold, 'threshold', 6, 0.5, 1000),
      warmup: number(fields.warmup, 'values to learn from', 30, 5, 10_000),
    }),
    stuck: () => ({
      name: 'stuck',
      forMs: number(fields.stuckFor, 'seconds unchanged', 300, 0.001, 31_622_400) * 1000,
      tolerance: number(fields.tolerance, 'tolerance', 0, 0, Number.MAX_VALUE),
    }),
    cusum: () => {
      const sigma = optional(fields.sigma, 'standard deviation')
      if (sigma !== undefined && sigma <= 0) throw invalid(`standard deviation is ${sigma} where a number above 0 is taken`)
      return {
        name: 'cusum',
        target: optional(fields.target, 'target'),
        sigma,
        allowance: number(fields.allowance, 'allowance', 0.5, 0, 10),
        decision: number(fields.decision, 'decision limit', 12, 1, 1000),
        warmup: number(fields.warmup, 'values to learn from', 100, 5, 100_000),
      }
    },
    hampel: () => ({
      name: 'hampel',
      reach: Math.round(number(fields.reach, 'values on either side', 5, 2, 500)),
      threshold: number(fields.threshold, 'threshold', 6, 0.5, 1000),
    }),
    seasonal: () => {
      const { ms, bins } = choice(fields.season, 'season', 'day', SEASONS)
      if (ms === undefined && optional(fields.period, 'period') === undefined) throw invalid('no period is given, in seconds')
      const cycle = fields.season === 'cycle' ? cycleOf() : undefined
      const periodMs = ms ?? number(fields.period, 'period', 0, 0.001, 31_622_400) * 1000
      return { name: 'seasonal', periodMs, bins, ...(cycle === undefined ? {} : { cycle }), threshold: number(fields.threshold, 'threshold', 6, 0.5, 1000) }
    },
    discord: () => {
      const given = optional(fields.shape, 'values in a shape')
      const shape = given === undefined ? undefined : Math.round(number(given, 'values in a shape', 0, 4, LONGEST_SHAPE))
      const memory = Math.round(number(fields.memory, 'values remembered', 1024, 128, 8192))
      if (shape !== undefined && memory < 4 * shape) throw invalid(`${memory} values remembered are fewer than four shapes of ${shape} values`)
      return { name: 'discord', shape, memory, caution: choice(fields.sensitivity, 'sensitivity', 'normal', CAUTION) }
    },
    drift: () => ({
      name: 'drift',
      size: number(fields.driftSize, 'drift', 2, 0.1, 100),
      over: Math.round(number(fields.driftOver, 'values of the long average', 200, 5, 1_000_000)),
      warmup: number(fields.warmup, 'values to learn from', 200, 5, 100_000),
    }),
    variance: () => ({
      name: 'variance',
      window: Math.round(number(fields.shortTerm, 'values of the short term', 30, 5, 10_000)),
      factor: number(fields.factor, 'factor', 2.5, 1.1, 100),
      warmup: number(fields.warmup, 'values to learn from', 100, 5, 100_000),
    }),
  }

  const method = choice(fields.method, 'method', 'auto', methods)()
  const falseAlarms = optional(fields.falseAlarms, 'false alarms a week')
  if (falseAlarms !== undefined) {
    if (falseAlarms < 0.01 || falseAlarms > 10_000) throw invalid(`false alarms a week are ${falseAlarms} where 0.01 to 10000 is taken`)
    if (!BUDGETED.includes(method.name)) throw invalid(`false alarms a week are given, but ${method.name} has a limit that you set, no threshold`)
  }
  const roles = words(fields.roles, 'role', [...SIGNAL_ROLES, 'all'])
  const states = words(fields.judgeOnlyIn, 'state', [...PACKML_STATE_NAMES])
  return {
    method,
    falseAlarmsAWeek: falseAlarms,
    latch: {
      holdOffMs: number(fields.holdOff, 'hold-off', 0, 0, 31_622_400) * 1000,
      clearAfterMs: number(fields.clearAfter, 'clear after', 60, 0, 31_622_400) * 1000,
      persistMs: number(fields.escalateAfter, 'more severe after', 30, 0, 527_040) * 60_000,
    },
    context: choice(fields.context, 'separate baselines', 'none', Object.fromEntries(CONTEXTS.map((by) => [by, by]))),
    roles: roles.length > 0 ? roles : [hasPlant ? 'condition' : 'all'],
    patterns: listOf(fields.filter),
    judgeOnlyIn: states.length > 0 ? states : ['Execute'],
    settleMs: number(fields.settle, 'settling time', 0, 0, 86_400) * 1000,
    maxSignals: Math.round(number(fields.maxSignals, 'signals at most', 10_000, 1, 1_000_000)),
    saveEveryMs: number(fields.saveEvery, 'saved every', 60, 1, 86_400) * 1000,
  }
}

function listOf(value: string | undefined): readonly string[] {
  return (value ?? '')
    .split(/[,\n]/)
    .map((part) => part.trim())
    .filter((part) => part !== '')
}
