import type { Node, NodeAPI, NodeDef } from 'node-red'
import { type TaktError, toTaktError } from '../../core/base/error.ts'
import { uniqueId } from '../../core/base/id.ts'
import { hasKind, validateDocument } from '../../core/messages/validate.ts'
import { refusalOf } from '../../core/orders/refusal.ts'
import { PROCEDURE_TOPICS, type ProcedureAnswer, ProcedureDesk, type ProcedureTopic, performedAnswer } from '../../core/procedures/procedure-desk.ts'
import { RunFollower } from '../../core/procedures/run-follower.ts'
import { takeSecrets } from '../../core/sign/read-request.ts'
import type { PlantNode } from '../plant/plant.ts'
import { defineNode, type Message, nameOf, type Send } from '../shared/define-node.ts'
import { whenFlowsStarted } from '../shared/flows-started.ts'
import { KeyedEffects } from '../shared/keyed-effects.ts'
import { requireConfigNode } from '../shared/lookup.ts'
import type { StoreNode } from '../store/store.ts'
import { followPlantProcedures } from './plant-procedures.ts'

export interface ProcedureConfig extends NodeDef {
  plant: string
  store: string
}

export default function registerProcedure(RED: NodeAPI): void {
  defineNode<ProcedureConfig, Node>(RED, {
    type: 'takt-procedure',
    create(node, config) {
      const where = nameOf(node)
      const plant = requireConfigNode<PlantNode>(RED, node, config.plant, 'plant')
      const { store, known, onProblem } = requireConfigNode<StoreNode>(RED, node, config.store, 'store')
      const actor = `node:${node.id}`
      const effects = new KeyedEffects(node, store)
      let trouble: TaktError | undefined
      let refused: string | undefined
      const show = (): void => {
        if (trouble !== undefined) node.status({ fill: 'red', shape: 'ring', text: trouble.what.slice(0, 60) })
        else if (refused !== undefined) node.status({ fill: 'yellow', shape: 'ring', text: refused.slice(0, 60) })
        else node.status({ fill: follower.open > 0 ? 'green' : 'grey', shape: 'dot', text: `${follower.open} under way` })
      }
      const refusal = (problem: TaktError, message: Message, jobOrder: unknown): Message => {
        refused = problem.what
        show()
        return { ...message, topic: 'procedures/refused', payload: refusalOf(problem, message.payload ?? jobOrder, plant.clock.now()), jobOrder }
      }
      const tell = (send: Send, { topic, payload, shown, refused: why }: ProcedureAnswer, message: Message): void => {
        refused = undefined
        const answer = { ...message, topic, payload, ...(shown === undefined ? {} : { shown }) }
        send([answer, why === undefined ? null : refusal(why, message, jobOrderOf(message) ?? shown?.job.id)])
        show()
      }
      const out = node.send.bind(node) as Send

      const follower = new RunFollower({
        store,
        clock: plant.clock,
        actor,
        moved: (performed) => tell(out, performedAnswer(performed), {}),
        problem: (problem, jobOrder) => out([null, refusal(problem, {}, jobOrder)]),
      })
      const ofPlant = followPlantProcedures({
        store,
        plant,
        actor,
        where,
        proposed: (procedure) => tell(out, { topic: `procedures/${procedure.id}`, payload: procedure }, {}),
        problem: (problem) => {
          node.error(problem, {} as never)
          out([null, refusal(problem, {}, undefined)])
        },
      })
      const forget = whenFlowsStarted(RED, () => ofPlant.start())
      const desk = new ProcedureDesk({
        store,
        people: known.people,
        key: known.key,
        timeZone: () => plant.plant().timeZone ?? 'UTC',
        newId: uniqueId,
        actor,
        where,
        measured: (jobOrder) => follower.measured(jobOrder),
      })
      const stopWatching = onProblem((problem) => {
        trouble = problem
        show()
      })

      return {
        async input(given, send) {
          if (hasKind(given.payload)) {
            // samples on the same wire are for the steps that measure; what else travels there is for others
            if (given.payload.kind === 'sample') follower.sample(validateDocument(given.payload, 'sample', where))
            return
          }
          // before anything can fail and carry them on
          const secrets = takeSecrets(given)
          const { session: _token, ...message } = given
          try {
            await effects.attempt(given, async () => {
              const request = { topic: topicOf(message), payload: message.payload, secrets, evidence: known.evidenceOf(given) }
              tell(send, await desk.handle(request, effects.onceFor(given)), message)
            })
          } catch (thrown) {
            const problem = toTaktError(thrown, where)
            if (problem.code.startsWith('TAKT_STORE_') || problem.code === 'TAKT_INTERNAL') throw problem
            send([null, refusal(problem, message, jobOrderOf(message))])
          }
        },
        async close() {
          forget()
          stopWatching()
          effects.stop()
          await ofPlant.stop()
          await follower.stop()
        },
      }
    },
  })
}

/** The last part of the topic, `procedures/step`; of a message without one (a dashboard takes it away from what a browser sends) that of `payload.ask`. Else a step. */
function topicOf({ topic, payload }: Message): ProcedureTopic {
  const { ask } = (typeof payload === 'object' && payload !== null ? payload : {}) as { readonly ask?: unknown }
  const asked = typeof topic === 'string' && topic !== '' ? topic : typeof ask === 'string' ? ask : ''
  const last = asked.slice(asked.lastIndexOf('/') + 1)
  return PROCEDURE_TOPICS.find((known) => known === last) ?? 'step'
}

function jobOrderOf({ payload }: Message): unknown {
  return typeof payload === 'object' && payload !== null ? (payload as { readonly jobOrder?: unknown }).jobOrder : undefined
}
