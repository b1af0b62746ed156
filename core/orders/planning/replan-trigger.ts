import type { Anomaly } from '../../messages/anomaly.ts'
import type { MachineState } from '../../messages/machine-state.ts'
import type { LedgerEvent } from '../../store/store.ts'
import type { PlanTrigger } from './to-plan.ts'

/** Events after which the plan in force may be wrong. */
const RELEVANT: ReadonlySet<string> = new Set([
  'work-order.created',
  'work-order.released',
  'work-order.updated',
  'work-order.held',
  'work-order.resumed',
  'work-order.completed',
  'work-order.closed',
  'work-order.canceled',
  'work-order.awaiting-check',
  'work-order.on-trial',
  'work-order.in-service',
  'work-order.trial-failed',
  'job-order.created',
  'job-order.running',
  'job-order.interrupted',
  'job-order.completed',
  'job-order.closed',
  'job-order.aborted',
  'job-order.revoked',
  'job-order.material',
  'disruption.accepted',
  'disruption.acted',
  'disruption.withdrawn',
  'lot.held',
  'lot.released',
  'lot.scrapped',
])

/** What a store event asks of the scheduler; null when it changes nothing for the plan. Its own writings do not count. */
export function triggerOf(event: LedgerEvent, self: string): PlanTrigger | null {
  if (event.actor === self) return null
  if (event.type === 'machine-state.changed') {
    const was = (event.before as MachineState | null)?.state
    const is = (event.after as MachineState | null)?.state
    // only the way into a failure and out of it: the rest shows in the job orders
    return was !== is && (was === 'Aborted' || is === 'Aborted') ? { type: event.type, id: event.subject } : null
  }
  // what may fail becomes dearer; a slight anomaly is not worth a plan
  if (event.type === 'anomaly.raised') return (event.after as Anomaly | null)?.severity === 'low' ? null : { type: event.type, id: event.subject }
  return RELEVANT.has(event.type) ? { type: event.type, id: event.subject } : null
}

/** The type of the trigger of a plan that nobody asked for: it is better than the one in force. */
export const IMPROVEMENT = 'improvement'

/** The weightiest of several triggers that one plan answers: what a person would name as the reason. */
export function weightier(a: PlanTrigger, b: PlanTrigger): PlanTrigger {
  return weight(b) > weight(a) ? b : a
}

function weight({ type }: PlanTrigger): number {
  if (type.startsWith('disruption.')) return 4
  if (type === 'machine-state.changed') return 3
  if (type.startsWith('work-order.') || type === 'pin' || type === 'unpin' || type === 'what-if' || type === 'message') return 2
  return 1
}
