import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Node } from 'node-red'
import type { TaktError } from '../../core/base/error.ts'
import registerPlant from '../../nodes/plant/plant.ts'
import registerStore, { type StoreNode } from '../../nodes/store/store.ts'
import { created, lot, rejection } from '../core/store/support/store.ts'
import { helper, loadFlow } from './support/helper.ts'

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
})
