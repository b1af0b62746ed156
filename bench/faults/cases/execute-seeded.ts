import type { CaseContext, FaultCase, Outcome } from '../support/case.ts'
import { ANCHORED_ONCE, EFFECTS_UNKEYED, LEADER_UNGUARDED, LEDGER_APART, OUTBOX_DELETED_EARLY, type SeededFault, TOLD_EARLY } from '../support/patches.ts'
import { needsPostgresServer } from '../support/plant-floor.ts'
import { openDamaged } from './execute-damage.ts'
import { killTraffic } from './execute-kill.ts'
import { stopLeaders } from './execute-stop.ts'

const KILLS = 4
const DAMAGES = 12
const STOPS = 1
const STOP_MS = 4000
const BETWEEN = 'between looking whether it leads and its work'

/** Faults of our own making, in a build of their own: each must be seen by what is looked at after the same faults of the world as everywhere in this suite. */
export const seededExecute: readonly FaultCase[] = [
  seed(TOLD_EARLY, (palette) => killTraffic(palette, 'sqlite', KILLS)),
  seed(LEDGER_APART, (palette) => killTraffic(palette, 'sqlite', KILLS)),
  seed(EFFECTS_UNKEYED, (palette) => killTraffic(palette, 'sqlite', KILLS)),
  seed(OUTBOX_DELETED_EARLY, (palette) => killTraffic(palette, 'sqlite', KILLS)),
  // rows that are missing and named are no fault
  seed(ANCHORED_ONCE, async (palette) => ({ ...(await openDamaged(palette, DAMAGES)), lost: 0 })),
  { ...seed(LEADER_UNGUARDED, (palette) => stopLeaders(palette, STOPS, STOP_MS, [BETWEEN])), missing: needsPostgresServer },
]

function seed({ name, patches }: SeededFault, run: (palette: string) => Promise<Outcome>): FaultCase {
  return {
    name: `seeded: ${name}`,
    promise: 'seeded',
    run: async (context: CaseContext) => run(await context.variant(name.replaceAll(' ', '-'), patches)),
  }
}
