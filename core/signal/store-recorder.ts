import type { Clock } from '../base/clock.ts'
import type { Count } from '../messages/count.ts'
import type { MachineState } from '../messages/machine-state.ts'
import type { Store, StoreTransaction } from '../store/store.ts'
import { presentJob } from './tally.ts'
import { NEW_UNIT, type PartsChange, type Present, stepUnit, type UnitFact, type UnitMemory } from './unit.ts'
import { countOf, type Happened, machineStateOf, NOTHING_HAPPENED, type UnitRecorder } from './unit-recorder.ts'

/** The memory of a unit belongs to the unit, not to the node that happens to watch it. */
const STATE_OF = 'machine-state'
const FORMAT = 1
/** Key in `job_count` of what a unit made while it named no job order. */
export const NO_JOB = ''

interface Known {
  readonly memory: UnitMemory
  /** grows with each write; another writer (a second node, a second instance) is seen by it */
  readonly revision: number
}

interface StoredMemory extends Known {
  readonly format: number
}

/**
 * Records what units do: state history, counters, parts by job order and ledger events, together with the memory they follow from, in one transaction
 * before anyone is told. Cut off anywhere, it goes on from what was committed; the next running total makes good what was missed.
 */
export class StoreRecorder implements UnitRecorder {
  readonly #store: Store
  readonly #clock: Clock
  readonly #actor: string
  readonly #known = new Map<string, Known>()

  constructor(store: Store, clock: Clock, actor: string) {
    this.#store = store
    this.#clock = clock
    this.#actor = actor
  }

