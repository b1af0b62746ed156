import { needsPostgres, PostgresServer } from '../../support/postgres-server.ts'
import { anyProcedureInOrder } from '../procedures/suites/any-procedure.ts'
import { legalOrder } from '../procedures/suites/legal-order.ts'
import { lotRelease } from '../procedures/suites/lot-release.ts'
import { steps } from '../procedures/suites/run.ts'
import { versions } from '../procedures/suites/versions.ts'
import { signing } from '../sign/suites/signing.ts'
import { PostgresDatabases } from '../store/support/postgres.ts'
import { StoreBench } from '../store/support/store.ts'
import { people } from './suites/people.ts'

describe('people, signatures and procedures on PostgreSQL', () => {
  let server: PostgresServer | undefined
  let databases: PostgresDatabases

  before(async function () {
    needsPostgres(this)
    server = await PostgresServer.start()
    databases = await PostgresDatabases.on(server)
  })
  after(() => server?.remove())

  const newBench = (): StoreBench => new StoreBench(databases)
  people(newBench)
  signing(newBench)
  versions(newBench)
  steps(newBench)
  lotRelease(newBench)
  legalOrder(newBench, [1])
  anyProcedureInOrder(newBench, [1])
})
