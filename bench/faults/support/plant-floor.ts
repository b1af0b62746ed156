import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hasPostgres, PostgresServer } from '../../../test/support/postgres-server.ts'
import { audit, readAnchors } from './audit/audit.ts'
import { DONE } from './audit/effects.ts'
import { postgresSource, type Source, sqliteSource } from './audit/source.ts'
import type { Outcome } from './case.ts'
import { Receiver } from './receiver.ts'
import { Traffic, toldIn } from './traffic.ts'
import type { TrafficOrder } from './traffic-order.ts'

export type Dialect = 'sqlite' | 'postgres'

export const needsPostgresServer: string | undefined = hasPostgres() ? undefined : 'needs PostgreSQL'

/** Everything of one case with order traffic: a database, a receiver of its outbox, processes. Torn down whatever happens. */
export class PlantFloor {
  readonly folder: string
  readonly receiver: Receiver
  readonly server: PostgresServer | undefined
  readonly #database: string
  readonly #palette: string
  readonly #traffics: Traffic[] = []
  /** keys that were looked for already, right after their process was killed */
  readonly #lookedFor = new Set<string>()
  #missing = 0
  readonly #after: Array<() => unknown> = []

  private constructor(folder: string, receiver: Receiver, palette: string, server: PostgresServer | undefined, database: string) {
    this.folder = folder
    this.receiver = receiver
    this.#palette = palette
    this.server = server
    this.#database = database
  }

  static async open(palette: string, dialect: Dialect): Promise<PlantFloor> {
    const folder = mkdtempSync(join(tmpdir(), 'takt-faults-'))
    // as a plant runs it: what is told is on the disk
    const server = dialect === 'postgres' ? await PostgresServer.start({ lines: ['fsync = on', 'full_page_writes = on'] }) : undefined
    const database = server === undefined ? join(folder, 'takt.db') : await server.database()
    return new PlantFloor(folder, await Receiver.start(), palette, server, database)
  }

  /** The SQLite file. */
  get file(): string {
    return this.#database
  }

  get logs(): readonly string[] {
    return this.#traffics.map(({ name }) => join(this.folder, `${name}.log`))
  }

  get anchors(): readonly string[] {
    return this.server === undefined ? [`${this.#database}.anchor`] : this.#traffics.map(({ name }) => join(this.folder, `${name}.anchor`))
  }

  /** Traffic of a process of this name; not started. */
  traffic(name: string, change: Partial<TrafficOrder> = {}): Traffic {
    const { server } = this
    const traffic = new Traffic(this.#palette, {
      database: server === undefined ? { file: this.#database } : { url: server.url(this.#database), anchor: join(this.folder, `${name}.anchor`) },
      log: join(this.folder, `${name}.log`),
      receiver: this.receiver.url,
      name,
      writers: 6,
      seed: 1,
      ...change,
    })
    this.#traffics.push(traffic)
    this.#after.push(async () => {
      if (!traffic.running) return
      traffic.signal('SIGCONT')
      await traffic.kill()
    })
    return traffic
  }

  source(): Promise<Source> | Source {
    return this.server === undefined ? sqliteSource(this.#database) : postgresSource(this.server.url(this.#database))
  }

  /** Looks whether everything is there that was told done since the last look. To be asked while nobody works: a process that is started again would do it again. */
  async look(): Promise<void> {
    const fresh = [...toldIn(...this.logs)].filter((key) => !this.#lookedFor.has(key))
    for (const key of fresh) this.#lookedFor.add(key)
    if (fresh.length === 0) return
    const source = await this.source()
    try {
      const keys = fresh.map((key) => `'${key}'`).join(', ')
      const there = await source.rows(`SELECT subject FROM ledger WHERE type = '${DONE}' AND subject IN (${keys})`)
      this.#missing += fresh.length - new Set(there.map(({ subject }) => subject)).size
    } finally {
      await source.close()
    }
  }

  /** Ends the connections of others to the database, as an administrator does. How many there were. */
  async endConnections(): Promise<number> {
    const sql = 'select count(pg_terminate_backend(pid)) as n from pg_stat_activity where datname = $1 and pid <> pg_backend_pid()'
    const rows = await this.server?.ask(sql, 'postgres', [this.#database])
    return Number(rows?.[0]?.n ?? 0)
  }

  /** What all that came to. With `drained` everything that was sent out must have arrived. `jumps`: what the clock was set by, ms, which the ledger must say. */
  async outcome(note: string, { drained = true, jumps }: { readonly drained?: boolean; readonly jumps?: readonly number[] } = {}): Promise<Outcome> {
    const source = await this.source()
    try {
      const told = toldIn(...this.logs)
      const {
        rows,
        findings,
        jumps: recorded,
      } = await audit(source, {
        anchors: readAnchors(...this.anchors),
        told,
        received: drained ? this.receiver.received : undefined,
      })
      for (const jump of unrecorded(jumps ?? [], recorded)) findings.wrong(`the clock was set by ${jump / 1000} s, and no event says so`)
      const wrong = this.#traffics.flatMap((traffic) => traffic.wrong)
      const said = [note, `${rows.toLocaleString('en')} ledger rows`, findings.evidence, ...wrong.slice(0, 2)]
      if (this.#missing > 0) said.push(`${this.#missing} told done were not there after a kill`)
      const { lost, doubled, violated } = findings
      return { sent: told.size, lost: lost + this.#missing, doubled, violated: violated + wrong.length, note: said.filter(Boolean).join('; ') }
    } finally {
      await source.close()
    }
  }

  async close(): Promise<void> {
    for (const undo of this.#after) await Promise.resolve(undo()).catch(() => {})
    this.receiver.close()
    await this.server?.remove()
    if (process.env.FAULTS_KEEP === '1') console.error(`kept: ${this.folder}`)
    else rmSync(this.folder, { recursive: true, force: true })
  }
}

/** What passes between the last row and the next start. */
const CLOCK_TOLERANCE_MS = 60_000

/** Each jump has an event of its own; there may be more of them. */
function unrecorded(jumps: readonly number[], recorded: readonly number[]): readonly number[] {
  const left = [...recorded]
  return jumps.filter((jump) => {
    const at = left.findIndex((byMs) => Math.abs(byMs - jump) < CLOCK_TOLERANCE_MS)
    if (at >= 0) left.splice(at, 1)
    return at < 0
  })
}
