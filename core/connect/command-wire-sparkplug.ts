import { TaktError } from '../base/error.ts'
import type { Command } from '../messages/command.ts'
import type { CommandTarget } from '../plant/model.ts'
import type { Answer } from './command-gate.ts'
import type { CommandWire, WireSetting } from './command-wire.ts'
import type { MqttConnection, MqttMessage, MqttSubscription } from './mqtt-connection.ts'
import { encodePayload } from './sparkplug/codec.ts'
import { type DeviceView, EdgeView, type MetricView } from './sparkplug/edge-view.ts'
import { fitValue, Misfit } from './sparkplug/fit-value.ts'
import type { Metric, Scalar } from './sparkplug/payload.ts'

/** Rebirths asked of one edge node at most so often. */
const REBIRTH_PAUSE_MS = 5000

interface Watched {
  readonly view: EdgeView
  readonly subscriptions: readonly MqttSubscription[]
  readonly granted: Promise<unknown>
  askedAt: number
}

type Verdict = 'told' | 'dead'

/**
 * Writes metrics of Sparkplug edge nodes (NCMD) and devices (DCMD). What can be written, and as which type, is learned from the births; where there is none,
 * one is asked for. A write is done when the device's data show the value.
 */
export class SparkplugCommandWire implements CommandWire {
  readonly #connection: MqttConnection
  readonly #setting: WireSetting
  readonly #edges = new Map<string, Watched>()
  readonly #stopWatching: () => void

  constructor(connection: MqttConnection, setting: WireSetting) {
    this.#connection = connection
    this.#setting = setting
    // births and deaths of the meantime were not heard
    this.#stopWatching = connection.watch({ linkChanged: (state) => state === 'away' && this.#forget() })
  }

  /** Listens to the births of a target's edge node, so that the first command need not wait for one. */
  expect({ device, metric }: CommandTarget): void {
    if (device !== undefined && metric !== undefined) this.#edge(device)
  }

  async send(command: Command, target: CommandTarget): Promise<Answer> {
    const { timeoutMs, where } = this.#setting
    const { device: address, metric: name } = target
    if (address === undefined || name === undefined)
      throw new TaktError('TAKT_COMMAND_CONNECTION', { what: `the target of '${command.name}' has no device and metric`, where })
    const end = performance.now() + timeoutMs
    await this.#connection.whenConnected(timeoutMs, () => this.#connection.away())
    const watched = this.#edge(address)
    await watched.granted
    const [group, edge, device] = address.split('/') as [string, string, string | undefined]
    const born = await this.#born(watched, device, end)
    if (!born.alive) return refusal('TAKT_SPARKPLUG_DEAD', `${address} is dead`)
    const metric = born.metric(name)
    if (metric === undefined) return refusal('TAKT_SPARKPLUG_METRIC_UNKNOWN', `${address} has no metric '${name}'`)
    const value = fitValue(argumentOf(command), metric.datatype)
    if (value instanceof Misfit) return refusal('TAKT_SPARKPLUG_VALUE', `'${name}' of ${address}: ${value.why}`)
    const shown = this.#shown(watched.view, device, name, value, end)
    const topic = device === undefined ? `spBv1.0/${group}/NCMD/${edge}` : `spBv1.0/${group}/DCMD/${edge}/${device}`
    try {
      await this.#connection.publish(topic, this.#payload(name, metric, value), { qos: 0 })
    } catch (thrown) {
      shown.cancel()
      throw thrown
    }
    const verdict = await shown.verdict
    if (verdict === 'dead') throw new TaktError('TAKT_SPARKPLUG_DEAD', { what: `${address} died before it showed the value`, where })
    return { status: verdict === 'told' ? 'done' : 'sent' }
  }

  close(): void {
    this.#stopWatching()
    for (const { subscriptions } of this.#edges.values()) for (const subscription of subscriptions) this.#connection.unsubscribe(subscription)
    this.#edges.clear()
  }

  #forget(): void {
    for (const watched of this.#edges.values()) {
      watched.view.forget()
      watched.askedAt = Number.NEGATIVE_INFINITY
    }
  }

