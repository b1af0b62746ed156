import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { systemClock } from '../../core/base/clock.ts'
import { openStore } from '../../core/store/open-store.ts'
import type { PostgresServer } from '../../test/support/postgres-server.ts'
import type { InstanceLoad } from './ledger-child.ts'

export interface InstancesRun {
  /** events a second, of all together */
  readonly rate: number
  /** part of the time in which one of them held the ledger's lock */
  readonly locked: number
  /** part of the time in which their flows stood, because too many events waited for their commit */
  readonly stood: number
  /** processors that were busy: with the instances, and with the server (NaN where the system does not tell) */
  readonly instances: number
  readonly server: number
}

const LOOK_EVERY_MS = 20

/** So many processes on one database, each with so many events; `how`: they do nothing but write, or each is a flow that works for a millisecond at each event. */
export async function runInstances(server: PostgresServer, count: number, events: number, how: 'writes' | 'flow'): Promise<InstancesRun> {
  const url = server.url(await server.database())
  // the tables are there before they start
  const store = openStore({ postgres: { url }, clock: systemClock })
  await store.head()
  await store.close()
  const program = join(import.meta.dirname, 'ledger-child.ts')
  const children = Array.from({ length: count }, () => fork(program, [url, String(events), how]))
  await Promise.all(children.map((child) => once(child, 'message')))
  const watch = await LockWatch.start(url)
  const before = cpuOfServer(watch.server)
  const began = performance.now()
  const done = children.map((child) => once(child, 'message') as Promise<[InstanceLoad]>)
  for (const child of children) child.send('go')
  const loads = (await Promise.all(done)).map(([load]) => load)
  const seconds = (performance.now() - began) / 1000
  const cpu = cpuOfServer(watch.server) - before
  const locked = await watch.stop()
  const ended = children.map((child) => once(child, 'exit'))
  for (const child of children) child.send('end')
  await Promise.all(ended)
  if (loads.some(({ heard }) => heard === 0)) throw new Error('an instance heard of no event')
  const stood = loads.reduce((sum, load) => sum + load.stood, 0) / count
  return { rate: (count * events) / seconds, locked, stood, instances: loads.reduce((sum, load) => sum + load.cpu, 0) / seconds, server: cpu / seconds }
}

/** Looks now and then whether somebody holds the lock. */
class LockWatch {
  /** process id of the server */
  readonly server: number
  readonly #client: pg.Client
  #looks = 0
  #held = 0
  #stopped = false
  #looking: Promise<void>

  static async start(url: string): Promise<LockWatch> {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    const { rows } = await client.query('select pg_backend_pid() as pid')
    return new LockWatch(client, parentOf((rows[0] as { pid: number }).pid))
  }

  private constructor(client: pg.Client, server: number) {
    this.#client = client
    this.server = server
    this.#looking = this.#look()
  }

  async stop(): Promise<number> {
    this.#stopped = true
    await this.#looking
    await this.#client.end()
    return this.#held / this.#looks
  }

  async #look(): Promise<void> {
    while (!this.#stopped) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
      const { rows } = await this.#client.query("select 1 from pg_locks where locktype = 'advisory' and granted limit 1")
      this.#looks++
      this.#held += rows.length
    }
  }
}

/** What `/proc` tells of a process, from the state on (proc_pid_stat(5)). */
function statOf(pid: number): readonly string[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return []
  }
}

function parentOf(pid: number): number {
  return Number(statOf(pid)[1] ?? 0)
}

/** Seconds of CPU, of the server's processes that are there. */
function cpuOfServer(server: number): number {
  if (server === 0) return Number.NaN
  const stats = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => statOf(Number(name)))
  const own = stats.filter((stat) => Number(stat[1]) === server)
  return own.reduce((sum, stat) => sum + Number(stat[11]) + Number(stat[12]), 0) / TICKS_A_SECOND
}

const TICKS_A_SECOND = 100
