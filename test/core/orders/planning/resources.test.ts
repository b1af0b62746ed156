import assert from 'node:assert/strict'
import type { Assignment, Plan } from '../../../../core/messages/plan.ts'
import { requestMaintenance } from '../../../../core/orders/maintenance.ts'
import { setMaterialTime } from '../../../../core/orders/material-time.ts'
import { checkPlant } from '../../../../core/plant/check-plant.ts'
import type { PlantModel } from '../../../../core/plant/model.ts'
import { HOUR, MINUTE, PLANT, Shop, START } from './fixture.ts'

const tester = { actor: 'test' }

/** Two people may mill, with one fixture of each kind; the saw hands on five shafts at a time; one crew repairs all mills. */
const MODEL: PlantModel = {
  ...PLANT,
  equipment: PLANT.equipment.map((unit) => (unit.classes?.[0] === 'mill' ? { ...unit, maintenance: { ...unit.maintenance!, crew: 'fitters' } } : unit)),
  personnel: [{ id: 'milling', people: 2 }],
  tools: [{ id: 'plate-fixture', name: 'the plate fixture', count: 1 }],
  workMasters: [
    {
      id: 'shaft',
      version: 1,
      produces: 'shaft',
      operations: [
        { id: '10-saw', transferLot: 5, alternatives: [{ class: 'saw', setupMs: 5 * MINUTE, perPieceMs: 4 * MINUTE }] },
        { id: '20-mill', after: ['10-saw'], skills: ['milling'], alternatives: [{ class: 'mill', setupMs: 15 * MINUTE, perPieceMs: 4 * MINUTE }] },
      ],
    },
    {
      id: 'plate',
      version: 1,
      produces: 'plate',
      operations: [{ id: '10-mill', needs: [{ tool: 'plate-fixture' }], alternatives: [{ class: 'mill', perPieceMs: 6 * MINUTE }] }],
    },
  ],
}
const plant = checkPlant(MODEL, 'test')

const rows = (plan: Plan | null, operation: RegExp): readonly Assignment[] => {
  const found = plan?.assignments.filter(({ jobOrder }) => operation.test(jobOrder)) ?? []
  assert.ok(found.length > 0, `nothing like ${operation} is planned`)
  return found.toSorted((a, b) => a.start - b.start)
}
/** How many of these are under way at once, at most. */
function most(all: readonly Assignment[]): number {
  return Math.max(...all.map(({ start }) => all.filter((other) => other.start <= start && start < other.end).length))
}
const why = (plan: Plan | null, jobOrder: string) => plan?.changes.find((change) => change.jobOrder === jobOrder)?.text ?? ''

