import { FlowBuilder, type FlowNode } from './builder.ts'
import { addDashboard } from './dashboard.ts'
import { addDetect } from './detect.ts'
import { addMachines } from './machines.ts'
import { addOrders } from './orders.ts'
import { addQuality } from './quality.ts'
import { addSettings } from './settings.ts'

/** The reference flow: a plant that sees a machine going bad, repairs it in the best gap and moves its work. */
export function closedLoop(): FlowNode[] {
  const flow = new FlowBuilder()
  const shared = addSettings(flow)
  addMachines(flow, shared)
  addDetect(flow, shared)
  addOrders(flow, shared)
  addQuality(flow, shared)
  addDashboard(flow)
  flow.link('pressed out', 'pressed in', 'pressed in detect', 'pressed in plan', 'pressed in dashboard')
  flow.link('what-ifs out', 'what-ifs in')
  flow.link('orders out', 'orders in')
  flow.link('samples out', 'samples in detect', 'samples in anomaly', 'samples in quality')
  flow.link('waited out', 'samples in group', 'samples in prognosis')
  flow.link('states out', 'states in anomaly', 'states in group', 'states in prognosis', 'states in disruption', 'states in', 'states in dispatch')
  flow.link('anomalies out', 'anomalies in')
  flow.link('group out', 'anomalies in')
  flow.link('prognoses out', 'anomalies in')
  flow.link('counts out', 'counts in')
  flow.link('bands out', 'trend in')
  flow.link('past asked', 'past asked in')
  flow.link('past out', 'past in dashboard')
  flow.link('commands out', 'commands in')
  flow.link('receipts out', 'receipts in')
  flow.link('overview out', 'overview in', 'overview in reports')
  return flow.build()
}
