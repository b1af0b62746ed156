import assert from 'node:assert/strict'
import type { ManualClock } from '../../../core/base/clock.ts'
import type { Genealogy } from '../../../core/messages/genealogy.ts'
import { closeWorkOrder, commandJobOrder } from '../../../core/orders/control-work-order.ts'
import { createWorkOrder } from '../../../core/orders/create-work-order.ts'
import { followMachine } from '../../../core/orders/follow-machine.ts'
import { releaseWorkOrder } from '../../../core/orders/release-work-order.ts'
import { checkPlant } from '../../../core/plant/check-plant.ts'
import type { Store } from '../../../core/store/store.ts'
import { followResponse } from '../../../core/trace/follow-jobs.ts'
import { recordEvent } from '../../../core/trace/record-event.ts'
import { begin, inForce, JOB, known, perform, planned } from '../procedures/support.ts'
import { count, memoryStore, PLANT, show, tester } from './fixture.ts'

const OPTIONS = { actor: 'node:trace', heldLots: 'refuse', unknownLots: 'refuse' } as const
const MATERIALS = { ...PLANT, materials: [...(PLANT.materials ?? []), { id: 'steel', unit: 'm' }] }
const withSteel = checkPlant(MATERIALS, 'test')
const MILL = 'p/mill-1'

