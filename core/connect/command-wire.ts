import type { StatusCode } from 'node-opcua'
import { TaktError } from '../base/error.ts'
import type { ErrorCode } from '../base/error-codes.ts'
import { parseJson } from '../base/json.ts'
import type { Command } from '../messages/command.ts'
import type { CommandTarget } from '../plant/model.ts'
import type { Answer } from './command-gate.ts'
import { JobOrderWire } from './job-control/job-wire.ts'
import type { MqttConnection, MqttSubscription } from './mqtt-connection.ts'
import type { OpcuaConnection } from './opcua-connection.ts'
import type { WrittenValue } from './opcua-write.ts'

/** The way to machines over one connection. */
export interface CommandWire {
  /** Rejects when the command could not be given, or its answer did not come in time. */
  send(command: Command, target: CommandTarget): Promise<Answer>
  /** Commands to this target will come. */
  expect?(target: CommandTarget): void
  close(): void
}

export interface WireSetting {
  /** Real ms: a command that has no answer by then has failed. */
  readonly timeoutMs: number
  /** Plant time, epoch ms. */
  readonly now: () => number
  readonly where: string
}

const LARGEST_ANSWER = 64 * 1024

/** Publishes `{id, name, arguments, ts}` with QoS 1 and waits for `{of, status, code?, reason?}` on the reply topic. */
export class MqttCommandWire implements CommandWire {
  readonly #connection: MqttConnection
  readonly #setting: WireSetting
  readonly #pending = new Map<string, (answer: Answer) => void>()
  readonly #replies = new Map<string, { readonly subscription: MqttSubscription; readonly granted: Promise<void> }>()

  constructor(connection: MqttConnection, setting: WireSetting) {
    this.#connection = connection
    this.#setting = setting
  }

  async send(command: Command, target: CommandTarget): Promise<Answer> {
    const { timeoutMs, where } = this.#setting
    const { topic, reply } = target
    if (topic === undefined) throw new TaktError('TAKT_COMMAND_CONNECTION', { what: `the target of '${command.name}' has no topic`, where })
    const end = performance.now() + timeoutMs
    await this.#connection.whenConnected(timeoutMs, () => this.#connection.away())
    if (reply === undefined) {
      await this.#connection.publish(topic, this.#body(command), { qos: 1 })
      return { status: 'sent' }
    }
    await this.#listen(reply)
    const answer = this.#answerTo(command, end)
    // an answer that fails to come must not go unhandled while publishing fails
    answer.catch(() => {})
    await this.#connection.publish(topic, this.#body(command), { qos: 1 })
    return answer
  }

  close(): void {
    for (const { subscription } of this.#replies.values()) this.#connection.unsubscribe(subscription)
    this.#replies.clear()
  }

  #body({ id, name, arguments: given }: Command): string {
    return JSON.stringify({ id, name, arguments: given, ts: this.#setting.now() })
  }

  /** The reader of answers must be there before the command is given. */
  #listen(reply: string): Promise<void> {
    let entry = this.#replies.get(reply)
    if (entry === undefined) {
      const subscription: MqttSubscription = { filter: reply, qos: 1, take: (message) => this.#take(message.payload, reply) }
      entry = { subscription, granted: this.#connection.subscribe(subscription) }
      this.#replies.set(reply, entry)
    }
    return entry.granted
  }

  #take(payload: Buffer, topic: string): void {
    let of: string | undefined
    let answer: Answer | undefined
    try {
      ;({ of, answer } = readAnswer(payload, `${this.#setting.where}, topic ${topic}`))
    } catch {
      return // others may talk on this topic; who does not answer in time is told of
    }
    if (of !== undefined) this.#pending.get(of)?.(answer)
  }

  #answerTo(command: Command, end: number): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => {
          this.#pending.delete(command.id)
          reject(
            new TaktError('TAKT_COMMAND_UNANSWERED', {
              what: `no answer to '${command.name}' in ${this.#setting.timeoutMs / 1000} s`,
              where: this.#setting.where,
            }),
          )
        },
        Math.max(0, end - performance.now()),
      )
      this.#pending.set(command.id, (answer) => {
        clearTimeout(timer)
        this.#pending.delete(command.id)
        resolve(answer)
      })
    })
  }
}

/**
 * Hands a job order to a receiver of OPC UA Job Control, calls a method with the command's arguments by name (or with the command as JSON, where it takes
 * one text), or writes to a variable: its one argument, or the JSON where there are several or none.
 */
export class OpcuaCommandWire implements CommandWire {
  readonly #connection: OpcuaConnection
  readonly #setting: WireSetting
  readonly #jobs: JobOrderWire

  constructor(connection: OpcuaConnection, setting: WireSetting) {
    this.#connection = connection
    this.#setting = setting
    this.#jobs = new JobOrderWire(connection, setting)
  }

