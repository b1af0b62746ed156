import { ManualClock } from '../../../../core/base/clock.ts'
import type { MachineState } from '../../../../core/messages/machine-state.ts'
import { commandJobOrder } from '../../../../core/orders/control-work-order.ts'
import { createWorkOrder } from '../../../../core/orders/create-work-order.ts'
import { followCount, followMachine } from '../../../../core/orders/follow-machine.ts'
import { releaseWorkOrder } from '../../../../core/orders/release-work-order.ts'
import { checkPlant } from '../../../../core/plant/check-plant.ts'
import type { PlantModel } from '../../../../core/plant/model.ts'
import type { Plant } from '../../../../core/plant/plant.ts'
import { timeElement } from '../../../../core/signal/packml.ts'
import { openStore } from '../../../../core/store/open-store.ts'
import type { Store, StoreTransaction } from '../../../../core/store/store.ts'

export const MINUTE = 60_000
export const HOUR = 60 * MINUTE
/** Tuesday, 06:00 in Berlin: the early shift begins. */
export const START = Date.UTC(2025, 10, 25, 5)

const line = 'acme/berlin/line-1'
export const SAW = `${line}/saw-1`
export const MILL_1 = `${line}/mill-1`
export const MILL_2 = `${line}/mill-2`
export const LINE = line
const diameter = { name: 'diameter', role: 'characteristic' as const, unit: 'mm' }

export const MODEL: PlantModel = {
  plant: 'acme/berlin',
  name: 'Acme Berlin',
  timeZone: 'Europe/Berlin',
  equipment: [
    { id: line, level: 'workCenter', name: 'Line 1' },
    { id: SAW, level: 'workUnit', classes: ['saw'], calendar: 'two-shift' },
    { id: MILL_1, level: 'workUnit', classes: ['mill'], calendar: 'two-shift', signals: [diameter, { name: 'vibration', role: 'condition' }] },
    { id: MILL_2, level: 'workUnit', classes: ['mill'], calendar: 'two-shift', signals: [diameter] },
  ],
  calendars: {
    'two-shift': {
      shifts: [
        { name: 'early', days: 'Mon-Fri', from: '06:00', to: '14:00' },
        { name: 'late', days: 'Mon-Fri', from: '14:00', to: '22:00' },
      ],
    },
  },
  materials: [
    { id: 'shaft-a', name: 'Shaft A', unit: 'pcs' },
    { id: 'bar-40', unit: 'm' },
  ],
  workMasters: [
    {
      id: 'shaft-a',
      version: 1,
      produces: 'shaft-a',
      operations: [
        { id: '10-saw', name: 'Saw', alternatives: [{ class: 'saw', setupMs: 5 * MINUTE, perPieceMs: MINUTE }] },
        {
          id: '20-mill',
          name: 'Mill',
          after: ['10-saw'],
          alternatives: [{ class: 'mill', setupMs: 10 * MINUTE, perPieceMs: 2 * MINUTE }],
          characteristics: [
            { id: 'diameter', unit: 'mm', target: 40, lower: 39.95, upper: 40.05 },
            { id: 'crack', critical: true, upper: 0 },
          ],
        },
      ],
    },
  ],
}

/** A store in memory with a plant and a clock that moves only when told; `World` does to it what the nodes would do. */
export class World {
  readonly clock: ManualClock
  readonly plant: Plant = checkPlant(MODEL, 'test')
  readonly store: Store
  readonly #present = new Map<string, number>()

  /** Without a store, one of its own in memory. */
  constructor(store?: Store, clock = new ManualClock(START)) {
    this.clock = clock
    this.store = store ?? openStore({ file: ':memory:', clock })
  }

  tx<T>(work: (tx: StoreTransaction) => Promise<T>): Promise<T> {
    return this.store.transaction(work)
  }

  async order(id: string, quantity: number, due: number | null = START + 8 * HOUR): Promise<void> {
    const because = { actor: 'erp' }
    await this.tx(async (tx) => {
      await createWorkOrder(tx, this.plant, { id, workMaster: 'shaft-a', quantity, due }, because)
      await releaseWorkOrder(tx, this.plant, id, because)
    })
  }

  /** The scheduler and the dispatcher: this job on this unit. */
  async assign(jobOrder: string, equipment: string, start = this.clock.now(), end = start + HOUR): Promise<void> {
    await this.tx(async (tx) => {
      const job = await tx.get('job-order', jobOrder)
      if (job === undefined) throw new Error(`no ${jobOrder}`)
      await tx.save<'job-order'>({ ...job, equipment, plannedStart: start, plannedEnd: end }, { type: 'job-order.planned', actor: 'node:scheduler' })
      await commandJobOrder(tx, jobOrder, 'Start', { actor: 'node:dispatch' })
    })
  }

  /** What machine state and work order do with a state of a unit. */
  async state(
    equipment: string,
    state: MachineState['state'],
    jobOrder: string | null,
    mode: MachineState['mode'] = 'Produce',
    reason: string | null = null,
  ): Promise<void> {
    const since = this.clock.now()
    const element = timeElement(state, mode)
    await this.tx(async (tx) => {
      await tx.db.updateTable('machine_state').set({ until: since }).where('equipment', '=', equipment).where('until', 'is', null).execute()
      await tx.db.insertInto('machine_state').values({ equipment, state, mode, element, reason, job_order: jobOrder, since, until: null }).execute()
      const after = { kind: 'machine-state', equipment, state, mode, element, reason, jobOrder, since, time: since }
      await tx.record({ type: 'machine-state.changed', subject: equipment, actor: 'node:machine-state', after })
      if (jobOrder !== null) await followMachine(tx, { equipment, state, mode, jobOrder, since }, { actor: 'node:work-order' })
    })
  }

  async count(equipment: string, jobOrder: string, good: number, scrap = 0): Promise<void> {
    const key = `${equipment} ${jobOrder}`
    const total = { good: (this.#present.get(`${key} good`) ?? 0) + good, scrap: (this.#present.get(`${key} scrap`) ?? 0) + scrap }
    this.#present.set(`${key} good`, total.good)
    this.#present.set(`${key} scrap`, total.scrap)
    const time = this.clock.now()
    await this.tx((tx) => followCount(tx, { kind: 'count', equipment, jobOrder, good, scrap, total, time }, { actor: 'node:machine-state' }))
  }

  /** Runs a job from set-up to its end: one part each `perPieceMs`, the last `scrap` of them scrap. */
  async run(jobOrder: string, equipment: string, good: number, scrap = 0, perPieceMs = 2 * MINUTE): Promise<void> {
    await this.assign(jobOrder, equipment)
    await this.state(equipment, 'Starting', jobOrder)
    this.clock.advance(5 * MINUTE)
    await this.state(equipment, 'Execute', jobOrder)
    for (let part = 0; part < good + scrap; part++) {
      this.clock.advance(perPieceMs)
      await this.count(equipment, jobOrder, part < good ? 1 : 0, part < good ? 0 : 1)
    }
    await this.state(equipment, 'Complete', jobOrder)
  }

  close(): Promise<void> {
    return this.store.close()
  }
}
