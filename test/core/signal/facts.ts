import type { PackmlState } from '../../../core/messages/machine-state.ts'
import type { UnitFact } from '../../../core/signal/unit.ts'

/** What a unit says, heard as it is said. */
export const job = (time: number, name: string | null): UnitFact => ({ what: 'job', time, received: time, job: name })
export const state = (time: number, name: PackmlState): UnitFact => ({ what: 'state', time, received: time, state: name })
const count = (kind: 'good' | 'scrap', time: number, raw: number, rollover: number | undefined): UnitFact => ({
  what: 'count',
  time,
  received: time,
  kind,
  signal: kind,
  raw,
  rollover,
})
export const good = (time: number, raw: number, rollover?: number): UnitFact => count('good', time, raw, rollover)
export const scrap = (time: number, raw: number, rollover?: number): UnitFact => count('scrap', time, raw, rollover)
