import type { Sample } from '../messages/sample.ts'

export interface CycleSetting {
  /** A signal of the same equipment. */
  readonly signal: string
  /** `change`: a cycle begins whenever its value changes, as that of a counter; `rise`: when it rises above 0, as that of a contact. */
  readonly begins: 'change' | 'rise'
}

/** Where a time lies among the cycles of a unit. */
export interface CyclePlace {
  /** counts the cycles */
  readonly cycle: number
  /** ms since it began, and how long cycles usually take */
  readonly sinceMs: number
  readonly usualMs: number
}

interface UnitCycles {
  /** the last value of the signal; nothing is known before the first */
  value: number | string | boolean
  heard: number
  /** source time at which this cycle began, and the one before; 0: not seen */
  begun: number
  before: number
  cycle: number
  /** the last lengths, ms, oldest first, and what is taken to be usual; 0: too few were seen */
  lengths: number[]
  usual: number
}

/** Lengths that the usual one is the median of: a pause between two cycles makes a long one now and then. */
const LENGTHS = 15
/** The usual length is known after so many, and goes after the median by this share a cycle: were it to jump, every part of the cycle would be another. */
const KNOWN_AFTER = 5
const GOES_AFTER = 0.02
/** Units remembered, those heard of last. */
const UNITS = 10_000

/**
 * When the cycles of each unit began and how long they usually take, heard from a signal of the unit itself. What the values of other signals are compared by
 * is where in the cycle they were measured, not when by the clock.
 */
export class Cycles {
  readonly #setting: CycleSetting
  readonly #units = new Map<string, UnitCycles>()
  #changes = 0

  constructor(setting: CycleSetting) {
    this.#setting = setting
  }

  /** A sample that may begin a cycle; others are passed over, and so are late ones. */
  saw({ equipment, signal, value, time, quality }: Pick<Sample, 'equipment' | 'signal' | 'value' | 'time' | 'quality'>): void {
    if (signal !== this.#setting.signal || quality === 'bad' || value === null || (typeof value === 'number' && !Number.isFinite(value))) return
    if (typeof value !== 'number' && typeof value !== 'string' && typeof value !== 'boolean') return
    const unit = this.#units.get(equipment)
    if (unit === undefined) {
      this.#units.set(equipment, { value, heard: time, begun: 0, before: 0, cycle: 0, lengths: [], usual: 0 })
      if (this.#units.size > UNITS) for (const oldest of this.#units.keys()) return void this.#units.delete(oldest)
      this.#changes++
      return
    }
    // a clock that was set back for good begins anew
    if (time < unit.heard) {
      if (unit.heard - time > LENGTHS * (unit.usual || 60_000)) this.#units.delete(equipment)
      return
    }
    const begins = this.#setting.begins === 'change' ? value !== unit.value : isOn(value) && !isOn(unit.value)
    unit.heard = time
    unit.value = value
    if (!begins || time === unit.begun) return
    this.#changes++
    if (unit.begun > 0) {
      unit.lengths.push(time - unit.begun)
      if (unit.lengths.length > LENGTHS) unit.lengths.shift()
      const median = medianOf(unit.lengths)
      if (unit.usual > 0) unit.usual += GOES_AFTER * (median - unit.usual)
      else if (unit.lengths.length >= KNOWN_AFTER) unit.usual = median
    }
    unit.before = unit.begun
    unit.begun = time
    unit.cycle++
  }

  /** Undefined while fewer than five cycles were seen, and for a time before those that are remembered. */
  of(equipment: string, time: number): CyclePlace | undefined {
    const unit = this.#units.get(equipment)
    if (unit === undefined || unit.usual === 0) return undefined
    const isBefore = time < unit.begun
    const begun = isBefore ? unit.before : unit.begun
    if (begun === 0 || time < begun) return undefined
    return { cycle: isBefore ? unit.cycle - 1 : unit.cycle, sinceMs: time - begun, usualMs: unit.usual }
  }

  /** How often something was heard. */
  get changes(): number {
    return this.#changes
  }

  get state(): ReadonlyArray<readonly [string, UnitCycles]> {
    return [...this.#units].map(([equipment, unit]) => [equipment, { ...unit, lengths: [...unit.lengths] }] as const)
  }

  restore(state: unknown): void {
    if (!Array.isArray(state)) return
    for (const [equipment, unit] of state as ReadonlyArray<readonly [string, UnitCycles]>) this.#units.set(equipment, { ...unit, lengths: [...unit.lengths] })
  }
}

function isOn(value: number | string | boolean): boolean {
  return typeof value === 'number' ? value > 0 : value === true || value === 'true' || value === '1'
}

function medianOf(lengths: readonly number[]): number {
  const sorted = lengths.toSorted((a, b) => a - b)
  return sorted[sorted.length >> 1] ?? 0
}