  #edge(address: string): Watched {
    const [group, edge] = address.split('/') as [string, string]
    const key = `${group}/${edge}`
    let watched = this.#edges.get(key)
    if (watched === undefined) {
      const view = new EdgeView()
      const take = (message: MqttMessage): void => this.#take(view, message)
      // the filters say the edge node, so that each message is read once and no other edge node's
      const verbs = ['NBIRTH', 'NDATA', 'NDEATH', 'DBIRTH', 'DDATA', 'DDEATH']
      const subscriptions = verbs.map((verb) => ({ filter: `spBv1.0/${group}/${verb}/${edge}${verb.startsWith('D') ? '/+' : ''}`, qos: 1 as const, take }))
      const granted = Promise.all(subscriptions.map((subscription) => this.#connection.subscribe(subscription)))
      watched = { view, subscriptions, granted, askedAt: Number.NEGATIVE_INFINITY }
      this.#edges.set(key, watched)
    }
    return watched
  }

  #take(view: EdgeView, { topic, payload, retain }: MqttMessage): void {
    if (retain) return
    const [, , verb = '', , device] = topic.split('/')
    try {
      view.take(verb, device, payload)
    } catch {
      // what cannot be read tells nothing; a command that waits for it says so in its receipt
    }
  }

  /** The device as its birth shows it; where there is none, one is asked for and waited for. */
  async #born(watched: Watched, device: string | undefined, end: number): Promise<DeviceView> {
    const known = watched.view.device(device)
    if (known !== undefined) return known
    const { where, timeoutMs } = this.#setting
    const [, group, , edge] = (watched.subscriptions[0] as MqttSubscription).filter.split('/') as [string, string, string, string]
    const arrived = new Promise<DeviceView | undefined>((resolve) => {
      const timer = setTimeout(() => finish(undefined), Math.max(0, end - performance.now()))
      const forget = watched.view.listen(() => {
        const found = watched.view.device(device)
        if (found !== undefined) finish(found)
      })
      const finish = (found: DeviceView | undefined): void => {
        clearTimeout(timer)
        forget()
        resolve(found)
      }
    })
    if (performance.now() - watched.askedAt > REBIRTH_PAUSE_MS) {
      watched.askedAt = performance.now()
      const metrics: Metric[] = [{ name: 'Node Control/Rebirth', timestamp: this.#now(), datatype: 11, value: true }]
      await this.#connection.publish(`spBv1.0/${group}/NCMD/${edge}`, encodePayload({ timestamp: this.#now(), metrics }, { omitDataTypes: true }), { qos: 0 })
    }
    const found = await arrived
    if (found !== undefined) return found
    const name = `${group}/${edge}${device === undefined ? '' : `/${device}`}`
    throw new TaktError('TAKT_SPARKPLUG_NO_BIRTH', { what: `no birth of ${name} in ${timeoutMs / 1000} s`, where })
  }

  /** Resolves when data shows the value, the device dies, or the time is over. */
  #shown(
    view: EdgeView,
    device: string | undefined,
    name: string,
    value: Scalar,
    end: number,
  ): { readonly verdict: Promise<Verdict | undefined>; cancel(): void } {
    let finish: (verdict: Verdict | undefined) => void = () => {}
    const verdict = new Promise<Verdict | undefined>((resolve) => {
      const timer = setTimeout(() => finish(undefined), Math.max(0, end - performance.now()))
      const forget = view.listen((change) => {
        if (change.verb.endsWith('DEATH') && (change.device === device || change.device === undefined)) finish('dead')
        else if (change.device === device && change.values?.some((each) => each.name === name && Object.is(each.value, value)) === true) finish('told')
      })
      finish = (result) => {
        clearTimeout(timer)
        forget()
        resolve(result)
      }
    })
    return { verdict, cancel: () => finish(undefined) }
  }

  #payload(name: string, { alias, datatype }: MetricView, value: Scalar): Uint8Array {
    const timestamp = this.#now()
    // who uses aliases is told by alias alone (Sparkplug 3.0, tck-id-payloads-alias-data-cmd-requirement)
    const metric: Metric = { ...(alias === undefined ? { name } : { alias }), timestamp, datatype, value }
    return encodePayload({ timestamp, metrics: [metric] }, { omitDataTypes: true })
  }

  #now(): number {
    return Math.round(this.#setting.now())
  }
}

function refusal(code: 'TAKT_SPARKPLUG_DEAD' | 'TAKT_SPARKPLUG_METRIC_UNKNOWN' | 'TAKT_SPARKPLUG_VALUE', reason: string): Answer {
  return { status: 'refused', code, reason }
}

/** The one argument of a command; the arguments as JSON where there are several or none. */
function argumentOf({ arguments: given }: Command): Command['arguments'][string] {
  const values = Object.values(given)
  return values.length === 1 && values[0] !== undefined && values[0] !== null ? values[0] : JSON.stringify(given)
}
