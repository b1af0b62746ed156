import type { Clock } from '../../base/clock.ts'
import { type TaktError, toTaktError } from '../../base/error.ts'
import { encodePayload } from './codec.ts'
import { DATA_TYPES } from './datatypes.ts'
import { type Dropped, EdgeBacklog, type Untold } from './edge-backlog.ts'
import { readCommand } from './edge-command.ts'
import { PrimaryHost } from './edge-primary-host.ts'
import { EdgeTemplates } from './edge-templates.ts'
import { EdgeTimers } from './edge-timers.ts'
import type { EdgeLink, EdgeTransport } from './edge-transport.ts'
import { EdgeUnit, type EdgeValue } from './edge-unit.ts'
import type { Metric, Payload, Template, Value } from './payload.ts'

/** `waiting`: connected, and the primary host is not known to be online. `online`: hosts have the births and get every change. */
export type EdgeState = 'idle' | 'connecting' | 'waiting' | 'online' | 'away'

/** What outlives the process: the number of the last session, and on an orderly end the values that hosts do not have yet. */
export interface EdgeMemory {
  readonly bdSeq: number
  readonly untold?: readonly Untold[]
}

/** A host writes a metric. */
export interface EdgeCommand {
  /** Undefined: the edge node itself. */
  readonly device: string | undefined
  readonly metric: string
  readonly value: Value | null
  /** Epoch ms as the host says, where it does. */
  readonly time: number | undefined
}

export interface EdgeSetting {
  readonly group: string
  readonly edge: string
  /** Host application id that births wait for; none: they wait for nobody. */
  readonly primaryHost?: string | undefined
  readonly aliases: boolean
  /** How many MQTT servers the transport can reach; one at a time is used. */
  readonly servers: number
  /** Values kept while hosts cannot be told. */
  readonly capacity: number
  /** Ms that changes are gathered for one message, and new metrics for one birth. */
  readonly gatherMs: number
  readonly settleMs: number
  /** Ms to wait for word of the primary host on one of several servers. */
  readonly patienceMs: number
  /** Template definitions by name, announced in the NBIRTH. */
  readonly templates?: ReadonlyMap<string, Omit<Template, 'isDefinition' | 'templateRef'>>
  /** Time of the plant, epoch ms: what payloads carry. */
  readonly now: () => number
  /** Real time, for delays. */
  readonly timer: Pick<Clock, 'after'>
  readonly memory: { load(): EdgeMemory | undefined; save(memory: EdgeMemory): void }
  readonly transport: EdgeTransport
  readonly where: string
}

export interface EdgeListener {
  changed(state: EdgeState, problem: TaktError | undefined): void
  command(command: EdgeCommand): void
  /** A message that cannot be used. */
  bad(problem: TaktError, topic: string, payload: Uint8Array): void
  /** Values that no host will ever get: a gap with its bounds. */
  dropped(dropped: readonly Dropped[]): void
}

const RETRY_MS = 1000
/** Births at most this often, whoever asks for them. */
const BIRTH_PAUSE_MS = 1000
/** Values in one message of what is told late, and the pause to the next one. */
const LATE_AT_ONCE = 500
const LATE_PAUSE_MS = 10

/** One MQTT session, from the attempt to connect to its end. */
interface Session {
  readonly bdSeq: number
  readonly server: number
  link: EdgeLink | undefined
  open: boolean
}

/**
 * A Sparkplug B 3.0 edge node: births, data by exception, deaths, commands, and what hosts could not be told is told later as historical.
 * Knows neither MQTT nor a clock: both are given. Every value reaches the hosts in a birth or in a data message, or is declared dropped; one whose message
 * the server may not have got is told again.
 */
export class SparkplugEdge {
  readonly #setting: EdgeSetting
  readonly #listener: EdgeListener
  readonly #templates: EdgeTemplates
  readonly #node: EdgeUnit
  readonly #devices = new Map<string, EdgeUnit>()
  readonly #backlog: EdgeBacklog
  readonly #hosts: readonly PrimaryHost[]
  readonly #nextAlias: (() => number) | undefined
  /** Values that go with the next data message of their unit. */
  readonly #changes = new Map<EdgeUnit, EdgeValue[]>()
  /** Values that were sent and that the server has not yet proved to have. */
  #inDoubt: Array<Untold & { readonly sent: number }> = []
  #session: Session | undefined
  #state: EdgeState = 'idle'
  #bdSeq: number
  #seq = 0
  #server = 0
  readonly #timers: EdgeTimers<'retry' | 'patience' | 'gather' | 'settle' | 'late' | 'rebirth' | 'birth pause'>

