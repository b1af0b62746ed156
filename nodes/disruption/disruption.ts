import type { Node, NodeAPI, NodeDef } from 'node-red'
import { TaktError, toTaktError } from '../../core/base/error.ts'
import { assertSafe } from '../../core/base/json.ts'
import { SEVERITIES, type Severity } from '../../core/messages/anomaly.ts'
import type { Autonomy } from '../../core/messages/common.ts'
import type { Disruption } from '../../core/messages/disruption.ts'
import { hasKind, validateAnyDocument } from '../../core/messages/validate.ts'
import { DisruptionDesk } from '../../core/orders/disruption/disruption-desk.ts'
import { DISRUPTION_DEFAULTS, type DisruptionSettings } from '../../core/orders/disruption/settings.ts'
import { inTurn } from '../../core/orders/in-turn.ts'
import { refusalOf } from '../../core/orders/refusal.ts'
import type { PlantNode } from '../plant/plant.ts'
import { BadInput } from '../shared/bad-input.ts'
import { defineNode, type Message, nameOf, type Send, showError } from '../shared/define-node.ts'
import { whenFlowsStarted } from '../shared/flows-started.ts'
import { whoActs } from '../shared/known-people.ts'
import { requireConfigNode } from '../shared/lookup.ts'
import type { StoreNode } from '../store/store.ts'
import { readAnswer, readAutonomy } from './answers.ts'

export interface DisruptionConfig extends NodeDef {
  plant: string
  store: string
  autonomy: Autonomy
  minSeverity: Severity
  minScore: number | string
  /** plant time, ms */
  persistMs: number | string
  /** by severity: the repair must have begun so long after it was asked for; plant time, ms */
  deadlineMs: Partial<Record<Severity, number | string>>
  /** share of the time to a prognosis' earliest end, 0 to 1 */
  prognosisShare?: number | string
  /** a week */
  falseAlarmBudget: number | string
  /** plant time, ms */
  cooldownMs: number | string
}

const READ = ['anomaly', 'prognosis', 'machine-state'] as const
const AUTONOMY = 'autonomy'

