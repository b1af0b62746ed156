import type { Store, StoreReader } from '../../store/store.ts'

/** What will probably come of the plan in force. Topic `plan/outlook`; the latest one is kept in the store. Times are epoch ms, probabilities 0..1. */
export interface PlanOutlook {
  readonly kind: 'plan-outlook'
  /** Version of the plan. */
  readonly plan: number
  /** Plant time of the facts. */
  readonly now: number
  /** Failures are told of until then: the end of the plan, at most a week. */
  readonly horizon: number
  /** How often the plan was lived through. */
  readonly runs: number
  /** `prior`: too little was seen of these machines; it rests on what is usual. */
  readonly basis: 'history' | 'prior'
  readonly seen: { readonly jobs: number; readonly failures: number; readonly operatingMs: number }
  /** Orders that are planned to their end, without maintenance. */
  readonly orders: readonly OrderOutlook[]
  readonly units: readonly UnitOutlook[]
  /** Expected Σ weight × ms late. */
  readonly weightedTardinessMs: number
}

export interface OrderOutlook {
  readonly workOrder: string
  readonly due: number | null
  /** Probability of being finished by the due time; null without one. */
  readonly onTime: number | null
  /** Finished before with 10, 50, 90 % probability; null: not within the calendars' horizon. */
  readonly p10: number | null
  readonly p50: number | null
  readonly p90: number | null
}

export interface UnitOutlook {
  readonly equipment: string
  /** Probability that it fails at least once until the horizon, loaded as the plan has it. */
  readonly failure: number
}

/** Where the store keeps the latest one: there is one plan in force, whoever made it. */
const PLACE = ['plan', 'outlook'] as const

export function saveOutlook(store: Pick<Store, 'saveState'>, outlook: PlanOutlook): Promise<void> {
  return store.saveState(...PLACE, outlook)
}

/** The latest outlook; undefined before the first. What something else wrote there counts as none. */
export async function loadOutlook(store: Pick<Store, 'loadState'>): Promise<PlanOutlook | undefined> {
  const state = (await store.loadState(...PLACE)) as PlanOutlook | null | undefined
  return state?.kind === 'plan-outlook' && Array.isArray(state.orders) && Array.isArray(state.units) ? state : undefined
}

/** What stands against units: repairs that are asked for, and anomalies. */
export async function readStanding(reader: StoreReader) {
  const [disruptions, anomalies] = await Promise.all([
    reader.list('disruption', {
      where: { status: ['proposed', 'accepted', 'acted'], action: 'maintain-before' },
      orderBy: 'time',
      descending: true,
      limit: 200,
    }),
    reader.list('anomaly', { where: { state: ['raised', 'updated'] }, orderBy: 'since', descending: true, limit: 200 }),
  ])
  return { disruptions, anomalies }
}
