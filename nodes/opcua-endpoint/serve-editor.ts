import { join } from 'node:path'
import type { NodeAPI } from 'node-red'
import { TaktError, toTaktError } from '../../core/base/error.ts'
import type { OpcuaConnection } from '../../core/connect/opcua-connection.ts'
import { discover } from '../../core/connect/opcua-discovery.ts'
import { distrustCertificate, readTrust, trustCertificate } from '../../core/connect/opcua-trust.ts'
import { nameOf } from '../shared/define-node.ts'
import type { OpcuaEndpointNode } from './opcua-endpoint.ts'

const PATH = '/takt/opcua-endpoint'
/** Browsing keeps the session open this long for the next level. */
const LINGER_MS = 30_000
const CONNECT_TIMEOUT_MS = 10_000
const SEARCH = { visited: 20_000, found: 200, timeMs: 10_000 }

interface Request {
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, unknown>>
}
interface Response {
  json(body: unknown): unknown
  status(code: number): Response
  on(event: 'close', listener: () => void): unknown
}
type Act = (request: Request, response: Response) => Promise<unknown>

export function pkiFolderOf(RED: NodeAPI): string {
  return join(RED.settings.userDir ?? process.cwd(), 'takt', 'pki')
}

/**
 * What the dialogs ask for. Reading needs the permission `takt-opcua-endpoint.read`; asking any server (`discover`) and settling trust `takt-opcua-endpoint.write`.
 * Refusals answer 502 with `{code, message}`.
 */
export function serveEditor(RED: NodeAPI): void {
  const may = (what: 'read' | 'write') => RED.auth.needsPermission(`takt-opcua-endpoint.${what}`)
  const get = (path: string, act: Act): void => {
    RED.httpAdmin?.get(`${PATH}${path}`, may('read'), answer(act) as never)
  }
  const post = (path: string, act: Act): void => {
    RED.httpAdmin?.post(`${PATH}${path}`, may('write'), answer(act) as never)
  }
  get('/:id/browse', ({ params, query }) => visit(RED, params.id, (connection) => connection.browse(textOf(query.nodeId) || undefined)))
  get('/:id/search', ({ params, query }, response) => {
    const gone = new AbortController()
    response.on('close', () => gone.abort())
    return visit(RED, params.id, (connection) => connection.search(textOf(query.text), { ...SEARCH, signal: gone.signal }))
  })
  get('/certificates', () => readTrust(pkiFolderOf(RED)))
  post('/discover', async ({ query }) => {
    const url = textOf(query.url).replace(/\$\{(\w+)\}/g, (_part, name: string) => process.env[name] ?? '')
    if (!/^opc\.tcp:\/\/[^\s/]+/.test(url))
      throw new TaktError('TAKT_CONFIG_INVALID', { what: `'${url}' is not the URL of an OPC UA server`, where: 'opcua endpoint' })
    return discover(url, pkiFolderOf(RED), 'opcua endpoint')
  })
  post('/certificates/:thumbprint/trust', ({ params }) => trustCertificate(pkiFolderOf(RED), textOf(params.thumbprint)))
  post('/certificates/:thumbprint/distrust', ({ params }) => distrustCertificate(pkiFolderOf(RED), textOf(params.thumbprint)))
}

function answer(act: Act): (request: Request, response: Response) => Promise<void> {
  return async (request, response) => {
    try {
      response.json(await act(request, response))
    } catch (thrown) {
      const { code, message } = toTaktError(thrown, 'opcua endpoint')
      response.status(502).json({ code, message })
    }
  }
}

/** Holds the session of a deployed endpoint open for a while. */
async function visit<T>(RED: NodeAPI, id: string | undefined, act: (connection: OpcuaConnection) => Promise<T>): Promise<T> {
  const node = RED.nodes.getNode(String(id)) as OpcuaEndpointNode | null
  const where = node === null ? 'opcua endpoint' : nameOf(node)
  if (node?.connection === undefined) throw new TaktError('TAKT_CONFIG_INVALID', { what: 'this endpoint is not deployed, or could not start', where })
  const { connection } = node
  const visitor = { linkChanged: () => {} }
  connection.register(visitor)
  setTimeout(() => void connection.deregister(visitor), LINGER_MS).unref()
  await connection.whenConnected(CONNECT_TIMEOUT_MS, () => connection.away())
  return act(connection)
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value.trim() : ''
}
