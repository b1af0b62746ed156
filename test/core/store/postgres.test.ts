import pg from 'pg'
import { PostgresBackend } from '../../../core/store/postgres-backend.ts'
import { verifyPostgres } from '../../../core/store/verify-postgres.ts'
import { needsPostgres, PostgresServer } from '../../support/postgres-server.ts'
import { archive } from './suites/archive.ts'
import { backingUp } from './suites/backing-up.ts'
import { followEvents } from './suites/follow-events.ts'
import { inbox } from './suites/inbox.ts'
import { instances } from './suites/instances.ts'
import { ledger } from './suites/ledger.ts'
import { moving } from './suites/moving.ts'
import { outbox } from './suites/outbox.ts'
import { sampleRing } from './suites/sample-ring.ts'
import { serverAway } from './suites/server-away.ts'
import { transactions } from './suites/transactions.ts'
import { upgrading } from './suites/upgrading.ts'
import { values } from './suites/values.ts'
import { PostgresDatabases } from './support/postgres.ts'
import { StoreBench } from './support/store.ts'

describe('on PostgreSQL', () => {
  let server: PostgresServer | undefined
  let databases: PostgresDatabases

  before(async function () {
    needsPostgres(this)
    server = await PostgresServer.start()
    databases = await PostgresDatabases.on(server)
  })
  const clients: pg.Client[] = []
  after(async () => {
    await Promise.all(clients.map((client) => client.end()))
    await server?.remove()
  })

  const newBench = (): StoreBench => new StoreBench(databases)
  for (const suite of [archive, transactions, ledger, values, inbox, outbox, followEvents, sampleRing]) suite(newBench)
  instances(() => databases)
  moving(
    () => server as PostgresServer,
    () => databases,
  )
  backingUp(
    () => server as PostgresServer,
    () => databases,
  )
  upgrading(async () => {
    const name = await (server as PostgresServer).database()
    const url = (server as PostgresServer).url(name)
    const client = new pg.Client({ connectionString: url })
    // the next suite stops the server under it
    client.on('error', () => {})
    clients.push(client)
    await client.connect()
    return {
      where: url,
      options: { postgres: { url } },
      backend: () =>
        new PostgresBackend(
          { url },
          async () => {},
          () => {},
        ),
      async ask(sql, ...values) {
        let count = 0
        return (
          await client.query(
            sql.replaceAll('?', () => `$${++count}`),
            values,
          )
        ).rows
      },
      verify: () => verifyPostgres({ url }),
    }
  }, true)
  serverAway(
    () => server as PostgresServer,
    () => databases,
  )
})
