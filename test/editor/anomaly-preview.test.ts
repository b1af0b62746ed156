import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { ManualClock } from '../../core/base/clock.ts'
import { type Preview, preview } from '../../core/detect/preview/preview.ts'
import { openStore } from '../../core/store/open-store.ts'
import { closeSampleRing } from '../../core/store/sample-ring.ts'
import type { Store } from '../../core/store/store.ts'
import { type AnomalyFields, readSettings } from '../../nodes/anomaly/settings.ts'
import { END, keepKnownHistory, MILL } from '../core/detect/support/known-history.ts'
import { type FlowNode, NodeRedProcess } from '../e2e/support/node-red-process.ts'
import { openBrowser, openPage } from './support/browser.ts'

interface EditorWindow {
  $: { fx: { off: boolean } }
  RED: { nodes: { node(id: string): FlowNode; dirty(): boolean }; editor: { edit(node: FlowNode): void } }
}

const FLOW: FlowNode[] = [
  { id: 'a1a1', type: 'tab', label: 'Test' },
  { id: 'b1', type: 'takt-store', name: 'records', file: 'takt/takt.db', plant: '' },
  {
    id: 'c1',
    z: 'a1a1',
    type: 'takt-anomaly',
    name: 'wear',
    plant: '',
    store: 'b1',
    method: 'auto',
    sensitivity: 'normal',
    x: 300,
    y: 100,
    wires: [[], ['c3']],
  },
  { id: 'c2', z: 'a1a1', type: 'http in', url: '/test/samples', method: 'post', x: 100, y: 100, wires: [['c1', 'c4']] },
  { id: 'c3', z: 'a1a1', type: 'function', func: "flow.set('last', msg.anomaly)", outputs: 0, x: 500, y: 100, wires: [] },
  { id: 'c4', z: 'a1a1', type: 'http response', statusCode: '204', x: 300, y: 200, wires: [] },
  { id: 'c5', z: 'a1a1', type: 'http in', url: '/test/last', method: 'get', x: 100, y: 300, wires: [['c6']] },
  { id: 'c6', z: 'a1a1', type: 'function', func: "msg.payload = flow.get('last') || {}\nreturn msg", outputs: 1, x: 300, y: 300, wires: [['c7']] },
  { id: 'c7', z: 'a1a1', type: 'http response', x: 500, y: 300, wires: [] },
  // has nothing to look at
  { id: 'd1', z: 'a1a1', type: 'takt-anomaly', name: 'bare', plant: '', store: '', method: 'limits', high: '5', x: 300, y: 400, wires: [[], []] },
]