export default function registerDisruption(RED: NodeAPI): void {
  defineNode<DisruptionConfig, Node>(RED, {
    type: 'takt-disruption',
    create(node, config) {
      const where = nameOf(node)
      const configured = readAutonomy(config.autonomy || 'auto', where, 'TAKT_CONFIG_INVALID')
      const plantNode = requireConfigNode<PlantNode>(RED, node, config.plant, 'plant')
      const { store, onProblem } = requireConfigNode<StoreNode>(RED, node, config.store, 'store')
      const now = (): number => plantNode.clock.now()
      const badInput = new BadInput(node, { store, now })
      const waiting = new Set<string>()
      let trouble: TaktError | undefined
      let last: Disruption | undefined

      const show = (): void => {
        if (trouble !== undefined) showError(node, trouble)
        else if (waiting.size > 0) node.status({ fill: 'yellow', shape: 'dot', text: `${waiting.size} waiting for a person` })
        else if (last?.status === 'acted')
          node.status({
            fill: 'blue',
            shape: 'dot',
            text: `${last.resource === undefined ? last.action : 'away'}: ${plantNode.plant().nameOf(last.resource?.id ?? last.equipment)}`,
          })
        else node.status({ fill: desk.autonomy === 'shadow' ? 'grey' : 'green', shape: desk.autonomy === 'auto' ? 'dot' : 'ring', text: desk.autonomy })
      }

      const desk = new DisruptionDesk({
        store,
        plant: () => plantNode.plant(),
        clock: plantNode.clock,
        settings: settingsOf(config, where),
        autonomy: configured,
        actor: `node:${node.id}`,
        changed(disruption) {
          last = disruption
          const asks = disruption.status === 'proposed' && disruption.autonomy !== 'shadow'
          if (asks) waiting.add(disruption.id)
          else waiting.delete(disruption.id)
          const message = { topic: `${disruption.equipment}/disruption`, payload: structuredClone(disruption) } as never
          if (asks) node.send([null, message])
          else if (disruption.autonomy !== 'shadow') node.send([message, null])
          show()
        },
        failed: (thrown) => node.error(toTaktError(thrown, where)),
      })

      // what a person has set by message holds through a restart, until the dialog is set to something else
      const ready = store.loadState(node.id, AUTONOMY).then(
        async (saved) => {
          const state = saved as { configured: Autonomy; level: Autonomy } | undefined
          if (state?.configured === configured) await desk.setAutonomy(state.level)
          show()
        },
        (thrown: unknown) => node.error(toTaktError(thrown, where)),
      )
      // an answer must not overtake what it answers
      const turn = inTurn()
      turn(() => ready)
      const forget = whenFlowsStarted(RED, () => {
        turn(() => desk.resume()).catch((thrown: unknown) => node.error(toTaktError(thrown, where)))
      })
      const stopWatching = onProblem((problem) => {
        trouble = problem
        show()
      })

      async function take(message: Message): Promise<void> {
        const topic = typeof message.topic === 'string' ? message.topic.slice(message.topic.lastIndexOf('/') + 1) : ''
        if (!hasKind(message.payload)) {
          assertSafe(message.payload, where)
          if (topic === AUTONOMY) {
            const level = readAutonomy(message.payload, where)
            await whoActs(store, message, 'disruption.autonomy', '', undefined, where)
            await store.saveState(node.id, AUTONOMY, { configured, level })
            await desk.setAutonomy(level)
            return show()
          }
          if (topic === 'away' || topic === 'back' || topic === 'material') {
            const said = (message.payload as { by?: unknown } | null)?.by ?? message.by
            return desk[topic](message.payload, await whoActs(store, message, 'disruption.decide', '', said, where), where)
          }
          const { id, decision, by, why } = readAnswer(topic, message.payload, where)
          const scope = (await store.get('disruption', id))?.equipment ?? ''
          await desk.answer(id, decision, (await whoActs(store, message, 'disruption.decide', scope, by, where)) ?? by, why)
          return
        }
        const { kind } = message.payload
        // what else travels on the same wires is for others
        if (!READ.some((read) => read === kind)) return
        const document = validateAnyDocument(message.payload, READ, where)
        if (document.kind === 'anomaly') await desk.anomaly(document)
        else if (document.kind === 'prognosis') await desk.prognosis(document)
        else await desk.machineState(document)
      }

      return {
        async input(message, send: Send) {
          try {
            await turn(() => take(message))
          } catch (thrown) {
            const problem = toTaktError(thrown, where)
            if (problem.code.startsWith('TAKT_STORE_') || problem.code === 'TAKT_INTERNAL') throw problem
            send([null, { ...message, topic: 'disruption/refused', payload: refusalOf(problem, message.payload, now()), request: message.payload }])
            showError(node, problem)
            if (problem.code.startsWith('TAKT_MESSAGE_')) badInput.report(problem, { topic: message.topic, payload: message.payload })
          }
        },
        close() {
          forget()
          stopWatching()
          desk.stop()
        },
      }
    },
  })
}

function settingsOf(config: DisruptionConfig, where: string): DisruptionSettings {
  const number = (value: unknown, what: string, fallback: number, highest = 1e12): number => {
    const given = value === undefined || value === null || value === '' ? fallback : Number(value)
    if (Number.isFinite(given) && given >= 0 && given <= highest) return given
    throw new TaktError('TAKT_CONFIG_INVALID', { what: `${what} is '${String(value)}' where a number from 0 to ${highest} is taken`, where })
  }
  const minSeverity = config.minSeverity || DISRUPTION_DEFAULTS.minSeverity
  if (!SEVERITIES.includes(minSeverity)) throw new TaktError('TAKT_CONFIG_INVALID', { what: `severity '${minSeverity}' is unknown`, where })
  const deadline = (severity: Severity): number => number(config.deadlineMs?.[severity], `deadline (${severity})`, DISRUPTION_DEFAULTS.deadlineMs[severity])
  return {
    minSeverity,
    minScore: number(config.minScore, 'lowest score', DISRUPTION_DEFAULTS.minScore, 1),
    persistMs: number(config.persistMs, 'must stand for', DISRUPTION_DEFAULTS.persistMs),
    deadlineMs: { low: deadline('low'), medium: deadline('medium'), high: deadline('high') },
    prognosisShare: number(config.prognosisShare, 'share of a prognosis', DISRUPTION_DEFAULTS.prognosisShare, 1),
    falseAlarmBudget: number(config.falseAlarmBudget, 'false alarms a week', DISRUPTION_DEFAULTS.falseAlarmBudget),
    cooldownMs: number(config.cooldownMs, 'rest after a repair', DISRUPTION_DEFAULTS.cooldownMs),
  }
}
