import type { Cancel } from '../../base/clock.ts'
import { TaktError, toTaktError } from '../../base/error.ts'
import type { MqttMessage } from '../mqtt-connection.ts'
import type { MqttLine, SampleSink } from '../mqtt-decoder.ts'
import { unpackPayload } from './compressed.ts'
import { readMemory } from './host-memory.ts'
import { HostNode, type HostServices } from './host-node.ts'
import type { HostSetting } from './host-setting.ts'
import { HostState, type StateMessage } from './host-state.ts'
import { rebirthMessage } from './rebirth-message.ts'
import { type EdgeTopic, readEdgeTopic } from './topic.ts'

export interface HostFigures {
  /** Edge nodes that were heard of, and those of them that live. */
  readonly nodes: number
  readonly alive: number
  /** Messages that wait for others, or for births. */
  readonly held: number
  readonly rebirthsAsked: number
}

/** Messages that may wait, of all edge nodes together. More than the connection has under way at once could keep the births from being read. */
const HELD_AT_MOST = 500
/** Edge nodes that are kept in mind; whoever may publish could invent any number of them. */
const NODES_AT_MOST = 10_000
const SAVE_AFTER_MS = 1000

/**
 * A Sparkplug B 3.0 host application on one MQTT server: says whether it is online, follows births and deaths, puts messages in order, resolves aliases,
 * asks for births, and turns metrics into samples. Nothing of MQTT but the messages: `line` publishes.
 */
export class SparkplugHost {
  readonly #setting: HostSetting
  readonly #state: HostState | undefined
  readonly #nodes = new Map<string, HostNode>()
  readonly #services: HostServices
  #line: MqttLine | undefined
  #connected = false
  #rebirthsAsked = 0
  #answerTimer: Cancel | undefined
  #saveTimer: Cancel | undefined

