import assert from 'node:assert/strict'
import { deflateSync, gzipSync } from 'node:zlib'
import { TaktError } from '../../../../core/base/error.ts'
import { seededRandom } from '../../../../core/base/random.ts'
import { decodePayload, encodePayload, type Payload } from '../../../../core/connect/sparkplug/codec.ts'
import { COMPRESSED, unpackPayload } from '../../../../core/connect/sparkplug/compressed.ts'
import { DATA_TYPES } from '../../../../core/connect/sparkplug/datatypes.ts'
import { RandomPayload } from './support/random-payload.ts'
import { foreignEncode } from './support/schema.ts'

const T = DATA_TYPES
const MiB = 1024 * 1024

function varint(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80)
  return [...bytes, rest]
}

/** A field with a length before it. */
function field(number: number, content: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([...varint(number * 8 + 2), ...varint(content.length)]), content])
}

/** The beginning of a field with a length before it. */
function head(number: number, length: number): Buffer {
  return Buffer.from([...varint(number * 8 + 2), ...varint(length)])
}

/** Messages inside one another, `depth` deep: `fields` from the outermost to the innermost, with `before` each level's own content. */
function nested(depth: number, fields: readonly number[], before: Buffer = Buffer.alloc(0)): Buffer {
  const parts: Buffer[] = []
  let length = 0
  for (let level = 0; level < depth; level++) {
    for (const number of [...fields].reverse()) {
      const part = head(number, length)
      parts.push(part)
      length += part.length
    }
    parts.push(before)
    length += before.length
  }
  return Buffer.concat(parts.reverse())
}

const refused = (bytes: Uint8Array, code: string, what?: RegExp): void => {
  assert.throws(
    () => decodePayload(bytes),
    (thrown: unknown) => {
      assert.ok(thrown instanceof TaktError, String(thrown))
      assert.equal(thrown.code, code)
      if (what !== undefined) assert.match(thrown.what, what)
      return true
    },
  )
}

