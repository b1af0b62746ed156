import type { Outcome } from '../../../../core/connect/job-control/job-desk.ts'
import type { JobOrderRecord } from '../../../../core/connect/job-control/job-record.ts'
import type { JobMethod, ReceiverMethod } from '../../../../core/connect/job-control/vocabulary.ts'
import type { JobOrder } from '../../../../core/messages/job-order.ts'
import type { WorkOrder } from '../../../../core/messages/work-order.ts'
import { type Call, JobControlDesk } from '../../../../core/orders/job-control/job-control-desk.ts'
import { checkPlant } from '../../../../core/plant/check-plant.ts'
import type { Store } from '../../../../core/store/store.ts'
import { count, memoryStore, show } from '../fixture.ts'

/** Two lines; shafts need a saw, which only line 1 has, and a mill, which both have. */
export const LINES = checkPlant(
  {
    plant: 'p',
    equipment: [
      { id: 'p', level: 'site' },
      { id: 'p/line-1', level: 'workCenter', name: 'Line 1' },
      { id: 'p/line-1/saw', level: 'workUnit', classes: ['saw'] },
      { id: 'p/line-1/mill-1', level: 'workUnit', classes: ['mill'] },
      { id: 'p/line-2', level: 'workCenter' },
      { id: 'p/line-2/mill-2', level: 'workUnit', classes: ['mill'] },
    ],
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
          { id: '10-saw', alternatives: [{ class: 'saw', setupMs: 100, perPieceMs: 10 }] },
          { id: '20-mill', after: ['10-saw'], alternatives: [{ class: 'mill', setupMs: 200, perPieceMs: 20 }] },
        ],
      },
      { id: 'plate', version: 2, produces: 'plate', operations: [{ id: '10-mill', alternatives: [{ class: 'mill', setupMs: 200, perPieceMs: 20 }] }] },
    ],
  },
  'test',
)

export const ASKED = { user: 'erp', comment: undefined }

export const jobOrder = (id: string, more: Partial<JobOrderRecord> = {}): JobOrderRecord => ({
  id,
  workMasters: [{ id: 'plate@2' }],
  parameters: [{ id: 'Quantity', type: 'Double', value: 10 }],
  ...more,
})

export interface World {
  readonly store: Store
  readonly desk: JobControlDesk
  readonly taken: Array<{ readonly call: Call; readonly order: WorkOrder }>
  readonly refused: Array<{ readonly call: Call; readonly code: string }>
  call(method: ReceiverMethod, record: string | JobOrderRecord, receiver?: string): Promise<Outcome>
  state(id: string, receiver?: string): string | undefined
  jobs(id: string): Promise<JobOrder[]>
  close(): Promise<void>
}

export async function world(maxJobOrders = 100, opened = memoryStore()): Promise<World> {
  const { store } = opened
  const taken: World['taken'] = []
  const refused: World['refused'] = []
  const desk = new JobControlDesk(store, () => LINES, {
    maxJobOrders,
    where: 'test',
    taken: (call, order) => void taken.push({ call, order }),
    refused: (call, { code }) => void refused.push({ call, code }),
  })
  await desk.start()
  return {
    store,
    desk,
    taken,
    refused,
    call(method, named, receiver = 'p') {
      const record = typeof named === 'string' ? jobOrder(named) : named
      if (method === 'Store' || method === 'StoreAndStart' || method === 'Update') return desk.order(receiver, method, record, ASKED)
      return desk.command(receiver, method as JobMethod, record.id, ASKED)
    },
    state(id, receiver = 'p') {
      const found = desk.list(receiver).find(({ record }) => record.id === id)
      return found === undefined ? undefined : found.substate === null ? found.state : `${found.state}/${found.substate}`
    },
    async jobs(id) {
      const [order] = await store.list('work-order', { where: { external_id: id } })
      return order === undefined ? [] : store.list('job-order', { where: { work_order: order.id } })
    },
    async close() {
      desk.stop()
      await store.close()
    },
  }
}

/** The units take what is allowed and run it. */
export async function run({ store, jobs }: World, id: string, good = 0): Promise<JobOrder> {
  const next = (await jobs(id)).find(({ state }) => state === 'NotAllowedToStart' || state === 'AllowedToStart') as JobOrder
  const unit = next.alternatives[0]!.equipment
  if (next.state === 'NotAllowedToStart') {
    const { changeJobOrder } = await import('../../../../core/orders/change-job-order.ts')
    await store.transaction((tx) => changeJobOrder(tx, next, 'Start', { actor: 'test' }, { equipment: unit }))
  }
  await show(store, unit, 'Execute', next.id)
  if (good > 0) await count(store, unit, next.id, good)
  return next
}

/** A unit comes to the end of it. */
export async function complete(w: World, id: string, good: number): Promise<void> {
  const running = (await w.jobs(id)).find(({ state }) => state === 'Running' || state === 'Interrupted') as JobOrder
  await count(w.store, running.equipment!, running.id, good)
  await show(w.store, running.equipment!, 'Complete', running.id, { since: 2_000_200 })
}
