/** The Sparkplug B 3.0 payload codec: exact, bounded, and without a library. */
export { decodePayload, PAYLOAD_LIMITS, type PayloadLimits } from './decode.ts'
export { type EncodeOptions, encodePayload } from './encode.ts'
export type * from './payload.ts'
