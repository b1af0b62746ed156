import { isUtf8 } from 'node:buffer'
import { TaktError } from './error.ts'

const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])
const DEPTH_LIMIT = 64

export interface JsonLimits {
  /** Bytes (or characters of a string) accepted at most. */
  readonly maxBytes: number
  /** For the error message: a topic, a node, a file. */
  readonly where: string
}

/** Parses JSON that came from outside: bounded in size and depth, and without keys that could alter objects. */
export function parseJson(text: string | Uint8Array, limits: JsonLimits): unknown {
  if (text.length > limits.maxBytes) {
    throw new TaktError('TAKT_MESSAGE_TOO_LARGE', { what: `${text.length} bytes where at most ${limits.maxBytes} are taken`, where: limits.where })
  }
  let value: unknown
  try {
    value = JSON.parse(textOf(text, limits.where))
  } catch (cause) {
    if (cause instanceof TaktError) throw cause
    // JSON.parse quotes the input in its message, so the reader sees where it broke
    throw new TaktError('TAKT_MESSAGE_NOT_JSON', { what: cause instanceof Error ? cause.message : String(cause), where: limits.where, cause })
  }
  assertSafe(value, limits.where)
  return value
}

/** Bytes as text. Throws TAKT_MESSAGE_ENCODING instead of putting other characters where the bytes are none. */
export function textOf(text: string | Uint8Array, where: string): string {
  if (typeof text === 'string') return text
  const read = (Buffer.isBuffer(text) ? text : Buffer.from(text.buffer, text.byteOffset, text.byteLength)).toString('utf8')
  if (read.includes('\uFFFD') && !isUtf8(text)) throw new TaktError('TAKT_MESSAGE_ENCODING', { where })
  return read
}

/** Refuses forbidden keys and excessive depth anywhere inside a value. */
export function assertSafe(value: unknown, where: string, depth = 0): void {
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return
  if (depth > DEPTH_LIMIT) throw new TaktError('TAKT_MESSAGE_TOO_DEEP', { what: `nested deeper than ${DEPTH_LIMIT} levels`, where })
  for (const key of Object.keys(value)) {
    if (FORBIDDEN_KEYS.has(key)) throw new TaktError('TAKT_MESSAGE_FORBIDDEN_KEY', { what: `key '${key}' is refused`, where })
    const inner = (value as Record<string, unknown>)[key]
    if (typeof inner === 'object') assertSafe(inner, where, depth + 1)
  }
}

/**
 * Reads `$.a.b[0]` (or `a.b.0`) from a value, own properties only. `undefined` where the path leads nowhere; `$` or an empty path is the value itself.
 */
export function readPath(value: unknown, path: string): unknown {
  let current = value
  for (const key of pathKeys(path)) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, key)) return undefined
    current = (current as Record<string, unknown>)[key]
  }
  return current
}

const pathCache = new Map<string, readonly string[]>()

function pathKeys(path: string): readonly string[] {
  let keys = pathCache.get(path)
  if (keys === undefined) {
    keys = path
      .replace(/^\$\.?/, '')
      .split(/[.[\]]+/)
      .filter((key) => key !== '')
    if (pathCache.size < 10_000) pathCache.set(path, keys)
  }
  return keys
}
