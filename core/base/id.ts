import { randomUUID } from 'node:crypto'

/** Makes ids; injected so that tests and replays get the same ones. */
export type IdSource = (prefix: string) => string

/** Ids that no other instance makes: `dis-9f3c…`. */
export const uniqueId: IdSource = (prefix) => `${prefix}-${randomUUID().replaceAll('-', '').slice(0, 16)}`

/** Ids counted up, for tests: `dis-1`, `dis-2`. */
export function countingIds(): IdSource {
  let next = 1
  return (prefix) => `${prefix}-${next++}`
}
