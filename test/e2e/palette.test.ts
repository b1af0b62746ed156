import assert from 'node:assert/strict'
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packageRoot } from '../../core/base/package-root.ts'
import { type FlowNode, NodeRedProcess } from './support/node-red-process.ts'

interface NodeSet {
  readonly id: string
  readonly types: readonly string[]
  readonly enabled: boolean
  readonly module: string
  readonly err?: string
}

const manifest = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8'))

for (const runtime of ['node-red', 'node-red-4'] as const) {
  describe(`the palette on ${runtime === 'node-red' ? 'Node-RED 5' : 'Node-RED 4.1'}`, function () {
    this.timeout(120_000)
    let userDir: string
    let red: NodeRedProcess

    before(async () => {
      userDir = mkdtempSync(join(tmpdir(), 'takt-palette-'))
      red = new NodeRedProcess({ userDir, flow: [], runtime })
      await red.start()
    })
    after(async () => {
      await red.stop()
      rmSync(userDir, { recursive: true, force: true })
    })

    it('loads every node without a warning', async () => {
      const sets = (await (
        await fetch(`${red.url}/nodes`, {
          headers: { accept: 'application/json' },
        })
      ).json()) as NodeSet[]
      const ours = sets.filter((set) => set.module === manifest.name)
      assert.deepEqual(
        ours.flatMap((set) => set.types).toSorted(),
        Object.keys(manifest['node-red'].nodes)
          .map((name) => `takt-${name}`)
          .toSorted(),
      )
      assert.deepEqual(
        ours.filter((set) => set.err !== undefined || !set.enabled),
        [],
      )
      // what Node-RED says of these settings themselves
      const own = /Projects disabled|unencrypted credentials/
      assert.deepEqual(
        red.log.split('\n').filter((line) => /\[(warn|error)\]/.test(line) && !own.test(line)),
        [],
      )
    })

    it('serves dialogs, labels, help and icons to the editor', async () => {
      const html = await (await fetch(`${red.url}/nodes`, { headers: { accept: 'text/html' } })).text()
      const icons = (await (await fetch(`${red.url}/icons`)).json()) as Record<string, string[]>
      for (const name of Object.keys(manifest['node-red'].nodes)) {
        assert.ok(html.includes(`data-template-name="takt-${name}"`), `template of ${name}`)
        assert.ok(html.includes(`data-help-name="takt-${name}"`), `help of ${name}`)
        assert.ok(icons[manifest.name]?.includes(`${name}.svg`), `icon of ${name}`)
      }
    })

    it('imports and runs every example', async () => {
      // ids of examples are unique, and a port that two of them want is said and survived
      const files = globSync('examples/*.json', { cwd: packageRoot }).filter((file) => !file.includes('closed-loop'))
      const flow = files.flatMap((file) => JSON.parse(readFileSync(join(packageRoot, file), 'utf8')) as FlowNode[])
      const from = red.log.length
      await red.deploy(flow)
      await red.until('flows started', () => red.log.slice(from).includes('Started flows'))
      for (const inject of flow.filter((node) => node.type === 'inject')) await red.inject(inject.id)
      await new Promise((resolve) => setTimeout(resolve, 1000))
      const log = red.log.slice(from)
      assert.doesNotMatch(log, /missing node types|unknown:|TypeError|ReferenceError|TAKT_INTERNAL|UnhandledPromise/i)
      assert.ok(red.running, 'Node-RED is up')
    })

    it('takes orders over HTTP, as the example has it: made, known, contradicted, without sense', async () => {
      const send = async (path: string, body: unknown): Promise<readonly [status: number, answer: any]> => {
        const response = await fetch(`${red.url}/takt/${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
        return [response.status, await response.json()]
      }
      const order = { external: { system: 'erp', id: '4711' }, product: 'shaft', quantity: 10 }
      const [made, first] = await send('orders', order)
      const [known, second] = await send('orders', order)
      const [contradicted, refusal] = await send('orders', { ...order, quantity: 11 })
      const [senseless] = await send('orders', { ...order, external: { system: 'erp', id: '4712' }, product: 'ring' })
      assert.deepEqual([made, known, contradicted, senseless], [201, 200, 409, 422])
      assert.deepEqual([first.kind, first.id, second.id, refusal.code], ['work-order', 'wo-4711', 'wo-4711', 'TAKT_ORDER_EXISTS_DIFFERENT'])
      const [imported, summary] = await send('orders/import', { orders: [1] })
      assert.equal(imported, 422, JSON.stringify(summary))
    })
  })
}
