import type { Cancel } from '../../base/clock.ts'
import { TaktError } from '../../base/error.ts'
import type { ErrorCode } from '../../base/error-codes.ts'
import type { Gap } from '../../messages/gap.ts'
import type { SampleSink } from '../mqtt-decoder.ts'
import { type EdgeMessage, HeldMessages, madeAt, type Span, spanOf } from './held-messages.ts'
import type { HostSetting } from './host-setting.ts'
import { samplesOf } from './metric-samples.ts'
import { type KnownMetric, type MetricRow, MetricTable } from './metric-table.ts'
import type { Integer, Metric, Payload } from './payload.ts'
import { RebirthRequest } from './rebirth-request.ts'
import { RecentMessages } from './recent-messages.ts'
import { staleSamples } from './stale-samples.ts'

/** What the host does for its edge nodes. */
export interface HostServices {
  readonly setting: HostSetting
  publishRebirth(group: string, node: string): void
  /** For what no message brings: a value that became stale, a gap. Undefined while nothing is connected any more. */
  line(): Omit<SampleSink, 'numbered'> | undefined
  /** Something that is remembered has changed. */
  changed(): void
  /** False when too many messages wait already. */
  mayHold(): boolean
}

export interface RememberedNode {
  readonly bdSeq: number | string | null
  readonly metrics: readonly MetricRow[]
  readonly devices: Readonly<Record<string, readonly MetricRow[]>>
}

interface Device {
  table: MetricTable
  alive: boolean
}

/** Real ms that an edge node has for its births before what waits for them is dealt with. */
const BIRTH_WAIT_MS = 10_000
/** Of the 256 sequence numbers. */
const HALF_ROUND = 128
const BD_SEQ = 'bdSeq'
/** A message whose promise is resolved already is still dealt with after those that waited: their promises were resolved before. */
const AFTER_THE_OTHERS = Promise.resolve()

/**
 * One edge node as the host sees it. `unsure` says that its births may have changed unseen: after a restart, a lost connection or a gap.
 * Messages then wait for the births, which tell whether the aliases still mean what they meant.
 */
export class HostNode {
  readonly group: string
  readonly node: string
  readonly #host: HostServices
  readonly #where: string
  readonly #rebirth: RebirthRequest
  readonly #recent = new RecentMessages()
  /** Came before those that go before them. */
  readonly #early = new HeldMessages()
  /** Wait for the births. */
  readonly #waiting = new HeldMessages()
  readonly #devices = new Map<string, Device>()
  #table: MetricTable | undefined
  #bdSeq: Integer | undefined
  #alive = false
  /** The session of the births that are known has ended. */
  #ended = false
  #unsure = true
  /** Nobody answered the rebirth request: values are taken by the last births that are known, with quality `uncertain`. */
  #unconfirmed = false
  #session = ''
  /** Of the session: what the sequence numbers 0–255 count, without their wrap. */
  #number = 0
  #expected = 0
  #lastAt = 0
  #reorderTimer: Cancel | undefined
  #birthTimer: Cancel | undefined
  #deviceTimer: Cancel | undefined

  constructor(group: string, node: string, host: HostServices, remembered?: RememberedNode) {
    this.group = group
    this.node = node
    this.#host = host
    this.#where = `${host.setting.where}, ${group}/${node}`
    this.#rebirth = new RebirthRequest(host.setting.timers, () => host.publishRebirth(group, node))
    if (remembered !== undefined) this.#recall(remembered)
  }

  get alive(): boolean {
    return this.#alive
  }

  get held(): number {
    return this.#early.size + this.#waiting.size
  }

