import assert from 'node:assert/strict'
import { seededRandom } from '../../../../core/base/random.ts'
import { decodePayload, encodePayload, type Metric, type Payload, type Value } from '../../../../core/connect/sparkplug/codec.ts'
import { DATA_TYPES, dataTypeName, ELEMENT_TYPES } from '../../../../core/connect/sparkplug/datatypes.ts'
import { RandomPayload } from './support/random-payload.ts'
import { foreignDecode, foreignEncode } from './support/schema.ts'
import { toForeign } from './support/to-foreign.ts'

const T = DATA_TYPES
const ROUNDS = 400

/** What was decoded, without what only decoding adds. */
function plain(payload: Payload): Payload {
  return { ...payload, metrics: payload.metrics.map(plainMetric) }
}

function plainMetric({ wire: _wire, value, ...metric }: Metric): Metric {
  if (value === undefined) return metric
  return { ...metric, value: typeof value === 'object' && 'metrics' in value ? { ...value, metrics: value.metrics.map(plainMetric) } : value }
}

function withoutArrays(payload: Record<string, any>): Record<string, any> {
  const strip = (metric: Record<string, any>): Record<string, any> => {
    const { bytes_value, template_value, ...rest } = metric
    return {
      ...rest,
      ...(bytes_value !== undefined && metric.datatype < 22 ? { bytes_value } : {}),
      ...(template_value === undefined ? {} : { template_value: { ...template_value, metrics: template_value.metrics.map(strip) } }),
    }
  }
  return { ...payload, metrics: payload.metrics.map(strip) }
}

const one = (metric: Record<string, unknown>): Metric => decodePayload(foreignEncode({ metrics: [metric] })).metrics[0] as Metric

