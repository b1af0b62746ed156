import { TaktError } from '../../base/error.ts'
import { parseJson } from '../../base/json.ts'

export type HostState = 'online' | 'offline'

const LARGEST_STATE = 4096

/**
 * What the STATE messages of the primary host say on one MQTT server (Sparkplug 3.0, 5.4 and 5.5). A message that is older than what was heard last says nothing:
 * a will that arrives late must not end a session that the host has begun anew.
 */
export class PrimaryHost {
  readonly #where: string
  #latest: number | undefined
  #latestOnline: number | undefined
  /** As heard in this MQTT session; a session begins without knowing. */
  state: HostState | undefined

  constructor(where: string) {
    this.#where = where
  }

  /** Returns what the host is now, or `undefined` where the message is too old to count. Throws TAKT_SPARKPLUG_STATE for one that cannot be read. */
  take(payload: Uint8Array): HostState | undefined {
    const { online, timestamp } = this.#read(payload)
    const bound = online ? this.#latest : this.#latestOnline
    if (bound !== undefined && timestamp < bound) return undefined
    this.#latest = timestamp
    if (online) this.#latestOnline = timestamp
    this.state = online ? 'online' : 'offline'
    return this.state
  }

  #read(payload: Uint8Array): { readonly online: boolean; readonly timestamp: number } {
    const refuse = (what: string): never => {
      throw new TaktError('TAKT_SPARKPLUG_STATE', { what, where: this.#where })
    }
    const body = parseJson(payload, { maxBytes: LARGEST_STATE, where: this.#where })
    if (typeof body !== 'object' || body === null) return refuse('the STATE message is not an object')
    const { online, timestamp } = body as Record<string, unknown>
    if (typeof online !== 'boolean') return refuse("the STATE message has no 'online' that is true or false")
    if (typeof timestamp !== 'number' || !Number.isSafeInteger(timestamp) || timestamp < 0)
      return refuse("the STATE message has no 'timestamp' in epoch milliseconds")
    return { online, timestamp }
  }
}
