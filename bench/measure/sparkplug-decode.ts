import { decodePayload, encodePayload, type Metric } from '../../core/connect/sparkplug/codec.ts'
import { DATA_TYPES } from '../../core/connect/sparkplug/datatypes.ts'
import { FOREIGN_PAYLOAD } from '../../test/core/connect/sparkplug/support/schema.ts'

const ROUNDS = 7
const ROUND_MS = 300
const NOW = Date.UTC(2026, 0, 12, 6)

/** A birth: every metric with name, alias, type and properties. */
function birth(metrics: number): Metric[] {
  const types = [DATA_TYPES.Double, DATA_TYPES.Int64, DATA_TYPES.Boolean, DATA_TYPES.String, DATA_TYPES.Float, DATA_TYPES.Int32]
  return Array.from({ length: metrics }, (_, i) => {
    const datatype = types[i % types.length] ?? DATA_TYPES.Double
    return {
      name: `Line 1/Press ${i % 8}/Signal ${i}`,
      alias: i,
      timestamp: NOW + i,
      datatype,
      properties: new Map([['engUnit', { type: DATA_TYPES.String, value: 'mm/s' }]]),
      value: valueFor(datatype, i),
    }
  })
}

/** Data: alias, time and value, as most messages of a plant are. */
function data(metrics: number): Metric[] {
  return birth(metrics).map(({ alias = 0, timestamp = NOW, datatype = DATA_TYPES.Double, value = 0 }) => ({ alias, timestamp, datatype, value }))
}

function valueFor(datatype: number, i: number): number | boolean | string {
  if (datatype === DATA_TYPES.Boolean) return i % 2 === 0
  if (datatype === DATA_TYPES.String) return `order ${i}`
  if (datatype === DATA_TYPES.Float) return i / 4
  return datatype === DATA_TYPES.Double ? i * 1.1 : -i * 1000
}

/** Nine data messages of a few metrics to one birth of many. */
const MIX: readonly Uint8Array[] = [
  ...Array.from({ length: 9 }, (_, i) => encodePayload({ timestamp: NOW, seq: i, metrics: data(4 + 3 * i) })),
  encodePayload({ timestamp: NOW, seq: 9, metrics: birth(100) }),
]

/** Payloads a second that one decoder makes of the mix. */
function speed(decode: (bytes: Uint8Array) => unknown): number {
  let count = 0
  const start = performance.now()
  while (performance.now() - start < ROUND_MS) {
    for (const bytes of MIX) decode(bytes)
    count += MIX.length
  }
  return (count / (performance.now() - start)) * 1000
}

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

/** Payloads a second of the codec and of protobufjs, in turn; values exact and checked on our side, as the wire has them on the other. */
export function sparkplugDecode(): { readonly own: number; readonly protobufjs: number } {
  const own: number[] = []
  const foreign: number[] = []
  for (let round = 0; round <= ROUNDS; round++) {
    const [a, b] = [speed((bytes) => decodePayload(bytes)), speed((bytes) => FOREIGN_PAYLOAD.decode(bytes))]
    // the first round warms both up
    if (round > 0) own.push(a)
    if (round > 0) foreign.push(b)
  }
  return { own: median(own), protobufjs: median(foreign) }
}