describe('Sparkplug B codec', () => {
  it(`gives back ${ROUNDS} random payloads as they were`, () => {
    const random = new RandomPayload(seededRandom(1))
    for (let round = 0; round < ROUNDS; round++) {
      const payload = random.payload()
      assert.deepEqual(plain(decodePayload(encodePayload(payload))), payload, `round ${round}`)
    }
  })

  it(`writes what protobufjs reads, in ${ROUNDS} random payloads`, () => {
    const random = new RandomPayload(seededRandom(2))
    for (let round = 0; round < ROUNDS; round++) {
      const payload = random.payload()
      assert.deepEqual(withoutArrays(foreignDecode(encodePayload(payload))), withoutArrays(toForeign(payload)), `round ${round}`)
    }
  })

  it(`reads what protobufjs writes, in ${ROUNDS} random payloads`, () => {
    const random = new RandomPayload(seededRandom(3))
    const withValue = (metric: Metric): Metric =>
      metric.datatype !== undefined && ELEMENT_TYPES.has(metric.datatype) ? { ...metric, datatype: T.Int8, isNull: false, value: 1 } : metric
    for (let round = 0; round < ROUNDS; round++) {
      const drawn = random.payload()
      const payload: Payload = {
        ...drawn,
        metrics: drawn.metrics.map(withValue).filter((metric) => metric.datatype !== T.Template),
      }
      assert.deepEqual(plain(decodePayload(foreignEncode(toForeign(payload)))), payload, `round ${round}`)
    }
  })

  it('writes the same bytes as protobufjs does', () => {
    const payload: Payload = {
      timestamp: 1_763_810_000_123,
      metrics: [
        { name: 'bdSeq', timestamp: 1_763_810_000_123, datatype: T.UInt64, value: 255 },
        { name: 'Speed', alias: 4, datatype: T.Float, value: 1.5, properties: new Map([['Quality', { type: T.Int32, value: 192 }]]) },
      ],
      seq: 0,
    }
    assert.equal(Buffer.from(encodePayload(payload)).toString('hex'), foreignEncode(toForeign(payload)).toString('hex'))
  })

  describe('integers', () => {
    it('are exact beyond 2^53', () => {
      const value = 2n ** 53n + 1n
      assert.equal(one({ datatype: T.UInt64, long_value: String(value) }).value, value)
      assert.equal(one({ datatype: T.Int64, long_value: String(BigInt.asUintN(64, -value)) }).value, -value)
      assert.equal(one({ datatype: T.Int64, long_value: String(2n ** 63n) }).value, -(2n ** 63n))
      assert.equal(one({ datatype: T.UInt64, long_value: String(2n ** 64n - 1n) }).value, 2n ** 64n - 1n)
      assert.equal(one({ datatype: T.Int64, long_value: String(2n ** 64n - 1n) }).value, -1)
      assert.equal(one({ datatype: T.UInt64, long_value: '9007199254740991' }).value, Number.MAX_SAFE_INTEGER)
    })

    it('may be negative in their own width, in 32 or in 64 bits', () => {
      for (const [type, bits] of [
        [T.Int8, 8],
        [T.Int16, 16],
        [T.Int32, 32],
      ] as const) {
        const least = -(2 ** (bits - 1))
        assert.equal(one({ datatype: type, int_value: 2 ** bits + least }).value, least, 'own width')
        assert.equal(one({ datatype: type, int_value: 2 ** 32 + least }).value, least, '32 bits')
        assert.equal(one({ datatype: type, long_value: String(2n ** 64n + BigInt(least)) }).value, least, '64 bits')
      }
      // -1 as a varint of ten bytes in a field of 32 bits
      const widened = Buffer.from([0x12, 0x0d, 0x20, T.Int32, 0x50, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01])
      assert.equal(decodePayload(widened).metrics[0]?.value, -1)
    })

    it('that do not fit their type are a problem of their metric, not of the message', () => {
      const { metrics } = decodePayload(
        foreignEncode({
          metrics: [
            { name: 'a', datatype: T.UInt8, int_value: 256 },
            { name: 'b', datatype: T.Int16, int_value: 70_000 },
            { name: 'c', datatype: T.UInt32, long_value: String(2n ** 32n) },
            { name: 'd', datatype: T.Int32, int_value: 7 },
          ],
        }),
      )
      assert.deepEqual(
        metrics.map(({ value, problem }) => [value, problem]),
        [
          [undefined, '256 does not fit UInt8'],
          [undefined, '70000 does not fit Int16'],
          [undefined, '4294967296 does not fit UInt32'],
          [7, undefined],
        ],
      )
    })

    it('below zero are exact as far down as a number goes, and further', () => {
      for (const value of [-1n, -(2n ** 28n), -(2n ** 53n) + 1n, -(2n ** 53n) + 2n ** 28n, -(2n ** 53n), -(2n ** 53n) - 1n, -(2n ** 63n)]) {
        const expected = Number.isSafeInteger(Number(value)) ? Number(value) : value
        assert.equal(one({ datatype: T.Int64, long_value: String(BigInt.asUintN(64, value)) }).value, expected)
      }
    })

    it('are taken from either integer form', () => {
      assert.equal(one({ datatype: T.UInt32, long_value: 4_000_000_000 }).value, 4_000_000_000)
      assert.equal(one({ datatype: T.DateTime, int_value: 5 }).value, 5)
    })
  })

  describe('packed arrays', () => {
    const examples: ReadonlyArray<readonly [type: number, value: Value, hex: string]> = [
      [T.Int8Array, [-23, 123], 'e97b'],
      [T.Int16Array, [-30_000, 30_000], 'd08a3075'],
      [T.Int32Array, [-1, 315_338_746], 'fffffffffaafcb12'],
      [T.Int64Array, [-2, -4_270_929_666_821_191_986n], `feffffffffffffff${littleEndian(2n ** 64n - 4_270_929_666_821_191_986n)}`],
      [T.UInt8Array, [23, 250], '17fa'],
      [T.UInt16Array, [30, 52_360], '1e0088cc'],
      [T.UInt32Array, [52, 3_293_969_225], '3400000049fb55c4'],
      [T.UInt64Array, [52, 16_444_743_074_749_521_625n], `3400000000000000${littleEndian(16_444_743_074_749_521_625n)}`],
      [T.FloatArray, [1.5, -2], '0000c03f000000c0'],
      [T.DoubleArray, [12.25, -0.5], '0000000000802840000000000000e0bf'],
      [T.BooleanArray, [false, false, true, true, false, true, false, false, true, true, false, true], '0c00000034d0'],
      [T.StringArray, ['ABC', 'hello', ''], '4142430068656c6c6f0000'],
      [T.DateTimeArray, [1_256_102_875_335, 1_656_107_875_000], `${littleEndian(1_256_102_875_335n)}${littleEndian(1_656_107_875_000n)}`],
    ]
    for (const [type, value, hex] of examples) {
      it(`${dataTypeName(type)} is packed little endian`, () => {
        assert.equal(foreignDecode(encodePayload({ metrics: [{ datatype: type, value }] })).metrics[0].bytes_value.toString('hex'), hex)
        assert.deepEqual(one({ datatype: type, bytes_value: Buffer.from(hex, 'hex') }).value, value)
      })
    }

    it('with bytes that are no whole number of elements are a problem', () => {
      assert.match(one({ datatype: T.Int32Array, bytes_value: Buffer.alloc(7) }).problem ?? '', /no whole number/)
      assert.match(one({ datatype: T.BooleanArray, bytes_value: Buffer.from('ffffffff00', 'hex') }).problem ?? '', /BooleanArray says/)
      assert.match(one({ datatype: T.BooleanArray, bytes_value: Buffer.alloc(0) }).problem ?? '', /BooleanArray says/)
      assert.match(one({ datatype: T.StringArray, bytes_value: Buffer.from('abc') }).problem ?? '', /no end/)
      assert.match(one({ datatype: T.StringArray, bytes_value: Buffer.from([0xff, 0]) }).problem ?? '', /UTF-8/)
    })
  })

  it('a metric without a data type keeps its value and the form it had', () => {
    assert.deepEqual(one({ alias: 3, double_value: 2.5 }), { alias: 3, wire: 'double', value: 2.5 })
    assert.deepEqual(one({ alias: 3, is_null: true }), { alias: 3, isNull: true })
  })

  it('a value in another form than its type has, or of a type that is unknown, is a problem of its metric', () => {
    assert.equal(one({ datatype: T.Double, string_value: '1' }).problem, 'string_value on the wire where Double is due')
    assert.equal(one({ datatype: T.Float, double_value: 1 }).problem, 'double_value on the wire where Float is due')
    assert.equal(one({ datatype: 99, int_value: 1 }).problem, 'data type 99 is not known')
  })

  it('a data set whose parts do not fit together is a problem of its metric', () => {
    const set = (dataset_value: Record<string, unknown>): string => one({ datatype: T.DataSet, dataset_value }).problem ?? ''
    assert.match(set({ num_of_columns: 2, columns: ['a'], types: [T.Int32], rows: [] }), /2 columns has 1 names/)
    assert.match(set({ num_of_columns: 1, columns: ['a'], types: [T.Int32], rows: [{ elements: [] }] }), /row 0 of a data set has 0 elements/)
    assert.match(set({ num_of_columns: 1, columns: ['a'], types: [T.Int32], rows: [{ elements: [{ string_value: 'x' }] }] }), /row 0, column 0/)
  })

  it('passes over fields and extensions that it does not know', () => {
    const known = encodePayload({ metrics: [{ name: 'a', datatype: T.Int32, value: 1 }], seq: 3 })
    // fields 100 to 103, of each wire type
    const unknown = Buffer.from('a00601' + 'a9060000000000000000' + 'b20603616263' + 'bd0600000000', 'hex')
    assert.deepEqual(decodePayload(Buffer.concat([unknown, known, unknown])), decodePayload(known))
  })

  it('refuses to encode what is not exact', () => {
    const refused = (datatype: number | undefined, value: Value): void => {
      const metric: Metric = datatype === undefined ? { name: 'm', value } : { name: 'm', datatype, value }
      assert.throws(() => encodePayload({ metrics: [metric] }), { code: 'TAKT_SPARKPLUG_VALUE' })
    }
    refused(T.Int8, 128)
    refused(T.UInt8, -1)
    refused(T.Int64, 2n ** 63n)
    refused(T.UInt64, -1)
    refused(T.Int64, 2 ** 53)
    refused(T.Int32, 1.5)
    refused(T.Boolean, 1)
    refused(T.String, 1)
    refused(T.Int8Array, [128])
    refused(T.StringArray, ['a\0b'])
    refused(undefined, 1)
  })
})

function littleEndian(value: bigint): string {
  const buffer = Buffer.alloc(8)
  buffer.writeBigUInt64LE(value)
  return buffer.toString('hex')
}
