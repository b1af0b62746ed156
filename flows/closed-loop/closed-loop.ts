import { FlowBuilder, type FlowNode } from './builder.ts'
import { addDashboard } from './dashboard.ts'

/** The reference flow: a plant that sees a machine going bad, repairs it in the best gap and moves its work. */
export function closedLoop(): FlowNode[] {
  const flow = new FlowBuilder()
  addDashboard(flow)
  return flow.build()
}
