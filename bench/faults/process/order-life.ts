import type { Genealogy } from '../../../core/messages/genealogy.ts'
import type { JobOrder } from '../../../core/messages/job-order.ts'
import { cancelWorkOrder, closeWorkOrder, commandJobOrder, holdWorkOrder, resumeWorkOrder } from '../../../core/orders/control-work-order.ts'
import { createWorkOrder } from '../../../core/orders/create-work-order.ts'
import { followCount, followMachine, type UnitState } from '../../../core/orders/follow-machine.ts'
import { jobOrderIdOf, lotIdOf } from '../../../core/orders/ids.ts'
import { mergeWorkOrders } from '../../../core/orders/merge-work-orders.ts'
import { releaseWorkOrder } from '../../../core/orders/release-work-order.ts'
import { splitWorkOrder } from '../../../core/orders/split-work-order.ts'
import { checkPlant } from '../../../core/plant/check-plant.ts'
import type { Plant } from '../../../core/plant/plant.ts'
import type { StoreTransaction } from '../../../core/store/store.ts'
import { followCounted } from '../../../core/trace/counted-lots.ts'
import { recordEvent } from '../../../core/trace/record-event.ts'

/** One thing that somebody asks for: a transaction, with the key that it is done once by. */
export interface Command {
  readonly key: string
  does(tx: StoreTransaction): Promise<unknown>
  /** It does all that and then gives up: nothing of it may be seen. */
  readonly givenUp?: boolean
}

export interface Life {
  readonly writer: string
  readonly life: number
  readonly seed: number
}

const UNIT = 'pcs'

