import { parentPort, workerData } from 'node:worker_threads'
import { lookAhead } from './look-ahead.ts'
import type { Lookahead, LookaheadInput } from './lookahead-input.ts'

/** What the client asks. Shared memory carries the wish to stop, because a thread at work reads no messages. */
export interface LookaheadRequest {
  readonly id: number
  readonly input: LookaheadInput
  readonly runs: number
  readonly seed: number
  /** Real ms. */
  readonly budgetMs: number
}

export type LookaheadAnswer =
  | { readonly id: number; readonly lookahead: Lookahead; readonly tookMs: number }
  | { readonly id: number; readonly error: { readonly what: string } }

/** The highest request id that is to be stopped. */
const stopUpTo = new Int32Array((workerData as { readonly stop: SharedArrayBuffer }).stop)

parentPort?.on('message', ({ id, input, runs, seed, budgetMs }: LookaheadRequest) => {
  const stopped = (): boolean => Atomics.load(stopUpTo, 0) >= id
  if (stopped()) return
  const begun = performance.now()
  try {
    const lookahead = lookAhead(input, { runs, seed, enough: () => stopped() || performance.now() - begun > budgetMs })
    answer({ id, lookahead, tookMs: performance.now() - begun })
  } catch (thrown) {
    answer({ id, error: { what: thrown instanceof Error ? thrown.message : String(thrown) } })
  }
})

function answer(message: LookaheadAnswer): void {
  parentPort?.postMessage(message)
}
