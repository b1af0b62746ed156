import { ManualClock } from '../../../../core/base/clock.ts'
import type { Command } from '../../../../core/messages/command.ts'
import type { MachineState } from '../../../../core/messages/machine-state.ts'
import type { WorkOrder } from '../../../../core/messages/work-order.ts'
import { createWorkOrder } from '../../../../core/orders/create-work-order.ts'
import { Dispatcher } from '../../../../core/orders/dispatch/dispatcher.ts'
import { COMMAND_NAMES } from '../../../../core/orders/dispatch/job-command.ts'
import { followCount, followMachine } from '../../../../core/orders/follow-machine.ts'
import { MaintenanceDesk } from '../../../../core/orders/maintenance/maintenance-desk.ts'
import { type MaintenanceRequest, requestMaintenance } from '../../../../core/orders/maintenance.ts'
import { Planner } from '../../../../core/orders/planning/planner.ts'
import { releaseWorkOrder } from '../../../../core/orders/release-work-order.ts'
import { checkPlant } from '../../../../core/plant/check-plant.ts'
import type { PlantModel } from '../../../../core/plant/model.ts'
import type { Plant } from '../../../../core/plant/plant.ts'
import { openStore } from '../../../../core/store/open-store.ts'
import type { Store } from '../../../../core/store/store.ts'
import { tester } from '../fixture.ts'

export const MINUTE = 60_000
export const START = Date.UTC(2026, 10, 23, 6)
export const UNIT = 'p/mill'

/** One mill, and another that can do the same where a test asks for it. */
export function millPlant(maintenance: object, others: readonly string[] = []): Plant {
  const durations = { planned: { durationMs: 10 * MINUTE }, unplanned: { durationMs: 30 * MINUTE } }
  const model: PlantModel = {
    plant: 'p',
    timeZone: 'UTC',
    equipment: [
      {
        id: UNIT,
        level: 'workUnit',
        classes: ['mill'],
        signals: [{ name: 'vibration', role: 'condition' }],
        maintenance: { ...durations, ...maintenance },
      },
      ...others.map((id) => ({ id, level: 'workUnit' as const, classes: ['mill'], maintenance: durations })),
    ],
    materials: [
      { id: 'shaft', unit: 'pcs' },
      { id: 'bearing', unit: 'pcs' },
    ],
    workMasters: [
      {
        id: 'shaft',
        version: 1,
        produces: 'shaft',
        operations: [{ id: '10-mill', alternatives: [{ class: 'mill', perPieceMs: MINUTE }], characteristics: [{ id: 'diameter', lower: 39, upper: 41 }] }],
      },
    ],
    reasons: [{ code: 'bearing-worn', text: 'bearing worn', element: 'unplanned' }],
  }
  return checkPlant(model, 'test')
}

/** Orders, plan, dispatch and returns of units, without machines: tests say what these show. */
export class Shop {
  readonly store: Store
  readonly clock: ManualClock
  readonly plant: Plant
  readonly told: string[] = []
  readonly problems: string[] = []
  readonly desk: MaintenanceDesk
  readonly dispatcher: Dispatcher
  readonly #planner: Planner
  #made = 0

  constructor(plant: Plant, at: { readonly file: string } | { readonly postgres: { readonly url: string } } = { file: ':memory:' }) {
    this.clock = new ManualClock(START)
    this.store = openStore({ ...at, clock: this.clock })
    this.plant = plant
    const common = { store: this.store, plant: () => plant, clock: this.clock, actor: 'test' }
    const problem = ({ message }: Error): void => void this.problems.push(message)
    this.desk = new MaintenanceDesk({ ...common, problem, failed: (thrown) => this.problems.push(String(thrown)) })
    this.#planner = new Planner({ ...common, objective: 'due-dates', resumable: true, searchMs: 0, moves: 50, seed: 1, toleranceMs: 0 })
    const command = ({ to, name, arguments: { jobOrder, quantity } }: Command): void =>
      void this.told.push(`${to} ${name} ${String(jobOrder)}${quantity === undefined ? '' : ` ${JSON.stringify(quantity)}`}`)
    this.dispatcher = new Dispatcher(
      { ...common, real: this.clock, command, problem, waiting: () => {} },
      { autonomy: 'auto', toleranceMs: 0, ackTimeoutMs: 1e9, commands: COMMAND_NAMES, actor: 'dispatch' },
    )
  }

