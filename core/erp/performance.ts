import type { JobResponse, MaterialActual } from '../messages/job-response.ts'
import type { WorkOrder } from '../messages/work-order.ts'
import type { JobPerformance, WorkPerformance } from '../messages/work-performance.ts'
import type { Plant } from '../plant/plant.ts'
import type { StoreReader } from '../store/store.ts'

/** What a message tells, without what makes it a message. */
export type Told = Pick<WorkPerformance, 'plant' | 'workOrder' | 'jobs'>

/** What happened under one job order. It tells of its work order only what does not change with the others. */
export async function toldOfJob(reader: StoreReader, plant: Plant, order: WorkOrder, response: JobResponse): Promise<Told> {
  return { plant: plant.model.plant, workOrder: await orderOf(reader, plant, order), jobs: [await jobOf(reader, order, response)] }
}

/** What happened under a whole work order, job responses in the order of their operations. */
export async function toldOfOrder(reader: StoreReader, plant: Plant, order: WorkOrder): Promise<Told> {
  const responses = await reader.list('job-response', { where: { work_order: order.id } })
  const place = (response: JobResponse): number => order.jobOrders.indexOf(response.jobOrder)
  const jobs: JobPerformance[] = []
  for (const response of responses.sort((a, b) => place(a) - place(b) || (a.id < b.id ? -1 : 1))) jobs.push(await jobOf(reader, order, response))
  const { state, progress, into } = order
  const workOrder = {
    ...(await orderOf(reader, plant, order)),
    state,
    ...progress,
    start: least(jobs.map(({ start }) => start)),
    end: most(jobs.map(({ end }) => end)),
    ...(into === undefined ? {} : { into }),
  }
  return { plant: plant.model.plant, workOrder, jobs }
}

/** The ERP's number of an order: its own, or that of the order that it makes good or was split from. Undefined where no system has one. */
export async function externalOf(reader: StoreReader, order: WorkOrder): Promise<WorkOrder['external']> {
  let now: WorkOrder | undefined = order
  for (let depth = 0; now !== undefined && depth < DEPTH; depth++) {
    if (now.external !== undefined) return now.external
    const from: string | undefined = now.of?.workOrder ?? now.from?.find(({ by }) => by === 'split')?.workOrder
    now = from === undefined ? undefined : await reader.get('work-order', from)
  }
  return undefined
}

/** Rework of rework of a split order … */
const DEPTH = 20

async function orderOf(reader: StoreReader, plant: Plant, order: WorkOrder): Promise<WorkPerformance['workOrder']> {
  const { id, type, workMaster, quantity } = order
  const external = await externalOf(reader, order)
  const product = order.product ?? (workMaster === null ? undefined : plant.workMaster(workMaster)?.produces)
  return { id, ...(external === undefined ? {} : { external }), type, workMaster, product: product ?? null, ordered: quantity }
}

async function jobOf(reader: StoreReader, order: WorkOrder, response: JobResponse): Promise<JobPerformance> {
  const { id, jobOrder, equipment, start, end, good, scrap, setupMs = null, runMs = null, materials, people, data } = response
  const job = await reader.get('job-order', jobOrder)
  return {
    id,
    jobOrder,
    operation: job?.operation ?? jobOrder,
    equipment,
    // that people closed it later is nothing new
    state: response.state === 'Aborted' ? 'Aborted' : 'Completed',
    start,
    end,
    setupMs,
    runMs,
    good,
    scrap,
    unit: job?.quantity.unit ?? order.quantity.unit,
    materials: await withMaterials(reader, materials),
    personnel: response.personnel ?? people.map((person) => ({ person, from: null, to: null })),
    data,
  }
}

/** Each lot with what it is. */
async function withMaterials(reader: StoreReader, materials: readonly MaterialActual[]): Promise<MaterialActual[]> {
  const known = new Map<string, string>()
  const unnamed = [...new Set(materials.flatMap(({ lot, material }) => (material === undefined ? [lot] : [])))]
  for (let from = 0; from < unnamed.length; from += LOTS_AT_ONCE) {
    for (const { id, material } of await reader.list('lot', { where: { id: unnamed.slice(from, from + LOTS_AT_ONCE) } })) known.set(id, material)
  }
  return materials.map((actual) => {
    const material = actual.material ?? known.get(actual.lot)
    return material === undefined ? actual : { ...actual, material }
  })
}

const LOTS_AT_ONCE = 500

function least(times: readonly (number | null)[]): number | null {
  return times.reduce((least, time) => (time === null || (least !== null && least <= time) ? least : time), null)
}

function most(times: readonly (number | null)[]): number | null {
  return times.reduce((most, time) => (time === null || (most !== null && most >= time) ? most : time), null)
}
