import { DATA_TYPES } from './datatypes.ts'
import { encodePayload } from './encode.ts'
import type { Metric } from './payload.ts'
import { edgeTopic } from './topic.ts'

/** Asks an edge node to publish its births again. */
export const REBIRTH = 'Node Control/Rebirth'

export interface CommandMessage {
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: 0
  readonly retain: false
}

/** An NCMD, or with a device a DCMD: QoS 0, not retained, with a timestamp and without a sequence number (3.0, 6.4.26 and 6.4.27). */
export function commandMessage(group: string, node: string, device: string | undefined, metrics: Metric[], timestamp: number): CommandMessage {
  return {
    topic: edgeTopic(group, device === undefined ? 'NCMD' : 'DCMD', node, device),
    payload: encodePayload({ timestamp, metrics: metrics.map((metric) => ({ timestamp, ...metric })) }),
    qos: 0,
    retain: false,
  }
}

export function rebirthMessage(group: string, node: string, timestamp: number): CommandMessage {
  return commandMessage(group, node, undefined, [{ name: REBIRTH, datatype: DATA_TYPES.Boolean, value: true }], timestamp)
}
