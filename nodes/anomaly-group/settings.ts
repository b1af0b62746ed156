import { TaktError } from '../../core/base/error.ts'
import { GROUP_SIZE_MOST } from '../../core/detect/group/group-detector.ts'
import type { GroupWatchSetting } from '../../core/detect/group/group-watch.ts'
import { type LearnFor, learnMsOf, learnRowsOf } from '../../core/detect/group/ripening.ts'
import { PACKML_STATE_NAMES } from '../../core/messages/machine-state.ts'
import type { Plant } from '../../core/plant/plant.ts'
import { type Field, isGiven, listOf, readFields } from '../shared/read-fields.ts'
import type { SampleFields } from '../shared/sample-fields.ts'

/** The dialog's fields; numbers may be texts or empty. */
export interface GroupFields extends Omit<SampleFields, 'equipment'> {
  readonly equipment?: string
  /** names of the equipment's signals, or topics of others', by commas; empty: all of role condition */
  readonly signals?: string
  readonly sensitivity?: string
  /** how long it learns before it raises; empty: by the number of signals */
  readonly learnFor?: Field
  /** `rows`, `minutes`, `hours` of running time */
  readonly learnUnit?: string
  /** seconds; 0: a row whenever all signals have told, or one again */
  readonly every?: Field
  /** seconds that a value is held */
  readonly hold?: Field
  readonly holdOff?: Field
  readonly clearAfter?: Field
  /** minutes */
  readonly escalateAfter?: Field
  readonly judgeOnlyIn?: string
  readonly settle?: Field
  readonly saveEvery?: Field
}

export interface GroupSettings extends Omit<GroupWatchSetting, 'running' | 'ids' | 'equipment' | 'topics' | 'learnFor'> {
  /** of so many signals */
  learnFor(signals: number): LearnFor
  readonly judgeOnlyIn: readonly string[]
  readonly settleMs: number
  readonly saveEveryMs: number
}

/** At 1, a few rows of a hundred are out though nothing is wrong: good for a score, too many for people. */
const CAUTION: Readonly<Record<string, number>> = { low: 1.7, normal: 1.4, high: 1 }
/** Of `learnUnit`; rows have no time. */
const LEARN_MS: Readonly<Record<string, number>> = { rows: 0, minutes: 60_000, hours: 3_600_000 }
const LEARN_ROWS_LEAST = 20
const YEAR_S = 31_622_400

/** The settings behind the fields. Throws TAKT_CONFIG_INVALID that names the field. */
export function readSettings(fields: GroupFields, where: string): GroupSettings {
  const { number, choice, words } = readFields(where)
  const caution = choice(fields.sensitivity, 'sensitivity', 'normal', CAUTION)
  const states = words(fields.judgeOnlyIn, 'state', [...PACKML_STATE_NAMES])
  const learnUnit = fields.learnUnit || 'rows'
  const learnMs = choice(learnUnit, 'unit of learn for', 'rows', LEARN_MS)
  const given = isGiven(fields.learnFor)
  const learn = number(fields.learnFor, `learn for (${learnUnit})`, 0, !given ? 0 : learnMs === 0 ? LEARN_ROWS_LEAST : 0.1, 1_000_000)
  return {
    caution,
    learnFor: (signals) =>
      !given ? { rows: learnRowsOf(signals), ms: 0 } : learnMs === 0 ? { rows: Math.round(learn), ms: 0 } : learnMsOf(signals, learn * learnMs),
    everyMs: number(fields.every, 'a row every', 0, 0, 86_400) * 1000,
    holdMs: number(fields.hold, 'held for', 60, 0, YEAR_S) * 1000,
    latch: {
      holdOffMs: number(fields.holdOff, 'hold-off', 0, 0, YEAR_S) * 1000,
      clearAfterMs: number(fields.clearAfter, 'clear after', 60, 0, YEAR_S) * 1000,
      persistMs: number(fields.escalateAfter, 'more severe after', 30, 0, 527_040) * 60_000,
    },
    judgeOnlyIn: states.length > 0 ? states : ['Execute'],
    settleMs: number(fields.settle, 'settling time', 0, 0, 86_400) * 1000,
    saveEveryMs: number(fields.saveEvery, 'saved every', 60, 1, 86_400) * 1000,
  }
}

/** Equipment and topics of the signals, as the plant model knows them. Throws TAKT_EQUIPMENT_UNKNOWN, TAKT_SIGNAL_UNKNOWN or TAKT_CONFIG_INVALID. */
export function readGroup(fields: GroupFields, plant: Plant, where: string): Pick<GroupWatchSetting, 'equipment' | 'topics'> {
  const equipment = (fields.equipment ?? '').trim().replace(/\/+$/, '')
  if (equipment === '') throw new TaktError('TAKT_CONFIG_INVALID', { what: 'no equipment is named', where })
  if (plant.equipment(equipment) === undefined)
    throw new TaktError('TAKT_EQUIPMENT_UNKNOWN', { what: `equipment '${equipment}' is not in the plant model`, where })
  const named = listOf(fields.signals)
  const names = named.length > 0 ? named : plant.signalsOf(equipment).flatMap(({ name, role }) => (role === 'condition' ? name : []))
  const topics = [...new Set(names.map((name) => (name.includes('/') ? name : `${equipment}/${name}`)))]
  for (const topic of topics)
    if (plant.signal(topic) === undefined) throw new TaktError('TAKT_SIGNAL_UNKNOWN', { what: `signal '${topic}' is not in the plant model`, where })
  if (topics.length < 2 || topics.length > GROUP_SIZE_MOST)
    throw new TaktError('TAKT_CONFIG_INVALID', {
      what: `the group has ${topics.length} signal${topics.length === 1 ? '' : 's'} where 2 to ${GROUP_SIZE_MOST} are taken`,
      where,
    })
  return { equipment, topics }
}
