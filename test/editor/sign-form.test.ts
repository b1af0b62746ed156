import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { systemClock } from '../../core/base/clock.ts'
import { packageRoot } from '../../core/base/package-root.ts'
import { People } from '../../core/people/people.ts'
import { openStore } from '../../core/store/open-store.ts'
import { CHEAP, PASSWORD } from '../core/people/support.ts'
import { type FlowNode, NodeRedProcess } from '../e2e/support/node-red-process.ts'
import { openBrowser, openPage } from './support/browser.ts'

const FIRST = 'first-time-only-9'

describe('the form of the sign example, on the dashboard', function () {
  this.timeout(120_000)
  let userDir: string
  let red: NodeRedProcess
  let browser: Browser
  const flow = JSON.parse(readFileSync(join(packageRoot, 'examples/sign.json'), 'utf8')) as FlowNode[]

  before(async function () {
    browser = await openBrowser(this)
    userDir = mkdtempSync(join(tmpdir(), 'takt-sign-form-'))
    const store = openStore({ file: join(userDir, 'takt/example-sign.db'), clock: systemClock })
    const people = new People(store, systemClock, { cost: CHEAP })
    await people.firstAdministrator({ id: 'ada', name: 'Ada Admin', password: PASSWORD })
    await store.close()
    red = new NodeRedProcess({ userDir, flow })
    await red.start()
  })
  after(async () => {
    await browser?.close()
    await red?.stop()
    if (userDir !== undefined) rmSync(userDir, { recursive: true, force: true })
  })

  /** A browser of its own, with everything that the server tells it. */
  async function visit(): Promise<{ page: Page; heard: string[]; complaints: string[] }> {
    const { page, complaints } = await openPage(browser)
    const heard: string[] = []
    page.on('websocket', (socket) => socket.on('framereceived', ({ payload }) => heard.push(String(payload))))
    page.on('response', async (response) => {
      if (response.url().includes('socket.io')) heard.push(await response.text().catch(() => ''))
    })
    await page.goto(`${red.url}/dashboard/sign`)
    await page.waitForSelector('.takt-sign')
    return { page, heard, complaints }
  }
  const status = (page: Page, form: string): Promise<string> => page.locator(`${form} [role=status]`).innerText()

  it('lets an administrator add a person, who chooses a password and signs an order', async () => {
    const admin = await visit()
    const people = admin.page.locator('.takt-people')
    await people.getByLabel('Badge or id').fill('ada')
    await people.getByLabel('Password').fill(PASSWORD)
    await people.getByRole('button', { name: 'Sign in' }).click()
    await people.getByText('Ada Admin (ada)').waitFor()
    await people.getByLabel('Id', { exact: true }).fill('olga')
    await people.getByLabel('Name').fill('Olga Oper')
    await people.getByLabel('Badge').fill('0815')
    await people.getByLabel('First password').fill(FIRST)
    await people.getByRole('button', { name: 'Add' }).click()
    await people.getByRole('cell', { name: 'Olga Oper' }).waitFor()

    await red.inject(flow.find(({ name }) => name === '20 shafts')!.id)
    const tablet = await visit()
    const sign = tablet.page.locator('.takt-sign')
    await sign.getByText('You sign').waitFor()
    await sign.getByLabel('Badge or id').fill('0815')
    await sign.getByText('Change the password').click()
    await sign.getByLabel('Password', { exact: true }).fill(FIRST)
    await sign.getByLabel('New password').fill(PASSWORD)
    await sign.getByRole('button', { name: 'Change it' }).click()
    await red.until('the password is changed', async () => /Olga Oper has a new password/.test(await status(tablet.page, '.takt-sign')))

    await sign.getByLabel('Password', { exact: true }).fill('not the right one')
    await sign.getByRole('button', { name: 'Sign', exact: true }).click()
    await red.until('the refusal', async () => /person or password is wrong/.test(await status(tablet.page, '.takt-sign')))
    await sign.getByLabel('Password', { exact: true }).fill(PASSWORD)
    await sign.getByLabel('Comment').fill('by the drawing')
    await sign.getByRole('button', { name: 'Sign', exact: true }).click()
    await red.until('the signature', async () => /Signed by Olga Oper, .*, as performed \(1 of 3\)/.test(await status(tablet.page, '.takt-sign')))
    await sign.getByRole('listitem').filter({ hasText: 'Olga Oper' }).waitFor()
    assert.equal(await sign.getByLabel('Password', { exact: true }).inputValue(), '')
    // what one browser was told is not told to the other
    assert.equal(await status(admin.page, '.takt-sign'), '')

    // whoever opens the page after that hears no password, and neither did those who had it open
    const later = await visit()
    await later.page.locator('.takt-sign').getByText('You sign').waitFor()
    for (const { heard, complaints } of [admin, tablet, later]) {
      assert.deepEqual(complaints, [])
      assert.ok(heard.length > 0)
      for (const secret of [PASSWORD, FIRST, 'not the right one']) assert.ok(!heard.some((text) => text.includes(secret)), secret)
    }
    for (const secret of [PASSWORD, FIRST, 'not the right one']) assert.ok(!red.log.includes(secret))
  })
})
