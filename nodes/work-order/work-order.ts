import { isAbsolute, join } from 'node:path'
import type { Node, NodeAPI, NodeDef } from 'node-red'
import { type TaktError, toTaktError } from '../../core/base/error.ts'
import { parseJson } from '../../core/base/json.ts'
import type { Quarantined } from '../../core/messages/quarantined.ts'
import { hasKind, validateAnyDocument } from '../../core/messages/validate.ts'
import { followCount, followMachine, reconcile } from '../../core/orders/follow-machine.ts'
import { checkOrderMapping, type OrderMapping } from '../../core/orders/import/order-mapping.ts'
import { DESK_TOPICS, type DeskTopic, OrderDesk } from '../../core/orders/order-desk.ts'
import { assertText } from '../../core/orders/order-text.ts'
import { refusalOf } from '../../core/orders/refusal.ts'
import type { Action } from '../../core/people/roles.ts'
import { holdRequest } from '../../core/quality/hold-desk.ts'
import { shownRecord } from '../../core/report/shown-record.ts'
import type { PlantNode } from '../plant/plant.ts'
import { BadInput } from '../shared/bad-input.ts'
import { defineNode, type Message, nameOf, type Send, showError } from '../shared/define-node.ts'
import { whenFlowsStarted } from '../shared/flows-started.ts'
import { KeyedEffects } from '../shared/keyed-effects.ts'
import { whoActs } from '../shared/known-people.ts'
import { requireConfigNode } from '../shared/lookup.ts'
import type { StoreNode } from '../store/store.ts'
import { askHold } from './ask-hold.ts'
import { statusOfImport, statusOfRefusal, withStatus } from './http-status.ts'
import { RepairedUnits } from './repaired-units.ts'
import { StateChanges } from './state-changes.ts'

export interface WorkOrderConfig extends NodeDef {
  plant: string
  store: string
  autoRelease: boolean
  /** JSON: which columns or paths say what about orders, see docs/orders.md; empty: columns that are called what they hold */
  mapping: string
  /** The only folder that files are read from; relative to the user directory. Empty: none */
  importFolder: string
}

/** Of a file that is wrong in every row these are enough to see why; the summary names them all. */
const QUARANTINED_ROWS = 100

export default function registerWorkOrder(RED: NodeAPI): void {
  defineNode<WorkOrderConfig, Node>(RED, {
    type: 'takt-work-order',
    create(node, config) {
      const where = nameOf(node)
      const because = { actor: `node:${node.id}` }
      const plantNode = requireConfigNode<PlantNode>(RED, node, config.plant, 'plant')
      const storeNode = requireConfigNode<StoreNode>(RED, node, config.store, 'store')
      const { store } = storeNode
      const now = (): number => plantNode.clock.now()
      const badInput = new BadInput(node, { store, now })
      const desk = new OrderDesk(store, () => plantNode.plant(), {
        autoRelease: config.autoRelease === true,
        mapping: mappingOf(config.mapping, where),
        importFolder: folderOf(RED, config.importFolder),
        where,
      })
      const changes = new StateChanges(node, store)
      const effects = new KeyedEffects(node, store)
      const repaired = new RepairedUnits({ node, store, plantNode, changes, where })
      const forget = whenFlowsStarted(RED, () => {
        store.transaction((tx) => reconcile(tx, because)).catch((thrown: unknown) => node.error(toTaktError(thrown, where)))
        repaired.start().catch((thrown: unknown) => node.error(toTaktError(thrown, where)))
      })
      const stopWatching = storeNode.onProblem((problem) => changes.problem(problem))

      const refuse = (send: Send, message: Message, problem: TaktError): void => {
        const payload = refusalOf(problem, message.payload, now())
        send([null, { ...withStatus(message, statusOfRefusal(problem.code)), topic: 'orders/refused', payload, request: message.payload }])
        showError(node, problem)
      }

      /** Documents of units and counts; what they say is in the store when this resolves. */
      async function follow(message: Message): Promise<TaktError | undefined> {
        const document = validateAnyDocument(message.payload, ['machine-state', 'count'], where)
        assertText(document, where)
        if (document.kind === 'machine-state') return store.transaction((tx) => followMachine(tx, document, because))
        await store.transaction((tx) => followCount(tx, document, because))
        return undefined
      }

      async function ask(topic: DeskTopic, message: Message, send: Send): Promise<void> {
        const hold = holdRequest(topic, message.payload, where)
        if (hold !== undefined) return askHold(hold, { store, plant: plantNode.plant(), where, once: effects.onceFor(message) }, message, send)
        const action = ACTION_OF[topic]
        const scope = await scopeOf(store, topic, message.payload)
        const actor = action === undefined ? undefined : await whoActs(store, message, action, scope, message.by, where)
        const { documents, summary, created } = await desk.handle(topic, message.payload, actor === undefined ? because : { actor }, effects.onceFor(message))
        if (summary === undefined) return changes.reply(documents, withStatus(message, created === true ? 201 : 200))
        await Promise.all(summary.problems.slice(0, QUARANTINED_ROWS).map((problem) => store.quarantine(quarantined(problem, where, now()))))
        send([null, { ...withStatus(message, statusOfImport(summary)), topic: 'orders/import', payload: summary }])
      }

      /** Reading needs nobody's leave. */
      async function show(message: Message, send: Send): Promise<void> {
        const { topic, record, signatures, open } = await shownRecord(store, message.payload, where)
        send([{ ...message, topic, payload: record, signatures, open }, null])
      }

      return {
        async input(message, send) {
          try {
            if (repaired.takesSample(message)) return
            if (isShow(message)) return await show(message, send)
            const repair = repaired.asked(message)
            if (repair !== undefined) return await effects.attempt(message, () => repaired.answer(repair, message, send, effects.onceFor(message)))
            const topic = topicOf(message)
            await effects.attempt(message, async () => {
              if (topic !== undefined && !hasKind(message.payload)) return ask(topic, message, send)
              const unknown = await follow(message)
              if (unknown !== undefined) refuse(send, message, unknown)
            })
          } catch (thrown) {
            const problem = toTaktError(thrown, where)
            // the store's troubles are nobody's request: they go to catch, and whoever sent it may send it again
            const isStores = problem.code.startsWith('TAKT_STORE_') && problem.code !== 'TAKT_STORE_DISK_BUDGET'
            if (isStores || problem.code === 'TAKT_INTERNAL') {
              // for a catch node before an http response
              if (message.res !== undefined) message.statusCode = statusOfRefusal(problem.code)
              throw problem
            }
            refuse(send, message, problem)
            if (problem.code.startsWith('TAKT_MESSAGE_')) badInput.report(problem, { topic: message.topic, payload: message.payload })
          }
        },
        close() {
          forget()
          stopWatching()
          effects.stop()
          repaired.stop()
          changes.stop()
        },
      }
    },
  })
}

