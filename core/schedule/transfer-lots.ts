import type { Model } from './model.ts'
import { openSpans } from './needs.ts'
import type { ScheduleProblem } from './problem.ts'

/** What there is to do on the share of the pieces that goes on at once: of a whole number a whole number, rounded up. */
export function lotOf(duration: number, share: number): number {
  const lot = share * duration
  // a sum that should be whole but for its last digits is whole
  return Number.isInteger(duration) ? Math.min(duration, Math.ceil(lot - 1e-9)) : lot
}

/** When a frozen operation lets its followers begin; 0 when it is not frozen. */
export function frozenLotReady({ operations, units, resumable }: ScheduleProblem, index: number): number {
  const { frozen, transferShare, ...operation } = operations[index] as ScheduleProblem['operations'][number]
  if (frozen === undefined) return 0
  if (transferShare === undefined) return frozen.end
  const alternative = operation.alternatives.find(({ unit }) => unit === frozen.unit)
  const closed = (operation.resumable ?? resumable) ? (alternative?.closed ?? units[frozen.unit]?.closed ?? []) : []
  const open = openSpans(closed, frozen.start, frozen.end)
  const length = open.reduce((sum, { from, to }) => sum + to - from, 0)
  let left = lotOf(length, transferShare)
  for (const { from, to } of open) {
    if (left <= to - from) return from + left
    left -= to - from
  }
  return frozen.end
}

/** When the first lot of a placed operation is made. */
export function lotReadyAt(model: Model, operation: number, alternative: number, start: number, end: number, setup: number): number {
  const share = model.share[operation] as number
  if (share === 0) return end
  const work = lotOf(model.alternativeDuration[alternative] as number, share) + (model.attached ? setup : 0)
  if (model.resumable[operation] !== 1) return start + work
  const { timeline } = model
  timeline.fit(model.alternativeCalendar[alternative] as number, start, work, true)
  return timeline.end
}

/**
 * The earliest moment at which an alternative may be ready, when a predecessor ends at `end`: what it does on the pieces that come last lies after that.
 * Never after `end`.
 */
export function readyForLast(model: Model, operation: number, alternative: number, setup: number, end: number, share: number): number {
  const duration = model.alternativeDuration[alternative] as number
  if (duration === 0) return end
  const { timeline, attached } = model
  const calendar = model.alternativeCalendar[alternative] as number
  const ahead = duration - lotOf(duration, share) + (attached ? setup : 0)
  const start = model.resumable[operation] === 1 ? timeline.back(calendar, end, ahead) : end - ahead
  if (attached || model.anticipatory || setup === 0) return start
  return model.setupInOpenTime ? timeline.back(calendar, start, setup) : start - setup
}
