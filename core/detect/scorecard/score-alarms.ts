export interface PastAlarm {
  readonly id: string
  readonly equipment: string
  /** epoch ms, as all times here */
  readonly since: number
  /** null: it stands */
  readonly cleared: number | null
  readonly verdict?: 'confirmed' | 'refused' | undefined
}

export interface PastStop {
  readonly equipment: string
  readonly at: number
  /** the unit failed, or a repair of it began */
  readonly kind: 'failure' | 'repair'
}

export interface ScoreOptions {
  /** Alarms that began, and stops that happened, from here … */
  readonly from: number
  /** … to before here count. */
  readonly to: number
  /** An alarm speaks of what happens within so long after it began, and as long as it stands, ms. */
  readonly horizonMs: number
  /** Until when alarms and stops are known; absent: `to`. What came after the span decides about alarms within it. */
  readonly knownTo?: number | undefined
}

export interface Spread {
  readonly median: number
  readonly least: number
  readonly most: number
}

/** How good alarms were. `alarms` = `confirmed` + `refused` + `undecided`; a ratio without a denominator is null. */
export interface AlarmScore {
  readonly alarms: number
  /** right: a person said so, or the unit failed */
  readonly confirmed: number
  /** false: a person said so, or nothing came of it */
  readonly refused: number
  /** nobody has said and nothing has happened yet, or the unit was repaired before it could */
  readonly undecided: number
  /** those of the undecided whose unit was repaired first, and from the alarm to the repair */
  readonly repaired: number
  readonly beforeRepairMs: Spread | null
  /** confirmed of those decided */
  readonly precision: number | null
  /** failures, and failures that a repair averted after a confirmed alarm */
  readonly stops: number
  readonly foreseen: number
  /** foreseen of the stops */
  readonly recall: number | null
  /** from the earliest alarm that foresaw a stop to the failure or the start of the repair */
  readonly leadMs: Spread | null
  /** false alarms in a week at the pace of the span */
  readonly falsePerWeek: number | null
}

const WEEK_MS = 7 * 86_400_000

/** Scores the alarms of one detector against what became of the units that it watches. `docs/scorecard.md` says what counts as what. */
export function scoreAlarms(alarms: readonly PastAlarm[], stops: readonly PastStop[], options: ScoreOptions): AlarmScore {
  const { from, to } = options
  const pasts = pastsOf(alarms, stops)
  const counts = { confirmed: 0, refused: 0, undecided: 0 }
  const beforeRepair: number[] = []
  for (const past of pasts.values()) {
    for (const alarm of past.alarms) {
      if (alarm.since < from || alarm.since >= to) continue
      const { fate, repaired } = fateOf(alarm, past.stops, options)
      counts[fate]++
      if (repaired !== undefined) beforeRepair.push(repaired - alarm.since)
    }
  }
  const { confirmed, refused, undecided } = counts
  const { happened, leads } = foresight(pasts, options)
  return {
    alarms: confirmed + refused + undecided,
    confirmed,
    refused,
    undecided,
    repaired: beforeRepair.length,
    beforeRepairMs: spread(beforeRepair),
    precision: ratio(confirmed, confirmed + refused),
    stops: happened,
    foreseen: leads.length,
    recall: ratio(leads.length, happened),
    leadMs: spread(leads),
    falsePerWeek: to > from ? (refused * WEEK_MS) / (to - from) : null,
  }
}

interface UnitPast {
  /** by `since` */
  readonly alarms: PastAlarm[]
  /** by `at` */
  readonly stops: PastStop[]
}

function pastsOf(alarms: readonly PastAlarm[], stops: readonly PastStop[]): ReadonlyMap<string, UnitPast> {
  const pasts = new Map<string, UnitPast>()
  const pastOf = (equipment: string): UnitPast => {
    const past = pasts.get(equipment) ?? { alarms: [], stops: [] }
    pasts.set(equipment, past)
    return past
  }
  for (const alarm of alarms) pastOf(alarm.equipment).alarms.push(alarm)
  for (const stop of stops) pastOf(stop.equipment).stops.push(stop)
  for (const past of pasts.values()) {
    past.alarms.sort((a, b) => a.since - b.since)
    past.stops.sort((a, b) => a.at - b.at)
  }
  return pasts
}

interface Fate {
  readonly fate: 'confirmed' | 'refused' | 'undecided'
  /** when the repair began that came before anything else */
  readonly repaired?: number
}

/** What a person said; else what came first after it, within its reach. */
function fateOf(alarm: PastAlarm, stops: readonly PastStop[], options: ScoreOptions): Fate {
  const { horizonMs, to, knownTo = to } = options
  if (alarm.verdict !== undefined) return { fate: alarm.verdict }
  const first = stops.find(({ at }) => at > alarm.since)
  if (first !== undefined && first.at <= knownTo && reaches(alarm, first.at, horizonMs))
    return first.kind === 'failure' ? { fate: 'confirmed' } : { fate: 'undecided', repaired: first.at }
  const over = alarm.cleared !== null && Math.max(alarm.cleared, alarm.since + horizonMs) < knownTo
  return { fate: over ? 'refused' : 'undecided' }
}

/** Stops of the span that could have been foreseen, and for each that was how long before, ms. */
function foresight(
  pasts: ReadonlyMap<string, UnitPast>,
  { from, to, horizonMs }: ScoreOptions,
): { readonly happened: number; readonly leads: readonly number[] } {
  let happened = 0
  const leads: number[] = []
  for (const { alarms, stops } of pasts.values()) {
    // what an alarm said before a repair has nothing to do with what came after it
    let repaired = Number.NEGATIVE_INFINITY
    let failed = Number.NEGATIVE_INFINITY
    for (const { at, kind } of stops) {
      const counts = at >= from && at < to
      // a repair is a failure averted where an alarm that was right came before it; the repair of a failure is not one more
      const speaks = ({ since, verdict }: PastAlarm): boolean =>
        since >= repaired && (kind === 'failure' ? verdict !== 'refused' : verdict === 'confirmed' && since >= failed)
      const earliest = counts ? alarms.find((alarm) => speaks(alarm) && reaches(alarm, at, horizonMs)) : undefined
      if (counts && (kind === 'failure' || earliest !== undefined)) {
        happened++
        if (earliest !== undefined) leads.push(at - earliest.since)
      }
      if (kind === 'repair') repaired = at
      else failed = at
    }
  }
  return { happened, leads }
}

function reaches({ since, cleared }: PastAlarm, at: number, horizonMs: number): boolean {
  return since < at && (at - since <= horizonMs || cleared === null || cleared >= at)
}

function ratio(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole
}

function spread(values: readonly number[]): Spread | null {
  const sorted = values.toSorted((a, b) => a - b)
  const [least] = sorted
  const most = sorted.at(-1)
  const low = sorted[(sorted.length - 1) >> 1]
  const high = sorted[sorted.length >> 1]
  if (least === undefined || most === undefined || low === undefined || high === undefined) return null
  return { median: (low + high) / 2, least, most }
}