  async record(equipment: string, facts: readonly UnitFact[]): Promise<Happened> {
    const known = this.#known.get(equipment)
    if (known !== undefined) {
      // most samples say what is known already: they cost no transaction
      const step = stepUnit(known.memory, facts, this.#clock.now(), this.#clock.rate)
      if (!step.learned) {
        this.#known.set(equipment, { ...known, memory: step.memory })
        return NOTHING_HAPPENED
      }
    }
    const { happened, now } = await this.#store.transaction((tx) => this.#write(tx, equipment, facts, known))
    this.#known.set(equipment, now)
    return happened
  }

  async #write(tx: StoreTransaction, equipment: string, facts: readonly UnitFact[], known: Known | undefined): Promise<{ happened: Happened; now: Known }> {
    const stored = await loadMemory(tx, equipment)
    const base = known !== undefined && known.revision === stored.revision ? known : stored
    const { memory, states, parts, learned } = stepUnit(base.memory, facts, tx.now, this.#clock.rate)
    const now = { memory, revision: base.revision + (learned ? 1 : 0) }

    const [told] = await Promise.all([
      this.#recordStates(tx, equipment, base.memory.present, states),
      ...(learned ? [saveMemory(tx, equipment, now), saveCounters(tx, equipment, base.memory, memory)] : []),
    ])
    const counts: Count[] = []
    for (const change of parts) counts.push(await this.#recordParts(tx, equipment, change))

    if (known === undefined) {
      if (told.length === 0 && memory.present !== null) told.push(machineStateOf(equipment, memory.present, tx.now))
      const job = presentJob(memory.tally)
      const total = job === null || counts.some((count) => count.jobOrder === job) ? undefined : await loadCount(tx, equipment, job)
      if (total !== undefined) counts.push({ ...countOf(equipment, { jobOrder: job, added: NO_PARTS, last: total.last }, total), ledger: total.ledger })
    }
    return { happened: { states: told, counts }, now }
  }

  async #recordStates(tx: StoreTransaction, equipment: string, before: Present | null, states: readonly Present[]): Promise<MachineState[]> {
    const [first] = states
    if (first === undefined) return []
    const open = tx.db.updateTable('machine_state').set({ until: first.since }).where('equipment', '=', equipment).where('until', 'is', null)
    await open.where('since', '<', first.since).execute()
    // a state that lasted no time at all was none
    await tx.db.deleteFrom('machine_state').where('equipment', '=', equipment).where('until', 'is', null).execute()
    await Promise.all([
      tx.db
        .insertInto('machine_state')
        .values(states.map((state, at) => rowOf(equipment, state, states[at + 1]?.since ?? null)))
        .execute(),
      ...states.map((state, at) => {
        const previous = at === 0 ? before : (states[at - 1] ?? null)
        return tx.record({
          type: 'machine-state.changed',
          subject: equipment,
          actor: this.#actor,
          before: previous === null ? undefined : machineStateOf(equipment, previous, previous.since),
          after: machineStateOf(equipment, state, state.since),
        })
      }),
    ])
    return states.map((state) => machineStateOf(equipment, state, state.since))
  }

  async #recordParts(tx: StoreTransaction, equipment: string, change: PartsChange): Promise<Count> {
    const { jobOrder, difference, added, first, last } = change
    const before = await loadCount(tx, equipment, jobOrder)
    const total = { good: (before?.good ?? 0) + difference.good, scrap: (before?.scrap ?? 0) + difference.scrap }
    const count = countOf(equipment, change, total)
    const moved = difference.good !== added.good || difference.scrap !== added.scrap
    const why = moved ? 'booked anew: the job order that the machine named at the time was learned later' : undefined
    const event = await tx.record({ type: 'count.recorded', subject: equipment, actor: this.#actor, after: count, why })
    const row = { ...total, first: Math.min(first, before?.first ?? first), last: Math.max(last, before?.last ?? last), ledger: event.sequence }
    await tx.db
      .insertInto('job_count')
      .values({ equipment, job_order: jobOrder ?? NO_JOB, ...row })
      .onConflict((conflict) => conflict.columns(['equipment', 'job_order']).doUpdateSet(row))
      .execute()
    return { ...count, ledger: event.sequence }
  }
}

const NO_PARTS = { good: 0, scrap: 0 }

function rowOf(equipment: string, { state, mode, element, reason, jobOrder, since }: Present, until: number | null) {
  return { equipment, state, mode, element, reason, job_order: jobOrder, since, until }
}

function loadCount(tx: StoreTransaction, equipment: string, jobOrder: string | null) {
  return tx.db
    .selectFrom('job_count')
    .selectAll()
    .where('equipment', '=', equipment)
    .where('job_order', '=', jobOrder ?? NO_JOB)
    .executeTakeFirst()
}

async function loadMemory(tx: StoreTransaction, equipment: string): Promise<Known> {
  const row = await tx.db.selectFrom('node_state').select('state').where('node', '=', STATE_OF).where('key', '=', equipment).executeTakeFirst()
  if (row === undefined) return { memory: NEW_UNIT, revision: 0 }
  const { memory, revision } = JSON.parse(row.state) as StoredMemory
  return { memory, revision }
}

async function saveMemory(tx: StoreTransaction, equipment: string, { memory, revision }: Known): Promise<void> {
  // being late is a matter of one run: after a restart values of before are no sign of a clock set back
  const state = JSON.stringify({ format: FORMAT, revision, memory: { ...memory, late: null } } satisfies StoredMemory)
  await tx.db
    .insertInto('node_state')
    .values({ node: STATE_OF, key: equipment, state, saved: tx.now })
    .onConflict((conflict) => conflict.columns(['node', 'key']).doUpdateSet({ state, saved: tx.now }))
    .execute()
}

async function saveCounters(tx: StoreTransaction, equipment: string, before: UnitMemory, after: UnitMemory): Promise<void> {
  const changed = Object.entries(after.tally.counters).filter(([signal, track]) => before.tally.counters[signal] !== track)
  await Promise.all(
    changed.map(([signal, { readings }]) => {
      const { raw = 0, total = 0, time = 0 } = readings.at(-1) ?? {}
      return tx.db
        .insertInto('counter')
        .values({ equipment, signal, raw, total, time })
        .onConflict((conflict) => conflict.columns(['equipment', 'signal']).doUpdateSet({ raw, total, time }))
        .execute()
    }),
  )
}