  /** A message of this node. A promise resolves when it is dealt with. */
  take(edge: EdgeMessage): void | Promise<void> {
    const { verb } = edge.at
    if (verb === 'NBIRTH') return this.#takeBirth(edge)
    if (verb === 'NDEATH') return this.#takeDeath(edge)
    const { seq } = edge.payload
    if (typeof seq !== 'number' || seq > 255)
      return this.#bad(edge, 'TAKT_SPARKPLUG_INVALID', `${verb} has ${seq === undefined ? 'no sequence number' : `the sequence number ${seq}`}`)
    if (this.#unsure) return this.#wait(edge)
    if (seq === this.#expected) {
      this.#pass(edge)
      return this.#passEarly()
    }
    if (this.#recent.isRepetition(seq, edge.message.payload)) return undefined
    return this.#hold(edge, seq)
  }

  /** The connection is there: what is known of the node must be confirmed. */
  ask(): void {
    if (this.#unsure) this.#rebirth.now()
  }

  /** The connection to the broker is lost: nothing is current any more, and births may be missed. */
  lost(time: number): void {
    this.#doubt()
    const line = this.#host.line()
    if (line !== undefined) this.#stale(time, line)
  }

  remembered(): RememberedNode | undefined {
    if (this.#table === undefined) return undefined
    const devices = Object.fromEntries([...this.#devices].map(([device, { table }]) => [device, table.rows]))
    return { bdSeq: typeof this.#bdSeq === 'bigint' ? String(this.#bdSeq) : (this.#bdSeq ?? null), metrics: this.#table.rows, devices }
  }

  stop(): void {
    this.#reorderTimer?.()
    this.#birthTimer?.()
    this.#deviceTimer?.()
    this.#early.takeAll()
    this.#waiting.takeAll()
  }

  #takeBirth(edge: EdgeMessage): void | Promise<void> {
    const { payload } = edge
    const others = this.held > 0
    const bdSeq = bdSeqOf(payload)
    if (bdSeq === undefined) this.#bad(edge, 'TAKT_SPARKPLUG_BIRTH_INVALID', 'an NBIRTH without bdSeq: deaths cannot be told apart')
    if (payload.seq === undefined) this.#bad(edge, 'TAKT_SPARKPLUG_BIRTH_INVALID', 'an NBIRTH without a sequence number')
    const seq = typeof payload.seq === 'number' && payload.seq <= 255 ? payload.seq : 0
    const session = `${this.group}/${this.node}/bdSeq${bdSeq ?? '?'}@${payload.timestamp ?? edge.received}`
    if (!this.#unsure && this.#recent.isRepetition(seq, edge.message.payload)) return
    const table = MetricTable.ofBirth(payload.metrics, this.#host.setting.targets(this.group, this.node, undefined), (what, metric) =>
      this.#twice(edge, what, metric),
    )
    const same = this.#table !== undefined && bdSeq !== undefined && bdSeq === this.#bdSeq && table.same(this.#table)
    this.#settleWaiting(same)
    this.#rebirth.answered()
    // two births of one millisecond are two sessions all the same
    this.#session = this.#session === session || this.#session.startsWith(`${session}/`) ? `${session}/${this.#number + 1}` : session
    this.#number = 0
    this.#expected = (seq + 1) & 255
    const before = this.#table
    this.#bdSeq = bdSeq
    this.#table = table
    this.#alive = true
    this.#ended = false
    this.#unsure = false
    this.#unconfirmed = false
    this.#lastAt = madeAt(edge)
    this.#recent.clear()
    this.#recent.add(seq, edge.message.payload)
    edge.sink.numbered(this.#session, 0)
    if (before !== undefined) this.#staleMetrics(table.inherit(before), madeAt(edge), edge.sink)
    this.#emit(edge, table, undefined)
    this.#expectDevices()
    this.#host.changed()
    return others ? AFTER_THE_OTHERS : undefined
  }

  /** A will speaks for one session only: that of an older one must not end the one that runs. */
  #takeDeath(edge: EdgeMessage): void | Promise<void> {
    const bdSeq = bdSeqOf(edge.payload)
    if (this.#table === undefined || (this.#bdSeq !== undefined && bdSeq !== this.#bdSeq)) return
    if (!this.#alive && !this.#unsure) return
    const others = this.held > 0
    // what waits was sent before, in the session that has just ended
    this.#settleWaiting(true)
    this.#alive = false
    this.#ended = true
    this.#unsure = true
    this.#unconfirmed = false
    // the will was written when the session began: it knows nothing of its time (3.0, 5.5)
    this.#stale(edge.received, edge.sink)
    for (const device of this.#devices.values()) device.alive = false
    this.#host.changed()
    return others ? AFTER_THE_OTHERS : undefined
  }

  #hold(edge: EdgeMessage, seq: number): void | Promise<void> {
    if (this.#early.size >= HALF_ROUND || this.#early.has(({ payload }) => payload.seq === seq) || !this.#host.mayHold()) {
      // before the numbers come round and another message passes for the one that is missing
      this.#giveUpReordering()
      return this.take(edge)
    }
    this.#reorderTimer ??= this.#host.setting.timers.after(this.#host.setting.reorderMs, () => this.#giveUpReordering())
    return this.#early.hold(edge)
  }

  #passEarly(): void {
    for (let next = this.#nextEarly(); next !== undefined; next = this.#nextEarly()) this.#pass(next)
    if (this.#early.size > 0) return
    this.#reorderTimer?.()
    this.#reorderTimer = undefined
  }

  #nextEarly(): EdgeMessage | undefined {
    return this.#early.take(({ payload }) => payload.seq === this.#expected)
  }

  /** Something is missing for good: the births may be among it. */
  #giveUpReordering(): void {
    this.#doubt()
    this.#awaitBirth()
  }

  #doubt(): void {
    this.#declareMissing()
    this.#unsure = true
  }

  /** Says what is missing before the messages that came early, which then wait with the others. */
  #declareMissing(): void {
    this.#reorderTimer?.()
    this.#reorderTimer = undefined
    const early = [...this.#early.takeAll()].sort((a, b) => this.#distance(a) - this.#distance(b))
    const first = early[0]
    if (first === undefined) return
    this.#gapBefore(first)
    for (const edge of early) void this.#waiting.hold(edge)
  }

  #gapBefore(edge: EdgeMessage): void {
    const span = { from: this.#lastAt, to: madeAt(edge), lost: this.#distance(edge) }
    this.#gap('TAKT_SPARKPLUG_SEQUENCE', `sequence number ${this.#expected} did not come`, span, edge.sink)
  }

  #distance({ payload }: EdgeMessage): number {
    return (Number(payload.seq) - this.#expected + 256) & 255
  }

  #wait(edge: EdgeMessage): void | Promise<void> {
    if (!this.#host.mayHold()) {
      this.#settleUnconfirmed()
      if (!this.#unsure) {
        this.#passAll([edge])
        return AFTER_THE_OTHERS
      }
    }
    const held = this.#waiting.hold(edge)
    this.#awaitBirth()
    return held
  }

  #awaitBirth(): void {
    this.#rebirth.ask()
    this.#birthTimer ??= this.#host.setting.timers.after(BIRTH_WAIT_MS, () => this.#settleUnconfirmed())
  }

  /** The births have come, or the death of the session that was known: what waited is taken by the table it was made with, or given up. */
  #settleWaiting(trusted: boolean): void {
    this.#birthTimer?.()
    this.#birthTimer = undefined
    this.#declareMissing()
    const waited = this.#waiting.takeAll()
    if (waited.length === 0) return
    if (trusted) {
      const first = waited[0] as EdgeMessage
      this.#session = `${this.#session.split('/again@')[0]}/again@${first.received}`
      this.#number = 0
      // what is missing before it has been said
      this.#expected = Number(first.payload.seq)
      return this.#passAll(waited)
    }
    const last = waited.at(-1) as EdgeMessage
    const why = this.#table === undefined || this.#ended ? 'data without a birth' : 'the births changed while nobody was listening'
    this.#gap('TAKT_SPARKPLUG_NOT_BORN', why, spanOf(waited), last.sink)
    this.#bad(last, 'TAKT_SPARKPLUG_NOT_BORN', `${waited.length} message${waited.length === 1 ? '' : 's'} given up: ${why}`)
  }

  /** Nobody answers. With births that were known once the values are still worth something; without, nothing. */
  #settleUnconfirmed(): void {
    if (!this.#unsure) return
    if (this.#table === undefined || this.#ended) return this.#settleWaiting(false)
    const first = this.#waiting.first()
    if (first !== undefined)
      this.#bad(
        first,
        'TAKT_SPARKPLUG_UNCONFIRMED',
        'the edge node does not answer a rebirth request; its values are taken by its last known births, as uncertain',
      )
    this.#unsure = false
    this.#unconfirmed = true
    this.#alive = true
    this.#settleWaiting(true)
  }

  /** Messages in the order in which they came; what is missing between them is said. */
  #passAll(messages: readonly EdgeMessage[]): void {
    for (const edge of messages) {
      const seq = Number(edge.payload.seq)
      if (this.#recent.isRepetition(seq, edge.message.payload)) continue
      if (seq !== this.#expected) this.#gapBefore(edge)
      this.#expected = seq
      this.#pass(edge)
    }
  }

  /** The next message of the session. */
  #pass(edge: EdgeMessage): void {
    const { at, payload, message, sink } = edge
    this.#number++
    this.#expected = (Number(payload.seq) + 1) & 255
    this.#lastAt = madeAt(edge)
    this.#recent.add(Number(payload.seq), message.payload)
    sink.numbered(this.#session, this.#number)
    if (at.verb === 'NDATA') {
      if (this.#table !== undefined) this.#emit(edge, this.#table, undefined)
    } else if (at.verb === 'DBIRTH') this.#bearDevice(edge, at.device as string)
    else if (at.verb === 'DDATA') this.#deviceData(edge, at.device as string)
    else if (at.verb === 'DDEATH') this.#deviceDeath(edge, at.device as string)
  }

  #bearDevice(edge: EdgeMessage, name: string): void {
    const find = this.#host.setting.targets(this.group, this.node, name)
    const table = MetricTable.ofBirth(edge.payload.metrics, find, (what, metric) => this.#twice(edge, what, metric))
    const before = this.#devices.get(name)?.table
    this.#devices.set(name, { table, alive: true })
    if (before !== undefined) this.#staleMetrics(table.inherit(before), madeAt(edge), edge.sink)
    this.#emit(edge, table, name)
    this.#host.changed()
  }

  #deviceData(edge: EdgeMessage, name: string): void {
    const device = this.#devices.get(name)
    if (device?.alive) return this.#emit(edge, device.table, name)
    this.#bad(edge, 'TAKT_SPARKPLUG_NOT_BORN', device === undefined ? `data of device '${name}' before its birth` : `data of device '${name}' after its death`)
    this.#rebirth.ask()
  }

  #deviceDeath(edge: EdgeMessage, name: string): void {
    const device = this.#devices.get(name)
    if (device === undefined || !device.alive) return
    device.alive = false
    // unlike a node's will this message was made when it happened
    this.#staleMetrics(device.table.bound, madeAt(edge), edge.sink)
  }

  /** After the birth of a node its devices are born anew; one that is not has died unseen. */
  #expectDevices(): void {
    this.#deviceTimer?.()
    this.#deviceTimer = undefined
    if (this.#devices.size === 0) return
    const before = new Map([...this.#devices].map(([name, device]) => [name, device.table]))
    for (const device of this.#devices.values()) device.alive = false
    this.#deviceTimer = this.#host.setting.timers.after(BIRTH_WAIT_MS, () => {
      const line = this.#host.line()
      for (const [name, table] of before) {
        if (this.#devices.get(name)?.table !== table) continue
        this.#devices.delete(name)
        if (line !== undefined) this.#staleMetrics(table.bound, this.#host.setting.clock.now(), line)
      }
      this.#host.changed()
    })
  }

  #emit(edge: EdgeMessage, table: MetricTable, device: string | undefined): void {
    const where = device === undefined ? this.#where : `${this.#where}/${device}`
    const samples = samplesOf(edge.payload, {
      table,
      origin: { source: this.#host.setting.source, session: this.#session, sequence: this.#number },
      unconfirmed: this.#unconfirmed,
      where,
      bad: (problem) => edge.sink.bad(problem, edge.message),
      mismatch: () => this.#rebirth.ask(),
    })
    for (const { topic, sample } of samples) edge.sink.sample(sample, topic)
  }

  #stale(time: number, sink: Pick<SampleSink, 'sample'>): void {
    if (this.#table !== undefined) this.#staleMetrics(this.#table.bound, time, sink)
    for (const device of this.#devices.values()) {
      if (device.alive) this.#staleMetrics(device.table.bound, time, sink)
    }
  }

  #staleMetrics(metrics: readonly KnownMetric[], time: number, sink: Pick<SampleSink, 'sample'>): void {
    for (const { topic, sample } of staleSamples(metrics, time, this.#host.setting.clock.now())) sink.sample(sample, topic)
  }

  #gap(code: ErrorCode, why: string, { from, to, lost }: Span, sink: Pick<SampleSink, 'document'>): void {
    const { source } = this.#host.setting
    const gap: Gap = { kind: 'gap', source, from: Math.min(from, to), to, code, why: `${this.group}/${this.node}: ${why}`, lost }
    const units = this.#boundSignals()
    if (units.size === 0) return sink.document(gap, `${source}/gap`)
    for (const [equipment, signals] of units) sink.document({ ...gap, equipment, signals: [...signals] }, `${source}/gap`)
  }

  #boundSignals(): ReadonlyMap<string, ReadonlySet<string>> {
    const units = new Map<string, Set<string>>()
    const tables = [this.#table, ...[...this.#devices.values()].map(({ table }) => table)]
    for (const { targets } of tables.flatMap((table) => table?.bound ?? [])) {
      for (const { bound } of targets) units.set(bound.equipment.id, (units.get(bound.equipment.id) ?? new Set()).add(bound.signal.name))
    }
    return units
  }

  #twice(edge: EdgeMessage, what: 'name' | 'alias', { name, alias }: Metric): void {
    if (what === 'alias') this.#bad(edge, 'TAKT_SPARKPLUG_ALIAS_DUPLICATE', `the birth gives alias ${alias} to several metrics, '${name}' among them`)
    else this.#bad(edge, 'TAKT_SPARKPLUG_BIRTH_INVALID', `the birth has metric '${name}' twice; the first counts`)
  }

  #bad({ message, sink }: EdgeMessage, code: ErrorCode, what: string): void {
    sink.bad(new TaktError(code, { what, where: this.#where }), message)
  }

  #recall({ bdSeq, metrics, devices }: RememberedNode): void {
    const { targets } = this.#host.setting
    this.#bdSeq = typeof bdSeq === 'string' ? BigInt(bdSeq) : (bdSeq ?? undefined)
    this.#table = MetricTable.ofRows(metrics, targets(this.group, this.node, undefined))
    for (const [name, rows] of Object.entries(devices))
      this.#devices.set(name, { table: MetricTable.ofRows(rows, targets(this.group, this.node, name)), alive: true })
    this.#session = `${this.group}/${this.node}/bdSeq${bdSeq ?? '?'}`
  }
}

function bdSeqOf({ metrics }: Payload): Integer | undefined {
  const value = metrics.find(({ name }) => name === BD_SEQ)?.value
  return typeof value === 'number' || typeof value === 'bigint' ? value : undefined
}
