import type { Node, NodeAPI, NodeDef } from 'node-red'
import { systemClock } from '../../core/base/clock.ts'
import { TaktError, toTaktError } from '../../core/base/error.ts'
import { uniqueId } from '../../core/base/id.ts'
import type { Autonomy } from '../../core/messages/common.ts'
import { inTurn } from '../../core/orders/in-turn.ts'
import { OBJECTIVES, type Objective } from '../../core/orders/planning/objectives.ts'
import { OutlookDesk } from '../../core/orders/planning/outlook-desk.ts'
import { type Pin, pinJobOrder, readPin, unpinJobOrder } from '../../core/orders/planning/pin-job-order.ts'
import { Planner, type PlannerOptions } from '../../core/orders/planning/planner.ts'
import { triggerOf } from '../../core/orders/planning/replan-trigger.ts'
import { type Outcome, Replanner } from '../../core/orders/planning/replanner.ts'
import { WhatIfDesk } from '../../core/orders/planning/what-if.ts'
import { Leadership } from '../../core/store/leadership.ts'
import type { PlantNode } from '../plant/plant.ts'
import { defineNode, type Message, nameOf, type Send, showError } from '../shared/define-node.ts'
import { whenFlowsStarted } from '../shared/flows-started.ts'
import { whoActs } from '../shared/known-people.ts'
import { requireConfigNode } from '../shared/lookup.ts'
import { numberSetting } from '../shared/settings.ts'
import type { StoreNode } from '../store/store.ts'
import { adoptedBy, recordDecision } from './decisions.ts'
import { showOutcome } from './show-outcome.ts'

export interface SchedulerConfig extends NodeDef {
  plant: string
  store: string
  /** Real ms: events that come together make one plan */
  debounceMs: number | string
  /** Real ms to search for a better plan */
  searchMs: number | string
  objective: Objective
  autonomy: Autonomy
  /** Plans by itself when something relevant happens in the store */
  watch: boolean
  seed: number | string
  /** Plant ms: a start that differs by no more is the same start; a job order is late after that */
  toleranceMs: number | string
  /** Plant ms of lateness that another plan must save while the one in force can be kept */
  marginMs: number | string
  /** Plant minutes: what the plan in force starts within them keeps unit and sequence; 0: nothing does */
  frozenMinutes?: number | string
  /** Real ms to go on searching while nothing happens; 0: not at all */
  improveMs: number | string
  /** May closed time interrupt a job order? */
  resumable: boolean
}

const MINUTE_MS = 60_000
const AUTONOMY: readonly Autonomy[] = ['shadow', 'approve', 'auto']

