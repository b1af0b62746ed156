import { flushCompileCache } from 'node:module'
import { setTimeout as pause } from 'node:timers/promises'
import type { Kysely, KyselyPlugin } from 'kysely'
import type { Backend } from '../../../../core/store/backend.ts'
import { type Migration, migrate } from '../../../../core/store/migrate.ts'
import { MIGRATIONS } from '../../../../core/store/migrations/index.ts'
import { PostgresBackend } from '../../../../core/store/postgres-backend.ts'
import { SqliteBackend } from '../../../../core/store/sqlite-backend.ts'
import { sqliteKysely } from '../../../../core/store/sqlite-dialect.ts'

/**
 * A process that brings a database to this version and dies by `kill -9` on the way: in the step of this index, after this share of its statements (1: when its commit is
 * under way), some ms later.
 */
const [where, step, share, delayMs] = process.argv.slice(2) as [string, string, string, string]
const nothing = [async () => {}, () => {}] as const
const backend: Backend = where.startsWith('postgres') ? new PostgresBackend({ url: where }, ...nothing) : new SqliteBackend(where, ...nothing)
const kill = (): void => void process.kill(process.pid, 'SIGKILL')

async function statementsOf(migration: Migration): Promise<number> {
  let count = 0
  const counting = sqliteKysely(async () => {
    count++
    return { rows: [] }
  }, '')
  await migration.up(counting, backend.dialect)
  return count
}

const dying = async (migration: Migration): Promise<Migration> => {
  const last = Math.floor(Number(share) * (await statementsOf(migration)))
  const isCommit = Number(share) >= 1
  let count = 0
  const plugin: KyselyPlugin = {
    transformQuery: ({ node }) => node,
    async transformResult({ result }) {
      if (!isCommit && count++ === last) {
        // what was sent is done meanwhile
        await pause(Number(delayMs))
        kill()
        await new Promise(() => {})
      }
      return result
    },
  }
  return {
    name: migration.name,
    async up(db: Kysely<any>, dialect) {
      await migration.up(db.withPlugin(plugin), dialect)
      if (isCommit) setTimeout(kill, Number(delayMs))
    },
  }
}

// who is killed keeps nothing for the next
flushCompileCache()
await backend.open()
await migrate(
  backend,
  1,
  await Promise.all(MIGRATIONS.slice(0, Number(step) + 1).map(async (migration, at) => (at === Number(step) ? dying(migration) : migration))),
)
await new Promise((later) => setTimeout(later, 10_000))
