import assert from 'node:assert/strict'
import { validateDocument } from '../../../../core/messages/validate.ts'
import { setLotDisposition } from '../../../../core/orders/lots.ts'
import { lineage } from '../../../../core/trace/lineage.ts'
import { recallList } from '../../../../core/trace/recall.ts'
import { code, type Ground, NOW, type Side } from '../support/ground.ts'

/** Events of genealogy, whatever database they stand in. */
export function recordedEvents(newGround: () => Ground): void {
  describe('genealogy: events', () => {
    let ground: Ground
    beforeEach(() => {
      ground = newGround()
    })
    afterEach(() => ground.close())

    const ancestors = async (lot: string) => (await lineage(ground.store, lot, 'backward')).map((traced) => traced.lot)
    const descendants = async (lot: string) => (await lineage(ground.store, lot, 'forward')).map((traced) => traced.lot)
    const hold = (lot: string) => ground.store.transaction((tx) => setLotDisposition(tx, lot, 'held', { actor: 'Eva', why: 'scratches' }))

    it('books what comes in, is transformed and shipped, with a row of the ledger for the event and each lot', async () => {
      await ground.tell('receive', {}, { bar: 6 }, { party: 'Steel Ltd', location: 'store-1' })
      const { event, lots } = await ground.tell('transform', { bar: 4.8 }, { 'lot-1': [12, 'pcs', 'shaft'] }, { id: 'cut-1' })
      assert.deepEqual(
        lots.map(({ id, quantity }) => [id, quantity.value]),
        [
          ['lot-1', 12],
          ['bar', 1.2],
        ],
      )
      await ground.tell('ship', { 'lot-1': [2, 'pcs'] }, {})
      assert.equal(await ground.stock('bar'), 1.2)
      assert.equal(await ground.stock('lot-1'), 10)
      assert.deepEqual(await ancestors('lot-1'), ['bar'])
      assert.deepEqual(await descendants('bar'), ['lot-1'])
      const types = (await ground.store.events(0, 100)).map(({ type, subject }) => `${type} ${subject.replace(/genealogy-.*/, 'event')}`)
      assert.deepEqual(types, [
        'lot.created bar',
        'genealogy.receive event',
        'lot.created lot-1',
        'genealogy.transform cut-1',
        'lot.stock bar',
        'genealogy.ship event',
        'lot.stock lot-1',
      ])
      assert.deepEqual(validateDocument(event, 'genealogy', 'test'), event)
      assert.ok((await ground.store.verify()).ok)
    })

    it('takes the same event once, by its id and by what it says; another one under its id is refused', async () => {
      const told = ground.event('receive', {}, { bar: 6 }, { id: 'r-1' })
      await ground.record(told)
      const { sequence } = await ground.store.head()
      assert.equal((await ground.record(structuredClone(told))).replayed, true)
      assert.equal(await code(ground.record({ ...told, party: 'somebody else' })), 'TAKT_TRACE_EXISTS_DIFFERENT')
      const nameless = ground.event('adjust', { bar: 1 }, {})
      assert.equal((await ground.record(nameless)).replayed, false)
      assert.equal((await ground.record(nameless)).replayed, true)
      assert.equal(await ground.stock('bar'), 5)
      assert.ok((await ground.store.head()).sequence > sequence)
    })

    it('refuses more than there is, and changes nothing then', async () => {
      await ground.tell('receive', {}, { bar: 6, rod: 2 })
      const before = await ground.store.head()
      assert.equal(await code(ground.tell('transform', { rod: 1, bar: 6.1 }, { 'lot-1': [12, 'pcs', 'shaft'] })), 'TAKT_TRACE_BEYOND_STOCK')
      assert.deepEqual(await ground.store.head(), before)
      assert.equal(await ground.store.get('lot', 'lot-1'), undefined)
    })

    it('keeps sums of decimals what they are on paper', async () => {
      await ground.tell('receive', {}, { tank: 10 })
      for (let i = 0; i < 100; i++) await ground.tell('consume', { tank: 0.1 }, {}, { id: `c-${i}` })
      assert.equal(await ground.stock('tank'), 0)
      assert.equal(await code(ground.tell('consume', { tank: 0.1 }, {})), 'TAKT_TRACE_BEYOND_STOCK')
    })

    it('takes the last of a lot where only the error of floats is missing', async () => {
      await ground.tell('receive', {}, { bar: 0.3 })
      await ground.tell('consume', { bar: 0.1 + 0.2 }, {})
      assert.equal(await ground.stock('bar'), 0)
    })

    for (const value of [-1, 0, Number.NaN, Number.POSITIVE_INFINITY, 1e-12, 1e300]) {
      it(`refuses the quantity ${value}`, async () => {
        await ground.tell('receive', {}, { bar: 6 })
        for (const told of [ground.event('consume', { bar: value }, {}), ground.event('receive', {}, { rod: value })])
          assert.equal(await code(ground.record(told)), 'TAKT_TRACE_QUANTITY')
      })
    }

    it('converts no unit and changes no material', async () => {
      await ground.tell('receive', {}, { bar: 6 })
      assert.equal(await code(ground.tell('consume', { bar: [1, 'kg'] }, {})), 'TAKT_TRACE_UNIT')
      assert.equal(await code(ground.tell('receive', {}, { rod: [1, 'kg', 'steel'] })), 'TAKT_TRACE_UNIT')
      assert.equal(await code(ground.tell('receive', {}, { bar: [1, 'm', 'shaft'] })), 'TAKT_TRACE_MATERIAL')
      assert.equal(await code(ground.tell('transform', { bar: 1 }, { 'lot-1': [1, 'pcs'] })), 'TAKT_TRACE_MATERIAL')
      const twice = ground.event('consume', { bar: 1 }, {})
      assert.equal(await code(ground.record({ ...twice, inputs: [...twice.inputs, { lot: 'bar', quantity: { value: 1, unit: 'kg' } }] })), 'TAKT_TRACE_UNIT')
    })

    it('adds up a lot that is named twice', async () => {
      await ground.tell('receive', {}, { bar: 6 })
      const [entry] = ground.event('consume', { bar: 3.5 }, {}).inputs
      const told = { ...ground.event('consume', {}, {}), inputs: [entry!, entry!] }
      assert.equal(await code(ground.record(told)), 'TAKT_TRACE_BEYOND_STOCK')
    })

    it('refuses a lot made from itself, at once and through others', async () => {
      await ground.tell('receive', {}, { a: 6 })
      assert.equal(await code(ground.tell('transform', { a: 1 }, { a: 1 })), 'TAKT_TRACE_SELF_PARENT')
      await ground.tell('transform', { a: 4 }, { b: 4 })
      await ground.tell('transform', { b: 3 }, { c: 3 })
      assert.equal(await code(ground.tell('transform', { c: 1 }, { a: 1 })), 'TAKT_TRACE_CYCLE')
      assert.equal(await code(ground.tell('merge', { c: 1, b: 1 }, { a: 2 })), 'TAKT_TRACE_CYCLE')
      await ground.tell('transform', { a: 1 }, { c: 1 })
      assert.deepEqual(await ancestors('c'), ['a', 'b'])
    })

    it('conserves each material through split, merge and rework, and makes none from itself', async () => {
      await ground.tell('receive', {}, { a: 6, s: [6, 'pcs', 'shaft'] })
      assert.equal(await code(ground.tell('split', { a: 4 }, { 'a/1': 2, 'a/2': 2.5 })), 'TAKT_TRACE_NOT_CONSERVED')
      assert.equal(await code(ground.tell('merge', { a: 4, s: [1, 'pcs'] }, { m: 5 })), 'TAKT_TRACE_NOT_CONSERVED')
      assert.equal(await code(ground.tell('transform', { a: 4 }, { b: 4.1 })), 'TAKT_TRACE_NOT_CONSERVED')
      const { lots } = await ground.tell('split', { a: 4 }, { 'a/1': 2, 'a/2': 2 })
      assert.deepEqual(lots.map(({ id, quantity, material }) => `${id} ${quantity.value} ${material}`).sort(), ['a 2 steel', 'a/1 2 steel', 'a/2 2 steel'])
      await ground.tell('merge', { 'a/1': 2, 'a/2': 1 }, { m: 3 })
      await ground.tell('rework', { m: 1 }, { 'm/r': 1 })
      assert.deepEqual(await ancestors('m/r'), ['a', 'a/1', 'a/2', 'm'])
    })

    it('has numbered parts once', async () => {
      await ground.tell('produce', {}, { 'sn-1': [1, 'pcs', 'motor'] })
      assert.equal(await code(ground.tell('produce', {}, { 'sn-2': [2, 'pcs', 'motor'] })), 'TAKT_TRACE_QUANTITY')
      assert.equal(await code(ground.tell('produce', {}, { 'sn-1': [1, 'pcs', 'motor'] }, { id: 'again' })), 'TAKT_TRACE_QUANTITY')
      assert.equal(await code(ground.tell('consume', { 'sn-1': [0.5, 'pcs'] }, {})), 'TAKT_TRACE_QUANTITY')
    })

    it('refuses sides that its kind does not have, a shipment to nobody, scrap without a reason', async () => {
      await ground.tell('receive', {}, { a: 6 })
      const wrong = [
        ground.event('receive', { a: 1 }, { b: 1 }),
        ground.event('consume', {}, {}),
        ground.event('transform', { a: 1 }, {}),
        ground.event('split', { a: 1, b: 1 }, { c: 2 }),
        ground.event('pack', { a: 1 }, {}),
        ground.event('adjust', {}, {}),
        ground.event('adjust', { a: 1 }, { b: 1 }),
        ground.event('ship', { a: 1 }, {}, { party: ' ' }),
        ground.event('scrap', { a: 1 }, {}, { reason: '' }),
      ]
      for (const told of wrong) assert.equal(await code(ground.record(told)), 'TAKT_TRACE_EVENT', told.event)
      const many = ground.event('receive', {}, Object.fromEntries(Array.from({ length: 5001 }, (_, at) => [`m-${at}`, 1])))
      assert.equal(await code(ground.record(many)), 'TAKT_TRACE_EVENT')
      assert.equal(await code(ground.tell('consume', { nowhere: 1 }, {})), 'TAKT_LOT_UNKNOWN')
      assert.equal(await code(ground.tell('consume', { a: 1 }, {}, { jobOrder: 'jo-none' })), 'TAKT_JOB_ORDER_UNKNOWN')
    })

    it('refuses names with a NUL or a lone surrogate, wherever they stand, and names of a megabyte', async () => {
      await ground.tell('receive', {}, { a: 6 })
      const base = ground.event('transform', { a: 1 }, { b: 1 })
      for (const bad of ['x\0y', 'x\ud800y', '\udfff']) {
        const wrong = [
          { ...base, id: bad },
          { ...base, equipment: bad },
          { ...base, location: bad },
          { ...base, party: bad },
          { ...base, reason: bad },
          { ...base, procedure: bad },
          { ...base, jobOrder: bad },
          { ...base, people: [bad] },
          { ...base, tools: [bad] },
          ground.event('transform', { [bad]: 1 }, { b: 1 }),
          ground.event('transform', { a: 1 }, { [bad]: 1 }),
          ground.event('transform', { a: 1 }, { b: [1, 'm', bad] }),
          ground.event('transform', { a: [1, bad] }, { b: 1 }),
        ]
        for (const told of wrong) assert.equal(await code(ground.record(told)), 'TAKT_TRACE_NAME', JSON.stringify(told))
      }
      const huge = 'x'.repeat(1_000_000)
      for (const told of [{ ...base, id: huge }, { ...base, reason: huge }, { ...base, people: [huge] }, ground.event('receive', {}, { [huge]: 1 })])
        assert.throws(() => validateDocument(told, 'genealogy', 'test'), { code: 'TAKT_MESSAGE_INVALID' })
    })

    it('keeps SQL, markup and any script in text fields as they are', async () => {
      const nasty = `'); drop table lot; -- "\` <img onerror=alert(1)> 批次 🏭 =cmd|'/C calc'`
      const more = { id: nasty, party: nasty, reason: nasty, location: nasty, people: [nasty], tools: [nasty], procedure: nasty, equipment: nasty }
      await ground.tell('receive', {}, { [nasty]: [6, 'm', nasty] }, more)
      await ground.tell('transform', { [nasty]: 1 }, { b: [1, nasty, nasty] }, { id: `${nasty}2` })
      await ground.tell('ship', { [nasty]: 1 }, {}, { party: nasty })
      assert.deepEqual(await ancestors('b'), [nasty])
      assert.deepEqual(await descendants(nasty), ['b'])
      assert.deepEqual((await recallList(ground.store, nasty)).parties, [nasty])
      const event = await ground.store.get('genealogy', nasty)
      assert.deepEqual([event?.party, event?.location, event?.people, event?.tools, event?.procedure], [nasty, nasty, [nasty], [nasty], nasty])
      assert.equal(await code(lineage(ground.store, `' or 1=1 --`, 'backward')), 'TAKT_LOT_UNKNOWN')
      assert.ok((await ground.store.verify()).ok)
    })

    it('traces through events that join many lots with many', async () => {
      const lots = (name: string, count: number): Side =>
        Object.fromEntries(Array.from({ length: count }, (_, at) => [`${name}-${String(at).padStart(2, '0')}`, 1]))
      await ground.tell('receive', {}, { root: 40 })
      await ground.tell('transform', { root: 40 }, lots('a', 40))
      await ground.tell('transform', { 'a-00': 0.5 }, { early: 0.5 })
      const before = await descendants('root')
      await ground.tell('transform', { ...lots('a', 40), 'a-00': 0.5 }, lots('b', 30))
      assert.deepEqual(before, [...Object.keys(lots('a', 40)), 'early'])
      assert.deepEqual(await descendants('root'), [...Object.keys(lots('a', 40)), ...Object.keys(lots('b', 30)), 'early'])
      assert.deepEqual(await ancestors('b-07'), [...Object.keys(lots('a', 40)), 'root'])
      assert.deepEqual(await descendants('early'), [])
      const pooled = await ground.store.db.selectFrom('genealogy').select('pooled').orderBy('ledger').execute()
      assert.deepEqual(
        pooled.map((row) => row.pooled),
        [0, 0, 0, 1],
      )
      assert.ok((await ground.store.verify()).ok)
    })

    it('opens unknown inputs where the node says so', async () => {
      await ground.record(ground.event('transform', { bar: [4.8, 'm', 'steel'] }, { 'lot-1': [12, 'pcs', 'shaft'] }), { unknownLots: 'open' })
      assert.deepEqual(await ancestors('lot-1'), ['bar'])
      assert.equal(await ground.stock('bar'), 0)
      assert.equal((await ground.store.list('genealogy', { where: { event: 'receive' } }))[0]?.reason, 'first told of when it was used')
      assert.ok((await ground.store.verify()).ok)
    })

    it('takes nothing from a held or scrapped lot; where it only follows, what is made is held too', async () => {
      await ground.tell('receive', {}, { a: 6, b: 6 })
      await ground.tell('produce', {}, { old: [1, 'pcs', 'shaft'] })
      await hold('a')
      for (const event of ['consume', 'transform', 'ship', 'pack'] as const) {
        const outputs = event === 'transform' ? { c: [1, 'pcs', 'shaft'] as const } : event === 'pack' ? { box: [1, 'pcs'] as const } : {}
        assert.equal(await code(ground.tell(event, { a: 1 }, outputs)), 'TAKT_TRACE_LOT_HELD', event)
      }
      const follow = { heldLots: 'follow' } as const
      assert.equal(await code(ground.record(ground.event('ship', { a: 1 }, {}), follow)), 'TAKT_TRACE_LOT_HELD')
      await ground.record(ground.event('transform', { a: 1, b: 1 }, { c: [1, 'pcs', 'shaft'], old: [1, 'pcs'] }), follow)
      for (const lot of ['c', 'old']) {
        const made = await ground.store.get('lot', lot)
        assert.deepEqual([made?.disposition, made?.reason], ['held', 'made from lot a, which is held: scratches'])
      }
      await ground.tell('split', { a: 2 }, { 'a/1': 2 })
      assert.equal((await ground.store.get('lot', 'a/1'))?.disposition, 'held')
      await ground.tell('scrap', { 'a/1': 2 }, {})
      assert.equal((await ground.store.get('lot', 'a/1'))?.disposition, 'scrapped')
      assert.equal(await code(ground.record(ground.event('transform', { 'a/1': 1 }, { d: 1 }), follow)), 'TAKT_TRACE_LOT_HELD')
      assert.ok((await ground.store.verify()).ok)
    })

    it('packs, ships a container with all that lies in it, and says who has it', async () => {
      await ground.tell('receive', {}, { bar: 6 })
      await ground.tell('transform', { bar: 5 }, { 'lot-1': [10, 'pcs', 'shaft'] })
      await ground.tell('pack', { 'lot-1': [6, 'pcs'] }, { 'box-1': [1, 'pcs'] })
      await ground.tell('pack', { 'lot-1': [3, 'pcs'] }, { 'box-2': [1, 'pcs'] })
      await ground.tell('pack', { 'box-1': [1, 'pcs'], 'box-2': [1, 'pcs'] }, { pallet: [1, 'pcs'] })
      assert.equal(await code(ground.tell('ship', { 'lot-1': [2, 'pcs'] }, {})), 'TAKT_TRACE_BEYOND_STOCK')
      assert.equal(await code(ground.tell('pack', { pallet: [1, 'pcs'] }, { 'box-1': [1, 'pcs'] })), 'TAKT_TRACE_CYCLE')
      assert.equal(await code(ground.tell('scrap', { pallet: [1, 'pcs'] }, {})), 'TAKT_TRACE_PACKED')
      assert.equal(await code(ground.tell('unpack', { 'box-1': [1, 'pcs'] }, { 'lot-1': [7, 'pcs'] })), 'TAKT_TRACE_BEYOND_STOCK')
      await ground.tell('unpack', { 'box-1': [1, 'pcs'] }, { 'lot-1': [2, 'pcs'] })
      const before = await recallList(ground.store, 'bar')
      assert.deepEqual(before.lots[1]?.containers, ['box-1', 'box-2'])
      await ground.tell('ship', { pallet: [1, 'pcs'] }, {}, { party: 'ACME Motors' })
      assert.equal(await ground.stock('lot-1'), 3)
      assert.equal(await ground.stock('box-1'), 0)
      const recall = await recallList(ground.store, 'bar')
      assert.deepEqual(recall.parties, ['ACME Motors'])
      assert.deepEqual(recall.lots[1]?.shipped, [{ party: 'ACME Motors', quantity: 7, time: NOW }])
      assert.deepEqual(recall.lots[1]?.containers, [])
      // packing is no ancestry, but of a container one asks what was in it
      assert.deepEqual(await descendants('lot-1'), [])
      assert.deepEqual(await ancestors('pallet'), ['bar', 'box-1', 'box-2', 'lot-1'])
      assert.equal(await code(ground.tell('unpack', { pallet: [1, 'pcs'] }, {})), 'TAKT_TRACE_BEYOND_STOCK')
    })

    it('does not ship a container with a held lot in it', async () => {
      await ground.tell('produce', {}, { s: [2, 'pcs', 'shaft'] })
      await ground.tell('pack', { s: [2, 'pcs'] }, { box: [1, 'pcs'] })
      await ground.tell('pack', { box: [1, 'pcs'] }, { pallet: [1, 'pcs'] })
      await hold('s')
      assert.equal(await code(ground.tell('ship', { pallet: [1, 'pcs'] }, {})), 'TAKT_TRACE_LOT_HELD')
      assert.equal(await ground.stock('s'), 2)
      await ground.tell('unpack', { box: [1, 'pcs'] }, {})
      await ground.tell('ship', { pallet: [1, 'pcs'] }, {})
      assert.equal(await ground.stock('s'), 2)
    })
  })
}
