import assert from 'node:assert/strict'
import { kpis } from '../../../core/kpi/kpis.ts'
import { saveOutlook } from '../../../core/orders/planning/outlook.ts'
import { gate } from '../../../core/quality/gate.ts'
import type { ReportContent, Row, TableSection } from '../../../core/report/content.ts'
import { OverviewSource } from '../../../core/report/overview-source.ts'
import { renderCsv, renderJson } from '../../../core/report/render-data.ts'
import { renderHtml } from '../../../core/report/render-html.ts'
import { shiftReport } from '../../../core/report/shift-report.ts'
import { shiftSpan } from '../../../core/report/shift-span.ts'
import { workOrderReport } from '../../../core/report/work-order-report.ts'
import { GATE, plan, story } from './support/story.ts'
import { HOUR, LINE, MILL_1, MILL_2, MINUTE, SAW, START, World } from './support/world.ts'

const sum = (rows: readonly Row[], key: string): number => rows.reduce((total, row) => total + Number(row[key]), 0)
const table = (content: ReportContent, id: string): TableSection => content.sections.find((section) => section.id === id) as TableSection
const facts = (content: ReportContent, id: string): Record<string, unknown> => renderJson(content)[id] as Record<string, unknown>

describe('reports of a shift in which a mill fails', () => {
  let world: World
  before(async () => {
    world = await story()
  })
  after(() => world.close())

  const stored = async (jobOrders: readonly string[]): Promise<{ good: number; scrap: number }> => {
    const rows = await world.store.db.selectFrom('job_count').selectAll().where('job_order', 'in', jobOrders).execute()
    return { good: rows.reduce((total, row) => total + row.good, 0), scrap: rows.reduce((total, row) => total + row.scrap, 0) }
  }
  const made = () => ({ now: world.clock.now(), by: 'eva' })
  const shift = () => shiftReport(world.store, world.plant, { scope: LINE, span: 'current-shift', ...made() })

  describe('work order', () => {
    let content: ReportContent
    before(async () => {
      content = await workOrderReport(world.store, world.plant, 'wo-1', made())
    })

    it('has sums that agree with the store and with each other', async () => {
      const order = await world.store.get('work-order', 'wo-1')
      const counted = await stored(order!.jobOrders)
      const quantities = table(content, 'quantities')
      const jobs = table(content, 'jobOrders')
      assert.deepEqual({ good: quantities.totals?.good, scrap: quantities.totals?.scrap }, counted)
      assert.equal(sum(quantities.rows, 'good'), counted.good)
      assert.equal(sum(jobs.rows, 'good'), counted.good)
      assert.equal(sum(jobs.rows, 'scrap'), counted.scrap)
      assert.equal(jobs.totals?.scrap, counted.scrap)
      const summary = facts(content, 'summary')
      assert.equal(summary.scrap, counted.scrap)
      const lastOperation = jobs.rows.filter(({ operationId }) => operationId === '20-mill')
      assert.equal(summary.good, sum(lastOperation, 'good'))
      assert.equal(summary.good, order?.progress.good)
      assert.equal(summary.qualityRatio, counted.good / (counted.good + counted.scrap))
      assert.deepEqual([counted.good, counted.scrap, summary.good], [23, 2, 11])
    })

    it('tells planned and actual times, and the unit that took over', () => {
      const rows = table(content, 'jobOrders').rows
      assert.deepEqual(
        rows.map(({ jobOrder, unit, state, good }) => [jobOrder, unit, state, good]),
        [
          ['jo-wo-1-10-saw', 'saw-1', 'Completed', 12],
          ['jo-wo-1-20-mill', 'mill-1', 'Aborted', 7],
          ['jo-wo-1-20-mill.2', 'mill-2', 'Completed', 4],
        ],
      )
      assert.equal(rows[1]?.plannedStart, START + 18 * MINUTE)
      assert.equal(rows[1]?.actualEnd, START + 44 * MINUTE)
      assert.equal(facts(content, 'summary').lateness, 'on time')
    })

    it('tells what was measured, held and made again, and by whom', () => {
      const [inspection] = table(content, 'inspections').rows
      assert.deepEqual([inspection?.inspected, inspection?.passed, inspection?.held, inspection?.highest], [8, 7, 1, 40.07])
      assert.deepEqual(
        table(content, 'findings').rows.map(({ serial, decision }) => [serial, decision]),
        [['p-6', 'hold']],
      )
      assert.deepEqual(
        table(content, 'holds').rows.map(({ lot, what, by, actor }) => [lot, what, by, actor]),
        [
          ['lot-wo-1', 'held', 'Takt', 'node:gate'],
          ['lot-wo-1', 'released', 'Takt', 'node:gate'],
        ],
      )
      assert.deepEqual(
        table(content, 'rework').rows.map(({ order, quantity, good, state }) => [order, quantity, good, state]),
        [['rw-jo-wo-1-20-mill', 1, 1, 'Completed']],
      )
      assert.deepEqual(
        table(content, 'lots').rows.map(({ lot, from, good }) => [lot, from, good]),
        [
          ['lot-wo-1', null, 11],
          ['lot-rw-jo-wo-1-20-mill', 'lot-wo-1', 1],
        ],
      )
      assert.deepEqual(
        table(content, 'maintenance').rows.map(({ unit, type, cause }) => [unit, type, cause]),
        [['mill-1', 'unplanned', 'spindle seized']],
      )
      const events = table(content, 'events').rows.map(({ text }) => text)
      assert.ok(events.includes('Order wo-1: 12 pcs Shaft A, due 25 Nov, 10:00'), events.join('\n'))
      assert.ok(events.includes('Order wo-1 completed: 11 of 12 good'))
    })

    it('speaks of a state of the ledger that can be found again', async () => {
      const { sequence, hash } = content.ledger
      const [event] = await world.store.events(sequence - 1, 1)
      assert.equal(event?.hash, hash)
      assert.ok(renderHtml(content).includes(hash))
    })

    it('refuses what is not there', async () => {
      await assert.rejects(workOrderReport(world.store, world.plant, 'wo-99', made()), { code: 'TAKT_REPORT_SUBJECT_UNKNOWN' })
    })

    it('has something to say of an order that has not begun', async () => {
      const content = await workOrderReport(world.store, world.plant, 'wo-3', made())
      assert.equal(facts(content, 'summary').qualityRatio, null)
      assert.match(renderHtml(content), /No part has been counted\./)
    })
  })

  describe('shift', () => {
    it('has sums that agree with the store and with each other', async () => {
      const content = await shift()
      const all = await world.store.list('job-order')
      const counted = await stored(all.map(({ id }) => id))
      const units = table(content, 'units')
      const production = table(content, 'production')
      const summary = facts(content, 'summary')
      for (const [good, scrap] of [
        [sum(units.rows, 'good'), sum(units.rows, 'scrap')],
        [units.totals?.good, units.totals?.scrap],
        [production.totals?.good, production.totals?.scrap],
        [sum(production.rows, 'good'), sum(production.rows, 'scrap')],
        [summary.good, summary.scrap],
      ])
        assert.deepEqual({ good, scrap }, counted)
      assert.deepEqual(counted, { good: 40, scrap: 2 })
      for (const row of units.rows) assert.equal(Number(row.PBT), Number(row.APT) + Number(row.AUST) + Number(row.ADET) + Number(row.ADOT))
    })

    it('is the same as the KPIs of the line and its units', async () => {
      const content = await shift()
      const line = await kpis(world.store, world.plant, LINE, content.from!, content.to!)
      assert.equal(facts(content, 'summary').OEE, line.values.OEE)
      const mill = await kpis(world.store, world.plant, MILL_1, content.from!, content.to!)
      const row = table(content, 'units').rows.find(({ equipment }) => equipment === MILL_1)
      assert.equal(row?.OEE, mill.values.OEE)
      assert.equal(mill.elements.failures, 1)
      // from Aborted at 6:44 to the end of the repair at 7:52
      assert.equal(mill.elements.ADET, 68 * MINUTE)
      assert.equal(mill.elements.CMT, 63 * MINUTE)
      assert.equal(mill.elements.unseen, 18 * MINUTE)
      assert.equal(mill.values.MTTR, 68 * MINUTE)
      // 7 + 1 of wo-1 and 8 of wo-2 at 2 min, in 16 + 16 min of production
      assert.equal(mill.values.effectiveness, 1)
      assert.equal(mill.elements.plannedRunMs, 32 * MINUTE)
      assert.equal(mill.values.FPY, 6 / 7)
    })

    it('names the records behind its figures', async () => {
      const { lineage } = await kpis(world.store, world.plant, LINE, START, world.clock.now())
      const counts = (await world.store.events(0, 10_000)).filter(({ type }) => type === 'count.recorded').map(({ sequence }) => sequence)
      assert.deepEqual(lineage.counts, [counts[0], counts.at(-1)])
      const rows = await world.store.db.selectFrom('machine_state').select('id').orderBy('id').execute()
      assert.deepEqual(lineage.states, [rows[0]?.id, rows.at(-1)?.id])
    })

    it('counts only the parts of its span', async () => {
      // the saw's 12 good and 1 scrap of wo-1 came one a minute from 6:06 to 6:18
      const early = await kpis(world.store, world.plant, SAW, START, START + 10 * MINUTE)
      assert.equal(early.elements.PQ, 4)
      const rest = await kpis(world.store, world.plant, SAW, START + 10 * MINUTE, START + HOUR)
      assert.equal(rest.elements.PQ, 9)
      assert.equal(rest.elements.SQ, 1)
      assert.equal((await kpis(world.store, world.plant, SAW, START - HOUR, START)).values.OEE, null)
    })

    it('lists downtime with its reason, anomalies with their lead time, and what was decided', async () => {
      const content = await shift()
      assert.deepEqual(
        table(content, 'stops').rows.map(({ unit, duration, type, states, reason }) => [unit, duration, type, states, reason]),
        [['mill-1', 68 * MINUTE, 'unplanned', 'Aborted, Maintenance', 'spindle seized']],
      )
      assert.deepEqual(
        table(content, 'anomalies').rows.map(({ unit, what, beforeRepair, beforeFailure, cleared }) => [unit, what, beforeRepair, beforeFailure, cleared]),
        [['mill-1', 'vibration 5.93 against 2.2–4 expected', 11 * MINUTE, 6 * MINUTE, START + 112 * MINUTE]],
      )
      assert.deepEqual(
        table(content, 'disruptions').rows.map(({ action, status, by, order }) => [action, status, by, order]),
        [['repair now', 'accepted', 'eva', 'mo-mill-1-1']],
      )
      assert.deepEqual(
        table(content, 'lateOrders').rows.map(({ order, late }) => [order, late]),
        [['wo-2', 13 * MINUTE]],
      )
      assert.match(renderCsv(content), /^unit,equipment,OEE,/)
      assert.match(renderCsv(content, 'stops'), /mill-1.*spindle seized\r\n/)
    })

    it('is about one unit, or the whole plant, when asked', async () => {
      const one = await shiftReport(world.store, world.plant, { scope: MILL_2, span: 'current-shift', ...made() })
      assert.deepEqual(
        table(one, 'units').rows.map(({ unit }) => unit),
        ['mill-2'],
      )
      assert.equal(table(one, 'production').totals?.good, 5)
      const plantWide = await shiftReport(world.store, world.plant, { scope: 'acme/berlin', span: 'current-shift', ...made() })
      assert.equal(table(plantWide, 'units').rows.length, 3)
      await assert.rejects(shiftReport(world.store, world.plant, { scope: 'acme/berlin/line', span: 'current-shift', ...made() }), {
        code: 'TAKT_REPORT_SUBJECT_UNKNOWN',
      })
      await assert.rejects(shiftReport(world.store, world.plant, { scope: LINE, span: 'current-shift', from: 5, to: 5, ...made() }), {
        code: 'TAKT_REPORT_REQUEST_INVALID',
      })
    })

    it('knows the shift that runs and the one before', () => {
      const units = [SAW, MILL_1]
      const at = (now: number) => ({ now: shiftSpan(world.plant, units, 'current-shift', now), last: shiftSpan(world.plant, units, 'last-shift', now) })
      const morning = at(START + HOUR)
      assert.deepEqual(morning.now, { shift: 'early', from: START, to: START + HOUR, running: true })
      assert.deepEqual(morning.last, { shift: 'late', from: START - 16 * HOUR, to: START - 8 * HOUR, running: false })
      const change = at(START + 8 * HOUR)
      assert.equal(change.now.shift, 'late')
      assert.deepEqual(change.last, { shift: 'early', from: START, to: START + 8 * HOUR, running: false })
      // at night: nothing runs
      assert.deepEqual(at(START + 18 * HOUR).now, { shift: null, from: START + 10 * HOUR, to: START + 18 * HOUR, running: false })
      // Monday morning before the shift: the last one was on Friday
      const monday = START + 6 * 24 * HOUR - HOUR
      assert.equal(at(monday).last.to, monday + HOUR - 2 * 24 * HOUR - 8 * HOUR)
    })
  })

  describe('overview', () => {
    it('says how likely open orders are on time, as long as the outlook is of the plan in force', async () => {
      const source = new OverviewSource(world.store, () => world.plant, world.clock)
      const shown = async () => new Map((await source.snapshot()).orders.map(({ id, outlook }) => [id, outlook]))
      assert.equal((await shown()).get('wo-3'), null)
      const due = (await world.store.get('work-order', 'wo-3'))?.due ?? null
      const row = { due, onTime: 0.87, p10: START, p50: START + HOUR, p90: START + 2 * HOUR }
      const rest = { kind: 'plan-outlook', now: 0, horizon: START + HOUR, runs: 500, basis: 'prior', weightedTardinessMs: 0, units: [] } as const
      const outlook = { ...rest, plan: 2, seen: { jobs: 0, failures: 0, operatingMs: 0 }, orders: [{ ...row, workOrder: 'wo-3' }, { ...row, workOrder: 'wo-2' }] } // biome-ignore format: one line
      await saveOutlook(world.store, outlook)
      const { due: _due, ...told } = row
      assert.deepEqual((await shown()).get('wo-3'), { ...told, basis: 'prior' })
      assert.equal((await shown()).get('wo-2'), null, 'it is done, or due at another time')
      await saveOutlook(world.store, { ...outlook, plan: 1 })
      assert.equal((await shown()).get('wo-3'), null)
      await saveOutlook(world.store, { ...outlook, plan: 1, now: world.clock.now() - 1000 })
      assert.equal((await shown()).get('wo-3')?.onTime, 0.87, 'the next one is under way')
    })

    it('shows units, orders, plan, proposals, figures and events as a page needs them', async () => {
      const overview = await new OverviewSource(world.store, () => world.plant, world.clock).snapshot()
      const unit = Object.fromEntries(overview.units.map((row) => [row.name, row]))
      assert.deepEqual([unit['mill-1']?.lamp, unit['mill-1']?.product, unit['mill-1']?.progress], ['idle', 'Shaft A', 1])
      const order = Object.fromEntries(overview.orders.map((row) => [row.id, row]))
      assert.deepEqual([order['wo-2']?.late, order['wo-2']?.lateMs, order['wo-2']?.progress], [true, 13 * MINUTE, 1])
      assert.deepEqual(
        order['wo-1']?.steps.map(({ status, unit }) => [status, unit]),
        [
          ['done', 'saw-1'],
          ['aborted', 'mill-1'],
          ['done', 'mill-2'],
        ],
      )
      assert.equal(order['wo-3']?.expectedEnd, null)
      assert.equal(overview.plan?.version, 2)
      assert.deepEqual(
        overview.plan?.changes.map(({ jobOrder, moved, from, to }) => [jobOrder, moved, from?.unit, to?.unit, (from?.end ?? 0) - (from?.start ?? 0)]),
        [['jo-wo-2-20-mill', 'unit', 'mill-1', 'mill-2', 20 * MINUTE]],
      )
      assert.equal(overview.plan?.bars.filter(({ status }) => status === 'done').length, 7)
      assert.deepEqual(
        overview.disruptions.map(({ status, unit, awaiting }) => [status, unit, awaiting]),
        [['accepted', 'mill-1', false]],
      )
      const { GQ, SQ } = (await kpis(world.store, world.plant, LINE, START, world.clock.now())).elements
      assert.deepEqual([overview.totals.good, overview.totals.scrap], [GQ, SQ])
      assert.equal(overview.kpis.shift, 'early')
      assert.equal(overview.kpis.line.oee, (await kpis(world.store, world.plant, LINE, START, world.clock.now())).values.OEE)
      const texts = overview.events.map(({ text }) => text)
      assert.ok(texts.includes('mill-1 failed during jo-wo-1-20-mill: spindle seized'), texts.join('\n'))
      assert.ok(texts.includes('Accepted by eva: mill-1, repair now'))
      assert.equal(overview.quality.results[0]?.value, '40.02 mm')
      assert.doesNotThrow(() => JSON.stringify(overview))
    })

    it('says which lots are held, since when and what is done about it', async () => {
      const held = new World()
      try {
        await held.order('wo-1', 4)
        await held.run('jo-wo-1-10-saw', SAW, 4)
        await held.assign('jo-wo-1-20-mill', MILL_1)
        const at = held.clock.now()
        const measurement = {
          id: 'qr-1',
          characteristic: 'diameter',
          values: [40.07],
          equipment: MILL_1,
          jobOrder: 'jo-wo-1-20-mill',
          lot: null,
          serial: null,
          time: at,
        }
        await held.tx((tx) => gate(tx, held.plant, measurement, GATE))
        held.clock.advance(MINUTE)
        const { quality, totals, events } = await new OverviewSource(held.store, () => held.plant, held.clock).snapshot()
        assert.equal(totals.held, 1)
        const reason = 'diameter of jo-wo-1-20-mill: 40.07 mm is 0.02 mm above the upper limit 40.05 mm'
        assert.deepEqual(quality.holds, [{ lot: 'lot-wo-1', workOrder: 'wo-1', product: 'Shaft A', reason, since: at, rework: 'rw-jo-wo-1-20-mill' }])
        assert.ok(events.some(({ text, tone }) => text === 'Lot lot-wo-1 held: '.concat(reason) && tone === 'warning'))
      } finally {
        await held.close()
      }
    })

    it('follows what happens, and agrees with one made from nothing', async () => {
      const moving = await story()
      try {
        const source = new OverviewSource(moving.store, () => moving.plant, moving.clock)
        await source.snapshot()
        await plan(moving, 3)
        await moving.assign('jo-wo-3-10-saw', SAW)
        await moving.state(SAW, 'Execute', 'jo-wo-3-10-saw')
        moving.clock.advance(MINUTE)
        await moving.count(SAW, 'jo-wo-3-10-saw', 1)
        moving.clock.advance(MINUTE)
        const followed = await source.snapshot()
        assert.deepEqual(followed, await new OverviewSource(moving.store, () => moving.plant, moving.clock).snapshot())
        assert.equal(followed.totals.good, 41)
        assert.equal(followed.units[0]?.lamp, 'running')
        assert.equal(followed.events[0]?.text, '10-saw of wo-3 runs on saw-1')
        const running = followed.plan?.bars.find(({ status }) => status === 'running')
        assert.equal(running?.jobOrder, 'jo-wo-3-10-saw')
        assert.ok(running.end >= moving.clock.now())
      } finally {
        await moving.close()
      }
    })

    it('shows a plant of which nothing is known yet', async () => {
      const empty = new World()
      try {
        const overview = await new OverviewSource(empty.store, () => empty.plant, empty.clock).snapshot()
        assert.deepEqual(
          overview.units.map(({ lamp, state }) => [lamp, state]),
          [
            ['no-signal', 'NoSignal'],
            ['no-signal', 'NoSignal'],
            ['no-signal', 'NoSignal'],
          ],
        )
        assert.equal(overview.plan, null)
        assert.equal(overview.kpis.line.oee, null)
        assert.deepEqual([overview.orders, overview.events, overview.anomalies], [[], [], []])
      } finally {
        await empty.close()
      }
    })
  })
})
