import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './mosquitto.ts'
import { until } from './wait.ts'

const BINARY = ['/usr/bin/influxd', '/usr/local/bin/influxd'].find((path) => existsSync(path))

export const hasInfluxd = (): boolean => BINARY !== undefined

/** Skips a suite where influxd is not installed; where services are required, its absence is a failure. */
export function needsInfluxd(suite: Mocha.Context): void {
  if (BINARY !== undefined) return
  if (process.env.TAKT_REQUIRE_SERVICES === '1') throw new Error('influxd is not installed, but TAKT_REQUIRE_SERVICES=1')
  suite.skip()
}

/** A real InfluxDB 1 on a port of its own. Stops and starts on the same port, keeping its data. */
export class Influxd {
  readonly port: number
  readonly #folder = mkdtempSync(join(tmpdir(), 'takt-influxd-'))
  #process: ChildProcess | undefined

  private constructor(port: number, rpcPort: number, auth: boolean) {
    this.port = port
    writeFileSync(
      join(this.#folder, 'influxdb.conf'),
      [
        'reporting-disabled = true',
        `bind-address = "127.0.0.1:${rpcPort}"`,
        `[meta]\n  dir = "${this.#folder}/meta"`,
        `[data]\n  dir = "${this.#folder}/data"\n  wal-dir = "${this.#folder}/wal"\n  query-log-enabled = false`,
        '[monitor]\n  store-enabled = false',
        `[http]\n  bind-address = "127.0.0.1:${port}"\n  log-enabled = false\n  auth-enabled = ${auth}\n  max-body-size = 2000000`,
        '',
      ].join('\n'),
    )
    for (const folder of ['meta', 'data', 'wal']) mkdirSync(join(this.#folder, folder))
  }

  static async start({ auth = false } = {}): Promise<Influxd> {
    const influxd = new Influxd(await freePort(), await freePort(), auth)
    await influxd.start()
    return influxd
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  async start(): Promise<void> {
    this.#process = spawn(BINARY as string, ['-config', join(this.#folder, 'influxdb.conf')], { stdio: 'ignore' })
    await until(
      () =>
        fetch(`${this.url}/ping`).then(
          (answer) => answer.status === 204,
          () => false,
        ),
      'influxd answers',
      60_000,
    )
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
