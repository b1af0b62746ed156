import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import type { Overview } from '../../core/report/overview.ts'
import { NodeRedProcess } from '../e2e/support/node-red-process.ts'
import { openBrowser, openPage } from './support/browser.ts'
import { dashboardFlow } from './support/dashboard-flow.ts'
import { sampleOverview, sampleWhatIf } from './support/overview-sample.ts'

const NOW = Date.UTC(2026, 10, 23, 9, 12)
const LINE = 'acme/berlin/machining/line-1'

describe('the dashboard', function () {
  this.timeout(120_000)
  let userDir: string
  let red: NodeRedProcess
  let browser: Browser
  let page: Page
  let complaints: string[]

  const feed = async (path: string, body: unknown): Promise<void> => {
    const response = await fetch(`${red.url}/test/${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
    assert.equal(response.status, 204)
  }
  const text = async (selector: string): Promise<string> => (await page.textContent(selector)) ?? ''
  const show = (overview: Overview): Promise<void> => feed('overview', overview)
  const pressed = async (): Promise<Array<{ topic: string; payload: unknown }>> => (await (await fetch(`${red.url}/test/sent`)).json()) as never
  /** Waits for what a press sends. */
  const hears = (topic: string): Promise<unknown> =>
    red.until(`'${topic}' is sent`, async () => (await pressed()).findLast((message) => message.topic === topic)).then((message) => message.payload)

  before(async function () {
    browser = await openBrowser(this)
    userDir = mkdtempSync(join(tmpdir(), 'takt-dashboard-'))
    red = new NodeRedProcess({ userDir, flow: dashboardFlow() })
    await red.start()
    await show(sampleOverview(NOW))
    const watched = await openPage(browser)
    page = watched.page
    complaints = watched.complaints
    await page.goto(`${red.url}/dashboard`)
    await page.waitForSelector('[data-unit]')
  })

  after(async () => {
    await browser?.close()
    await red?.stop()
    if (userDir !== undefined) rmSync(userDir, { recursive: true, force: true })
  })

  it('shows what came before the page was opened: time, figures, machines', async () => {
    const header = await text('.tk-header')
    for (const part of ['Berlin machining', 'Monday 23 November', 'early shift', '10:12:00', '60× speed', '61%', '412']) assert.ok(header.includes(part), part)
    assert.equal(await page.locator('[data-unit]').count(), 9)
    assert.match(await text('[data-unit=saw-2]'), /aborted/)
    assert.match(await text('[data-unit=mill-2]'), /spindle\.vibration 5\.9/)
    assert.match(await text('[data-unit=lathe-2]'), /trial\s+repaired, a few parts at a time/)
    assert.ok(await page.locator('[data-unit=mill-2].alarmed').isVisible())
  })

  it('draws the plan: a row a unit, bars in time, the repair hatched, what moved with its old place', async () => {
    assert.equal(await page.locator('.tk-gantt text.name').count(), 9)
    assert.ok((await page.locator('.tk-gantt .job').count()) > 20)
    assert.ok(await page.locator('[data-job=jo-mo-12].maintenance').isVisible())
    const moved = await page.locator('.tk-gantt .job.moved').count()
    assert.ok(moved > 0)
    assert.ok((await page.locator('.tk-gantt .ghost').count()) > 0)
    const where = async (job: string): Promise<{ x: number; y: number; width: number }> => (await page.locator(`[data-job=${job}] .fill`).boundingBox())!
    const overview = sampleOverview(NOW)
    const bars = overview.plan!.bars.filter((bar) => bar.unit === 'lathe-1' && bar.start > NOW && bar.end < NOW + 6 * 3_600_000)
    assert.ok(bars.length >= 2)
    const places = await Promise.all(bars.map((bar) => where(bar.jobOrder)))
    // as far apart as their times say
    const perMs = (places[1]!.x - places[0]!.x) / (bars[1]!.start - bars[0]!.start)
    assert.ok(perMs > 0)
    assert.ok(Math.abs(places[0]!.width - (bars[0]!.end - bars[0]!.start) * perMs) < 3)
  })

  it('says in a sentence what the plan makes late and what doing nothing would cost', async () => {
    assert.match(await text('.tk-gantt .effect'), /wo-125 becomes late: 38 min more .* Doing nothing would cost 4 h 22 min more and make wo-122 late/)
  })

  it('says why a job has moved, where one points at it', async () => {
    const moved = await page.locator('.tk-gantt .job.moved').first().getAttribute('data-job')
    await page.hover(`[data-job=${moved}] .fill`)
    const tip = await text('.tk-gantt .tip')
    assert.match(tip, /from mill-2 to/)
    assert.match(tip, /dis-77/)
  })

  it('follows time: the next overview moves the line', async () => {
    await show(sampleOverview(NOW + 60_000))
    await page.waitForFunction(() => document.querySelector('.tk-gantt .now')?.textContent?.includes('10:13'))
  })

  it('lists the orders and shows the way of one through the plan', async () => {
    assert.match(await text('[data-order=wo-125]'), /38 min late/)
    assert.match(await text('[data-order=wo-120]'), /lot held/)
    assert.match(await text('[data-order=wo-122]'), /at risk/)
    assert.match(await text('[data-order=wo-123]'), /on time 92%/)
    assert.ok(await page.locator('[data-order=wo-126] .chip.bad').isVisible())
    const foreseen = (await page.getAttribute('[data-order=wo-123] .chip', 'title')) ?? ''
    assert.match(foreseen, /^ends between .* and .* \(10–90 %\), about .*; by what is usual/)
    await page.click('[data-order=wo-118]')
    assert.match(await text('.tk-orders .signatures'), /Eva Kern, approved, 2025-11-25T08:00:00.000\+01:00: lot lot-118/)
    await page.click('[data-order=wo-125]')
    await page.waitForSelector('[data-order=wo-125].lit')
    assert.equal(await page.locator('.tk-gantt .job.far[data-job^=jo-125]').count(), 0)
    assert.ok((await page.locator('.tk-gantt .job.far').count()) > 10)
    await page.click('[data-order=wo-125]')
  })

  it('tells each disruption as a story', async () => {
    const story = await text('[data-disruption=dis-77]')
    assert.match(story, /spindle\.vibration 5\.9 mm\/s against 2\.2–4\.0 expected/)
    assert.match(story, /repair planned 11:0\d – 12:0\d, decided by auto/)
    assert.match(story, /jobs moved to/)
    assert.match(story, /late: wo-125/)
  })

  it('asks a person, and passes the answer on once', async () => {
    await page.click('[data-disruption=dis-78] [data-answer=accept]')
    assert.deepEqual(await hears('answer'), { disruption: 'dis-78', decision: 'accept', by: 'the dashboard' })
    assert.ok(await page.locator('[data-disruption=dis-78] [data-answer=refuse]').isDisabled())
  })

  it('lets people say of an alarm that it was right or false, and take it back', async () => {
    await page.click('[data-alarm=an-70] [data-verdict=refuse]')
    const mill = sampleOverview(NOW).anomalies[0]!.id
    await page.click(`[data-alarm=${mill}] [data-verdict=confirm]`)
    assert.deepEqual(await hears('confirm'), { anomaly: mill, by: 'the dashboard' })
    await page.waitForSelector(`[data-alarm=${mill}] [data-verdict=confirm].on`)
    // what somebody has said already is shown, is not said again, and may be changed
    assert.equal((await pressed()).filter(({ topic }) => topic === 'refuse').length, 0)
    await page.waitForSelector('[data-alarm=an-70] [data-verdict=refuse].on')
    await page.click('[data-alarm=an-70] [data-verdict=confirm]')
    await page.waitForSelector('[data-alarm=an-70] [data-verdict=confirm].on')
    assert.equal(await page.locator('[data-alarm=an-70] [data-verdict=refuse].on').count(), 0)
    // the store has the last word
    const overview = sampleOverview(NOW + 120_000)
    await show({ ...overview, alarms: overview.alarms.map((alarm) => ({ ...alarm, verdict: { decision: 'refused', by: 'jo' } })) })
    await page.waitForSelector(`[data-alarm=${mill}] [data-verdict=refuse].on`)
  })

  it('shows how good the alarms of each detector were', async () => {
    const cells = async (detector: string): Promise<string[]> =>
      (await page.locator(`[data-detector=${detector}] td`).allTextContents()).map((cell) => cell.trim())
    assert.deepEqual((await cells('a41c9f0e72b35d68')).slice(1), ['9', '6', '2', '1', '75%', '6 of 8 · 75%', '1 h 34 min · 31 min to repair', '2'])
    assert.deepEqual((await cells('b52d0a1f83c46e79')).slice(1), ['0', '0', '0', '0', '–', '0 of 0', '–', '0'])
    assert.match(await text('[data-detector=a41c9f0e72b35d68]'), /wear auto, since Mon 10:1/)
  })

  it('sets the autonomy, the speed, and breaks the machine that was chosen', async () => {
    await page.click('[data-autonomy=approve]')
    assert.equal(await hears('autonomy'), 'approve')
    await page.click('[data-speed="300"]')
    assert.equal(await hears('speed'), 300)
    await page.selectOption('.tk-simulator select', { label: 'mill-3' })
    await page.click('[data-do=break]')
    assert.equal(await hears('break'), `${LINE}/mill-3`)
    await page.click('[data-do=fail]')
    assert.equal(await hears('fail'), `${LINE}/mill-3`)
  })

  it('asks what would be if a machine were down, shows both plans, and does it', async () => {
    // the field stands four hours ahead, in plant time
    assert.match(await page.inputValue('.tk-whatif [data-field=time]'), /^2026-11-23T14:30$/)
    await page.selectOption('.tk-whatif [data-field=unit]', { label: 'mill-1' })
    await page.fill('.tk-whatif [data-field=time]', '2026-11-23T14:12')
    await page.click('.tk-whatif [data-do=try]')
    assert.deepEqual(await hears('what-if'), { unitDown: { equipment: `${LINE}/mill-1`, to: '2026-11-23T14:12' } })
    assert.ok(await page.locator('.tk-whatif [data-do=try]').isDisabled())

    const answer = sampleWhatIf(NOW)
    await feed('what-if', { topic: 'plan/what-if', payload: answer })
    await page.waitForSelector('[data-whatif=wi-1]')
    assert.match(await text('[data-whatif=wi-1]'), /mill-1 takes no work from now to 14:12/)
    assert.deepEqual(await page.locator('[data-whatif=wi-1] [data-row=late] td').allTextContents(), ['wo-125 (38 min)', '2: wo-125 (38 min), wo-122 (25 min)'])
    assert.deepEqual(await page.locator('[data-whatif=wi-1] [data-row=tardiness] td').allTextContents(), ['38 min', '1 h 3 min'])
    assert.match(await text('[data-whatif=wi-1] .chips'), /wo-122 becomes late/)
    const moved = answer.moved[0]!.jobOrder
    const place = (side: string): Promise<number[]> =>
      page.locator(`[data-side=${side}] [data-job=${moved}]`).evaluate((bar) => ['x', 'y'].map((name) => Number(bar.getAttribute(name))))
    const [before, after] = [await place('as-is'), await place('what-if')]
    assert.ok(after[0]! > before[0]! && after[1]! > before[1]!, 'later, and on a machine further down')
    assert.equal(await page.locator('[data-side=what-if] .block').count(), 1)
    assert.equal(await page.locator('[data-side=as-is] .block').count(), 0)
    // every machine has its row within the drawing
    const [drawing, last] = await Promise.all(['', ' > text >> nth=8'].map((part) => page.locator(`[data-side=what-if]${part}`).boundingBox()))
    assert.ok(last!.y + last!.height <= drawing!.y + drawing!.height)

    await page.click('.tk-whatif [data-do=adopt]')
    assert.deepEqual(await hears('adopt'), { whatIf: 'wi-1', by: 'the dashboard' })
    const error = { message: 'TAKT_WHAT_IF_STALE: the due time of wo-122 was changed meanwhile (what-if wi-1). To do: ask it again.' }
    await feed('what-if', { topic: 'adopt', error })
    await page.waitForSelector('.tk-whatif .refused')
    assert.match(await text('.tk-whatif .refused'), /^the due time of wo-122 was changed meanwhile/)
    await feed('what-if', { topic: 'plan/what-if', payload: { ...answer, adopted: { time: NOW, by: 'the dashboard', result: 'published', plan: 34 } } })
    await page.waitForSelector('.tk-whatif .done')
    assert.match(await text('.tk-whatif .done'), /plan 34 is in force/)
    // the next overview leaves the answer where it is
    await show(sampleOverview(NOW + 180_000))
    assert.ok(await page.locator('[data-whatif=wi-1]').isVisible())
  })

  it('asks for a rush order, a repair at another time, another due time', async () => {
    const ask = async (): Promise<unknown> => {
      const known = (await pressed()).filter(({ topic }) => topic === 'what-if').length
      await page.click('.tk-whatif [data-do=try]')
      const asked = await red.until('a what-if is asked', async () => {
        const all = (await pressed()).filter(({ topic }) => topic === 'what-if')
        return all.length > known ? all.at(-1) : undefined
      })
      await feed('what-if', { topic: 'plan/what-if', payload: sampleWhatIf(NOW) })
      await page.waitForSelector('.tk-whatif [data-do=try]:not([disabled])')
      return asked.payload
    }
    await page.click('.tk-whatif [data-kind=rush]')
    await page.selectOption('.tk-whatif [data-field=order]', 'wo-122')
    assert.deepEqual(await ask(), { rush: { workOrder: 'wo-122' } })
    await page.click('.tk-whatif [data-kind=due]')
    await page.fill('.tk-whatif [data-field=time]', '2026-11-24T08:00')
    assert.deepEqual(await ask(), { due: { workOrder: 'wo-122', due: '2026-11-24T08:00' } })
    // the machine that waits for its repair is chosen already
    await page.click('.tk-whatif [data-kind=repair]')
    await page.fill('.tk-whatif [data-field=time]', '2026-11-23T22:00')
    assert.deepEqual(await ask(), { repair: { equipment: `${LINE}/mill-2`, start: '2026-11-23T22:00' } })
    await page.click('.tk-whatif [data-do=forget]')
    await page.waitForSelector('[data-whatif]', { state: 'detached' })
  })

  it('draws a signal with its band, and marks where it is raised', async () => {
    const samples = Array.from({ length: 60 }, (_, index) => ({
      kind: 'sample',
      equipment: `${LINE}/mill-2`,
      signal: 'vibration',
      unit: 'mm/s',
      time: NOW + index * 30_000,
      value: index > 40 ? 5.9 : 3 + Math.sin(index) / 3,
      anomaly: { score: 0.5, expected: 3, lower: 2.2, upper: 4, raised: index > 42 },
    }))
    await feed('samples', samples)
    await page.waitForSelector('.tk-trend path.raised[d^=M]', { state: 'attached' })
    const trend = await text('.tk-trend')
    assert.match(trend, /5\.9 mm\/s/)
    assert.match(trend, /2\.2 – 4 expected/)
    assert.match(trend, /raised 10:33/)
    // who opens the page later gets the past, too
    const second = await openPage(browser)
    await second.page.goto(`${red.url}/dashboard`)
    await second.page.waitForSelector('.tk-trend path.raised[d^=M]', { state: 'attached' })
    const points = await second.page.locator('.tk-trend path.value').getAttribute('d')
    assert.ok(points!.split('L').length > 50)
    await second.page.close()
  })

  it('is told of nothing it has to hide: no error, no request to elsewhere', () => {
    assert.deepEqual(complaints, [])
  })

  it('stays usable on a tablet', async () => {
    await page.setViewportSize({ width: 820, height: 1180 })
    await page.waitForTimeout(300)
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
    assert.ok(overflow <= 0, `${overflow} px wider than the screen`)
    assert.ok(await page.locator('[data-autonomy=auto]').isVisible())
  })
})
