import assert from 'node:assert/strict'
import { systemClock } from '../../../../core/base/clock.ts'
import type { Anomaly } from '../../../../core/messages/anomaly.ts'
import type { JobOrder } from '../../../../core/messages/job-order.ts'
import { loadOutlook, type PlanOutlook } from '../../../../core/orders/planning/outlook.ts'
import { OutlookDesk, type OutlookOptions } from '../../../../core/orders/planning/outlook-desk.ts'
import { OutlookHistory } from '../../../../core/orders/planning/outlook-history.ts'
import { HOUR, MINUTE, plant, Shop, START } from './fixture.ts'

const near = (actual: number | undefined, expected: number, by: number): void =>
  assert.ok(actual !== undefined && Math.abs(actual - expected) <= by, `${actual} is not ${expected} ± ${by}`)

type Stay = readonly [element: string | null, hours: number, mode?: string, jobOrder?: string]

/** A past of a unit as the machine-state node records it; ends at the start of the test. */
async function past(shop: Shop, equipment: string, stays: readonly Stay[]): Promise<void> {
  let since = START - stays.reduce((sum, [, hours]) => sum + hours, 0) * HOUR
  const rows = stays.map(([element, hours, mode = 'Produce', jobOrder]) => {
    const from = since
    since += hours * HOUR
    return { equipment, state: 'Execute', mode, element, reason: null, job_order: jobOrder ?? null, since: from, until: since }
  })
  await shop.store.transaction(async (tx) => {
    await tx.db.insertInto('machine_state').values(rows).execute()
  })
}