  constructor(setting: EdgeSetting, listener: EdgeListener) {
    this.#setting = setting
    this.#listener = listener
    let alias = 0
    this.#nextAlias = setting.aliases ? () => ++alias : undefined
    this.#templates = new EdgeTemplates(setting.templates ?? new Map(), setting.where)
    this.#node = new EdgeUnit(undefined, this.#nextAlias, setting.where)
    this.#backlog = new EdgeBacklog(setting.capacity)
    this.#hosts = Array.from({ length: setting.servers }, () => new PrimaryHost(setting.where))
    this.#timers = new EdgeTimers(setting.timer)
    const memory = setting.memory.load()
    this.#bdSeq = memory?.bdSeq ?? -1
    this.#backlog.unshift(memory?.untold ?? [])
  }

  get state(): EdgeState {
    return this.#state
  }

  /** Which of the servers is used now, from 0. */
  get server(): number {
    return this.#server
  }

  /** Values that hosts do not have yet, and plant time of the oldest. */
  get waiting(): { readonly values: number; readonly oldest: number | undefined; readonly dropped: number } {
    return { values: this.#backlog.size, oldest: this.#backlog.oldest, dropped: this.#backlog.dropped }
  }

  /** Devices that are alive. */
  get devices(): number {
    let alive = 0
    for (const unit of this.#devices.values()) if (unit.alive) alive++
    return alive
  }

  /** The present value of a metric. */
  current(device: string | undefined, name: string): EdgeValue | undefined {
    return (device === undefined ? this.#node : this.#devices.get(device))?.current(name)
  }

  start(): void {
    if (this.#state === 'idle') this.#connect()
  }

  /** Says goodbye to the hosts and keeps what they could not be told. */
  async stop(): Promise<void> {
    this.#gathered()
    this.#becomes('idle')
    const session = this.#session
    // the server has the last word, so it has all that came before
    if (session !== undefined && (await session.link?.close(this.#death(session))) === true) this.#inDoubt = []
    this.#end()
    this.#declare()
    this.#setting.memory.save({ bdSeq: this.#bdSeq, untold: this.#backlog.all() })
  }

  /** New values of a device, or of the edge node itself. Returns why some of them cannot be published; the others are. */
  update(device: string | undefined, values: readonly EdgeValue[]): readonly TaktError[] {
    const unit = this.#unit(device)
    const problems: TaktError[] = []
    for (const value of values) {
      try {
        this.#take(unit, this.#templates.checked(value))
      } catch (thrown) {
        problems.push(toTaktError(thrown, this.#setting.where))
      }
    }
    return problems
  }

  /** The device was lost: hosts hold its values for stale. It lives again with its next value. */
  deviceDied(device: string): void {
    const unit = this.#devices.get(device)
    if (unit === undefined || !unit.alive) return
    this.#gathered()
    unit.alive = false
    if (!unit.born) return
    unit.born = false
    this.#say('DDEATH', unit, { metrics: [] })
  }

  #take(unit: EdgeUnit, value: EdgeValue): void {
    const taken = unit.take(value)
    // a reading that is bad brings no dead device back
    const revived = !unit.alive && value.quality !== 'bad'
    if (revived) unit.alive = true
    if (this.#telling && taken === 'changed' && unit.knows(value)) {
      const changes = this.#changes.get(unit)
      if (changes === undefined) this.#changes.set(unit, [value])
      else changes.push(value)
      this.#timers.soon('gather', this.#setting.gatherMs, () => this.#gathered())
      return
    }
    if (taken !== 'same') this.#backlog.push({ device: unit.device, value })
    else if (!revived) return
    if (this.#state === 'online' && unit.alive) this.#timers.soon('settle', this.#setting.settleMs, () => this.#settled())
  }

  /** Data may go out: hosts have the births and ask for no others. */
  get #telling(): boolean {
    return this.#state === 'online' && !this.#timers.has('rebirth')
  }

  #unit(device: string | undefined): EdgeUnit {
    if (device === undefined) return this.#node
    let unit = this.#devices.get(device)
    if (unit === undefined) {
      unit = new EdgeUnit(device, this.#nextAlias, this.#setting.where)
      this.#devices.set(device, unit)
    }
    return unit
  }

  // ---- sessions

  #connect(): void {
    const { group, edge, primaryHost, transport, memory } = this.#setting
    this.#bdSeq = (this.#bdSeq + 1) % 256
    // before the server has it: a number that was used must not be used again
    memory.save({ bdSeq: this.#bdSeq })
    const session: Session = { bdSeq: this.#bdSeq, server: this.#server, link: undefined, open: false }
    this.#session = session
    this.#host.state = undefined
    this.#becomes('connecting')
    const current = () => this.#session === session
    session.link = transport.open({
      server: session.server,
      will: this.#death(session),
      filters: [`spBv1.0/${group}/NCMD/${edge}`, `spBv1.0/${group}/DCMD/${edge}/+`, ...(primaryHost === undefined ? [] : [`spBv1.0/STATE/${primaryHost}`])],
      opened: () => current() && this.#opened(session),
      lost: (problem, reached) => current() && this.#lost(problem, reached),
      message: (topic, payload, retained) => current() && this.#message(session, topic, payload, retained),
      proved: (sent) => current() && this.#proved(sent),
    })
  }

  #opened(session: Session): void {
    session.open = true
    const { primaryHost, servers, patienceMs } = this.#setting
    if (primaryHost === undefined || this.#host.state === 'online') return this.#goOnline()
    this.#becomes('waiting')
    if (servers < 2) return
    if (this.#host.state === 'offline') void this.#walk(session)
    else this.#timers.soon('patience', patienceMs, () => void this.#walk(session))
  }

  #goOnline(): void {
    this.#timers.cancel('patience')
    this.#becomes('online')
    this.#birth()
  }

  #lost(problem: TaktError | undefined, reached: boolean): void {
    this.#end()
    // the number counts CONNECT packets: what no server saw was none
    if (!reached) this.#bdSeq = (this.#bdSeq + 255) % 256
    this.#becomes('away', problem)
    this.#again()
  }

  /** Leaves this server for the next one of the list, which may be the same. The host may have gone before it said so: what it may not have heard is told again. */
  async #walk(session: Session): Promise<void> {
    if (this.#session !== session) return
    this.#end()
    this.#becomes('away')
    await session.link?.close(this.#death(session))
    if (this.#state === 'away' && this.#session === undefined) this.#again()
  }

  #again(): void {
    this.#server = (this.#server + 1) % this.#setting.servers
    this.#timers.soon('retry', RETRY_MS, () => this.#connect())
  }

  /** Hosts hold everything for stale from here on; what they may not have heard is kept. */
  #end(): void {
    this.#gathered()
    this.#session = undefined
    this.#timers.cancelAll()
    for (const unit of [this.#node, ...this.#devices.values()]) unit.born = false
    for (const { device, value } of this.#inDoubt) this.#unit(device).doubt(value)
    this.#backlog.unshift(this.#inDoubt.map(({ device, value }) => ({ device, value })))
    this.#inDoubt = []
  }

  get #host(): PrimaryHost {
    return this.#hosts[this.#server] as PrimaryHost
  }

  #death({ bdSeq }: Session): { readonly topic: string; readonly payload: Uint8Array } {
    const { group, edge, now } = this.#setting
    return { topic: `spBv1.0/${group}/NDEATH/${edge}`, payload: encodePayload({ timestamp: now(), metrics: [bdSeqMetric(bdSeq, now())] }) }
  }

  // ---- what comes in

  #message(session: Session, topic: string, payload: Uint8Array, retained: boolean): void {
    const { group, edge, primaryHost } = this.#setting
    try {
      if (primaryHost !== undefined && topic === `spBv1.0/STATE/${primaryHost}`) return this.#hostSaid(session, this.#host.take(payload))
      // a command that the server kept is one of the past
      if (retained || this.#state !== 'online') return
      const unit = topic === `spBv1.0/${group}/NCMD/${edge}` ? this.#node : this.#devices.get(topic.split('/')[4] ?? '')
      const { rebirth, commands, problems } = readCommand(payload, topic, unit, unit === this.#node, this.#setting.where)
      for (const problem of problems) this.#listener.bad(problem, topic, payload)
      if (rebirth) this.#rebirth()
      for (const command of commands) this.#listener.command(command)
    } catch (thrown) {
      this.#listener.bad(toTaktError(thrown, this.#setting.where), topic, payload)
    }
  }

  #hostSaid(session: Session, said: 'online' | 'offline' | undefined): void {
    if (said === undefined || !session.open) return
    if (said === 'online' && this.#state === 'waiting') return this.#goOnline()
    // on the only server, an edge node that was not born has nothing to take back: it waits where the host will appear
    if (said === 'offline' && (this.#state === 'online' || (this.#state === 'waiting' && this.#setting.servers > 1))) void this.#walk(session)
  }

  #proved(sent: number): void {
    let at = 0
    while (at < this.#inDoubt.length && (this.#inDoubt[at] as { sent: number }).sent <= sent) at++
    if (at > 0) this.#inDoubt = this.#inDoubt.slice(at)
  }

  // ---- what goes out

  /** A host asks for all births; no data goes out before them. Asked too often, it gets them a little later. */
  #rebirth(): void {
    if (!this.#timers.has('birth pause')) return this.#birth()
    this.#dissolve(this.#changes.keys())
    this.#timers.soon('rebirth', BIRTH_PAUSE_MS, () => this.#birth())
  }

  /** New metrics came to units that hosts know, or new units. */
  #settled(): void {
    if (!this.#telling) return
    if (this.#node.hasNews) return this.#birth()
    for (const unit of this.#devices.values()) if (unit.alive && unit.hasNews) this.#birthOf(unit)
    this.#tellLate()
  }

  /** NBIRTH and the births of all living devices. */
  #birth(): void {
    this.#dissolve(this.#changes.keys())
    this.#seq = 0
    const time = this.#setting.now()
    const metrics: Metric[] = [
      bdSeqMetric((this.#session as Session).bdSeq, time),
      { name: 'Node Control/Rebirth', timestamp: time, datatype: DATA_TYPES.Boolean, value: false },
      ...this.#templates.metrics(time),
    ]
    this.#birthOf(this.#node, metrics)
    for (const unit of this.#devices.values()) if (unit.alive && unit.size > 0) this.#birthOf(unit)
    this.#timers.cancel('birth pause')
    this.#timers.soon('birth pause', BIRTH_PAUSE_MS, () => {})
    this.#tellLate()
  }

  #birthOf(unit: EdgeUnit, own: readonly Metric[] = []): void {
    this.#dissolve([unit])
    const fresh: EdgeValue[] = []
    const metrics = [...own, ...unit.birth((value) => fresh.push(value))]
    const sent = this.#say(unit.device === undefined ? 'NBIRTH' : 'DBIRTH', unit, { metrics })
    this.#doubt(unit, fresh, sent)
  }

  /** Changes that wait for their message when a birth is due: the birth tells the present values, the earlier ones follow as historical. */
  #dissolve(units: Iterable<EdgeUnit>): void {
    for (const unit of [...units]) {
      for (const value of this.#changes.get(unit) ?? []) this.#backlog.push({ device: unit.device, value })
      this.#changes.delete(unit)
    }
  }

  /** Sends the changes that were gathered, one message a unit. */
  #gathered(): void {
    this.#timers.cancel('gather')
    for (const [unit, values] of this.#changes) {
      this.#changes.delete(unit)
      if (this.#telling) this.#tell(unit, values, false)
      else for (const value of values) this.#backlog.push({ device: unit.device, value })
    }
  }

  /** Sends what hosts were not told in its time, a part at once, until all is told that can be. */
  #tellLate(): void {
    if (!this.#telling) return
    this.#declare()
    const late = this.#backlog.take(({ device, value }) => this.#unit(device).knows(value), LATE_AT_ONCE)
    const byUnit = new Map<EdgeUnit, EdgeValue[]>()
    for (const { device, value } of late) {
      const unit = this.#unit(device)
      if (!unit.heard(value)) byUnit.set(unit, [...(byUnit.get(unit) ?? []), value])
    }
    for (const [unit, values] of byUnit) this.#tell(unit, values, true)
    if (late.length === LATE_AT_ONCE) this.#timers.soon('late', LATE_PAUSE_MS, () => this.#tellLate())
  }

  #tell(unit: EdgeUnit, values: readonly EdgeValue[], historical: boolean): void {
    const inOrder = values.toSorted((one, other) => one.time - other.time)
    const sent = this.#say(unit.device === undefined ? 'NDATA' : 'DDATA', unit, { metrics: unit.data(inOrder, historical) })
    this.#doubt(unit, inOrder, sent)
  }

  #doubt(unit: EdgeUnit, values: readonly EdgeValue[], sent: number): void {
    for (const value of values) this.#inDoubt.push({ device: unit.device, value, sent })
    // a server that answers nothing for so long is about to be given up
    if (this.#inDoubt.length > 2 * this.#setting.capacity) this.#inDoubt = this.#inDoubt.slice(this.#setting.capacity)
  }

  /** Returns the number of the message on this connection. */
  #say(verb: 'NBIRTH' | 'DBIRTH' | 'NDATA' | 'DDATA' | 'DDEATH', unit: EdgeUnit, payload: Payload): number {
    const { group, edge, now } = this.#setting
    const topic = `spBv1.0/${group}/${verb}/${edge}${unit.device === undefined ? '' : `/${unit.device}`}`
    const seq = this.#seq
    this.#seq = (seq + 1) % 256
    return this.#session?.link?.publish(topic, encodePayload({ timestamp: now(), seq, ...payload }, { omitDataTypes: verb.endsWith('DATA') })) ?? 0
  }

  #declare(): void {
    const dropped = this.#backlog.declare()
    if (dropped.length > 0) this.#listener.dropped(dropped)
  }

  #becomes(state: EdgeState, problem?: TaktError): void {
    this.#state = state
    this.#listener.changed(state, problem)
  }
}

function bdSeqMetric(bdSeq: number, timestamp: number): Metric {
  return { name: 'bdSeq', timestamp, datatype: DATA_TYPES.Int64, value: bdSeq }
}
