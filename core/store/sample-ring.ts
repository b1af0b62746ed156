import type { Sample } from '../messages/sample.ts'
import type { Store } from './store.ts'

export interface RingSample {
  /** source time, epoch ms */
  readonly time: number
  readonly value: Sample['value']
  readonly quality: Sample['quality']
  readonly unit?: string
}

/** Recent samples for charts: a bounded number a signal, kept in the store. Telemetry: what a crash takes is a gap of seconds at most. */
export interface SampleRing {
  /** Remembers a sample; it is written later, together with others. Costs no waiting and never throws. */
  append(sample: Sample): void
  /** Samples with `from` ≤ time ≤ `to`, oldest first; of more than `limit` the newest. Sees what is not written yet. */
  recent(equipment: string, signal: string, from: number, to: number, limit: number): Promise<readonly RingSample[]>
  /** Writes what is in memory. */
  flush(): Promise<void>
  /** Writes what is in memory and stops the timer. */
  close(): Promise<void>
}

export interface SampleRingOptions {
  /** Rows a signal at most. Default 2,000. */
  readonly perSignal?: number
  /** Of samples nearer than this (source time, ms) to the last one kept, none is kept. Default 1,000. */
  readonly everyMs?: number
  /** Real ms between two writes. Default 5,000. */
  readonly flushMs?: number
}

export type OpenSampleRing = (store: Store, options?: SampleRingOptions) => SampleRing