describe('outlook of a plan', () => {
  let shop: Shop
  let desks: OutlookDesk[]
  beforeEach(() => {
    shop = new Shop({ moves: 200 })
    desks = []
  })
  afterEach(async () => {
    for (const desk of desks) await desk.close()
    await shop.close()
  })

  const desk = (options: Partial<OutlookOptions> = {}): OutlookDesk => {
    const { store, clock } = shop
    const told = { onOutlook: () => {}, onError: (thrown: unknown) => assert.fail(String(thrown)) }
    const settings = { objective: 'due-dates', resumable: true, toleranceMs: 2 * MINUTE, seed: 1, runs: 300, budgetMs: 10_000 } as const
    const made = new OutlookDesk({ store, plant: () => plant, clock, realClock: systemClock, ...settings, ...told, ...options })
    desks.push(made)
    return made
  }
  const make = async (): Promise<PlanOutlook> => {
    const outlook = await desk().make()
    if (outlook === null) throw new Error('no plan')
    return outlook
  }
  const orderOf = (outlook: PlanOutlook, id: string) => outlook.orders.find(({ workOrder }) => workOrder === id)
  const failureOf = (outlook: PlanOutlook, unit: string) => outlook.units.find(({ equipment }) => equipment === `p/${unit}`)?.failure

  it('says what is usual of machines before anything was seen, and that it does', async () => {
    assert.equal(await desk().make(), null)
    await shop.order('slack', { dueIn: 72 * HOUR })
    await shop.order('hopeless', { dueIn: HOUR })
    await shop.replan()
    const outlook = await make()
    const [plan] = await shop.store.list('plan')
    assert.equal(outlook.basis, 'prior')
    assert.deepEqual(outlook.seen, { jobs: 0, failures: 0, operatingMs: 0 })
    assert.equal(outlook.plan, plan?.version)
    assert.equal(outlook.runs, 300)
    const [slack, hopeless] = [orderOf(outlook, 'slack'), orderOf(outlook, 'hopeless')]
    assert.ok((slack?.onTime ?? 0) > 0.95, `${slack?.onTime}`)
    assert.equal(hopeless?.onTime, 0)
    const planned = Math.max(...(plan?.assignments ?? []).filter(({ workOrder }) => workOrder === 'hopeless').map(({ end }) => end))
    // most of the time about as planned, sometimes much later
    near(hopeless?.p50 ?? undefined, planned, 10 * MINUTE)
    assert.ok((hopeless?.p10 ?? 0) < (hopeless?.p90 ?? 0))
    assert.ok(outlook.weightedTardinessMs > planned - START - HOUR - 10 * MINUTE)
    assert.deepEqual(await make(), outlook, 'the same seed gives the same outlook')
  })

  it('rests on what the store knows: a mill that fails every hour and stands for five makes orders late', async () => {
    await shop.order('one', { product: 'plate', quantity: 30, dueIn: 6 * HOUR })
    await shop.replan()
    const before = await make()
    const [{ equipment } = { equipment: null }] = await shop.store.list('job-order')
    await past(shop, equipment ?? '', Array.from({ length: 20 }, (): Stay[] => [['APT', 1], ['ADET', 4], ['ADOT', 1, 'Maintenance']]).flat()) // biome-ignore format: one line
    await past(shop, 'p/saw', [['APT', 300]])
    const after = await make()
    const name = (equipment ?? '').slice(2)
    assert.equal(after.basis, 'history')
    assert.deepEqual(after.seen, { jobs: 0, failures: 20, operatingMs: 320 * HOUR })
    assert.ok((failureOf(before, name) ?? 1) < 0.1)
    assert.ok((failureOf(after, name) ?? 0) > 0.7)
    assert.equal(failureOf(after, 'saw'), 0, 'it has nothing to do')
    assert.ok((orderOf(before, 'one')?.onTime ?? 0) > 0.9)
    assert.ok((orderOf(after, 'one')?.onTime ?? 1) < 0.3)
  })

  it('a repair that a prognosis asks for, and an anomaly that nobody has refused, shorten the time to failure', async () => {
    await shop.order('one', { product: 'plate', quantity: 100, dueIn: 12 * HOUR })
    await shop.replan()
    const [{ equipment } = { equipment: null }] = await shop.store.list('job-order')
    const unit = equipment ?? ''
    const failure = async () => failureOf(await make(), unit.slice(2)) ?? 0
    const calm = await failure()
    const anomaly = { kind: 'anomaly', id: 'a', equipment: unit, method: 'ewma', score: 1, severity: 'high' } as const
    const raised: Anomaly = { ...anomaly, signals: ['vibration'], evidence: [], state: 'raised', since: START, time: START }
    const saved = await shop.store.transaction((tx) => tx.save<'anomaly'>(raised, { type: 'anomaly.raised', actor: 'test' }))
    const suspicious = await failure()
    assert.ok(suspicious > 2 * calm, `${suspicious} against ${calm}`)
    const verdict = { decision: 'refused', by: 'ann', time: START } as const
    await shop.store.transaction((tx) => tx.save<'anomaly'>({ ...saved, verdict }, { type: 'anomaly.refused', actor: 'test' }))
    assert.equal(await failure(), calm)
    const deadline = START + 3 * HOUR
    await shop.disruption({ id: 'd', equipment: unit, action: 'maintain-before', deadline, cause: { prognosis: 'wear' }, status: 'proposed' })
    assert.ok((await failure()) > 0.5)
    // it was repaired since
    shop.clock.advance(2)
    await shop.store.transaction(async (tx) => {
      const row = { equipment: unit, state: 'Execute', mode: 'Maintenance', element: 'PDOT', reason: null, job_order: null }
      await tx.db.insertInto('machine_state').values({ ...row, since: START, until: START + 1 }).execute() // biome-ignore format: one line
      await tx.db.insertInto('machine_state').values({ ...row, mode: 'Produce', element: 'APT', since: START + 1, until: START + 2 }).execute() // biome-ignore format: one line
    })
    near(await failure(), calm, 0.05)
  })

  it('reads lives, repairs and how long jobs took from the past, once', async () => {
    await past(shop, 'p/saw', [
      ['AUST', 1, 'Produce', 'j1'],
      ['APT', 5, 'Produce', 'j1'],
      ['ADET', 1],
      [null, 1],
      ['PDOT', 2, 'Maintenance'],
      ['ADOT', 3],
      ['APT', 4, 'Produce', 'j1'],
      ['ADOT', 1],
      ['APT', 2],
      ['PDOT', 1, 'Maintenance'],
      ['AUST', 1],
      ['APT', 7],
    ])
    await shop.order('one', { quantity: 10 })
    const [job] = await shop.store.list('job-order', { where: { operation: '10-saw' } })
    const done = {
      ...(job as JobOrder),
      id: 'j1',
      state: 'Ended',
      substate: 'Completed',
      equipment: 'p/saw',
      good: 450,
      actualStart: START - 20 * HOUR,
    } as const
    const { revision: _revision, ledger: _ledger, ...fresh } = { ...done, alternatives: [{ equipment: 'p/saw', setupMs: 0, perPieceMs: MINUTE }] }
    await shop.store.transaction((tx) => tx.save<'job-order'>({ ...fresh, actualEnd: START }, { type: 'job-order.completed', actor: 'test' }))
    const history = new OutlookHistory()
    await history.read(shop.store, plant, START)
    await history.read(shop.store, plant, START)
    const saw = history.past('p/saw', START)
    assert.deepEqual(
      saw?.lives.map(({ operatingMs, failed }) => [operatingMs / HOUR, failed]),
      [
        [6, true],
        [6, false],
      ],
    )
    // from the failure to the end of its repair, silence included
    near(Math.exp(saw?.repairLogs[0] ?? 0) / HOUR, 4, 1e-9)
    assert.equal(saw?.repairLogs.length, 1)
    assert.equal((saw?.ageMs ?? 0) / HOUR, 8)
    assert.equal((saw?.operatingMs ?? 0) / HOUR, 20)
    assert.equal(saw?.renewedAt, START - 8 * HOUR)
    // nine hours of production, without set-up and stops, for 450 pieces of a minute
    near(Math.exp(saw?.ratioLogs[0] ?? 0), 9 / 7.5, 1e-9)
    // what is under way now counts too
    await shop.state('p/saw', 'Aborted')
    await shop.store.transaction(async (tx) => {
      await tx.db.updateTable('machine_state').set({ element: 'ADET' }).where('until', 'is', null).execute()
    })
    await history.read(shop.store, plant, START)
    assert.deepEqual([history.past('p/saw', START)?.lives.length, history.past('p/saw', START)?.ageMs], [3, 0])
  })

  it('is told once after plans that come together, kept in the store, and left out when it was closed', async () => {
    const told: PlanOutlook[] = []
    const made = await new Promise<OutlookDesk>((resolve) => {
      const watched = desk({ debounceMs: 20, onOutlook: (outlook) => told.push(outlook) && resolve(watched) })
      void shop
        .order('one')
        .then(() => shop.replan())
        .then(() => {
          for (let times = 0; times < 3; times++) watched.request(times)
        })
    })
    assert.equal(told.length, 1)
    assert.deepEqual(await loadOutlook(shop.store), told[0])
    made.request(1)
    await made.close()
    made.request(1)
    assert.equal(told.length, 1)
    await shop.store.saveState('plan', 'outlook', { kind: 'something else' })
    assert.equal(await loadOutlook(shop.store), undefined)
  })

  it('leaves out orders that are not planned to their end, and job orders that the plan has on a unit that is gone', async () => {
    await shop.order('one')
    await shop.replan()
    await shop.order('later')
    const [job] = await shop.store.list('job-order', { where: { work_order: 'one', operation: '20-mill' } })
    assert.deepEqual((await make()).orders.map(({ workOrder }) => workOrder), ['one']) // biome-ignore format: one line
    const alternatives = (job?.alternatives ?? []).filter(({ equipment }) => equipment !== job?.equipment)
    await shop.store.transaction((tx) => tx.save<'job-order'>({ ...(job as JobOrder), alternatives }, { type: 'job-order.changed', actor: 'test' }))
    assert.deepEqual((await make()).orders, [])
  })
})
