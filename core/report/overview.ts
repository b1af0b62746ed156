import type { Disposition } from '../messages/lot.ts'
import type { MachineState, TimeElement } from '../messages/machine-state.ts'
import type { QualityDecision } from '../messages/quality-result.ts'
import type { WorkOrder } from '../messages/work-order.ts'

/**
 * The plant at one moment, for dashboards: everything is resolved (names, products, texts), so that a page only draws it.
 * The content of a report of type `overview`; `overview-source.ts` makes it. Times are epoch ms of plant time, durations ms, shares 0..1.
 * Every list is capped, the most pressing first.
 */
export interface Overview {
  /** Name of the plant for people, else the last part of its path. */
  readonly plant: string
  readonly timeZone: string
  /** Plant time of the snapshot. */
  readonly now: number
  /** Plant milliseconds per real millisecond: 60 at sixty-fold speed. */
  readonly rate: number
  readonly ledger: { readonly head: number; readonly hash: string }
  /** Every work unit in the order of the plant model. */
  readonly units: readonly OverviewUnit[]
  /** Open orders by due time, then the latest finished ones. */
  readonly orders: readonly OverviewOrder[]
  readonly totals: OverviewTotals
  /** null before the first plan. */
  readonly plan: OverviewPlan | null
  /** Anomalies that stand, worst first. */
  readonly anomalies: readonly OverviewAnomaly[]
  /** Alarms that people may judge, newest first: those that stand, and the last that have cleared. */
  readonly alarms: readonly OverviewAlarm[]
  /** How good the alarms of each detector were lately; some seconds old at most. */
  readonly scorecard: OverviewScorecard
  /** Those that wait for a person first, then the newest. */
  readonly disruptions: readonly OverviewDisruption[]
  readonly kpis: OverviewKpis
  readonly quality: OverviewQuality
  /** What happened lately as sentences, newest first. */
  readonly events: readonly OverviewEvent[]
}

/** What a unit's lamp shows. `closed`: outside its shifts and not running. */
export type Lamp = 'running' | 'setup' | 'idle' | 'waiting' | 'down' | 'maintenance' | 'closed' | 'no-signal'

export interface OverviewUnit {
  readonly id: string
  /** `mill-2` */
  readonly name: string
  /** First class of the unit, `mill`; null without one. */
  readonly class: string | null
  /** PackML state; `NoSignal` also when nothing was ever seen of it. */
  readonly state: MachineState['state']
  readonly mode: MachineState['mode']
  /** ISO 22400 time element of the present state; null while unknown. */
  readonly element: TimeElement | null
  readonly lamp: Lamp
  /** Since when it is in this state; null when nothing was ever seen. */
  readonly since: number | null
  readonly reason: string | null
  /** The job order that the machine names. Kept by a Complete unit until the next command. */
  readonly jobOrder: string | null
  readonly workOrder: string | null
  /** Name of the product; null for maintenance or without a job. */
  readonly product: string | null
  readonly operation: string | null
  /** Parts wanted, and made for this job order so far. */
  readonly quantity: number | null
  readonly good: number
  readonly scrap: number
  /** (good + scrap) / quantity, 0..1; null without a job. */
  readonly progress: number | null
  /** After a repair: its return is checked, it is on trial, or the trial has failed; null: back to full work. */
  readonly service: 'check' | 'trial' | 'failed' | null
  /** The worst anomaly that stands on the unit. */
  readonly alarm: OverviewAnomaly | null
  /** Next assignment of the plan that has not begun. */
  readonly next: {
    readonly jobOrder: string
    readonly workOrder: string
    /** Product, or `maintenance`. */
    readonly product: string
    readonly start: number
    readonly maintenance: boolean
  } | null
}

