import { sql } from 'kysely'
import { migrate } from '../../../../core/store/migrate.ts'
import { MIGRATIONS } from '../../../../core/store/migrations/index.ts'
import { SqliteBackend } from '../../../../core/store/sqlite-backend.ts'

/** A process that dies in the middle of a migration. */
const backend = new SqliteBackend(
  process.argv[2] as string,
  async () => {},
  () => {},
)
await backend.open()
await migrate(backend, 1, [
  ...MIGRATIONS,
  {
    name: 'dies midway',
    async up(db) {
      await sql`create table half (id integer primary key)`.execute(db)
      await sql`delete from lot`.execute(db)
      process.kill(process.pid, 'SIGKILL')
      await new Promise(() => {})
    },
  },
])
