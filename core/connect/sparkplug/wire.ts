import { isUtf8 } from 'node:buffer'
import { endianness } from 'node:os'
import { TaktError } from '../../base/error.ts'
import type { Integer } from './payload.ts'

/** Protocol Buffers on the wire (the encoding guide of protobuf, proto2): only what Sparkplug B needs, exact and bounded. */
export const WIRE = Object.freeze({ varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const)

const TWO_32 = 0x1_0000_0000
/** Names of metrics and properties come again and again: texts up to this many bytes are looked up before they are made. */
const SHORT_TEXT = 64
const KNOWN_TEXTS = 4096
const knownTexts: (string | undefined)[] = new Array(KNOWN_TEXTS).fill(undefined)

/** Faster than the buffer's own methods, which check again what has been checked. */
const double = new Float64Array(1)
const float = new Float32Array(1)
const doubleBytes = new Uint8Array(double.buffer)
const floatBytes = new Uint8Array(float.buffer)
const LITTLE_ENDIAN = endianness() === 'LE'

/** Reads one buffer from front to back. Everything that is not as it must be throws TAKT_SPARKPLUG_INVALID. */
export class WireReader {
  readonly buffer: Buffer
  position = 0
  readonly #where: string

  constructor(bytes: Uint8Array, where: string) {
    this.buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#where = where
  }

  /** A field's key: `field << 3 | wire type`. `end` is the end of the message that is being read. */
  key(end: number): number {
    const { buffer, position } = this
    const first = buffer[position] as number
    if (first < 0x80) {
      this.position = position + 1
      return first < 8 ? this.refuse('field number 0') : first
    }
    const key = this.uint32(end)
    if (key < 8) this.refuse('field number 0')
    return key
  }

  /** A varint of at most 32 bits. */
  uint32(end: number): number {
    const { buffer } = this
    let { position } = this
    let value = 0
    for (let shift = 0; shift < 28; shift += 7) {
      if (position >= end) this.#truncated()
      const byte = buffer[position++] as number
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        this.position = position
        return value
      }
    }
    const wide = this.uint64(end)
    if (wide < TWO_32) return Number(wide)
    // a negative number that was widened to 64 bits before it was written
    if (typeof wide === 'bigint' && wide >= 0xffff_ffff_8000_0000n) return Number(BigInt.asUintN(32, wide))
    return this.refuse('a 32-bit integer has more than 32 bits')
  }

  /** A varint of at most 64 bits: a number where that is exact. `signed` reads it as two's complement. */
  uint64(end: number, signed = false): Integer {
    const { buffer } = this
    let { position } = this
    if (position < end && (buffer[position] as number) < 0x80) {
      this.position = position + 1
      return buffer[position] as number
    }
    let low = 0
    let byte = 0
    for (let shift = 0; shift < 28; shift += 7) {
      if (position >= end) this.#truncated()
      byte = buffer[position++] as number
      low |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        this.position = position
        return low
      }
    }
    let middle = 0
    for (let shift = 0; shift < 28; shift += 7) {
      if (position >= end) this.#truncated()
      byte = buffer[position++] as number
      middle |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        this.position = position
        return exact(low, middle, 0)
      }
    }
    let high = 0
    for (let shift = 0; shift < 14; shift += 7) {
      if (position >= end) this.#truncated()
      byte = buffer[position++] as number
      high |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        this.position = position
        if (high > 0xff) this.refuse('an integer has more than 64 bits')
        // -2^53 and above, which needs no BigInt
        if (signed && high === 0xff && middle > 0xe000000) return (middle - 0x10000000) * 0x10000000 + low
        return signed ? shrink(BigInt.asIntN(64, BigInt(exact(low, middle, high)))) : exact(low, middle, high)
      }
    }
    return this.refuse('an integer is longer than 10 bytes')
  }

  boolean(end: number): boolean {
    return this.uint64(end) !== 0
  }

  float(end: number): number {
    const at = this.#advance(4, end)
    const { buffer } = this
    for (let index = 0; index < 4; index++) floatBytes[LITTLE_ENDIAN ? index : 3 - index] = buffer[at + index] as number
    return float[0] as number
  }

  double(end: number): number {
    const at = this.#advance(8, end)
    const { buffer } = this
    for (let index = 0; index < 8; index++) doubleBytes[LITTLE_ENDIAN ? index : 7 - index] = buffer[at + index] as number
    return double[0] as number
  }

  /** Reads a length and returns where the field ends; the position is at its first byte. */
  length(end: number): number {
    const length = this.uint32(end)
    if (length > end - this.position) this.#truncated()
    return this.position + length
  }

  string(end: number, longest: number): string {
    const stop = this.length(end)
    const start = this.position
    if (stop - start > longest) {
      throw new TaktError('TAKT_SPARKPLUG_TOO_LARGE', { what: `a text of ${stop - start} bytes where at most ${longest} are taken`, where: this.#where })
    }
    this.position = stop
    return this.text(start, stop)
  }

  /** UTF-8 between two positions. */
  text(start: number, stop: number): string {
    const { buffer } = this
    const length = stop - start
    if (length <= SHORT_TEXT) {
      let hash = length
      let wide = 0
      for (let at = start; at < stop; at++) {
        const byte = buffer[at] as number
        wide |= byte
        hash = (Math.imul(hash, 31) + byte) | 0
      }
      if (wide < 0x80) {
        const slot = hash & (KNOWN_TEXTS - 1)
        const known = knownTexts[slot]
        if (known !== undefined && known.length === length && sameText(known, buffer, start)) return known
        return (knownTexts[slot] = buffer.toString('latin1', start, stop))
      }
    }
    const text = buffer.toString('utf8', start, stop)
    if (text.includes('�') && !isUtf8(buffer.subarray(start, stop))) this.refuse('a text is not valid UTF-8')
    return text
  }

  /** A copy: the network's buffer is not kept alive by one of its fields. */
  bytes(end: number): Uint8Array {
    const stop = this.length(end)
    const copy = Uint8Array.prototype.slice.call(this.buffer, this.position, stop)
    this.position = stop
    return new Uint8Array(copy.buffer, copy.byteOffset, copy.byteLength)
  }

  /** Passes over a field that is not known. Groups are refused: proto2 has them, Sparkplug does not. */
  skip(key: number, end: number): void {
    switch (key & 7) {
      case WIRE.varint:
        this.uint64(end)
        return
      case WIRE.fixed64:
        this.#advance(8, end)
        return
      case WIRE.bytes:
        this.position = this.length(end)
        return
      case WIRE.fixed32:
        this.#advance(4, end)
        return
      default:
        this.refuse(`wire type ${key & 7} of field ${key >>> 3} is not taken`)
    }
  }

  /** Throws for a known field that stands on the wire in another form than its own. */
  wrongForm(key: number, message: string): never {
    return this.refuse(`field ${key >>> 3} of ${message} has wire type ${key & 7}`)
  }

  refuse(what: string): never {
    throw new TaktError('TAKT_SPARKPLUG_INVALID', { what: `${what}, at byte ${this.position}`, where: this.#where })
  }

  #advance(bytes: number, end: number): number {
    const at = this.position
    if (bytes > end - at) this.#truncated()
    this.position = at + bytes
    return at
  }

  #truncated(): never {
    return this.refuse('the payload is cut off')
  }
}

/** As a number where that is exact. */
export function shrink(value: bigint): Integer {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

function sameText(text: string, buffer: Buffer, start: number): boolean {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) !== buffer[start + index]) return false
  return true
}

