import type { CaseContext, FaultCase, Outcome } from '../support/case.ts'
import { type Dialect, needsPostgresServer, PlantFloor } from '../support/plant-floor.ts'
import { NAMES } from './execute-kill.ts'

const HOUR = 3_600_000
/** Where the clock stands after each step, over and over. */
const STEPS = [HOUR, 0, -HOUR, HOUR, 0]
/** Every so many steps are made while the process is down. */
const DOWN_EVERY = 2
const COMMANDS = 20
const PATIENCE_MS = 60_000

async function setClocks(palette: string, dialect: Dialect, steps: number): Promise<Outcome> {
  const floor = await PlantFloor.open(palette, dialect)
  try {
    const traffic = floor.traffic('a')
    const jumps: number[] = []
    let stands = 0
    let kills = 0
    traffic.start()
    for (let step = 0; step < steps; step++) {
      const goal = traffic.told + COMMANDS
      await traffic.until(() => traffic.told >= goal, 'it works', PATIENCE_MS)
      const next = STEPS[step % STEPS.length] as number
      if (step % DOWN_EVERY === DOWN_EVERY - 1) {
        // with rows of the outbox leased, by this clock
        await untilDelivering(floor)
        await traffic.kill()
        kills++
        traffic.clock(next)
        traffic.start()
        // forward is as if time had passed; and of several instances on a server each has its own clock
        if (next < stands && dialect === 'sqlite') jumps.push(next - stands)
      } else {
        traffic.clock(next)
        jumps.push(next - stands)
      }
      stands = next
    }
    const goal = traffic.told + COMMANDS
    await traffic.until(() => traffic.told >= goal, 'it works', PATIENCE_MS)
    // what the furthest clock leased, another one has to bring
    if (stands !== 0) traffic.clock(0)
    await traffic.kill()
    await traffic.finish()
    return await floor.outcome(`${steps} steps of an hour, ${kills} of them while it was down`, { jumps })
  } finally {
    await floor.close()
  }
}

async function untilDelivering({ receiver }: PlantFloor): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`nothing came out of the outbox in ${PATIENCE_MS / 1000} s`)), PATIENCE_MS)
    receiver.before = () => {
      clearTimeout(late)
      resolve()
    }
  })
  receiver.before = undefined
}

/** Somebody sets the clock by an hour, there and back, while orders run. */
export const clockSet: readonly FaultCase[] = (['sqlite', 'postgres'] as const).map((dialect) => ({
  name: `orders on ${NAMES[dialect]}: clock set by ±1 h`,
  promise: 'guaranteed',
  missing: dialect === 'postgres' ? needsPostgresServer : undefined,
  run: ({ palette, size }: CaseContext) => setClocks(palette, dialect, size.clockSteps),
}))
