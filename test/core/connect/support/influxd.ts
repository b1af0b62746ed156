import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { needsService } from '../../../support/services.ts'
import { freePort, type TlsFiles } from './mosquitto.ts'
import { until } from './wait.ts'

const BINARY = ['/usr/bin/influxd', '/usr/local/bin/influxd'].find((path) => existsSync(path))

export const hasInfluxd = (): boolean => BINARY !== undefined

export const needsInfluxd = (suite: Mocha.Context): void => needsService(suite, 'InfluxDB', hasInfluxd())

/** A real InfluxDB 1 on a port of its own. Stops and starts on the same port, keeping its data. */
export class Influxd {
  readonly port: number
  readonly #folder = mkdtempSync(join(tmpdir(), 'takt-influxd-'))
  readonly #scheme: 'http' | 'https'
  #process: ChildProcess | undefined

  private constructor(port: number, rpcPort: number, auth: boolean, tls: TlsFiles | undefined) {
    this.port = port
    this.#scheme = tls === undefined ? 'http' : 'https'
    writeFileSync(
      join(this.#folder, 'influxdb.conf'),
      [
        'reporting-disabled = true',
        `bind-address = "127.0.0.1:${rpcPort}"`,
        `[meta]\n  dir = "${this.#folder}/meta"`,
        `[data]\n  dir = "${this.#folder}/data"\n  wal-dir = "${this.#folder}/wal"\n  query-log-enabled = false`,
        '[monitor]\n  store-enabled = false',
        `[http]\n  bind-address = "127.0.0.1:${port}"\n  log-enabled = false\n  auth-enabled = ${auth}\n  max-body-size = 2000000`,
        ...(tls === undefined ? [] : [`  https-enabled = true\n  https-certificate = "${tls.certificate}"\n  https-private-key = "${tls.key}"`]),
        '',
      ].join('\n'),
    )
    for (const folder of ['meta', 'data', 'wal']) mkdirSync(join(this.#folder, folder))
  }

  static async start({ auth = false, tls }: { auth?: boolean; tls?: TlsFiles } = {}): Promise<Influxd> {
    const influxd = new Influxd(await freePort(), await freePort(), auth, tls)
    await influxd.start()
    return influxd
  }

  get url(): string {
    return `${this.#scheme}://127.0.0.1:${this.port}`
  }

  /** Nothing where it runs already. */
  async start(): Promise<void> {
    if (this.#process !== undefined) return
    this.#process = spawn(BINARY as string, ['-config', join(this.#folder, 'influxdb.conf')], { stdio: 'ignore' })
    await until(() => this.#answers(), 'influxd answers', 60_000)
  }

  #answers(): Promise<boolean> {
    const { get } = this.#scheme === 'https' ? https : http
    return new Promise((resolve) => {
      const request = get(`${this.url}/ping`, { rejectUnauthorized: false }, (answer) => resolve(answer.resume().statusCode === 204))
      request.on('error', () => resolve(false))
    })
  }

  /** InfluxQL, asked without our own code. */
  async ask(statement: string, database = '', credentials = ''): Promise<any[]> {
    const body = new URLSearchParams({ q: statement, db: database, epoch: 'ms' })
    const headers: Record<string, string> = credentials === '' ? {} : { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` }
    const answer = (await (await fetch(`${this.url}/query`, { method: 'POST', body, headers })).json()) as any
    if (answer.error ?? answer.results[0].error) throw new Error(answer.error ?? answer.results[0].error)
    return answer.results[0].series ?? []
  }

  /** How many points of a field there are. */
  async count(database: string, measurement: string, field: string): Promise<number> {
    const series = await this.ask(`SELECT COUNT("${field}") FROM "${measurement}"`, database).catch((error: Error) => {
      if (error.message.startsWith('database not found')) return []
      throw error
    })
    return series[0]?.values[0][1] ?? 0
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const child = this.#process
    this.#process = undefined
    if (child === undefined || child.exitCode !== null) return
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
  }

  async remove(): Promise<void> {
    await this.stop('SIGKILL')
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
