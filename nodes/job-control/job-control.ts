import { join } from 'node:path'
import type { Node, NodeAPI, NodeDef } from 'node-red'
import { TaktError, toTaktError } from '../../core/base/error.ts'
import { JobControlServer } from '../../core/connect/job-control/job-server.ts'
import { type ServerUser, ServerUsers } from '../../core/connect/job-control/server-users.ts'
import { type OpcuaSecurityMode, SECURITY_MODES } from '../../core/connect/opcua-settings.ts'
import { JobControlDesk } from '../../core/orders/job-control/job-control-desk.ts'
import { refusalOf } from '../../core/orders/refusal.ts'
import type { PlantNode } from '../plant/plant.ts'
import { defineNode, nameOf, showError } from '../shared/define-node.ts'
import { whenFlowsStarted } from '../shared/flows-started.ts'
import { requireConfigNode } from '../shared/lookup.ts'
import { numberSetting } from '../shared/settings.ts'
import type { StoreNode } from '../store/store.ts'

export interface JobControlConfig extends NodeDef {
  plant: string
  store: string
  /** address to listen at; empty: this computer only */
  host: string
  port: string | number
  /** the least that a client must use */
  security: OpcuaSecurityMode
  /** anonymous users may read */
  anonymous: boolean
  /** trusts a client's certificate at first sight */
  acceptClientCertificate: boolean
  /** job orders that one receiver's list may hold */
  maxJobOrders: string | number
}

/** `user` may give job orders, `viewer` may only look. */
interface Credentials {
  user?: string
  password?: string
  viewer?: string
  viewerPassword?: string
}

const RETRY_MS = 5000

interface Running {
  readonly desk: JobControlDesk
  readonly server: JobControlServer
}

export default function registerJobControl(RED: NodeAPI): void {
  defineNode<JobControlConfig, Node<Credentials>>(RED, {
    type: 'takt-job-control',
    credentials: { user: { type: 'text' }, password: { type: 'password' }, viewer: { type: 'text' }, viewerPassword: { type: 'password' } },
    create(node, config) {
      const where = nameOf(node)
      const plantNode = requireConfigNode<PlantNode>(RED, node, config.plant, 'plant')
      const { store } = requireConfigNode<StoreNode>(RED, node, config.store, 'store')
      const number = numberSetting(where)
      const port = number(config.port, 'the port', 4841, 0, 65_535)
      const maxJobOrders = number(config.maxJobOrders, 'the number of job orders', 1000, 1, 10_000)
      const security = config.security || 'SignAndEncrypt'
      if (!SECURITY_MODES.includes(security)) throw new TaktError('TAKT_CONFIG_INVALID', { what: `security '${security}' is unknown`, where })
      const users = usersOf(node.credentials ?? {}, config.anonymous === true, where)
      const host = config.host || '127.0.0.1'

      let running: Running | undefined
      let sessions = 0
      let last = ''
      let closed = false
      let retry: NodeJS.Timeout | undefined
      let told = ''

      const show = (): void => {
        if (running === undefined) return
        const listed = running.desk.receivers.reduce((sum, { equipment }) => sum + (running?.desk.list(equipment).length ?? 0), 0)
        const who = sessions === 0 ? 'nobody connected' : `${sessions} connected`
        node.status({ fill: sessions > 0 ? 'green' : 'grey', shape: sessions > 0 ? 'dot' : 'ring', text: `${who}, ${listed} job orders${last}` })
      }

      async function open(): Promise<Running> {
        const desk = new JobControlDesk(store, () => plantNode.plant(), {
          maxJobOrders,
          where,
          taken(call, order) {
            last = `, ${call.method} ${call.jobOrder}`
            node.send([{ topic: `orders/${order.id}`, payload: structuredClone(order), call }, null] as never)
            show()
          },
          refused(call, problem) {
            last = `, ${call.method} ${call.jobOrder} refused`
            node.send([null, { topic: 'job-control/refused', payload: refusalOf(problem, call, plantNode.clock.now()), call }] as never)
            show()
            // who asked was told why; only what is wrong here is for the plant's people
            if (problem.code.startsWith('TAKT_STORE_') || problem.code === 'TAKT_INTERNAL') node.error(problem, {} as never)
          },
        })
        await desk.start()
        try {
          const server = await JobControlServer.start({
            host,
            port,
            security,
            users,
            pkiFolder: join(RED.settings.userDir ?? process.cwd(), 'takt', 'pki', 'job-control'),
            acceptClientCertificate: config.acceptClientCertificate === true,
            plant: plantNode.plant().model.plant,
            maxJobOrders,
            desk,
            onSessions(count) {
              sessions = count
              show()
            },
            where,
          })
          desk.listen({ changed: () => {}, listChanged: show })
          return { desk, server }
        } catch (thrown) {
          desk.stop()
          throw thrown
        }
      }

      /** What cannot begin, a taken port or a store that is away, is tried again. */
      async function start(): Promise<void> {
        if (closed) return
        try {
          running = await open()
          node.log(`Job Control at ${running.server.url}`)
          told = ''
          show()
        } catch (thrown) {
          const problem = toTaktError(thrown, where)
          showError(node, problem)
          if (problem.message !== told) node.error(problem, {} as never)
          told = problem.message
          retry = setTimeout(() => enqueue(start), RETRY_MS)
        }
      }
      async function stop(): Promise<void> {
        clearTimeout(retry)
        const { desk, server } = running ?? {}
        running = undefined
        sessions = 0
        desk?.stop()
        await server?.close()
      }
      let turn: Promise<void> = Promise.resolve()
      const enqueue = (work: () => Promise<void>): Promise<void> => {
        turn = turn.then(work)
        return turn
      }
      const forgetStart = whenFlowsStarted(RED, () => void enqueue(start))
      // what may be ordered is another: clients find it when they connect again
      const forgetReload = plantNode.onReload(() => void enqueue(stop).then(() => enqueue(start)))

      return {
        close() {
          closed = true
          forgetStart()
          forgetReload()
          return enqueue(stop)
        },
      }
    },
  })
}

/** Nobody may come in unless named here. Throws TAKT_CONFIG_INVALID for a server that nobody could use, and for a user without a password. */
function usersOf(credentials: Credentials, anonymous: boolean, where: string): ServerUsers {
  const named = [
    { name: credentials.user ?? '', password: credentials.password ?? '', role: 'control' },
    { name: credentials.viewer ?? '', password: credentials.viewerPassword ?? '', role: 'view' },
  ] satisfies ServerUser[]
  const users = named.filter(({ name }) => name !== '')
  const open = users.find(({ password }) => password === '')
  if (open !== undefined) throw new TaktError('TAKT_CONFIG_INVALID', { what: `user '${open.name}' has no password`, where })
  if (users.length === 0 && !anonymous) throw new TaktError('TAKT_CONFIG_INVALID', { what: 'no user is named, so nobody could connect', where })
  if (users.length === 2 && users[0]?.name === users[1]?.name) throw new TaktError('TAKT_CONFIG_INVALID', { what: 'both users have one name', where })
  return new ServerUsers(users, anonymous)
}
