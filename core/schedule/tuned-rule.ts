import type { Random } from '../base/random.ts'
import { type Built, buildByIndex } from './builder.ts'
import { dueOf, workLeft } from './dispatch-rules.ts'
import type { Model } from './model.ts'
import type { Progress } from './progress.ts'

/** What makes one rule of a family another. */
interface Tuning {
  /** How many times the work left an order will take from now on, waiting included. */
  readonly stretch: number
  /** How far ahead a due time is felt, mean durations. */
  readonly lookAhead: number
  /** How many mean set-ups make an operation e times less welcome. */
  readonly patience: number
}

/** In the middle of what did best on plants of many sizes and loads. */
const FIRST: Tuning = { stretch: 2.5, lookAhead: 4, patience: 1 }
/** How far from the best the next is tried: factors up to e to the power of this. */
const SPREAD = 0.7

/**
 * Schedules by apparent tardiness cost with set-ups (Lee, Bhaskaran & Pinedo 1997), whose three parameters are searched for around the best so far. Each build is a
 * matter of milliseconds, so where a problem is too large for moves one by one this is what gets furthest. `offer` takes what is built and says whether it is the best.
 */
export function searchRules(model: Model, random: Random, progress: Progress, offer: (built: Built) => boolean): void {
  const { remaining, meanDuration } = workLeft(model)
  const meanSetup = meanSetupOf(model)
  let best = FIRST
  for (let tuning = FIRST; progress() < 1; tuning = around(best, random)) {
    const { stretch, lookAhead, patience } = tuning
    const built = buildByIndex(
      model,
      (operation, start, setup, duration) => {
        const slack = Math.max(0, dueOf(model, operation) - start - stretch * (remaining[operation] as number))
        const weight = Math.max(1e-6, model.weight[model.orderOf[operation] as number] as number)
        return -(weight / Math.max(1, duration)) * Math.exp(-slack / (lookAhead * meanDuration) - setup / (patience * meanSetup)) - 1e-12 / (1 + slack)
      },
      progress,
    )
    if (built === undefined) return
    if (offer(built)) best = tuning
  }
}

function around({ stretch, lookAhead, patience }: Tuning, random: Random): Tuning {
  const factor = (): number => Math.exp(SPREAD * (2 * random() - 1))
  return { stretch: stretch * factor(), lookAhead: lookAhead * factor(), patience: patience * factor() }
}

/** Mean of the set-ups that are any, as the alternatives have them. */
function meanSetupOf({ alternativeSetup }: Model): number {
  const setups = alternativeSetup.filter((setup) => setup > 0)
  return setups.length === 0 ? 1 : setups.reduce((sum, setup) => sum + setup, 0) / setups.length
}
