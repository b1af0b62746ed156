import type { JobOrderRecord, JobResponseRecord } from './job-record.ts'
import type { JobState } from './job-states.ts'
import type { ReturnBit } from './return-status.ts'
import type { JobMethod, OrderMethod } from './vocabulary.ts'

/** Somebody who offers to take job orders: the plant, or one of its lines. */
export interface Receiver {
  /** id of the equipment */
  readonly equipment: string
  readonly name: string
  /** What job orders may name, for the receiver's read-only lists. */
  readonly workMasters: readonly string[]
  readonly materials: readonly string[]
  readonly units: readonly string[]
}

export interface ListedJob extends JobState {
  readonly record: JobOrderRecord
}

/** What came of a call. Without `NoError` among the bits nothing has changed, and `why` says why. */
export interface Outcome {
  readonly bits: readonly ReturnBit[]
  readonly why?: string
}

/** Who called, as the server knows them, and what they said about it. */
export interface Asked {
  readonly user: string
  readonly comment: string | undefined
}

export interface DeskListener {
  /** A job order came or changed its state; `listed` false: it is off the list. */
  changed(receiver: string, job: ListedJob, response: JobResponseRecord | undefined): void
  /** The list is no longer what it was. */
  listChanged(receiver: string): void
}

/** Behind a Job Control server: takes what is asked, knows what is on the list. None of its methods rejects. */
export interface JobDesk {
  readonly receivers: readonly Receiver[]
  order(receiver: string, method: OrderMethod, record: JobOrderRecord, asked: Asked): Promise<Outcome>
  command(receiver: string, method: JobMethod, jobOrder: string, asked: Asked): Promise<Outcome>
  list(receiver: string): readonly ListedJob[]
  response(receiver: string, jobOrder: string): JobResponseRecord | undefined
  listen(listener: DeskListener): () => void
}
