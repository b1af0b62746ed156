import type { TaktError } from '../base/error.ts'
import type { Quarantined } from '../messages/quarantined.ts'

const EXCERPT_CHARACTERS = 2000

/** What a node tells of a request that it refused: what was wrong, where, and what to do. */
export function refusalOf(problem: TaktError, request: unknown, received: number): Quarantined {
  const text = typeof request === 'string' ? request : Buffer.isBuffer(request) ? request.toString('utf8', 0, EXCERPT_CHARACTERS) : jsonOf(request)
  return {
    kind: 'quarantined',
    code: problem.code,
    what: problem.what,
    where: problem.where,
    do: problem.remedy,
    received,
    bytes: Buffer.byteLength(text),
    excerpt: text.slice(0, EXCERPT_CHARACTERS),
  }
}

function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value)
  } catch {
    return String(value)
  }
}