  async order(quantity: number, id = 'wo-1'): Promise<void> {
    await this.store.transaction(async (tx) => {
      await createWorkOrder(tx, this.plant, { id, product: 'shaft', quantity }, tester)
      await releaseWorkOrder(tx, this.plant, id, tester)
    })
  }

  async ask(more: Partial<MaintenanceRequest> = {}): Promise<WorkOrder> {
    const request = { equipment: UNIT, kind: 'planned', deadline: this.clock.now() + 60 * MINUTE, cause: 'vibration', actor: 'test', ...more } as const
    return (await this.store.transaction((tx) => requestMaintenance(tx, this.plant, request))).workOrder
  }

  /** A unit shows a state, from now on. */
  async show(state: MachineState['state'], jobOrder: string | null = null, mode: 'Produce' | 'Maintenance' = 'Produce', equipment = UNIT): Promise<void> {
    const unit = { equipment, state, mode, jobOrder, since: this.clock.now() }
    await this.store.transaction((tx) => followMachine(tx, unit, tester))
    this.dispatcher.machineState(unit)
    await this.settle()
  }

  /** A unit has made so much for a job order. */
  async made(jobOrder: string, good: number, scrap = 0, equipment = UNIT): Promise<void> {
    const count = { kind: 'count', equipment, jobOrder, good: 0, scrap: 0, total: { good, scrap }, time: this.clock.now() } as const
    await this.store.transaction((tx) => followCount(tx, count, tester))
    await this.settle()
  }

  /** It runs a job order to its end, all good. */
  async run(jobOrder: string): Promise<void> {
    await this.show('Execute', jobOrder)
    this.clock.advance(MINUTE)
    await this.made(jobOrder, (await this.job(jobOrder))?.quantity.value ?? 0)
    await this.show('Complete', jobOrder)
  }

  /** The repair of an order, from its beginning to its end ten minutes later. */
  async repair(order: WorkOrder): Promise<void> {
    const [job = ''] = order.jobOrders
    await this.show('Execute', job, 'Maintenance')
    this.clock.advance(10 * MINUTE)
    await this.show('Complete', job)
  }

  /** A part was measured. */
  async measured(jobOrder: string, decision: 'pass' | 'hold', value: number): Promise<void> {
    const id = `qr-${this.#made++}`
    const specification = { target: 40, lower: 39, upper: 41 }
    const result = { kind: 'quality-result', id, lot: null, jobOrder, equipment: UNIT, characteristic: 'diameter', specification } as const
    await this.store.transaction(async (tx) => {
      const reasons = decision === 'pass' ? [] : [`${value} is above 41`]
      await tx.save<'quality-result'>(
        { ...result, values: [value], decision, rules: [], reasons, time: tx.now },
        { type: 'quality-result.recorded', actor: 'test' },
      )
    })
    await this.settle()
  }

  async plan(): Promise<void> {
    await this.#planner.publish(await this.#planner.draft({ type: 'start' }))
    await this.settle()
  }

  async settle(): Promise<void> {
    await this.desk.idle()
    await this.dispatcher.idle()
  }

  job(id: string) {
    return this.store.get('job-order', id)
  }

  /** `trial`, as the order has it now. */
  async service(id: string): Promise<string | undefined> {
    return (await this.store.get('work-order', id))?.service?.state
  }

  async end(): Promise<void> {
    this.desk.stop()
    this.dispatcher.stop()
    await this.settle()
    await this.#planner.close()
    await this.store.close()
  }
}
