import type { Anomaly } from '../../../../core/messages/anomaly.ts'
import type { Disruption } from '../../../../core/messages/disruption.ts'
import type { Plan } from '../../../../core/messages/plan.ts'
import { requestMaintenance } from '../../../../core/orders/maintenance.ts'
import { gate } from '../../../../core/quality/gate.ts'
import { settleHeldLots } from '../../../../core/quality/held-lots.ts'
import { HOUR, MILL_1, MILL_2, MINUTE, SAW, START, World } from './world.ts'

export const GATE = { rejectBeyond: 1, rework: true, holdOnAnomaly: false, actor: 'node:gate' } as const

/**
 * An early shift: mill-1 shows that it goes bad and fails at the 8th of 12 parts of wo-1; one part is bad, is held and made good on mill-2, which also
 * makes the rest; mill-1 is repaired and then makes wo-2, which is late. wo-3 has only been released.
 */
export async function story(world = new World()): Promise<World> {
  const { clock } = world
  await world.order('wo-1', 12, START + 4 * HOUR)
  await world.order('wo-2', 8, START + 2 * HOUR)
  await world.run('jo-wo-1-10-saw', SAW, 12, 1, MINUTE)
  await plan(world, 1)

  const job = 'jo-wo-1-20-mill'
  await world.assign(job, MILL_1, clock.now(), clock.now() + 34 * MINUTE)
  await world.state(MILL_1, 'Starting', job)
  clock.advance(10 * MINUTE)
  await world.state(MILL_1, 'Execute', job)
  let raised: Anomaly | undefined
  for (let part = 1; part <= 8; part++) {
    clock.advance(2 * MINUTE)
    await world.count(MILL_1, job, part === 7 ? 0 : 1, part === 7 ? 1 : 0)
    if (part !== 7) await measure(world, job, MILL_1, `p-${part}`, part === 6 ? 40.07 : 40 + part / 500)
    if (part === 5) raised = await anomaly(world)
  }
  await world.state(MILL_1, 'Aborted', job, 'Produce', 'spindle seized')
  await world.tx((tx) =>
    requestMaintenance(tx, world.plant, { equipment: MILL_1, kind: 'unplanned', deadline: null, cause: 'spindle seized', actor: 'node:disruption' }),
  )
  await disruption(world, raised?.id ?? '')
  await plan(world, 2)
  clock.advance(5 * MINUTE)

  const [repair] = await world.store.list('work-order', { where: { type: 'maintenance' } })
  const repairJob = repair?.jobOrders[0] ?? ''
  await world.assign(repairJob, MILL_1)
  await world.state(MILL_1, 'Execute', repairJob, 'Maintenance')
  await rework(world)
  await world.run('jo-wo-1-20-mill.2', MILL_2, 4)
  await measure(world, 'jo-wo-1-20-mill.2', MILL_2, 'p-12', 40.02)
  await world.run('jo-wo-2-10-saw', SAW, 8, 0, MINUTE)
  clock.advance(30 * MINUTE)
  await world.state(MILL_1, 'Complete', repairJob)
  await world.tx(async (tx) => {
    if (raised !== undefined) await tx.save<'anomaly'>({ ...raised, state: 'cleared', time: tx.now }, { type: 'anomaly.cleared', actor: 'node:anomaly' })
  })
  await world.run('jo-wo-2-20-mill', MILL_1, 8)
  await world.order('wo-3', 5, START + 20 * HOUR)
  clock.advance(20 * MINUTE)
  return world
}

async function measure(world: World, jobOrder: string, equipment: string, serial: string, value: number): Promise<void> {
  const time = world.clock.now()
  const measurement = { id: `qr-${serial}`, characteristic: 'diameter', values: [value], equipment, jobOrder, lot: null, serial, time }
  await world.tx((tx) => gate(tx, world.plant, measurement, GATE))
}

async function rework(world: World): Promise<void> {
  await world.run('jo-rw-jo-wo-1-20-mill-20-mill', MILL_2, 1)
  await world.tx((tx) => settleHeldLots(tx, world.plant, GATE.actor))
}

function anomaly(world: World): Promise<Anomaly> {
  const time = world.clock.now()
  const evidence = [{ source: 'ewma', value: 5.93, expected: 3.1, lower: 2.2, upper: 4.0 }]
  return world.tx((tx) =>
    tx.save<'anomaly'>(
      {
        kind: 'anomaly',
        id: 'an-1',
        equipment: MILL_1,
        signals: ['vibration'],
        state: 'raised',
        method: 'auto',
        score: 0.97,
        severity: 'high',
        since: time,
        time,
        evidence,
      },
      { type: 'anomaly.raised', actor: 'node:anomaly' },
    ),
  )
}

async function disruption(world: World, cause: string): Promise<void> {
  const base: Disruption = {
    kind: 'disruption',
    id: 'dis-1',
    equipment: MILL_1,
    cause: { anomaly: cause },
    action: 'repair-now',
    deadline: null,
    unavailable: null,
    autonomy: 'approve',
    status: 'proposed',
    why: 'the spindle has seized',
    time: world.clock.now(),
  }
  await world.tx(async (tx) => {
    const proposed = await tx.save<'disruption'>(base, { type: 'disruption.proposed', actor: 'node:disruption' })
    const [order] = await tx.list('work-order', { where: { type: 'maintenance' } })
    await tx.save<'disruption'>(
      { ...proposed, status: 'accepted', decidedBy: 'eva', maintenanceOrder: order?.id ?? 'mo' },
      { type: 'disruption.accepted', actor: 'eva' },
    )
  })
}

/** A published plan: every job order that is not over, one after another on its first unit; from version 2 on, mill-2 takes over. */
export async function plan(world: World, version: number): Promise<Plan> {
  const now = world.clock.now()
  return world.tx(async (tx) => {
    const jobs = (await tx.list('job-order', { where: { state: ['NotAllowedToStart', 'AllowedToStart', 'Running'] }, orderBy: 'work_order' })).sort(
      (a, b) => a.sequence - b.sequence,
    )
    let at = now
    const assignments = jobs.map((job) => {
      const equipment = version > 1 && job.operation === '20-mill' ? MILL_2 : (job.equipment ?? job.alternatives[0]?.equipment ?? SAW)
      const start = at
      at += 20 * MINUTE
      return {
        jobOrder: job.id,
        workOrder: job.workOrder,
        equipment,
        start,
        end: at,
        setupMs: 5 * MINUTE,
        frozen: job.state === 'Running',
        ...(job.maintenance === undefined ? {} : { maintenance: true }),
      }
    })
    const moved = version > 1 ? assignments.filter(({ jobOrder }) => jobOrder === 'jo-wo-2-20-mill') : []
    return tx.save<'plan'>(
      {
        kind: 'plan',
        version,
        previous: version > 1 ? version - 1 : null,
        now,
        trigger: version > 1 ? { type: 'disruption', id: 'dis-1' } : { type: 'orders' },
        objective: { tardinessMs: 0, makespanMs: at - now, setups: 2, moved: moved.length },
        assignments,
        changes: moved.map(({ jobOrder, equipment, start }) => ({
          jobOrder,
          from: { equipment: MILL_1, start: start - 20 * MINUTE },
          to: { equipment, start },
          because: 'dis-1',
          text: `${jobOrder} moves from mill-1 to mill-2 because mill-1 is repaired`,
        })),
        doNothing: version > 1 ? { tardinessMs: 90 * MINUTE, late: ['wo-2'] } : null,
        problems: [],
      },
      { type: 'plan.published', actor: 'node:scheduler' },
    )
  })
}
