import type { UnitSpan } from '../kpi/kpis.ts'
import type { MachineState } from '../messages/machine-state.ts'
import type { Plan } from '../messages/plan.ts'
import { limitIn, type Returning } from '../orders/maintenance/service.ts'
import { operationName, productOf } from './names.ts'
import type { Lamp, OverviewAnomaly, OverviewUnit } from './overview.ts'
import type { Known } from './overview-source.ts'

/** Every unit with what it does now, what is wrong with it and what comes next. `spans` include the present ones; `anomalies` worst first. */
export function unitRows(
  known: Known,
  spans: readonly UnitSpan[],
  anomalies: readonly OverviewAnomaly[],
  plan: Plan | undefined,
  returns: readonly Returning[],
): readonly OverviewUnit[] {
  const limits = new Map(returns.map((order) => [order.equipment, limitIn(order)?.state ?? null]))
  const { plant, now, jobs, orders } = known
  // calendars are few and units many
  const openByCalendar = new Map<unknown, boolean>()
  const isOpen = (unit: string): boolean => {
    const calendar = plant.calendarOf(unit)
    const open = openByCalendar.get(calendar) ?? plant.openWindows(unit, now, now + 1).length > 0
    openByCalendar.set(calendar, open)
    return open
  }
  return plant.units.map((unit): OverviewUnit => {
    const present = spans.find(({ equipment, until }) => equipment === unit.id && until === null)
    const job = jobs.get(present?.jobOrder ?? '')
    const order = orders.get(job?.workOrder ?? '')
    const state = (present?.state ?? 'NoSignal') as MachineState['state']
    return {
      id: unit.id,
      name: plant.nameOf(unit.id),
      class: unit.classes?.[0] ?? null,
      state,
      mode: (present?.mode ?? null) as MachineState['mode'],
      element: present?.element ?? null,
      lamp: lampOf(state, present, isOpen(unit.id)),
      since: present?.since ?? null,
      reason: present?.reason ?? null,
      jobOrder: present?.jobOrder ?? null,
      workOrder: job?.workOrder ?? null,
      product: order === undefined || order.type === 'maintenance' ? null : productOf(order, plant),
      operation: job === undefined ? null : operationName(order, job, plant),
      quantity: job?.quantity.value ?? null,
      good: job?.good ?? 0,
      scrap: job?.scrap ?? 0,
      progress: job === undefined || job.maintenance !== undefined ? null : Math.min(1, (job.good + job.scrap) / Math.max(1e-9, job.quantity.value)),
      service: limits.get(unit.id) ?? null,
      alarm: anomalies.find(({ equipment }) => equipment === unit.id) ?? null,
      next: nextOn(unit.id, known, plan),
    }
  })
}

function lampOf(state: MachineState['state'], present: UnitSpan | undefined, open: boolean): Lamp {
  if (present === undefined || state === 'NoSignal') return 'no-signal'
  if (present.mode === 'Maintenance') return 'maintenance'
  switch (present.element) {
    case 'APT':
      return 'running'
    case 'AUST':
      return 'setup'
    case 'ADET':
      return 'down'
    default:
      if (state === 'Held' || state === 'Suspended') return 'waiting'
      return open ? 'idle' : 'closed'
  }
}

function nextOn(equipment: string, { jobs, orders, plant }: Known, plan: Plan | undefined): OverviewUnit['next'] {
  const waiting = (plan?.assignments ?? []).filter((assignment) => {
    const state = jobs.get(assignment.jobOrder)?.state
    return assignment.equipment === equipment && (state === 'NotAllowedToStart' || state === 'AllowedToStart')
  })
  const [first] = waiting.sort((a, b) => a.start - b.start)
  if (first === undefined) return null
  const { jobOrder, workOrder, start, maintenance = false } = first
  const order = orders.get(workOrder)
  return { jobOrder, workOrder, start, maintenance, product: maintenance ? 'maintenance' : order === undefined ? workOrder : productOf(order, plant) }
}
