import type { NodeAPI, NodeDef } from 'node-red'
import { TaktError, toTaktError } from '../../core/base/error.ts'
import { type Answer, CommandGate } from '../../core/connect/command-gate.ts'
import { CommandWires } from '../../core/connect/command-wires.ts'
import type { InterlockState } from '../../core/connect/interlock.ts'
import type { Command, Receipt } from '../../core/messages/command.ts'
import type { MachineState } from '../../core/messages/machine-state.ts'
import { hasKind, validateAnyDocument } from '../../core/messages/validate.ts'
import { startLock } from '../../core/orders/start-lock.ts'
import type { Store } from '../../core/store/store.ts'
import type { PlantNode } from '../plant/plant.ts'
import { BadInput } from '../shared/bad-input.ts'
import { connectionNamed } from '../shared/connections.ts'
import { defineNode, type Message, nameOf, type Send, showError } from '../shared/define-node.ts'
import { followPlant } from '../shared/follow-plant.ts'
import { optionalConfigNode, requireConfigNode } from '../shared/lookup.ts'
import { numberSetting } from '../shared/settings.ts'
import type { StoreNode } from '../store/store.ts'

export interface MachineCommandConfig extends NodeDef {
  plant: string
  store: string
  autonomy: 'shadow' | 'approve' | 'auto'
  /** names, separated by commas; empty: all that the plant model has */
  allowed: string
  /** seconds of real time to wait for a machine's answer */
  timeout: string | number
}

const RECEIPTS = 'receipts'

export default function registerMachineCommand(RED: NodeAPI): void {
  defineNode<MachineCommandConfig>(RED, {
    type: 'takt-machine-command',
    create(node, config) {
      const where = nameOf(node)
      const plantNode = requireConfigNode<PlantNode>(RED, node, config.plant, 'plant')
      const store = optionalConfigNode<StoreNode>(RED, node, config.store, 'store')?.store
      const { clock } = plantNode
      const autonomy = config.autonomy || 'auto'
      if (!['shadow', 'approve', 'auto'].includes(autonomy)) throw new TaktError('TAKT_CONFIG_INVALID', { what: `autonomy '${autonomy}' is unknown`, where })
      const timeoutMs = numberSetting(where)(config.timeout, 'timeout', 10, 1, 50) * 1000
      const bad = new BadInput(node, { store, now: () => clock.now() })
      const seen = new Map<string, MachineState>()
      const wires = new CommandWires((name) => connectionNamed(RED, name)?.connection, { timeoutMs, now: () => clock.now(), where })
      let last = ''
      let fault: TaktError | undefined

      const gate = new CommandGate({
        plant: () => plantNode.plant(),
        clock,
        autonomy,
        allowed: (config.allowed ?? '').split(/[\s,]+/).filter((name) => name !== ''),
        where,
        stateOf: (equipment) => stateOf(equipment, store, seen),
        startLock: async (command) => (store === undefined ? undefined : startLock(store, command)),
        send: (command, target) => wires.send(command, target),
        awaiting: (command) => {
          node.send([null, { topic: `${command.to}/command`, payload: command, awaiting: true } as never])
          show()
        },
        keep: (receipts) => {
          store?.saveState(node.id, RECEIPTS, receipts).catch((thrown: unknown) => node.error(toTaktError(thrown, where)))
        },
      })
      const remembered = (store?.loadState(node.id, RECEIPTS) ?? Promise.resolve(undefined)).then(
        (kept) => Array.isArray(kept) && gate.remember(kept as Receipt[]),
        (thrown: unknown) => node.error(toTaktError(thrown, where)),
      )

      const show = (): void => {
        const away = wires.away()
        const waiting = gate.waiting.length
        if (fault !== undefined) showError(node, fault)
        else if (away !== undefined) node.status({ fill: 'red', shape: 'ring', text: `${away} is away` })
        else if (waiting > 0) node.status({ fill: 'blue', shape: 'dot', text: `${waiting} waiting for a person` })
        else
          node.status({
            fill: autonomy === 'shadow' ? 'grey' : 'green',
            shape: last === '' ? 'ring' : 'dot',
            text: last || (autonomy === 'auto' ? 'ready' : autonomy),
          })
      }

      const give = async (command: Command, message: Message, send: Send): Promise<void> => {
        await remembered
        const receipt = await gate.handle(command)
        last = `${command.name} ${command.to.slice(command.to.lastIndexOf('/') + 1)}: ${receipt.status}`
        const out: Message = { ...message, topic: `${command.to}/receipt`, payload: receipt }
        send([out, needsPerson(receipt) ? { ...out, command } : null])
        show()
      }

      const forget = followPlant(
        node,
        plantNode,
        (plant) => wires.use(plant, show),
        (problem) => {
          fault = problem
          show()
        },
      )

      return {
        input(message, send) {
          const { payload } = message
          const decision = decisionOf(payload)
          if (decision !== undefined) {
            if (!gate.decide(decision.id, decision.accepted, decision.why))
              throw new TaktError('TAKT_COMMAND_UNKNOWN', { what: `no command '${decision.id}' waits for a person`, where })
            return show()
          }
          if (hasKind(payload) && payload.kind !== 'command' && payload.kind !== 'machine-state') return
          let document: Command | MachineState
          try {
            document = validateAnyDocument(payload, ['command', 'machine-state'], where)
          } catch (thrown) {
            bad.quarantine(toTaktError(thrown, where), payload)
            throw thrown
          }
          if (document.kind === 'machine-state') return void seen.set(document.equipment, document)
          const given = give(document, message, send)
          // a person may take longer than an input may
          if (autonomy !== 'approve') return given
          given.catch((thrown: unknown) => node.error(toTaktError(thrown, where), message as never))
        },
        async close() {
          forget()
          gate.close()
          await wires.close()
        },
      }
    },
  })
}

/** What the store has committed is newer than any message; without a store the messages are all there is. */
async function stateOf(equipment: string, store: Store | undefined, seen: ReadonlyMap<string, MachineState>): Promise<InterlockState | undefined> {
  const row = await store?.db
    .selectFrom('machine_state')
    .select(['state', 'mode', 'job_order as jobOrder'])
    .where('equipment', '=', equipment)
    .where('until', 'is', null)
    .executeTakeFirst()
  return row ?? seen.get(equipment)
}

function needsPerson({ status, code }: Answer): boolean {
  return status !== 'done' && status !== 'sent' && code !== 'TAKT_COMMAND_SHADOW'
}

/** `{accept: <command id>}` or `{refuse: <command id>, why}`: a person's answer. */
function decisionOf(payload: unknown): { readonly id: string; readonly accepted: boolean; readonly why: string | undefined } | undefined {
  if (typeof payload !== 'object' || payload === null || Object.hasOwn(payload, 'kind')) return undefined
  const own = (key: string): unknown => (Object.hasOwn(payload, key) ? (payload as Record<string, unknown>)[key] : undefined)
  const [accept, refuse, why] = [own('accept'), own('refuse'), own('why')]
  const id = accept ?? refuse
  if (typeof id !== 'string') return undefined
  return { id, accepted: accept !== undefined, why: typeof why === 'string' ? why.slice(0, 500) : undefined }
}
