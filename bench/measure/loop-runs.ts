import { availableParallelism } from 'node:os'
import { Child } from '../support/child.ts'
import type { Outcome } from '../support/loop-outcome.ts'
import type { Policy } from '../support/loop-run.ts'

/** The outcome of each policy with each seed, in the order of `seeds`. Runs share the machine's cores; what comes out does not depend on how many there are. */
export async function outcomesOf(policies: readonly Policy[], seeds: readonly number[]): Promise<ReadonlyMap<Policy, readonly Outcome[]>> {
  const waiting = seeds.flatMap((seed, index) => policies.map((policy) => ({ seed, index, policy })))
  const outcomes = new Map<Policy, Outcome[]>(policies.map((policy) => [policy, []]))
  const work = async (): Promise<void> => {
    const child = new Child('loop-child.ts')
    try {
      for (let run = waiting.shift(); run !== undefined; run = waiting.shift()) {
        const { seed, index, policy } = run
        const outcome = JSON.parse(await child.ask(JSON.stringify({ seed, policy }))) as Outcome
        // a run takes seconds: whoever waits sees how far it is, and has something should it be cut off
        console.error(
          `seed ${seed}, ${policy.name}: ${outcome.downHours.toFixed(1)} h down, ${outcome.tardiness.toFixed(1)} h late, ${waiting.length} runs wait`,
        )
        const of = outcomes.get(policy)
        if (of !== undefined) of[index] = outcome
      }
    } finally {
      child.kill()
    }
  }
  await Promise.all(Array.from({ length: Math.min(waiting.length, availableParallelism()) }, work))
  return outcomes
}
