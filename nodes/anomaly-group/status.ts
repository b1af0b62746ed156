import type { TaktError } from '../../core/base/error.ts'
import type { GroupWatch } from '../../core/detect/group/group-watch.ts'

/** Grey while it learns, red with an alarm or where the plant model lacks its signals. */
export function statusOf(
  watch: GroupWatch,
  signals: number,
  bad: number,
  trouble: TaktError | undefined,
): { fill: 'red' | 'green' | 'grey'; shape: 'dot' | 'ring'; text: string } {
  const { raised, learning, learned, asksPerson } = watch
  const say = (text: string): string => `${text}${bad > 0 ? `, ${bad} bad` : ''}`
  if (trouble !== undefined) return { fill: 'red', shape: 'ring', text: trouble.what.slice(0, 60) }
  if (raised) return { fill: 'red', shape: 'dot', text: say(asksPerson ? 'alarm for long: repair, or retrain?' : `alarm, ${signals} signals`) }
  if (learning !== '') return { fill: 'grey', shape: 'ring', text: say(`learning ${learning}, ${signals} signals`) }
  return { fill: 'green', shape: 'dot', text: say(`${signals} signals, ${learned} rows learned`) }
}
