import { writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { SqliteBackend } from '../../../core/store/sqlite-backend.ts'
import { verifyFile } from '../../../core/store/verify-file.ts'
import { upgrading } from './suites/upgrading.ts'
import { StoreBench } from './support/store.ts'

describe('a store file', () => {
  let bench: StoreBench
  let open: DatabaseSync | undefined
  let inTransaction = false
  beforeEach(() => {
    bench = new StoreBench()
  })
  afterEach(async () => {
    open?.close()
    open = undefined
    await bench.close()
  })

  upgrading(async () => {
    const where = bench.file()
    return {
      where,
      options: { file: where },
      backend: () =>
        new SqliteBackend(
          where,
          async () => {},
          () => {},
        ),
      async ask(sql, ...values) {
        if (sql === 'begin' || open === undefined) open = new DatabaseSync(where)
        if (sql === 'begin') inTransaction = true
        if (sql === 'commit') inTransaction = false
        const rows = open.prepare(sql).all(...values)
        if (!inTransaction) {
          open.close()
          open = undefined
        }
        return rows as Array<Record<string, any>>
      },
      anchor: async ({ sequence, hash }) => writeFileSync(`${where}.anchor`, JSON.stringify({ sequence, hash })),
      verify: () => verifyFile(where),
    }
  }, false)
})