  constructor(setting: HostSetting) {
    this.#setting = setting
    this.#state = setting.hostId === undefined ? undefined : new HostState(setting.hostId, setting.timers)
    this.#services = {
      setting,
      publishRebirth: (group, node) => this.#publishRebirth(group, node),
      line: () => this.#line?.sink,
      changed: () => this.#saveSoon(),
      mayHold: () => this.figures.held < HELD_AT_MOST,
    }
    for (const [key, remembered] of readMemory(setting.memory?.load())) {
      const [group = '', node = ''] = key.split('/')
      this.#nodes.set(key, new HostNode(group, node, this.#services, remembered))
    }
  }

  get figures(): HostFigures {
    const nodes = [...this.#nodes.values()]
    return {
      nodes: nodes.length,
      alive: nodes.filter((node) => node.alive).length,
      held: nodes.reduce((sum, node) => sum + node.held, 0),
      rebirthsAsked: this.#rebirthsAsked,
    }
  }

  /** Where the host's own STATE is said; `undefined` for a host without a name. */
  get stateTopic(): string | undefined {
    return this.#state?.topic
  }

  will(): StateMessage | undefined {
    return this.#state?.will()
  }

  /** Subscribed: births from now on will be heard. */
  connected(line: MqttLine): void {
    if (this.#connected) return
    this.#connected = true
    this.#line = line
    if (this.#state !== undefined) this.#say(this.#state.birth())
    for (const node of this.#nodes.values()) node.ask()
  }

  lost(line: MqttLine): void {
    this.#line = line
    this.#connected = false
    this.#answerTimer?.()
    const now = this.#setting.clock.now()
    for (const node of this.#nodes.values()) node.lost(now)
  }

  /** Says that it goes, and forgets what waits. */
  async stop(line: MqttLine): Promise<void> {
    const state = this.#connected ? this.#state : undefined
    this.#connected = false
    this.#answerTimer?.()
    for (const node of this.#nodes.values()) node.stop()
    this.#save()
    this.#line = undefined
    if (state === undefined) return
    const { topic, payload, ...options } = state.death()
    await line.publish(topic, payload, options).catch(() => {})
  }

  /** One message of the broker. A promise resolves when it is dealt with; it may wait for those before it, or for births. */
  take(message: MqttMessage, sink: SampleSink): void | Promise<void> {
    const { topic } = message
    if (topic === this.#state?.topic) return this.#takeState(message, sink)
    const at = readEdgeTopic(topic)
    if (at === undefined) {
      // other hosts say on STATE how they are
      if (!topic.startsWith('spBv1.0/STATE/'))
        sink.bad(new TaktError('TAKT_SPARKPLUG_TOPIC', { where: `${this.#setting.where}, topic ${clip(topic)}` }), message)
      return undefined
    }
    if (at.verb === 'NCMD' || at.verb === 'DCMD') return undefined
    const where = `${this.#setting.where}, topic ${clip(topic)}`
    if (message.retain) return sink.bad(new TaktError('TAKT_SPARKPLUG_RETAINED', { where }), message)
    try {
      const payload = unpackPayload(message.payload, { ...this.#setting.limits, where })
      return this.#nodeOf(at, where).take({ at, payload, message, sink, received: this.#setting.clock.now() })
    } catch (thrown) {
      return sink.bad(toTaktError(thrown, where), message)
    }
  }

  #nodeOf({ group, node }: EdgeTopic, where: string): HostNode {
    const key = `${group}/${node}`
    let found = this.#nodes.get(key)
    if (found === undefined) {
      if (this.#nodes.size >= NODES_AT_MOST)
        throw new TaktError('TAKT_SPARKPLUG_TOO_LARGE', { what: `more than ${NODES_AT_MOST} edge nodes on one broker`, where })
      found = new HostNode(group, node, this.#services)
      this.#nodes.set(key, found)
    }
    return found
  }

  /** The will of a connection that we have given up may come late, and anybody may publish: edge nodes must know that we are here. */
  #takeState(message: MqttMessage, sink: SampleSink): void {
    const wrong = this.#state?.contradicted(message.payload)
    if (wrong === undefined || !this.#connected) return
    // what lay retained from before is our own will
    if (!message.retain) sink.bad(new TaktError('TAKT_SPARKPLUG_STATE_FOREIGN', { where: `${this.#setting.where}, topic ${message.topic}` }), message)
    if (wrong.inMs === 0) return this.#sayBirth()
    this.#answerTimer?.()
    this.#answerTimer = this.#setting.timers.after(wrong.inMs, () => this.#sayBirth())
  }

  #sayBirth(): void {
    if (this.#connected && this.#state !== undefined) this.#say(this.#state.birth())
  }

  #say({ topic, payload, ...options }: StateMessage): void {
    // lost with the connection, it is said again on the next one
    this.#line?.publish(topic, payload, options).catch(() => {})
  }

  #publishRebirth(group: string, node: string): void {
    if (!this.#connected || this.#line === undefined) return
    this.#rebirthsAsked++
    const { topic, payload, ...options } = rebirthMessage(group, node, Math.round(this.#setting.timers.now()))
    this.#line.publish(topic, payload, options).catch(() => {})
  }

  #saveSoon(): void {
    if (this.#setting.memory === undefined) return
    this.#saveTimer ??= this.#setting.timers.after(SAVE_AFTER_MS, () => this.#save())
  }

  #save(): void {
    this.#saveTimer?.()
    this.#saveTimer = undefined
    const { memory } = this.#setting
    if (memory === undefined) return
    const nodes = [...this.#nodes].flatMap(([key, node]) => {
      const remembered = node.remembered()
      return remembered === undefined ? [] : [[key, remembered] as const]
    })
    try {
      memory.save({ version: 1, nodes: Object.fromEntries(nodes) })
    } catch {
      // without a memory births are asked for: nothing is lost but a moment
    }
  }
}

function clip(text: string): string {
  return text.length > 120 ? `${text.slice(0, 117)}…` : text
}
