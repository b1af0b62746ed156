import { parentPort, workerData } from 'node:worker_threads'
import { toTaktError } from '../base/error.ts'
import type { Verification } from './store.ts'
import { verifyFile } from './verify-file.ts'

export interface VerifyRequest {
  readonly file: string
  /** PEM of the key that the anchor must be signed with; undefined: it need not be. */
  readonly publicKey?: string | undefined
}

export type VerifyAnswer = { readonly verification: Verification } | { readonly code: string; readonly what: string; readonly where: string }

const { file, publicKey } = workerData as VerifyRequest
const answer: VerifyAnswer = await verifyFile(file, { publicKey }).then(
  (verification) => ({ verification }),
  (thrown: unknown) => {
    const { code, what, where } = toTaktError(thrown, `database ${file}`)
    return { code, what, where }
  },
)
parentPort?.postMessage(answer)
