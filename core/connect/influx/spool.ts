import { type FileHandle, mkdir, open, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { TaktError } from '../../base/error.ts'
import { encodeRecord, linesOfRecord, type RecordEntry, type Rows, scanSegment } from './spool-record.ts'

export interface SpoolSetting {
  readonly folder: string
  /** Oldest segments are dropped when the files would become larger than this. */
  readonly maxBytes: number
  readonly where: string
  /** Rows that were given up, oldest first, with the span of their times. */
  dropped(rows: number, from: number, to: number): void
  /** A segment has bytes that belong to no record: the disk changed what was written. */
  damaged(bytes: number, file: string): void
}

interface Segment {
  readonly file: string
  bytes: number
  rows: number
  /** Records not yet taken, oldest first. Only of the segment being read: of the others the sums are enough. */
  unread: RecordEntry[] | undefined
}

const LARGEST_SEGMENT = 4 * 1024 * 1024
const SUFFIX = '.rows'

/**
 * Rows on disk, first in, first out, in files of a few megabytes. What `append` acknowledged is flushed and survives `kill -9` and a cut of the power;
 * a record half written is found by its checksum and ignored. What was taken and not yet deleted comes again after a restart: to write a row twice
 * changes nothing, because its time is the source's. One process at a time may use a folder.
 */
export class Spool {
  readonly #setting: SpoolSetting
  readonly #segmentBytes: number
  /** Oldest first; the last one is written to while `#handle` is open. */
  readonly #segments: Segment[] = []
  #handle: FileHandle | undefined
  #number = 0
  #bytes = 0
  #rows = 0
  #turn: Promise<unknown> = Promise.resolve()

  private constructor(setting: SpoolSetting) {
    this.#setting = setting
    this.#segmentBytes = Math.min(LARGEST_SEGMENT, Math.ceil(setting.maxBytes / 8))
  }

  /** Opens the folder, made where there is none, and finds what was left in it. Throws TAKT_HISTORIAN_SPOOL. */
  static async open(setting: SpoolSetting): Promise<Spool> {
    const spool = new Spool(setting)
    try {
      await spool.#recover()
    } catch (cause) {
      throw spool.#problem(cause)
    }
    return spool
  }

  /** Bytes on disk. */
  get bytes(): number {
    return this.#bytes
  }

  /** Rows that wait. */
  get rows(): number {
    return this.#rows
  }

  /** Resolves when the rows are flushed. Throws TAKT_HISTORIAN_SPOOL where they cannot be kept, even after the oldest were given up. */
  append(rows: Rows): Promise<void> {
    return this.#inTurn(async () => {
      const record = encodeRecord(rows)
      if (record.length > this.#setting.maxBytes)
        throw this.#problem(new Error(`a batch of ${record.length} bytes does not fit into ${this.#setting.maxBytes}`))
      while (this.#bytes + record.length > this.#setting.maxBytes && this.#segments.length > 0) await this.#dropOldest()
      for (;;) {
        try {
          return await this.#write(record, rows)
        } catch (cause) {
          await this.#closeHandle()
          // a full disk is a bound like the other: the oldest goes first
          const isFull = ['ENOSPC', 'EDQUOT'].includes(String((cause as { code?: unknown }).code))
          if (!isFull || this.#segments.length === 0) throw this.#problem(cause)
          await this.#dropOldest()
        }
      }
    })
  }

  /** The oldest rows, and the way to delete them once they are safe elsewhere; undefined when nothing waits. */
  peek(): Promise<{ readonly rows: Rows; remove(): Promise<void> } | undefined> {
    return this.#inTurn(async () => {
      for (;;) {
        const segment = this.#segments[0]
        if (segment === undefined) return undefined
        const file = join(this.#setting.folder, segment.file)
        // what is being written is closed first, so that it never grows while it is read
        if (this.#segments.length === 1) await this.#closeHandle()
        try {
          segment.unread ??= [...scanSegment(await readFile(file)).records]
          const record = segment.unread[0]
          if (record === undefined) {
            await this.#remove(segment)
            continue
          }
          const lines = linesOfRecord(await readPart(file, record))
          return { rows: { lines, from: record.from, to: record.to }, remove: () => this.#inTurn(() => this.#taken(segment, record)) }
        } catch (cause) {
          if ((cause as { code?: unknown }).code !== 'ENOENT') throw this.#problem(cause)
          // somebody deleted it: what was in it is gone, what comes after it is not
          this.#setting.damaged(segment.bytes, segment.file)
          await this.#remove(segment)
        }
      }
    })
  }

  async close(): Promise<void> {
    await this.#inTurn(() => this.#closeHandle())
  }

  async #recover(): Promise<void> {
    const { folder, damaged } = this.#setting
    await mkdir(folder, { recursive: true })
    const files = (await readdir(folder)).filter((name) => /^\d{8,}\.rows$/.test(name)).sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))
    for (const file of files) {
      this.#number = Number.parseInt(file, 10)
      const buffer = await readFile(join(folder, file))
      const scan = scanSegment(buffer)
      if (scan.damaged > 0) damaged(scan.damaged, file)
      if (scan.records.length === 0) {
        await rm(join(folder, file), { force: true })
        continue
      }
      const rows = scan.records.reduce((sum, record) => sum + record.rows, 0)
      this.#segments.push({ file, bytes: buffer.length, rows, unread: undefined })
      this.#bytes += buffer.length
      this.#rows += rows
    }
  }

  async #write(record: Buffer, rows: Rows): Promise<void> {
    let segment = this.#segments.at(-1)
    if (segment === undefined || this.#handle === undefined || segment.bytes + record.length > this.#segmentBytes) {
      await this.#closeHandle()
      segment = await this.#newSegment()
    }
    const handle = this.#handle as unknown as FileHandle
    try {
      await writeAll(handle, record, segment.bytes)
      await handle.datasync()
    } catch (cause) {
      // half a record would make what comes after it look damaged
      await handle.truncate(segment.bytes).catch(() => {})
      if (segment.bytes === 0) await this.#remove(segment).catch(() => {})
      throw cause
    }
    segment.bytes += record.length
    segment.rows += rows.lines.length
    this.#bytes += record.length
    this.#rows += rows.lines.length
  }

  async #newSegment(): Promise<Segment> {
    const { folder } = this.#setting
    this.#number++
    const file = `${String(this.#number).padStart(8, '0')}${SUFFIX}`
    this.#handle = await open(join(folder, file), 'wx')
    // the name of the file must survive too
    const directory = await open(folder, 'r')
    await directory.sync().catch(() => {})
    await directory.close()
    const segment: Segment = { file, bytes: 0, rows: 0, unread: undefined }
    this.#segments.push(segment)
    return segment
  }

  async #taken(segment: Segment, record: RecordEntry): Promise<void> {
    // it may have been dropped meanwhile
    if (!this.#segments.includes(segment) || segment.unread?.[0] !== record) return
    segment.unread.shift()
    segment.rows -= record.rows
    this.#rows -= record.rows
    if (segment.unread.length === 0) await this.#remove(segment)
  }

  async #dropOldest(): Promise<void> {
    const segment = this.#segments[0]
    if (segment === undefined) return
    if (this.#segments.length === 1) await this.#closeHandle()
    const file = join(this.#setting.folder, segment.file)
    const records =
      segment.unread ??
      (await readFile(file).then(
        (buffer) => scanSegment(buffer).records,
        () => [],
      ))
    const { rows } = segment
    await this.#remove(segment)
    if (rows > 0) this.#setting.dropped(rows, earliest(records), latest(records))
  }

  async #remove(segment: Segment): Promise<void> {
    const at = this.#segments.indexOf(segment)
    if (at === -1) return
    if (at === this.#segments.length - 1) await this.#closeHandle()
    this.#segments.splice(at, 1)
    this.#bytes -= segment.bytes
    this.#rows -= segment.rows
    await rm(join(this.#setting.folder, segment.file), { force: true })
  }

  async #closeHandle(): Promise<void> {
    const handle = this.#handle
    this.#handle = undefined
    await handle?.close().catch(() => {})
  }

  /** One thing after the other: who reads must not meet who drops. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work)
    this.#turn = result.catch(() => {})
    return result
  }

  #problem(cause: unknown): TaktError {
    if (cause instanceof TaktError) return cause
    const what = `values that wait for the database cannot be kept in ${this.#setting.folder}: ${cause instanceof Error ? cause.message : String(cause)}`
    return new TaktError('TAKT_HISTORIAN_SPOOL', { what, where: this.#setting.where, cause })
  }
}

async function writeAll(handle: FileHandle, buffer: Buffer, position: number): Promise<void> {
  for (let done = 0; done < buffer.length; ) done += (await handle.write(buffer, done, buffer.length - done, position + done)).bytesWritten
}

async function readPart(file: string, { offset, bytes }: RecordEntry): Promise<Buffer> {
  const handle = await open(file, 'r')
  try {
    const buffer = Buffer.alloc(bytes)
    const { bytesRead } = await handle.read(buffer, 0, bytes, offset)
    if (bytesRead < bytes) throw new Error(`${file} ends too early`)
    return buffer
  } finally {
    await handle.close()
  }
}

const earliest = (records: readonly RecordEntry[]): number => records.reduce((least, { from }) => Math.min(least, from), Number.POSITIVE_INFINITY)
const latest = (records: readonly RecordEntry[]): number => records.reduce((most, { to }) => Math.max(most, to), 0)
