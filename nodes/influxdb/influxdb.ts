import type { Node, NodeAPI, NodeDef } from 'node-red'
import { TaktError } from '../../core/base/error.ts'
import { InfluxLink } from '../../core/connect/influx/influx-link.ts'
import { defineNode, nameOf } from '../shared/define-node.ts'
import { expandEnv } from '../shared/expand-env.ts'
import { numberSetting } from '../shared/settings.ts'
import { tellLink } from '../shared/tell-link.ts'

export interface InfluxdbConfig extends NodeDef {
  /** `http://host:8086`; several of one cluster by commas */
  url: string
  database: string
  /** empty: the database's own default */
  retentionPolicy: string
  createDatabase: boolean
  /** `user`: user and password; `token`: InfluxDB 2 */
  login: 'none' | 'user' | 'token'
  /** seconds */
  timeout: string | number
  /** id of a core tls-config */
  tls: string
}

/** What other nodes use: `RED.nodes.getNode(config.influxdb) as InfluxdbNode`. `credentials` has `user`, `password` and `token`. */
export interface InfluxdbNode extends Node<{ user?: string; password?: string; token?: string }> {
  readonly link: InfluxLink
}

interface TlsConfigNode extends Node {
  addTLSOptions(options: Record<string, unknown>): unknown
}

const DEFAULT_URL = 'http://127.0.0.1:8086'

export default function registerInfluxdb(RED: NodeAPI): void {
  defineNode<InfluxdbConfig, InfluxdbNode>(RED, {
    type: 'takt-influxdb',
    credentials: { user: { type: 'text' }, password: { type: 'password' }, token: { type: 'password' } },
    create(node, config) {
      const where = nameOf(node)
      const expand = (text: string | undefined, what: string): string => expandEnv(RED, node, text?.trim() ?? '', what)
      const database = expand(config.database, 'the database')
      if (database === '') throw new TaktError('TAKT_CONFIG_INVALID', { what: 'no database is given', where })
      const urls = urlsOf(expand(config.url, 'the URL') || DEFAULT_URL, where)

      const tls: Record<string, unknown> = {}
      const tlsNode = config.tls ? (RED.nodes.getNode(config.tls) as TlsConfigNode | null) : null
      if (config.tls && tlsNode === null) throw new TaktError('TAKT_CONFIG_INVALID', { what: 'the TLS settings are missing or disabled', where })
      tlsNode?.addTLSOptions(tls)

      const { user, password, token } = node.credentials ?? {}
      const link = new InfluxLink({
        urls,
        database,
        retentionPolicy: expand(config.retentionPolicy, 'the retention policy'),
        createDatabase: config.createDatabase !== false,
        timeoutMs: numberSetting(where)(config.timeout, 'timeout', 10, 1, 600) * 1000,
        username: config.login === 'user' ? expand(user, 'the user') || undefined : undefined,
        password: config.login === 'user' ? expand(password, 'the password') : undefined,
        token: config.login === 'token' ? expand(token, 'the token') || undefined : undefined,
        tls: tlsNode === null ? undefined : tls,
        where,
      })
      Object.defineProperty(node, 'link', { value: link })
      const stopTelling = tellLink(node, link, () => urls[0]?.origin ?? '')

      return {
        async close() {
          stopTelling()
          await link.end()
        },
      }
    },
  })
}

function urlsOf(text: string, where: string): URL[] {
  return text.split(/[\s,]+/).map((part) => {
    const url = URL.canParse(part) ? new URL(part) : undefined
    if (url === undefined || !['http:', 'https:'].includes(url.protocol))
      throw new TaktError('TAKT_CONFIG_INVALID', { what: `'${part}' is not the URL of a server (http or https)`, where })
    if (url.username !== '' || url.password !== '')
      throw new TaktError('TAKT_CONFIG_INVALID', { what: 'user and password belong into their own fields, where they are kept encrypted', where })
    return url
  })
}
