import { ManualClock } from '../../../../core/base/clock.ts'
import type { Disruption } from '../../../../core/messages/disruption.ts'
import type { JobOrder } from '../../../../core/messages/job-order.ts'
import type { MachineState } from '../../../../core/messages/machine-state.ts'
import { createWorkOrder } from '../../../../core/orders/create-work-order.ts'
import { followCount, followMachine } from '../../../../core/orders/follow-machine.ts'
import type { OrderRequest } from '../../../../core/orders/order-request.ts'
import type { Objective } from '../../../../core/orders/planning/objectives.ts'
import { Planner, type PlannerOptions } from '../../../../core/orders/planning/planner.ts'
import { releaseWorkOrder } from '../../../../core/orders/release-work-order.ts'
import { checkPlant } from '../../../../core/plant/check-plant.ts'
import type { PlantModel } from '../../../../core/plant/model.ts'
import type { Plant } from '../../../../core/plant/plant.ts'
import { openStore } from '../../../../core/store/open-store.ts'
import type { Store } from '../../../../core/store/store.ts'

export const HOUR = 3_600_000
export const MINUTE = 60_000
/** A Monday, six in the morning in Berlin. */
export const START = Date.UTC(2026, 0, 5, 5)

const repairs = { planned: { durationMs: HOUR }, unplanned: { durationMs: 4 * HOUR } }

/** One saw, three mills, one grinder that works by day; shafts take all three. */
export const PLANT: PlantModel = {
  plant: 'p',
  timeZone: 'Europe/Berlin',
  equipment: [
    { id: 'p', level: 'site' },
    { id: 'p/saw', level: 'workUnit', classes: ['saw'], maintenance: repairs },
    { id: 'p/mill-1', level: 'workUnit', classes: ['mill'], maintenance: repairs },
    { id: 'p/mill-2', level: 'workUnit', classes: ['mill'], maintenance: repairs },
    { id: 'p/mill-3', level: 'workUnit', classes: ['mill'], maintenance: { ...repairs, crew: 'mechanics' } },
    { id: 'p/grinder', level: 'workUnit', classes: ['grinder'], calendar: 'day' },
  ],
  calendars: {
    day: { shifts: [{ name: 'day', days: 'Mon-Fri', from: '06:00', to: '14:00' }] },
    mechanics: { shifts: [{ name: 'late', days: 'Mon-Sun', from: '14:00', to: '22:00' }] },
  },
  materials: [
    { id: 'shaft', unit: 'pcs' },
    { id: 'plate', unit: 'pcs' },
  ],
  workMasters: [
    {
      id: 'shaft',
      version: 1,
      produces: 'shaft',
      operations: [
        { id: '10-saw', alternatives: [{ class: 'saw', setupMs: 5 * MINUTE, perPieceMs: MINUTE }] },
        { id: '20-mill', after: ['10-saw'], setupFamily: 'shaft', alternatives: [{ class: 'mill', setupMs: 15 * MINUTE, perPieceMs: 4 * MINUTE }] },
        { id: '30-grind', after: ['20-mill'], alternatives: [{ class: 'grinder', perPieceMs: MINUTE }] },
      ],
    },
    {
      id: 'plate',
      version: 1,
      produces: 'plate',
      operations: [{ id: '10-mill', setupFamily: 'plate', alternatives: [{ class: 'mill', setupMs: 15 * MINUTE, perPieceMs: 6 * MINUTE }] }],
    },
  ],
  setups: { mill: { shaft: { shaft: 0, plate: 20 * MINUTE }, plate: { plate: 0 } } },
}

export const plant = checkPlant(PLANT, 'test')
const tester = { actor: 'test' }

/** A store in memory, a clock that stands, and a planner over them. */
export class Shop {
  readonly clock = new ManualClock(START)
  readonly store: Store = openStore({ file: ':memory:', clock: this.clock })
  readonly planner: Planner

  readonly #plant: () => Plant

  constructor(options: Partial<PlannerOptions> = {}) {
    this.#plant = options.plant ?? (() => plant)
    this.planner = new Planner({
      store: this.store,
      plant: () => plant,
      clock: this.clock,
      actor: 'node:scheduler',
      searchMs: 1000,
      moves: 3000,
      seed: 1,
      toleranceMs: 2 * MINUTE,
      objective: 'due-dates' as Objective,
      resumable: true,
      ...options,
    })
  }

  async close(): Promise<void> {
    await this.planner.close()
    await this.store.close()
  }

  /** A released order. `dueIn` from the start of the test, ms. */
  async order(id: string, request: Partial<OrderRequest> & { dueIn?: number } = {}): Promise<void> {
    const { dueIn, ...rest } = request
    const plant = this.#plant()
    await this.store.transaction(async (tx) => {
      const due = START + (dueIn ?? 48 * HOUR)
      const { order } = await createWorkOrder(tx, plant, { id, product: 'shaft', quantity: 10, due, ...rest } as OrderRequest, tester)
      await releaseWorkOrder(tx, plant, order.id, tester)
    })
  }

  async replan(trigger = { type: 'message' }) {
    return this.planner.publish(await this.planner.draft(trigger))
  }

  job(id: string): Promise<JobOrder> {
    return this.store.get('job-order', id).then((job) => {
      if (job === undefined) throw new Error(`no job order ${id}`)
      return job
    })
  }

  /** The unit begins a job order, seen by its state. */
  async runs(id: string, equipment: string): Promise<void> {
    const since = this.clock.now()
    await this.store.transaction((tx) => followMachine(tx, { equipment, state: 'Execute', mode: 'Produce', jobOrder: id, since }, tester))
    await this.state(equipment, 'Execute')
  }

  /** The unit has counted this many good parts for a job order in all. */
  async counts(id: string, equipment: string, good: number): Promise<void> {
    const time = this.clock.now()
    await this.store.transaction((tx) =>
      followCount(tx, { kind: 'count', equipment, jobOrder: id, good: 0, scrap: 0, total: { good, scrap: 0 }, time }, tester),
    )
  }

  /** The state a unit shows, as the machine-state node keeps it. */
  async state(equipment: string, state: MachineState['state']): Promise<void> {
    await this.store.transaction(async (tx) => {
      await tx.db.updateTable('machine_state').set({ until: tx.now }).where('equipment', '=', equipment).where('until', 'is', null).execute()
      const row = { equipment, state, mode: 'Produce', element: null, reason: null, job_order: null, since: tx.now, until: null }
      await tx.db.insertInto('machine_state').values(row).execute()
    })
  }

  async disruption(disruption: Partial<Disruption> & Pick<Disruption, 'id' | 'equipment' | 'action'>): Promise<void> {
    const base = {
      kind: 'disruption',
      cause: {},
      deadline: null,
      unavailable: null,
      autonomy: 'auto',
      status: 'accepted',
      why: 'worn',
      time: this.clock.now(),
    } as const
    await this.store.transaction((tx) => tx.save<'disruption'>({ ...base, ...disruption }, { type: 'disruption.accepted', actor: 'test' }))
  }
}
