import { connect, createServer, type Server, type Socket } from 'node:net'

/** One control packet that a client sent: its type and flags (MQTT 5, 2.1.2), of a PUBACK the packet id, and what follows the fixed header. */
export interface SentPacket {
  readonly connection: number
  readonly type: number
  readonly packetId: number | undefined
  readonly flags: number
  readonly body: Buffer
}

const PUBACK = 4

/** Passes bytes between clients and a broker, and notes the control packets that clients send: what a broker is told, not what a library says that it did. */
export class MqttTap {
  readonly sent: SentPacket[] = []
  readonly #sockets = new Set<Socket>()
  readonly #server: Server
  readonly #brokerPort: number
  #connections = 0

  private constructor(brokerPort: number) {
    this.#brokerPort = brokerPort
    this.#server = createServer((socket) => this.#pass(socket))
  }

  static async start(brokerPort: number): Promise<MqttTap> {
    const tap = new MqttTap(brokerPort)
    await new Promise<void>((resolve) => tap.#server.listen(0, '127.0.0.1', resolve))
    return tap
  }

  get url(): string {
    return `mqtt://127.0.0.1:${(this.#server.address() as { port: number }).port}`
  }

  get connections(): number {
    return this.#connections
  }

  /** Packet ids acknowledged, in the order in which that was said, of one connection or of all. */
  pubacks(connection?: number): number[] {
    return this.sent.filter((packet) => packet.type === PUBACK && (connection ?? packet.connection) === packet.connection).map(({ packetId }) => packetId!)
  }

  /** Ends every connection at once, without a word. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async stop(): Promise<void> {
    this.cut()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  #pass(client: Socket): void {
    const connection = ++this.#connections
    const broker = connect(this.#brokerPort, '127.0.0.1')
    let rest: Buffer = Buffer.alloc(0)
    client.on('data', (bytes: Buffer) => {
      rest = this.#note(connection, Buffer.concat([rest, bytes]))
    })
    client.pipe(broker)
    broker.pipe(client)
    for (const [socket, other] of [
      [client, broker],
      [broker, client],
    ] as const) {
      this.#sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        this.#sockets.delete(socket)
        other.destroy()
      })
    }
  }

  /** Fixed header: type in the high four bits, then the remaining length in groups of seven bits. */
  #note(connection: number, bytes: Buffer): Buffer {
    let at = 0
    for (;;) {
      let length = 0
      let digits = 0
      for (; ; digits++) {
        const byte = bytes[at + 1 + digits]
        if (byte === undefined) return bytes.subarray(at)
        length += (byte & 127) * 128 ** digits
        if (byte < 128) break
      }
      const body = at + 2 + digits
      if (body + length > bytes.length) return bytes.subarray(at)
      const type = (bytes[at] as number) >> 4
      const flags = (bytes[at] as number) & 15
      const packetId = type === PUBACK ? bytes.readUInt16BE(body) : undefined
      this.sent.push({ connection, type, packetId, flags, body: Buffer.from(bytes.subarray(body, body + length)) })
      at = body + length
    }
  }
}
