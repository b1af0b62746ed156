import { Worker } from 'node:worker_threads'
import { workerUrl } from '../base/package-root.ts'

/** A thread that has closed its database waits here for the next one: a redeploy closes a store only to open it again. */
let spare: Worker | undefined

/** A thread with no database open and nobody listening. */
export function takeThread(): Worker {
  const thread = spare
  spare = undefined
  if (thread === undefined)
    return new Worker(workerUrl('core/store/sqlite-worker.ts'), { name: 'takt-store', execArgv: ['--disable-warning=ExperimentalWarning'] })
  silence(thread)
  return thread
}

/** Takes a thread back whose database is closed and that owes no answer. One is kept, which keeps no process alive. */
export async function giveBack(thread: Worker): Promise<void> {
  silence(thread)
  if (spare !== undefined) {
    await thread.terminate()
    return
  }
  thread.unref()
  spare = thread
  const forget = (): void => {
    if (spare === thread) spare = undefined
  }
  thread.once('error', forget)
  thread.once('exit', forget)
}

/** By name: a worker has listeners of its own for others. */
function silence(thread: Worker): void {
  for (const event of ['message', 'error', 'exit']) thread.removeAllListeners(event)
}
