/**
 * Just enough of Sparkplug B 3.0 (Protocol Buffers) for simulated machines, on its own: what Takt reads with its codec is not written with it.
 * Field numbers and data types are those of the specification, section 6.
 */

export const TYPES = Object.freeze({ Int64: 4, Double: 10, Boolean: 11, String: 12 } as const)
export type Type = (typeof TYPES)[keyof typeof TYPES]

export interface PacketMetric {
  readonly name: string
  readonly type: Type
  readonly value: number | string | boolean | null
  readonly time: number
}

/** Bytes of a message. `births` carry the data types, data does not. Whole numbers are not negative here. */
export function packet(time: number, seq: number | undefined, metrics: readonly PacketMetric[], births: boolean): Buffer {
  const parts = [varintField(1, time), ...metrics.map((metric) => bytesField(2, metricBytes(metric, births)))]
  if (seq !== undefined) parts.push(varintField(3, seq))
  return Buffer.concat(parts)
}

/** Names and plain values of a command: texts, numbers and booleans; `undefined` for bytes that are none. */
export function readPacket(bytes: Uint8Array): ReadonlyMap<string, string | number | boolean> | undefined {
  const values = new Map<string, string | number | boolean>()
  try {
    for (const { field, content } of fields(Buffer.from(bytes))) {
      if (field !== 2 || !Buffer.isBuffer(content)) continue
      let name = ''
      let value: string | number | boolean | undefined
      for (const part of fields(content)) {
        if (part.field === 1) name = String(part.content)
        else if (part.field === 10 || part.field === 11) value = Number(part.content)
        else if (part.field === 12) value = (part.content as Buffer).readFloatLE()
        else if (part.field === 13) value = (part.content as Buffer).readDoubleLE()
        else if (part.field === 14) value = part.content !== 0
        else if (part.field === 15) value = String(part.content)
      }
      if (name !== '' && value !== undefined) values.set(name, value)
    }
    return values
  } catch {
    return undefined
  }
}

function metricBytes({ name, type, value, time }: PacketMetric, births: boolean): Buffer {
  const parts = [bytesField(1, Buffer.from(name)), varintField(3, time)]
  if (births) parts.push(varintField(4, type))
  if (value === null) parts.push(varintField(7, 1))
  else if (typeof value === 'string') parts.push(bytesField(15, Buffer.from(value)))
  else if (typeof value === 'boolean') parts.push(varintField(14, value ? 1 : 0))
  else if (type === TYPES.Int64) parts.push(varintField(11, value))
  else {
    const double = Buffer.alloc(9)
    double[0] = (13 << 3) | 1
    double.writeDoubleLE(value, 1)
    parts.push(double)
  }
  return Buffer.concat(parts)
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  for (let rest = Math.round(value); ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest])
    bytes.push((rest % 128) | 128)
  }
}

function varintField(field: number, value: number): Buffer {
  return Buffer.concat([varint(field << 3), varint(value)])
}

function bytesField(field: number, content: Buffer): Buffer {
  return Buffer.concat([varint((field << 3) | 2), varint(content.length), content])
}

/** The fields of a message: numbers as they are, everything else as bytes. Throws a RangeError where the bytes end too early. */
function* fields(buffer: Buffer): Generator<{ readonly field: number; readonly content: number | Buffer }> {
  let at = 0
  const number = (): number => {
    let value = 0
    for (let place = 1; ; place *= 128) {
      const byte = buffer.readUInt8(at++)
      value += (byte & 127) * place
      if (byte < 128) return value
    }
  }
  while (at < buffer.length) {
    const key = number()
    const form = key & 7
    if (form === 0) {
      yield { field: key >>> 3, content: number() }
      continue
    }
    const length = form === 2 ? number() : form === 1 ? 8 : 4
    if (at + length > buffer.length) throw new RangeError('cut off')
    yield { field: key >>> 3, content: buffer.subarray(at, at + length) }
    at += length
  }
}
