import type { PlanningFacts } from '../read-facts.ts'
import { FARTHEST_MS, isTime, workOn } from '../screen-input.ts'
import { FOREVER_MS } from './planning-problem.ts'

/** How long something may have to wait before it can begin at all: for a release, a pin, its material, the end of a block. */
export function reachMs({ now, workOrders, jobs, disruptions }: PlanningFacts): number {
  let reach = 0
  const until = (time: number | null | undefined): void => {
    if (isTime(time) && time <= now + FARTHEST_MS) reach = Math.max(reach, time - now)
  }
  for (const { release } of workOrders.values()) until(release)
  for (const { pinned, plannedStart, materialAt } of jobs) {
    if (pinned) until(plannedStart)
    until(materialAt)
  }
  for (const { unavailable } of disruptions) until(unavailable?.to)
  return reach
}

/** All open work, as if one unit did it: no sensible plan is longer. */
export function workMs({ jobs }: PlanningFacts): number {
  let work = 0
  for (const job of jobs) {
    let most = 0
    for (const alternative of job.alternatives) most = Math.max(most, alternative.setupMs + (workOn(alternative, job.quantity.value) ?? 0))
    if (most < FOREVER_MS) work += most
  }
  return work
}
