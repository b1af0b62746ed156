import assert from 'node:assert/strict'
import type { Anomaly } from '../../../../core/messages/anomaly.ts'
import type { Genealogy } from '../../../../core/messages/genealogy.ts'
import { validateDocument } from '../../../../core/messages/validate.ts'
import { createRework } from '../../../../core/orders/rework.ts'
import { disposeLot, settleHeldLots } from '../../../../core/quality/held-lots.ts'
import { answerContainment, contain } from '../../../../core/trace/contain.ts'
import { followLot, followResponse } from '../../../../core/trace/follow-jobs.ts'
import { lineage } from '../../../../core/trace/lineage.ts'
import { recordEvent, type TraceOptions } from '../../../../core/trace/record-event.ts'
import { touched } from '../../../../core/trace/touched.ts'
import { HOUR, MILL_1, MILL_2, MINUTE, SAW, type World } from '../../report/support/world.ts'
import { code } from '../support/ground.ts'

const options: TraceOptions = { actor: 'node:trace', heldLots: 'refuse', unknownLots: 'refuse' }

/** What orders, units and anomalies have to do with genealogy, whatever database it stands in. */
export function plantEvents(newWorld: () => World): void {
  describe('genealogy and the plant', () => {
    let world: World
    const tell = (event: Partial<Genealogy> & Pick<Genealogy, 'event'>) =>
      world.tx((tx) => recordEvent(tx, world.plant, { kind: 'genealogy', inputs: [], outputs: [], jobOrder: null, time: world.clock.now(), ...event }, options))
    const receive = (lot: string, value: number) => tell({ event: 'receive', outputs: [{ lot, material: 'bar-40', quantity: { value, unit: 'm' } }] })
    const stock = async (lot: string) => (await world.store.get('lot', lot))?.quantity.value
    const shafts = (lot: string, value: number) => ({ lot, quantity: { value, unit: 'pcs' } })
    const disposition = async (lot: string) => (await world.store.get('lot', lot))?.disposition
    const follow = (lot: string) => followLot(world.store, lot, 'node:trace')
    /** The job response says what was used. */
    const used = async (jobOrder: string, materials: ReadonlyArray<{ lot: string; value: number; unit?: string }>, people: string[] = []) => {
      await world.tx(async (tx) => {
        const response = await tx.get('job-response', `jr-${jobOrder}`)
        assert.ok(response)
        await tx.save<'job-response'>(
          {
            ...response,
            people,
            data: [{ name: 'tool', value: 'cutter-9' }],
            materials: materials.map(({ lot, value, unit = 'm' }) => ({ lot, quantity: { value, unit }, use: 'consumed' as const })),
          },
          { type: 'job-response.recorded', actor: 'Eva' },
        )
      })
      return followResponse(world.store, world.plant, `jr-${jobOrder}`, options)
    }

    beforeEach(() => {
      world = newWorld()
    })
    afterEach(() => world.close())

    async function makeOrder(id: string, parts = 4): Promise<void> {
      await world.order(id, parts)
      await world.run(`jo-${id}-10-saw`, SAW, parts)
      await world.run(`jo-${id}-20-mill`, MILL_1, parts)
    }

    it('takes what a work order counted into stock, once, and more when more is counted', async () => {
      await makeOrder('wo-1')
      await follow('lot-wo-1')
      await follow('lot-wo-1')
      assert.equal(await stock('lot-wo-1'), 4)
      assert.equal((await world.store.list('genealogy')).length, 1)
      await tell({ event: 'ship', party: 'ACME', inputs: [shafts('lot-wo-1', 3)] })
      assert.equal(await stock('lot-wo-1'), 1)
      await follow('lot-wo-1')
      assert.equal(await stock('lot-wo-1'), 1)
      await world.tx(async (tx) => {
        const lot = await tx.get('lot', 'lot-wo-1')
        assert.ok(lot)
        await tx.save<'lot'>({ ...lot, quantity: { value: 5, unit: 'pcs' } }, { type: 'lot.counted', actor: 'node:work-order' })
      })
      await follow('lot-wo-1')
      assert.equal(await stock('lot-wo-1'), 2, 'five were counted and three shipped')
      assert.ok((await world.store.verify()).ok)
    })

    it('lets parts be shipped while their order still runs, as far as they are made', async () => {
      await world.order('wo-1', 4)
      await world.run('jo-wo-1-10-saw', SAW, 4)
      assert.equal(await code(tell({ event: 'ship', party: 'ACME', inputs: [shafts('lot-wo-1', 1)] })), 'TAKT_TRACE_BEYOND_STOCK')
      await world.assign('jo-wo-1-20-mill', MILL_1)
      await world.state(MILL_1, 'Execute', 'jo-wo-1-20-mill')
      await world.count(MILL_1, 'jo-wo-1-20-mill', 2)
      await tell({ event: 'ship', party: 'ACME', inputs: [shafts('lot-wo-1', 1)] })
      assert.equal(await stock('lot-wo-1'), 1)
      await world.count(MILL_1, 'jo-wo-1-20-mill', 2)
      await world.state(MILL_1, 'Complete', 'jo-wo-1-20-mill')
      assert.equal((await world.store.get('work-order', 'wo-1'))?.state, 'Completed')
      await follow('lot-wo-1')
      assert.equal(await stock('lot-wo-1'), 3)
    })

    it('moves what rework makes good out of the lot with the bad parts', async () => {
      await makeOrder('wo-1')
      await follow('lot-wo-1')
      await world.tx((tx) => createRework(tx, world.plant, { lot: 'lot-wo-1', jobOrder: 'jo-wo-1-20-mill', quantity: 2, why: 'too thick', actor: 'node:gate' }))
      await world.run('jo-rw-jo-wo-1-20-mill-20-mill', MILL_2, 2)
      await follow('lot-rw-jo-wo-1-20-mill')
      assert.equal(await stock('lot-wo-1'), 2)
      assert.equal(await stock('lot-rw-jo-wo-1-20-mill'), 2)
      const from = await lineage(world.store, 'lot-rw-jo-wo-1-20-mill', 'backward')
      assert.deepEqual(
        from.map(({ lot }) => lot),
        ['lot-wo-1'],
      )
    })

    it('makes the genealogy of a job order from its response, and books only what changed of it', async () => {
      await receive('bar-7', 6)
      await makeOrder('wo-1')
      const first = await used('jo-wo-1-10-saw', [{ lot: 'bar-7', value: 1.6 }], ['Olga'])
      assert.deepEqual(
        first.recorded.map(({ event }) => [event.event, event.jobOrder, event.people]),
        [['consume', 'jo-wo-1-10-saw', ['Olga']]],
      )
      assert.equal((await used('jo-wo-1-10-saw', [{ lot: 'bar-7', value: 1.6 }], ['Olga'])).recorded.length, 0)
      await used('jo-wo-1-10-saw', [{ lot: 'bar-7', value: 2 }])
      assert.equal(await stock('bar-7'), 4)
      await used('jo-wo-1-10-saw', [{ lot: 'bar-7', value: 1.5 }])
      assert.equal(await stock('bar-7'), 4.5)
      const from = await lineage(world.store, 'lot-wo-1', 'backward')
      assert.deepEqual(
        from.map(({ lot }) => lot),
        ['bar-7'],
      )
      assert.equal(await code(tell({ event: 'consume', jobOrder: 'jo-wo-1-10-saw', inputs: [shafts('lot-wo-1', 1)] })), 'TAKT_TRACE_SELF_PARENT')
    })

    it('says what it could not book of a response, and books the rest', async () => {
      await receive('bar-7', 1)
      await receive('bar-8', 6)
      await makeOrder('wo-1')
      const { recorded, refused } = await used('jo-wo-1-10-saw', [
        { lot: 'bar-7', value: 2 },
        { lot: 'bar-8', value: 2 },
        { lot: 'bar-9', value: 2 },
      ])
      assert.equal(recorded.length, 1)
      assert.deepEqual(
        refused.map(({ event, problem }) => [event.inputs[0]?.lot, problem.code]),
        [
          ['bar-7', 'TAKT_TRACE_BEYOND_STOCK'],
          ['bar-9', 'TAKT_LOT_UNKNOWN'],
        ],
      )
      await receive('bar-9', 3)
      assert.equal((await followResponse(world.store, world.plant, 'jr-jo-wo-1-10-saw', options)).recorded.length, 1)
      assert.equal(await stock('bar-9'), 1)
    })

    it('says what touched a lot', async () => {
      await receive('bar-7', 6)
      await makeOrder('wo-1')
      await used('jo-wo-1-10-saw', [{ lot: 'bar-7', value: 2 }], ['Olga'])
      const now = world.clock.now()
      await raise({ id: 'an-1', since: now - 5 * MINUTE, time: now })
      await world.tx(async (tx) => {
        await tx.db
          .insertInto('sample_ring')
          .values({ equipment: MILL_1, signal: 'vibration', time: now - 2 * MINUTE, value: '3', quality: 'good', unit: null })
          .execute()
        await tx.save<'quality-result'>(
          {
            kind: 'quality-result',
            id: 'qr-1',
            lot: 'lot-wo-1',
            jobOrder: 'jo-wo-1-20-mill',
            equipment: MILL_1,
            characteristic: 'diameter',
            values: [40],
            specification: { target: null, lower: null, upper: null },
            decision: 'pass',
            rules: [],
            reasons: [],
            time: now,
          },
          { type: 'quality-result.recorded', actor: 'node:gate' },
        )
        await tx.record({ type: 'lot.inspected', subject: 'lot-wo-1', actor: 'Ivan' })
      })
      await tell({ event: 'ship', party: 'ACME', inputs: [shafts('lot-wo-1', 1)], people: ['Per'], tools: ['fork-lift'], procedure: 'ship@3' })
      const all = await touched(world.store, world.plant, 'lot-wo-1', world.clock.now())
      assert.deepEqual(
        all.work.map(({ jobOrder, equipment }) => [jobOrder, equipment]),
        [
          ['jo-wo-1-10-saw', SAW],
          ['jo-wo-1-20-mill', MILL_1],
        ],
      )
      assert.deepEqual(all.workOrders, ['wo-1'])
      assert.deepEqual(all.people, ['Eva', 'Ivan', 'Olga', 'Per', 'erp'])
      assert.deepEqual(all.tools, ['cutter-9', 'fork-lift'])
      assert.deepEqual(all.procedures, ['ship@3'])
      assert.deepEqual(
        all.anomalies.map(({ id }) => id),
        ['an-1'],
      )
      assert.deepEqual(
        all.qualityResults.map(({ id, decision }) => [id, decision]),
        [['qr-1', 'pass']],
      )
      assert.deepEqual(
        all.samples.filter(({ kept }) => kept > 0).map(({ equipment, signal, kept }) => [equipment, signal, kept]),
        [[MILL_1, 'vibration', 1]],
      )
      assert.deepEqual(
        all.events.map(({ event }) => event),
        ['produce', 'consume', 'ship'],
      )
      assert.equal(await code(touched(world.store, world.plant, 'none', 0)), 'TAKT_LOT_UNKNOWN')
    })

    const anomaly = (fields: Partial<Anomaly>): Anomaly => ({
      kind: 'anomaly',
      id: 'an-1',
      equipment: MILL_1,
      signals: ['vibration'],
      state: 'raised',
      method: 'auto',
      score: 1,
      severity: 'high',
      since: world.clock.now(),
      time: world.clock.now(),
      evidence: [],
      ...fields,
    })
    async function raise(fields: Partial<Anomaly>): Promise<Anomaly> {
      return world.tx(async (tx) => {
        const known = await tx.get('anomaly', fields.id ?? 'an-1')
        const revision = known?.revision === undefined ? {} : { revision: known.revision }
        return tx.save<'anomaly'>({ ...anomaly(fields), ...revision } as Anomaly & { kind: 'anomaly' }, { type: 'anomaly.raised', actor: 'node:anomaly' })
      })
    }

    describe('containment', () => {
      const run = (fields: Partial<Anomaly>, autonomy: 'auto' | 'approve' | 'shadow' = 'auto') =>
        world.tx((tx) => contain(tx, anomaly(fields), autonomy, 'node:trace'))

      async function threeOrders(): Promise<{ before: number; since: number; end: number }> {
        await makeOrder('wo-0')
        world.clock.advance(HOUR)
        const since = world.clock.now()
        await makeOrder('wo-1')
        const end = world.clock.now()
        world.clock.advance(HOUR)
        await makeOrder('wo-2')
        for (const lot of ['lot-wo-0', 'lot-wo-1', 'lot-wo-2']) await follow(lot)
        await tell({ event: 'transform', inputs: [shafts('lot-wo-1', 2)], outputs: [{ ...shafts('gear-1', 2), material: 'gear' }] })
        await tell({ event: 'ship', party: 'ACME', inputs: [shafts('gear-1', 1)] })
        return { before: since - HOUR, since, end }
      }

      it('holds what was made in the window and what was made from it, and says where it is', async () => {
        const { since, end } = await threeOrders()
        const done = await run({ state: 'cleared', since, time: end })
        assert.ok(done)
        assert.deepEqual(validateDocument(done.containment, 'containment', 'test'), done.containment)
        assert.deepEqual(
          done.containment.lots.map(({ lot, origin, quantity, shipped }) => [lot, origin, quantity.value, shipped.map(({ party }) => party)]),
          [
            ['lot-wo-1', 'made-in-window', 2, []],
            ['gear-1', 'descendant', 1, ['ACME']],
          ],
        )
        assert.deepEqual([await disposition('lot-wo-0'), await disposition('lot-wo-1'), await disposition('lot-wo-2')], ['in-process', 'held', 'in-process'])
        assert.equal(await disposition('gear-1'), 'held')
        assert.match((await world.store.get('lot', 'gear-1'))?.reason ?? '', /anomaly an-1 \(vibration\)/)
        assert.equal(await code(tell({ event: 'ship', party: 'ACME', inputs: [shafts('lot-wo-1', 1)] })), 'TAKT_TRACE_LOT_HELD')
        assert.ok((await world.store.verify()).ok)
      })

      it('happens once an anomaly; what a person releases stays released, and what comes into doubt later is held too', async () => {
        const { since, end } = await threeOrders()
        await run({ since, time: end, state: 'cleared' })
        const { sequence } = await world.store.head()
        assert.equal((await run({ since, time: end, state: 'cleared' }))?.changed, false)
        assert.equal((await world.store.head()).sequence, sequence)
        await world.tx((tx) => disposeLot(tx, { disposition: 'release', lot: 'lot-wo-1', why: 'measured all', by: 'Eva' }))
        const again = await run({ since, state: 'updated', time: end })
        assert.deepEqual(
          again?.held.map(({ id }) => id),
          ['lot-wo-2'],
        )
        assert.notEqual(await disposition('lot-wo-1'), 'held')
        assert.equal(await disposition('lot-wo-2'), 'held')
        assert.deepEqual(again?.containment.lots.map(({ lot }) => lot).sort(), ['gear-1', 'lot-wo-1', 'lot-wo-2'])
      })

      it('keeps a running job order of a held lot from going on, and no gate lets it go by itself', async () => {
        await world.order('wo-1', 4)
        await world.run('jo-wo-1-10-saw', SAW, 4)
        await world.assign('jo-wo-1-20-mill', MILL_1)
        const done = await run({ equipment: SAW, since: world.clock.now() - 6 * MINUTE })
        assert.deepEqual(
          done?.held.map(({ id }) => id),
          ['lot-wo-1'],
        )
        const job = await world.store.get('job-order', 'jo-wo-1-20-mill')
        assert.deepEqual([job?.state, job?.substate], ['NotAllowedToStart', 'Waiting'])
        assert.deepEqual(await world.tx((tx) => settleHeldLots(tx, world.plant, 'node:gate')), [])
        assert.equal(await disposition('lot-wo-1'), 'held')
        await world.tx((tx) => disposeLot(tx, { disposition: 'release', lot: 'lot-wo-1', why: 'measured', by: 'Eva' }))
        assert.equal((await world.store.get('job-order', 'jo-wo-1-20-mill'))?.substate, 'Ready')
      })

      it('holds a lot that the gate holds for itself too, so that its rework does not let it go', async () => {
        const { since, end } = await threeOrders()
        await world.tx((tx) => disposeLot(tx, { disposition: 'hold', lot: 'lot-wo-1', why: 'too thick', by: 'node:gate' }))
        await run({ since, state: 'cleared', time: end })
        const lot = await world.store.get('lot', 'lot-wo-1')
        assert.match(lot?.reason ?? '', /^too thick; made while anomaly an-1/)
        assert.equal(
          (await world.store.events(0, 10_000)).findLast(({ type, subject }) => type === 'lot.held' && subject === 'lot-wo-1')?.actor,
          'containment:an-1',
        )
      })

      it('is proposed where a person decides, and only written down in shadow', async () => {
        const { since, end } = await threeOrders()
        const window = { since, state: 'cleared' as const, time: end }
        const proposal = await run(window, 'approve')
        assert.deepEqual([proposal?.containment.status, proposal?.held], ['proposed', []])
        assert.notEqual(await disposition('lot-wo-1'), 'held')
        assert.equal((await run(window, 'approve'))?.changed, false)
        await raise(window)
        const answer = (decision: 'accept' | 'refuse', id = 'containment-an-1') =>
          world.tx((tx) => answerContainment(tx, id, decision, 'Eva', 'looked at the chart'))
        const accepted = await answer('accept')
        assert.deepEqual([accepted.containment.status, accepted.containment.decidedBy], ['acted', 'Eva'])
        assert.deepEqual(
          accepted.held.map(({ id }) => id),
          ['lot-wo-1', 'gear-1'],
        )
        assert.equal(await code(answer('refuse')), 'TAKT_CONTAINMENT_DECIDED')
        assert.equal(await code(answer('refuse', 'containment-none')), 'TAKT_CONTAINMENT_UNKNOWN')

        const shadow = await run({ ...window, id: 'an-2' }, 'shadow')
        assert.equal(shadow?.containment.status, 'proposed')
        assert.equal(await code(answer('accept', 'containment-an-2')), 'TAKT_CONTAINMENT_DECIDED')
        const refused = await run({ ...window, id: 'an-3' }, 'approve')
        assert.equal(refused?.containment.status, 'proposed')
        await answer('refuse', 'containment-an-3')
        assert.equal((await run({ ...window, id: 'an-3' }, 'auto'))?.changed, false, 'a refusal stands')
      })

      it('has nothing to say of a unit that made nothing then', async () => {
        const { since } = await threeOrders()
        assert.equal(await run({ equipment: MILL_2, since, state: 'cleared', time: since + HOUR }), undefined)
        assert.equal((await world.store.list('containment')).length, 0)
      })
    })
  })
}