/** What of it a person has to be allowed for. Creating and importing orders is what other systems do; who may is decided where they come in. */
const ACTION_OF: Readonly<Partial<Record<DeskTopic, Action>>> = {
  release: 'order.release',
  hold: 'order.hold',
  resume: 'order.hold',
  cancel: 'order.cancel',
  close: 'order.close',
  complete: 'order.close',
  split: 'order.release',
  merge: 'order.release',
  change: 'order.release',
  rush: 'order.release',
  command: 'order.command',
  maintenance: 'order.maintenance',
  template: 'order.release',
}

/** A job order is where its unit is, as the store says; a repair is where it is asked for; work orders are the whole plant's, whatever else the request says. */
async function scopeOf(store: StoreNode['store'], topic: DeskTopic, payload: unknown): Promise<string> {
  const { jobOrder, equipment } = (typeof payload === 'object' && payload !== null ? payload : {}) as Readonly<Record<string, unknown>>
  assertText([jobOrder, equipment], topic)
  if (topic === 'command' && typeof jobOrder === 'string') return (await store.get('job-order', jobOrder))?.equipment ?? ''
  return topic === 'maintenance' && typeof equipment === 'string' ? equipment : ''
}

function isShow({ topic, payload }: Message): boolean {
  return typeof topic === 'string' && /(?:^|\/)show$/.test(topic) && !hasKind(payload)
}

/** What is asked for: the last part of the topic, `orders/create`; without one, a payload that can only be orders is taken as such. */
function topicOf({ topic, payload }: Message): DeskTopic | undefined {
  const last = typeof topic === 'string' ? topic.slice(topic.lastIndexOf('/') + 1) : ''
  const named = DESK_TOPICS.find((known) => known === last)
  if (named !== undefined || hasKind(payload)) return named
  const list = Array.isArray(payload) ? payload : [payload]
  return list.length > 0 && list.every((item) => typeof item === 'object' && item !== null && Object.hasOwn(item, 'quantity')) ? 'create' : undefined
}

function mappingOf(text: string | undefined, where: string): OrderMapping {
  const empty = text === undefined || text.trim() === ''
  return checkOrderMapping(empty ? {} : parseJson(text, { maxBytes: 100_000, where: `${where}, mapping` }), `${where}, mapping`)
}

function folderOf(RED: NodeAPI, folder: string | undefined): string | undefined {
  if (folder === undefined || folder.trim() === '') return undefined
  return isAbsolute(folder) ? folder : join(RED.settings.userDir ?? process.cwd(), folder)
}

function quarantined(problem: { readonly row: number; readonly code: string; readonly what: string }, where: string, received: number): Quarantined {
  const { code, what, row } = problem
  return {
    kind: 'quarantined',
    code,
    what: `row ${row}: ${what}`,
    where,
    do: 'correct the row and import it again; the good rows were taken',
    received,
    bytes: 0,
    excerpt: '',
  }
}
