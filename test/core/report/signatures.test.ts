import assert from 'node:assert/strict'
import { sql } from 'kysely'
import { uniqueId } from '../../../core/base/id.ts'
import { closeWorkOrder } from '../../../core/orders/control-work-order.ts'
import { People } from '../../../core/people/people.ts'
import { performStep } from '../../../core/procedures/perform.ts'
import { beginRun } from '../../../core/procedures/run.ts'
import type { StepRequest } from '../../../core/procedures/step-request.ts'
import type { TableSection } from '../../../core/report/content.ts'
import { eventText } from '../../../core/report/event-text.ts'
import { OverviewSource } from '../../../core/report/overview-source.ts'
import { renderCsv, renderJson } from '../../../core/report/render-data.ts'
import { renderHtml } from '../../../core/report/render-html.ts'
import { shiftReport } from '../../../core/report/shift-report.ts'
import { shownRecord } from '../../../core/report/shown-record.ts'
import { workOrderReport } from '../../../core/report/work-order-report.ts'
import { signaturesOf } from '../../../core/sign/check-signature.ts'
import { FREE_POLICY, Signing } from '../../../core/sign/signing.ts'
import { touched } from '../../../core/trace/touched.ts'
import { CHEAP, PASSWORD } from '../people/support.ts'
import { inForce } from '../procedures/support.ts'
import { rejection } from '../store/support/store.ts'
import { story } from './support/story.ts'
import { LINE, SAW, type World } from './support/world.ts'

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

  it('shows them in the report of a shift and in what touched a lot, in every form', async () => {
    const report = await shiftReport(world.store, world.plant, { scope: LINE, span: 'current-shift', now: world.clock.now(), by: 'eva' })
    const { signatures } = await touched(world.store, world.plant, 'lot-wo-2', world.clock.now())
    const { rows } = report.sections.find(({ id }) => id === 'signatures') as TableSection
    assert.deepEqual(rows.map(({ record, state }) => [record, state]), [['work-order wo-2', 'INVALID'], ['lot lot-wo-2', 'valid']]) // biome-ignore format: one line
    assert.deepEqual(signatures.map(({ record, name, state }) => [record, name, state]), [['work-order wo-2', 'Eva <b>Kern</b>', 'broken'], ['lot lot-wo-2', 'Eva <b>Kern</b>', 'signed']]) // biome-ignore format: one line
    const { at } = rows[1]!
    const { orders } = await new OverviewSource(world.store, () => world.plant, world.clock).snapshot()
    const shown = orders.map(({ id, signatures: given }) => [id, given.map(({ record, meaning, name, state }) => [record, meaning, name, state])] as const)
    assert.deepEqual(Object.fromEntries(shown)['wo-2'], [['work-order wo-2', 'reviewed', 'Eva <b>Kern</b>', 'broken'], ['lot lot-wo-2', 'reviewed', 'Eva <b>Kern</b>', 'signed']]) // biome-ignore format: one line
    for (const text of [renderHtml(report), renderCsv(report, 'signatures'), JSON.stringify(renderJson(report))])
      for (const shown of [/Eva (?:<b>|&lt;b&gt;)Kern/, new RegExp(String(at).replaceAll('.', '\\.').replace('+', '\\+')), /reviewed/])
        assert.match(text, shown)
  })

  it('shows the steps of procedures with who, value and limits, and a signature of a run that has gone on since as valid', async () => {
    const job = 'jo-wo-3-10-saw'
    await inForce(
      world.store,
      [
        { id: 'length', type: 'measure', unit: 'mm', lower: 9, upper: 11, before: 'start' },
        { id: 'seen', type: 'sign', meaning: 'verified', before: 'start' },
        { id: 'clean', type: 'confirm', text: '<script>Clean?</script>', before: 'start' },
      ],
      'saw-bar',
    )
    await world.assign(job, SAW)
    await world.tx((tx) => beginRun(tx, job, 'saw-bar', 'Anna'))
    const step = (id: string, given: Partial<StepRequest> = {}) =>
      world.tx((tx) =>
        performStep(
          tx,
          { jobOrder: job, step: id, value: undefined, unit: undefined, choice: undefined, confirm: false, concession: undefined, ...given },
          { actor: '=Anna', person: undefined, mayConcede: false },
          undefined,
          'node:test',
        ),
      )
    await step('length', { value: 10.5 })
    const people = new People(world.store, world.clock, { cost: CHEAP })
    const parts = { store: world.store, people, key: undefined, timeZone: () => 'Europe/Berlin', newId: uniqueId, policy: FREE_POLICY }
    const record = { kind: 'procedure-run', id: job }
    await new Signing(parts).sign({ record, meaning: 'verified', comment: null, who: 'eva', session: undefined, password: PASSWORD, connection: undefined })
    await step('seen')
    await step('clean', { confirm: true })
    const report = await workOrderReport(world.store, world.plant, 'wo-3', { now: world.clock.now(), by: 'eva' })
    const { rows } = report.sections.find(({ id }) => id === 'procedures') as TableSection
    const signed = (report.sections.find(({ id }) => id === 'signatures') as TableSection).rows
    assert.deepEqual(
      rows.map(({ procedure, step, value, lower, upper, by, state }) => [procedure, step, value, lower, upper, by, state]),
      [
        ['saw-bar@1', 'length', 10.5, 9, 11, '=Anna', 'done'],
        ['saw-bar@1', 'seen', `Eva <b>Kern</b>, verified, ${signed[0]?.at}`, null, null, 'eva', 'done'],
        ['saw-bar@1', 'clean', null, null, null, '=Anna', 'done'],
      ],
    )
    assert.ok(!/(^|,)=Anna/m.test(renderCsv(report, 'procedures')))
    assert.deepEqual(signed.map(({ record, state }) => [record, state]), [[`procedure-run ${job}`, 'valid']]) // biome-ignore format: one line
    assert.match(String(signed[0]?.what), /2 steps done since/)
    // whoever asks for the record gets them with it
    const { record: shown, signatures, open } = await shownRecord(world.store, { jobOrder: job }, 'test')
    assert.deepEqual([shown.id, signatures.map(({ name, meaning, state }) => [name, meaning, state]), open], [job, [['Eva <b>Kern</b>', 'verified', 'signed']], []]) // biome-ignore format: one line
    for (const asked of ['wo-3', { id: 'wo-3' }, { lot: 'lot-wo-3' }]) assert.deepEqual((await shownRecord(world.store, asked, 'test')).signatures, signatures)
    for (const [
      asked,
      told,
    ] of [['none', 'TAKT_ORDER_UNKNOWN'], [{ jobOrder: 'none' }, 'TAKT_JOB_ORDER_UNKNOWN'], [{ lot: 'none' }, 'TAKT_LOT_UNKNOWN'], [{ id: 'wo-3', lot: 'l' }, 'TAKT_MESSAGE_INVALID'], [undefined, 'TAKT_MESSAGE_INVALID'], ['a\0', 'TAKT_ORDER_TEXT']] as const) // biome-ignore format: one line
      assert.equal((await rejection(shownRecord(world.store, asked, 'test'))).code, told)
    // a step that was rewritten is another matter
    const run = (await world.store.get('procedure-run', job))!
    await world.tx((tx) =>
      tx.save<'procedure-run'>(
        { ...run, done: [{ ...run.done[0]!, value: 10.4 }, ...run.done.slice(1)] },
        { type: 'procedure-run.rewritten', actor: 'mallory' },
      ),
    )
    const [after] = await signaturesOf(world.store, 'procedure-run', job)
    assert.equal(after?.state, 'changed')
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
