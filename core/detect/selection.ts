import type { Plant } from '../plant/plant.ts'
import type { AlarmLimits } from './methods.ts'

/** Which signals are watched: roles of the plant model (`all`: any), and patterns of topics with `*` for any characters (none: any). */
export interface SelectionSetting {
  readonly roles: readonly string[]
  readonly patterns: readonly string[]
}

/** Says of a signal whether it is watched, and by which alarm limits of its own. Without a plant there are no roles: patterns alone decide. */
export function selection(
  { roles, patterns }: SelectionSetting,
  plant: (() => Plant) | undefined,
): (equipment: string, signal: string) => { readonly alarm?: AlarmLimits | undefined } | undefined {
  const expressions = patterns.map((pattern) => new RegExp(`^${pattern.split('*').map(literal).join('.*')}$`))
  return (equipment, signal) => {
    const topic = `${equipment}/${signal}`
    if (expressions.length > 0 && !expressions.some((expression) => expression.test(topic))) return undefined
    if (plant === undefined) return {}
    const bound = plant().signal(topic)
    if (bound === undefined) return roles.includes('all') ? {} : undefined
    if (!roles.includes('all') && !roles.includes(bound.signal.role ?? 'other')) return undefined
    return { alarm: bound.signal.alarm as AlarmLimits | undefined }
  }
}

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