/** A person tunes a detector by looking: at what it would have done, and at how it does beside the one that runs. */
describe('the preview of an anomaly node', function () {
  this.timeout(240_000)
  let userDir: string
  let store: Store
  let red: NodeRedProcess
  let browser: Browser
  let page: Page
  let complaints: string[]

  /** What core says to the same fields on the same history. */
  const expected = (fields: AnomalyFields, from = Number.MIN_SAFE_INTEGER): Promise<Preview> =>
    preview(store, undefined, readSettings(fields, false, 'test'), { equipment: MILL, signal: 'vibration', from, to: END })
  const open = async (id = 'c1'): Promise<void> => {
    await page.evaluate((wanted) => {
      const { nodes, editor } = (window as unknown as EditorWindow).RED
      editor.edit(nodes.node(wanted))
    }, id)
    await page.waitForSelector('#node-dialog-ok', { state: 'visible' })
  }
  const close = async (button: 'ok' | 'cancel'): Promise<void> => {
    await page.click(`#node-dialog-${button}`)
    await page.waitForSelector(`#node-dialog-${button}`, { state: 'detached' })
  }
  const deploy = async (): Promise<FlowNode> => {
    await page.click('#red-ui-header-button-deploy')
    await page.waitForFunction(() => !(window as unknown as EditorWindow).RED.nodes.dirty())
    const flows = (await (await fetch(`${red.url}/flows`)).json()) as FlowNode[]
    return flows.find(({ id }) => id === 'c1')!
  }
  /** Waits until the dialog says so many alarms; what else it says of them. */
  const says = async (alarms: number): Promise<string> => {
    await page.waitForSelector(`#takt-anomaly-preview-cost[data-alarms="${alarms}"]`, { timeout: 20_000 })
    return (await page.textContent('#takt-anomaly-preview-cost')) ?? ''
  }
  const marks = (row: 'typed' | 'running'): Promise<number> => page.locator(`#takt-anomaly-preview-chart .mark.${row}`).count()
  const chooseVibration = async (): Promise<void> => {
    await page.selectOption('#takt-anomaly-preview-signal', `${MILL}\nvibration`)
  }

  before(async function () {
    browser = await openBrowser(this)
    userDir = mkdtempSync(join(tmpdir(), 'takt-editor-anomaly-'))
    mkdirSync(join(userDir, 'takt'))
    const plant = openStore({ file: join(userDir, 'takt', 'takt.db'), clock: new ManualClock(END) })
    await keepKnownHistory(plant)
    await closeSampleRing(plant)
    await plant.close()
    store = openStore({ file: ':memory:', clock: new ManualClock(END) })
    await keepKnownHistory(store)
    red = new NodeRedProcess({ userDir, flow: FLOW })
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
  })

  after(async () => {
    await browser?.close()
    await red?.stop()
    if (store !== undefined) await closeSampleRing(store)
    await store?.close()
    if (userDir !== undefined) rmSync(userDir, { recursive: true, force: true })
  })

  it('draws the values, the band and the alarms that the fields would have given', async () => {
    await open()
    await page.waitForSelector('#takt-anomaly-preview-chart svg')
    assert.deepEqual(await page.locator('#takt-anomaly-preview-signal option').allTextContents(), [`${MILL}/load`, `${MILL}/vibration`])
    await chooseVibration()
    const { alarms, cost, points } = await expected({ method: 'auto' })
    const said = await says(2)
    assert.deepEqual([alarms.length, cost.beforeStop, cost.score.refused], [2, 1, 1])
    assert.match(said, /^These settings would have given 2 alarms \(21\.2 a week\), 1 before a stop or a repair; 10\.6 false a week\.$/)
    assert.deepEqual([await marks('typed'), await marks('running')], [2, 2])
    assert.equal(await page.locator('#takt-anomaly-preview-chart .alarm.high').count(), 1)
    const line = (await page.locator('#takt-anomaly-preview-chart .value').last().getAttribute('d')) ?? ''
    assert.equal(line.match(/[ML]/g)?.length, points.filter(({ judged }) => judged).length)
    assert.ok(((await page.locator('#takt-anomaly-preview-chart .band').getAttribute('d')) ?? '').length > 1000)
    const box = await page.locator('#takt-anomaly-preview-chart svg').boundingBox()
    const dialog = await page.locator('#dialog-form').boundingBox()
    assert.ok(box && dialog && box.width > 300 && box.x + box.width <= dialog.x + dialog.width)
    assert.match((await page.textContent('#takt-anomaly-preview-doubt')) ?? '', /Learned from 1,?819 values, judged 1,?759\. That is 15\.8 h/)
  })

  it('says why of an alarm, by keys and by pointing', async () => {
    await page.focus('#takt-anomaly-preview-chart svg')
    await page.keyboard.press('ArrowRight')
    assert.match((await page.textContent('#takt-anomaly-preview-evidence')) ?? '', /low · for 6 min · range 2\.\d+ against/)
    await page.locator('#takt-anomaly-preview-chart .alarm.high').hover()
    assert.match((await page.textContent('#takt-anomaly-preview-evidence')) ?? '', /high · for 84 min · level 3\.\d+ against/)
    assert.match((await page.textContent('#takt-anomaly-preview-point')) ?? '', / · \d\.\d+ mm\/s · expected 2\.4 · 2\.05–2\.8 · score 1\.00/)
  })

  it('draws anew when a field is changed, beside what runs', async () => {
    await page.selectOption('#node-input-sensitivity', 'low')
    assert.match(await says((await expected({ method: 'auto', sensitivity: 'low' })).alarms.length), /given 1 alarm \(.*; 0 false a week/)
    assert.deepEqual([await marks('typed'), await marks('running')], [1, 2])
    assert.match((await page.textContent('#takt-anomaly-preview-before')) ?? '', /^Those that run now: 2 alarms/)

    await page.selectOption('#node-input-method', 'limits')
    await page.fill('#node-input-high', '2.65')
    const crossed = (await expected({ method: 'limits', high: '2.65' })).alarms.length
    assert.ok(crossed > 2)
    await says(crossed)
    assert.equal(await marks('typed'), crossed)
    assert.ok(((await page.locator('#takt-anomaly-preview-chart .upper').getAttribute('d')) ?? '').length > 100)
  })

  it('looks back as far as is wanted', async () => {
    const hours4 = await expected({ method: 'limits', high: '2.65' }, END - 4 * 3_600_000)
    await page.selectOption('#takt-anomaly-preview-span', '14400')
    await says(hours4.alarms.length)
    assert.ok(hours4.from >= END - 4 * 3_600_000)
    await close('cancel')
  })

  it('says what is missing where there is nothing to look at', async () => {
    await open('d1')
    assert.match((await page.textContent('#takt-anomaly-preview-hint')) ?? '', /^With a store/)
    assert.equal(await page.isVisible('#takt-anomaly-preview-chart'), false)
    await close('cancel')
  })

  it('puts a changed detector in the shadow of the one that runs', async () => {
    await open()
    await page.waitForFunction(() => document.querySelector('#takt-anomaly-preview-chart svg') !== null)
    assert.equal(await page.isVisible('#takt-anomaly-shadow-choice'), false)
    await page.selectOption('#node-input-sensitivity', 'low')
    await page.fill('#node-input-clearAfter', '120')
    await page.check('#takt-anomaly-shadow-choice input[value=shadow]')
    await close('ok')
    const node = await deploy()
    assert.deepEqual([node.method, node.sensitivity, node.clearAfter ?? ''], ['auto', 'normal', ''])
    const challenger = JSON.parse(node.challenger as string) as Record<string, string>
    assert.deepEqual([challenger.method, challenger.sensitivity, challenger.clearAfter], ['auto', 'low', '120'])
    assert.equal(challenger.name, undefined)
  })

  it('runs both on the same values, and shows how they do', async () => {
    const now = Date.now()
    const samples = Array.from({ length: 60 }, (_value, at) => ({
      ...{ kind: 'sample', equipment: MILL, signal: 'vibration', quality: 'good', time: now + at * 5, received: now },
      // at the end it is out for both, more so for the one that runs
      value: at < 50 ? 2.4 + 0.1 * Math.sin(at * 1.7) : 4,
    }))
    const send = (payload: unknown): Promise<Response> =>
      fetch(`${red.url}/test/samples`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(payload) })
    await red.until('the node takes samples', async () => (await send(samples)).status === 204)
    const last = await red.until('both have judged', async () => {
      const said = (await (await fetch(`${red.url}/test/last`)).json()) as { score?: number; raised?: boolean; shadow?: { score: number; raised: boolean } }
      return said.raised === true ? said : false
    })
    assert.ok(last.shadow?.raised && last.shadow.score > 0.5)
    await red.until('the alarm is in the scorecard', async () => {
      const { score } = (await (await fetch(`${red.url}/takt/anomaly/c1/scorecard`)).json()) as { score: { alarms: number } | null }
      return score?.alarms === 1
    })

    await open()
    const rows = page.locator('#takt-anomaly-shadow-table tbody tr')
    await page.waitForFunction(() => document.querySelectorAll('#takt-anomaly-shadow-table tbody tr').length === 3)
    const texts = await rows.evaluateAll((found) => found.map((row) => [...row.children].map((cell) => cell.textContent ?? '')))
    assert.match(texts[0]?.[0] ?? '', /^running, last 7 days/)
    assert.match(texts[1]?.[0] ?? '', /^running, in the same time/)
    assert.match(texts[2]?.[0] ?? '', /^in shadow/)
    assert.deepEqual(
      texts.map(([_name, alarms, right]) => [alarms, right]),
      [
        ['1', '–'],
        ['1', '–'],
        ['1', '–'],
      ],
    )
    assert.match((await page.textContent('#takt-anomaly-shadow-since')) ?? '', /^Since .+ told nobody\.$/)
    assert.match((await page.textContent('#takt-anomaly-shadow-what')) ?? '', /^In shadow: .*Sensitivity low instead of normal.*Clear after 120 instead of –/)
  })

  it('lets it take over, with what it has learned', async () => {
    await page.click('#takt-anomaly-shadow-take')
    assert.equal(await page.inputValue('#node-input-sensitivity'), 'low')
    await chooseVibration()
    await says(1)
    await close('ok')
    const node = await deploy()
    assert.deepEqual([node.sensitivity, node.clearAfter, node.challenger], ['low', '120', ''])
    const time = Date.now()
    const sample = { kind: 'sample', equipment: MILL, signal: 'vibration', quality: 'good', time, received: time, value: 2.4 }
    const last = await red.until('it judges at once, as one that has learned', async () => {
      await fetch(`${red.url}/test/samples`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ...sample, time: Date.now() }),
      })
      const said = (await (await fetch(`${red.url}/test/last`)).json()) as { shadow?: unknown; expected?: number | null }
      return said.shadow === undefined ? said : false
    })
    assert.ok(last.expected !== undefined && last.expected !== null && Math.abs(last.expected - 2.4) < 0.2)
  })

  it('complained of nothing', () => {
    assert.deepEqual(complaints, [])
  })
})
