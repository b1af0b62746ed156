import { DATA_TYPES } from '../../../../../core/connect/sparkplug/datatypes.ts'
import { foreignEncode } from './schema.ts'

const T = DATA_TYPES
export type WireMetric = Record<string, unknown>

export interface EdgePacket {
  readonly topic: string
  readonly payload: Buffer
}

/** A metric of a birth or of data, in the field names of the wire. */
export const metric = {
  double: (name: string, value: number, more: WireMetric = {}): WireMetric => ({ name, datatype: T.Double, double_value: value, ...more }),
  int: (name: string, value: number, more: WireMetric = {}): WireMetric => ({
    name,
    datatype: T.Int32,
    int_value: value < 0 ? 2 ** 32 + value : value,
    ...more,
  }),
  long: (name: string, value: number | string, more: WireMetric = {}): WireMetric => ({ name, datatype: T.Int64, long_value: value, ...more }),
  text: (name: string, value: string, more: WireMetric = {}): WireMetric => ({ name, datatype: T.String, string_value: value, ...more }),
  boolean: (name: string, value: boolean, more: WireMetric = {}): WireMetric => ({ name, datatype: T.Boolean, boolean_value: value, ...more }),
}

/**
 * A Sparkplug edge node that shares no code with the host that it is to test: encoded by protobufjs, with its own numbering.
 * It makes packets; the test decides how they travel.
 */
export class ForeignEdge {
  readonly group: string
  readonly node: string
  readonly now: () => number
  bdSeq: number
  seq = 0

  constructor(group: string, node: string, now: () => number, bdSeq = 0) {
    this.group = group
    this.node = node
    this.now = now
    this.bdSeq = bdSeq
  }

  /** The will, made before the connection. */
  death(timestamp = this.now()): EdgePacket {
    return this.#packet('NDEATH', undefined, { timestamp, metrics: [{ name: 'bdSeq', timestamp, datatype: T.Int64, long_value: this.bdSeq }] })
  }

  birth(metrics: readonly WireMetric[] = [], timestamp = this.now()): EdgePacket {
    this.seq = 0
    const own: WireMetric[] = [
      { name: 'bdSeq', timestamp, datatype: T.Int64, long_value: this.bdSeq },
      { name: 'Node Control/Rebirth', timestamp, datatype: T.Boolean, boolean_value: false },
    ]
    return this.#packet('NBIRTH', undefined, { timestamp, seq: 0, metrics: [...own, ...metrics.map((each) => ({ timestamp, ...each }))] })
  }

  data(metrics: readonly WireMetric[], timestamp = this.now()): EdgePacket {
    return this.#numbered('NDATA', undefined, metrics, timestamp)
  }

  deviceBirth(device: string, metrics: readonly WireMetric[], timestamp = this.now()): EdgePacket {
    return this.#numbered('DBIRTH', device, metrics, timestamp)
  }

  deviceData(device: string, metrics: readonly WireMetric[], timestamp = this.now()): EdgePacket {
    return this.#numbered('DDATA', device, metrics, timestamp)
  }

  deviceDeath(device: string, timestamp = this.now()): EdgePacket {
    return this.#numbered('DDEATH', device, [], timestamp)
  }

  #numbered(verb: string, device: string | undefined, metrics: readonly WireMetric[], timestamp: number): EdgePacket {
    this.seq = (this.seq + 1) % 256
    return this.#packet(verb, device, { timestamp, seq: this.seq, metrics: metrics.map((each) => ({ timestamp, ...each })) })
  }

  #packet(verb: string, device: string | undefined, payload: Record<string, unknown>): EdgePacket {
    return { topic: `spBv1.0/${this.group}/${verb}/${this.node}${device === undefined ? '' : `/${device}`}`, payload: foreignEncode(payload) }
  }
}