describe('Sparkplug codec against hostile bytes', () => {
  const example = encodePayload({
    timestamp: 1_763_810_000_123,
    metrics: [
      {
        name: 'Größe',
        alias: 300,
        timestamp: 1_763_810_000_123,
        datatype: T.Double,
        value: 1.5,
        properties: new Map([['Quality', { type: T.Int32, value: 192 }]]),
      },
      { name: 'Table', datatype: T.DataSet, value: { columns: ['a'], types: [T.Int64], rows: [[-1]] } },
      {
        name: 'Motor',
        datatype: T.Template,
        value: { metrics: [{ name: 'Speed', datatype: T.Float, value: 2 }], parameters: [{ name: 'p', type: T.Boolean, value: true }] },
      },
    ],
    seq: 7,
  })

  it('cut off anywhere it is refused, or it is a shorter message', () => {
    let refusedOnes = 0
    for (let length = 0; length < example.length; length++) {
      try {
        assert.ok(decodePayload(example.subarray(0, length)).metrics.length <= 3)
      } catch (thrown) {
        assert.ok(thrown instanceof TaktError && thrown.code === 'TAKT_SPARKPLUG_INVALID', String(thrown))
        refusedOnes++
      }
    }
    // the ends of whole fields: nothing, the time, three metrics
    assert.equal(refusedOnes, example.length - 5)
  })

  it('integers that are too long or too large', () => {
    refused(Buffer.from([0x08, ...Array.from({ length: 10 }, () => 0xff), 0x01]), 'TAKT_SPARKPLUG_INVALID', /longer than 10 bytes/)
    refused(Buffer.from([0x08, ...Array.from({ length: 9 }, () => 0xff), 0x02]), 'TAKT_SPARKPLUG_INVALID', /more than 64 bits/)
    refused(field(2, Buffer.from([0x20, 0xff, 0xff, 0xff, 0xff, 0x7f])), 'TAKT_SPARKPLUG_INVALID', /more than 32 bits/)
    // a longer form than needed is legal
    assert.equal(decodePayload(Buffer.from([0x18, 0x87, 0x80, 0x80, 0x00])).seq, 7)
  })

  it('lengths beyond the end, up to the largest', () => {
    for (const length of [1, 127, 128, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]) {
      refused(Buffer.from([0x12, ...varint(length)]), 'TAKT_SPARKPLUG_INVALID')
      refused(Buffer.from([0x22, ...varint(length)]), 'TAKT_SPARKPLUG_INVALID')
      refused(Buffer.from([0x2a, ...varint(length)]), 'TAKT_SPARKPLUG_INVALID')
    }
    // the length of a metric that ends in the middle of its name
    refused(Buffer.from([0x12, 0x03, 0x0a, 0x05, 0x61]), 'TAKT_SPARKPLUG_INVALID')
  })

  it('groups, field number 0, wire types that are none, and known fields in another form', () => {
    refused(Buffer.from([0x13, 0x14]), 'TAKT_SPARKPLUG_INVALID')
    refused(Buffer.from([0xa3, 0x06, 0xa4, 0x06]), 'TAKT_SPARKPLUG_INVALID', /wire type 3/)
    refused(Buffer.from([0x00, 0x00]), 'TAKT_SPARKPLUG_INVALID', /field number 0/)
    refused(Buffer.from([0x80, 0x00, 0x00]), 'TAKT_SPARKPLUG_INVALID', /field number 0/)
    refused(Buffer.from([0xa6, 0x06]), 'TAKT_SPARKPLUG_INVALID')
    refused(Buffer.from([0x0a, 0x00]), 'TAKT_SPARKPLUG_INVALID', /field 1 of the payload/)
    refused(field(2, Buffer.from([0x08, 0x01])), 'TAKT_SPARKPLUG_INVALID', /field 1 of a metric/)
  })

  it('texts that are not UTF-8, and those that only look so', () => {
    for (const bad of [[0xff], [0xc3], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0x61, 0x80]])
      refused(field(2, field(1, Buffer.from(bad))), 'TAKT_SPARKPLUG_INVALID', /UTF-8/)
    assert.equal(decodePayload(field(2, field(1, Buffer.from('a�b')))).metrics[0]?.name, 'a�b')
    assert.equal(decodePayload(field(2, field(1, Buffer.from('a\0b')))).metrics[0]?.name, 'a\0b')
  })

  it('templates and property sets nested 10,000 deep', () => {
    const key = field(1, Buffer.from('k'))
    refused(nested(10_000, [2, 18]), 'TAKT_SPARKPLUG_TOO_LARGE', /nested deeper than 32/)
    refused(field(2, field(9, nested(10_000, [2, 9], key))), 'TAKT_SPARKPLUG_TOO_LARGE', /nested deeper than 32/)
    refused(field(2, field(9, nested(10_000, [2, 10, 1], key))), 'TAKT_SPARKPLUG_TOO_LARGE', /nested deeper than 32/)
  })

  it('32 levels are taken', () => {
    let value: Payload['metrics'][number] = { name: 'deepest', datatype: T.Int32, value: 1 }
    for (let level = 0; level < 32; level++) value = { name: 't', datatype: T.Template, value: { metrics: [value], parameters: [] } }
    assert.equal(decodePayload(encodePayload({ metrics: [value] })).metrics.length, 1)
  })

  it('more than is taken of anything', () => {
    refused(Buffer.alloc(4 * MiB + 1), 'TAKT_SPARKPLUG_TOO_LARGE', /bytes/)
    refused(Buffer.from('1200'.repeat(60_000), 'hex'), 'TAKT_SPARKPLUG_TOO_LARGE', /metrics/)
    refused(field(2, field(1, Buffer.alloc(MiB + 1, 'a'))), 'TAKT_SPARKPLUG_TOO_LARGE', /a text/)
    refused(field(2, field(17, Buffer.from('2200'.repeat(260_000), 'hex'))), 'TAKT_SPARKPLUG_TOO_LARGE', /values/)
    refused(field(2, field(17, field(3, Buffer.alloc(260_000, 1)))), 'TAKT_SPARKPLUG_TOO_LARGE', /values/)
    // eight booleans a byte
    refused(foreignEncode({ metrics: [{ datatype: T.BooleanArray, bytes_value: Buffer.alloc(40_000) }] }), 'TAKT_SPARKPLUG_TOO_LARGE', /values/)
    refused(foreignEncode({ metrics: [{ datatype: T.StringArray, bytes_value: Buffer.alloc(260_000) }] }), 'TAKT_SPARKPLUG_TOO_LARGE', /values/)
  })

  it('a property set with more keys than values', () => {
    refused(field(2, field(9, field(1, Buffer.from('k')))), 'TAKT_SPARKPLUG_INVALID', /1 keys and 0 values/)
  })

  it('is done with four megabytes of small fields in seconds', () => {
    for (const unit of ['a00601', '220161', '2a00', '0801']) {
      const bytes = Buffer.from(unit.repeat(Math.floor((4 * MiB) / (unit.length / 2))), 'hex')
      const began = performance.now()
      decodePayload(bytes)
      assert.ok(performance.now() - began < 20_000, unit)
    }
  })

  it('random bytes: a payload or a coded error, never anything else', () => {
    const random = seededRandom(11)
    for (let round = 0; round < 20_000; round++) survives(Uint8Array.from({ length: Math.floor(random() * 60) }, () => Math.floor(random() * 256)))
  })

  it('payloads with some bytes changed, left out, doubled or cut off', () => {
    const random = seededRandom(12)
    const payloads = new RandomPayload(random)
    for (let round = 0; round < 2000; round++) {
      let bytes = Buffer.from(encodePayload(payloads.payload()))
      for (let change = 0; change <= random() * 4; change++) {
        const at = Math.floor(random() * bytes.length)
        const kind = random()
        if (kind < 0.5 && bytes.length > 0) bytes[at] = Math.floor(random() * 256)
        else if (kind < 0.7) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)])
        else if (kind < 0.9) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.max(0, at - 5))])
        else bytes = bytes.subarray(0, at)
      }
      survives(bytes)
    }
  })

  describe('compressed payloads', () => {
    const inner = encodePayload({ timestamp: 5, seq: 3, metrics: [{ name: 'a', datatype: T.Int32, value: 1 }] })
    const wrap = (body: Uint8Array, algorithm?: string): Uint8Array =>
      encodePayload({ uuid: COMPRESSED, body, metrics: algorithm === undefined ? [] : [{ name: 'algorithm', datatype: T.String, value: algorithm }] })

    it('are unpacked: DEFLATE, which needs no name, and GZIP', () => {
      for (const bytes of [wrap(deflateSync(inner)), wrap(deflateSync(inner), 'DEFLATE'), wrap(gzipSync(inner), 'GZIP')]) {
        const { metrics, seq, timestamp } = unpackPayload(bytes)
        assert.deepEqual([metrics[0]?.value, seq, timestamp], [1, 3, 5])
      }
      assert.deepEqual(unpackPayload(inner), decodePayload(inner))
    })

    it('that would unpack to more than is taken', () => {
      const bomb = wrap(deflateSync(Buffer.alloc(64 * MiB)))
      assert.ok(bomb.length < MiB)
      assert.throws(() => unpackPayload(bomb), { code: 'TAKT_SPARKPLUG_TOO_LARGE' })
    })

    it('that are damaged, of an unknown algorithm, or compressed twice', () => {
      assert.throws(() => unpackPayload(wrap(Buffer.from('no zlib'))), { code: 'TAKT_SPARKPLUG_INVALID' })
      assert.throws(() => unpackPayload(wrap(deflateSync(inner).subarray(0, 8))), { code: 'TAKT_SPARKPLUG_INVALID' })
      assert.throws(() => unpackPayload(wrap(inner, 'BROTLI')), { code: 'TAKT_SPARKPLUG_INVALID' })
      assert.throws(() => unpackPayload(wrap(deflateSync(wrap(deflateSync(inner))))), { code: 'TAKT_SPARKPLUG_INVALID' })
      assert.throws(() => unpackPayload(encodePayload({ uuid: COMPRESSED, metrics: [] })), { code: 'TAKT_SPARKPLUG_INVALID' })
    })
  })
})

function survives(bytes: Uint8Array): void {
  try {
    const payload = decodePayload(bytes)
    assert.ok(Array.isArray(payload.metrics))
  } catch (thrown) {
    assert.ok(thrown instanceof TaktError && thrown.code.startsWith('TAKT_SPARKPLUG_'), `${Buffer.from(bytes).toString('hex')}: ${thrown}`)
  }
}