export default function registerScheduler(RED: NodeAPI): void {
  defineNode<SchedulerConfig, Node>(RED, {
    type: 'takt-scheduler',
    create(node, config) {
      const where = nameOf(node)
      const actor = `node:${node.id}`
      const plantNode = requireConfigNode<PlantNode>(RED, node, config.plant, 'plant')
      const { store } = requireConfigNode<StoreNode>(RED, node, config.store, 'store')
      const number = numberSetting(where)
      const autonomy = oneOf(config.autonomy || 'auto', AUTONOMY, 'autonomy', where)
      const watch = config.watch !== false
      const toleranceMs = number(config.toleranceMs, 'the tolerance', 300_000, 0, 86_400_000)
      const parts = { store, plant: () => plantNode.plant(), clock: plantNode.clock, actor }
      const options: PlannerOptions = {
        ...parts,
        searchMs: number(config.searchMs, 'the search time', 600, 10, 30_000),
        seed: number(config.seed, 'the seed', 1, 0, 4_294_967_295),
        objective: oneOf(config.objective || 'due-dates', OBJECTIVES, 'objective', where),
        resumable: config.resumable !== false,
        toleranceMs,
        marginMs: number(config.marginMs, 'the margin', 60_000, 0, 86_400_000),
        frozenMs: MINUTE_MS * number(config.frozenMinutes, 'the frozen horizon', 0, 0, 10_080),
      }
      // of several instances with this flow one plans by itself; another takes over when it is gone
      const leadership = new Leadership(store, `scheduler ${node.id}`, {
        onChange(leads) {
          if (!leads) replanner.rest()
          else if (watch) replanner.trigger({ type: 'start' })
        },
      })
      const planner = new Planner({ ...options, claim: () => leadership.claim() })
      const whatIfs = new WhatIfDesk({ ...parts, planner: new Planner(options), newId: uniqueId })
      const failed = (thrown: unknown): void => {
        const error = toTaktError(thrown, where)
        showError(node, error)
        node.error(error)
      }
      const outlooks = new OutlookDesk({
        ...options,
        realClock: systemClock,
        onOutlook: (outlook) => node.send([null, { topic: 'plan/outlook', payload: outlook }] as never),
        onError: failed,
      })
      // problems as they were last told, so that the same ones are not told with every plan
      let told = ''
      const emit = (outcome: Outcome, send: Send, message: Message): void => {
        const { result, plan, draft, replaces } = outcome
        if (result === 'proposed') return send([null, { ...message, topic: 'plan/proposal', payload: draft.plan, replaces }])
        const problems = draft.plan.problems
        told = keyOf(problems)
        const plans = plan === null ? null : { ...message, topic: 'plan', payload: plan, published: result === 'published' }
        send([plans, problems.length === 0 ? null : { ...message, topic: 'plan/problems', payload: problems }])
      }
      const replanner = new Replanner({
        planner,
        clock: plantNode.clock,
        realClock: systemClock,
        debounceMs: number(config.debounceMs, 'the wait', 300, 0, 60_000),
        autonomy,
        // without an eye on the store nobody would stop it when the plant changes
        improveMs: watch ? number(config.improveMs, 'the search in the background', 10_000, 0, 60_000) : 0,
        lateAfterMs: watch ? Math.max(toleranceMs, 1000) : undefined,
        onOutcome: (outcome, awaited) => {
          showOutcome(node, outcome)
          const { result, plan } = outcome
          if ((result === 'published' || result === 'unchanged') && plan !== null) outlooks.request(plan.version)
          const news = outcome.result === 'unchanged' ? keyOf(outcome.draft.plan.problems) !== told : !outcome.repeated
          if (!awaited && news) emit(outcome, (messages) => node.send(messages as never), {})
        },
        onError: failed,
        onBusy: () => node.status({ fill: 'blue', shape: 'dot', text: 'planning' }),
      })
      /** Who asks by a message gets the outcome with the properties of the message. */
      const answer = async (outcome: Promise<Outcome>, message: Message, send: Send): Promise<void> => emit(await outcome, send, message)

      const stopListening = store.subscribe((event) => {
        const trigger = watch && leadership.leads ? triggerOf(event, actor) : null
        if (trigger !== null) replanner.trigger(trigger)
      })
      const forget = whenFlowsStarted(RED, () => {
        // what happened while nobody looked; a plan that still holds is not published again
        if (watch && leadership.leads) replanner.trigger({ type: 'start' })
      })
      const stopReload = plantNode.onReload(() => {
        if (watch && leadership.leads) replanner.trigger({ type: 'plant.changed' })
      })
      node.status({ fill: 'grey', shape: 'ring', text: 'waiting' })

      // what is said of a proposal first counts, however long it takes to know who says it
      const decided = inTurn()
      /** Who moves a job must be allowed to where it is and where it goes. */
      const whoPins = async (message: Message, { jobOrder, equipment }: Pin): Promise<string> => {
        const from = (await store.get('job-order', jobOrder))?.equipment ?? ''
        await whoActs(store, message, 'plan.pin', from, undefined, where)
        return (await whoActs(store, message, 'plan.pin', equipment ?? from, message.by, where)) ?? actor
      }

      return {
        async input(message, send) {
          switch (message.topic) {
            case 'approve':
              return decided(async () => {
                const by = await whoActs(store, message, 'plan.approve', '', message.by, where)
                const outcome = await replanner.approve()
                await recordDecision(store, 'plan.approved', outcome.plan?.version ?? null, by, actor)
                emit(outcome, send, message)
              })
            case 'refuse':
              await decided(async () => {
                const by = await whoActs(store, message, 'plan.approve', '', message.by, where)
                replanner.refuse()
                await recordDecision(store, 'plan.refused', null, by, actor)
              })
              return node.status({ fill: 'grey', shape: 'ring', text: 'proposal refused' })
            case 'pin': {
              const pin = readPin(message.payload, where)
              await pinJobOrder(store, pin, await whoPins(message, pin))
              return answer(replanner.request({ type: 'pin', id: pin.jobOrder }), message, send)
            }
            case 'unpin': {
              const pin = readPin(message.payload, where)
              const { jobOrder } = pin
              await unpinJobOrder(store, jobOrder, await whoPins(message, pin))
              return answer(replanner.request({ type: 'unpin', id: jobOrder }), message, send)
            }
            case 'what-if':
              return send([null, { ...message, topic: 'plan/what-if', payload: await whatIfs.ask(message.payload) }])
            case 'adopt': {
              const { document, by } = await whatIfs.adopt(await adoptedBy(store, message, where))
              const outcome = await replanner.request({ type: 'what-if', id: document.id })
              emit(outcome, send, message)
              const adopted = { time: plantNode.clock.now(), by, result: outcome.result, plan: outcome.plan?.version ?? null }
              return send([null, { ...message, topic: 'plan/what-if', payload: { ...document, adopted } }])
            }
            default:
              return answer(replanner.request({ type: 'message' }), message, send)
          }
        },
        async close() {
          stopListening()
          forget()
          stopReload()
          await leadership.close()
          await Promise.all([replanner.close(), whatIfs.close(), outlooks.close()])
        },
      }
    },
  })
}

function keyOf(problems: Outcome['draft']['plan']['problems']): string {
  return problems
    .map(({ code, workOrder, jobOrder }) => `${code} ${workOrder} ${jobOrder}`)
    .sort()
    .join()
}

function oneOf<T extends string>(value: T, among: readonly T[], what: string, where: string): T {
  if (!among.includes(value)) throw new TaktError('TAKT_CONFIG_INVALID', { what: `the ${what} '${value}' is none of ${among.join(', ')}`, where })
  return value
}
