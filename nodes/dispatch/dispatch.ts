import type { Node, NodeAPI, NodeDef } from 'node-red'
import { systemClock } from '../../core/base/clock.ts'
import { TaktError, toTaktError } from '../../core/base/error.ts'
import { assertSafe, parseJson } from '../../core/base/json.ts'
import type { Autonomy } from '../../core/messages/common.ts'
import { hasKind, validateAnyDocument } from '../../core/messages/validate.ts'
import { Dispatcher } from '../../core/orders/dispatch/dispatcher.ts'
import { COMMAND_NAMES, type CommandNames } from '../../core/orders/dispatch/job-command.ts'
import { refusalOf } from '../../core/orders/refusal.ts'
import { Leadership } from '../../core/store/leadership.ts'
import type { PlantNode } from '../plant/plant.ts'
import { BadInput } from '../shared/bad-input.ts'
import { defineNode, type Message, nameOf, type Send, showError } from '../shared/define-node.ts'
import { requireConfigNode } from '../shared/lookup.ts'
import { numberSetting } from '../shared/settings.ts'
import type { StoreNode } from '../store/store.ts'

export interface DispatchConfig extends NodeDef {
  plant: string
  store: string
  autonomy: Autonomy
  /** A job order may begin this much before its planned start when its unit is free; plant time, ms */
  toleranceMs: number | string
  /** How long a unit may take to name what it was told; real time, ms */
  ackTimeoutMs: number | string
  /** JSON: what the machines call `start`, `maintain` and `stop`; empty: start-job, enter-maintenance, stop */
  commands: string
}

const READ = ['machine-state', 'receipt'] as const
const STATUS_MS = 500
const DAY_MS = 86_400_000

export default function registerDispatch(RED: NodeAPI): void {
  defineNode<DispatchConfig, Node>(RED, {
    type: 'takt-dispatch',
    create(node, config) {
      const where = nameOf(node)
      const number = numberSetting(where)
      const autonomy = autonomyOf(config.autonomy, where)
      const plantNode = requireConfigNode<PlantNode>(RED, node, config.plant, 'plant')
      const storeNode = requireConfigNode<StoreNode>(RED, node, config.store, 'store')
      const now = (): number => plantNode.clock.now()
      const badInput = new BadInput(node, { store: storeNode.store, now })

      let statusTimer: NodeJS.Timeout | undefined
      let trouble: TaktError | undefined
      const show = (): void => {
        statusTimer ??= setTimeout(() => {
          statusTimer = undefined
          const { units, told, offered } = dispatcher.counts
          if (trouble !== undefined) showError(node, trouble)
          else if (!leadership.leads) node.status({ fill: 'grey', shape: 'dot', text: `${units} units, another instance dispatches` })
          else if (units === 0) node.status({ fill: 'grey', shape: 'ring', text: 'waiting for machines' })
          else if (offered > 0) node.status({ fill: 'yellow', shape: 'dot', text: `${offered} waiting for a person` })
          else node.status({ fill: 'green', shape: autonomy === 'shadow' ? 'ring' : 'dot', text: told > 0 ? `${units} units, ${told} told` : `${units} units` })
        }, STATUS_MS)
      }

      // of several instances with this flow one acts; another takes over when it is gone
      const leadership = new Leadership(storeNode.store, `dispatch ${node.id}`, {
        onChange(leads) {
          if (leads) dispatcher.look()
          show()
        },
      })
      const dispatcher = new Dispatcher(
        {
          store: storeNode.store,
          plant: () => plantNode.plant(),
          clock: plantNode.clock,
          real: systemClock,
          leads: () => leadership.leads,
          command(payload) {
            node.send([{ topic: `${payload.to}/command`, payload } as never, null])
            show()
          },
          problem(problem, jobOrder) {
            node.send([null, { topic: `${problem.where}/problem`, payload: refusalOf(problem, jobOrder ?? '', now()), jobOrder } as never])
            show()
          },
          waiting(payload) {
            node.send([null, { topic: `jobs/${payload.id}/waiting`, payload: structuredClone(payload) } as never])
            show()
          },
        },
        {
          autonomy,
          toleranceMs: number(config.toleranceMs, 'early start', 0, 0, 30 * DAY_MS),
          ackTimeoutMs: number(config.ackTimeoutMs, 'time to answer', 10_000, 10, DAY_MS),
          commands: commandsOf(config.commands, where),
          actor: `node:${node.id}`,
        },
      )
      const stopWatching = storeNode.onProblem((problem) => {
        trouble = problem
        show()
      })

      async function take(message: Message, send: Send): Promise<void> {
        if (isStart(message)) {
          const job = await dispatcher.start(jobOrderOf(message.payload, where), `node:${node.id}`)
          return send([null, { ...message, topic: `jobs/${job.id}/started`, payload: job }])
        }
        // what else travels on the same wires is for others; the plan is read from the store
        if (hasKind(message.payload) && !READ.some((kind) => kind === (message.payload as { kind: string }).kind)) return dispatcher.look()
        const document = validateAnyDocument(message.payload, READ, where)
        if (document.kind === 'receipt') await dispatcher.receipt(document)
        else dispatcher.machineState(document)
        show()
      }

      return {
        async input(message, send) {
          try {
            await take(message, send)
          } catch (thrown) {
            const problem = toTaktError(thrown, where)
            if (problem.code.startsWith('TAKT_STORE_') || problem.code === 'TAKT_INTERNAL') throw problem
            send([null, { ...message, topic: 'dispatch/refused', payload: refusalOf(problem, message.payload, now()), request: message.payload }])
            showError(node, problem)
            if (problem.code.startsWith('TAKT_MESSAGE_')) badInput.report(problem, { topic: message.topic, payload: message.payload })
          }
        },
        async close() {
          stopWatching()
          clearTimeout(statusTimer)
          dispatcher.stop()
          await dispatcher.idle()
          await leadership.close()
        },
      }
    },
  })
}

