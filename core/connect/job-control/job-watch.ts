import { type TaktError, toTaktError } from '../../base/error.ts'
import type { JobResponse } from '../../messages/job-response.ts'
import type { Sample } from '../../messages/sample.ts'
import type { SignalRole } from '../../plant/model.ts'
import type { BoundSignal, Plant } from '../../plant/plant.ts'
import { type SampleSetting, sampleOf } from '../../signal/sample.ts'
import type { OpcuaConnection } from '../opcua-connection.ts'
import type { JobState } from './job-states.ts'
import { documentOfResponse, quantitiesOf } from './machine-response.ts'
import { type ListedOrder, ReceiverClient } from './receiver-client.ts'

/** A unit whose state is told by its job order receiver. */
export interface WatchedReceiver {
  readonly equipment: string
  readonly receiver: string
  readonly signals: Partial<Record<SignalRole, BoundSignal>>
}

export interface JobWatchSetting extends SampleSetting {
  /** name of the endpoint, for the samples' origin */
  readonly source: string
  /** what outlives the process; without it the count of a job order that ended meanwhile may be missed */
  readonly memory?: { load(): Promise<unknown>; save(state: unknown): Promise<void> } | undefined
}

export interface JobWatchSink {
  /** in the order they must be taken: job order, counts, state */
  sample(sample: Sample, topic: string): void
  /** what a machine says it made under a job order that is over */
  response(document: JobResponse, topic: string): void
  /** a receiver that is not there, or an answer that cannot be used; told once until it is another */
  problem(problem: TaktError): void
}

interface Seen {
  job: string
  /** its end was told */
  over: boolean
}

const EVERY_MS = 500
const TIMEOUT_MS = 10_000

/**
 * What machines say about their job orders, as samples: which job order it is at, what of it is made, and the PackML state that this comes to. Read twice a second rather
 * than heard: a state that is read again after a loss is right, an event that was missed is not.
 */
