import { Worker } from 'node:worker_threads'
import { TaktError } from '../base/error.ts'
import { turn } from '../base/in-slices.ts'
import { workerUrl } from '../base/package-root.ts'
import { unpackSchedule } from './packed-schedule.ts'
import type { Schedule, ScheduleProblem } from './problem.ts'
import type { SolveAnswer, SolvePart, SolveRequest } from './schedule-worker.ts'

export interface SolveLimits {
  /** Real milliseconds to search for, counted from the request; half of it at least, however long the way to the thread. */
  readonly timeMs?: number
  /** Moves to try at most: with it alone, the same seed gives the same schedule. */
  readonly moves?: number
  readonly seed?: number
  /** The share of time that the thread works, the rest it sleeps; `timeMs` counts what it works. Default 1. */
  readonly duty?: number
  /** Hears first of the plan in force shifted right, or of any plan where there is none: good enough to go on with, milliseconds after the request. */
  readonly onRepaired?: (repaired: Schedule) => void
  /** Aborting rejects the request with TAKT_SCHEDULE_CANCELED and frees the thread at once. */
  readonly signal?: AbortSignal
}

export interface Solved {
  readonly schedule: Schedule
  /** The baseline shifted right, what the plan in force would become; null without a baseline. */
  readonly doNothing: Schedule | null
  /** Real milliseconds of the thread. */
  readonly tookMs: number
}

/** A search drops many short-lived tables, which hold memory beside the heap: a small young generation lets go of them soon. */
const YOUNG_MB = 2
const OPERATIONS_AT_ONCE = 250

interface Pending {
  readonly onRepaired: ((repaired: Schedule) => void) | undefined
  readonly resolve: (solved: Solved) => void
  readonly reject: (error: TaktError) => void
  /** The plan in force, shifted right. */
  doNothing: Schedule | null
}

/** Solves schedule problems in a thread of its own, which starts with the first request and starts anew should it ever die. One request at a time; others queue. */
export class ScheduleClient {
  readonly #stop = new SharedArrayBuffer(4)
  readonly #stopUpTo = new Int32Array(this.#stop)
  readonly #pending = new Map<number, Pending>()
  #worker: Worker | undefined
  #nextId = 1

  /** Rejects with TAKT_SCHEDULE_INVALID, TAKT_SCHEDULE_CANCELED or TAKT_SCHEDULE_WORKER. */
  solve(problem: ScheduleProblem, { signal, onRepaired, ...limits }: SolveLimits = {}): Promise<Solved> {
    const id = this.#nextId++
    const canceled = (): TaktError => new TaktError('TAKT_SCHEDULE_CANCELED', { where: 'scheduling thread' })
    if (signal?.aborted === true) return Promise.reject(canceled())
    return new Promise<Solved>((resolve, reject) => {
      const abort = (): void => {
        this.#settle(id)?.reject(canceled())
        // ids only grow, so this stops the running request and whatever was asked before it
        Atomics.store(this.#stopUpTo, 0, Math.max(Atomics.load(this.#stopUpTo, 0), id))
        Atomics.notify(this.#stopUpTo, 0)
      }
      signal?.addEventListener('abort', abort, { once: true })
      const release = (): void => signal?.removeEventListener('abort', abort)
      this.#pending.set(id, {
        onRepaired,
        doNothing: null,
        resolve: (solved) => {
          release()
          resolve(solved)
        },
        reject: (error) => {
          release()
          reject(error)
        },
      })
      const worker = this.#running()
      // only a request under way keeps the process alive
      worker.ref()
      void this.#send(worker, { id, problem, asked: performance.timeOrigin + performance.now(), repair: onRepaired !== undefined, ...limits })
    })
  }

  /** Ends the thread; requests under way are rejected. */
  async close(): Promise<void> {
    const worker = this.#worker
    this.#worker = undefined
    this.#rejectAll(new TaktError('TAKT_SCHEDULE_CANCELED', { where: 'scheduling thread' }))
    await worker?.terminate()
  }

  /** A large problem goes a few hundred operations at a time: each copy is a matter of a millisecond or two, and everybody else has his turn between. */
  async #send(worker: Worker, request: SolveRequest): Promise<void> {
    const { id, problem } = request
    if (problem.operations.length <= OPERATIONS_AT_ONCE) return worker.postMessage(request)
    for (let from = 0; from < problem.operations.length; from += OPERATIONS_AT_ONCE) {
      worker.postMessage({ id, operations: problem.operations.slice(from, from + OPERATIONS_AT_ONCE) } satisfies SolvePart)
      await turn()
    }
    worker.postMessage({ ...request, problem: { ...problem, operations: [] } })
  }

  #running(): Worker {
    if (this.#worker !== undefined) return this.#worker
    const worker = new Worker(workerUrl('core/schedule/schedule-worker.ts'), {
      workerData: { stop: this.#stop },
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    })
    worker.on('message', (answer: SolveAnswer) => this.#take(answer))
    const lost = (cause?: unknown): void => {
      if (this.#worker !== worker) return
      this.#worker = undefined
      this.#rejectAll(new TaktError('TAKT_SCHEDULE_WORKER', { where: 'scheduling thread', cause }))
    }
    worker.on('error', lost)
    worker.on('exit', () => lost())
    this.#worker = worker
    return worker
  }

  #take(answer: SolveAnswer): void {
    if ('repaired' in answer) return this.#takeRepaired(answer.id, unpackSchedule(answer.repaired), answer.keeps)
    const pending = this.#settle(answer.id)
    if ('error' in answer) {
      const { what, details } = answer.error
      pending?.reject(new TaktError('TAKT_SCHEDULE_INVALID', { what, where: 'schedule problem', details }))
    } else pending?.resolve({ schedule: unpackSchedule(answer.schedule), doNothing: pending.doNothing, tookMs: answer.tookMs })
  }

  #takeRepaired(id: number, repaired: Schedule, keeps: boolean): void {
    const pending = this.#pending.get(id)
    if (pending === undefined) return
    if (keeps) pending.doNothing = repaired
    pending.onRepaired?.(repaired)
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    if (this.#pending.size === 0) this.#worker?.unref()
    return pending
  }

  #rejectAll(error: TaktError): void {
    for (const id of [...this.#pending.keys()]) this.#settle(id)?.reject(error)
  }
}
