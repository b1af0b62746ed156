import { parentPort, workerData } from 'node:worker_threads'
import { type PackedSchedule, packSchedule } from './packed-schedule.ts'
import type { ProblemOperation, ScheduleProblem } from './problem.ts'
import { doNothing, solve } from './search.ts'

/** What the client asks. Shared memory carries the wish to stop, because a searching thread reads no messages. */
export interface SolveRequest {
  readonly id: number
  readonly problem: ScheduleProblem
  readonly timeMs?: number
  readonly moves?: number
  readonly seed?: number
  readonly duty?: number
  /** When the request was made, `performance.timeOrigin + performance.now()`, which runs alike in all threads: `timeMs` counts from then. */
  readonly asked: number
  /** Is a plan wanted before the search also where none is in force? */
  readonly repair: boolean
}

/** Operations of a large problem, sent before the request that has none. */
export interface SolvePart {
  readonly id: number
  readonly operations: ScheduleProblem['operations']
}

export type SolveAnswer =
  /** Comes first. `keeps`: it is the plan in force, shifted right; else a plan made quickly where there is none in force. */
  | { readonly id: number; readonly repaired: PackedSchedule; readonly keeps: boolean }
  | { readonly id: number; readonly schedule: PackedSchedule; readonly tookMs: number }
  | { readonly id: number; readonly error: { readonly what: string; readonly details: unknown } }

/** The highest request id that is to be stopped. */
const stopUpTo = new Int32Array((workerData as { readonly stop: SharedArrayBuffer }).stop)

/** A search of low duty works so long, then sleeps. */
const SLICE_MS = 10

/** However long the way here and the first plan took, the search gets so much of its time. */
const LEAST_SHARE = 1 / 2

const parts = new Map<number, ProblemOperation[]>()

parentPort?.on('message', (message: SolveRequest | SolvePart) => {
  if (!('operations' in message)) return search(message)
  const known = parts.get(message.id) ?? []
  parts.set(message.id, known)
  known.push(...message.operations)
})

function search({ id, problem: sent, repair, duty = 1, asked, timeMs, ...limits }: SolveRequest): void {
  const operations = parts.get(id)
  parts.delete(id)
  const problem = operations === undefined ? sent : { ...sent, operations }
  const begun = performance.now()
  try {
    const kept = doNothing(problem)
    if (kept !== null) answer({ id, repaired: packSchedule(kept), keeps: true })
    else if (repair) answer({ id, repaired: packSchedule(solve(problem, { moves: 1 })), keeps: false })
    const { stopped, workedMs } = paced(id, duty)
    const left = timeMs === undefined ? {} : { timeMs: Math.max(LEAST_SHARE * timeMs, timeMs - (performance.timeOrigin + performance.now() - asked)) }
    const schedule = solve(problem, { ...limits, ...left, elapsedMs: workedMs, stopped, mayEndEarly: true })
    answer({ id, schedule: packSchedule(schedule), tookMs: performance.now() - begun })
  } catch (thrown) {
    const what = thrown instanceof Error ? thrown.message : String(thrown)
    answer({ id, error: { what, details: (thrown as { details?: unknown }).details ?? null } })
  }
}

/** Whether a request is to be stopped, asked again and again by the search: now and then it sleeps before it is answered. */
function paced(id: number, duty: number): { readonly stopped: () => boolean; readonly workedMs: () => number } {
  let slept = 0
  let awake = performance.now()
  const stopped = (): boolean => {
    const upTo = Atomics.load(stopUpTo, 0)
    if (upTo >= id) return true
    if (duty >= 1 || performance.now() - awake < SLICE_MS) return false
    const asleep = performance.now()
    // until the slice is paid for, or somebody wants a request stopped
    Atomics.wait(stopUpTo, 0, upTo, (asleep - awake) * (1 / duty - 1))
    awake = performance.now()
    slept += awake - asleep
    return Atomics.load(stopUpTo, 0) >= id
  }
  return { stopped, workedMs: () => performance.now() - slept }
}

function answer(message: SolveAnswer): void {
  const packed = 'repaired' in message ? message.repaired : 'schedule' in message ? message.schedule : undefined
  parentPort?.postMessage(message, packed === undefined ? [] : [packed.placements.buffer])
}
