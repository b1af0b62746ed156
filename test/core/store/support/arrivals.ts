import type { Sample } from '../../../../core/messages/sample.ts'
import type { Arrival } from '../../../../core/store/inbox.ts'

export const SOURCE = 'line-1-mqtt/sensor-1'
export const UNIT = 'acme/berlin/line-1/mill-2'

export function sample(value: number): Sample {
  return { kind: 'sample', equipment: UNIT, signal: 'good', value, quality: 'good', time: 1_763_810_000_000 + value, received: 1_763_810_000_050 + value }
}

/** The n-th message of a sender that numbers what it sends. */
export function numbered(n: number, changes: Partial<Arrival> = {}): Arrival {
  return { ...plain(n), key: { session: 'a', sequence: n }, ...changes }
}

/** The n-th message of a sender without numbers. */
export function plain(n: number, changes: Partial<Arrival> = {}): Arrival {
  return { source: SOURCE, content: `message ${n}`, messages: [{ topic: `${UNIT}/good`, payload: sample(n) }], ...changes }
}
