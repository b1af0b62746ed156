import type { ProcedureStep } from '../messages/procedure.ts'

export const END = 'end'

/** Where it can go on from a step: ids of later steps, or `end`. */
export function targetsOf(steps: readonly ProcedureStep[], index: number): readonly string[] {
  const step = steps[index]
  if (step === undefined) return []
  return step.ways === undefined ? [followerOf(steps, index)] : step.ways.map(({ to }) => to)
}

/** The step that comes after one which is no branch: an id, or `end`. */
export function followerOf(steps: readonly ProcedureStep[], index: number): string {
  return steps[index]?.next ?? steps[index + 1]?.id ?? END
}

/** For each step that can be reached, the steps that every way to it passes. All ways lead forward, so one pass will do. */
export function passedBefore(steps: readonly ProcedureStep[]): ReadonlyMap<string, ReadonlySet<string>> {
  const passed = new Map<string, ReadonlySet<string>>()
  const [first] = steps
  if (first !== undefined) passed.set(first.id, new Set())
  for (const [index, { id }] of steps.entries()) {
    const before = passed.get(id)
    if (before === undefined) continue
    for (const to of targetsOf(steps, index)) {
      const known = passed.get(to)
      const here = new Set([...before, id])
      passed.set(to, known === undefined ? here : new Set([...known].filter((step) => here.has(step))))
    }
  }
  return passed
}
