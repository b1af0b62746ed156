import { TaktError } from '../../core/base/error.ts'
import type { Target } from '../../core/detect/prognosis/prognosis-track.ts'
import { type SelectionSetting, selection } from '../../core/detect/selection.ts'
import { PACKML_STATE_NAMES } from '../../core/messages/machine-state.ts'
import { SIGNAL_ROLES } from '../../core/plant/model.ts'
import type { Plant } from '../../core/plant/plant.ts'
import { type Field, listOf, ofWords, readFields } from '../shared/read-fields.ts'
import type { SampleFields } from '../shared/sample-fields.ts'

/** The dialog's fields; numbers may be texts or empty. */
export interface PrognosisFields extends SampleFields {
  /** `value`, or `score`: msg.anomaly as the anomaly node's second output has it */
  indicator?: string
  /** empty: the signal's own alarm limit; for scores 0.94 */
  threshold?: Field
  /** `rising`, `falling`; empty: the limit's side, or told by the first values */
  direction?: string
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
}

export interface PrognosisSettings extends SelectionSetting {
  readonly indicator: Target['indicator']
  readonly threshold: number | undefined
  readonly direction: Target['direction']
  readonly judgeOnlyIn: readonly string[]
  readonly settleMs: number
  readonly maxSignals: number
  readonly saveEveryMs: number
}

/** An anomaly score of twice the detector's threshold. */
const SCORE_THRESHOLD = 0.94

/** The settings behind the fields. Throws TAKT_CONFIG_INVALID that names the field. */
export function readSettings(fields: PrognosisFields, hasPlant: boolean, where: string): PrognosisSettings {
  const { invalid, optional, number, choice, words } = readFields(where)

  const indicator = choice(fields.indicator, 'indicator', 'value', ofWords(['value', 'score']))
  const threshold = optional(fields.threshold, 'threshold') ?? (indicator === 'score' ? SCORE_THRESHOLD : undefined)
  if (indicator === 'score' && (threshold === undefined || threshold <= 0 || threshold >= 1))
    throw invalid(`threshold is ${threshold} where an anomaly score between 0 and 1 is taken`)
  if (threshold === undefined && !hasPlant) throw invalid('no threshold is given, and there is no plant that could have alarm limits')
  const direction = indicator === 'score' ? 'rising' : choice(fields.direction, 'direction', '', ofWords(['', 'rising', 'falling'])) || undefined
  const roles = words(fields.roles, 'role', [...SIGNAL_ROLES, 'all'])
  const states = words(fields.judgeOnlyIn, 'state', [...PACKML_STATE_NAMES])
  return {
    indicator,
    threshold,
    direction,
    roles: roles.length > 0 ? roles : [hasPlant ? 'condition' : 'all'],
    patterns: listOf(fields.filter),
    judgeOnlyIn: states.length > 0 ? states : ['Execute'],
    settleMs: number(fields.settle, 'settling time', 0, 0, 86_400) * 1000,
    maxSignals: Math.round(number(fields.maxSignals, 'signals at most', 10_000, 1, 1_000_000)),
    saveEveryMs: number(fields.saveEvery, 'saved every', 60, 1, 86_400) * 1000,
  }
}

/** Says of a signal whether it is followed, and to which threshold: the one that was typed, or its own alarm limit (the upper one where it has both and no direction is chosen). */
export function targetOf(settings: PrognosisSettings, plant: (() => Plant) | undefined): (equipment: string, signal: string) => Target | undefined {
  const { indicator, threshold, direction } = settings
  const select = selection(settings, plant)
  return (equipment, signal) => {
    const selected = select(equipment, signal)
    if (selected === undefined) return undefined
    const unit = indicator === 'value' ? plant?.().signal(`${equipment}/${signal}`)?.signal.unit : undefined
    if (threshold !== undefined) return { indicator, threshold, direction, unit }
    const { high, low } = selected.alarm ?? {}
    if (high !== undefined && direction !== 'falling') return { indicator, threshold: high, direction: 'rising', unit }
    if (low !== undefined && direction !== 'rising') return { indicator, threshold: low, direction: 'falling', unit }
    return undefined
  }
}

/** Signals named in full must be in the plant model, and have a threshold. Throws TAKT_SIGNAL_UNKNOWN, TAKT_CONFIG_INVALID. */
export function assertKnown(settings: PrognosisSettings, plant: () => Plant, where: string): void {
  const target = targetOf(settings, plant)
  for (const topic of settings.patterns) {
    if (topic.includes('*')) continue
    const bound = plant().signal(topic)
    if (bound === undefined) throw new TaktError('TAKT_SIGNAL_UNKNOWN', { what: `the plant model has no signal '${topic}'`, where })
    const role = bound.signal.role ?? 'other'
    if (!settings.roles.includes('all') && !settings.roles.includes(role))
      throw new TaktError('TAKT_CONFIG_INVALID', { what: `'${topic}' has the role '${role}', but only ${settings.roles.join(', ')} is followed`, where })
    if (target(bound.equipment.id, bound.signal.name) === undefined)
      throw new TaktError('TAKT_CONFIG_INVALID', { what: `'${topic}' has no alarm limit in the plant model, and no threshold is given`, where })
  }
}
