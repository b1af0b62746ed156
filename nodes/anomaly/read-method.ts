import type { CycleSetting } from '../../core/detect/cycles.ts'
import { LONGEST_SHAPE } from '../../core/detect/discord.ts'
import type { METHOD_NAMES, Method } from '../../core/detect/methods.ts'
import type { FieldReader } from '../shared/read-fields.ts'
import type { AnomalyFields } from './settings.ts'

const CAUTION: Readonly<Record<string, number>> = { low: 1.5, normal: 1, high: 0.7 }
/** Length of a season and the parts it is divided into. */
const SEASONS: Readonly<Record<string, { readonly ms: number | undefined; readonly bins: number }>> = {
  day: { ms: 86_400_000, bins: 48 },
  week: { ms: 7 * 86_400_000, bins: 168 },
  period: { ms: undefined, bins: 32 },
  cycle: { ms: 0, bins: 32 },
}
const PER_SECONDS: Readonly<Record<string, number>> = { second: 1, minute: 60, hour: 3600 }

/** The method behind the fields, with the settings that are its own. Throws TAKT_CONFIG_INVALID that names the field. */
export function readMethod(fields: AnomalyFields, { invalid, optional, number, choice }: FieldReader, hasPlant: boolean): Method {
  const cycleOf = (): CycleSetting => {
    const signal = (fields.cycle ?? '').trim()
    if (signal === '') throw invalid('no signal is named whose cycles are the seasons')
    if (signal.includes('/')) throw invalid(`'${signal}' names an equipment; the cycle is a signal of the same equipment, by its name alone`)
    return { signal, begins: choice(fields.cycleBegins, 'beginning of a cycle', 'change', { change: 'change', rise: 'rise' } as const) }
  }

  const methods: Record<(typeof METHOD_NAMES)[number], () => Method> = {
    auto: () => ({
      name: 'auto',
      caution: choice(fields.sensitivity, 'sensitivity', 'normal', CAUTION),
      warmup: number(fields.warmup, 'values to learn from', 30, 5, 100_000),
    }),
    limits: () => {
      const low = optional(fields.low, 'lower limit')
      const high = optional(fields.high, 'upper limit')
      if (low === undefined && high === undefined && !hasPlant) throw invalid('neither limit is given, and there is no plant that could have alarm limits')
      if (low !== undefined && high !== undefined && low >= high) throw invalid(`the lower limit ${low} is not below the upper limit ${high}`)
      return { name: 'limits', low, high }
    },
    rate: () => {
      const change = optional(fields.rate, 'largest change')
      if (change === undefined || change <= 0) throw invalid(`largest change is '${fields.rate ?? ''}' where a number above 0 is taken`)
      return { name: 'rate', maxPerSecond: change / choice(fields.ratePer, 'time of the change', 'second', PER_SECONDS) }
    },
    ewma: () => ({
      name: 'ewma',
      lambda: number(fields.lambda, 'weight of the newest value', 0.2, 0.001, 1),
      width: number(fields.width, 'width of the band', 4, 0.5, 100),
      warmup: number(fields.warmup, 'values to learn from', 50, 5, 100_000),
    }),
    'robust-z': () => ({
      name: 'robust-z',
      window: Math.round(number(fields.window, 'values looked back on', 100, 10, 10_000)),
      threshold: number(fields.threshold, 'threshold', 6, 0.5, 1000),
      warmup: number(fields.warmup, 'values to learn from', 30, 5, 10_000),
    }),
    stuck: () => ({
      name: 'stuck',
      forMs: number(fields.stuckFor, 'seconds unchanged', 300, 0.001, 31_622_400) * 1000,
      tolerance: number(fields.tolerance, 'tolerance', 0, 0, Number.MAX_VALUE),
    }),
    cusum: () => {
      const sigma = optional(fields.sigma, 'standard deviation')
      if (sigma !== undefined && sigma <= 0) throw invalid(`standard deviation is ${sigma} where a number above 0 is taken`)
      return {
        name: 'cusum',
        target: optional(fields.target, 'target'),
        sigma,
        allowance: number(fields.allowance, 'allowance', 0.5, 0, 10),
        decision: number(fields.decision, 'decision limit', 12, 1, 1000),
        warmup: number(fields.warmup, 'values to learn from', 100, 5, 100_000),
      }
    },
    hampel: () => ({
      name: 'hampel',
      reach: Math.round(number(fields.reach, 'values on either side', 5, 2, 500)),
      threshold: number(fields.threshold, 'threshold', 6, 0.5, 1000),
    }),
    seasonal: () => {
      const { ms, bins } = choice(fields.season, 'season', 'day', SEASONS)
      if (ms === undefined && optional(fields.period, 'period') === undefined) throw invalid('no period is given, in seconds')
      const cycle = fields.season === 'cycle' ? cycleOf() : undefined
      const periodMs = ms ?? number(fields.period, 'period', 0, 0.001, 31_622_400) * 1000
      return { name: 'seasonal', periodMs, bins, ...(cycle === undefined ? {} : { cycle }), threshold: number(fields.threshold, 'threshold', 6, 0.5, 1000) }
    },
    discord: () => {
      const given = optional(fields.shape, 'values in a shape')
      const shape = given === undefined ? undefined : Math.round(number(given, 'values in a shape', 0, 4, LONGEST_SHAPE))
      const memory = Math.round(number(fields.memory, 'values remembered', 1024, 128, 8192))
      if (shape !== undefined && memory < 4 * shape) throw invalid(`${memory} values remembered are fewer than four shapes of ${shape} values`)
      return { name: 'discord', shape, memory, caution: choice(fields.sensitivity, 'sensitivity', 'normal', CAUTION) }
    },
    drift: () => ({
      name: 'drift',
      size: number(fields.driftSize, 'drift', 2, 0.1, 100),
      over: Math.round(number(fields.driftOver, 'values of the long average', 200, 5, 1_000_000)),
      warmup: number(fields.warmup, 'values to learn from', 200, 5, 100_000),
    }),
    variance: () => ({
      name: 'variance',
      window: Math.round(number(fields.shortTerm, 'values of the short term', 30, 5, 10_000)),
      factor: number(fields.factor, 'factor', 2.5, 1.1, 100),
      warmup: number(fields.warmup, 'values to learn from', 100, 5, 100_000),
    }),
  }
  return choice(fields.method, 'method', 'auto', methods)()
}
