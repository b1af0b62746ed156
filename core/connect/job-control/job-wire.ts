import type { ClientSession } from 'node-opcua'
import { TaktError } from '../../base/error.ts'
import type { Command } from '../../messages/command.ts'
import type { Answer } from '../command-gate.ts'
import type { Opcua } from '../load-opcua.ts'
import type { OpcuaConnection } from '../opcua-connection.ts'
import { jobOrderOf, jobOrderOfCommand, methodOfCommand } from './job-order-of-command.ts'
import { type ListedOrder, type MethodAnswer, ReceiverClient } from './receiver-client.ts'
import type { JobMethod, ReceiverMethod } from './vocabulary.ts'

export interface JobWireSetting {
  readonly timeoutMs: number
  readonly where: string
}

/**
 * Commands as job orders of OPC 10031-4. `start-job` hands over a job order and allows its start; the machine decides when it runs, and its state tells.
 * A job order that the receiver has already is not handed over twice, so the same command may be told again under another id.
 */
export class JobOrderWire {
  readonly #connection: OpcuaConnection
  readonly #setting: JobWireSetting
  readonly #clients = new Map<string, Promise<ReceiverClient>>()
  readonly #forget: () => void
  #session: { readonly session: ClientSession; readonly opcua: Opcua } | undefined

  constructor(connection: OpcuaConnection, setting: JobWireSetting) {
    this.#connection = connection
    this.#setting = setting
    this.#forget = connection.onSession((session, opcua) => {
      this.#session = { session, opcua }
      // another session may be another server program: what was found before need not hold
      this.#clients.clear()
    })
  }

  /** Gives a command to the receiver at `nodeId`. The connection must be up. Rejects when the receiver could not be asked. */
  async send(command: Command, nodeId: string): Promise<Answer> {
    const { where } = this.#setting
    const method = methodOfCommand(command.name)
    if (method === undefined)
      throw new TaktError('TAKT_JOB_CONTROL_UNSUPPORTED', { what: `'${command.name}' is no command to a job order receiver (start-job, stop-job, …)`, where })
    const jobOrder = jobOrderOf(command, where)
    const client = await this.#client(nodeId)
    if (method === 'StoreAndStart' || method === 'Store') return this.#hand(client, method, command, jobOrder)
    if (method === 'Update') return answerOf(await client.order('Update', jobOrderOfCommand(command, where), reasonOf(command)))
    return this.#tell(client, method, command, jobOrder)
  }

  close(): void {
    this.#forget()
    this.#clients.clear()
  }

  async #hand(client: ReceiverClient, method: 'Store' | 'StoreAndStart', command: Command, jobOrder: string): Promise<Answer> {
    const listed = await client.jobs()
    const known = listed?.find(({ id }) => id === jobOrder)
    if (known !== undefined) return this.#again(client, method, command, known)
    await this.#clearEnded(client, listed ?? [])
    const record = jobOrderOfCommand(command, this.#setting.where)
    if (method === 'Store' || client.offers('StoreAndStart')) return answerOf(await client.order(method, record, reasonOf(command)))
    const stored = await client.order('Store', record, reasonOf(command))
    return answerOf(stored.done ? await client.command('Start', jobOrder, reasonOf(command)) : stored)
  }

  /** The receiver has it from an earlier telling. */
  async #again(client: ReceiverClient, method: ReceiverMethod, command: Command, { id, state }: ListedOrder): Promise<Answer> {
    if (state === 'Ended' || state === 'Aborted') return refused(`the receiver has ${id} already, and it is ${state} there`)
    if (method === 'Store' || state !== 'NotAllowedToStart') return { status: 'done' }
    return answerOf(await client.command('Start', id, reasonOf(command)))
  }

  async #tell(client: ReceiverClient, method: JobMethod, command: Command, jobOrder: string): Promise<Answer> {
    const listed = await client.jobs()
    const known = listed?.find(({ id }) => id === jobOrder)
    // told again after it took effect
    if (known !== undefined && isSo(method, known)) return { status: 'done' }
    if (listed !== undefined && known === undefined && (method === 'Cancel' || method === 'Clear')) return { status: 'done' }
    // a job order that has not begun cannot be stopped, only taken back
    const early = method === 'Stop' && (known?.state === 'AllowedToStart' || known?.state === 'NotAllowedToStart')
    return answerOf(await client.command(early ? 'Cancel' : method, jobOrder, reasonOf(command)))
  }

  /** The list of a receiver is bounded: before it gets the next of ours, those of ours that are over are taken off. */
  async #clearEnded(client: ReceiverClient, listed: readonly ListedOrder[]): Promise<void> {
    if (!client.offers('Clear')) return
    for (const { id, state, mark } of listed) {
      if (mark !== undefined && (state === 'Ended' || state === 'Aborted')) await client.command('Clear', id).catch(() => {})
    }
  }

  #client(nodeId: string): Promise<ReceiverClient> {
    const { timeoutMs, where } = this.#setting
    const present = this.#session
    if (present === undefined) return Promise.reject(this.#connection.away())
    let client = this.#clients.get(nodeId)
    if (client === undefined) {
      client = ReceiverClient.open(present.session, present.opcua, nodeId, timeoutMs, where)
      this.#clients.set(nodeId, client)
      // what failed is tried anew with the next command
      client.catch(() => this.#clients.delete(nodeId))
    }
    return client
  }
}

function isSo(method: JobMethod, { state }: ListedOrder): boolean {
  switch (method) {
    case 'Start':
      return state === 'AllowedToStart' || state === 'Running'
    case 'RevokeStart':
      return state === 'NotAllowedToStart'
    case 'Pause':
      return state === 'Interrupted'
    case 'Resume':
      return state === 'Running'
    case 'Stop':
      return state === 'Ended'
    case 'Abort':
      return state === 'Aborted'
    default:
      return false
  }
}

function answerOf({ done, why }: MethodAnswer): Answer {
  return done ? { status: 'done' } : refused(why)
}

function refused(reason: string): Answer {
  return { status: 'refused', code: 'TAKT_JOB_CONTROL_REFUSED', reason }
}

/** Why the command is given, for the receiver's comment. */
function reasonOf({ arguments: { reason, why } }: Command): string | undefined {
  const text = reason ?? why
  return typeof text === 'string' && text !== '' ? text.slice(0, 500) : undefined
}
