import { createHash } from 'node:crypto'

/** JSON text that is the same for the same content, however its keys are ordered. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item ?? null)).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const fields = Object.entries(value)
    .filter(([, inner]) => inner !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${fields.map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`).join(',')}}`
}

/** SHA-256, hex, over the canonical text. */
export function contentHash(value: unknown): string {
  return createHash('sha256').update(canonical(value)).digest('hex')
}

const LONGEST_ID = 200

/** An id that follows from others: readable where it is short enough. */
export function idFrom(...parts: readonly string[]): string {
  const readable = parts.join('-')
  return readable.length <= LONGEST_ID ? readable : `${parts[0]}-${contentHash(parts).slice(0, 32)}`
}
