import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../../../test/e2e/support/free-port.ts'
import { untilListening } from './listening.ts'

const BINARY = ['/usr/sbin/mosquitto', '/usr/bin/mosquitto', '/usr/local/sbin/mosquitto'].find((path) => existsSync(path))

export const mosquittoThere = BINARY !== undefined

/** mosquitto as docs/connect.md tells people to run it: with persistence, and with a queue that outlasts an outage. */
export class Broker {
  readonly port: number
  readonly #folder: string
  #child: ChildProcess | undefined

  private constructor(port: number, folder: string) {
    this.port = port
    this.#folder = folder
  }

  static async start(parent: string): Promise<Broker> {
    const folder = join(parent, 'mosquitto')
    mkdirSync(folder)
    const broker = new Broker(await freePort(), folder)
    const lines = [
      `listener ${broker.port} 127.0.0.1`,
      'allow_anonymous true',
      'persistence true',
      `persistence_location ${folder}/`,
      'max_queued_messages 1000000',
      'max_inflight_messages 0',
      `user ${process.env.USER ?? 'root'}`,
      '',
    ]
    writeFileSync(join(folder, 'mosquitto.conf'), lines.join('\n'))
    await broker.start()
    return broker
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`
  }

  async start(): Promise<void> {
    if (BINARY === undefined) throw new Error('mosquitto is not installed')
    this.#child = spawn(BINARY, ['-c', join(this.#folder, 'mosquitto.conf')], { stdio: 'ignore' })
    await untilListening(this.port)
  }

  /** Has it write its sessions to disk, as it does by itself every half hour. */
  async save(): Promise<void> {
    this.#child?.kill('SIGUSR1')
    await new Promise((resolve) => setTimeout(resolve, 500))
  }

  /** SIGTERM saves the sessions, SIGKILL is a crash. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined || child.exitCode !== null) return
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
  }
}
