import type { StatusPublication } from '../../core/simulate/happenings.ts'
import { HOUR_MS } from './loop-world.ts'

/** What the simulated machines wear in an hour of running while they are healthy. */
const WEAR_PER_HOUR = 0.025

/** Hours that each unit has run since its last repair, for who repairs by them. They begin at the machines' true age: whoever repairs by the hour has kept book. */
export class HourMeters {
  readonly #every: number
  readonly #hours: Map<string, number>
  readonly #last = new Map<string, StatusPublication>()

  /** `worn`: wear of each unit at the start, 0 to 1. `every`: hours after which a unit is to be repaired. */
  constructor(worn: ReadonlyMap<string, number>, every: number) {
    this.#every = every
    this.#hours = new Map([...worn].map(([unit, wear]) => [unit, wear / WEAR_PER_HOUR]))
  }

  hear(said: StatusPublication): void {
    const { unit, time, mode } = said
    const last = this.#last.get(unit)
    this.#last.set(unit, said)
    if (last === undefined) return
    if (last.mode === 'Maintenance' && mode !== 'Maintenance') this.#hours.set(unit, 0)
    else if (last.state === 'Execute' && last.mode === 'Produce') this.#hours.set(unit, (this.#hours.get(unit) ?? 0) + (time - last.time) / HOUR_MS)
  }

  /** Units that have run for long enough. */
  due(): string[] {
    return [...this.#hours].flatMap(([unit, hours]) => (hours >= this.#every ? [unit] : []))
  }
}
