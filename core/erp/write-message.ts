import { createHash } from 'node:crypto'
import type { ErpMessage } from '../messages/erp-message.ts'
import type { WorkOrder } from '../messages/work-order.ts'
import type { WorkPerformance } from '../messages/work-performance.ts'
import type { Because } from '../orders/change-job-order.ts'
import { refreshResponse } from '../orders/end-job-order.ts'
import { slug } from '../orders/ids.ts'
import type { Plant } from '../plant/plant.ts'
import { enqueue } from '../store/outbox.ts'
import type { StoreTransaction } from '../store/store.ts'
import { contentHash } from '../trace/canonical.ts'
import { b2mmlPerformance } from './b2mml-performance.ts'
import { destinationOf, type ErpChannel } from './channel.ts'
import { externalOf, type Told, toldOfJob, toldOfOrder } from './performance.ts'

/** What something that happened may have to be reported of. */
export interface Concern {
  readonly jobOrder?: string
  readonly workOrder?: string
}

/** What lies in the outbox. */
export interface Outbound {
  readonly id: string
  readonly body: string
}

/**
 * Writes what the ERP does not know yet: a message for each job order that is over, and for its work order when that is over, in one transaction with its place in
 * the outbox. Called again for the same it writes nothing; when what happened has changed since, a correction with the next version. Gives what was written.
 */
export async function writeMessages(
  tx: StoreTransaction,
  { jobOrder, workOrder }: Concern,
  plant: Plant,
  channel: ErpChannel,
  because: Because,
): Promise<ErpMessage[]> {
  const response = jobOrder === undefined ? undefined : await refreshResponse(tx, jobOrder, because)
  const order = await tx.get('work-order', response?.workOrder ?? workOrder ?? '')
  if (order === undefined || !(await isForChannel(tx, order, channel))) return []
  const written: ErpMessage[] = []
  if (channel.jobs && response !== undefined) {
    const message = await write(tx, { kind: 'job-order', id: response.jobOrder }, order, await toldOfJob(tx, plant, order, response), plant, channel, because)
    if (message !== undefined) written.push(message)
  }
  if (isToBeReported(order, channel)) {
    for (const id of order.jobOrders) await refreshResponse(tx, id, because)
    const message = await write(tx, { kind: 'work-order', id: order.id }, order, await toldOfOrder(tx, plant, order), plant, channel, because)
    if (message !== undefined) written.push(message)
  }
  return written
}

async function isForChannel(tx: StoreTransaction, order: WorkOrder, { system, maintenance }: ErpChannel): Promise<boolean> {
  if (order.type === 'maintenance' && !maintenance) return false
  if (system === '*') return true
  const external = await externalOf(tx, order)
  return external !== undefined && (system === '' || external.system === system)
}

function isToBeReported({ state }: WorkOrder, { orders }: ErpChannel): boolean {
  return orders !== 'none' && (state === 'Closed' || state === 'Canceled' || (state === 'Completed' && orders === 'completed'))
}

async function write(
  tx: StoreTransaction,
  of: ErpMessage['of'],
  order: WorkOrder,
  told: Told,
  plant: Plant,
  channel: ErpChannel,
  because: Because,
): Promise<ErpMessage | undefined> {
  const named = channel.people ? told : { ...told, jobs: told.jobs.map((job) => ({ ...job, personnel: [] })) }
  const content = contentOf(named)
  const [latest] = await tx.list('erp-message', { where: { channel: channel.name, subject: of.id }, orderBy: 'version', descending: true, limit: 1 })
  if (latest?.content === content) return undefined
  const version = (latest?.version ?? 0) + 1
  const id = messageIdOf(channel.name, of.id, version)
  const performance: WorkPerformance = { kind: 'work-performance', id, version, of, time: tx.now, ...named }
  // the ERP has none that it could replace when it refused the one before
  const correction = latest !== undefined && latest.state !== 'refused'
  const body = JSON.stringify(channel.format === 'b2mml' ? b2mmlPerformance(performance, { correction, timeZone: plant.timeZone }) : performance)
  const message = await tx.save<'erp-message'>(
    {
      kind: 'erp-message',
      id,
      channel: channel.name,
      of,
      workOrder: order.id,
      version,
      state: 'waiting',
      content,
      written: tx.now,
      bytes: Buffer.byteLength(body),
    },
    { type: 'erp-message.written', ...because },
  )
  await send(tx, message, body)
  return message
}

/** Puts a message into the outbox. Those of one work order stay in their order. */
export function send(tx: StoreTransaction, { id, channel, workOrder }: ErpMessage, body: string): Promise<void> {
  return enqueue(tx, { destination: destinationOf({ name: channel }), topic: workOrder, body: JSON.stringify({ id, body } satisfies Outbound) })
}

/** What makes two reports the same. How the order stands now is left out: that it was closed after it was completed tells the ERP nothing. */
function contentOf({ plant, jobs, workOrder: { state, ...workOrder } }: Told): string {
  return contentHash({ plant, jobs, workOrder, canceled: state === 'Canceled' })
}

const READABLE = /^[\w.-]{1,120}$/

/** The same for the same: what the ERP knows a message by. Fit for a header. */
export function messageIdOf(channel: string, subject: string, version: number): string {
  const name = READABLE.test(subject) ? subject : `${slug(subject).slice(0, 100)}~${createHash('sha256').update(subject).digest('hex').slice(0, 12)}`
  return `${channel}:${name}:${version}`
}
