import { crc32 } from 'node:zlib'

/** Rows that wait for the database: lines of the line protocol, and the span of their times. */
export interface Rows {
  readonly lines: readonly string[]
  /** Epoch ms of the earliest and the latest. */
  readonly from: number
  readonly to: number
}

/** What the index of a segment knows of a record. */
export interface RecordEntry {
  readonly offset: number
  readonly bytes: number
  readonly rows: number
  readonly from: number
  readonly to: number
}

/*
 * A record: magic (4 bytes), length of the text (u32), rows (u32), earliest and latest time (f64 each), CRC-32 of these 24 bytes and the text (u32),
 * then the text: the lines as a JSON array, because a line may hold line breaks. Numbers are little-endian.
 */
const MAGIC = Buffer.from('TKr1')
const CHECKED = 28
export const HEADER_BYTES = CHECKED + 4
/** A length above this is not believed. */
const LONGEST_TEXT = 64 * 1024 * 1024

export function encodeRecord({ lines, from, to }: Rows): Buffer {
  const text = Buffer.from(JSON.stringify(lines))
  const header = Buffer.alloc(HEADER_BYTES)
  MAGIC.copy(header)
  header.writeUInt32LE(text.length, 4)
  header.writeUInt32LE(lines.length, 8)
  header.writeDoubleLE(from, 12)
  header.writeDoubleLE(to, 20)
  header.writeUInt32LE(crc32(text, crc32(header.subarray(4, CHECKED))), CHECKED)
  return Buffer.concat([header, text])
}

/** The record at this place; undefined where none stands there whole and unchanged. */
export function recordAt(buffer: Buffer, offset: number): RecordEntry | undefined {
  if (offset + HEADER_BYTES > buffer.length || buffer.compare(MAGIC, 0, MAGIC.length, offset, offset + MAGIC.length) !== 0) return undefined
  const length = buffer.readUInt32LE(offset + 4)
  const end = offset + HEADER_BYTES + length
  if (length > LONGEST_TEXT || end > buffer.length) return undefined
  const sum = crc32(buffer.subarray(offset + HEADER_BYTES, end), crc32(buffer.subarray(offset + 4, offset + CHECKED)))
  if (sum !== buffer.readUInt32LE(offset + CHECKED)) return undefined
  return {
    offset,
    bytes: end - offset,
    rows: buffer.readUInt32LE(offset + 8),
    from: buffer.readDoubleLE(offset + 12),
    to: buffer.readDoubleLE(offset + 20),
  }
}

export function linesOfRecord(record: Buffer): string[] {
  return JSON.parse(record.toString('utf8', HEADER_BYTES)) as string[]
}

export interface Scan {
  readonly records: readonly RecordEntry[]
  /** Bytes between records that belong to none: a fault of the disk. */
  readonly damaged: number
  /** Bytes after the last record: what was being written when the process died, and never acknowledged. */
  readonly torn: number
}

/** Every whole record of a segment. After a damaged place the next record is found by its magic and its checksum. */
export function scanSegment(buffer: Buffer): Scan {
  const records: RecordEntry[] = []
  let damaged = 0
  let offset = 0
  while (offset < buffer.length) {
    const record = recordAt(buffer, offset)
    if (record !== undefined) {
      records.push(record)
      offset += record.bytes
      continue
    }
    const next = nextRecord(buffer, offset + 1)
    if (next === undefined) return { records, damaged, torn: buffer.length - offset }
    damaged += next - offset
    offset = next
  }
  return { records, damaged, torn: 0 }
}

function nextRecord(buffer: Buffer, after: number): number | undefined {
  for (let at = buffer.indexOf(MAGIC, after); at !== -1; at = buffer.indexOf(MAGIC, at + 1)) {
    if (recordAt(buffer, at) !== undefined) return at
  }
  return undefined
}
