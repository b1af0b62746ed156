import { AnyOf } from './any-of.ts'
import { AUTO_DEFAULTS, AutoDetector } from './auto.ts'
import { CusumDetector, type CusumOptions } from './cusum.ts'
import type { Detector, DetectorState } from './detector.ts'
import { DiscordDetector, type DiscordOptions } from './discord.ts'
import { DriftDetector, type DriftOptions } from './drift.ts'
import { EwmaDetector } from './ewma.ts'
import { HampelDetector, type HampelOptions } from './hampel.ts'
import type { LatchOptions } from './latch.ts'
import { LimitsDetector } from './limits.ts'
import { RateDetector } from './rate.ts'
import { RobustZDetector } from './robust-z.ts'
import { SeasonalDetector, type SeasonalOptions } from './seasonal.ts'
import { StuckDetector } from './stuck.ts'
import { VarianceDetector, type VarianceOptions } from './variance.ts'

/** How a signal is judged. */
export type Method =
  /** `caution`: factor on every threshold; `warmup`: values before it judges */
  | { readonly name: 'auto'; readonly caution?: number; readonly warmup?: number }
  /** A limit that is not given is the signal's own alarm limit. */
  | { readonly name: 'limits'; readonly low?: number | undefined; readonly high?: number | undefined }
  | { readonly name: 'rate'; readonly maxPerSecond: number }
  | { readonly name: 'ewma'; readonly lambda: number; readonly width: number; readonly warmup: number }
  | { readonly name: 'robust-z'; readonly window: number; readonly threshold: number; readonly warmup: number }
  | { readonly name: 'stuck'; readonly forMs: number; readonly tolerance: number }
  | ({ readonly name: 'cusum' } & CusumOptions)
  | ({ readonly name: 'hampel' } & HampelOptions)
  | ({ readonly name: 'seasonal' } & SeasonalOptions)
  | ({ readonly name: 'discord' } & DiscordOptions)
  | ({ readonly name: 'drift' } & DriftOptions)
  | ({ readonly name: 'variance' } & VarianceOptions)

export const METHOD_NAMES = ['auto', 'limits', 'rate', 'ewma', 'cusum', 'robust-z', 'hampel', 'seasonal', 'discord', 'drift', 'variance', 'stuck'] as const

/** A signal's own alarm limits, from the plant model. */
export interface AlarmLimits {
  readonly low?: number
  readonly high?: number
}

/** The detector of a method for one signal; nothing where there is nothing to judge by (the method is limits and there are none). */
export function detectorOf(method: Method, alarm: AlarmLimits | undefined, state?: DetectorState): Detector | undefined {
  switch (method.name) {
    case 'auto': {
      const detector = new AutoDetector({ ...AUTO_DEFAULTS, ...method }, state)
      return alarm?.low === undefined && alarm?.high === undefined ? detector : new AnyOf(detector, new LimitsDetector(alarm.low, alarm.high))
    }
    case 'limits': {
      const low = method.low ?? alarm?.low
      const high = method.high ?? alarm?.high
      return low === undefined && high === undefined ? undefined : new LimitsDetector(low, high)
    }
    case 'rate':
      return new RateDetector(method.maxPerSecond, state)
    case 'ewma':
      return new EwmaDetector(method, state)
    case 'robust-z':
      return new RobustZDetector(method, state)
    case 'stuck':
      return new StuckDetector(method.forMs, method.tolerance, state)
    case 'cusum':
      return new CusumDetector(method, state)
    case 'hampel':
      return new HampelDetector(method, state)
    case 'seasonal':
      return new SeasonalDetector(method, state)
    case 'discord':
      return new DiscordDetector(method, state)
    case 'drift':
      return new DriftDetector(method, state)
    case 'variance':
      return new VarianceDetector(method, state)
  }
}

/** Methods whose threshold a false-alarm budget may set; of the others it is a limit that somebody gave. */
export const BUDGETED: readonly Method['name'][] = ['auto', 'ewma', 'cusum', 'robust-z', 'hampel', 'seasonal', 'discord', 'drift', 'variance']

/** How far a budget may go where a method's deviation has an end: beyond it nothing would be told any more. */
export function budgetBound(method: Method): { readonly most?: number } {
  return method.name === 'cusum' ? { most: 2.5 } : {}
}

/** Values in a row that make and unmake an alarm: one where a single value is proof, more where chance has its part. */
export function confirmationsOf(method: Method): Pick<LatchOptions, 'confirm' | 'clearConfirm'> {
  return method.name === 'auto' ? { confirm: 3, clearConfirm: 10 } : { confirm: 1, clearConfirm: 1 }
}
