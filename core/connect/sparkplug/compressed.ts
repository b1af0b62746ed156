import { gunzipSync, inflateSync } from 'node:zlib'
import { TaktError } from '../../base/error.ts'
import { decodePayload, PAYLOAD_LIMITS, type PayloadLimits } from './decode.ts'
import type { Payload } from './payload.ts'

/** Says in `uuid` that the body is another payload, compressed; a custom of Sparkplug's first implementations that encoders still offer. */
export const COMPRESSED = 'SPBV1.0_COMPRESSED'

/**
 * Decodes a payload, and what is compressed inside it: GZIP or DEFLATE (with zlib's header), as a metric `algorithm` says; DEFLATE without one.
 * No more is unpacked than a payload may have; a compressed payload inside a compressed one is refused. Throws TAKT_SPARKPLUG_….
 */
export function unpackPayload(bytes: Uint8Array, limits: Partial<PayloadLimits> = {}): Payload {
  const outer = decodePayload(bytes, limits)
  if (outer.uuid !== COMPRESSED) return outer
  const { maxBytes, where } = { ...PAYLOAD_LIMITS, ...limits }
  const algorithm = String(outer.metrics.find((metric) => metric.name === 'algorithm')?.value ?? 'DEFLATE').toUpperCase()
  if (algorithm !== 'GZIP' && algorithm !== 'DEFLATE')
    throw new TaktError('TAKT_SPARKPLUG_INVALID', { what: `compressed by '${algorithm.slice(0, 40)}' where GZIP or DEFLATE is taken`, where })
  const inner = decodePayload(inflate(outer.body ?? new Uint8Array(), algorithm, maxBytes, where), limits)
  if (inner.uuid === COMPRESSED) throw new TaktError('TAKT_SPARKPLUG_INVALID', { what: 'a compressed payload inside a compressed one', where })
  const seq = inner.seq ?? outer.seq
  const timestamp = inner.timestamp ?? outer.timestamp
  return { ...inner, ...(seq === undefined ? {} : { seq }), ...(timestamp === undefined ? {} : { timestamp }) }
}

function inflate(body: Uint8Array, algorithm: 'GZIP' | 'DEFLATE', maxOutputLength: number, where: string): Buffer {
  try {
    return algorithm === 'GZIP' ? gunzipSync(body, { maxOutputLength }) : inflateSync(body, { maxOutputLength })
  } catch (cause) {
    if ((cause as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE')
      throw new TaktError('TAKT_SPARKPLUG_TOO_LARGE', { what: `more than ${maxOutputLength} bytes when unpacked`, where, cause })
    throw new TaktError('TAKT_SPARKPLUG_INVALID', { what: `the compressed body cannot be unpacked: ${(cause as Error).message}`, where, cause })
  }
}
