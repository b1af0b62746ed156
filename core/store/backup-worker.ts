import { parentPort, workerData } from 'node:worker_threads'
import { toTaktError } from '../base/error.ts'
import { type BackupSource, type Copied, copyStore, sourceName } from './backup-copy.ts'

export interface CopyRequest {
  readonly source: BackupSource
  readonly target: string
}

export type CopyAnswer = { readonly copied: Copied } | { readonly code: string; readonly what: string; readonly where: string }

const { source, target } = workerData as CopyRequest
const answer: CopyAnswer = await copyStore(source, target).then(
  (copied) => ({ copied }),
  (thrown: unknown) => {
    const { code, what, where } = toTaktError(thrown, `backup of ${sourceName(source)}`)
    return { code, what, where }
  },
)
parentPort?.postMessage(answer)
