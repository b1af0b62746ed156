import { createServer, type Server } from 'node:net'
import { TaktError, toTaktError } from '../base/error.ts'

export interface EmbeddedBrokerSettings {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  readonly username?: string | undefined
  readonly password?: string | undefined
  readonly where: string
}

export interface EmbeddedBroker {
  readonly url: string
  close(): Promise<void>
}

/** aedes drops what exceeds this while a client is slow; its default of 42 loses messages at the first burst. */
const QUEUE_LIMIT = 10_000

/**
 * A broker (aedes, MQTT 3.1.1, sessions in memory) inside this process, for demonstrations and small cells.
 * Throws TAKT_BROKER_PORT when the port is taken, TAKT_BROKER_OPEN when others could reach it without a password.
 */
export async function startEmbeddedBroker(settings: EmbeddedBrokerSettings): Promise<EmbeddedBroker> {
  const { host, port, username, password, where } = settings
  if (!isLoopback(host) && !password)
    throw new TaktError('TAKT_BROKER_OPEN', { what: `the embedded broker would serve everyone on ${host} without a password`, where })
  const [{ Aedes }, { default: packets }] = await Promise.all([import('aedes'), import('mqtt-packet')])
  packets.writeToStream.cacheNumbers = false // 65,536 small buffers for ever, to spare making one a packet
  const broker = await Aedes.createBroker({ queueLimit: QUEUE_LIMIT })
  if (password) {
    broker.authenticate = (_client, name, given, done) => done(null, name === (username ?? '') && given?.toString() === password)
  }
  const server = createServer(broker.handle)
  try {
    await listen(server, host, port)
  } catch (cause) {
    await new Promise<void>((resolve) => broker.close(() => resolve()))
    const code = (cause as NodeJS.ErrnoException).code
    if (code === 'EADDRINUSE') throw new TaktError('TAKT_BROKER_PORT', { what: `port ${port} on ${host} is taken by another program`, where, cause })
    throw toTaktError(cause, where)
  }
  const address = server.address()
  const actual = typeof address === 'object' && address !== null ? address.port : port
  return {
    url: `mqtt://${host.includes(':') ? `[${host}]` : host}:${actual}`,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      await new Promise<void>((resolve) => broker.close(() => resolve()))
      await closed
    },
  }
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host)
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.removeListener('error', reject)
      resolve()
    })
  })
}
