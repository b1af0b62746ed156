import { scoreOf } from '../../core/detect/detector.ts'
import { GroupDetector } from '../../core/detect/group/group-detector.ts'

/** A scorer of rows with the group detector's own limits, the node's sensitivity `high` (its `normal` asks for 1.4 times as much before it tells people): one score in [0, 1] a row, 0.5 at the alarm threshold, 0 while it cannot judge. NaN: no value. */
export function groupScorer(columns: number): (time: number, values: readonly number[]) => number {
  const detector = new GroupDetector({ size: columns, caution: 1 })
  return (_time, values) => {
    const { deviation } = detector.update(values, false)
    return deviation === null ? 0 : scoreOf(deviation)
  }
}