describe('what a job response says beside times and quantities', () => {
  let store: Store
  let clock: ManualClock

  beforeEach(() => {
    ;({ store, clock } = memoryStore())
  })
  afterEach(() => store.close())

  const response = async () => (await store.get('job-response', `jr-${JOB}`))!
  /** What the unit was in, as machine state writes it down. */
  const states = (...rows: Array<readonly [element: string, since: number, until: number | null]>) =>
    store.transaction(async (tx) => {
      for (const [element, since, until] of rows)
        await tx.db
          .insertInto('machine_state')
          .values({ equipment: MILL, state: 'x', mode: 'Produce', element, reason: null, job_order: JOB, since, until })
          .execute()
    })
  const trace = (event: Partial<Genealogy>) =>
    store.transaction((tx) =>
      recordEvent(tx, withSteel, { kind: 'genealogy', event: 'receive', inputs: [], outputs: [], jobOrder: null, time: clock.now(), ...event }, OPTIONS),
    )
  const steel = (value: number) => ({ lot: 'bar-77', quantity: { value, unit: 'm' } })
  /** The order of the procedures' tests without a procedure. */
  const plain = () =>
    store.transaction(async (tx) => {
      const request = { id: 'wo-1', quantity: 10, product: 'shaft', operations: [{ id: '20-mill', alternatives: [{ equipment: MILL, perPieceMs: 20 }] }] }
      await createWorkOrder(tx, withSteel, request, tester)
      await releaseWorkOrder(tx, withSteel, 'wo-1', tester)
    })
  async function make(): Promise<void> {
    await show(store, MILL, 'Execute', JOB, { since: 2_000_000 })
    await count(store, MILL, JOB, 9, 1)
    await show(store, MILL, 'Complete', JOB, { since: 2_060_000 })
  }

  it('has set-up and run apart, as far as the unit showed them', async () => {
    await plain()
    await states(['AUST', 1_990_000, 2_000_000], ['APT', 2_000_000, 2_030_000], ['ADOT', 2_030_000, 2_040_000], ['APT', 2_040_000, null])
    await make()
    const { setupMs, runMs, personnel, people } = await response()
    assert.deepEqual({ setupMs, runMs, personnel, people }, { setupMs: 10_000, runMs: 50_000, personnel: [], people: [] })
  })

  it('knows no set-up of a unit that shows none, and no run of one that nobody saw', async () => {
    await plain()
    await make()
    assert.deepEqual([(await response()).setupMs, (await response()).runMs], [null, null])
  })

  it('names who did the steps of its procedure, whose badge was scanned, and who told it to stop, with the first and the last time', async () => {
    await store.transaction((tx) =>
      tx.save<'person'>({ ...known({ id: 'max', badge: 'b-9' }).person!, kind: 'person' }, { type: 'person.added', actor: 'test' }),
    )
    await inForce(store, [
      { id: 'read', type: 'instruct', text: 'Gloves', before: 'start' },
      { id: 'badge', type: 'scan', scan: 'badge', before: 'start' },
      { id: 'clean', type: 'confirm', text: 'Cleaned' },
    ])
    await planned(store)
    await begin(store)
    await perform(store, 'read', {}, known())
    clock.advance(5000)
    await perform(store, 'badge', { value: 'b-9' }, known())
    await make()
    const before = (await response()).personnel
    clock.advance(10_000)
    // a step after the end is in the response too
    await perform(store, 'clean', { confirm: true })
    assert.deepEqual(before, [
      { person: 'person:eva', from: 1_000_000, to: 1_000_000 },
      { person: 'person:max', from: 1_005_000, to: 1_005_000 },
    ])
    assert.deepEqual((await response()).personnel, [...before!, { person: 'Anna', from: 1_015_000, to: 1_015_000 }])
    assert.deepEqual((await response()).people, ['person:eva', 'person:max', 'Anna'])
  })

  it('names a known person who commanded it, and no node', async () => {
    await plain()
    await show(store, MILL, 'Execute', JOB)
    clock.advance(2000)
    await store.transaction((tx) => commandJobOrder(tx, JOB, 'Pause', { actor: 'person:eva' }))
    clock.advance(3000)
    await store.transaction((tx) => commandJobOrder(tx, JOB, 'Stop', { actor: 'person:eva' }))
    assert.deepEqual((await response()).personnel, [{ person: 'person:eva', from: 1_002_000, to: 1_005_000 }])
    await store.transaction((tx) => followMachine(tx, { equipment: MILL, state: 'Idle', jobOrder: JOB, mode: 'Produce', since: 3e6 }, { actor: 'node:x' }))
    assert.equal((await response()).people.length, 1)
  })

  it('has the lots that genealogy says went in and came out, which trace does not book again', async () => {
    await plain()
    await trace({ outputs: [{ ...steel(10), material: 'steel' }] })
    await trace({ id: 'in-1', event: 'consume', inputs: [steel(4)], jobOrder: JOB, people: ['Anna'], time: 2_010_000 })
    await make()
    const [made, used] = (await response()).materials
    assert.deepEqual(made, { lot: 'lot-wo-1', quantity: { value: 9, unit: 'pcs' }, use: 'produced' })
    assert.deepEqual(used, { ...steel(4), use: 'consumed', event: 'in-1' })
    assert.deepEqual((await response()).personnel, [{ person: 'Anna', from: 2_010_000, to: 2_010_000 }])
    assert.deepEqual(await followResponse(store, withSteel, `jr-${JOB}`, OPTIONS), { recorded: [], refused: [] })
    assert.equal((await store.get('lot', 'bar-77'))!.quantity.value, 6)
  })

  it('keeps what it was told of consumption, says it once, and takes what was written down later when the order is closed', async () => {
    await plain()
    await trace({ outputs: [{ ...steel(10), material: 'steel' }] })
    await make()
    const told = { ...steel(3), use: 'consumed' as const }
    await store.transaction(async (tx) => {
      const stored = (await tx.get('job-response', `jr-${JOB}`))!
      await tx.save<'job-response'>({ ...stored, materials: [...stored.materials, told] }, { type: 'job-response.recorded', actor: 'test' })
    })
    assert.equal((await followResponse(store, withSteel, `jr-${JOB}`, OPTIONS)).recorded.length, 1)
    await trace({ id: 'in-2', event: 'consume', inputs: [steel(1)], jobOrder: JOB })
    await store.transaction((tx) => closeWorkOrder(tx, 'wo-1', { actor: 'test', why: 'one short' }))
    assert.deepEqual((await response()).materials.slice(1), [told, { ...steel(1), use: 'consumed', event: 'in-2' }])
    assert.equal((await store.get('lot', 'bar-77'))!.quantity.value, 6)
  })
})
