import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Node } from 'node-red'
import { packageRoot } from '../../core/base/package-root.ts'
import registerEvent from '../../nodes/event/event.ts'
import registerPlant from '../../nodes/plant/plant.ts'
import registerStore, { type StoreNode } from '../../nodes/store/store.ts'
import registerWorkOrder from '../../nodes/work-order/work-order.ts'
import { created, held, lot } from '../core/store/support/store.ts'
import { collect, type FlowNode, helper, loadFlow, nextMessage, type Received } from './support/helper.ts'

describe('event node', () => {
  let folder: string

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'takt-test-event-'))
    helper.settings({ userDir: folder } as never)
  })
  afterEach(async () => {
    await helper.unload()
    helper.settings({})
    rmSync(folder, { recursive: true, force: true })
  })

  interface Loaded {
    readonly store: StoreNode['store']
    readonly event: Node
    readonly sink: Node
    readonly seen: Received[]
  }

  async function load(properties: Record<string, unknown>): Promise<Loaded> {
    const node = await loadFlow(
      [registerStore, registerEvent],
      [
        { id: 'f1', type: 'tab' },
        { id: 'b0', type: 'takt-store', file: 'takt.db' },
        { id: 'c0', z: 'f1', type: 'takt-event', name: 'E', store: 'b0', types: '', from: 'now', wires: [['d0']], ...properties },
        { id: 'd0', z: 'f1', type: 'helper' },
      ],
    )
    const sink = node('d0')
    return { store: (node('b0') as StoreNode).store, event: node('c0'), sink, seen: collect(sink) }
  }

  const make = (store: StoreNode['store'], id: string) => store.transaction((tx) => tx.save(lot(id), created))

  it('sends what happens, as a message', async () => {
    const { store, sink } = await load({})
    const next = nextMessage(sink)
    const saved = await make(store, 'lot-1')
    const message = await next
    assert.equal(message.topic, 'lot.created')
    assert.deepEqual(message.payload, saved)
    const { time, ...event } = message.event as Record<string, unknown>
    assert.deepEqual(event, { sequence: 1, type: 'lot.created', subject: 'lot-1', actor: 'test', why: null })
    assert.equal(typeof time, 'number')
  })

  it('sends only the types it was told, each document its own copy', async () => {
    const { store, sink, seen } = await load({ types: 'lot.h*, work-order.*' })
    const last = nextMessage(sink, ({ payload }) => payload.id === 'lot-2')
    const first = await make(store, 'lot-1')
    const changed = await store.transaction((tx) => tx.save({ ...first, disposition: 'held' }, held))
    const second = await make(store, 'lot-2')
    await store.transaction((tx) => tx.save({ ...second, disposition: 'held' }, held))
    await last
    assert.deepEqual(
      seen.map(({ topic, payload }) => [topic, payload.id]),
      [
        ['lot.held', 'lot-1'],
        ['lot.held', 'lot-2'],
      ],
    )
    seen[0]!.payload.disposition = 'scrapped'
    assert.equal(changed.disposition, 'held')
  })

  it('begins with the first event of the ledger, in order, without a gap to what happens meanwhile', async () => {
    const before = await load({})
    for (let n = 1; n <= 450; n += 50) await Promise.all(Array.from({ length: 50 }, (_, index) => make(before.store, `lot-${n + index}`)))
    await helper.unload()

    const { store, sink, seen } = await load({ from: 'beginning' })
    const last = nextMessage(sink, ({ payload }) => payload.id === 'last', 15_000)
    for (let n = 0; n < 50; n++) await make(store, `later-${n}`)
    await make(store, 'last')
    await last
    assert.deepEqual(
      seen.map(({ event }) => (event as { sequence: number }).sequence),
      Array.from({ length: 501 }, (_, index) => index + 1),
    )
  })

  it('goes on after the last event it saw, through a restart', async () => {
    const first = await load({ from: 'last' })
    await make(first.store, 'a')
    const got = nextMessage(first.sink, ({ payload }) => payload.id === 'b')
    await make(first.store, 'b')
    await got
    await helper.unload()

    const away = await load({ types: 'nothing.*' })
    await make(away.store, 'c')
    await helper.unload()

    const second = await load({ from: 'last' })
    const last = nextMessage(second.sink, ({ payload }) => payload.id === 'd')
    await make(second.store, 'd')
    await last
    assert.deepEqual(
      second.seen.map(({ payload }) => payload.id),
      ['c', 'd'],
    )
  })

  /** The texts that a node has shown, as the test helper kept them. */
  const shown = (node: Node): string[] =>
    (node.status as unknown as { args: Array<[{ fill: string; text: string }]> }).args.map(([{ fill, text }]) => `${fill} ${text}`)
  async function untilShown(node: Node, pattern: RegExp): Promise<void> {
    while (!shown(node).some((text) => pattern.test(text))) await new Promise((resolve) => setTimeout(resolve, 20))
  }

  it('shows the last event', async () => {
    const { store, event } = await load({})
    await untilShown(event, /^grey waiting for events$/)
    await make(store, 'lot-1')
    await untilShown(event, /^green lot.created lot-1$/)
  })

  it('shows why it hears nothing', async () => {
    writeFileSync(join(folder, 'takt.db'), 'no database '.repeat(1000))
    const { event } = await load({ from: 'beginning' })
    await untilShown(event, /^red file is not a database$/)
  })

  it('refuses settings that mean nothing', async () => {
    for (const properties of [{ types: 'lot.(' }, { from: 'yesterday' }, { store: 'nowhere' }]) {
      const { store, seen } = await load(properties)
      await make(store, `lot-${Object.keys(properties)[0]}`)
      assert.deepEqual(seen, [])
      await helper.unload()
    }
  })

  it('has an example that works', async () => {
    const example = JSON.parse(readFileSync(join(packageRoot, 'examples', 'event.json'), 'utf8')) as FlowNode[]
    const flow = example.map((node) => (['inject', 'debug'].includes(node.type) ? { ...node, type: 'helper' } : node)).filter(({ type }) => type !== 'comment')
    const node = await loadFlow([registerPlant, registerStore, registerWorkOrder, registerEvent], flow)
    const [ask, all, released] = ['20 shafts', 'what happens', 'none is missed'].map((name) => node(example.find((entry) => entry.name === name)!.id))
    const heard = collect(all!)
    const got = nextMessage(released!)
    const { topic, payload } = example.find(({ type }) => type === 'inject') as unknown as { topic: string; payload: string }
    ask!.send({ topic, payload: JSON.parse(payload) } as never)
    assert.equal((await got).payload.quantity.value, 20)
    assert.equal(heard[0]!.topic, 'work-order.created')
  })
})