export class JobOrderWatch {
  readonly #connection: OpcuaConnection
  readonly #units: readonly WatchedReceiver[]
  readonly #setting: JobWatchSetting
  readonly #sink: JobWatchSink
  readonly #clients = new Map<string, Promise<ReceiverClient>>()
  readonly #seen = new Map<string, Seen>()
  readonly #said = new Map<string, unknown>()
  readonly #told = new Map<string, string>()
  readonly #forget: () => void
  #present: { readonly open: (receiver: string) => Promise<ReceiverClient> } | undefined
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(connection: OpcuaConnection, units: readonly WatchedReceiver[], setting: JobWatchSetting, sink: JobWatchSink) {
    this.#connection = connection
    this.#units = units
    this.#setting = setting
    this.#sink = sink
    this.#forget = connection.onSession((session, opcua) => {
      this.#clients.clear()
      this.#present = { open: (receiver) => ReceiverClient.open(session, opcua, receiver, TIMEOUT_MS, setting.where) }
    })
    void this.#begin()
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    this.#forget()
  }

  async #begin(): Promise<void> {
    try {
      const kept = (await this.#setting.memory?.load()) as Record<string, Seen> | undefined
      for (const [equipment, seen] of Object.entries(kept ?? {})) if (!this.#seen.has(equipment)) this.#seen.set(equipment, { ...seen })
    } catch (thrown) {
      this.#sink.problem(toTaktError(thrown, this.#setting.where))
    }
    await this.#look()
  }

  async #look(): Promise<void> {
    if (this.#closed) return
    if (this.#connection.state === 'connected' && this.#present !== undefined) await Promise.all(this.#units.map((unit) => this.#read(unit)))
    if (!this.#closed) this.#timer = setTimeout(() => void this.#look(), EVERY_MS)
  }

  async #read(unit: WatchedReceiver): Promise<void> {
    const { equipment, receiver } = unit
    try {
      const client = await this.#client(receiver)
      const jobs = (await client.jobs()) ?? []
      const before = this.#seen.get(equipment)
      const current = currentOf(jobs, before?.job)
      // what ended since the last look is told before what came after it
      if (before !== undefined && !before.over && before.job !== '' && before.job !== current?.id) {
        const left = jobs.find(({ id }) => id === before.job)
        if (left !== undefined) await this.#tell(unit, client, left, before)
      }
      await this.#tell(unit, client, current, before)
      this.#told.delete(equipment)
    } catch (thrown) {
      this.#clients.delete(receiver)
      const problem = toTaktError(thrown, `${this.#setting.where}, ${equipment}`)
      // a loss of the connection is the connection's to tell
      if (this.#closed || this.#connection.state !== 'connected' || this.#told.get(equipment) === problem.message) return
      this.#told.set(equipment, problem.message)
      this.#sink.problem(problem)
    }
  }

  async #tell(unit: WatchedReceiver, client: ReceiverClient, job: ListedOrder | undefined, before: Seen | undefined): Promise<void> {
    const { equipment } = unit
    const begun = job !== undefined && job.state !== 'AllowedToStart' && job.state !== 'NotAllowedToStart'
    const response = begun ? await client.response(job.id) : undefined
    if (this.#closed) return
    const id = job?.id ?? ''
    this.#say(unit, 'job-order', id)
    // a machine counts each job order from zero; of one that was under way before anybody looked, the zero is long past
    if (job !== undefined && before !== undefined && before.job !== id && this.#said.get(`${equipment} new`) !== id) {
      this.#said.set(`${equipment} new`, id)
      this.#say(unit, 'good-count', 0)
      this.#say(unit, 'scrap-count', 0)
    }
    if (response !== undefined) {
      const { good, scrap } = quantitiesOf(response)
      if (good !== undefined) this.#say(unit, 'good-count', good)
      if (scrap !== undefined) this.#say(unit, 'scrap-count', scrap)
    }
    this.#say(unit, 'packml-state', packmlOf(job))
    const over = job !== undefined && (job.state === 'Ended' || job.state === 'Aborted')
    const seen = this.#seen.get(equipment)
    if (seen?.job === id && seen.over === over) return
    if (over && response !== undefined) this.#sink.response(documentOfResponse(response, equipment), `${equipment}/job-response`)
    this.#seen.set(equipment, { job: id, over })
    await this.#setting.memory?.save(Object.fromEntries(this.#seen))
  }

  /** Only what is another than before: a sensor's silence is told by the connection. */
  #say(unit: WatchedReceiver, role: SignalRole, value: string | number): void {
    const bound = unit.signals[role]
    const key = `${unit.equipment} ${role}`
    if (bound === undefined || this.#said.get(key) === value) return
    this.#said.set(key, value)
    const topic = `${unit.equipment}/${bound.signal.name}`
    this.#sink.sample(sampleOf(bound, { value, quality: 'good', time: undefined, origin: { source: this.#setting.source } }, this.#setting), topic)
  }

  #client(receiver: string): Promise<ReceiverClient> {
    const { open } = this.#present ?? {}
    const known = this.#clients.get(receiver)
    if (known !== undefined) return known
    const client = open === undefined ? Promise.reject(this.#connection.away()) : open(receiver)
    this.#clients.set(receiver, client)
    return client
  }
}

/** Units whose signals come from a job order receiver on this connection. */
export function watchedReceivers(plant: Plant, connection: string): readonly WatchedReceiver[] {
  const units = new Map<string, { equipment: string; receiver: string; signals: Partial<Record<SignalRole, BoundSignal>> }>()
  for (const bound of plant.signalsOfConnection(connection)) {
    const { source, role } = bound.signal
    if (source?.jobReceiver === undefined || role === undefined) continue
    const unit = units.get(bound.equipment.id) ?? { equipment: bound.equipment.id, receiver: source.jobReceiver, signals: {} }
    unit.signals[role] ??= bound
    units.set(bound.equipment.id, unit)
  }
  return [...units.values()]
}

/** The job order that a machine is at: what runs, what is interrupted, what it has loaded, else the one that it was at as long as it is listed. */
function currentOf(jobs: readonly ListedOrder[], before: string | undefined): ListedOrder | undefined {
  const find = (test: (job: ListedOrder) => boolean): ListedOrder | undefined => jobs.find(test)
  return (
    find(({ state }) => state === 'Running') ??
    find(({ state }) => state === 'Interrupted') ??
    find(({ state, substate }) => state === 'AllowedToStart' && substate === 'Loaded') ??
    find(({ id, state }) => id === before && (state === 'Ended' || state === 'Aborted'))
  )
}

/** What a machine that only tells of job orders would show as its PackML state. A job order that was aborted leaves the machine stopped, not failed. */
function packmlOf(job: JobState | undefined): string {
  switch (job?.state) {
    case 'Running':
      return 'Execute'
    case 'Interrupted':
      return job.substate === 'Suspended' ? 'Suspended' : 'Held'
    case 'Ended':
      return 'Complete'
    case 'Aborted':
      return 'Stopped'
    default:
      return 'Idle'
  }
}