/** A work order's way: created, now and then split, merged, held or canceled; made in two operations with scrap and failures; its lot traced, packed and shipped. */
export function* orderLife({ writer, life, seed }: Life): Generator<Command> {
  const random = randomFrom(`${seed} ${writer} ${life}`)
  const chance = (share: number): boolean => random() < share
  const between = (from: number, to: number): number => from + Math.floor(random() * (to - from + 1))
  const actor = `person-${writer}`
  const because = { actor, why: 'the fault harness asks for it' }
  const units = [`p/${writer}-saw`, `p/${writer}-mill`] as const
  const plant = plantOf(units)
  const order = `${writer}-${life}`
  const command = (step: string, does: Command['does'], givenUp = false): Command => ({
    key: `fault/${writer}/${life}/${step}`,
    does,
    ...(givenUp && { givenUp }),
  })
  const create = (id: string, quantity: number) => (tx: StoreTransaction) =>
    createWorkOrder(tx, plant, { external: { system: 'harness', id }, product: 'shaft', quantity: { value: quantity, unit: UNIT } }, because)
  const wo = (id: string): string => `wo-${id}`

  yield command('create', create(order, between(5, 9)))
  if (chance(0.3)) yield command('given-up', create(`${order}-x`, 4), true)
  if (chance(0.25)) {
    yield command('create-more', create(`${order}-m`, between(2, 4)))
    yield command('merge', (tx) => mergeWorkOrders(tx, [wo(order), wo(`${order}-m`)], because))
  }
  const child = chance(0.3) ? `${wo(order)}-s` : undefined
  if (child !== undefined) yield command('split', (tx) => splitWorkOrder(tx, plant, wo(order), { quantity: 2, as: child }, because))
  const made = [wo(order), ...(child === undefined ? [] : [child])]
  for (const [n, id] of made.entries()) {
    const step = (name: string): string => `${n}-${name}`
    yield command(step('release'), (tx) => releaseWorkOrder(tx, plant, id, because))
    if (chance(0.1)) {
      yield command(step('cancel'), (tx) => cancelWorkOrder(tx, id, because))
      continue
    }
    if (chance(0.2)) {
      yield command(step('hold'), (tx) => holdWorkOrder(tx, id, because))
      yield command(step('resume'), (tx) => resumeWorkOrder(tx, id, because))
    }
    for (const [at, operation] of ['10-saw', '20-mill'].entries()) yield* work(jobOrderIdOf(id, operation), units[at] as string, step(operation))
    yield* trace(id, step('trace'))
    yield command(step('close'), (tx) => closeWorkOrder(tx, id, because))
  }
  yield command('end', async () => {})

  /** A unit makes what is left of a job order, and may fail under it: then it makes the rest under another one. */
  function* work(job: string, unit: string, step: string, part = 1): Generator<Command> {
    const show = (state: UnitState['state']) => async (tx: StoreTransaction) => {
      const problem = await followMachine(tx, { equipment: unit, state, mode: 'Produce', jobOrder: job, since: tx.now }, because)
      if (problem !== undefined) throw problem
    }
    const count = (share: number, scrap: number) => async (tx: StoreTransaction) => {
      const { quantity } = (await tx.get('job-order', job)) as JobOrder
      const all = Math.floor(quantity.value * share)
      const total = { good: Math.max(0, all - scrap), scrap: Math.min(all, scrap) }
      await followCount(tx, { kind: 'count', equipment: unit, jobOrder: job, good: 0, scrap: 0, total, time: tx.now }, because)
    }
    const name = `${step}.${part}`
    const first = part === 1
    const [scrap, fails, held] = [first && chance(0.2) ? 1 : 0, first && chance(0.15), chance(0.2)]
    yield command(`${name}-start`, (tx) => commandJobOrder(tx, job, 'Start', because))
    yield command(`${name}-load`, show('Idle'))
    yield command(`${name}-run`, show('Execute'))
    yield command(`${name}-count`, count(0.5, scrap))
    if (held) {
      yield command(`${name}-held`, show('Held'))
      yield command(`${name}-unheld`, show('Execute'))
    }
    if (fails) {
      yield command(`${name}-fail`, show('Aborted'))
      return yield* work(`${job}.2`, unit, step, 2)
    }
    yield command(`${name}-all`, count(1, scrap))
    yield command(`${name}-complete`, show('Complete'))
  }

  /** Bars go into the lot; what was made becomes two sublots, one of them is packed and shipped, of the other a part is built in. */
  function* trace(id: string, step: string): Generator<Command> {
    const [bar, lot] = [`bar-${id}`, lotIdOf(id)]
    const tell = (event: Genealogy['event'], sides: Partial<Genealogy>) => async (tx: StoreTransaction) => {
      const told: Genealogy = { kind: 'genealogy', id: `${event}-${step}-${id}`, event, inputs: [], outputs: [], jobOrder: null, time: tx.now, ...sides }
      await recordEvent(tx, plant, told, { actor, heldLots: 'refuse', unknownLots: 'refuse' })
    }
    const of = (name: string, value: number, unit = UNIT, material?: string) => ({ lot: name, quantity: { value, unit }, ...(material && { material }) })
    yield command(`${step}-receive`, tell('receive', { outputs: [of(bar, 2.5, 'm', 'bar')], party: 'supplier' }))
    yield command(`${step}-consume`, tell('consume', { inputs: [of(bar, 0.7, 'm')], jobOrder: jobOrderIdOf(id, '10-saw') }))
    yield command(`${step}-booked`, (tx) => followCounted(tx, lot, actor))
    yield command(`${step}-sublots`, async (tx) => {
      const { quantity } = (await tx.get('lot', lot)) as { quantity: { value: number } }
      if (quantity.value < 1) return
      await tell('split', { inputs: [of(lot, 1)], outputs: [of(`${lot}/a`, 0.5), of(`${lot}/b`, 0.5)] })(tx)
      await tell('pack', { inputs: [of(`${lot}/a`, 0.5)], outputs: [of(`box-${id}`, 1)] })(tx)
    })
    yield command(`${step}-ship`, async (tx) => {
      if ((await tx.get('lot', `${lot}/a`)) === undefined) return
      await tell('ship', { inputs: [of(`box-${id}`, 1)], party: 'customer' })(tx)
      await tell('transform', { inputs: [of(`${lot}/b`, 0.25), of(bar, 0.3, 'm')], outputs: [of(`asm-${id}`, 1, UNIT, 'assembly')] })(tx)
    })
  }
}

function plantOf([saw, mill]: readonly [string, string]): Plant {
  const model = {
    plant: 'p',
    timeZone: 'UTC',
    equipment: [
      { id: saw, level: 'workUnit', classes: ['saw'] },
      { id: mill, level: 'workUnit', classes: ['mill'] },
    ],
    materials: [
      { id: 'shaft', unit: UNIT },
      { id: 'bar', unit: 'm' },
      { id: 'assembly', unit: UNIT },
    ],
    workMasters: [
      {
        id: 'shaft',
        version: 1,
        produces: 'shaft',
        operations: [
          { id: '10-saw', alternatives: [{ class: 'saw', setupMs: 1, perPieceMs: 1 }] },
          { id: '20-mill', after: ['10-saw'], alternatives: [{ class: 'mill', setupMs: 1, perPieceMs: 1 }] },
        ],
      },
    ],
  } as const
  return checkPlant(structuredClone(model) as never, 'fault harness')
}

/** The same text gives the same numbers, 0 to 1. */
export function randomFrom(text: string): () => number {
  let state = 2166136261
  for (let at = 0; at < text.length; at++) state = Math.imul(state ^ text.charCodeAt(at), 16777619) >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
