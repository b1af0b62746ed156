import { seededRandom } from '../../../../core/base/random.ts'
import type { MachineState } from '../../../../core/messages/machine-state.ts'
import { sampleRingOf } from '../../../../core/store/sample-ring.ts'
import type { Store } from '../../../../core/store/store.ts'

export const MILL = 'acme/line-1/mill-1'
export const STEP_MS = 30_000
export const BEGIN = Date.UTC(2026, 0, 5, 6)
/** In samples from the beginning. */
export const AT = { bump: 600, nextJob: 1000, fault: 1500, stop: 1680, repair: 1740, works: 1760, end: 1900 } as const
export const END = BEGIN + (AT.end - 1) * STEP_MS

export function timeOf(sample: number): number {
  return BEGIN + sample * STEP_MS
}

/** What the machine vibrated: noise, a bump of no matter, wear that ends in a stop, nothing while it stands, noise again. */
export function vibration(): number[] {
  const random = seededRandom(7)
  const noise = (): number => random() + random() + random() + random() - 2
  return Array.from({ length: AT.end }, (_value, at) => {
    const chance = noise()
    if (at >= AT.stop && at < AT.works) return 0.02 * chance
    const bump = at >= AT.bump && at < AT.bump + 8 ? 0.39 : 0
    const wear = at >= AT.fault && at < AT.stop ? 1.6 * ((at - AT.fault) / (AT.stop - AT.fault)) ** 2 : 0
    return 2.4 + bump + wear + 0.15 * chance
  })
}

const STATES: ReadonlyArray<readonly [number, MachineState['state'], MachineState['mode'], MachineState['element']]> = [
  [0, 'Execute', 'Produce', 'APT'],
  [AT.nextJob, 'Execute', 'Produce', 'APT'],
  [AT.stop, 'Aborted', 'Produce', 'ADET'],
  [AT.repair, 'Stopped', 'Maintenance', 'PDOT'],
  [AT.works, 'Execute', 'Produce', 'APT'],
]

/** A store as the plant would have left it: samples of `vibration` and `load`, a text, and the states of the machine. */
export async function keepKnownHistory(store: Store): Promise<void> {
  const ring = sampleRingOf(store)
  const values = vibration()
  values.forEach((value, at) => {
    const time = timeOf(at)
    const sample = { kind: 'sample', equipment: MILL, quality: 'good', time, received: time } as const
    ring.append({ ...sample, signal: 'vibration', value, unit: 'mm/s' })
    if (at % 10 === 0) ring.append({ ...sample, signal: 'load', value: 40 + 10 * value })
    if (at % 200 === 0) ring.append({ ...sample, signal: 'program', value: `o${at}` })
  })
  await ring.flush()
  await store.transaction(async (tx) => {
    for (const [row, [at, state, mode, element]] of STATES.entries()) {
      const next = STATES[row + 1]
      const until = next === undefined ? null : timeOf(next[0])
      await tx.db
        .insertInto('machine_state')
        .values({ equipment: MILL, state, mode, element, reason: null, job_order: at < AT.nextJob ? 'jo-1' : 'jo-2', since: timeOf(at), until })
        .execute()
    }
  })
}
