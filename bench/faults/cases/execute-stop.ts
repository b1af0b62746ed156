import { setTimeout as pause } from 'node:timers/promises'
import type { CaseContext, FaultCase, Outcome } from '../support/case.ts'
import { needsPostgresServer, PlantFloor } from '../support/plant-floor.ts'
import type { Traffic } from '../support/traffic.ts'

/** Another has taken over in this time: what docs/store.md promises. */
const TAKEN_OVER_MS = 5000
const PATIENCE_MS = 60_000

interface Stopped {
  /** Of the leader. */
  readonly leader: Traffic
  readonly other: Traffic
  readonly floor: PlantFloor
}

/** Where a process is stopped. Each stops it, and returns what the other one then has to do. */
const PLACES: Readonly<Record<string, (scene: Stopped) => Promise<() => boolean>>> = {
  async anywhere({ leader, other }) {
    await pause(Math.random() * 500)
    leader.signal('SIGSTOP')
    return () => other.leads
  },
  async 'inside a transaction'({ leader, other }) {
    await standsStill(leader, 'inside')
    const before = other.told
    return () => other.told > before && other.leads
  },
  async 'between looking whether it leads and its work'({ leader, other }) {
    await standsStill(leader, 'between')
    return () => other.leads
  },
  async 'with rows of the outbox delivered and not deleted'({ leader, other, floor }) {
    let row: number | undefined
    floor.receiver.before = (id, by) => {
      if (row !== undefined || by !== leader.name) return
      row = id
      leader.signal('SIGSTOP')
    }
    await leader.until(() => row !== undefined, 'it delivers something', PATIENCE_MS)
    floor.receiver.before = undefined
    // it has not come again from the one that stands still
    return () => other.leads && (floor.receiver.received.get(row ?? -1)?.length ?? 0) > 1
  },
}

/** It says where it is, lets 20 ms pass for what is on its way, and stops itself. */
async function standsStill(traffic: Traffic, where: 'inside' | 'between'): Promise<void> {
  const before = traffic.said(where)
  traffic.ask(where)
  await traffic.until(() => traffic.said(where) > before, `it stands still ${where}`, PATIENCE_MS)
  await pause(60)
}

export async function stopLeaders(palette: string, stops: number, stopMs: number, places = Object.keys(PLACES)): Promise<Outcome> {
  const floor = await PlantFloor.open(palette, 'postgres')
  try {
    const pair = ['a', 'b'].map((name) => floor.traffic(name, { writers: 3, leads: true }))
    for (const instance of pair) instance.start()
    for (const instance of pair) await instance.until(() => instance.told > 0, 'it works', PATIENCE_MS)
    const longest = new Map<string, number>()
    const late: string[] = []
    for (let stop = 0; stop < stops; stop++) {
      await pair[0]?.until(() => pair.filter(({ leads }) => leads).length === 1, 'one of them leads', PATIENCE_MS)
      const leader = pair.find(({ leads }) => leads) as Traffic
      const other = pair.find((one) => one !== leader) as Traffic
      const place = places[stop % places.length] as string
      const isTakenOver = await (PLACES[place] as (typeof PLACES)[string])({ leader, other, floor })
      const began = performance.now()
      await other.until(isTakenOver, `the other took over from one that was stopped ${place}`, PATIENCE_MS)
      const ms = performance.now() - began
      longest.set(place, Math.max(longest.get(place) ?? 0, ms))
      if (ms > TAKEN_OVER_MS) late.push(`${place}: ${(ms / 1000).toFixed(1)} s`)
      await pause(Math.max(0, stopMs - (performance.now() - began)))
      const told = leader.told
      leader.signal('SIGCONT')
      await leader.until(() => leader.told > told && !leader.leads, 'the one that was stopped goes on, and knows', PATIENCE_MS)
    }
    const refused = pair.map(({ refusals }) => refusals).filter(Boolean)
    for (const instance of pair) await instance.kill()
    for (const instance of pair) await instance.finish()
    const note = [
      `${stops} stops of ${stopMs / 1000} s, taken over within: ${[...longest].map(([place, ms]) => `${place} ${(ms / 1000).toFixed(1)} s`).join(', ')}`,
      late.length === 0 ? '' : `LATE: ${late.join(', ')}`,
      refused.length === 0 ? '' : `refused: ${refused.join(', ')}`,
    ]
    const outcome = await floor.outcome(note.filter(Boolean).join('; '))
    return { ...outcome, violated: (outcome.violated ?? 0) + late.length }
  } finally {
    await floor.close()
  }
}

/** Two instances on one server; the one that leads stands still, and goes on when everybody else has gone on without it. */
export const stopped: FaultCase = {
  name: 'two instances on PostgreSQL: SIGSTOP of the leader',
  promise: 'guaranteed',
  missing: needsPostgresServer,
  run: ({ palette, size }: CaseContext) => stopLeaders(palette, size.stops, size.stopMs),
}
