import { createServer, connect as dial, type Server, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

/** `up` is from the client to the server, `down` is back. */
export type Direction = 'up' | 'down'

/** What a network does to a connection: closes it, says nothing more, is slow. */
export interface Weather {
  /** Milliseconds that each piece of data waits. */
  readonly delayMs: number
  /** Bytes a second at most; Infinity for no limit. */
  readonly bytesPerSecond: number
  /** Nothing passes and nothing is refused: the other side just falls silent, and a new connection is taken and never answered. */
  readonly blackHole: boolean
}

const FAIR: Weather = { delayMs: 0, bytesPerSecond: Number.POSITIVE_INFINITY, blackHole: false }
/** How often a waiting piece looks whether the weather has changed. */
const LOOK_MS = 20

interface Link {
  readonly client: Socket
  readonly server: Socket
}

/**
 * A TCP connection that can fail in the ways networks do, between a client and a real server on loopback. Bytes are never changed, reordered or dropped
 * inside a living connection, as TCP promises: what a black hole held back arrives when it ends, if both sides still hold the connection.
 */
export class FaultProxy {
  readonly #target: number
  readonly #server: Server
  readonly #links = new Set<Link>()
  readonly #weather: Record<Direction, Weather> = { up: FAIR, down: FAIR }
  #refusing = false

  private constructor(target: number, server: Server) {
    this.#target = target
    this.#server = server
  }

  /** A proxy on a free port, or on `port`, for the server on `target`. */
  static async start(target: number, port = 0): Promise<FaultProxy> {
    const server = createServer({ pauseOnConnect: true, allowHalfOpen: true })
    const proxy = new FaultProxy(target, server)
    server.on('connection', (socket) => proxy.#accept(socket))
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, '127.0.0.1', resolve)
    })
    return proxy
  }

  get port(): number {
    const address = this.#server.address()
    if (typeof address !== 'object' || address === null) throw new Error('the proxy is closed')
    return address.port
  }

  /** Connections that are open. */
  get connections(): number {
    return this.#links.size
  }

  /** Resets every connection, and refuses new ones until `restore`. */
  cut(): void {
    this.#refusing = true
    this.drop()
  }

  /** Resets every connection once; new ones are taken. */
  drop(): void {
    for (const link of [...this.#links]) close(link)
  }

  /** Falls silent, in one direction or both, until `restore`. */
  blackHole(...directions: readonly Direction[]): void {
    this.#set({ blackHole: true }, directions)
  }

  delay(delayMs: number, ...directions: readonly Direction[]): void {
    this.#set({ delayMs }, directions)
  }

  throttle(bytesPerSecond: number, ...directions: readonly Direction[]): void {
    this.#set({ bytesPerSecond }, directions)
  }

  /** Fair weather again; what was held back goes on its way. */
  restore(): void {
    this.#refusing = false
    this.#weather.up = FAIR
    this.#weather.down = FAIR
  }

  async close(): Promise<void> {
    this.cut()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  #set(change: Partial<Weather>, directions: readonly Direction[]): void {
    for (const direction of directions.length === 0 ? (['up', 'down'] as const) : directions)
      this.#weather[direction] = { ...this.#weather[direction], ...change }
  }

  #accept(client: Socket): void {
    if (this.#refusing) {
      client.resetAndDestroy()
      return
    }
    const server = dial({ port: this.#target, host: '127.0.0.1', allowHalfOpen: true })
    const link = { client, server }
    this.#links.add(link)
    for (const socket of [client, server]) {
      socket.setNoDelay(true)
      socket.on('error', () => close(link))
      socket.on('close', () => {
        this.#links.delete(link)
        close(link)
      })
    }
    void this.#carry(client, server, 'up')
    void this.#carry(server, client, 'down')
  }

  /** One direction of one connection: reads no faster than it passes on, so that the sender feels the weather too. */
  async #carry(from: Socket, to: Socket, direction: Direction): Promise<void> {
    try {
      for await (const piece of from) {
        await this.#passes(direction, (piece as Buffer).length, to)
        if (to.destroyed) return
        if (!to.write(piece as Buffer)) await new Promise<void>((resolve) => to.once('drain', resolve).once('close', resolve))
      }
      await this.#passes(direction, 0, to)
      to.end()
    } catch {
      // the other side of a connection that was reset
    }
  }

  async #passes(direction: Direction, bytes: number, to: Socket): Promise<void> {
    const { delayMs, bytesPerSecond } = this.#weather[direction]
    const waitMs = delayMs + (Number.isFinite(bytesPerSecond) ? (bytes / bytesPerSecond) * 1000 : 0)
    const since = performance.now()
    while (!to.destroyed && (this.#weather[direction].blackHole || (performance.now() - since < waitMs && this.#weather[direction] !== FAIR)))
      await pause(LOOK_MS)
  }
}

function close({ client, server }: Link): void {
  for (const socket of [client, server]) if (!socket.destroyed) socket.resetAndDestroy()
}
