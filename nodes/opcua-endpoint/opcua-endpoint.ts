import type { Node, NodeAPI, NodeDef } from 'node-red'
import { TaktError } from '../../core/base/error.ts'
import { OpcuaConnection } from '../../core/connect/opcua-connection.ts'
import { type OpcuaSecurityMode, type OpcuaSecurityPolicy, type OpcuaSettings, SECURITY_MODES, SECURITY_POLICIES } from '../../core/connect/opcua-settings.ts'
import { readUserCertificate } from '../../core/connect/opcua-user-certificate.ts'
import { defineNode, nameOf } from '../shared/define-node.ts'
import { whenFlowsStarted } from '../shared/flows-started.ts'
import { tellLink } from '../shared/tell-link.ts'
import { pkiFolderOf, serveEditor } from './serve-editor.ts'

export interface OpcuaEndpointConfig extends NodeDef {
  url: string
  securityMode: OpcuaSecurityMode
  securityPolicy: OpcuaSecurityPolicy
  /** trusts a server's certificate at first sight */
  acceptServerCertificate: boolean
  /** without it: by user where one is given, else anonymous */
  identity?: 'anonymous' | 'user' | 'certificate'
}

export interface OpcuaEndpointCredentials {
  user?: string
  password?: string
  /** PEM, or paths of PEM files */
  userCertificate?: string
  userKey?: string
  userKeyPassphrase?: string
}

/** What other nodes use: `RED.nodes.getNode(config.endpoint) as OpcuaEndpointNode`. */
export interface OpcuaEndpointNode extends Node<OpcuaEndpointCredentials> {
  readonly connection: OpcuaConnection
  readonly endpointUrl: string
}

export default function registerOpcuaEndpoint(RED: NodeAPI): void {
  serveEditor(RED)
  defineNode<OpcuaEndpointConfig, OpcuaEndpointNode>(RED, {
    type: 'takt-opcua-endpoint',
    credentials: {
      user: { type: 'text' },
      password: { type: 'password' },
      userCertificate: { type: 'text' },
      userKey: { type: 'password' },
      userKeyPassphrase: { type: 'password' },
    },
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
        ...identityOf(config, node.credentials ?? {}, where),
        acceptServerCertificate: config.acceptServerCertificate === true,
        pkiFolder: pkiFolderOf(RED),
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

function identityOf(
  config: OpcuaEndpointConfig,
  credentials: OpcuaEndpointCredentials,
  where: string,
): Pick<OpcuaSettings, 'username' | 'password' | 'userCertificate'> {
  const { user, password, userCertificate = '', userKey = '', userKeyPassphrase } = credentials
  const identity = config.identity || (user ? 'user' : 'anonymous')
  if (identity === 'anonymous') return {}
  if (identity === 'certificate')
    return { userCertificate: readUserCertificate({ certificate: userCertificate, key: userKey, passphrase: userKeyPassphrase }, where) }
  if (!user) throw new TaktError('TAKT_CONFIG_INVALID', { what: 'the user is missing', where })
  return { username: user, password: password || undefined }
}
