import type { NodeAPI, NodeDef } from 'node-red'
import { type TaktError, toTaktError } from '../../core/base/error.ts'
import { hasKind, validateDocument } from '../../core/messages/validate.ts'
import { inTurn } from '../../core/orders/in-turn.ts'
import { refusalOf } from '../../core/orders/refusal.ts'
import { readRequest } from '../../core/trace/read-request.ts'
import { type Told, TraceDesk } from '../../core/trace/trace-desk.ts'
import { TraceFollower } from '../../core/trace/trace-follower.ts'
import type { PlantNode } from '../plant/plant.ts'
import { BadInput } from '../shared/bad-input.ts'
import { defineNode, type Message, nameOf, type Send, showError } from '../shared/define-node.ts'
import { whenFlowsStarted } from '../shared/flows-started.ts'
import { inboxMarkOf, KeyedEffects } from '../shared/keyed-effects.ts'
import { requireConfigNode } from '../shared/lookup.ts'
import type { StoreNode } from '../store/store.ts'
import { type TraceFields, traceSettings } from './settings.ts'

const AUTONOMY = 'autonomy'

export interface TraceConfig extends NodeDef, TraceFields {
  plant: string
  store: string
}

export default function registerTrace(RED: NodeAPI): void {
  defineNode<TraceConfig>(RED, {
    type: 'takt-trace',
    create(node, config) {
      const where = nameOf(node)
      const settings = traceSettings(config, `node:${node.id}`, where)
      const plantNode = requireConfigNode<PlantNode>(RED, node, config.plant, 'plant')
      const { store, onProblem } = requireConfigNode<StoreNode>(RED, node, config.store, 'store')
      const { clock } = plantNode
      const plant = () => plantNode.plant()
      const desk = new TraceDesk({ store, plant, clock, settings })
      const bad = new BadInput(node, { store, now: () => clock.now() })
      const effects = new KeyedEffects(node, store)
      const turn = inTurn()
      let recorded = 0
      let refused = 0
      let waiting = 0
      let trouble: TaktError | undefined

      let closed = false
      const failed = (thrown: unknown): void => {
        if (!closed) node.error(toTaktError(thrown, where))
      }
      const countWaiting = async (): Promise<void> => {
        waiting = (await desk.waiting()).length
        show()
      }
      const show = (): void => {
        if (trouble !== undefined) return showError(node, trouble)
        const parts = [`${recorded} recorded`, ...(refused > 0 ? [`${refused} refused`] : []), ...(waiting > 0 ? [`${waiting} proposed`] : [])]
        node.status({
          fill: waiting > 0 ? 'yellow' : refused > 0 ? 'red' : recorded > 0 ? 'green' : 'grey',
          shape: recorded > 0 ? 'dot' : 'ring',
          text: parts.join(', '),
        })
      }
      const tell = (send: Send, told: readonly Told[], message: Message = {}): void => {
        for (const { port, topic, payload, more } of told) {
          if (payload.kind === 'genealogy' && more?.replayed !== true) recorded++
          // its own copy for each message: a flow may change what it gets
          const out = structuredClone({ ...more, topic, payload }) as Message
          send(port === 'result' ? [{ ...message, ...out }, null] : [null, { ...message, ...out }])
        }
        if (told.some(({ payload }) => payload.kind === 'containment')) countWaiting().catch(failed)
        show()
      }
      const sendOwn: Send = (messages) => node.send(messages as never)
      const refuse = (send: Send, problem: TaktError, request: unknown, message: Message = {}): void => {
        refused++
        show()
        send([null, { ...message, topic: 'trace/refused', payload: refusalOf(problem, request, clock.now()), request }])
      }

      const follower = new TraceFollower({
        store,
        clock,
        plant,
        desk,
        options: settings,
        node: node.id,
        jobs: config.jobs !== false,
        where,
        told: (told) => tell(sendOwn, told),
        refused(problem, event) {
          refuse(sendOwn, problem, event)
          bad.quarantine(problem, event)
        },
        failed(problem, event) {
          node.error(problem)
          bad.quarantine(problem, event)
        },
        problem(problem) {
          trouble = problem
          show()
        },
      })
      // what a person has set by message holds through a restart, until the dialog is set to something else
      async function resume(): Promise<void> {
        const state = (await store.loadState(node.id, AUTONOMY)) as { configured: string; level: typeof desk.containment } | undefined
        if (state?.configured === settings.containment) desk.containment = state.level
        await countWaiting()
      }
      const ready = turn(resume).catch(failed)
      const forget = whenFlowsStarted(RED, () => {
        ready.then(() => follower.start()).catch(failed)
      })
      const stopWatching = onProblem((problem) => {
        trouble = problem
        show()
      })
      show()

      async function take(message: Message, send: Send): Promise<void> {
        const { topic = '', payload } = message
        if (hasKind(payload) && payload.kind === 'anomaly') return tell(send, await desk.anomaly(validateDocument(payload, 'anomaly', where)), message)
        const request = readRequest(String(topic), payload, { now: clock.now(), occasion: inboxMarkOf(message)?.key, where })
        if (request === undefined) return
        // the effect has a key of its own, the id of the event
        await effects.attempt(message, async () => {
          const told = await desk.handle(request, personIn(message.by))
          if (request.do === 'autonomy') await store.saveState(node.id, AUTONOMY, { configured: settings.containment, level: request.level })
          tell(send, told, message)
        })
      }

      return {
        async input(message, send) {
          try {
            await turn(() => take(message, send))
          } catch (thrown) {
            const problem = toTaktError(thrown, where)
            // the store's troubles are not the sender's: they go to catch, and the message may be sent again
            if (problem.code.startsWith('TAKT_STORE_') || problem.code === 'TAKT_INTERNAL') throw problem
            refuse(send, problem, message.payload, message)
            bad.report(problem, { topic: message.topic, payload: message.payload })
          }
        },
        async close() {
          closed = true
          forget()
          stopWatching()
          effects.stop()
          await follower.stop()
        },
      }
    },
  })
}

/** A name in a message is a hint, and must not pass for a node. */
function personIn(by: unknown): string | undefined {
  if (typeof by !== 'string' || by.trim() === '' || by.includes('\0')) return undefined
  const person = by.trim().toWellFormed().slice(0, 200)
  return /^(node|containment):/.test(person) ? `'${person}'` : person
}
