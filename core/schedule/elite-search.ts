import type { Random } from '../base/random.ts'
import { buildByRule, DISPATCH_RULES } from './dispatch-rules.ts'
import type { Progress } from './progress.ts'
import { between, restore, type Snapshot, snapshotOf } from './snapshot.ts'
import { TabuSearch } from './tabu-search.ts'
import type { Timetable } from './timetable.ts'

const ELITE = 8

/**
 * Tabu searches from many places. The first ones start from dispatch rules; what they find makes an elite, and later searches start
 * between two of it (path relinking, after Peng, Lü & Cheng 2015). Returns the best; the table is left somewhere.
 */
export function searchByElite(table: Timetable, random: Random, progress: Progress): Snapshot {
  const search = new TabuSearch(table, random)
  const patience = 1500
  const elite: Snapshot[] = [search.run(patience, progress)]
  while (progress() < 1) {
    if (elite.length < ELITE) {
      const rule = DISPATCH_RULES[Math.floor(random() * DISPATCH_RULES.length)] ?? 'most-work'
      const built = buildByRule(table.model, rule, random, 0.5)
      table.load(built.sequence, built.alternative)
    } else {
      const one = Math.floor(random() * elite.length)
      const other = (one + 1 + Math.floor(random() * (elite.length - 1))) % elite.length
      between(table, elite[one] as Snapshot, elite[other] as Snapshot, 0.3 + 0.4 * random(), random)
    }
    take(elite, search.run(patience, progress))
  }
  const best = elite.reduce((a, b) => (b.cost < a.cost ? b : a))
  restore(table, best)
  return snapshotOf(table)
}

/** Into the elite, in place of the worst when it is full; not when one of the same cost is there. */
function take(elite: Snapshot[], found: Snapshot): void {
  if (elite.length < ELITE) {
    elite.push(found)
    return
  }
  if (elite.some((member) => Math.abs(member.cost - found.cost) < 1e-9)) {
    // a newer one of the same cost keeps the elite from growing stale
    const same = elite.findIndex((member) => Math.abs(member.cost - found.cost) < 1e-9)
    elite[same] = found
    return
  }
  let worst = 0
  for (let at = 1; at < elite.length; at++) if ((elite[at] as Snapshot).cost > (elite[worst] as Snapshot).cost) worst = at
  if (found.cost < (elite[worst] as Snapshot).cost) elite[worst] = found
}
