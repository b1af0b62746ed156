import { parentPort, workerData } from 'node:worker_threads'
import type { Schedule, ScheduleProblem } from './problem.ts'
import { doNothing, solve } from './search.ts'

/** What the client asks. Shared memory carries the wish to stop, because a searching thread reads no messages. */
export interface SolveRequest {
  readonly id: number
  readonly problem: ScheduleProblem
  readonly timeMs?: number
  readonly moves?: number
  readonly seed?: number
}

export type SolveAnswer =
  | { readonly id: number; readonly schedule: Schedule; readonly doNothing: Schedule | null; readonly tookMs: number }
  | { readonly id: number; readonly error: { readonly what: string; readonly details: unknown } }

/** The highest request id that is to be stopped. */
const stopUpTo = new Int32Array((workerData as { readonly stop: SharedArrayBuffer }).stop)

parentPort?.on('message', ({ id, problem, ...limits }: SolveRequest) => {
  const begun = performance.now()
  try {
    const stopped = (): boolean => Atomics.load(stopUpTo, 0) >= id
    const schedule = solve(problem, { ...limits, elapsedMs: () => performance.now(), stopped })
    answer({ id, schedule, doNothing: doNothing(problem), tookMs: performance.now() - begun })
  } catch (thrown) {
    const what = thrown instanceof Error ? thrown.message : String(thrown)
    answer({ id, error: { what, details: (thrown as { details?: unknown }).details ?? null } })
  }
})

function answer(message: SolveAnswer): void {
  parentPort?.postMessage(message)
}
