import { chromium } from 'playwright-core'

const [url = '', out = '', w = '1920', h = '1080', ...acts] = process.argv.slice(2)
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] })
const page = await browser.newPage({ viewport: { width: Number(w), height: Number(h) } })
page.on('console', (m) => {
  if (m.type() === 'error' || m.type() === 'warning') console.log(m.type(), m.text().slice(0, 400))
})
page.on('pageerror', (e) => console.log('pageerror', e.message))
await page.goto(url)
await page.waitForTimeout(6000)
for (const a of acts) {
  if (a.startsWith('hover:')) await page.hover(a.slice(6))
  else if (a.startsWith('click:')) await page.click(a.slice(6))
  else if (a.startsWith('wait:')) await page.waitForTimeout(Number(a.slice(5)))
  else console.log(await page.evaluate(a))
  await page.waitForTimeout(700)
}
await page.screenshot({ path: out })
await browser.close()
