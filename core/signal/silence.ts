import type { Plant } from '../plant/plant.ts'
import { MACHINE_ROLES } from './unit.ts'

export interface SilentUnit {
  readonly equipment: string
  /** plant time since the last sample, ms */
  readonly quietMs: number
  readonly limitMs: number
}

interface Watched {
  limitMs: number
  /** the state has a heartbeat of its own: other signals are no proof that the machine is seen */
  stateOnly: boolean
  quietMs: number
  /** unknown until it is first heard or missed */
  heard: boolean | undefined
}

/** At high plant speeds a reconnect takes much plant time: silence lasts at least so long for the people who wait, ms. */
const SHORTEST_REAL_MS = 5000

/**
 * Which units have fallen silent. A unit whose state signal has `staleAfterMs` is silent when none of its machine signals was heard for that long; any other
 * when none of its signals was heard for the shortest `staleAfterMs` among them. Silence is summed up from time that passed, so a clock that jumps makes none.
 */
export class SilenceWatch {
  readonly #units = new Map<string, Watched>()

  /** Watches the units of a plant that tell their state. `defaultLimitMs` holds for units without any limit; without it they may be silent for ever. */
  follow(plant: Plant, defaultLimitMs: number | undefined): void {
    const left = new Set(this.#units.keys())
    for (const { id } of plant.units) {
      const state = plant.signalByRole(id, 'packml-state')
      if (state === undefined) continue
      const limits = plant.signalsOf(id).flatMap(({ staleAfterMs }) => staleAfterMs ?? [])
      const limitMs = state.staleAfterMs ?? (limits.length > 0 ? Math.min(...limits) : defaultLimitMs)
      if (limitMs === undefined) continue
      left.delete(id)
      const stateOnly = state.staleAfterMs !== undefined
      const unit = this.#units.get(id)
      if (unit === undefined) this.#units.set(id, { limitMs, stateOnly, quietMs: 0, heard: undefined })
      else Object.assign(unit, { limitMs, stateOnly })
    }
    for (const id of left) this.#units.delete(id)
  }

  /** A sample came. True when its unit had been silent, or was never heard before. */
  heard(equipment: string, role: Parameters<typeof MACHINE_ROLES.has>[0]): boolean {
    const unit = this.#units.get(equipment)
    if (unit === undefined || (unit.stateOnly && !MACHINE_ROLES.has(role))) return false
    unit.quietMs = 0
    const news = unit.heard !== true
    unit.heard = true
    return news
  }

  /** Plant time passes, `rate` times as fast as real time: the units that have become silent. */
  pass(elapsedMs: number, rate: number): readonly SilentUnit[] {
    const silent: SilentUnit[] = []
    for (const [equipment, unit] of this.#units) {
      if (unit.heard === false) continue
      unit.quietMs += elapsedMs
      const limitMs = rate > 1 ? Math.max(unit.limitMs, SHORTEST_REAL_MS * rate) : unit.limitMs
      if (unit.quietMs < limitMs) continue
      unit.heard = false
      silent.push({ equipment, quietMs: unit.quietMs, limitMs: unit.limitMs })
    }
    return silent
  }

  get silent(): number {
    let silent = 0
    for (const unit of this.#units.values()) if (unit.heard === false) silent++
    return silent
  }
}