function exact(low: number, middle: number, high: number): Integer {
  // 53 bits: 28, then 25 of the middle
  if (high === 0 && middle < 0x2000000) return middle * 0x10000000 + low
  return (BigInt(high) << 56n) | (BigInt(middle) << 28n) | BigInt(low)
}

/** Builds a message back to front in one growing buffer: a length is known by the time it is written, so nothing is copied twice. */
export class WireWriter {
  #buffer: Buffer = Buffer.allocUnsafe(256)
  /** The first byte that is written; everything before it is free. */
  #start = 256

  /** Bytes written so far: a mark for `message`. */
  get length(): number {
    return this.#buffer.length - this.#start
  }

  finish(): Buffer {
    return Buffer.from(this.#buffer.subarray(this.#start))
  }

  varint(field: number, value: Integer): void {
    this.#varint(value)
    this.#varint((field << 3) | WIRE.varint)
  }

  boolean(field: number, value: boolean): void {
    this.varint(field, value ? 1 : 0)
  }

  float(field: number, value: number): void {
    this.#room(4)
    this.#start -= 4
    this.#buffer.writeFloatLE(value, this.#start)
    this.#varint((field << 3) | WIRE.fixed32)
  }

  double(field: number, value: number): void {
    this.#room(8)
    this.#start -= 8
    this.#buffer.writeDoubleLE(value, this.#start)
    this.#varint((field << 3) | WIRE.fixed64)
  }

  string(field: number, value: string): void {
    const bytes = Buffer.byteLength(value)
    this.#room(bytes)
    this.#start -= bytes
    this.#buffer.write(value, this.#start, bytes, 'utf8')
    this.#varint(bytes)
    this.#varint((field << 3) | WIRE.bytes)
  }

  bytes(field: number, value: Uint8Array): void {
    this.#room(value.length)
    this.#start -= value.length
    this.#buffer.set(value, this.#start)
    this.#varint(value.length)
    this.#varint((field << 3) | WIRE.bytes)
  }

  /** Closes a nested message whose fields were written since `mark`. */
  message(field: number, mark: number): void {
    this.#varint(this.length - mark)
    this.#varint((field << 3) | WIRE.bytes)
  }

  #varint(value: Integer): void {
    const size = sizeOf(value)
    this.#room(size)
    this.#start -= size
    const buffer = this.#buffer
    let at = this.#start
    let rest = value
    while (rest > 0x7f) {
      if (typeof rest === 'bigint') {
        buffer[at++] = Number(rest & 0x7fn) | 0x80
        rest >>= 7n
      } else {
        buffer[at++] = (rest % 128) | 0x80
        rest = Math.floor(rest / 128)
      }
    }
    buffer[at] = Number(rest)
  }

  #room(bytes: number): void {
    if (bytes <= this.#start) return
    const used = this.length
    const grown = Buffer.allocUnsafe(Math.max(2 * this.#buffer.length, used + bytes + 256))
    this.#buffer.copy(grown, grown.length - used, this.#start)
    this.#start = grown.length - used
    this.#buffer = grown
  }
}

function sizeOf(value: Integer): number {
  let size = 1
  for (let rest = value; rest > 0x7f; size++) rest = typeof rest === 'bigint' ? rest >> 7n : Math.floor(rest / 128)
  return size
}
