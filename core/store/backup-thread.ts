import { Worker } from 'node:worker_threads'
import { TaktError } from '../base/error.ts'
import type { ErrorCode } from '../base/error-codes.ts'
import { workerUrl } from '../base/package-root.ts'
import { type BackupSource, type Copied, sourceName } from './backup-copy.ts'
import type { CopyAnswer, CopyRequest } from './backup-worker.ts'

/** Copies a store in a thread of its own, with a connection of its own: flows and writers do not wait. Rejects with what `copyStore` throws. */
export function copyInThread(source: BackupSource, target: string): Promise<Copied> {
  return new Promise((resolve, reject) => {
    const workerData: CopyRequest = { source, target }
    const worker = new Worker(workerUrl('core/store/backup-worker.ts'), {
      name: 'takt-backup',
      workerData,
      execArgv: ['--disable-warning=ExperimentalWarning'],
    })
    const lost = (cause: unknown): void =>
      reject(new TaktError('TAKT_INTERNAL', { what: `the backup was lost: ${String(cause)}`, where: `backup of ${sourceName(source)}`, cause }))
    worker.once('message', (answer: CopyAnswer) => {
      if ('copied' in answer) resolve(answer.copied)
      else reject(new TaktError(answer.code as ErrorCode, { what: answer.what, where: answer.where }))
    })
    worker.once('error', lost)
    // after an answer this changes nothing
    worker.once('exit', () => lost('its thread ended'))
  })
}
