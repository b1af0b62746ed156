import { Worker } from 'node:worker_threads'
import { TaktError } from '../../base/error.ts'
import { workerUrl } from '../../base/package-root.ts'
import type { Lookahead, LookaheadInput } from './lookahead-input.ts'
import type { LookaheadAnswer, LookaheadRequest } from './lookahead-worker.ts'

export interface LookedAhead {
  readonly lookahead: Lookahead
  /** Real ms of the thread. */
  readonly tookMs: number
}

interface Pending {
  readonly id: number
  readonly resolve: (looked: LookedAhead) => void
  readonly reject: (error: TaktError) => void
}

const YOUNG_MB = 2
const WHERE = 'lookahead thread'

/** Looks ahead in a thread of its own, which starts with the first request and starts anew should it ever die. Only the newest plan matters: a request cancels the one before. */
export class LookaheadClient {
  readonly #stop = new SharedArrayBuffer(4)
  readonly #stopUpTo = new Int32Array(this.#stop)
  #pending: Pending | undefined
  #worker: Worker | undefined
  #nextId = 1

  /** Rejects with TAKT_SCHEDULE_CANCELED when a newer request or `cancel` came, TAKT_SCHEDULE_INVALID or TAKT_SCHEDULE_WORKER. */
  look(input: LookaheadInput, limits: Pick<LookaheadRequest, 'runs' | 'seed' | 'budgetMs'>): Promise<LookedAhead> {
    this.cancel()
    const id = this.#nextId++
    return new Promise<LookedAhead>((resolve, reject) => {
      this.#pending = { id, resolve, reject }
      const worker = this.#running()
      // only a request under way keeps the process alive
      worker.ref()
      worker.postMessage({ id, input, ...limits } satisfies LookaheadRequest)
    })
  }

  cancel(): void {
    if (this.#pending === undefined) return
    Atomics.store(this.#stopUpTo, 0, this.#pending.id)
    this.#fail(new TaktError('TAKT_SCHEDULE_CANCELED', { where: WHERE }))
  }

  /** Ends the thread. */
  async close(): Promise<void> {
    this.cancel()
    const worker = this.#worker
    this.#worker = undefined
    await worker?.terminate()
  }

  #running(): Worker {
    if (this.#worker !== undefined) return this.#worker
    const worker = new Worker(workerUrl('core/schedule/lookahead/lookahead-worker.ts'), {
      workerData: { stop: this.#stop },
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    })
    worker.on('message', (answer: LookaheadAnswer) => this.#take(answer))
    const lost = (cause?: unknown): void => {
      if (this.#worker !== worker) return
      this.#worker = undefined
      this.#fail(new TaktError('TAKT_SCHEDULE_WORKER', { where: WHERE, cause }))
    }
    worker.on('error', lost)
    worker.on('exit', () => lost())
    this.#worker = worker
    return worker
  }

  #take(answer: LookaheadAnswer): void {
    if (answer.id !== this.#pending?.id) return
    if ('error' in answer) return this.#fail(new TaktError('TAKT_SCHEDULE_INVALID', { what: answer.error.what, where: WHERE }))
    const { resolve } = this.#pending
    this.#settled()
    resolve({ lookahead: answer.lookahead, tookMs: answer.tookMs })
  }

  #fail(error: TaktError): void {
    const pending = this.#pending
    this.#settled()
    pending?.reject(error)
  }

  #settled(): void {
    this.#pending = undefined
    this.#worker?.unref()
  }
}
