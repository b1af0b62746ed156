import type { ForetoldSample } from '../../messages/prognosis.ts'
import { scoreOf } from '../detector.ts'
import { type Estimate, Prognoser, type PrognoserState } from './prognoser.ts'

/** Where the life of a signal ends. */
export interface Target {
  readonly threshold: number
  readonly direction?: 'rising' | 'falling' | undefined
  /** What is followed: the signal's own value, or the anomaly score of it, 0 to 1. */
  readonly indicator: 'value' | 'score'
  readonly unit?: string | undefined
}

interface Told {
  readonly median: number
  readonly lower: number
  readonly time: number
}

export interface PrognosisTrackState {
  readonly prognoser: PrognoserState
  readonly heard: number
  readonly begun: number
  /** the estimate that stands, values since it was made, and values since there was none */
  readonly estimate: Estimate | null
  readonly age: number
  readonly without: number
  /** what was told last */
  readonly told: Told | null
}

/** The estimate is made anew when this share of the remaining life has passed. */
const RENEWED_AFTER = 0.02
/** So many values without a trend: what was foretold is off … */
const OFF_AFTER = 20
/** … and so many: that is told, too. A trend that comes back before that goes on as if it had never been away. */
const GONE_AFTER = 60
/** Told again when median or lower end are beyond this share of what was told, either way; as they shrink with time, also when all goes as foretold. */
const MATERIAL = 0.67
/** But not before this share of the median that was told has passed, unless the lower end has become this share of what it was. */
const PATIENCE = 0.1
const ALARMING = 0.4

/** One signal: its prognoser, and what was told of it. */
export class PrognosisTrack {
  readonly target: Target
  readonly #prognoser: Prognoser
  #heard: number
  #begun: number
  #estimate: Estimate | undefined
  #age: number
  #without: number
  #told: Told | null

  constructor(target: Target, saved?: PrognosisTrackState) {
    this.target = target
    const { threshold: said, direction, indicator } = target
    const threshold = indicator === 'score' ? deviationOf(said) : said
    // with another threshold it begins anew
    const state = saved?.prognoser.threshold === threshold ? saved : undefined
    this.#prognoser = new Prognoser({ threshold, direction }, state?.prognoser)
    this.#heard = state?.heard ?? 0
    this.#begun = state?.begun ?? 0
    this.#estimate = state?.estimate ?? undefined
    this.#age = state?.age ?? 0
    this.#without = state?.without ?? 0
    this.#told = state?.told ?? null
  }

  /** Source time of the newest value that was heard of. */
  get heard(): number {
    return this.#heard
  }

  /** Since when it learns, source time. */
  get begun(): number {
    return this.#begun
  }

  /** What is foretold at present. */
  get estimate(): Estimate | undefined {
    return this.#estimate
  }

  /** The smoothed indicator as the prognoser sees it. */
  get smooth(): number {
    return this.#prognoser.smooth
  }

  /** As people see it: a score again where scores are followed. */
  shown(value: number): number {
    return this.target.indicator === 'score' ? scoreOf(Math.max(0, value)) : value
  }

  /** Takes a value; the estimate when it is news, `gone` when what was told is so no longer. */
  update(time: number, value: number): Estimate | 'gone' | undefined {
    const outcome = this.#prognoser.update(time, this.target.indicator === 'score' ? deviationOf(value) : value)
    if (outcome !== 'taken') return undefined
    this.#heard = time
    this.#age++
    if (this.#estimate !== undefined && this.#age < RENEWED_AFTER * this.#estimate.rows.median) return undefined
    const estimate = this.#prognoser.estimate()
    this.#age = 0
    if (estimate === undefined) return this.#withoutTrend() ? 'gone' : undefined
    this.#without = 0
    this.#estimate = estimate
    if (!this.#isNews(estimate)) return undefined
    this.#told = { median: estimate.median, lower: estimate.lower, time }
    return estimate
  }

  #withoutTrend(): boolean {
    if (this.#estimate === undefined && this.#told === null) return false
    if (++this.#without >= OFF_AFTER) this.#estimate = undefined
    if (this.#without < GONE_AFTER) return false
    const wasTold = this.#told !== null
    this.#told = null
    this.#without = 0
    return wasTold
  }

  /** The value was not looked at; that the signal was heard of is remembered. */
  pass(time: number): void {
    if (time > this.#heard) this.#heard = time
  }

  /** Begins anew: the unit was repaired. True when something had been foretold, which is so no longer. */
  renew(time: number): boolean {
    const wasTold = this.#told !== null
    this.#prognoser.renew()
    this.#begun = time
    this.#estimate = undefined
    this.#without = 0
    this.#told = null
    return wasTold
  }

  /** For charts: the smoothed value, and the way from here to the threshold. */
  foretold(): ForetoldSample {
    const { threshold } = this.target
    const value = this.shown(this.smooth)
    if (this.#estimate === undefined) return { value, threshold, projected: null }
    const { median, lower, upper } = this.#estimate
    const line = [
      { time: this.#heard, value },
      { time: this.#heard + median, value: threshold },
    ]
    return { value, threshold, projected: { line, lower: this.#heard + lower, upper: this.#heard + upper } }
  }

  get state(): PrognosisTrackState {
    return {
      prognoser: this.#prognoser.state,
      heard: this.#heard,
      begun: this.#begun,
      estimate: this.#estimate ?? null,
      age: this.#age,
      without: this.#without,
      told: this.#told,
    }
  }

  #isNews({ median, lower, trend }: Estimate): boolean {
    if (this.#told === null) return true
    if (trend === 'reached') return this.#told.median > 0
    if (lower < ALARMING * this.#told.lower) return true
    if (this.#heard - this.#told.time < PATIENCE * this.#told.median) return false
    const differs = (now: number, before: number): boolean => now < MATERIAL * before || now * MATERIAL > before
    return differs(median, this.#told.median) || differs(lower, this.#told.lower)
  }
}

/** The deviation behind an anomaly score (1 at its threshold of 0.5): it grows as the signal does, where the score only creeps up to 1. */
function deviationOf(score: number): number {
  return score >= 1 ? 6 : Math.min(6, Math.sqrt(Math.max(0, -Math.log2(1 - score))))
}
