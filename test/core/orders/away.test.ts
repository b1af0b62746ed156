import assert from 'node:assert/strict'
import { readAway, readBack, recordAway, recordBack } from '../../../core/orders/disruption/away.ts'
import { checkPlant } from '../../../core/plant/check-plant.ts'
import type { Store } from '../../../core/store/store.ts'
import { code, memoryStore, PLANT } from './fixture.ts'

const HOUR = 3_600_000
const START = Date.UTC(2026, 10, 23, 6)
const plant = checkPlant({ ...PLANT, personnel: [{ id: 'milling', people: 3 }], tools: [{ id: 'fixture-7', name: 'Fixture 7', count: 2 }] }, 'test')

describe('people and tools that are away', () => {
  let store: Store
  beforeEach(() => {
    store = memoryStore(START).store
  })
  afterEach(() => store.close())
  const away = (payload: unknown) => store.transaction((tx) => recordAway(tx, plant, readAway(payload, plant, 'test'), 'test'))
  const back = (payload: unknown) => store.transaction((tx) => recordBack(tx, plant, readBack(payload, plant, 'test'), 'test'))

  it('are recorded as a disruption of the plant that blocks no unit, until they are back', async () => {
    const gone = await away({ resource: 'fixture-7', to: '2026-11-23 12:00', by: 'Anna', why: 'at the grinder' })
    assert.deepEqual(
      [gone.equipment, gone.action, gone.status, gone.resource, gone.unavailable, gone.why, gone.cause],
      ['p', 'block', 'acted', { id: 'fixture-7', count: 1 }, { from: START, to: START + 5 * HOUR }, '1 of Fixture 7 away: at the grinder', { person: 'Anna' }],
    )
    await away({ resource: 'milling', count: 2 })
    assert.deepEqual(await back({ resource: 'fixture-7', by: 'Anna' }).then((all) => all.map(({ id, status }) => [id, status])), [[gone.id, 'withdrawn']])
    assert.deepEqual(await back('fixture-7'), [])
    const [milling] = await back('milling')
    assert.deepEqual([milling?.unavailable, milling?.status], [{ from: START, to: null }, 'withdrawn'])
    const events = await store.events(0, 100)
    assert.deepEqual(
      events.map(({ type }) => type),
      ['disruption.acted', 'disruption.acted', 'disruption.withdrawn', 'disruption.withdrawn'],
    )
    assert.equal(events[2]?.why, 'Anna says that they are back')
  })

  it('are recorded once', async () => {
    const first = await away({ resource: 'milling', from: START })
    assert.deepEqual(await away({ resource: 'milling', from: START }), first)
  })

  it('are refused with a code when they make no sense', async () => {
    const refused = async (payload: unknown) => code((async () => away(payload))())
    assert.equal(await refused({ resource: 'fixture-8' }), 'TAKT_RESOURCE_UNKNOWN')
    assert.equal(await refused({}), 'TAKT_MESSAGE_INVALID')
    assert.equal(await refused({ resource: 'milling', count: 0 }), 'TAKT_MESSAGE_INVALID')
    assert.equal(await refused({ resource: 'milling', to: 'later' }), 'TAKT_ORDER_TIME')
    assert.equal(await refused({ resource: 'milling', to: START }), 'TAKT_ORDER_TIME')
    assert.equal((await store.list('disruption')).length, 0)
  })
})
