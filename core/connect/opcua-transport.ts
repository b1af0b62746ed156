/**
 * node-opcua takes a whole chunk's memory for every message, however short, and asks for chunks of 640 kB: most of what a small request then costs is memory.
 * 64 kB is what other stacks use; a longer message goes in several.
 */
const CHUNK_BYTES = 65_536
const LEAST_CHUNK_BYTES = 8192
const DEFAULT_MESSAGE_BYTES = 16 * 2 ** 20
const MOST_MESSAGE_BYTES = 128 * 2 ** 20

interface Limits {
  readonly receiveBufferSize: number
  readonly sendBufferSize: number
  readonly maxMessageSize: number
  readonly maxChunkCount: number
}

/** What a client asks a server for (OPC 10000-6, 7.1.2.3). */
export const CLIENT_TRANSPORT = { receiveBufferSize: CHUNK_BYTES, sendBufferSize: CHUNK_BYTES } as const

/** What a server grants of what a client asks for; zero asks for no limit. */
export const SERVER_TRANSPORT = {
  adjustTransportLimits: ({ receiveBufferSize, sendBufferSize, maxMessageSize, maxChunkCount }: Limits): Limits => ({
    receiveBufferSize: chunkOf(receiveBufferSize),
    sendBufferSize: chunkOf(sendBufferSize),
    maxMessageSize: Math.min(maxMessageSize || DEFAULT_MESSAGE_BYTES, MOST_MESSAGE_BYTES),
    maxChunkCount: Math.min(maxChunkCount || Number.POSITIVE_INFINITY, MOST_MESSAGE_BYTES / LEAST_CHUNK_BYTES),
  }),
} as const

function chunkOf(asked: number): number {
  return Math.min(Math.max(asked || CHUNK_BYTES, LEAST_CHUNK_BYTES), CHUNK_BYTES)
}
