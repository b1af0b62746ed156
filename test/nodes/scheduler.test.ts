import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Node } from 'node-red'
import { createWorkOrder } from '../../core/orders/create-work-order.ts'
import { setLotDisposition } from '../../core/orders/lots.ts'
import { setMaterialTime } from '../../core/orders/material-time.ts'
import { loadOutlook } from '../../core/orders/planning/outlook.ts'
import { releaseWorkOrder } from '../../core/orders/release-work-order.ts'
import type { Store } from '../../core/store/store.ts'
import registerPlant from '../../nodes/plant/plant.ts'
import registerScheduler from '../../nodes/scheduler/scheduler.ts'
import registerStore, { type StoreNode } from '../../nodes/store/store.ts'
import { HOUR, PLANT, plant, START } from '../core/orders/planning/fixture.ts'
import { collect, helper, loadFlow, nextMessage, type Received } from './support/helper.ts'

describe('scheduler node', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'takt-test-scheduler-'))
    helper.settings({ userDir: folder } as never)
  })
  afterEach(async () => {
    await helper.unload()
    helper.settings({})
    rmSync(folder, { recursive: true, force: true })
  })

  interface Loaded {
    readonly store: Store
    readonly scheduler: Node
    readonly plans: Node
    readonly others: Node
    readonly errors: Node
    readonly seen: Received[]
  }

  async function load(properties: Record<string, unknown> = {}): Promise<Loaded> {
    const node = await loadFlow(
      [registerPlant, registerStore, registerScheduler],
      [
        { id: 'f1', type: 'tab' },
        // the plant stands still at the beginning of a Monday
        { id: 'a0', type: 'takt-plant', source: 'inline', model: JSON.stringify(PLANT), clock: `${START}@${Date.now()}x0` },
        { id: 'b0', type: 'takt-store', file: 'takt.db', plant: 'a0' },
        {
          id: 'c0',
          z: 'f1',
          type: 'takt-scheduler',
          name: 'S',
          plant: 'a0',
          store: 'b0',
          debounceMs: 20,
          searchMs: 50,
          autonomy: 'auto',
          objective: 'due-dates',
          watch: true,
          wires: [['d0'], ['e0']],
          ...properties,
        },
        { id: 'd0', z: 'f1', type: 'helper' },
        { id: 'e0', z: 'f1', type: 'helper' },
        { id: 'f0', z: 'f1', type: 'catch', scope: ['c0'], wires: [['g0']] },
        { id: 'g0', z: 'f1', type: 'helper' },
      ],
    )
    const plans = node('d0')
    return { store: (node('b0') as StoreNode).store, scheduler: node('c0'), plans, others: node('e0'), errors: node('g0'), seen: collect(plans) }
  }

  function order(store: Store, id: string, due = START + 48 * HOUR): Promise<unknown> {
    return store.transaction(async (tx) => {
      const because = { actor: 'test' }
      await createWorkOrder(tx, plant, { id, product: 'plate', quantity: 10, due }, because)
      await releaseWorkOrder(tx, plant, id, because)
    })
  }

  const send = (node: Node, message: Record<string, unknown>): void => (node as unknown as { receive(message: unknown): void }).receive(message)
  const shown = (node: Node): string[] =>
    (node.status as unknown as { args: Array<[{ fill: string; text: string }]> }).args.map(([{ fill, text }]) => `${fill} ${text}`)

  it('plans by itself when orders are released, and says so', async () => {
    const { store, plans, scheduler } = await load()
    const next = nextMessage(plans, ({ payload }) => payload.assignments.length === 2)
    await Promise.all([order(store, 'wo-1'), order(store, 'wo-2')])
    const { topic, payload, published } = await next
    assert.equal(topic, 'plan')
    assert.equal(published, true)
    assert.deepEqual(await store.get('plan', String(payload.version)), payload)
    assert.match(shown(scheduler).at(-1) ?? '', new RegExp(`^green plan ${payload.version}: none late, \\d+ ms$`))
  })

  it('tells what will probably come of the plan, and keeps it in the store', async () => {
    const { store, others } = await load()
    const next = nextMessage(others, ({ topic }) => topic === 'plan/outlook')
    await order(store, 'wo-1')
    const { payload } = await next
    assert.deepEqual([payload.kind, payload.plan, payload.basis], ['plan-outlook', 1, 'prior'])
    const [{ workOrder, onTime, p10, p90 }] = payload.orders
    assert.equal(workOrder, 'wo-1')
    assert.ok(onTime > 0.9 && onTime <= 1 && p10 < p90)
    assert.deepEqual(await loadOutlook(store), payload)
  })

  it('answers a message with the plan in force when nothing changes, and keeps the properties of the message', async () => {
    const { store, plans, scheduler } = await load()
    const first = nextMessage(plans)
    await order(store, 'wo-1')
    await first
    const second = nextMessage(plans)
    send(scheduler, { payload: '', asker: 'me' })
    const { payload, published, asker } = await second
    assert.deepEqual([payload.version, published, asker], [1, false, 'me'])
    assert.equal((await store.list('plan')).length, 1)
  })

  it('pins a job order, and refuses a pin that cannot be', async () => {
    const { store, plans, scheduler, errors } = await load()
    const first = nextMessage(plans)
    await order(store, 'wo-1')
    await first
    const next = nextMessage(plans)
    send(scheduler, { topic: 'pin', payload: { jobOrder: 'jo-wo-1-10-mill', equipment: 'p/mill-3', start: START + HOUR } })
    const [row] = (await next).payload.assignments
    assert.deepEqual([row.equipment, row.start], ['p/mill-3', START + HOUR])

    for (const [payload, code] of [
      [{ jobOrder: 'jo-wo-1-10-mill', equipment: 'p/saw' }, 'TAKT_PLAN_PIN'],
      [{ jobOrder: 'nobody' }, 'TAKT_JOB_ORDER_UNKNOWN'],
      [{ equipment: 7 }, 'TAKT_MESSAGE_INVALID'],
      [null, 'TAKT_MESSAGE_INVALID'],
    ] as const) {
      const failed = nextMessage(errors)
      send(scheduler, { topic: 'pin', payload })
      assert.match(((await failed).error as { message: string }).message, new RegExp(code))
    }
  })

  it('answers a what-if beside the plan, and adopts it when told to', async () => {
    const { store, plans, others, errors, scheduler } = await load()
    const first = nextMessage(plans)
    await order(store, 'wo-1')
    const { equipment } = (await first).payload.assignments[0]
    const answered = nextMessage(others, ({ topic }) => topic === 'plan/what-if')
    send(scheduler, { topic: 'what-if', payload: { unitDown: { equipment, to: START + 24 * HOUR } }, asker: 'me' })
    const { payload: answer, asker } = await answered
    assert.deepEqual([answer.kind, asker, answer.adopted], ['what-if', 'me', undefined])
    assert.equal(answer.asIs.assignments[0].equipment, equipment)
    assert.notEqual(answer.whatIf.assignments[0].equipment, equipment)
    assert.equal((await store.list('plan')).length, 1)
    assert.deepEqual(await store.list('disruption'), [])

    const published = nextMessage(plans)
    const done = nextMessage(others, ({ topic }) => topic === 'plan/what-if')
    send(scheduler, { topic: 'adopt', payload: { whatIf: answer.id, by: 'jo' } })
    const { payload: plan } = await published
    assert.deepEqual([plan.version, plan.trigger], [2, { type: 'what-if', id: answer.id }])
    assert.notEqual(plan.assignments[0].equipment, equipment)
    const { adopted } = (await done).payload
    assert.deepEqual([adopted.by, adopted.result, adopted.plan], ['jo', 'published', 2])

    for (const [topic, payload, code] of [
      ['adopt', answer.id, 'TAKT_WHAT_IF_UNKNOWN'],
      ['what-if', { unitDown: { equipment: 'mill-9', to: START + HOUR } }, 'TAKT_EQUIPMENT_UNKNOWN'],
      ['what-if', 'mill-2', 'TAKT_WHAT_IF_INVALID'],
    ] as const) {
      const failed = nextMessage(errors)
      send(scheduler, { topic, payload })
      assert.match(((await failed).error as { message: string }).message, new RegExp(code))
    }
  })

  it('proposes and waits for a person, when told to', async () => {
    const { store, plans, others, errors, scheduler, seen } = await load({ autonomy: 'approve' })
    const proposed = nextMessage(others)
    await order(store, 'wo-1')
    const { topic, payload } = await proposed
    assert.equal(topic, 'plan/proposal')
    assert.equal(payload.changes.length, 1)
    assert.deepEqual(await store.list('plan'), [])
    assert.deepEqual(seen, [])
    assert.match(shown(scheduler).at(-1) ?? '', /^blue proposal, 1 changes/)

    const published = nextMessage(plans)
    send(scheduler, { topic: 'approve' })
    assert.equal((await published).payload.version, 1)
    assert.equal((await store.list('plan')).length, 1)

    const failed = nextMessage(errors)
    send(scheduler, { topic: 'approve' })
    assert.match(((await failed).error as { message: string }).message, /TAKT_PLAN_NO_PROPOSAL/)
  })

  it('publishes no proposal that the plant has overtaken, and makes a new one', async () => {
    const { store, others, errors, scheduler } = await load({ autonomy: 'approve', watch: false })
    await order(store, 'wo-1')
    const first = nextMessage(others)
    send(scheduler, {})
    await first
    const job = await store.get('job-order', 'jo-wo-1-10-mill')
    assert.ok(job !== undefined)
    await store.transaction((tx) => tx.save<'job-order'>({ ...job, quantity: { value: 5, unit: 'pcs' } }, { type: 'job-order.progress', actor: 'test' }))
    const failed = nextMessage(errors)
    const again = nextMessage(others, ({ topic }) => topic === 'plan/proposal')
    send(scheduler, { topic: 'approve' })
    assert.match(((await failed).error as { message: string }).message, /TAKT_PLAN_STALE/)
    const [row] = (await again).payload.assignments
    assert.equal(row.end - row.start, (15 + 5 * 6) * 60_000)
    assert.deepEqual(await store.list('plan'), [])
  })

  it('drops a refused proposal', async () => {
    const { store, others, errors, scheduler } = await load({ autonomy: 'approve' })
    const proposed = nextMessage(others)
    await order(store, 'wo-1')
    await proposed
    send(scheduler, { topic: 'refuse' })
    const failed = nextMessage(errors)
    send(scheduler, { topic: 'approve' })
    assert.match(((await failed).error as { message: string }).message, /TAKT_PLAN_NO_PROPOSAL/)
  })

  it('computes and changes nothing in shadow', async () => {
    const { store, plans } = await load({ autonomy: 'shadow' })
    const next = nextMessage(plans, ({ payload }) => payload.assignments.length > 0)
    await order(store, 'wo-1')
    const { payload, published } = await next
    assert.deepEqual([payload.assignments.length, published], [1, false])
    assert.deepEqual(await store.list('plan'), [])
    assert.equal((await store.get('job-order', 'jo-wo-1-10-mill'))?.plannedStart, null)
  })

  it('tells what cannot be planned on its second output', async () => {
    const { store, others, plans, scheduler } = await load()
    const first = nextMessage(plans)
    await order(store, 'wo-1', START + 1000)
    await first
    const next = nextMessage(others, ({ payload }) => payload.some((problem: { code: string }) => problem.code === 'TAKT_PLAN_LOT_HELD'))
    await store.transaction((tx) => setLotDisposition(tx, 'lot-wo-1', 'held', { actor: 'test', why: 'scratches' }))
    const { topic, payload } = await next
    assert.equal(topic, 'plan/problems')
    assert.deepEqual(payload, [
      { workOrder: 'wo-1', jobOrder: 'jo-wo-1-10-mill', code: 'TAKT_PLAN_LOT_HELD', why: 'jo-wo-1-10-mill: its lot lot-wo-1 is held: scratches' },
    ])
    assert.match(shown(scheduler).at(-1) ?? '', /^yellow plan 2: none late, 1 with problems/)
  })

  it('looks after a restart whether the plan still holds', async () => {
    const before = await load({ watch: false })
    await order(before.store, 'wo-1')
    await helper.unload()
    const { plans } = await load()
    assert.equal((await nextMessage(plans)).payload.version, 1)
    await helper.unload()
    const { seen, scheduler } = await load()
    while (!shown(scheduler).some((text) => /plan 1/.test(text))) await new Promise((resolve) => setTimeout(resolve, 20))
    assert.deepEqual(seen, [])
  })

  it('does nothing by itself when it is not to watch', async () => {
    const { store, seen, plans, scheduler } = await load({ watch: false })
    await order(store, 'wo-1')
    const next = nextMessage(plans)
    send(scheduler, { topic: 'go' })
    await next
    assert.equal(seen.length, 1)
  })

  it('refuses settings that mean nothing', async () => {
    for (const properties of [{ autonomy: 'maybe' }, { objective: 'beauty' }, { searchMs: 'long' }, { store: 'nowhere' }]) {
      const { scheduler } = await load(properties)
      assert.match(shown(scheduler).join(), /red /)
      await helper.unload()
    }
  })

  for (const [frozenMinutes, expected] of [
    [0, ['wo-9', 'wo-1', 'wo-2']],
    ['90', ['wo-1', 'wo-2', 'wo-9']],
  ] as const) {
    it(`puts a rush order ${frozenMinutes === 0 ? 'first' : 'behind what begins within the frozen horizon'}`, async () => {
      const { store, plans, scheduler } = await load({ frozenMinutes, watch: false })
      const order = (id: string, dueIn: number, weight: number) =>
        store.transaction(async (tx) => {
          const because = { actor: 'test' }
          const operations = [{ id: '10', alternatives: [{ equipment: 'p/mill-1', perPieceMs: 6 * 60_000 }] }]
          await createWorkOrder(tx, plant, { id, product: 'plate', quantity: 10, due: START + dueIn * HOUR, weight, operations }, because)
          await releaseWorkOrder(tx, plant, id, because)
        })
      const sequence = async (): Promise<string[]> => {
        const next = nextMessage(plans)
        send(scheduler, {})
        return (await next).payload.assignments.map(({ workOrder }: { workOrder: string }) => workOrder)
      }
      await order('wo-1', 1, 2)
      await order('wo-2', 2, 1)
      assert.deepEqual(await sequence(), ['wo-1', 'wo-2'])
      await order('wo-9', 1, 1000)
      assert.deepEqual(await sequence(), [...expected])
    })
  }

  it('plans anew when material comes later, and says why', async () => {
    const { store, plans } = await load()
    const first = nextMessage(plans)
    await order(store, 'wo-1')
    await first
    const next = nextMessage(plans)
    const at = START + 5 * HOUR
    await store.transaction((tx) => setMaterialTime(tx, { workOrder: 'wo-1', at }, { actor: 'test', why: 'the truck is late' }))
    const { payload } = await next
    assert.equal(payload.assignments[0].start, at)
    assert.match(payload.changes[0].text, /^Its material is there at 11:00: 10-mill of wo-1 starts later on mill-\d, at 11:00/)
  })

  for (const [what, properties] of [
    ['a frozen horizon below zero', { frozenMinutes: -1 }],
    ['a frozen horizon that is no number', { frozenMinutes: 'an hour' }],
    ['an aim that is none', { objective: 'speed' }],
  ] as const) {
    it(`refuses ${what}`, async () => {
      const { scheduler } = await load(properties)
      assert.match(shown(scheduler).at(-1) ?? '', /^red/)
    })
  }
})