export interface OverviewOrder {
  readonly id: string
  readonly type: WorkOrder['type']
  /** Name of the product; for maintenance the unit's name. */
  readonly product: string
  readonly quantity: number
  readonly unit: string
  /** Good parts of its last operation, scrap of all. */
  readonly good: number
  readonly scrap: number
  /** Share of its work that is done, 0..1, over all its operations. */
  readonly progress: number
  readonly state: WorkOrder['state']
  readonly priority: number
  readonly due: number | null
  /** End of its last assignment in the plan; of a finished order when it was finished; null while unplanned. */
  readonly expectedEnd: number | null
  /** expectedEnd - due: above 0 is late; null where either is unknown. */
  readonly lateMs: number | null
  readonly late: boolean
  /** What will probably come of it; null when it is not planned to its end, finished, or no outlook is there. */
  readonly outlook: {
    /** Probability of being finished by the due time, 0..1; null without one. */
    readonly onTime: number | null
    /** Finished before with 10, 50, 90 % probability; null beyond the calendars. */
    readonly p10: number | null
    readonly p50: number | null
    readonly p90: number | null
    /** `prior`: of these machines too little was seen yet. */
    readonly basis: 'history' | 'prior'
  } | null
  readonly lot: string | null
  readonly disposition: Disposition | null
  /** Why a lot is held, why there is a maintenance or rework order. */
  readonly reason: string | null
  /** Its job orders in order. */
  readonly steps: readonly OverviewStep[]
  /** Of itself, its lots, job orders and procedures, first given first. */
  readonly signatures: readonly OverviewSignature[]
}

/** What 21 CFR 11.50 asks to be shown of a signature, and whether it holds. */
export interface OverviewSignature {
  readonly record: string
  readonly meaning: string
  /** Printed name. */
  readonly name: string
  /** ISO 8601 with the plant's offset. */
  readonly at: string
  readonly state: 'signed' | 'changed' | 'broken'
}

export interface OverviewStep {
  readonly jobOrder: string
  readonly operation: string
  /** `waiting | ready | running | interrupted | done | aborted` */
  readonly status: 'waiting' | 'ready' | 'running' | 'interrupted' | 'done' | 'aborted'
  /** Name of the unit planned or running it. */
  readonly unit: string | null
}

export interface OverviewTotals {
  readonly open: number
  readonly running: number
  readonly late: number
  readonly held: number
  /** Finished in the KPI span. */
  readonly finished: number
  /** Parts of every operation counted in the KPI span. */
  readonly good: number
  readonly scrap: number
}

/** A bar of the Gantt chart: done ones with their actual times, running and planned ones as the plan has them. */
export interface OverviewBar {
  readonly jobOrder: string
  readonly workOrder: string
  readonly operation: string
  /** Product, or `maintenance`. */
  readonly product: string
  readonly equipment: string
  readonly unit: string
  readonly start: number
  readonly end: number
  readonly setupMs: number
  readonly status: 'done' | 'running' | 'planned'
  readonly maintenance: boolean
  /** Its work order ends after its due time. */
  readonly late: boolean
  /** The bar stands elsewhere, or at another time, than in the version before. */
  readonly moved: boolean
}

export interface OverviewChange {
  readonly jobOrder: string
  /** One sentence: `WO-118 20-mill from mill-2 to mill-1, 09:10 instead of 10:05`. */
  readonly text: string
  /** Id of what made it necessary, or a word for it. */
  readonly because: string
  /** Another unit, or the same at another time. */
  readonly moved: 'unit' | 'time' | 'new' | 'gone'
  /** Where the bar was, to draw it as a ghost; null for a new one. */
  readonly from: OverviewPlace | null
  readonly to: OverviewPlace | null
}

export interface OverviewPlace {
  readonly equipment: string
  readonly unit: string
  readonly start: number
  readonly end: number
}

export interface OverviewPlan {
  readonly version: number
  /** When it was made. */
  readonly made: number
  /** What it was made for, as words: `disruption dis-77`. */
  readonly trigger: string
  readonly tardinessMs: number
  readonly makespanMs: number
  readonly setups: number
  readonly moved: number
  /** Tardiness if nothing had been replanned, ms; null where it was not asked. */
  readonly doNothingTardinessMs: number | null
  /** What it makes late or saves against the plan before and against doing nothing, as a sentence; null for plans of before that was told. */
  readonly effect: string | null
  /** Span that the bars cover. */
  readonly from: number
  readonly to: number
  readonly bars: readonly OverviewBar[]
  /** Times within the span in which a unit is closed by its calendar. */
  readonly closed: readonly { readonly equipment: string; readonly from: number; readonly to: number }[]
  /** Against the version before; another unit first. */
  readonly changes: readonly OverviewChange[]
  readonly problems: readonly { readonly workOrder: string | null; readonly code: string; readonly why: string }[]
}

