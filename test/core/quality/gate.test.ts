import assert from 'node:assert/strict'
import { type GateOptions, gate } from '../../../core/quality/gate.ts'
import { disposeLot, settleHeldLots } from '../../../core/quality/held-lots.ts'
import { type Measurement, measurementOfMessage, measurementOfSample } from '../../../core/quality/measurement.ts'
import { MILL_1, MILL_2, MINUTE, SAW, World } from '../report/support/world.ts'

const options: GateOptions = { rejectBeyond: 1, rework: true, holdOnAnomaly: false, actor: 'node:gate' }
const LOT = 'lot-wo-1'
const JOB = 'jo-wo-1-20-mill'
const REWORK = `rw-${JOB}`

describe('quality gate', () => {
  let world: World
  let sent = 0
  const measured = (fields: Partial<Measurement>): Measurement => ({
    id: `qr-${++sent}`,
    characteristic: 'diameter',
    values: [40],
    equipment: MILL_1,
    jobOrder: JOB,
    lot: LOT,
    serial: null,
    time: world.clock.now(),
    ...fields,
  })
  const judge = (fields: Partial<Measurement>, with_: Partial<GateOptions> = {}) =>
    world.tx((tx) => gate(tx, world.plant, measured(fields), { ...options, ...with_ }))
  const lotIs = async (id = LOT) => (await world.store.get('lot', id))?.disposition
  const settle = () => world.tx((tx) => settleHeldLots(tx, world.plant, 'node:gate'))
  const makeGood = async (order = REWORK, parts = 1) => world.run(`jo-${order}-20-mill`, MILL_2, parts)

  beforeEach(async () => {
    world = new World()
    await world.order('wo-1', 4)
    await world.run('jo-wo-1-10-saw', SAW, 4)
    await world.assign(JOB, MILL_1)
    await world.state(MILL_1, 'Execute', JOB)
  })
  afterEach(() => world.close())

  it('passes a good part and records it with its specification', async () => {
    const { result } = await judge({ values: [40.01], serial: 'p-7' })
    assert.equal(result.decision, 'pass')
    assert.deepEqual(result.specification, { target: 40, lower: 39.95, upper: 40.05 })
    assert.equal(result.unit, 'mm')
    assert.equal(result.serial, 'p-7')
    assert.equal(await lotIs(), 'in-process')
    assert.equal((await world.store.events(0, 1000)).at(-1)?.type, 'quality-result.recorded')
  })

  it('holds the lot and raises one rework order whose quantity is the bad parts', async () => {
    const first = await judge({ values: [40.07] })
    assert.equal(first.result.decision, 'hold')
    assert.equal(first.rework?.id, REWORK)
    assert.equal(first.rework?.quantity.value, 1)
    assert.deepEqual(first.rework?.of, { workOrder: 'wo-1', jobOrder: JOB, lot: LOT })
    assert.equal(await lotIs(), 'held')
    assert.match((await world.store.get('lot', LOT))?.reason ?? '', /40.07 mm is 0.02 mm above/)
    const second = await judge({ values: [39.9, 40] })
    assert.equal(second.rework?.id, REWORK)
    assert.equal(second.rework?.quantity.value, 2)
    assert.equal((await world.store.list('work-order', { where: { type: 'rework' } })).length, 1)
  })

  it('counts a numbered part once, however often it is found bad', async () => {
    await judge({ values: [40.07], serial: 'p-1' })
    await judge({ values: [40.08], serial: 'p-1' })
    const { rework } = await judge({ values: [40.08], serial: 'p-2' })
    assert.equal(rework?.quantity.value, 2)
  })

  it('changes nothing when the same measurement comes again', async () => {
    const measurement = measured({ values: [40.07] })
    const once = await world.tx((tx) => gate(tx, world.plant, measurement, options))
    const { sequence } = await world.store.head()
    const twice = await world.tx((tx) => gate(tx, world.plant, measurement, options))
    assert.equal(twice.replayed, true)
    assert.deepEqual(twice.result, once.result)
    assert.equal((await world.store.head()).sequence, sequence)
  })

  it('releases the lot when its rework has ended, once, whoever asks and however often', async () => {
    await judge({ values: [40.07] })
    assert.deepEqual(await settle(), [])
    await makeGood()
    const [released] = await settle()
    assert.equal(released?.disposition, 'in-process')
    assert.equal(await lotIs(), 'in-process')
    const { sequence } = await world.store.head()
    assert.deepEqual(await settle(), [])
    assert.equal((await world.store.head()).sequence, sequence)
    // found bad again after that: held again, and a second rework order
    const again = await judge({ values: [40.08] })
    assert.equal(await lotIs(), 'held')
    assert.equal(again.rework?.id, `${REWORK}-2`)
    assert.equal(again.rework?.quantity.value, 1)
  })

  it('takes what is found bad while the rework runs into the next rework', async () => {
    await judge({ values: [40.07] })
    await world.assign(`jo-${REWORK}-20-mill`, MILL_2)
    await world.state(MILL_2, 'Execute', `jo-${REWORK}-20-mill`)
    const late = await judge({ values: [40.06, 40.07] })
    assert.equal(late.rework?.id, REWORK, 'one order while it is open')
    assert.equal(late.rework?.quantity.value, 1)
    world.clock.advance(MINUTE)
    await world.count(MILL_2, `jo-${REWORK}-20-mill`, 1)
    await world.state(MILL_2, 'Complete', `jo-${REWORK}-20-mill`)
    assert.deepEqual(await settle(), [])
    assert.equal(await lotIs(), 'held')
    assert.equal((await world.store.get('work-order', `${REWORK}-2`))?.quantity.value, 2)
    await makeGood(`${REWORK}-2`, 2)
    assert.equal((await settle()).length, 1)
    assert.equal(await lotIs(), 'in-process')
  })

  it('keeps a lot held while a sublot of it is bad again, and lets both go at last', async () => {
    await judge({ values: [40.07] })
    const sublot = `lot-${REWORK}`
    await world.assign(`jo-${REWORK}-20-mill`, MILL_2)
    await world.state(MILL_2, 'Execute', `jo-${REWORK}-20-mill`)
    const again = await judge({ values: [40.09], jobOrder: `jo-${REWORK}-20-mill`, lot: sublot, equipment: MILL_2 })
    await world.count(MILL_2, `jo-${REWORK}-20-mill`, 1)
    await world.state(MILL_2, 'Complete', `jo-${REWORK}-20-mill`)
    assert.equal(again.result.decision, 'hold')
    assert.deepEqual(await settle(), [])
    await makeGood(again.rework?.id)
    assert.deepEqual((await settle()).map(({ id }) => id).sort(), [LOT, sublot].sort())
  })

  it('rejects what cannot be made good: held for a person, no rework', async () => {
    const { result, rework } = await judge({ values: [41] })
    assert.equal(result.decision, 'reject')
    assert.equal(rework, null)
    assert.equal(await lotIs(), 'held')
    assert.deepEqual(await settle(), [])
    const critical = await judge({ characteristic: 'crack', values: [1] }, { rejectBeyond: null })
    assert.equal(critical.result.decision, 'reject')
    await world.tx((tx) => disposeLot(tx, { disposition: 'release', lot: LOT, why: 'part taken out', by: 'eva' }))
    assert.equal(await lotIs(), 'in-process')
  })

  it('does not let rework release a lot with a rejected part', async () => {
    await judge({ values: [40.07] })
    await judge({ values: [41] })
    await makeGood()
    assert.deepEqual(await settle(), [])
    assert.equal(await lotIs(), 'held')
  })

  it("leaves a person's hold to the person", async () => {
    await world.tx((tx) => disposeLot(tx, { disposition: 'hold', lot: LOT, why: 'customer complaint', by: 'eva' }))
    await judge({ values: [40.07] })
    await makeGood()
    assert.deepEqual(await settle(), [])
    assert.equal(await lotIs(), 'held')
  })

  it('holds without rework when rework is off', async () => {
    const { rework } = await judge({ values: [40.07] }, { rework: false })
    assert.equal(rework, null)
    assert.equal(await lotIs(), 'held')
    assert.deepEqual(await world.store.list('work-order', { where: { type: 'rework' } }), [])
    // it is not raised behind the back of whoever turned it off, either
    assert.deepEqual(await world.tx((tx) => settleHeldLots(tx, null, 'node:gate')), [])
  })

  it('does not raise again a rework order that people canceled', async () => {
    await judge({ values: [40.07] })
    await world.tx(async (tx) => {
      const order = await tx.get('work-order', REWORK)
      await tx.save<'work-order'>({ ...order!, state: 'Canceled' }, { type: 'work-order.canceled', actor: 'eva' })
    })
    assert.deepEqual(await settle(), [])
    assert.equal(await lotIs(), 'held')
    assert.equal((await world.store.list('work-order', { where: { type: 'rework' } })).length, 1)
  })

  it('scraps a lot with the rework of its parts', async () => {
    await judge({ values: [40.07] })
    await world.tx((tx) => disposeLot(tx, { disposition: 'scrap', lot: LOT, why: 'beyond repair', by: 'eva' }))
    assert.equal(await lotIs(), 'scrapped')
    assert.equal(await lotIs(`lot-${REWORK}`), 'scrapped')
    assert.equal((await world.store.get('job-order', `jo-${REWORK}-20-mill`))?.state, 'Aborted')
    const after = await judge({ values: [40.2] })
    assert.equal(after.result.decision, 'reject')
    assert.equal(await lotIs(), 'scrapped')
    await assert.rejects(
      world.tx((tx) => disposeLot(tx, { disposition: 'release', lot: LOT, why: 'no', by: 'eva' })),
      { code: 'TAKT_LOT_SCRAPPED' },
    )
  })

  it('is stricter while a grave anomaly stands on the unit', async () => {
    const anomaly = {
      kind: 'anomaly' as const,
      id: 'an-1',
      equipment: MILL_1,
      signals: ['vibration'],
      method: 'auto',
      score: 0.99,
      since: world.clock.now(),
      time: world.clock.now(),
      evidence: [],
    }
    const raised = await world.tx((tx) =>
      tx.save<'anomaly'>({ ...anomaly, state: 'raised', severity: 'high' }, { type: 'anomaly.raised', actor: 'node:anomaly' }),
    )
    assert.equal((await judge({})).result.decision, 'pass', 'only when asked for')
    const doubtful = await judge({}, { holdOnAnomaly: true })
    assert.equal(doubtful.result.decision, 'hold')
    assert.deepEqual(doubtful.result.rules, ['anomaly-window'])
    assert.match(doubtful.result.reasons[0]!, /an-1 \(vibration\) stood on mill-1/)
    assert.equal((await judge({ equipment: MILL_2 }, { holdOnAnomaly: true })).result.decision, 'pass')
    await world.tx((tx) => tx.save<'anomaly'>({ ...raised, state: 'cleared' }, { type: 'anomaly.cleared', actor: 'node:anomaly' }))
    assert.equal((await judge({}, { holdOnAnomaly: true })).result.decision, 'pass')
  })

  it('knows whose part it is without being told the job order', async () => {
    const onUnit = await judge({ jobOrder: null, lot: null })
    assert.equal(onUnit.result.jobOrder, JOB)
    assert.equal(onUnit.result.lot, LOT)
    const ofLot = await judge({ jobOrder: null, equipment: null })
    assert.equal(ofLot.result.jobOrder, JOB)
    assert.equal(ofLot.result.equipment, MILL_1)
    await assert.rejects(judge({ jobOrder: null, lot: null, equipment: null }), { code: 'TAKT_QUALITY_NOT_ATTRIBUTABLE' })
    await assert.rejects(judge({ jobOrder: null, lot: null, equipment: MILL_2 }), { code: 'TAKT_QUALITY_NOT_ATTRIBUTABLE' })
    await assert.rejects(judge({ jobOrder: null, lot: 'lot-9' }), { code: 'TAKT_QUALITY_LOT_UNKNOWN' })
    await assert.rejects(judge({ jobOrder: 'jo-9' }), { code: 'TAKT_QUALITY_JOB_UNKNOWN' })
    await assert.rejects(judge({ jobOrder: 'jo-wo-1-10-saw' }), { code: 'TAKT_QUALITY_SPECIFICATION_MISSING' })
    await assert.rejects(judge({ characteristic: 'colour' }), { code: 'TAKT_QUALITY_SPECIFICATION_MISSING' })
  })

  it('reads measurements from samples and from plain messages', () => {
    const sample = { kind: 'sample' as const, equipment: MILL_1, signal: 'diameter', value: 40.02, quality: 'good' as const, time: 5, received: 6 }
    const read = measurementOfSample({ ...sample, context: { jobOrder: JOB, lot: LOT, serial: 'p-1' } }, world.plant)
    assert.deepEqual(
      { ...read, id: '' },
      { id: '', characteristic: 'diameter', values: [40.02], equipment: MILL_1, jobOrder: JOB, lot: LOT, serial: 'p-1', time: 5 },
    )
    assert.equal(measurementOfSample({ ...sample, received: 9 }, world.plant)?.id, measurementOfSample(sample, world.plant)?.id)
    assert.notEqual(measurementOfSample({ ...sample, time: 6 }, world.plant)?.id, measurementOfSample(sample, world.plant)?.id)
    assert.equal(measurementOfSample({ ...sample, signal: 'vibration' }, world.plant), undefined)
    assert.equal(measurementOfSample({ ...sample, quality: 'bad' }, world.plant), undefined)
    assert.throws(() => measurementOfSample({ ...sample, value: 'wide' }, world.plant), { code: 'TAKT_QUALITY_VALUE_INVALID' })

    const plain = (payload: unknown) => measurementOfMessage(payload, 7, 'test')
    assert.equal(plain({ lot: LOT, characteristic: 'diameter', values: [40, 41], id: 'sheet-5' }).id, 'qr-sheet-5')
    assert.deepEqual(plain({ lot: LOT, characteristic: 'diameter', value: 40 }).values, [40])
    assert.equal(plain({ lot: LOT, characteristic: 'diameter', value: 40 }).time, 7)
    for (const values of [[], [Number.NaN], ['40'], 'x', undefined, [Number.POSITIVE_INFINITY]])
      assert.throws(() => plain({ characteristic: 'diameter', values }), { code: 'TAKT_QUALITY_VALUE_INVALID' }, String(values))
    for (const payload of [
      null,
      5,
      'x',
      [1],
      {},
      { characteristic: 7, value: 1 },
      { characteristic: 'd', value: 1, time: 'now' },
      { characteristic: 'd', value: 1, lot: {} },
    ])
      assert.throws(() => plain(payload), { code: 'TAKT_MESSAGE_INVALID' }, JSON.stringify(payload))
    assert.throws(() => plain(JSON.parse('{"characteristic":"d","value":1,"__proto__":{}}')), { code: 'TAKT_MESSAGE_FORBIDDEN_KEY' })
  })
})
