import { join } from 'node:path'
import type { Node, NodeAPI, NodeDef } from 'node-red'
import { TaktError, toTaktError } from '../../core/base/error.ts'
import { OpcuaConnection } from '../../core/connect/opcua-connection.ts'
import { type OpcuaSecurityMode, type OpcuaSecurityPolicy, SECURITY_MODES, SECURITY_POLICIES } from '../../core/connect/opcua-settings.ts'
import { defineNode, nameOf } from '../shared/define-node.ts'
import { whenFlowsStarted } from '../shared/flows-started.ts'
import { tellLink } from '../shared/tell-link.ts'

export interface OpcuaEndpointConfig extends NodeDef {
  url: string
  securityMode: OpcuaSecurityMode
  securityPolicy: OpcuaSecurityPolicy
  /** trusts a server's certificate at first sight */
  acceptServerCertificate: boolean
}

/** What other nodes use: `RED.nodes.getNode(config.endpoint) as OpcuaEndpointNode`. `credentials` has `user` and `password`. */
export interface OpcuaEndpointNode extends Node<{ user?: string; password?: string }> {
  readonly connection: OpcuaConnection
  readonly endpointUrl: string
}

/** Browsing keeps the session open this long for the next level. */
const BROWSE_LINGER_MS = 30_000
const BROWSE_TIMEOUT_MS = 5000

export default function registerOpcuaEndpoint(RED: NodeAPI): void {
  serveBrowsing(RED)
  defineNode<OpcuaEndpointConfig, OpcuaEndpointNode>(RED, {
    type: 'takt-opcua-endpoint',
    credentials: { user: { type: 'text' }, password: { type: 'password' } },
    create(node, config) {
      const where = nameOf(node)
      const securityMode = config.securityMode || 'None'
      const securityPolicy = config.securityPolicy || 'Basic256Sha256'
      if (!/^opc\.tcp:\/\/[^\s/]+/.test(config.url ?? ''))
        throw new TaktError('TAKT_CONFIG_INVALID', { what: `'${config.url}' is not the URL of an OPC UA server (opc.tcp://host:4840)`, where })
      if (!SECURITY_MODES.includes(securityMode) || !SECURITY_POLICIES.includes(securityPolicy))
        throw new TaktError('TAKT_CONFIG_INVALID', { what: `security ${securityMode} with ${securityPolicy} is unknown`, where })
      if (securityMode !== 'None' && securityPolicy === 'None')
        throw new TaktError('TAKT_CONFIG_INVALID', { what: `security mode ${securityMode} needs a security policy`, where })
      const connection = new OpcuaConnection({
        url: config.url,
        securityMode,
        securityPolicy,
        username: node.credentials?.user || undefined,
        password: node.credentials?.password || undefined,
        acceptServerCertificate: config.acceptServerCertificate === true,
        pkiFolder: join(RED.settings.userDir ?? process.cwd(), 'takt', 'pki'),
        where,
        waiting: true,
      })
      Object.defineProperty(node, 'connection', { value: connection })
      Object.defineProperty(node, 'endpointUrl', { value: config.url })

      const stopTelling = tellLink(node, connection, () => config.url)
      const forget = whenFlowsStarted(RED, () => connection.begin())
      return {
        close() {
          forget()
          stopTelling()
          return connection.end()
        },
      }
    },
  })
}

/** `GET takt/opcua-endpoint/<id>/browse?nodeId=…` for the editor: the children of a node on the server. */
function serveBrowsing(RED: NodeAPI): void {
  RED.httpAdmin?.get('/takt/opcua-endpoint/:id/browse', RED.auth.needsPermission('takt-opcua-endpoint.read'), async (request, response) => {
    const node = RED.nodes.getNode(String(request.params.id)) as OpcuaEndpointNode | null
    const where = node === null ? 'opcua endpoint' : nameOf(node)
    const visitor = { linkChanged: () => {} }
    try {
      if (node?.connection === undefined) throw new TaktError('TAKT_CONFIG_INVALID', { what: 'this endpoint is not deployed, or could not start', where })
      const { connection } = node
      connection.register(visitor)
      setTimeout(() => void connection.deregister(visitor), BROWSE_LINGER_MS).unref()
      await connection.whenConnected(BROWSE_TIMEOUT_MS, () => connection.away())
      const { nodeId } = request.query
      response.json(await connection.browse(typeof nodeId === 'string' && nodeId !== '' ? nodeId : undefined))
    } catch (thrown) {
      const { code, message } = toTaktError(thrown, where)
      response.status(502).json({ code, message })
    }
  })
}
