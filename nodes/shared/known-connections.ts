import { IncomingMessage } from 'node:http'
import type { NodeAPI } from 'node-red'
import { readPath } from '../../core/base/json.ts'
import type { Evidence } from '../../core/people/who-acts.ts'
import type { Message } from './define-node.ts'

/** A connection of a browser to Dashboard 2.0, as its server has it (socket.io). */
export interface DashboardConnection {
  readonly id: string
  readonly handshake?: unknown
  readonly request?: unknown
  readonly data?: unknown
  once?(event: 'disconnect', listener: () => void): unknown
}

/** Where the name of a user stands who logged in at the dashboard or at the web server; empty: they are not asked. */
export interface LoginRules {
  /** Below the connection: `data.user.username`, `handshake.headers.x-forwarded-user` */
  readonly dashboard: string
  /** Below the request of an http in node: `user.username`, `headers.x-forwarded-user` */
  readonly http: string
}

const known = new WeakMap<object, KnownConnections>()

/**
 * The dashboard's living connections, learned from its own server. `msg._client` alone proves nothing: a browser may send one of its own making. So it is taken away from
 * what browsers send, and a connection counts only while the server has it.
 */
export class KnownConnections {
  readonly #connections = new Map<string, DashboardConnection>()
  readonly #ended = new Set<(connection: string) => void>()

  /** Those of this Node-RED, which `people-plugin.ts` lets the dashboard tell of. */
  static of(RED: Pick<NodeAPI, 'events'>): KnownConnections {
    let connections = known.get(RED.events)
    if (connections === undefined) {
      connections = new KnownConnections()
      known.set(RED.events, connections)
    }
    return connections
  }

  /** What Dashboard 2.0 calls (its plugin API): each gives the message that goes on. */
  readonly hooks = {
    onAction: (connection: DashboardConnection, _widget: string, message: unknown): unknown => this.#received(connection, message),
    onSend: (connection: DashboardConnection, _widget: string, message: unknown): unknown => this.#received(connection, message),
    // here the message is the widget's last one, which may have come over somebody else's connection
    onChange: (connection: DashboardConnection, _widget: string, message: unknown): unknown => this.#received(connection, message),
    onAddConnectionCredentials: (connection: DashboardConnection, message: unknown): unknown => {
      this.#remember(connection)
      return message
    },
  }

  get(id: string): DashboardConnection | undefined {
    return this.#connections.get(id)
  }

  /** Calls back when one has gone. Returns the way to stop. */
  onEnd(listener: (connection: string) => void): () => void {
    this.#ended.add(listener)
    return () => void this.#ended.delete(listener)
  }

  #received(connection: DashboardConnection, message: unknown): unknown {
    this.#remember(connection)
    if (typeof message === 'object' && message !== null) {
      delete (message as Message)._client
      delete (message as Message).req
    }
    return message
  }

  #remember(connection: DashboardConnection): void {
    const { id } = connection
    if (typeof id !== 'string' || this.#connections.get(id) === connection) return
    this.#connections.set(id, connection)
    connection.once?.('disconnect', () => {
      this.#connections.delete(id)
      for (const tell of this.#ended) tell(id)
    })
  }
}

/** What a message carries to know somebody by: a session's token, a dashboard connection that is there, a user whom the web server or the dashboard's server has checked. */
export function evidenceOf(message: Message, connections: KnownConnections, rules: LoginRules): Evidence {
  const { session, _client, req } = message
  const socketId = typeof _client === 'object' && _client !== null ? (_client as { socketId?: unknown }).socketId : undefined
  const connection = typeof socketId === 'string' ? connections.get(socketId) : undefined
  const login = connection === undefined ? httpLogin(req, rules.http) : dashboardLogin(connection, rules.dashboard)
  return { session: typeof session === 'string' ? session : undefined, connection: connection?.id, login }
}

function dashboardLogin({ handshake, request, data }: DashboardConnection, path: string): string | undefined {
  return path === '' ? undefined : nameAt({ handshake, request, data }, path)
}

/** A request of this process's web server: an object that a message brought along is none. */
function httpLogin(req: unknown, path: string): string | undefined {
  if (path === '' || !(req instanceof IncomingMessage)) return undefined
  const { user, session } = req as IncomingMessage & { readonly user?: unknown; readonly session?: unknown }
  return nameAt({ user, session, headers: req.headers }, path)
}

function nameAt(value: unknown, path: string): string | undefined {
  const name = readPath(value, path)
  return typeof name === 'string' && name !== '' && name.length <= 200 ? name : undefined
}
