import { setTimeout as pause } from 'node:timers/promises'
import type { CaseContext, FaultCase, Outcome } from '../support/case.ts'
import { type Dialect, needsPostgresServer, PlantFloor } from '../support/plant-floor.ts'

/** Every fifth process is killed so soon after it was started, at random: while it loads, while it opens its database. The others in their traffic. */
const WHILE_OPENING_MS = 1200
const IN_TRAFFIC_MS = 800

export async function killTraffic(palette: string, dialect: Dialect, kills: number): Promise<Outcome> {
  const floor = await PlantFloor.open(palette, dialect)
  try {
    const traffic = floor.traffic('a')
    let idle = 0
    for (let kill = 0; kill < kills; kill++) {
      traffic.start()
      if (kill % 5 === 4) await pause(Math.random() * WHILE_OPENING_MS)
      else {
        await traffic.until(() => traffic.told > 0, 'it was told that something is done')
        await pause(Math.random() * IN_TRAFFIC_MS)
      }
      await traffic.kill()
      await floor.look()
      if (traffic.told === 0) idle++
    }
    await traffic.finish()
    return await floor.outcome(`${kills} kills, ${idle} of them before the first command${traffic.refusals && `; refused: ${traffic.refusals}`}`)
  } finally {
    await floor.close()
  }
}

export const NAMES = { sqlite: 'SQLite', postgres: 'PostgreSQL' } as const

/** A process full of order traffic is killed at random, and goes on. */
export const killed: readonly FaultCase[] = (['sqlite', 'postgres'] as const).map((dialect) => ({
  name: `orders on ${NAMES[dialect]}: kill -9 at random`,
  promise: 'guaranteed',
  missing: dialect === 'postgres' ? needsPostgresServer : undefined,
  run: ({ palette, size }: CaseContext) => killTraffic(palette, dialect, size.trafficKills),
}))