export interface OverviewAnomaly {
  readonly id: string
  readonly equipment: string
  readonly unit: string
  readonly signals: readonly string[]
  readonly severity: 'low' | 'medium' | 'high'
  readonly score: number
  readonly since: number
  /** `spindle.vibration 5.9 against 2.2–4.0 expected` */
  readonly text: string
}

export interface OverviewAlarm extends OverviewAnomaly {
  /** Name of the detector; null where the alarm does not say. */
  readonly detector: string | null
  readonly cleared: number | null
  /** What people said last. */
  readonly verdict: { readonly decision: 'confirmed' | 'refused'; readonly by: string } | null
}

/** What counts as what: docs/scorecard.md. */
export interface OverviewScorecard {
  readonly from: number
  readonly to: number
  readonly detectors: readonly OverviewDetector[]
}

/** Times in ms; a ratio without a denominator is null. */
export interface OverviewDetector {
  readonly id: string
  readonly name: string
  readonly method: string
  /** Since when it is scored: the scorecard's beginning, or its own. */
  readonly from: number
  readonly alarms: number
  readonly confirmed: number
  readonly refused: number
  readonly undecided: number
  /** Those of the undecided whose unit was repaired first, and how long after. */
  readonly repaired: number
  readonly beforeRepairMs: number | null
  readonly precision: number | null
  readonly stops: number
  readonly foreseen: number
  readonly recall: number | null
  readonly leadMs: number | null
  readonly falsePerWeek: number | null
}

export interface OverviewDisruption {
  readonly id: string
  readonly equipment: string
  readonly unit: string
  readonly action: 'maintain-before' | 'repair-now' | 'block'
  readonly status: 'proposed' | 'accepted' | 'refused' | 'acted' | 'withdrawn'
  /** A person has to say yes or no: status proposed and autonomy approve. */
  readonly awaiting: boolean
  readonly autonomy: 'shadow' | 'approve' | 'auto'
  readonly why: string
  readonly deadline: number | null
  readonly maintenanceOrder: string | null
  readonly decidedBy: string | null
  readonly time: number
}

/** ISO 22400-2 by name; null where the denominator is zero. */
export interface OverviewKpi {
  readonly scope: string
  readonly name: string
  readonly oee: number | null
  readonly availability: number | null
  readonly effectiveness: number | null
  readonly qualityRatio: number | null
  readonly utilization: number | null
  readonly good: number
  readonly scrap: number
  /** Time elements in ms: APT, AUST, ADET, ADOT, PDOT, PBT and so on. */
  readonly elements: Readonly<Record<string, number>>
}

export interface OverviewKpis {
  /** The shift that runs, or the last eight hours. */
  readonly shift: string | null
  readonly from: number
  readonly to: number
  /** All units together. */
  readonly line: OverviewKpi
  readonly units: readonly OverviewKpi[]
}

export interface OverviewQuality {
  /** Lots that are held now. */
  readonly holds: readonly {
    readonly lot: string
    readonly workOrder: string | null
    readonly product: string
    readonly reason: string
    /** When it was held. */
    readonly since: number | null
    /** Open rework order of the lot. */
    readonly rework: string | null
  }[]
  /** Newest first. */
  readonly results: readonly {
    readonly id: string
    readonly lot: string | null
    readonly jobOrder: string | null
    readonly unit: string | null
    readonly characteristic: string
    /** `40.07 mm` */
    readonly value: string
    /** `39.95–40.05 mm` */
    readonly limits: string
    readonly decision: QualityDecision
    readonly time: number
  }[]
}

export interface OverviewEvent {
  readonly sequence: number
  readonly time: number
  readonly type: string
  /** One sentence for people. */
  readonly text: string
  readonly tone: 'info' | 'good' | 'warning' | 'bad'
  readonly actor: string
}
