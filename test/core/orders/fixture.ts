import { ManualClock } from '../../../core/base/clock.ts'
import type { MachineState } from '../../../core/messages/machine-state.ts'
import type { WorkOrder } from '../../../core/messages/work-order.ts'
import { createWorkOrder } from '../../../core/orders/create-work-order.ts'
import { followCount, followMachine, type UnitState } from '../../../core/orders/follow-machine.ts'
import type { OrderRequest } from '../../../core/orders/order-request.ts'
import { releaseWorkOrder } from '../../../core/orders/release-work-order.ts'
import { checkPlant } from '../../../core/plant/check-plant.ts'
import type { PlantModel } from '../../../core/plant/model.ts'
import { openStore } from '../../../core/store/open-store.ts'
import type { Store } from '../../../core/store/store.ts'

/** A saw and two mills that make shafts in two operations. */
export const PLANT: PlantModel = {
  plant: 'p',
  timeZone: 'Europe/Berlin',
  equipment: [
    { id: 'p', level: 'site' },
    { id: 'p/saw', level: 'workUnit', classes: ['saw'], maintenance: { planned: { durationMs: 1000 }, unplanned: { durationMs: 5000 } } },
    { id: 'p/mill-1', level: 'workUnit', classes: ['mill'], maintenance: { planned: { durationMs: 1000 }, unplanned: { durationMs: 5000 } } },
    { id: 'p/mill-2', level: 'workUnit', classes: ['mill'] },
  ],
  materials: [{ id: 'shaft', unit: 'pcs' }],
  workMasters: [
    {
      id: 'shaft',
      version: 1,
      produces: 'shaft',
      operations: [
        { id: '10-saw', alternatives: [{ class: 'saw', setupMs: 100, perPieceMs: 10 }] },
        { id: '20-mill', after: ['10-saw'], setupFamily: 'shaft', alternatives: [{ class: 'mill', setupMs: 200, perPieceMs: 20 }] },
      ],
    },
  ],
}

export const plant = checkPlant(PLANT, 'test')
export const tester = { actor: 'test' }

export function memoryStore(now = 1_000_000): { readonly store: Store; readonly clock: ManualClock } {
  const clock = new ManualClock(now)
  return { store: openStore({ file: ':memory:', clock }), clock }
}

export async function released(store: Store, request: Partial<OrderRequest> = {}): Promise<WorkOrder> {
  return store.transaction(async (tx) => {
    const { order } = await createWorkOrder(tx, plant, { id: 'wo-1', product: 'shaft', quantity: 10, ...request }, tester)
    return releaseWorkOrder(tx, plant, order.id, tester)
  })
}

/** What a unit shows; the rest is Produce mode. */
export function show(store: Store, equipment: string, state: MachineState['state'], jobOrder: string | null, more: Partial<UnitState> = {}): Promise<unknown> {
  return store.transaction((tx) => followMachine(tx, { equipment, state, jobOrder, mode: 'Produce', since: 2_000_000, ...more }, tester))
}

/** A unit has so far made this for a job order. */
export function count(store: Store, equipment: string, jobOrder: string, good: number, scrap = 0, time = 2_000_100): Promise<void> {
  return store.transaction((tx) => followCount(tx, { kind: 'count', equipment, jobOrder, good: 0, scrap: 0, total: { good, scrap }, time }, tester))
}

/** `jo-… Running`, for every job order of an order. */
export async function jobStates(store: Store, workOrder = 'wo-1'): Promise<string[]> {
  const jobs = await store.list('job-order', { where: { work_order: workOrder }, orderBy: 'id' })
  return jobs.map(
    ({ id, state, substate, quantity, good, scrap }) => `${id} ${state}${substate === null ? '' : `/${substate}`} ${good}+${scrap} of ${quantity.value}`,
  )
}

export async function code(work: Promise<unknown>): Promise<string> {
  try {
    await work
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
  return 'no error'
}
