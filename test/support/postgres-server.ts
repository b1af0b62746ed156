import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { freePort, type TlsFiles } from '../core/connect/support/mosquitto.ts'
import { until } from '../core/connect/support/wait.ts'
import { needsService } from './services.ts'

const run = promisify(execFile)

/** Where Debian, Fedora and others put the server; the newest first. */
const FOLDER = ['/usr/lib/postgresql/*/bin', '/usr/pgsql-*/bin', '/usr/local/pgsql/bin', '/usr/bin']
  .flatMap((pattern) => globSync(pattern).sort((a, b) => b.localeCompare(a, 'en', { numeric: true })))
  .find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')))

export const hasPostgres = (): boolean => FOLDER !== undefined

/** See `needsService`. A cluster takes a while to make on a machine that is busy. */
export function needsPostgres(suite: Mocha.Context): void {
  suite.timeout(90_000)
  needsService(suite, 'PostgreSQL', hasPostgres())
}

/** The server refuses to be run by root. */
interface User {
  readonly uid?: number
  readonly gid?: number
}

function serverUser(): User {
  if (userInfo().uid !== 0) return {}
  const users = readFileSync('/etc/passwd', 'utf8').split('\n')
  for (const name of ['postgres', 'nobody']) {
    const [, , uid, gid] = users.find((line) => line.startsWith(`${name}:`))?.split(':') ?? []
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) }
  }
  throw new Error('neither postgres nor nobody is a user here')
}

export interface PostgresOptions {
  readonly tls?: TlsFiles
  /** Users other than `takt` log in by password. */
  readonly lines?: readonly string[]
}

/** A real server on a port of its own. Stops and starts on the same port, keeping its data. Without flushes: it is a process that dies here, never a machine. */
export class PostgresServer {
  readonly port: number
  readonly #folder: string
  readonly #user: User
  #process: ChildProcess | undefined
  #databases = 0
  /** Tests that end early leave no server behind. */
  readonly #leave = (): void => void this.#process?.kill('SIGQUIT')

  private constructor(port: number, folder: string, user: User) {
    this.port = port
    this.#folder = folder
    this.#user = user
  }

  static async start({ tls, lines = [] }: PostgresOptions = {}): Promise<PostgresServer> {
    const user = serverUser()
    const folder = mkdtempSync(join(tmpdir(), 'takt-postgres-'))
    chmodSync(folder, 0o755)
    if (user.uid !== undefined) chownSync(folder, user.uid, user.gid as number)
    const data = join(folder, 'data')
    await run(join(FOLDER as string, 'initdb'), ['-D', data, '-U', 'takt', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync', '--no-instructions'], {
      ...user,
    })
    const server = new PostgresServer(await freePort(), folder, user)
    const copied = tls === undefined ? [] : server.#copyTls(tls)
    const settings = [
      `port = ${server.port}`,
      "listen_addresses = '127.0.0.1'",
      `unix_socket_directories = '${folder}'`,
      'fsync = off',
      'full_page_writes = off',
      'shared_buffers = 16MB',
      'autovacuum = off',
      'max_connections = 60',
      ...copied,
      ...lines,
    ]
    writeFileSync(join(data, 'postgresql.auto.conf'), `${settings.join('\n')}\n`)
    writeFileSync(join(data, 'pg_hba.conf'), 'local all takt trust\nhost all takt 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n')
    await server.start()
    return server
  }

  /** The name of a database that is made now: an empty one, or a copy of another that nobody uses. */
  async database(template = 'template0'): Promise<string> {
    const name = `takt_${++this.#databases}`
    await this.ask(`create database ${name} template ${template} strategy file_copy`, 'postgres')
    return name
  }

  url(database: string, user = 'takt'): string {
    return `postgres://${user}@127.0.0.1:${this.port}/${database}`
  }

  /** Address by the folder of the Unix socket. */
  socketUrl(database: string): string {
    return `postgres:///${database}?host=${this.#folder}&port=${this.port}&user=takt`
  }

  /** SQL, asked without our own code. */
  async ask(sql: string, database: string, values: unknown[] = []): Promise<any[]> {
    const client = new pg.Client({ connectionString: this.url(database) })
    client.on('error', () => {})
    await client.connect()
    try {
      const result = await client.query(sql, values.length === 0 ? undefined : values)
      return (Array.isArray(result) ? result.at(-1) : result).rows
    } finally {
      await client.end()
    }
  }

  get isRunning(): boolean {
    return this.#process !== undefined
  }

  async start(): Promise<void> {
    if (this.#process !== undefined) return
    this.#process = spawn(join(FOLDER as string, 'postgres'), ['-D', join(this.#folder, 'data')], {
      ...this.#user,
      stdio: process.env.TAKT_POSTGRES_LOG ? 'inherit' : 'ignore',
    })
    process.once('exit', this.#leave)
    await until(() => this.#answers(), 'the server answers', 30_000)
  }

  /** SIGINT disconnects everybody and stops, SIGQUIT is as if it crashed. */
  async stop(signal: 'SIGINT' | 'SIGQUIT' = 'SIGINT'): Promise<void> {
    const child = this.#process
    this.#process = undefined
    process.removeListener('exit', this.#leave)
    if (child === undefined || child.exitCode !== null) return
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
  }

  /** As the power would go: the server and each of its processes, without a handler. Started again, it recovers from its log. */
  async crash(): Promise<void> {
    const child = this.#process
    this.#process = undefined
    process.removeListener('exit', this.#leave)
    if (child?.pid === undefined || child.exitCode !== null) return
    const family = [child.pid, ...childrenOf(child.pid)]
    const exited = once(child, 'exit')
    for (const pid of family) kill(pid)
    await exited
    // a new one cannot start while any of them has the old one's memory
    await until(async () => !family.some((pid) => isAlive(pid)), 'all of its processes are gone', 10_000)
  }

  async remove(): Promise<void> {
    await this.stop('SIGQUIT')
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #answers(): Promise<boolean> {
    return this.ask('select 1', 'postgres').then(
      () => true,
      () => false,
    )
  }

  /** The server believes no key that others may read. */
  #copyTls({ certificate, key }: TlsFiles): string[] {
    const lines: string[] = []
    for (const [setting, from] of [['ssl_cert_file', certificate] as const, ['ssl_key_file', key] as const]) {
      const to = join(this.#folder, setting)
      writeFileSync(to, readFileSync(from), { mode: 0o600 })
      if (this.#user.uid !== undefined) chownSync(to, this.#user.uid, this.#user.gid as number)
      lines.push(`${setting} = '${to}'`)
    }
    return ['ssl = on', ...lines]
  }
}

function childrenOf(pid: number): number[] {
  const { stdout } = spawnSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' })
  return stdout.split('\n').map(Number).filter(Boolean)
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // gone already
  }
}

/** One that nobody has waited for yet is dead all the same. */
function isAlive(pid: number): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' })
  return stdout.trim() !== '' && !stdout.trim().startsWith('Z')
}
