import { TaktError } from '../base/error.ts'
import type { ErpMessage } from '../messages/erp-message.ts'
import type { Because } from '../orders/change-job-order.ts'
import type { StoreTransaction } from '../store/store.ts'
import { toStorableText } from '../store/values.ts'
import { destinationOf } from './channel.ts'
import { type Outbound, send } from './write-message.ts'

/** What the ERP answered: a receipt, or why it does not take the message. */
export type Answer =
  | { readonly kind: 'received'; readonly status: string; readonly number?: string }
  | { readonly kind: 'refused'; readonly status: string; readonly what: string }

/** Keeps the ERP's answer. A receipt counts also when it comes late, or twice; a refusal only for what waits. Throws TAKT_ERP_MESSAGE_UNKNOWN. */
export async function settle(tx: StoreTransaction, id: string, body: string | undefined, answer: Answer, because: Because): Promise<ErpMessage> {
  const message = await messageOf(tx, id)
  if (answer.kind === 'received') return receive(tx, message, answer, because)
  return message.state === 'waiting' ? refuse(tx, message, body, answer, because) : message
}

async function receive(tx: StoreTransaction, message: ErpMessage, { status, number }: Answer & { kind: 'received' }, because: Because): Promise<ErpMessage> {
  if (message.state === 'received') return message
  const { problem: _problem, body: _body, ...rest } = message
  await takeBack(tx, message)
  const receipt = { time: tx.now, status: clean(status), ...(number === undefined ? {} : { number: clean(number) }) }
  return tx.save<'erp-message'>({ ...rest, state: 'received', receipt }, { type: 'erp-message.received', ...because })
}

async function refuse(
  tx: StoreTransaction,
  message: ErpMessage,
  body: string | undefined,
  { status, what }: Answer & { kind: 'refused' },
  because: Because,
): Promise<ErpMessage> {
  const taken = await takeBack(tx, message)
  const said = toStorableText(`${status}: ${what}`).slice(0, 1000)
  const { code, remedy } = new TaktError('TAKT_ERP_REFUSED', { where: message.id })
  const problem = { time: tx.now, code, what: said }
  const refused = await tx.save<'erp-message'>(
    { ...message, state: 'refused', problem, body: body ?? taken ?? '' },
    { type: 'erp-message.refused', actor: because.actor, why: said },
  )
  await tx.db
    .insertInto('quarantine')
    .values({
      code,
      what: said,
      where: toStorableText(`erp ${message.channel}, ${message.id}`),
      remedy,
      received: tx.now,
      bytes: message.bytes,
      excerpt: toStorableText((body ?? taken ?? '').slice(0, 2000)),
    })
    .execute()
  return refused
}

/** Puts refused messages into the outbox again, as they were and with the ids that they had. `ids` undefined: all of the channel. Throws TAKT_ERP_MESSAGE_UNKNOWN. */
export async function sendAgain(tx: StoreTransaction, channel: string, ids: readonly string[] | undefined, because: Because): Promise<ErpMessage[]> {
  const asked: ErpMessage[] = []
  if (ids === undefined) asked.push(...(await tx.list('erp-message', { where: { channel, state: 'refused' }, orderBy: 'ledger' })))
  else for (const id of ids) asked.push(await messageOf(tx, id))
  const sent: ErpMessage[] = []
  for (const message of asked) {
    const { body, problem: _problem, ...rest } = message
    // what waits goes by itself, and what was received is not sent twice
    if (message.state !== 'refused' || body === undefined) sent.push(message)
    else {
      sent.push(await tx.save<'erp-message'>({ ...rest, state: 'waiting' }, { type: 'erp-message.again', ...because }))
      await send(tx, rest, body)
    }
  }
  return sent
}

/** Takes a message that waits aside, so that those behind it can go; it can be sent again. Throws TAKT_ERP_MESSAGE_UNKNOWN. */
export async function setAside(tx: StoreTransaction, id: string, because: Because): Promise<ErpMessage> {
  const what = because.why ?? 'a person took it aside'
  return settle(tx, id, undefined, { kind: 'refused', status: 'set aside', what }, because)
}

export async function messageOf(tx: Pick<StoreTransaction, 'get'>, id: string): Promise<ErpMessage> {
  const message = await tx.get('erp-message', id)
  if (message === undefined) throw new TaktError('TAKT_ERP_MESSAGE_UNKNOWN', { what: `there is no message '${id.slice(0, 200)}' to the ERP`, where: 'erp' })
  return message
}

/** Removes it from the outbox; gives its body where it lay there. */
async function takeBack(tx: StoreTransaction, { id, channel, workOrder }: ErpMessage): Promise<string | undefined> {
  const rows = await tx.db
    .selectFrom('outbox')
    .select(['id', 'body'])
    .where('destination', '=', destinationOf({ name: channel }))
    .where('topic', '=', workOrder)
    .execute()
  for (const row of rows) {
    const outbound = JSON.parse(row.body) as Outbound
    if (outbound.id !== id) continue
    await tx.db.deleteFrom('outbox').where('id', '=', row.id).execute()
    return outbound.body
  }
  return undefined
}

function clean(text: string): string {
  return toStorableText(text).slice(0, 200)
}
