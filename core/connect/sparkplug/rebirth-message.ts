import { DATA_TYPES } from './datatypes.ts'
import { encodePayload } from './encode.ts'
import { edgeTopic } from './topic.ts'

export interface RebirthMessage {
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: 0
  readonly retain: false
}

/** An NCMD that asks an edge node to publish its births again: QoS 0, not retained, with a time (epoch ms) and without a sequence number (3.0, 6.4.26). */
export function rebirthMessage(group: string, node: string, timestamp: number): RebirthMessage {
  const metric = { name: 'Node Control/Rebirth', timestamp, datatype: DATA_TYPES.Boolean, value: true }
  return { topic: edgeTopic(group, 'NCMD', node), payload: encodePayload({ timestamp, metrics: [metric] }), qos: 0, retain: false }
}
