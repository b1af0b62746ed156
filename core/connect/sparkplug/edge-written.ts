import { TaktError } from '../../base/error.ts'
import type { IdSource } from '../../base/id.ts'
import { parseJson } from '../../base/json.ts'
import type { Command, Receipt } from '../../messages/command.ts'
import type { DataType } from './datatypes.ts'
import type { EdgeCommand } from './edge.ts'
import type { EdgeValue } from './edge-unit.ts'
import type { Value } from './payload.ts'

const REMEMBERED = 500
const LARGEST_ARGUMENTS = 64 * 1024
const PREFIX = 'command/'

interface Written {
  readonly device: string | undefined
  readonly metric: string
  readonly value: Value | null
}

/** What hosts wrote, as commands; and their receipts as the metrics' new values, so that a host can read back what was done. */
export class WrittenMetrics {
  readonly #ids: IdSource
  readonly #where: string
  readonly #waiting = new Map<string, Written>()

  constructor(ids: IdSource, where: string) {
    this.#ids = ids
    this.#where = where
  }

  /** `command/<name>` is the command of that name; any other metric is a command of the metric's name. Throws TAKT_SPARKPLUG_VALUE for what cannot be an argument. */
  commandOf({ device, metric, value }: EdgeCommand, to: string): Command {
    const name = metric.startsWith(PREFIX) ? metric.slice(PREFIX.length) : metric
    const command: Command = { kind: 'command', id: this.#ids('sparkplug'), to, name, arguments: this.#argumentsOf(value, metric) }
    this.#waiting.set(command.id, { device, metric, value })
    if (this.#waiting.size > REMEMBERED) this.#waiting.delete(this.#waiting.keys().next().value as string)
    return command
  }

  /** The value to be told where a command had its effect; `undefined` for receipts of others, and of what was not done. */
  told(
    receipt: Receipt,
    datatypeOf: (device: string | undefined, metric: string) => DataType | undefined,
  ): { readonly device: string | undefined; readonly value: EdgeValue } | undefined {
    const written = this.#waiting.get(receipt.of)
    this.#waiting.delete(receipt.of)
    const datatype = written === undefined ? undefined : datatypeOf(written.device, written.metric)
    if (written === undefined || datatype === undefined || (receipt.status !== 'done' && receipt.status !== 'sent')) return undefined
    const { device, metric, value } = written
    return { device, value: { name: metric, datatype, value, time: Math.round(receipt.time), always: true } }
  }

  /** A JSON object of plain values is the arguments; any other value is the one argument `value`. */
  #argumentsOf(value: Value | null, metric: string): Command['arguments'] {
    if (typeof value === 'bigint') return { value: String(value) }
    if (value === null || typeof value !== 'object') {
      const given = typeof value === 'string' && value.trimStart().startsWith('{') ? this.#parse(value) : undefined
      return given ?? { value }
    }
    throw new TaktError('TAKT_SPARKPLUG_VALUE', { what: `what was written to '${metric}' cannot be the argument of a command`, where: this.#where })
  }

  #parse(text: string): Command['arguments'] | undefined {
    const body = parseJson(text, { maxBytes: LARGEST_ARGUMENTS, where: this.#where })
    if (typeof body !== 'object' || body === null || Object.values(body).some((part) => typeof part === 'object' && part !== null)) return undefined
    return body as Command['arguments']
  }
}
