import type { Node } from 'node-red'
import { TaktError, toTaktError } from '../../core/base/error.ts'
import { assertSafe } from '../../core/base/json.ts'
import { maintenanceFigures } from '../../core/kpi/maintenance-figures.ts'
import type { ScoredSample } from '../../core/messages/anomaly.ts'
import { hasKind, validateDocument } from '../../core/messages/validate.ts'
import type { TakeOnce } from '../../core/orders/import/import-orders.ts'
import { MaintenanceDesk } from '../../core/orders/maintenance/maintenance-desk.ts'
import { answerMaintenance, MAINTENANCE_TOPICS, type MaintenanceTopic, unitMeant } from '../../core/orders/maintenance/maintenance-requests.ts'
import { assertText } from '../../core/orders/order-text.ts'
import { refusalOf } from '../../core/orders/refusal.ts'
import { readTime } from '../../core/orders/times.ts'
import { hasRole } from '../../core/people/roles.ts'
import type { Store } from '../../core/store/store.ts'
import type { PlantNode } from '../plant/plant.ts'
import { type Message, type Send, showError } from '../shared/define-node.ts'
import { knownPerson, whoActs } from '../shared/known-people.ts'
import type { StateChanges } from './state-changes.ts'

export interface RepairedUnitsParts {
  readonly node: Node
  readonly store: Store
  readonly plantNode: PlantNode
  readonly changes: StateChanges
  readonly where: string
}

const FIGURES = 'maintenance.figures'
const DAY_MS = 86_400_000

/** Repaired units on their way back to full work, and what people say and ask of repairs. */
export class RepairedUnits {
  readonly #parts: RepairedUnitsParts
  readonly #desk: MaintenanceDesk

  constructor(parts: RepairedUnitsParts) {
    const { node, store, plantNode, where } = parts
    this.#parts = parts
    this.#desk = new MaintenanceDesk({
      store,
      plant: () => plantNode.plant(),
      clock: plantNode.clock,
      actor: `node:${node.id}`,
      problem: (problem, workOrder) => {
        const payload = refusalOf(problem, { workOrder }, plantNode.clock.now())
        node.send([null, { topic: 'orders/attention', payload } as never])
        showError(node, problem)
      },
      failed: (thrown) => node.error(toTaktError(thrown, where)),
    })
  }

  start(): Promise<void> {
    return this.#desk.start()
  }

  stop(): void {
    this.#desk.stop()
  }

  /** True for a value of a signal: whether a unit's return waits for it or not, there is nothing else to do with it. */
  takesSample({ payload, anomaly }: Message): boolean {
    if (!hasKind(payload) || payload.kind !== 'sample') return false
    const sample = validateDocument(payload, 'sample', this.#parts.where)
    if (this.#desk.awaitsSignals) this.#desk.sample(sample, scoredOf(anomaly))
    return true
  }

  /** Undefined where the message asks for something else. */
  asked(message: Message): MaintenanceTopic | typeof FIGURES | undefined {
    const { topic, payload } = message
    if (typeof topic !== 'string' || hasKind(payload)) return undefined
    const last = topic.slice(topic.lastIndexOf('/') + 1)
    return last === FIGURES ? FIGURES : MAINTENANCE_TOPICS.find((known) => known === last)
  }

  /** Rejects with the coded error of what is refused, and then nothing has changed. */
  async answer(topic: MaintenanceTopic | typeof FIGURES, message: Message, send: Send, once: TakeOnce | undefined): Promise<void> {
    const { store, plantNode, changes, where } = this.#parts
    const { payload } = message
    assertSafe(payload, where)
    assertText(payload, where)
    if (topic === FIGURES) return this.#figures(message, send)
    const scope = (await unitMeant(store, payload)) ?? ''
    const said = (payload as { by?: unknown } | null)?.by ?? message.by
    const actor = (await whoActs(store, message, 'order.maintenance', scope, said, where)) ?? 'a person'
    const known = await knownPerson(store, message)
    const person = known === undefined ? undefined : { id: known.id, holds: (role: string, equipment: string) => hasRole(known, role, equipment) }
    const order = await store.transaction(async (tx) =>
      once === undefined || (await once(tx, '')) ? answerMaintenance(tx, plantNode.plant(), topic, payload, { actor, person }, where) : undefined,
    )
    if (order !== undefined) changes.reply([order], message)
  }

  /** `{ equipment, from?, to? }`: a unit, line or site; times as epoch ms or text, without them the last day. */
  async #figures(message: Message, send: Send): Promise<void> {
    const { store, plantNode, where } = this.#parts
    const plant = plantNode.plant()
    const { payload } = message
    const fields = (typeof payload === 'object' && payload !== null ? payload : { equipment: payload }) as Readonly<Record<string, unknown>>
    const { equipment = plant.model.plant, from, to } = fields
    const now = plantNode.clock.now()
    const moment = (value: unknown, name: string, otherwise: number): number => {
      const time = value === undefined ? otherwise : readTime(value, plant.timeZone)
      if (time === undefined) throw new TaktError('TAKT_ORDER_TIME', { what: `'${String(value)}' as ${name} is not a time`, where })
      return time
    }
    const until = Math.min(now, moment(to, 'to', now))
    const since = moment(from, 'from', until - DAY_MS)
    if (typeof equipment !== 'string') throw new TaktError('TAKT_MESSAGE_INVALID', { what: 'equipment is no id', where })
    if (until <= since) throw new TaktError('TAKT_ORDER_TIME', { what: 'the span ends before it begins, or lies in the future', where })
    const figures = await maintenanceFigures(store, plant, equipment, since, until)
    send([{ ...message, topic: `${equipment}/maintenance-figures`, payload: figures }, null])
  }
}

/** What an anomaly node sends beside a sample. */
function scoredOf(anomaly: unknown): ScoredSample | undefined {
  if (typeof anomaly !== 'object' || anomaly === null) return undefined
  const { raised, lower, upper } = anomaly as Partial<ScoredSample>
  const isLimit = (value: unknown): boolean => value === null || typeof value === 'number'
  return typeof raised === 'boolean' && isLimit(lower) && isLimit(upper) ? (anomaly as ScoredSample) : undefined
}