function isStart({ topic, payload }: Message): boolean {
  return typeof topic === 'string' && topic.slice(topic.lastIndexOf('/') + 1) === 'start' && !hasKind(payload)
}

/** `jo-…`, or `{ jobOrder: 'jo-…' }`. */
function jobOrderOf(payload: unknown, where: string): string {
  assertSafe(payload, where)
  const id = typeof payload === 'object' && payload !== null && Object.hasOwn(payload, 'jobOrder') ? (payload as { jobOrder: unknown }).jobOrder : payload
  if (typeof id !== 'string' || id === '' || id.length > 200) throw new TaktError('TAKT_MESSAGE_INVALID', { what: 'the payload names no job order', where })
  return id
}

function autonomyOf(value: unknown, where: string): Autonomy {
  if (value === undefined || value === '') return 'auto'
  if (value === 'shadow' || value === 'approve' || value === 'auto') return value
  throw new TaktError('TAKT_CONFIG_INVALID', { what: `autonomy is '${String(value)}' where shadow, approve or auto is taken`, where })
}

function commandsOf(text: string | undefined, where: string): CommandNames {
  if (text === undefined || text.trim() === '') return COMMAND_NAMES
  const given = parseJson(text, { maxBytes: 10_000, where: `${where}, commands` })
  const names: Record<keyof CommandNames, string> = { ...COMMAND_NAMES }
  for (const [key, name] of Object.entries(typeof given === 'object' && given !== null ? given : {})) {
    if (!Object.hasOwn(COMMAND_NAMES, key) || typeof name !== 'string' || name === '')
      throw new TaktError('TAKT_CONFIG_INVALID', { what: `commands may name start, maintain and stop, not '${key}'`, where })
    names[key as keyof CommandNames] = name
  }
  return names
}
