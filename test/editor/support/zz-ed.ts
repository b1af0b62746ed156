import { chromium } from 'playwright-core'

const [url = '', prefix = ''] = process.argv.slice(2)
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] })
const page = await browser.newPage({ viewport: { width: 1600, height: 950 } })
await page.goto(url)
await page.waitForTimeout(5000)
await page.keyboard.press('Escape')
const tabs = await page.evaluate(() => {
  const t = []
  RED.nodes.eachWorkspace((w) => t.push(w.id))
  return t
})
for (const [i, t] of tabs.entries()) {
  await page.evaluate((id) => RED.workspaces.show(id), t)
  await page.waitForTimeout(900)
  await page.screenshot({ path: `${prefix}${i}.png` })
}
await browser.close()