describe('a plan with people, tools, crews, transfer lots and material', () => {
  let shop: Shop
  const open = (options: ConstructorParameters<typeof Shop>[0] = {}) => {
    shop = new Shop({ plant: () => plant, moves: 1500, ...options })
    return shop
  }
  afterEach(() => shop.close())
  const order = (id: string, product: string, more: object = {}) => shop.order(id, { product, quantity: 10, ...more })

  it('has no more at once than there are, and says who has the tool', async () => {
    open()
    for (let n = 1; n <= 3; n++) {
      const needs = [{ resource: 'plate-fixture', count: 1 }]
      await order(`wo-${n}`, 'plate', { operations: [{ id: '10-mill', alternatives: [{ equipment: `p/mill-${n}`, perPieceMs: 6 * MINUTE, needs }] }] })
    }
    const { plan } = await shop.replan()
    assert.deepEqual(plan?.problems, [])
    const plates = rows(plan, /10-mill/)
    assert.deepEqual([plates.length, most(plates)], [3, 1])
    const second = plates[1]!
    assert.match(
      why(plan, second.jobOrder),
      new RegExp(`^the plate fixture: ${plates[0]?.jobOrder} has them until \\d\\d:\\d\\d: 10-mill of wo-\\d goes to mill-\\d`),
    )
  })

  it('waits for a tool that is away, and moves when one breaks', async () => {
    open()
    await order('wo-1', 'plate')
    await shop.replan()
    const back = START + 3 * HOUR
    await shop.disruption({
      id: 'dis-away',
      equipment: 'p',
      action: 'block',
      status: 'acted',
      unavailable: { from: START, to: back },
      resource: { id: 'plate-fixture', count: 1 },
      why: '1 of the plate fixture away: at the grinder',
    })
    const { plan } = await shop.replan({ type: 'disruption.acted', id: 'dis-away' } as { type: string })
    const [plate] = rows(plan, /10-mill/)
    assert.equal(plate?.start, back)
    const change = plan?.changes[0]
    assert.equal(change?.because, 'dis-away')
    assert.match(change?.text ?? '', /^1 of the plate fixture away: at the grinder \(dis-away\): 10-mill of wo-1 starts later/)
  })

  it('repairs one unit after the other where there is one crew', async () => {
    open()
    for (const equipment of ['p/mill-1', 'p/mill-2', 'p/mill-3'])
      await shop.store.transaction((tx) =>
        requestMaintenance(tx, plant, { equipment, kind: 'planned', deadline: START + 8 * HOUR, cause: 'worn', actor: 'test' }),
      )
    const { plan } = await shop.replan()
    assert.deepEqual(plan?.problems, [])
    const repairs = rows(plan, /maintenance/)
    assert.deepEqual([repairs.length, most(repairs)], [3, 1])
    assert.ok(
      plan?.changes.some(({ text = '' }) => /^fitters: .* has them until/.test(text)),
      'and it says so',
    )
  })

  it('takes a crew that is under way for busy', async () => {
    open()
    const ask = (equipment: string) =>
      shop.store.transaction((tx) => requestMaintenance(tx, plant, { equipment, kind: 'planned', deadline: null, cause: 'worn', actor: 'test' }))
    const first = await ask('p/mill-1')
    await shop.store.transaction(async (tx) => {
      const job = (await tx.get('job-order', first.jobOrder.id))!
      await tx.save<'job-order'>({ ...job, state: 'Running', substate: null, actualStart: START }, { type: 'job-order.running', ...tester })
    })
    const second = await ask('p/mill-2')
    const { plan } = await shop.replan()
    const [running] = rows(plan, new RegExp(first.jobOrder.id))
    const [waiting] = rows(plan, new RegExp(second.jobOrder.id))
    assert.ok(running?.frozen)
    assert.ok((waiting?.start ?? 0) >= (running?.end ?? 0))
  })

  it('begins the next operation on the first transfer lot, and never runs it out of parts', async () => {
    open()
    await order('wo-1', 'shaft', { quantity: 20 })
    const { plan } = await shop.replan()
    const [saw] = rows(plan, /10-saw/)
    const [mill] = rows(plan, /20-mill/)
    assert.ok((mill?.start ?? 0) >= START + 5 * MINUTE + 20 * MINUTE - 1, 'five are sawn')
    assert.ok((mill?.start ?? 0) < (saw?.end ?? 0), 'and not all twenty')
    assert.ok((mill?.end ?? 0) >= (saw?.end ?? 0) + 20 * MINUTE - 1, 'the last five are milled after the saw is done')
  })

  it('waits for material, says so, and is made anew when it is late', async () => {
    open()
    await order('wo-1', 'plate', { dueIn: 3 * HOUR, materialAt: START + 2 * HOUR })
    const first = (await shop.replan()).plan
    assert.equal(rows(first, /10-mill/)[0]?.start, START + 2 * HOUR)
    assert.match(why(first, 'jo-wo-1-10-mill'), /^Its material is there at 08:00: 10-mill of wo-1 goes to mill-\d at 08:00\.$/)
    await shop.store.transaction((tx) => setMaterialTime(tx, { workOrder: 'wo-1', at: START + 4 * HOUR }, { ...tester, why: 'the truck is late' }))
    const { plan } = await shop.replan({ type: 'work-order.updated', id: 'wo-1' } as { type: string })
    assert.equal(rows(plan, /10-mill/)[0]?.start, START + 4 * HOUR)
    assert.match(why(plan, 'jo-wo-1-10-mill'), /^Its material is there at 10:00: 10-mill of wo-1 starts later/)
    assert.match(plan?.problems[0]?.why ?? '', /^wo-1 will be 2 h late; its material comes in 4 h$/)
  })

  it('takes work from a unit that may fail, where another is as good, and says why', async () => {
    open({ objective: 'due-dates' })
    await order('wo-1', 'plate', { quantity: 40 })
    await order('wo-2', 'shaft')
    const first = (await shop.replan()).plan
    const unit = rows(first, /10-mill/)[0]?.equipment ?? ''
    await shop.store.transaction((tx) =>
      tx.save<'anomaly'>(
        {
          kind: 'anomaly',
          id: 'an-7',
          equipment: unit,
          signals: ['vibration'],
          state: 'raised',
          method: 'auto',
          score: 0.99,
          severity: 'high',
          since: START,
          time: START,
          evidence: [],
          verdict: { decision: 'confirmed', by: 'jo', time: START },
        },
        { type: 'anomaly.raised', ...tester },
      ),
    )
    const { plan } = await shop.replan({ type: 'anomaly.raised', id: 'an-7' } as { type: string })
    assert.notEqual(rows(plan, /10-mill/)[0]?.equipment, unit)
    const change = plan?.changes.find(({ jobOrder }) => jobOrder === 'jo-wo-1-10-mill')
    assert.equal(change?.because, 'an-7')
    assert.match(change?.text ?? '', /^mill-\d may fail \(an-7\): 10-mill of wo-1 moves from mill-\d/)
  })

  it('keeps what the plan in force starts within the frozen horizon, also before a rush order', async () => {
    const plans: Plan[] = []
    for (const frozenMs of [0, 2 * HOUR]) {
      open({ frozenMs })
      for (let n = 1; n <= 4; n++) await order(`wo-${n}`, 'shaft', { dueIn: (4 + n) * HOUR })
      await shop.replan()
      await order('wo-9', 'shaft', { dueIn: HOUR, weight: 100 })
      const { plan } = await shop.replan()
      assert.ok(plan !== null)
      plans.push(plan)
      if (frozenMs === 0) await shop.close()
    }
    const sequence = (plan: Plan | undefined) => rows(plan ?? null, /10-saw/).map(({ workOrder }) => workOrder)
    assert.equal(sequence(plans[0])[0], 'wo-9', 'without one the rush order goes first')
    assert.deepEqual(sequence(plans[1]).slice(0, 3), ['wo-1', 'wo-2', 'wo-3'], 'those that begin within two hours')
    assert.equal(sequence(plans[1])[3], 'wo-9')
  })
})
