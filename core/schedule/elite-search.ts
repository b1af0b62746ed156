import type { Random } from '../base/random.ts'
import { buildByRule, DISPATCH_RULES } from './dispatch-rules.ts'
import type { Progress } from './progress.ts'
import { between, type Snapshot, snapshotOf } from './snapshot.ts'
import { TabuSearch } from './tabu-search.ts'
import type { Timetable } from './timetable.ts'

const ELITE = 8
/** Iterations without anything better that end a search: fewer where many goals pull, because there the next place matters more than the last step. */
const PATIENCE = 600
const PATIENCE_OF_MANY = 400
/** How far from the best, towards a shaken dispatch rule, the first searches start. */
const ASIDE = 0.4
/** So many searches in a row that found nothing to move: there is nothing to search. */
const FRUITLESS = 3
/** So many searches in a row, and this share of all that is given, without anything better: more will hardly come of it. */
const VAIN = 3
const VAIN_SHARE = 0.1
/** The same where nothing better than the start was found at all: of most events the plan in force has the best answer. */
const VAIN_FROM_START = 2

export interface EliteOptions {
  /** Ends early when the whole elite costs the same, a sign in sums of many terms that all have found the same place. */
  readonly settles: boolean
  /** Ends early when search after search finds nothing better: in small problems, long before time is up. */
  readonly mayEndEarly: boolean
}

/**
 * Tabu searches from many places, the table's own first. The next ones start aside from the best, towards dispatch rules; what they find makes an elite, and later searches start
 * between two of it (path relinking, after Peng, Lü & Cheng 2015). Returns the best; the table is left somewhere.
 */
export function searchByElite(table: Timetable, random: Random, progress: Progress, { settles, mayEndEarly }: EliteOptions): Snapshot {
  const search = new TabuSearch(table, random)
  const elite: Snapshot[] = []
  let fruitless = 0
  const started = table.cost
  let lowest = started
  let vain = 0
  let vainSince = 0
  for (;;) {
    if (elite.length > 0) startAnew(table, elite, random)
    const found = search.run(settles ? PATIENCE_OF_MANY : PATIENCE, progress)
    take(elite, found)
    fruitless = search.moved ? 0 : fruitless + 1
    const used = progress()
    if (found.cost < lowest && !isSame(found.cost, lowest)) {
      lowest = found.cost
      vain = 0
      vainSince = used
    } else vain++
    if (used >= 1 || fruitless >= FRUITLESS || (settles && hasSettled(elite))) break
    const enough = lowest === started ? vain >= VAIN_FROM_START : vain >= VAIN && used - vainSince >= VAIN_SHARE
    if (mayEndEarly && enough) break
  }
  return elite.reduce((best, other) => (other.cost < best.cost ? other : best))
}

function startAnew(table: Timetable, elite: readonly Snapshot[], random: Random): void {
  if (elite.length < ELITE) {
    const rule = DISPATCH_RULES[Math.floor(random() * DISPATCH_RULES.length)] ?? 'most-work'
    const built = buildByRule(table.model, rule, random, 0.5)
    table.load(built.sequence, built.alternative)
    const one = elite.reduce((best, other) => (other.cost < best.cost ? other : best))
    between(table, one, snapshotOf(table), ASIDE * (0.5 + random()), random)
    return
  }
  const one = Math.floor(random() * elite.length)
  const other = (one + 1 + Math.floor(random() * (elite.length - 1))) % elite.length
  between(table, elite[one] as Snapshot, elite[other] as Snapshot, 0.3 + 0.4 * random(), random)
}

/** Into the elite; when it is full, in place of one of the same cost, which keeps it fresh, or of the worst. */
function take(elite: Snapshot[], found: Snapshot): void {
  if (elite.length < ELITE) {
    elite.push(found)
    return
  }
  const same = elite.findIndex((member) => isSame(member.cost, found.cost))
  const worst = elite.reduce((index, member, at) => (member.cost > (elite[index] as Snapshot).cost ? at : index), 0)
  const place = same >= 0 ? same : worst
  if (found.cost <= (elite[place] as Snapshot).cost + TINY) elite[place] = found
}

function hasSettled(elite: readonly Snapshot[]): boolean {
  return elite.length === ELITE && elite.every((member) => isSame(member.cost, elite[0]?.cost ?? 0))
}

const TINY = 1e-9

function isSame(a: number, b: number): boolean {
  return Math.abs(a - b) <= TINY * Math.max(1, Math.abs(a))
}
