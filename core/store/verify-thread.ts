import { Worker } from 'node:worker_threads'
import { TaktError } from '../base/error.ts'
import type { ErrorCode } from '../base/error-codes.ts'
import { workerUrl } from '../base/package-root.ts'
import type { Verification } from './store.ts'
import type { VerifyAnswer, VerifyRequest } from './verify-worker.ts'

/**
 * Verifies the ledger of a file in a thread of its own: reading and hashing all of it is work of seconds, which the event loop must not wait for. Rejects with what
 * `verifyFile` throws.
 */
export function verifyInThread(request: VerifyRequest): Promise<Verification> {
  const where = `database ${request.file}`
  return new Promise((resolve, reject) => {
    const worker = new Worker(workerUrl('core/store/verify-worker.ts'), {
      name: 'takt-verify',
      workerData: request,
      execArgv: ['--disable-warning=ExperimentalWarning'],
    })
    const lost = (cause: unknown): void => reject(new TaktError('TAKT_INTERNAL', { what: `the ledger check was lost: ${String(cause)}`, where, cause }))
    worker.once('message', (answer: VerifyAnswer) => {
      if ('verification' in answer) resolve(answer.verification)
      else reject(new TaktError(answer.code as ErrorCode, { what: answer.what, where: answer.where }))
    })
    worker.once('error', lost)
    // after an answer this changes nothing
    worker.once('exit', () => lost('its thread ended'))
  })
}
