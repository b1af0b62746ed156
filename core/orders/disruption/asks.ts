import type { Disruption } from '../../messages/disruption.ts'
import type { Plant } from '../../plant/plant.ts'
import { clockText } from './why.ts'

/** Who asks for a repair, an anomaly, a prognosis or a repair that did not help, by when, and the sentence about what was seen. A disruption has at most one of each. */
export type Ask = NonNullable<Disruption['asks']>[number]
export type AskedBy = 'anomaly' | 'prognosis' | 'repair'

/** A deadline has moved when it did so by this share of the time that was left until it … */
const MOVED_SHARE = 0.25
/** … and of this share of the time that repairs are planned ahead: near its end a prognosis trembles by minutes. */
const MOVED_LEAST = 0.2

/** What asks for a disruption; an older record says only its cause. */
export function asksOf({ asks, cause: { anomaly, prognosis }, deadline, time, why }: Disruption): readonly Ask[] {
  if (asks !== undefined) return asks
  const by = { ...(anomaly === undefined ? {} : { anomaly }), ...(prognosis === undefined ? {} : { prognosis }) }
  return Object.keys(by).length === 0 ? [] : [{ ...by, deadline: deadline ?? time, why }]
}

/** One repair for all that asks for it: the earliest deadline, and a sentence that names them all. */
export function together(asks: readonly Ask[], equipment: string, now: number, plant: Plant): Pick<Disruption, 'cause' | 'deadline' | 'why'> {
  const deadline = Math.min(...asks.map((ask) => ask.deadline))
  const cause = Object.assign(
    {},
    ...asks.map(({ anomaly, prognosis, repair }) => ({ ...(anomaly && { anomaly }), ...(prognosis && { prognosis }), ...(repair && { repair }) })),
  ) as Disruption['cause']
  const seen = asks.map(({ why }) => why).join('; ')
  return { cause, deadline, why: `${seen}: repair ${plant.nameOf(equipment)} before ${clockText(deadline, now, plant)}` }
}

/**
 * The asks with a new one; undefined when it changes nothing. Of anomalies the most urgent counts: they only grow worse. A prognosis may also move away; but not for every tremble: a plan
 * that changes with each value is of no use to anybody.
 */
export function withAsk(asks: readonly Ask[], by: AskedBy, ask: Ask, now: number, horizonMs: number): readonly Ask[] | undefined {
  const own = asks.find((other) => other[by] !== undefined)
  if (own === undefined) return [...asks, ask]
  const isSame = own[by] === ask[by]
  const replaced = (next: Ask): readonly Ask[] => asks.map((other) => (other === own ? next : other))
  if (by !== 'prognosis') return ask.deadline < own.deadline ? replaced({ ...ask, [by]: own[by] ?? '' }) : undefined
  const moved = Math.abs(ask.deadline - own.deadline) > MOVED_SHARE * Math.max(own.deadline - now, MOVED_LEAST * horizonMs)
  return moved && (isSame || ask.deadline < own.deadline) ? replaced(ask) : undefined
}
