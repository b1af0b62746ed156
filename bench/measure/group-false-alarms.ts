import { GroupWatch } from '../../core/detect/group/group-watch.ts'
import { learnRowsOf } from '../../core/detect/group/ripening.ts'
import { RunningUnits } from '../../core/detect/running-units.ts'
import { groupSet } from '../support/group-sets.ts'
import type { Row } from '../support/table.ts'

const ROW_MS = 30_000
/** A week of running at a row in half a minute. */
const WEEK_ROWS = (7 * 86_400_000) / ROW_MS
/** How much of their last value signals keep from row to row: of a rig that moves quickly, and of a machine whose levels wander over hours. */
const SPEEDS = { quick: [0.3, 0.95], slow: [0.95, 0.998] } as const
const SIZES = [3, 8] as const
const SEEDS = Array.from({ length: 6 }, (_, i) => 7000 + i)

interface Quiet {
  readonly raised: number
  /** share of rows under an alarm */
  readonly standing: number
}

/** False alarms of groups that are well for a week, as shipped: at sensitivity normal, with and without the time to learn. */
export function groupFalseAlarmRows(): readonly Row[] {
  const rows: Row[] = []
  for (const [speed, memory] of Object.entries(SPEEDS))
    for (const size of SIZES) {
      const sets = SEEDS.map((seed) => groupSet({ seed, size, rows: WEEK_ROWS, from: 0, to: 0, fault: 'none', strength: 0, memory, warming: 0 }))
      const learned = weekOf(sets, size, learnRowsOf(size))
      const hasty = weekOf(sets, size, 20)
      rows.push({
        what: `group of ${size} healthy ${speed} signals, a row in 30 s: false alarms a week of running`,
        figure: learned.raised,
        unit: '',
        target: { atMost: 1 },
        note: `an alarm stands in ${percent(learned.standing)} of the time; judging after 20 rows: ${hasty.raised.toFixed(2)}, ${percent(hasty.standing)}`,
      })
    }
  return rows
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`
}

/** Means over the sets. */
function weekOf(sets: ReadonlyArray<ReturnType<typeof groupSet>>, size: number, learnRows: number): Quiet {
  let raised = 0
  let standing = 0
  for (const set of sets) {
    const names = Array.from({ length: size }, (_, i) => `s${i}`)
    const watch = new GroupWatch({
      equipment: 'unit',
      topics: names.map((name) => `unit/${name}`),
      caution: 1.4,
      learnFor: { rows: learnRows, ms: 0 },
      everyMs: 0,
      holdMs: 2 * ROW_MS,
      latch: { holdOffMs: 0, clearAfterMs: 60_000, persistMs: 1_800_000 },
      running: new RunningUnits(['Execute'], 0),
      ids: () => 'an',
    })
    for (const [at, { values }] of set.entries()) {
      const time = ROW_MS * (at + 1)
      for (const [i, signal] of names.entries()) {
        const judged = watch.take({ kind: 'sample', equipment: 'unit', signal, value: values[i] ?? 0, quality: 'good', time, received: time })
        if (judged?.anomaly?.state === 'raised') raised++
      }
      if (watch.raised) standing++
    }
  }
  return { raised: raised / sets.length, standing: standing / (sets.length * WEEK_ROWS) }
}
