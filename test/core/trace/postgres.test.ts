import { needsPostgres, PostgresServer } from '../../support/postgres-server.ts'
import { World } from '../report/support/world.ts'
import { PostgresDatabases } from '../store/support/postgres.ts'
import { StoreBench } from '../store/support/store.ts'
import { plantEvents } from './suites/plant-events.ts'
import { randomEvents } from './suites/properties.ts'
import { recordedEvents } from './suites/record-event.ts'
import { Ground } from './support/ground.ts'

describe('on PostgreSQL', () => {
  let server: PostgresServer | undefined
  let bench: StoreBench

  before(async function () {
    needsPostgres(this)
    server = await PostgresServer.start()
    bench = new StoreBench(await PostgresDatabases.on(server))
  })
  after(async () => {
    await bench?.close()
    await server?.remove()
  })

  const newStore = () => bench.open(':memory:').store
  recordedEvents(() => new Ground(newStore()))
  randomEvents(() => new Ground(newStore()), [1])
  plantEvents(() => {
    const { store, clock } = bench.open(':memory:')
    return new World(store, clock)
  })
})
