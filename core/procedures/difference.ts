import { hash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { Procedure, ProcedureStep } from '../messages/procedure.ts'

/** What a version changes in a step of the one in force. */
export interface StepDifference {
  readonly step: string
  readonly change: 'added' | 'removed' | 'changed' | 'moved'
  readonly before: ProcedureStep | null
  readonly after: ProcedureStep | null
}

export interface Difference {
  readonly procedure: string
  /** The version in force that it is compared with; null: it is the first. */
  readonly against: string | null
  readonly title: { readonly before: string; readonly after: string } | null
  readonly steps: readonly StepDifference[]
  /** Names exactly this difference: who approves gives it back, and so approves what was shown. */
  readonly sha256: string
}

/** What a proposed version changes. */
export function differenceOf(inForce: Procedure | undefined, proposed: Procedure): Difference {
  const before = inForce?.steps ?? []
  const old = new Map(before.map((step) => [step.id, step]))
  const now = new Map(proposed.steps.map((step) => [step.id, step]))
  const moved = movedSteps(before, proposed.steps)
  const steps: StepDifference[] = []
  for (const step of before) if (!now.has(step.id)) steps.push({ step: step.id, change: 'removed', before: step, after: null })
  for (const step of proposed.steps) {
    const was = old.get(step.id)
    if (was === undefined) steps.push({ step: step.id, change: 'added', before: null, after: step })
    else if (!isDeepStrictEqual(was, step)) steps.push({ step: step.id, change: 'changed', before: was, after: step })
    else if (moved.has(step.id)) steps.push({ step: step.id, change: 'moved', before: was, after: step })
  }
  const title = inForce === undefined || inForce.title === proposed.title ? null : { before: inForce.title, after: proposed.title }
  const content = { procedure: proposed.id, against: inForce?.id ?? null, title, steps }
  return { ...content, sha256: hash('sha256', JSON.stringify(content)) }
}

/** Steps of both whose predecessor, among the steps of both, is another one now. */
function movedSteps(before: readonly ProcedureStep[], after: readonly ProcedureStep[]): ReadonlySet<string> {
  const common = (steps: readonly ProcedureStep[], others: readonly ProcedureStep[]): string[] => {
    const ids = new Set(others.map(({ id }) => id))
    return steps.map(({ id }) => id).filter((id) => ids.has(id))
  }
  const was = common(before, after)
  const is = common(after, before)
  return new Set(is.filter((id, index) => (is[index - 1] ?? '') !== (was[was.indexOf(id) - 1] ?? '')))
}
