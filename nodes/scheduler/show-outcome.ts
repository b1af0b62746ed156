import type { Node } from 'node-red'
import type { Outcome } from '../../core/orders/planning/replanner.ts'

/** What came of a wish for a plan, on the node's status. */
export function showOutcome(node: Node, { result, plan, draft }: Outcome): void {
  const late = draft.plan.problems.filter((problem) => problem.code === 'TAKT_PLAN_LATE').length
  const blocked = new Set(draft.plan.problems.filter((problem) => problem.code !== 'TAKT_PLAN_LATE').map((problem) => problem.workOrder)).size
  const parts = [late > 0 ? `${late} late` : 'none late', ...(blocked > 0 ? [`${blocked} with problems`] : []), `${Math.round(draft.tookMs)} ms`]
  const fill = late + blocked > 0 ? 'yellow' : 'green'
  const names = {
    published: `plan ${plan?.version ?? ''}`,
    unchanged: plan === null ? 'no plan' : `plan ${plan.version}`,
    proposed: `proposal, ${draft.plan.changes.length} changes`,
    computed: 'shadow plan',
  }
  node.status({
    fill: result === 'proposed' ? 'blue' : result === 'computed' ? 'grey' : fill,
    shape: result === 'proposed' || result === 'computed' ? 'ring' : 'dot',
    text: `${names[result]}: ${parts.join(', ')}`,
  })
}
