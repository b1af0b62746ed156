import { type ChildProcess, spawn } from 'node:child_process'
import { pbkdf2Sync, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { needsService } from '../../../support/services.ts'

const BINARY = ['/usr/sbin/mosquitto', '/usr/bin/mosquitto', '/usr/local/sbin/mosquitto'].find((path) => existsSync(path))

export const needsMosquitto = (suite: Mocha.Context): void => needsService(suite, 'mosquitto', BINARY !== undefined)

export interface TlsFiles {
  readonly certificate: string
  readonly key: string
}

export interface MosquittoOptions {
  readonly tls?: TlsFiles
  /** Further lines of its configuration: `max_inflight_messages 0`. */
  readonly lines?: readonly string[]
  /** Users and their passwords; nobody else may connect. */
  readonly users?: Readonly<Record<string, string>>
}

/** A real broker (MQTT 5) on a port of its own. Stops and starts on the same port, keeping its sessions on disk. */
export class Mosquitto {
  readonly port: number
  readonly #folder = mkdtempSync(join(tmpdir(), 'takt-mosquitto-'))
  #process: ChildProcess | undefined

  readonly #tls: TlsFiles | undefined

  private constructor(port: number, { tls, lines = [], users }: MosquittoOptions) {
    this.port = port
    this.#tls = tls
    const passwords = join(this.#folder, 'passwords')
    if (users !== undefined) this.#writePasswords(passwords, users)
    writeFileSync(
      join(this.#folder, 'mosquitto.conf'),
      [
        `listener ${port} 127.0.0.1`,
        ...(tls === undefined ? [] : [`certfile ${tls.certificate}`, `keyfile ${tls.key}`]),
        ...(users === undefined ? ['allow_anonymous true'] : ['allow_anonymous false', `password_file ${passwords}`]),
        'persistence true',
        `persistence_location ${this.#folder}/`,
        'max_queued_messages 100000',
        `user ${process.env.USER ?? 'root'}`,
        ...lines,
        '',
      ].join('\n'),
    )
  }

  static async start(options: MosquittoOptions = {}): Promise<Mosquitto> {
    const mosquitto = new Mosquitto(await freePort(), options)
    await mosquitto.start()
    return mosquitto
  }

  get url(): string {
    return `${this.#tls === undefined ? 'mqtt' : 'mqtts'}://127.0.0.1:${this.port}`
  }

  async start(): Promise<void> {
    this.#process = spawn(BINARY as string, ['-c', join(this.#folder, 'mosquitto.conf')], { stdio: 'ignore' })
    await untilListening(this.port)
  }

  /** SIGTERM saves the sessions, SIGKILL is a crash. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const child = this.#process
    this.#process = undefined
    if (child === undefined || child.exitCode !== null) return
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
  }

  /** As `mosquitto_passwd` writes them: `$7$`, PBKDF2 with SHA-512. */
  #writePasswords(file: string, users: Readonly<Record<string, string>>): void {
    const [rounds, bytes] = [101, 64]
    const lines = Object.entries(users).map(([user, password]) => {
      const salt = randomBytes(12)
      const hash = pbkdf2Sync(password, salt, rounds, bytes, 'sha512')
      return `${user}:$7$${rounds}$${salt.toString('base64')}$${hash.toString('base64')}`
    })
    writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600 })
  }

  async remove(): Promise<void> {
    await this.stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => (typeof address === 'object' && address !== null ? resolve(address.port) : reject(new Error('no port'))))
    })
  })
}

async function untilListening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1')
      socket.once('connect', () => {
        socket.destroy()
        resolve(true)
      })
      socket.once('error', () => resolve(false))
    })
    if (open) return
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  throw new Error(`nothing listens on port ${port}`)
}
