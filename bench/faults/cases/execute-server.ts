import { setTimeout as pause } from 'node:timers/promises'
import type { FaultCase } from '../support/case.ts'
import { needsPostgresServer, PlantFloor } from '../support/plant-floor.ts'

/** So many faults of the server come to one crash; at the others the connections are ended. */
const CRASH_EVERY = 2
const BETWEEN_MS = 1200
/** Nobody is served while it recovers. */
const BACK_MS = 60_000

/** PostgreSQL dies, or ends the connections, while two instances work on it. Neither of them is started again. */
export const serverDies: FaultCase = {
  name: 'orders on PostgreSQL: server kill -9, pg_terminate_backend',
  promise: 'guaranteed',
  missing: needsPostgresServer,
  async run({ palette, size }) {
    const floor = await PlantFloor.open(palette, 'postgres')
    try {
      const instances = ['a', 'b'].map((name) => floor.traffic(name, { writers: 4 }))
      for (const instance of instances) instance.start()
      let [crashes, ended] = [0, 0]
      for (let fault = 0; fault < size.serverFaults; fault++) {
        // both work again before the next one
        const before = instances.map(({ told }) => told)
        for (const [n, instance] of instances.entries())
          await instance.until(() => instance.told > (before[n] ?? 0), `instance ${n} works after fault ${fault}`, BACK_MS)
        await pause(Math.random() * BETWEEN_MS)
        if (fault % CRASH_EVERY === 0) {
          await floor.server?.crash()
          crashes++
          await pause(Math.random() * BETWEEN_MS)
          await floor.server?.start()
        } else ended += await floor.endConnections()
      }
      const refused = instances.map((instance) => instance.refusals).join(', ')
      for (const instance of instances) await instance.kill()
      for (const instance of instances) await instance.finish()
      return await floor.outcome(`${crashes} crashes, ${size.serverFaults - crashes} times ${ended} connections in all ended; refused: ${refused}`)
    } finally {
      await floor.close()
    }
  },
}
