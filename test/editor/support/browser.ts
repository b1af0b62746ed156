import { existsSync } from 'node:fs'
import { type Browser, chromium, type Page } from 'playwright-core'
import { needsService } from '../../support/services.ts'

const CHROMIUM = process.env.TAKT_CHROMIUM ?? '/usr/bin/chromium'

/** Chromium without a window (see `needsService`); `TAKT_CHROMIUM` names another than Debian's. */
export async function openBrowser(suite: Mocha.Context): Promise<Browser> {
  needsService(suite, `Chromium (${CHROMIUM})`, existsSync(CHROMIUM))
  return chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-dev-shm-usage'] })
}

export interface Watched {
  readonly page: Page
  /** Everything the page complained of: errors on the console, exceptions, requests that failed or left this machine. */
  readonly complaints: string[]
}

export async function openPage(browser: Browser, size = { width: 1600, height: 1000 }): Promise<Watched> {
  const page = await browser.newPage({ viewport: size })
  const complaints: string[] = []
  // the editor asks Node-RED's catalogue whether palettes are newer
  await page.route('https://catalogue.nodered.org/**', (route) => route.fulfill({ json: { modules: [] } }))
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`console: ${message.text()} ${message.location().url}`)
  })
  page.on('pageerror', (error) => complaints.push(`exception: ${error.stack ?? error.message}`))
  page.on('response', (response) => {
    if (response.status() >= 400) complaints.push(`${response.status()} ${response.url()}`)
  })
  page.on('request', (request) => {
    if (!/^(https?|wss?):\/\/127\.0\.0\.1[:/]|^(data|blob):|^https:\/\/catalogue\.nodered\.org\//.test(request.url()))
      complaints.push(`leaves this machine: ${request.url()}`)
  })
  return { page, complaints }
}
