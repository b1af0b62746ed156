import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { TaktError } from '../base/error.ts'
import { type Anchor, parseAnchor, sealFault } from './anchor.ts'
import { checkSegment, notePath, type WrittenSegment } from './archive-segment.ts'

/** A file of an archive as its note tells of it. */
export interface NotedSegment extends WrittenSegment {
  readonly first: number
  readonly last: number
  readonly previousHash: string
  readonly head: Anchor
}

export interface CheckedArchive {
  /** in the order of their rows */
  readonly segments: readonly NotedSegment[]
  /** Files without a note: archiving was killed there, and the ledger names them not, or somebody took the note away. */
  readonly unnoted: readonly string[]
}

/**
 * Checks the files of an archive by the notes beside them, without the ledger: each file's SHA-256, each row's hash and that it follows the one before, and with a key that
 * the key signed the last one. Throws TAKT_ARCHIVE_SEGMENT for the first that is not what was written, and for a folder without any.
 */
export async function checkArchive(folder: string, publicKey?: string): Promise<CheckedArchive> {
  const names = namesIn(folder)
  const segments = names
    .filter((name) => name.endsWith(notePath(SUFFIX)))
    .map((name) => readNote(folder, name))
    .sort((a, b) => a.first - b.first || a.last - b.last)
  if (segments.length === 0) throw damaged(folder, 'there is no archive file with its note')
  for (const segment of segments) {
    const { first, head, previousHash, file } = segment
    const fault = publicKey === undefined ? undefined : sealFault(head, publicKey, 'its last row')
    if (fault !== undefined) throw damaged(join(folder, file), fault)
    await checkSegment(folder, segment, { sequence: first - 1, hash: previousHash }, head)
  }
  return { segments, unnoted: names.filter((name) => name.endsWith(SUFFIX) && !names.includes(notePath(name))) }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    throw damaged(folder, `the folder cannot be read (${(error as NodeJS.ErrnoException).code})`, error)
  }
}

const SUFFIX = '.jsonl.gz'

function readNote(folder: string, name: string): NotedSegment {
  let note: Partial<Record<keyof NotedSegment | 'kind', unknown>> | null
  try {
    note = JSON.parse(readFileSync(join(folder, name), 'utf8')) as typeof note
  } catch (error) {
    throw damaged(join(folder, name), `the note cannot be read: ${String(error)}`, error)
  }
  const { kind, first, last, previousHash, head, file, bytes, sha256 } = note ?? {}
  const anchor = parseAnchor(head)
  const isNote = kind === 'takt-ledger-segment' && Number.isSafeInteger(first) && Number.isSafeInteger(last) && typeof bytes === 'number'
  if (!isNote || anchor === undefined || typeof previousHash !== 'string' || typeof sha256 !== 'string' || notePath(String(file)) !== name)
    throw damaged(join(folder, name), 'it is no note of an archive file')
  return { first: first as number, last: last as number, previousHash, head: anchor, file: String(file), bytes, sha256 }
}

function damaged(where: string, what: string, cause?: unknown): TaktError {
  return new TaktError('TAKT_ARCHIVE_SEGMENT', { what, where, cause })
}
