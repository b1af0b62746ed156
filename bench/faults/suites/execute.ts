import { clockSet } from '../cases/execute-clock.ts'
import { damaged } from '../cases/execute-damage.ts'
import { killed } from '../cases/execute-kill.ts'
import { redKilled } from '../cases/execute-red.ts'
import { seededExecute } from '../cases/execute-seeded.ts'
import { serverDies } from '../cases/execute-server.ts'
import { stopped } from '../cases/execute-stop.ts'
import type { FaultCase } from '../support/case.ts'

/** Orders, genealogy and ledger: nothing lost, nothing twice, nothing illegal, and what is missing is named. */
export const cases: readonly FaultCase[] = [...killed, ...redKilled, serverDies, stopped, damaged, ...clockSet, ...seededExecute]
