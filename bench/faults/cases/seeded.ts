import { DatabaseSync } from 'node:sqlite'
import type { FaultCase } from '../support/case.ts'
import { ACKNOWLEDGES_EARLY, EFFECTS_UNKEYED, NO_UNIQUE_KEY, type SeededFault } from '../support/patches.ts'
import { pause } from '../support/stage.ts'
import { type MqttCase, mqttCase } from './mqtt.ts'

/** Faults of our own making, in a build of their own: a harness that does not see them proves nothing. */
export const seeded: readonly FaultCase[] = [
  seed(ACKNOWLEDGES_EARLY, async ({ stage, red }) => {
    // the commit waits for the lock while the acknowledgement does not, and then there is no commit
    const other = new DatabaseSync(stage.database)
    try {
      other.exec('PRAGMA busy_timeout = 5000')
      other.exec('BEGIN IMMEDIATE')
      await pause(2000)
      await red.kill()
      other.exec('ROLLBACK')
    } finally {
      other.close()
    }
    await red.start()
    return undefined
  }),
  seed(NO_UNIQUE_KEY, async ({ stage, proxy }) => {
    const other = new DatabaseSync(stage.database)
    other.exec('PRAGMA busy_timeout = 5000')
    other.exec('DROP INDEX inbox_key')
    other.close()
    // what was recorded and never acknowledged comes again
    proxy.blackHole('up')
    await pause(2000)
    proxy.cut()
    await pause(100)
    proxy.restore()
    await pause(3000)
    return undefined
  }),
  seed(EFFECTS_UNKEYED, async ({ red }) => {
    // after a kill the inbox sends again what has had its effect
    await red.kill()
    await red.start()
    await pause(2000)
    return undefined
  }),
]

function seed({ name, patches }: SeededFault, during: MqttCase['during']): FaultCase {
  return mqttCase({ name: `seeded: ${name}`, palette: (context) => context.variant(name.replaceAll(' ', '-'), patches), lossy: true, during }, 'seeded')
}
