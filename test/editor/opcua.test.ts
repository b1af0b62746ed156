import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { OpcuaTestServer } from '../core/connect/support/opcua-server.ts'
import { type FlowNode, NodeRedProcess } from '../e2e/support/node-red-process.ts'
import { openBrowser, openPage } from './support/browser.ts'

interface EditorWindow {
  $: { fx: { off: boolean } }
  RED: {
    nodes: { node(id: string): FlowNode; dirty(): boolean }
    editor: { edit(node: FlowNode): void; editConfig(name: string, type: string, id: string): void }
  }
}

const MODEL = `plant: acme
equipment:
  - id: acme/mill
    level: workUnit
    signals:
      - { name: vibration, role: condition, unit: mm/s }
      - { name: speed }
      - { name: door }
`

/** A person connects a machine that nobody knows yet: asks it, trusts it, and picks what it has to say. */
describe('OPC UA in the editor', function () {
  this.timeout(240_000)
  let userDir: string
  let server: OpcuaTestServer
  let red: NodeRedProcess
  let browser: Browser
  let page: Page
  let complaints: string[]

  const flows = async (): Promise<FlowNode[]> => (await (await fetch(`${red.url}/flows`)).json()) as FlowNode[]
  const deploy = async (): Promise<void> => {
    await page.click('#red-ui-header-button-deploy')
    await page.waitForFunction(() => !(window as unknown as EditorWindow).RED.nodes.dirty())
  }

  before(async function () {
    browser = await openBrowser(this)
    server = await OpcuaTestServer.start()
    userDir = mkdtempSync(join(tmpdir(), 'takt-editor-opcua-'))
    red = new NodeRedProcess({
      userDir,
      flow: [
        { id: 'a1a1', type: 'tab', label: 'Test' },
        { id: 'b1', type: 'takt-plant', name: 'acme', source: 'inline', model: MODEL, clock: 'system' },
        { id: 'b2', type: 'takt-opcua-endpoint', name: 'line', url: server.url, securityMode: 'SignAndEncrypt', securityPolicy: 'Aes256_Sha256_RsaPss' },
        {
          id: 'c1',
          z: 'a1a1',
          type: 'takt-opcua-sensor',
          name: 'mill',
          plant: 'b1',
          endpoint: 'b2',
          store: '',
          mode: 'list',
          items: [{ nodeId: 'ns=1;s=Door', topic: 'acme/mill/door' }],
          x: 200,
          y: 100,
          wires: [[]],
        },
      ],
    })
    await red.start()
    const watched = await openPage(browser)
    page = watched.page
    complaints = watched.complaints
    await page.goto(red.url)
    await page.waitForSelector('.red-ui-palette-node[data-palette-type=takt-sensor]', { timeout: 60_000 })
    await page.waitForFunction(() => !document.querySelector('#red-ui-loading-progress')?.checkVisibility())
    await page.evaluate(() => {
      ;(window as unknown as EditorWindow).$.fx.off = true
    })
    page.setDefaultTimeout(60_000)
  })

  after(async () => {
    await browser?.close()
    await red?.stop()
    await server?.remove()
    if (userDir !== undefined) rmSync(userDir, { recursive: true, force: true })
  })

  it('asks the server what it offers, and a click takes it', async () => {
    await page.evaluate(() => (window as unknown as EditorWindow).RED.editor.editConfig('', 'takt-opcua-endpoint', 'b2'))
    await page.waitForSelector('#node-config-dialog-ok', { state: 'visible' })
    await page.click('#takt-opcua-endpoint-ask')
    const offered = page.locator('#takt-opcua-endpoint-offered li')
    await offered.first().waitFor()
    assert.deepEqual(
      (await offered.allTextContents()).map((text) => text.split(' · ').slice(0, 2).join(' ')),
      ['SignAndEncrypt Basic256Sha256', 'None user, certificate, anonymous'],
    )
    await offered.first().locator('a').click()
    assert.equal(await page.inputValue('#node-config-input-securityPolicy'), 'Basic256Sha256')
  })

  it('trusts the server only after the thumbprint was compared', async () => {
    const line = page.locator('#takt-opcua-endpoint-certificates li[data-thumbprint]')
    await line.waitFor()
    assert.match((await line.textContent()) ?? '', /this server.*thumbprint [0-9a-f]{40}.*valid to \d{4}-\d\d-\d\d/)
    const trusted = (): number => readdirSync(join(userDir, 'takt/pki/trusted/certs')).length
    const button = line.locator('.takt-opcua-endpoint-trust')
    await button.click()
    assert.match((await button.textContent()) ?? '', /compared\?/)
    assert.equal(trusted(), 0)
    await button.click()
    await page.waitForFunction(() => /trusted/.test(document.querySelector('#takt-opcua-endpoint-certificates li')?.textContent ?? ''))
    assert.equal(trusted(), 1)
    assert.match((await page.textContent('#takt-opcua-endpoint-own')) ?? '', /thumbprint [0-9a-f]{40}.*client_certificate\.pem|at the first secure connection/)
    await page.click('#node-config-dialog-ok')
    await page.waitForSelector('#node-config-dialog-ok', { state: 'detached' })
    await deploy()
  })

  it('browses the server with types, values and access, and takes several at once', async () => {
    await red.until('the endpoint is connected', async () => (await fetch(`${red.url}/takt/opcua-endpoint/b2/browse`)).ok)
    await page.evaluate(() => {
      const { nodes, editor } = (window as unknown as EditorWindow).RED
      editor.edit(nodes.node('c1'))
    })
    await page.waitForSelector('#node-dialog-ok', { state: 'visible' })
    const tree = page.locator('#takt-opcua-sensor-tree')
    const branch = (name: string) =>
      tree.locator('.red-ui-treeList-label').filter({ has: page.locator('.takt-opcua-sensor-name', { hasText: new RegExp(`^${name}$`) }) })
    await page.click('#takt-opcua-sensor-browse')
    await branch('Machine').waitFor()
    await branch('Machine').locator('.red-ui-treeList-icon').first().click()
    await branch('Vibration').waitFor()
    assert.match((await branch('Vibration').textContent()) ?? '', /Double · 3\.1 · rw/)
    await branch('Vibration').locator('.red-ui-treeList-checkbox, input[type=checkbox]').first().click()
    await branch('Speeds').locator('.red-ui-treeList-icon').first().click()
    await branch('\\[1\\]').waitFor()
    await branch('\\[1\\]').locator('.red-ui-treeList-checkbox, input[type=checkbox]').first().click()
    assert.match((await page.textContent('#takt-opcua-sensor-add')) ?? '', /\(2\)/)
    await page.click('#takt-opcua-sensor-add')
    const rows = async (key: string): Promise<string[]> =>
      page.locator(`.takt-opcua-sensor-${key}`).evaluateAll((inputs) => inputs.map((input) => (input as HTMLInputElement).value))
    assert.deepEqual(await rows('nodeId'), ['ns=1;s=Door', 'ns=1;s=Vibration', 'ns=1;s=Speeds'])
    assert.deepEqual(await rows('path'), ['', '', '[1]'])
    // the plant has one signal of that name; for the other a person chooses
    assert.deepEqual(await rows('topic'), ['acme/mill/door', 'acme/mill/vibration', ''])
  })

  it('suggests the signals of the plant', async () => {
    const topic = page.locator('.takt-opcua-sensor-topic').nth(2)
    await topic.click()
    await topic.pressSequentially('spee')
    const suggestion = page.locator('.red-ui-autoComplete-container', { hasText: 'acme/mill/speed' }).last()
    await suggestion.waitFor()
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await page.waitForFunction(() => [...document.querySelectorAll<HTMLInputElement>('.takt-opcua-sensor-topic')].at(-1)?.value === 'acme/mill/speed')
  })

  it('searches by name', async () => {
    await page.fill('#takt-opcua-sensor-search', 'setp')
    await page.press('#takt-opcua-sensor-search', 'Enter')
    await page.waitForFunction(() => document.querySelector('#takt-opcua-sensor-tree')?.textContent?.includes('Machine / Setpoint'))
    assert.equal(await page.locator('#takt-opcua-sensor-tree .takt-opcua-sensor-name').count(), 1)
    await page.fill('#takt-opcua-sensor-search', 'no such thing')
    await page.press('#takt-opcua-sensor-search', 'Enter')
    await page.waitForFunction(() => /Nothing found/.test(document.querySelector('#takt-opcua-sensor-problem')?.textContent ?? ''))
  })

  it('keeps the list, and its values come', async () => {
    await page.click('#node-dialog-ok')
    await page.waitForSelector('#node-dialog-ok', { state: 'detached' })
    await deploy()
    const sensor = (await flows()).find(({ id }) => id === 'c1')
    assert.deepEqual(
      ((sensor?.items ?? []) as Array<Record<string, string>>).map(({ nodeId, path, topic }) => [nodeId, path, topic]),
      [
        ['ns=1;s=Door', '', 'acme/mill/door'],
        ['ns=1;s=Vibration', '', 'acme/mill/vibration'],
        ['ns=1;s=Speeds', '[1]', 'acme/mill/speed'],
      ],
    )
    await page.waitForFunction(() => /3 samples/.test(document.querySelector('.red-ui-flow-node-status-label')?.textContent ?? ''), undefined, {
      timeout: 60_000,
    })
  })

  it('complained of nothing', () => {
    assert.deepEqual(complaints, [])
  })
})
