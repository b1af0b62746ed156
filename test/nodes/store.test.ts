import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Node } from 'node-red'
import type { TaktError } from '../../core/base/error.ts'
import { listBackups, makeBackup } from '../../core/store/backup.ts'
import { DEFAULT_DISK_LIMITS } from '../../core/store/disk-budget.ts'
import registerPlant from '../../nodes/plant/plant.ts'
import { SharedStore } from '../../nodes/store/shared-store.ts'
import registerStore, { type StoreNode } from '../../nodes/store/store.ts'
import { selfSigned } from '../core/connect/support/self-signed.ts'
import { until } from '../core/connect/support/wait.ts'
import { created, lot, rejection } from '../core/store/support/store.ts'
import { needsPostgres, PostgresServer } from '../support/postgres-server.ts'
import { helper, loadFlow, type Register } from './support/helper.ts'

const registerTls = createRequire(import.meta.url)('@node-red/nodes/core/network/05-tls.js') as Register

const plant = { id: 'a0', type: 'takt-plant', source: 'inline', model: 'plant: acme\nequipment:\n  - { id: acme/u, level: workUnit }\n' }

describe('store node', () => {
  let folder: string

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'takt-test-store-node-'))
    helper.settings({ userDir: folder } as never)
  })
  afterEach(async () => {
    await helper.unload()
    helper.settings({})
    rmSync(folder, { recursive: true, force: true })
  })

  const load = (...stores: Array<Record<string, unknown>>): Promise<(id: string) => Node> =>
    loadFlow(
      [registerPlant, registerStore],
      [plant, ...stores.map((properties, index) => ({ id: `b${index}`, type: 'takt-store', name: `S${index}`, ...properties }))],
    )

  it('makes its file under the user directory, and keeps its records through a restart', async () => {
    const first = (await load({ file: '' }))('b0') as StoreNode
    await first.store.transaction((tx) => tx.save(lot('lot-1'), created))
    assert.ok(existsSync(join(folder, 'takt', 'takt.db')))
    await helper.unload()
    const second = (await load({ file: 'takt/takt.db' }))('b0') as StoreNode
    assert.equal((await second.store.get('lot', 'lot-1'))?.revision, 1)
  })

  it('shares one store among nodes with the same file', async () => {
    const node = await load({ file: 'same.db' }, { file: join(folder, 'same.db') }, { file: 'other.db' })
    const [one, two, other] = ['b0', 'b1', 'b2'].map((id) => node(id) as StoreNode)
    assert.equal(one!.store, two!.store)
    assert.notEqual(one!.store, other!.store)
    await one!.close(false)
    await two!.store.transaction((tx) => tx.save(lot('lot-1'), created))
  })

  it('lets nodes of the same deploy save their last words', async () => {
    const { store } = (await load({ file: 'last.db' }))('b0') as StoreNode
    const closing = helper.unload()
    await store.saveState('node', 'memory', { mean: 1 })
    await closing
    assert.equal((await rejection(store.saveState('node', 'memory', {}))).code, 'TAKT_STORE_CLOSED')
  })

  it('times records with the clock of its plant', async () => {
    const epoch = Date.UTC(2030, 0, 1)
    const node = await loadFlow(
      [registerPlant, registerStore],
      [
        { ...plant, clock: `${epoch}@${Date.now()}x1` },
        { id: 'b0', type: 'takt-store', file: ':memory:', plant: 'a0' },
      ],
    )
    const { store } = node('b0') as StoreNode
    await store.transaction((tx) => tx.save(lot('lot-1'), created))
    const [event] = await store.events(0, 1)
    assert.equal(new Date(event!.time).getUTCFullYear(), 2030)
  })

  it('backs itself up where it was told to, and refuses settings that make no sense', async () => {
    const node = await load({ file: 'kept.db', backupHours: '24', backupKeep: '2', backupFolder: 'safe', archiveMonths: '12' })
    const { store } = node('b0') as StoreNode
    await store.transaction((tx) => tx.save(lot('lot-1'), created))
    // the node waits a minute with its first one; this is the same store a moment after its start
    const told: string[] = []
    const user = { id: 'u', type: 'takt-store', name: 'U', status: ({ text }: { text: string }) => told.push(text), log: (text: string) => told.push(text), error: assert.fail, warn: assert.fail } // biome-ignore format: one line
    const policy = { backup: { everyMs: 3_600_000, folder: join(folder, 'safe'), keep: 2 }, archive: undefined }
    const file = join(folder, 'own.db')
    const shared = new SharedStore({ name: file, where: { file }, retryMs: 1000 }, undefined, {
      settleMs: 60_000,
      limits: DEFAULT_DISK_LIMITS,
      key: undefined,
      upkeep: policy,
      firstBackupMs: 0,
    })
    shared.users.add(user as never)
    await shared.store.transaction((tx) => tx.save(lot('lot-1'), created))
    await until(() => told.some((text) => text.includes('backed up to')), 'it says that it is backed up', 10_000)
    await shared.close()
    const [backup] = listBackups(join(folder, 'safe'))
    assert.ok(backup !== undefined && backup.manifest.fault === null && (backup.manifest.tables.lot ?? 0) <= 1)

    await helper.unload()
    const errors: string[] = []
    for (const wrong of [
      { file: ':memory:', backupHours: 1 },
      { file: 'w.db', backupHours: -1 },
      { file: 'w.db', backupKeep: 0 },
      { file: 'w.db', archiveMonths: 'x' },
    ]) {
      const bad = (await load(wrong))('b0') as StoreNode
      if (bad.store === undefined) errors.push(String(wrong.file))
      await helper.unload()
    }
    assert.deepEqual(errors, [':memory:', 'w.db', 'w.db', 'w.db'])
  })

  it('refuses the same file with two plants', async () => {
    const node = await load({ file: 'same.db', plant: 'a0' }, { file: 'same.db' })
    assert.ok((node('b0') as StoreNode).store)
    assert.equal((node('b1') as StoreNode).store, undefined)
  })

  it('tells what is wrong with the file, keeps running, and is well again when that is over', async () => {
    writeFileSync(join(folder, 'blocked'), '')
    const { store, ...node } = (await load({ file: 'blocked/takt.db' }))('b0') as StoreNode
    const problems: Array<string | undefined> = []
    node.onProblem((problem: TaktError | undefined) => problems.push(problem?.code))
    assert.equal((await rejection(store.head())).code, 'TAKT_STORE_UNWRITABLE')
    rmSync(join(folder, 'blocked'))
    assert.equal((await store.head()).sequence, 0)
    assert.deepEqual(problems.slice(-2), ['TAKT_STORE_UNWRITABLE', undefined])
  })

  describe('on a PostgreSQL server', () => {
    let server: PostgresServer
    let keys: string | undefined
    let certificate: string
    before(async function () {
      needsPostgres(this)
      keys = mkdtempSync(join(tmpdir(), 'takt-postgres-tls-'))
      const files = await selfSigned(join(keys, 'server'))
      certificate = files.certificate
      server = await PostgresServer.start({ tls: files })
      await server.ask(`create role plant login password 'right'`, 'postgres')
    })
    after(async () => {
      await server?.remove()
      if (keys !== undefined) rmSync(keys, { recursive: true, force: true })
    })

    async function database(): Promise<string> {
      const name = await server.database()
      await server.ask('grant all on schema public to plant', name)
      return name
    }
    const variable = (name: string): string => `\${${name}}`
    const problem = (node: Node): string => (node as unknown as { error: { args: unknown[][] } }).error.args.map(([error]) => (error as Error).message).join()

    async function loadServer(properties: Record<string, unknown>, credentials: Record<string, unknown> = {}, ca = certificate): Promise<StoreNode> {
      const flow = [
        { id: 'tls', type: 'tls-config', verifyservercert: true, ca },
        { id: 'b0', type: 'takt-store', name: 'records', database: 'postgres', ...properties },
      ]
      return (await loadFlow([registerTls, registerStore], flow, { b0: credentials }))('b0') as StoreNode
    }

    it('keeps its records there, over TLS, with a login that is not in the flow, and anchors their ledger under the user directory', async () => {
      process.env.TAKT_TEST_PASSWORD = 'right'
      const properties = { url: `postgres://127.0.0.1:${server.port}/${await database()}?sslmode=verify-full`, tls: 'tls' }
      const login = { user: 'plant', password: variable('TAKT_TEST_PASSWORD') }
      try {
        const first = await loadServer(properties, login)
        await first.store.transaction((tx) => tx.save(lot('lot-1'), created))
        await helper.unload()
        const again = await loadServer(properties, login)
        assert.equal((await again.store.get('lot', 'lot-1'))?.revision, 1)
        const [anchor] = readdirSync(join(folder, 'takt'))
        assert.match(anchor ?? '', /^postgres-127-0-0-1-.*\.anchor$/)
        assert.deepEqual(JSON.parse(readFileSync(join(folder, 'takt', anchor as string), 'utf8')), await again.store.head())
        assert.equal(again.store.shared, true)
        // the thread of a backup talks to it in the same way
        const ca = readFileSync(certificate)
        const postgres = { url: properties.url, user: 'plant', password: 'right', tls: { ca } }
        const { manifest } = await makeBackup({ source: { postgres }, folder: join(folder, 'safe'), now: Date.now })
        assert.deepEqual([manifest.tables.lot, manifest.fault], [1, null])
      } finally {
        delete process.env.TAKT_TEST_PASSWORD
      }
    })

    it('does not talk to a server whose certificate nobody vouches for, nor with a wrong password', async () => {
      const url = `postgres://127.0.0.1:${server.port}/${await database()}`
      const other = (await selfSigned(join(keys as string, 'other'))).certificate
      const distrusted = await loadServer({ url, tls: 'tls' }, { user: 'plant', password: 'right' }, other)
      assert.equal((await rejection(distrusted.store.head())).code, 'TAKT_STORE_REFUSED')
      await helper.unload()
      const wrong = await loadServer({ url, tls: 'tls' }, { user: 'plant', password: 'wrong' })
      assert.equal((await rejection(wrong.store.head())).code, 'TAKT_STORE_REFUSED')
    })

    it('says what is wrong with its settings, and takes a whole address from the environment', async () => {
      for (const [properties, what] of [
        [{ url: '' }, /address of the database server is missing/],
        [{ url: 'mysql://host/db' }, /not like postgres:/],
        [{ url: 'postgres://plant:secret@host/%zz' }, /% that stands for nothing/],
        [{ url: `postgres://host/${variable('TAKT_TEST_UNSET')}` }, /TAKT_TEST_UNSET/],
        [{ url: 'postgres://host/db?sslmode=prefer' }, /sslmode 'prefer'/],
        [{ url: 'postgres://host/db', tls: 'gone' }, /TLS settings are missing/],
      ] as const) {
        const node = await loadServer(properties)
        assert.equal(node.store, undefined)
        assert.match(problem(node), what)
        assert.ok(!problem(node).includes('secret'))
        await helper.unload()
      }
      process.env.TAKT_TEST_ADDRESS = `postgres://plant:right@127.0.0.1:${server.port}/${await database()}`
      try {
        const node = await loadServer({ url: variable('TAKT_TEST_ADDRESS') })
        assert.equal((await node.store.head()).sequence, 0)
      } finally {
        delete process.env.TAKT_TEST_ADDRESS
      }
    })

    it('is well again soon after a server that was away is back, without anybody doing anything', async () => {
      const node = await loadServer({ url: server.url(await database()) })
      const problems: Array<string | undefined> = []
      node.onProblem((told: TaktError | undefined) => problems.push(told?.code))
      await node.store.head()
      await server.stop()
      await until(() => problems.at(-1) === 'TAKT_STORE_AWAY', 'it is told')
      await server.start()
      const back = performance.now()
      await until(() => problems.at(-1) === undefined, 'it is well again')
      assert.ok(performance.now() - back < 2000, `${performance.now() - back} ms`)
    })
  })
})
