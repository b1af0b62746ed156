import assert from 'node:assert/strict'
import { sql } from 'kysely'
import { uniqueId } from '../../../core/base/id.ts'
import { closeWorkOrder } from '../../../core/orders/control-work-order.ts'
import { People } from '../../../core/people/people.ts'
import type { TableSection } from '../../../core/report/content.ts'
import { eventText } from '../../../core/report/event-text.ts'
import { renderCsv, renderJson } from '../../../core/report/render-data.ts'
import { renderHtml } from '../../../core/report/render-html.ts'
import { workOrderReport } from '../../../core/report/work-order-report.ts'
import { FREE_POLICY, Signing } from '../../../core/sign/signing.ts'
import { CHEAP, PASSWORD } from '../people/support.ts'
import { story } from './support/story.ts'
import type { World } from './support/world.ts'

describe('a report of what was signed', () => {
  let world: World
  before(async () => {
    world = await story()
  })
  after(() => world.close())

  it('shows printed name, time with offset and meaning of each signature, and whether it holds', async () => {
    const people = new People(world.store, world.clock, { cost: CHEAP })
    await people.add({ id: 'eva', name: 'Eva <b>Kern</b>', roles: ['quality'], password: 'first-time-only-9' }, 'person:test', 'new')
    await people.changePassword('eva', 'first-time-only-9', PASSWORD)
    const signing = new Signing({ store: world.store, people, key: undefined, timeZone: () => 'Europe/Berlin', newId: uniqueId, policy: FREE_POLICY })
    const sign = (kind: string, id: string, meaning: 'approved' | 'reviewed') =>
      signing.sign({ record: { kind, id }, meaning, comment: '=1+1', who: 'eva', session: undefined, password: PASSWORD, connection: undefined })
    const report = () => workOrderReport(world.store, world.plant, 'wo-2', { now: world.clock.now(), by: 'eva' })
    const section = async () => (await report()).sections.find(({ id }) => id === 'signatures') as TableSection
    assert.match(renderHtml(await report()), /Nobody has signed it\./)

    const { signature } = await sign('work-order', 'wo-2', 'approved')
    await sign('lot', (await world.store.get('work-order', 'wo-2'))!.lots[0]!, 'reviewed')
    const rows = (await section()).rows.map(({ record, meaning, name, person, at, state }) => [record, meaning, name, person, at, state])
    assert.deepEqual(rows[0], ['work-order wo-2', 'approved', 'Eva <b>Kern</b>', 'eva', signature.at, 'valid'])
    assert.deepEqual([rows.length, rows[1]?.[5]], [2, 'valid'])
    assert.match(signature.at, /^2025-11-25T\d\d:\d\d:\d\d\.\d{3}\+01:00$/)
    const html = renderHtml(await report())
    for (const text of ['Eva &lt;b&gt;Kern&lt;/b&gt;', signature.at.replace('+', '\\+'), 'approved']) assert.match(html, new RegExp(text))
    assert.ok(!html.includes('Eva <b>Kern</b>'))
    assert.equal((renderJson(await report()).signatures as { rows?: unknown[] } | unknown[] | undefined) !== undefined, true)
    // a spreadsheet must not take a comment for a formula
    assert.ok(!/(^|,)=1\+1/m.test(renderCsv(await report(), 'signatures')))

    await world.store.transaction((tx) => closeWorkOrder(tx, 'wo-2', { actor: 'person:eva', why: 'all is well' }))
    assert.deepEqual((await section()).rows.map(({ state }) => state), ['changed since', 'valid']) // biome-ignore format: one line
    await world.store.transaction((tx) => sql`update signature set document = replace(document, 'approved', 'reviewed')`.execute(tx.db))
    assert.equal((await section()).rows[0]?.state, 'INVALID')
  })

  it('tells of signatures and decisions in sentences', async () => {
    const events = await world.store.events(0, 5000)
    const signed = events.find(({ type }) => type === 'record.signed')!
    assert.match(eventText(signed, world.plant)?.text ?? '', /^work-order wo-2 signed as approved by Eva <b>Kern<\/b>, 2025-11-25T/)
    const decided = { ...signed, type: 'plan.approved', subject: 'plan', actor: 'person:eva', after: { version: 7 } }
    assert.deepEqual(eventText(decided, world.plant), { text: 'Plan 7 approved by eva', tone: 'info' })
    assert.deepEqual(eventText({ ...decided, type: 'plan.refused' }, world.plant), { text: 'Proposed plan refused by eva', tone: 'warning' })
    assert.equal(
      eventText({ ...decided, type: 'person.locked', subject: 'eva', why: '5 wrong passwords' }, world.plant)?.text,
      'eva is locked: 5 wrong passwords',
    )
  })
})
