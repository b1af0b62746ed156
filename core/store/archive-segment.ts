import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { open, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { TaktError } from '../base/error.ts'
import { type LedgerRow, rowHash } from './ledger.ts'
import type { LedgerHead } from './store.ts'

/** The file of a stretch of the ledger: gzip over a line a row, `[previous_hash, sequence, type, subject, actor, why, before, after, time, hash]`. The last is SHA-256 over the JSON of the others. Two stores may have one folder: the name has a part of the last row's hash. */
export function segmentName(first: number, { sequence, hash }: LedgerHead): string {
  const digits = (number: number): string => String(number).padStart(12, '0')
  return `ledger-${digits(first)}-${digits(sequence)}-${hash.slice(0, 8)}.jsonl.gz`
}

/** Beside it, what it is in plain words: for people, and for who has the file and not the ledger. */
export function notePath(file: string): string {
  return `${file}.json`
}

export interface WrittenSegment {
  readonly file: string
  readonly bytes: number
  readonly sha256: string
}

/** Writes the rows and makes them durable. A crash leaves the file whole or not there. */
export async function writeSegment(path: string, rows: AsyncIterable<LedgerRow>): Promise<WrittenSegment> {
  const draft = `${path}.new`
  await pipeline(Readable.from(lines(rows)), createGzip(), createWriteStream(draft))
  await flush(draft)
  await rename(draft, path)
  await flushFolder(dirname(path))
  return { file: basename(path), bytes: (await stat(path)).size, sha256: await sha256Of(path) }
}

async function* lines(rows: AsyncIterable<LedgerRow>): AsyncGenerator<string> {
  for await (const row of rows) {
    const { previous_hash, sequence, type, subject, actor, why, before, after, time, hash } = row
    yield `${JSON.stringify([previous_hash, sequence, type, subject, actor, why, before, after, time, hash])}\n`
  }
}

/** Writes the note beside a segment. */
export async function writeNote(path: string, note: unknown): Promise<void> {
  const target = notePath(path)
  await writeFile(`${target}.new`, `${JSON.stringify(note, null, 2)}\n`)
  await flush(`${target}.new`)
  await rename(`${target}.new`, target)
  await flushFolder(dirname(path))
}

/** The rows of a segment in a folder, once its length and hash are what they should be. Throws TAKT_ARCHIVE_SEGMENT. */
export async function* readSegment(folder: string, { file, sha256 }: Pick<WrittenSegment, 'file' | 'sha256'>): AsyncGenerator<LedgerRow> {
  const path = join(folder, file)
  const is = await sha256Of(path).catch((error: NodeJS.ErrnoException) => {
    throw damaged(path, error.code === 'ENOENT' ? 'the file is not there' : `the file cannot be read (${error.code ?? error.message})`, error)
  })
  if (is !== sha256) throw damaged(path, 'the file is not the one that was written: its SHA-256 is another')
  const packed = createReadStream(path)
  const unpacked = createGunzip()
  packed.on('error', (error) => unpacked.destroy(error))
  try {
    for await (const line of linesOf(packed.pipe(unpacked))) yield rowOf(line, path)
  } catch (error) {
    throw error instanceof TaktError ? error : damaged(path, error instanceof Error ? error.message : String(error), error)
  } finally {
    packed.destroy()
    unpacked.destroy()
  }
}

async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of chunks) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = parts.pop() ?? ''
    yield* parts
  }
  if (rest !== '') yield rest
}

/** Reads what was written and compares: the chain from what it follows to its head. Throws TAKT_ARCHIVE_SEGMENT. */
export async function checkSegment(folder: string, written: WrittenSegment, follows: LedgerHead, head: LedgerHead): Promise<void> {
  let at = follows
  for await (const row of readSegment(folder, written)) {
    const fits = row.sequence === at.sequence + 1 && row.previous_hash === at.hash && rowHash(row) === row.hash
    if (!fits) throw damaged(join(folder, written.file), `row ${row.sequence} is not the one that follows row ${at.sequence}`)
    at = { sequence: row.sequence, hash: row.hash }
  }
  if (at.sequence !== head.sequence || at.hash !== head.hash) throw damaged(join(folder, written.file), `it ends with row ${at.sequence}, not ${head.sequence}`)
}

export async function removeSegment(path: string): Promise<void> {
  for (const one of [path, notePath(path)]) await rm(one, { recursive: true, force: true })
}

/** SHA-256 of a file, hex. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

/** Makes a file's content durable. */
export async function flush(path: string): Promise<void> {
  await sync(path, 'r+')
}

/** Makes the names in a folder durable; Windows does so by itself and lets nobody ask. */
export async function flushFolder(path: string): Promise<void> {
  if (process.platform !== 'win32') await sync(path, 'r')
}

async function sync(path: string, flags: string): Promise<void> {
  const file = await open(path, flags)
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

function rowOf(line: string, path: string): LedgerRow {
  const values = JSON.parse(line) as unknown
  if (!Array.isArray(values) || values.length !== 10) throw damaged(path, 'a line of it is no row')
  const [previous_hash, sequence, type, subject, actor, why, before, after, time, hash] = values
  return { previous_hash, sequence, type, subject, actor, why, before, after, time, hash } as LedgerRow
}

function damaged(where: string, what: string, cause?: unknown): TaktError {
  return new TaktError('TAKT_ARCHIVE_SEGMENT', { what, where, cause })
}
