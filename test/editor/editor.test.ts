import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { packageRoot } from '../../core/base/package-root.ts'
import { type FlowNode, NodeRedProcess } from '../e2e/support/node-red-process.ts'
import { openBrowser, openPage } from './support/browser.ts'

const manifest = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { 'node-red': { nodes: Record<string, string> } }
const CONFIG_NODES = ['plant', 'store', 'mqtt-broker', 'opcua-endpoint', 'influxdb']
const FLOW_NODES = Object.keys(manifest['node-red'].nodes).filter((name) => !CONFIG_NODES.includes(name))

/** The editor's own script object, as far as a test looks into it. */
interface EditorWindow {
  RED: {
    nodes: {
      eachNode(visit: (node: FlowNode) => void): void
      eachConfig(visit: (node: FlowNode) => void): void
      node(id: string): FlowNode
      dirty(): boolean
    }
    editor: { edit(node: FlowNode): void; editConfig(name: string, type: string, id: string): void }
    sidebar: { help: { show(type: string): void } }
  }
}

/** As a person sits before it: nodes dragged from the palette, each dialog opened, edited, closed, deployed, and some opened again. */
describe('the editor', function () {
  this.timeout(240_000)
  let userDir: string
  let red: NodeRedProcess
  let browser: Browser
  let page: Page
  let complaints: string[]

  const settled = (): Promise<void> => page.waitForTimeout(40)
  const placed = (type: string): Promise<string | undefined> =>
    page.evaluate((wanted) => {
      let found: string | undefined
      const look = (node: FlowNode): void => void (node.type === wanted && (found = node.id))
      const { nodes } = (window as unknown as EditorWindow).RED
      nodes.eachNode(look)
      nodes.eachConfig(look)
      return found
    }, type)
  const open = async (id: string): Promise<void> => {
    await page.evaluate((wanted) => {
      const { nodes, editor } = (window as unknown as EditorWindow).RED
      editor.edit(nodes.node(wanted))
    }, id)
    await page.waitForSelector('#node-dialog-ok', { state: 'visible' })
    await settled()
  }
  const close = async (button: '#node-dialog-ok' | '#node-dialog-cancel' | '#node-config-dialog-ok' | '#node-config-dialog-cancel'): Promise<void> => {
    await page.click(button)
    await page.waitForSelector(button, { state: 'detached' })
    await settled()
  }
  /** Labels whose text is missing show their key. */
  const bareKeys = async (): Promise<string[]> =>
    ((await page.textContent('.red-ui-tray:last-child')) ?? '').match(/\b[a-z-]+\.(label|placeholder|tip|option|text|validation)\.[\w-]+/g) ?? []

  before(async function () {
    browser = await openBrowser(this)
    userDir = mkdtempSync(join(tmpdir(), 'takt-editor-'))
    red = new NodeRedProcess({ userDir, flow: [{ id: 'a1a1', type: 'tab', label: 'Test' }] })
    await red.start()
    const watched = await openPage(browser)
    page = watched.page
    complaints = watched.complaints
    await page.goto(red.url)
    await page.waitForSelector('.red-ui-palette-node[data-palette-type=takt-sensor]', { timeout: 60_000 })
    await page.waitForFunction(() => !document.querySelector('#red-ui-loading-progress')?.checkVisibility())
    // dialogs would slide in and out, and clicks meanwhile miss
    await page.evaluate(() => {
      ;(window as unknown as { $: { fx: { off: boolean } } }).$.fx.off = true
    })
  })

  after(async () => {
    await browser?.close()
    await red?.stop()
    if (userDir !== undefined) rmSync(userDir, { recursive: true, force: true })
  })

  it('has its categories first in the palette, with a label for each node', async () => {
    for (const name of FLOW_NODES) {
      const label = await page.textContent(`.red-ui-palette-node[data-palette-type=takt-${name}] .red-ui-palette-label`)
      assert.ok(label && !label.includes('takt-') && !label.includes('.'), `${name} is called '${label}'`)
      const category = await page
        .locator(`.red-ui-palette-node[data-palette-type=takt-${name}]`)
        .evaluate((node) => node.closest('.red-ui-palette-category')?.id)
      assert.match(category ?? '', /IIoT|MES/)
    }
  })

  for (const name of CONFIG_NODES) {
    it(`adds a ${name}`, async () => {
      await page.evaluate((type) => (window as unknown as EditorWindow).RED.editor.editConfig('', type, '_ADD_'), `takt-${name}`)
      await page.waitForSelector('#node-config-dialog-ok', { state: 'visible' })
      await settled()
      assert.deepEqual(await bareKeys(), [])
      await page.fill('#node-config-input-name', `my ${name}`)
      await close('#node-config-dialog-ok')
      assert.ok(await placed(`takt-${name}`))
    })
  }

  for (const [index, name] of FLOW_NODES.entries()) {
    it(`drags in a ${name}, opens it and edits it`, async () => {
      const source = page.locator(`.red-ui-palette-node[data-palette-type=takt-${name}]`)
      await source.scrollIntoViewIfNeeded()
      await source.hover()
      await page.mouse.down()
      await page.mouse.move(400, 200, { steps: 3 })
      await page.mouse.move(480 + (index % 3) * 260, 160 + Math.floor(index / 3) * 90, { steps: 5 })
      await page.mouse.up()
      await page.waitForTimeout(100)
      const id = await placed(`takt-${name}`)
      assert.ok(id, 'it lies in the flow')

      await open(id)
      assert.deepEqual(await bareKeys(), [])
      await page.fill('#node-input-name', `my ${name}`)
      for (const select of await page.locator('.red-ui-tray:last-child select[id^=node-input-]').all()) {
        // of config nodes take the one there is
        const value = await select.evaluate((element: HTMLSelectElement) => [...element.options].find((option) => /^my /.test(option.text))?.value)
        if (value !== undefined) await select.selectOption(value)
      }
      await close('#node-dialog-ok')
    })
  }

  it('shows the help of every node', async () => {
    for (const name of FLOW_NODES) {
      const help = readFileSync(join(packageRoot, 'nodes', name, 'locales/en-US', `${name}.html`), 'utf8')
      const summary = /<p>([^<]+)/.exec(help)?.[1]?.trim() ?? ''
      assert.ok(summary.length > 20, name)
      await page.evaluate((type) => (window as unknown as EditorWindow).RED.sidebar.help.show(type), `takt-${name}`)
      await page.waitForFunction((text) => [...document.querySelectorAll('.red-ui-help')].some((panel) => panel.textContent?.includes(text)), summary)
    }
  })

  it('deploys what was dragged', async () => {
    await page.click('#red-ui-header-button-deploy')
    // nodes that still miss a setting: the editor asks first
    const confirm = page.locator('.red-ui-notification button.primary, .red-ui-notification button:has-text("Confirm deploy")').first()
    await Promise.race([
      confirm.waitFor({ timeout: 3000 }).then(
        () => confirm.click(),
        () => {},
      ),
      page.waitForFunction(() => !(window as unknown as EditorWindow).RED.nodes.dirty()),
    ])
    await page.waitForFunction(() => !(window as unknown as EditorWindow).RED.nodes.dirty())
    const deployed = (await (await fetch(`${red.url}/flows`)).json()) as FlowNode[]
    for (const name of [...CONFIG_NODES, ...FLOW_NODES])
      assert.ok(
        deployed.some((node) => node.type === `takt-${name}` && node.name === `my ${name}`),
        name,
      )
  })

  it('opens what was deployed with what was entered', async () => {
    // one that has config nodes, lists and fields that show each other
    for (const name of ['machine-command', 'anomaly', 'quality-gate']) {
      await open((await placed(`takt-${name}`)) ?? '')
      assert.equal(await page.inputValue('#node-input-name'), `my ${name}`)
      await close('#node-dialog-cancel')
    }
  })

  it('opens the reference flow without a node that is unknown or lacks a setting', async () => {
    const flow = JSON.parse(readFileSync(join(packageRoot, 'flows/closed-loop.json'), 'utf8')) as FlowNode[]
    await page.evaluate((nodes) => {
      const { RED } = window as unknown as {
        RED: { nodes: { clear(): void; import(nodes: unknown, options: object): void }; view: { redraw(force: boolean): void } }
      }
      RED.nodes.clear()
      RED.nodes.import(nodes, { generateIds: false })
      RED.view.redraw(true)
    }, flow)
    const faults = await page.evaluate(() => {
      const found: string[] = []
      const look = (node: FlowNode): void => {
        if (node.type === 'unknown' || node.valid === false)
          found.push(`${String(node._orig?.type ?? node.type)} '${node.name}': ${String(node.validationErrors ?? '')}`)
      }
      const { nodes } = (window as unknown as EditorWindow).RED
      nodes.eachNode(look)
      nodes.eachConfig(look)
      return found
    })
    assert.deepEqual(faults, [])
  })

  it('complained of nothing', () => {
    assert.deepEqual(complaints, [])
  })
})
