import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { packageRoot } from '../../core/base/package-root.ts'
import { type FlowNode, NodeRedProcess } from '../e2e/support/node-red-process.ts'
import { openBrowser, openPage } from './support/browser.ts'

describe('the operator terminal of the procedure example, on the dashboard', function () {
  this.timeout(120_000)
  let userDir: string
  let red: NodeRedProcess
  let browser: Browser
  const flow = JSON.parse(readFileSync(join(packageRoot, 'examples/procedure.json'), 'utf8')) as FlowNode[]

  before(async function () {
    browser = await openBrowser(this)
    userDir = mkdtempSync(join(tmpdir(), 'takt-terminal-'))
    red = new NodeRedProcess({ userDir, flow })
    await red.start()
  })
  after(async () => {
    await browser?.close()
    await red?.stop()
    if (userDir !== undefined) rmSync(userDir, { recursive: true, force: true })
  })
  const press = (name: string): Promise<unknown> => red.inject(flow.find((node) => node.name === name)!.id)

  it('has a version approved by another person, and leads through the steps before and after the start', async () => {
    const { page, complaints } = await openPage(browser, { width: 1400, height: 1000 })
    await page.goto(`${red.url}/dashboard/terminal`)
    const versions = page.locator('.takt-versions')
    const terminal = page.locator('.takt-terminal')
    await versions.getByText('No version waits').waitFor()
    await press('propose the procedure')
    await versions.getByText('nothing: it is the first').waitFor()
    await versions.getByLabel('I am').fill('Eva')
    await versions.getByRole('button', { name: 'Approve' }).click()
    await versions.getByText('Eva has written it').waitFor()
    await versions.getByLabel('I am').fill('Sven')
    await versions.getByRole('button', { name: 'Approve' }).click()
    await versions.getByText('No version waits').waitFor()

    await press('20 shafts')
    await terminal.getByText('has not begun').waitFor()
    await terminal.getByRole('button', { name: 'Begin' }).click()
    await terminal.getByText("fill in 'I am'").waitFor()
    await terminal.getByLabel('I am').fill('Olga')
    await terminal.getByRole('button', { name: 'Begin' }).click()
    await terminal.getByText('Gloves and glasses are on').waitFor()
    await terminal.getByRole('button', { name: 'Confirm' }).click()
    await terminal.getByText('Scan the cutter').waitFor()
    await terminal.getByLabel('value').fill('cutter-9')
    await terminal.getByRole('button', { name: 'Done' }).click()
    await terminal.getByText("tool 'cutter-9' was scanned").waitFor()
    if (process.env.TAKT_SCREENSHOT) await page.screenshot({ path: `${process.env.TAKT_SCREENSHOT}-1.png` })
    // the next scan comes instead of the wrong one: a scanner types and presses Enter
    await page.keyboard.type('cutter-7')
    await page.keyboard.press('Enter')
    await terminal.getByText('The oil must be warm').waitFor()
    assert.match(await terminal.locator('select').innerText(), /not started/)
    // the sensor does this one; then dispatch lets the mill begin
    await press('oil at 31 °C')
    await terminal.getByText('Measure the width of the first shaft').waitFor()
    await terminal.getByLabel('value').waitFor({ timeout: 20_000 })
    await terminal.getByLabel('value').fill('10,2')
    await terminal.getByRole('button', { name: 'Done' }).click()
    await terminal.getByText('10.2 mm is outside 9.95 to 10.05; lot lot-').waitFor()
    await terminal.getByLabel('value').fill('10,03')
    await terminal.getByRole('button', { name: 'Done' }).click()
    await terminal.getByText('Wide: set the offset').waitFor()
    if (process.env.TAKT_SCREENSHOT) await page.screenshot({ path: `${process.env.TAKT_SCREENSHOT}-2.png` })
    await terminal.getByRole('button', { name: 'Done' }).click()
    await terminal.getByRole('button', { name: 'box' }).click()
    await terminal.getByText(/Goes on by itself at .*, in \d s/).waitFor()
    await terminal.getByText('Close the box').waitFor({ timeout: 20_000 })
    await terminal.getByRole('button', { name: 'Done' }).click()
    await terminal.getByText('All steps are done').waitFor()
    assert.match(
      await terminal.locator('.done').innerText(),
      /cutter\s+cutter-7[\s\S]*oil\s+31 °C[\s\S]*width\s+10.03 mm[\s\S]*which\s+10.03 → offset[\s\S]*cool\s+✓ 5 s/,
    )
    assert.deepEqual(complaints, [])
  })
})
