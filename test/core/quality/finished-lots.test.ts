import assert from 'node:assert/strict'
import { releaseFinishedLots } from '../../../core/quality/finished-lots.ts'
import { gate } from '../../../core/quality/gate.ts'
import { MILL_1, SAW, World } from '../report/support/world.ts'

const LOT = 'lot-wo-1'
const JOB = 'jo-wo-1-20-mill'

describe('finished lots', () => {
  let world: World
  let sent = 0
  const measure = (characteristic: string, value: number) =>
    world.tx((tx) =>
      gate(
        tx,
        world.plant,
        { id: `qr-${++sent}`, characteristic, values: [value], equipment: MILL_1, jobOrder: JOB, lot: LOT, serial: null, time: world.clock.now() },
        { rejectBeyond: null, rework: true, holdOnAnomaly: false, actor: 'node:gate' },
      ),
    )
  const release = () => world.tx((tx) => releaseFinishedLots(tx, world.plant, 'node:gate'))
  const lotIs = async () => (await world.store.get('lot', LOT))?.disposition

  beforeEach(async () => {
    world = new World()
    await world.order('wo-1', 4)
    await world.run('jo-wo-1-10-saw', SAW, 4)
  })
  afterEach(() => world.close())

  it('are released when all that was to be measured passed, once', async () => {
    await measure('diameter', 40)
    await measure('crack', 0)
    assert.deepEqual(await release(), { released: [], waiting: 0, open: [] }, 'the order has not ended')
    await world.run(JOB, MILL_1, 4)
    assert.deepEqual(
      (await release()).released.map(({ id, disposition }) => [id, disposition]),
      [[LOT, 'released']],
    )
    const event = (await world.store.events(0, 1000)).at(-1)
    assert.equal(event?.type, 'lot.released')
    assert.match(event?.why ?? '', /wo-1/)
    assert.deepEqual(await release(), { released: [], waiting: 0, open: [] })
  })

  it('wait for what is not measured yet', async () => {
    await measure('diameter', 40)
    await world.run(JOB, MILL_1, 4)
    assert.deepEqual(await release(), { released: [], waiting: 1, open: [] })
    assert.equal(await lotIs(), 'in-process')
    await measure('crack', 0)
    assert.equal((await release()).released.length, 1)
  })

  it('stay held when a part was found bad', async () => {
    await measure('diameter', 40)
    await world.run(JOB, MILL_1, 4)
    await measure('crack', 1)
    assert.deepEqual(await release(), { released: [], waiting: 0, open: [] })
    assert.equal(await lotIs(), 'held')
  })

  it('may be held again by a measurement that comes late', async () => {
    await measure('diameter', 40)
    await measure('crack', 0)
    await world.run(JOB, MILL_1, 4)
    await release()
    await measure('diameter', 41)
    assert.equal(await lotIs(), 'held')
  })
})