  async send(command: Command, target: CommandTarget): Promise<Answer> {
    const { timeoutMs, now, where } = this.#setting
    const { id, name, arguments: given } = command
    await this.#connection.whenConnected(timeoutMs, () => this.#connection.away())
    const { objectId, methodId, nodeId, jobReceiver } = target
    if (jobReceiver !== undefined) return this.#jobs.send(command, jobReceiver)
    const body = JSON.stringify({ id, name, arguments: given, ts: now() })
    try {
      if (objectId !== undefined && methodId !== undefined) return await this.#call(objectId, methodId, given as Arguments, body)
      if (nodeId === undefined) throw new TaktError('TAKT_COMMAND_CONNECTION', { what: `the target of '${name}' has neither method nor node`, where })
      return await this.#write(nodeId, given as Arguments, body)
    } catch (thrown) {
      // nothing was sent: it cannot be right the next time either
      if (thrown instanceof TaktError && (thrown.code === 'TAKT_OPCUA_VALUE' || thrown.code === 'TAKT_OPCUA_ACCESS'))
        return { status: 'refused', code: thrown.code, reason: thrown.what }
      throw thrown
    }
  }

  async #call(objectId: string, methodId: string, given: Arguments, body: string): Promise<Answer> {
    const result = await this.#connection.callNamed(objectId, methodId, given, body)
    if (result.statusCode.isNotGood()) return refused(result.statusCode)
    const output: unknown = result.outputArguments?.[0]?.value
    return typeof output === 'string' && output.startsWith('{') ? readAnswer(output, this.#setting.where).answer : { status: 'done' }
  }

  async #write(nodeId: string, given: Arguments, body: string): Promise<Answer> {
    const [value = null, ...more] = Object.values(given)
    const written = more.length === 0 && value !== null ? value : body
    const status = await this.#connection.write(nodeId, written)
    if (status.isNotGood()) return refused(status)
    // a button falls back by itself: what cannot be read back was sent, and the machine's state will tell
    return { status: reads(await this.#connection.read(nodeId), written) ? 'done' : 'sent' }
  }

  close(): void {
    this.#jobs.close()
  }
}

type Arguments = Readonly<Record<string, WrittenValue>>

/** What the server's refusals mean to a person; all others are the machine's own. */
const REFUSALS: ReadonlyArray<readonly [RegExp, ErrorCode]> = [
  [/^Bad(NotWritable|UserAccessDenied|NotReadable|SecurityModeInsufficient|NotExecutable)$/, 'TAKT_OPCUA_ACCESS'],
  [/^Bad(TypeMismatch|OutOfRange|InvalidArgument|ArgumentsMissing|TooManyArguments|IndexRangeInvalid)$/, 'TAKT_OPCUA_VALUE'],
  [/^Bad(NodeIdUnknown|NodeIdInvalid|MethodInvalid|AttributeIdInvalid)$/, 'TAKT_OPCUA_NODE_UNKNOWN'],
]

function refused(status: StatusCode): Answer {
  const code = REFUSALS.find(([names]) => names.test(status.name))?.[1] ?? 'TAKT_COMMAND_REFUSED'
  return { status: 'refused', code, reason: `${status.name}: ${status.description}` }
}

/** The value that was written, whatever form it had: numbers as texts, lists as JSON. */
function reads(read: unknown, written: WrittenValue): boolean {
  const text = (value: unknown): string => (Array.isArray(value) ? `[${value.map(text).join(',')}]` : String(value))
  return (
    read === written || text(read) === text(written).replace(/\s/g, '') || (typeof read === 'number' && typeof written === 'string' && read === Number(written))
  )
}

const STATUSES: ReadonlySet<unknown> = new Set(['sent', 'done', 'refused', 'expired', 'failed'])

function readAnswer(payload: string | Buffer, where: string): { of: string | undefined; answer: Answer } {
  const body = parseJson(payload, { maxBytes: LARGEST_ANSWER, where })
  if (typeof body !== 'object' || body === null) throw new TaktError('TAKT_MESSAGE_INVALID', { what: "the machine's answer is not an object", where })
  const { of, status, code, reason } = body as Record<string, unknown>
  if (!STATUSES.has(status)) throw new TaktError('TAKT_MESSAGE_INVALID', { what: `the machine's answer has the status '${String(status)}'`, where })
  return {
    of: typeof of === 'string' ? of : undefined,
    answer: {
      status: status as Answer['status'],
      code: typeof code === 'string' ? code.slice(0, 200) : status === 'refused' ? 'TAKT_COMMAND_REFUSED' : undefined,
      reason: typeof reason === 'string' ? reason.slice(0, 1000) : undefined,
    },
  }
}
