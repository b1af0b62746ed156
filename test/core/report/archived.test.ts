import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { uniqueId } from '../../../core/base/id.ts'
import { kpis } from '../../../core/kpi/kpis.ts'
import { closeWorkOrder } from '../../../core/orders/control-work-order.ts'
import { People } from '../../../core/people/people.ts'
import type { TableSection } from '../../../core/report/content.ts'
import { shiftReport } from '../../../core/report/shift-report.ts'
import { workOrderReport } from '../../../core/report/work-order-report.ts'
import { signaturesOf } from '../../../core/sign/check-signature.ts'
import { FREE_POLICY, Signing } from '../../../core/sign/signing.ts'
import { archiveLedger } from '../../../core/store/archive.ts'
import { touched } from '../../../core/trace/touched.ts'
import { CHEAP, PASSWORD } from '../people/support.ts'
import { rejection } from '../store/support/store.ts'
import { story } from './support/story.ts'
import { HOUR, LINE, type World } from './support/world.ts'

const DAY = 24 * HOUR

describe('a shift whose ledger was archived', () => {
  let world: World
  const folder = mkdtempSync(join(tmpdir(), 'takt-test-archived-'))
  before(async () => {
    world = await story()
  })
  after(async () => {
    await world.close()
    rmSync(folder, { recursive: true, force: true })
  })

  it('keeps open orders, documents, signatures and reports whole, and says what is not there any more', async () => {
    const { store, plant, clock } = world
    const people = new People(store, clock, { cost: CHEAP })
    await people.add({ id: 'eva', name: 'Eva Kern', roles: ['quality'], password: 'first-time-only-9' }, 'person:test', 'new')
    await people.changePassword('eva', 'first-time-only-9', PASSWORD)
    const signing = new Signing({ store, people, key: undefined, timeZone: () => 'Europe/Berlin', newId: uniqueId, policy: FREE_POLICY })
    const sign = (kind: string, id: string) =>
      signing.sign({ record: { kind, id }, meaning: 'approved', comment: '', who: 'eva', session: undefined, password: PASSWORD, connection: undefined })
    // this one is signed, and then another revision of it is written
    await sign('work-order', 'wo-1')
    await store.transaction((tx) => closeWorkOrder(tx, 'wo-1', { actor: 'person:eva', why: 'all is well' }))
    const states = async () => (await signaturesOf(store, 'work-order', 'wo-1')).map(({ state }) => state)
    const report = (id: string) => workOrderReport(store, plant, id, { now: 0, by: 'eva' })
    const aboutOpen = async (): Promise<unknown> => {
      const open = (await store.list('work-order')).filter(({ state }) => !['Completed', 'Closed', 'Canceled'].includes(state))
      const subjects = open.flatMap(({ id, jobOrders, lots }) => [id, ...jobOrders, ...lots])
      assert.ok(subjects.length > 3)
      return store.db.selectFrom('ledger').select(['sequence', 'hash']).where('subject', 'in', subjects).orderBy('sequence').execute()
    }
    const [signed, before, events] = [await states(), await report('wo-1'), await aboutOpen()]
    assert.deepEqual(signed, ['changed'])
    const end = clock.now()
    clock.advance(100 * DAY)
    await store.transaction((tx) => tx.record({ type: 'note', subject: 'later', actor: 'test' }))

    const { rows, kept, segments } = await archiveLedger(store, { before: end + DAY, now: clock.now(), folder, actor: 'person:eva' })
    assert.ok(rows > 100 && kept < rows / 2, `${kept} of ${rows} rows stay`)
    assert.equal((await store.verify()).fault, null)
    assert.deepEqual([await states(), await aboutOpen()], [signed, events])

    // what people did stays
    const byEva = await store.db.selectFrom('ledger').select('type').where('actor', '=', 'person:eva').where('time', '<=', end).execute()
    assert.ok(byEva.some(({ type }) => type === 'work-order.closed'))
    // what is kept in tables of their own is there as it was; of the events the note tells
    const after = await report('wo-1')
    const without = (content: typeof before) => content.sections.filter(({ id }) => id !== 'events')
    assert.deepEqual(without(after), without(before))
    assert.match((after.sections.find(({ id }) => id === 'events') as TableSection).note ?? '', /all are in the archive/)
    const found = await touched(store, plant, 'lot-wo-1', clock.now())
    assert.equal(found.archivedUpTo, segments.at(-1)?.to)

    // figures that would lie are refused
    for (const asked of [
      kpis(store, plant, LINE, end - HOUR, end),
      shiftReport(store, plant, { scope: LINE, span: { from: end - HOUR, to: end }, now: end, by: 'eva' } as never),
    ])
      assert.equal((await rejection(asked)).code, 'TAKT_LEDGER_ARCHIVED')
    assert.equal((await kpis(store, plant, LINE, clock.now() - HOUR, clock.now())).elements.GQ, 0)

    // and work goes on
    await sign('work-order', 'wo-2')
    await store.transaction((tx) => closeWorkOrder(tx, 'wo-2', { actor: 'person:eva', why: 'late' }))
    assert.equal((await store.verify()).fault, null)
  })
})
