import type { WatchSetting } from '../../core/detect/anomaly-watch.ts'
import { CONTEXTS, type ContextBy } from '../../core/detect/making.ts'
import { BUDGETED } from '../../core/detect/methods.ts'
import type { SelectionSetting } from '../../core/detect/selection.ts'
import { PACKML_STATE_NAMES } from '../../core/messages/machine-state.ts'
import { SIGNAL_ROLES } from '../../core/plant/model.ts'
import { type Field, listOf, ofWords, readFields } from '../shared/read-fields.ts'
import type { SampleFields } from '../shared/sample-fields.ts'
import { readMethod } from './read-method.ts'

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

/** The settings behind the fields. Throws TAKT_CONFIG_INVALID that names the field. */
export function readSettings(fields: AnomalyFields, hasPlant: boolean, where: string): AnomalySettings {
  const reader = readFields(where)
  const { invalid, optional, number, choice, words } = reader
  const method = readMethod(fields, reader, hasPlant)
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
    context: choice(fields.context, 'separate baselines', 'none', ofWords(CONTEXTS)),
    roles: roles.length > 0 ? roles : [hasPlant ? 'condition' : 'all'],
    patterns: listOf(fields.filter),
    judgeOnlyIn: states.length > 0 ? states : ['Execute'],
    settleMs: number(fields.settle, 'settling time', 0, 0, 86_400) * 1000,
    maxSignals: Math.round(number(fields.maxSignals, 'signals at most', 10_000, 1, 1_000_000)),
    saveEveryMs: number(fields.saveEvery, 'saved every', 60, 1, 86_400) * 1000,
  }
}
