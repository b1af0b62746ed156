import type { SentPacket } from '../../support/mqtt-tap.ts'

/** What a client told a broker, read from the bytes by the tables of MQTT 3.1.1 and 5 (section 3). */
export type ClientPacket =
  | {
      readonly type: 'connect'
      readonly connection: number
      readonly version: number
      readonly clean: boolean
      /** Seconds; undefined where the packet has none, which means 0. */
      readonly sessionExpiry: number | undefined
      readonly will: { readonly topic: string; readonly payload: Buffer; readonly qos: number; readonly retain: boolean } | undefined
    }
  | { readonly type: 'subscribe'; readonly connection: number; readonly filters: ReadonlyArray<readonly [filter: string, qos: number]> }
  | { readonly type: 'publish'; readonly connection: number; readonly topic: string; readonly payload: Buffer; readonly qos: number; readonly retain: boolean }
  | { readonly type: 'disconnect'; readonly connection: number; readonly reason: number }

const [CONNECT, PUBLISH, SUBSCRIBE, DISCONNECT] = [1, 3, 8, 14]

/** In the order in which they were sent; other packets are left out. */
export function clientPackets(sent: readonly SentPacket[]): ClientPacket[] {
  const versions = new Map<number, number>()
  return sent.flatMap((packet): ClientPacket[] => {
    const { connection, type, flags } = packet
    const reader = new Reader(packet.body)
    const five = versions.get(connection) === 5
    if (type === CONNECT) {
      reader.text()
      const version = reader.byte()
      versions.set(connection, version)
      const bits = reader.byte()
      reader.skip(2)
      const sessionExpiry = version === 5 ? reader.properties().get(17) : undefined
      reader.text()
      const hasWill = (bits & 4) !== 0
      if (hasWill && version === 5) reader.properties()
      const will = hasWill ? { topic: reader.text(), payload: reader.bytes(), qos: (bits >> 3) & 3, retain: (bits & 32) !== 0 } : undefined
      return [{ type: 'connect', connection, version, clean: (bits & 2) !== 0, sessionExpiry, will }]
    }
    if (type === SUBSCRIBE) {
      reader.skip(2)
      if (five) reader.properties()
      const filters: Array<readonly [string, number]> = []
      while (reader.left > 0) filters.push([reader.text(), reader.byte() & 3])
      return [{ type: 'subscribe', connection, filters }]
    }
    if (type === PUBLISH) {
      const qos = (flags >> 1) & 3
      const topic = reader.text()
      if (qos > 0) reader.skip(2)
      if (five) reader.properties()
      return [{ type: 'publish', connection, topic, payload: reader.rest(), qos, retain: (flags & 1) !== 0 }]
    }
    if (type === DISCONNECT) return [{ type: 'disconnect', connection, reason: reader.left > 0 ? reader.byte() : 0 }]
    return []
  })
}

class Reader {
  readonly #buffer: Buffer
  #at = 0

  constructor(buffer: Buffer) {
    this.#buffer = buffer
  }

  get left(): number {
    return this.#buffer.length - this.#at
  }

  byte(): number {
    return this.#buffer[this.#at++] as number
  }

  skip(count: number): void {
    this.#at += count
  }

  bytes(): Buffer {
    const length = this.#buffer.readUInt16BE(this.#at)
    this.#at += 2 + length
    return this.#buffer.subarray(this.#at - length, this.#at)
  }

  text(): string {
    return this.bytes().toString('utf8')
  }

  rest(): Buffer {
    return this.#buffer.subarray(this.#at)
  }

  /** Only those of four bytes are told; the others that a client of ours sends are of two bytes or one. */
  properties(): Map<number, number> {
    let length = 0
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte()
      length |= (byte & 127) << shift
      if (byte < 128) break
    }
    const end = this.#at + length
    const found = new Map<number, number>()
    while (this.#at < end) {
      const id = this.byte()
      if (id === 17 || id === 39 || id === 2 || id === 24) {
        found.set(id, this.#buffer.readUInt32BE(this.#at))
        this.#at += 4
      } else if (id === 33 || id === 34 || id === 35) this.#at += 2
      else this.#at += 1
    }
    return found
  }
}
