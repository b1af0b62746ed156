import assert from 'node:assert/strict'
import { ManualClock } from '../../../core/base/clock.ts'
import type { Command } from '../../../core/messages/command.ts'
import type { JobOrder } from '../../../core/messages/job-order.ts'
import { Dispatcher } from '../../../core/orders/dispatch/dispatcher.ts'
import { lackingNow } from '../../../core/orders/dispatch/free-resources.ts'
import { COMMAND_NAMES } from '../../../core/orders/dispatch/job-command.ts'
import { readAway, recordAway } from '../../../core/orders/disruption/away.ts'
import { endJobOrder } from '../../../core/orders/end-job-order.ts'
import { requestMaintenance } from '../../../core/orders/maintenance.ts'
import { checkPlant } from '../../../core/plant/check-plant.ts'
import { openStore } from '../../../core/store/open-store.ts'
import type { Store } from '../../../core/store/store.ts'
import { PLANT, show, tester } from './fixture.ts'

const START = Date.UTC(2026, 10, 23, 6)
const repairs = { planned: { durationMs: 60_000 }, unplanned: { durationMs: 60_000 }, crew: 'fitters' }
const plant = checkPlant(
  {
    ...PLANT,
    equipment: PLANT.equipment.map((unit) => (unit.classes?.[0] === 'mill' ? { ...unit, maintenance: repairs } : unit)),
    tools: [{ id: 'fixture', name: 'the fixture', count: 2 }],
  },
  'test',
)

describe('dispatch with people, crews and tools', () => {
  let store: Store
  let clock: ManualClock
  let dispatcher: Dispatcher | undefined
  let told: string[]
  beforeEach(() => {
    clock = new ManualClock(START)
    store = openStore({ file: ':memory:', clock })
    told = []
  })
  afterEach(async () => {
    dispatcher?.stop()
    dispatcher = undefined
    await store.close()
  })

  const ask = async (equipment: string): Promise<JobOrder> =>
    (await store.transaction((tx) => requestMaintenance(tx, plant, { equipment, kind: 'unplanned', deadline: null, cause: 'broken', actor: 'test' }))).jobOrder
  const say = (equipment: string, state: 'Aborted' | 'Execute' | 'Idle', more: object = {}) =>
    dispatcher?.machineState({ equipment, state, mode: 'Produce', jobOrder: null, since: clock.now(), ...more })

  it('begins a repair when its crew is free, whatever the unit shows', async () => {
    const [first, second] = [await ask('p/mill-1'), await ask('p/mill-2')]
    dispatcher = new Dispatcher(
      {
        store,
        plant: () => plant,
        clock,
        real: clock,
        command: ({ to, name }: Command) => void told.push(`${to} ${name}`),
        problem: (problem) => assert.fail(problem),
        waiting: () => {},
      },
      { autonomy: 'auto', toleranceMs: 0, ackTimeoutMs: 600_000, commands: COMMAND_NAMES, actor: 'dispatch' },
    )
    say('p/mill-1', 'Aborted')
    say('p/mill-2', 'Aborted')
    await dispatcher.idle()
    assert.deepEqual(told, ['p/mill-1 enter-maintenance'], 'there is one crew')
    await show(store, 'p/mill-1', 'Execute', first.id, { mode: 'Maintenance' })
    await dispatcher.idle()
    assert.equal(await lackingNow(store, plant, clock.now(), second, 'p/mill-2'), 'fitters')
    await store.transaction(async (tx) => endJobOrder(tx, (await tx.get('job-order', first.id))!, 'Complete', clock.now(), tester))
    await dispatcher.idle()
    assert.deepEqual(told, ['p/mill-1 enter-maintenance', 'p/mill-2 enter-maintenance'], 'as soon as the crew is done')
  })

  it('counts what is told, what runs, and what is away', async () => {
    const job = (id: string, more: Partial<JobOrder> = {}): JobOrder => ({
      kind: 'job-order',
      id,
      workOrder: 'wo-1',
      operation: '10',
      sequence: 0,
      after: [],
      state: 'NotAllowedToStart',
      substate: 'Ready',
      equipment: 'p/saw',
      alternatives: [{ equipment: 'p/saw', setupMs: 0, perPieceMs: 1, needs: [{ resource: 'fixture', count: 1 }] }],
      quantity: { value: 1, unit: 'pcs' },
      good: 0,
      scrap: 0,
      lot: null,
      plannedStart: START,
      plannedEnd: null,
      actualStart: null,
      actualEnd: null,
      planVersion: null,
      pinned: false,
      ...more,
    })
    const save = (...jobs: JobOrder[]) =>
      store.transaction(async (tx) => {
        for (const one of jobs) await tx.save<'job-order'>(one, { type: 'job-order.created', ...tester })
      })
    const lacking = (one: JobOrder, at = START) => lackingNow(store, plant, at, one, 'p/saw')
    const next = job('next')
    await save(next, job('told', { state: 'AllowedToStart' }), job('over', { state: 'Ended', substate: 'Completed' }))
    assert.equal(await lacking(next), undefined, 'the second one is free')
    await save(job('held', { state: 'Interrupted', substate: 'Held' }))
    assert.equal(await lacking(next), 'the fixture')
    assert.equal(await lacking(job('told', { state: 'AllowedToStart' })), undefined, 'it has its own')
    const bare = job('bare', { alternatives: [{ equipment: 'p/saw', setupMs: 0, perPieceMs: 1 }] })
    assert.equal(await lacking(bare), undefined)
    const gone = job('gone', { alternatives: [{ equipment: 'p/saw', setupMs: 0, perPieceMs: 1, needs: [{ resource: 'laser', count: 1 }] }] })
    assert.equal(await lacking(gone), undefined, 'what the plant does not know keeps nobody waiting')
  })

  it('waits while a tool is away', async () => {
    await store.transaction((tx) => recordAway(tx, plant, readAway({ resource: 'fitters', to: START + 60_000 }, plant, 'test'), 'test'))
    const repair = await ask('p/mill-1')
    assert.equal(await lackingNow(store, plant, START, repair, 'p/mill-1'), 'fitters')
    assert.equal(await lackingNow(store, plant, START + 60_000, repair, 'p/mill-1'), undefined)
  })
})
