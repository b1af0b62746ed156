import type { Node, NodeAPI, NodeDef } from 'node-red'
import { TaktError, toTaktError } from '../../core/base/error.ts'
import { parseJson } from '../../core/base/json.ts'
import { ErpLink } from '../../core/erp/erp-link.ts'
import { HandOut } from '../../core/erp/hand-out.ts'
import { HttpPost } from '../../core/erp/http-post.ts'
import { readReceipt } from '../../core/erp/read-receipt.ts'
import type { ErpMessage } from '../../core/messages/erp-message.ts'
import type { Because } from '../../core/orders/change-job-order.ts'
import type { PlantNode } from '../plant/plant.ts'
import { BadInput } from '../shared/bad-input.ts'
import { defineNode, type Message, nameOf, type Send } from '../shared/define-node.ts'
import { expandEnv } from '../shared/expand-env.ts'
import { whenFlowsStarted } from '../shared/flows-started.ts'
import { whoActs } from '../shared/known-people.ts'
import { requireConfigNode } from '../shared/lookup.ts'
import type { StoreNode } from '../store/store.ts'
import { readAsked } from './read-asked.ts'
import { type ErpOutCredentials, type ErpOutFields, erpOutSettings } from './settings.ts'
import { ErpStatus } from './status.ts'

export interface ErpOutConfig extends NodeDef, ErpOutFields {
  plant: string
  store: string
}

interface TlsConfigNode extends Node {
  addTLSOptions(options: Record<string, unknown>): unknown
}

const STATUS_MS = 1000
const BODY_BYTES = 50_000_000

export default function registerErpOut(RED: NodeAPI): void {
  defineNode<ErpOutConfig, Node<ErpOutCredentials>>(RED, {
    type: 'takt-erp-out',
    credentials: { user: { type: 'text' }, password: { type: 'password' }, token: { type: 'password' } },
    create(node, config) {
      const where = nameOf(node)
      const settings = erpOutSettings(config, node.credentials, (text, what) => expandEnv(RED, node, text, what), where)
      const plantNode = requireConfigNode<PlantNode>(RED, node, config.plant, 'plant')
      const { store, onProblem } = requireConfigNode<StoreNode>(RED, node, config.store, 'store')
      const { channel, http, timeoutMs, numberAt } = settings
      const because: Because = { actor: `node:${node.id}` }
      const bad = new BadInput(node, { store, now: () => plantNode.clock.now() })
      const status = new ErpStatus(node, () => plantNode.plant().timeZone)

      const handOut = new HandOut({
        timeoutMs,
        where,
        send: ({ id, version, of, workOrder }, body) => {
          const payload = parseJson(body, { maxBytes: BODY_BYTES, where })
          const headers = { 'content-type': 'application/json', 'idempotency-key': id }
          node.send([null, null, { topic: `erp/${channel.name}/send`, payload, headers, erp: { id, version, of, workOrder } } as never])
        },
      })
      const post = http === undefined ? undefined : new HttpPost({ ...http, tls: tlsOf(RED, config.tls, where), where })

      const tell = (message: ErpMessage): void => {
        if (message.state === 'received') status.received++
        if (message.state !== 'waiting') countRefused()
        const told = { topic: `erp/${channel.name}/${message.state}`, payload: structuredClone(message) }
        if (message.state === 'received') node.send([told as never])
        if (message.state !== 'refused') return
        const { problem, id } = message
        node.error(new TaktError('TAKT_ERP_REFUSED', { what: `${id}: ${problem?.what ?? ''}`, where }), told as never)
        node.send([null, told as never])
      }
      const countRefused = (): void => {
        link.refused().then(
          (refused) => {
            status.refused = refused
          },
          // the store says itself that it is away
          () => {},
        )
      }

      const link = new ErpLink({
        store,
        plant: () => plantNode.plant(),
        clock: plantNode.clock,
        channel,
        from: settings.from,
        settleMs: settings.settleMs,
        timeoutMs,
        because,
        where,
        deliver: (message, body) => (post ?? handOut).deliver(message, body),
        told: tell,
        failed: (problem, concern) => bad.report(problem, { payload: concern }),
        problem: (problem) => {
          status.problem = problem
        },
      })

      const show = (): void => status.show(link.figures)
      const timer = setInterval(show, STATUS_MS).unref()
      const forget = whenFlowsStarted(RED, () => {
        countRefused()
        void link.start()
      })
      const stopWatching = onProblem((problem) => {
        status.problem = problem
      })
      show()

      async function take(message: Message, send: Send): Promise<void> {
        const asked = readAsked(message, where)
        if (asked.do === 'receipt') {
          const { id, answer } = readReceipt(message, numberAt, where)
          // one that came late counts too; that the ERP was away then is over
          if (!handOut.answered(id, answer) && !(answer instanceof TaktError)) await link.answered(id, answer)
          return
        }
        const actor = (await whoActs(store, message, 'order.close', '', message.by, where)) ?? because.actor
        const person = { actor, why: asked.why }
        const documents = asked.do === 'again' ? await link.again(asked.ids, person) : [await link.setAside(asked.id, person)]
        countRefused()
        send([{ ...message, topic: `erp/${channel.name}/${asked.do}`, payload: documents }])
      }

      return {
        async input(message, send) {
          try {
            await take(message, send)
          } catch (thrown) {
            const problem = toTaktError(thrown, where)
            if (problem.code.startsWith('TAKT_MESSAGE_')) bad.quarantine(problem, message.payload)
            status.covered()
            throw problem
          }
          show()
        },
        async close() {
          clearInterval(timer)
          forget()
          stopWatching()
          const stopped = link.stop()
          // what is under way comes back at once, and is delivered after the next start
          handOut.close()
          post?.close()
          await stopped
        },
      }
    },
  })
}

/** Options of node:tls; undefined where none are chosen. Throws TAKT_CONFIG_INVALID. */
function tlsOf(RED: NodeAPI, id: string | undefined, where: string): Record<string, unknown> | undefined {
  if (!id) return undefined
  const node = RED.nodes.getNode(id) as TlsConfigNode | null
  if (node === null) throw new TaktError('TAKT_CONFIG_INVALID', { what: 'the TLS settings are missing or disabled', where })
  const options: Record<string, unknown> = {}
  node.addTLSOptions(options)
  return options
}
