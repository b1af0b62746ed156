import { X509Certificate } from 'node:crypto'
import type { CallMethodResult, ClientSession, NodeId, OPCUAClient, StatusCode, UserIdentityInfo, Variant } from 'node-opcua'
import { TaktError, toTaktError } from '../base/error.ts'
import { loadOpcua, type Opcua } from './load-opcua.ts'
import { type BrowsedNode, browseNode, type SearchLimits, type SearchResult, searchNodes } from './opcua-browse.ts'
import { dispose, messageOf, problemOf } from './opcua-problem.ts'
import type { OpcuaSettings } from './opcua-settings.ts'
import { CLIENT_TRANSPORT } from './opcua-transport.ts'
import { plainOf } from './opcua-value.ts'
import { variantForArgument, variantForNode, type WrittenValue } from './opcua-write.ts'
import { SharedLink } from './shared-link.ts'

/** Subscriptions belong to a session: each new one is told, with the library that it speaks. */
export type SessionListener = (session: ClientSession, opcua: Opcua) => void

const RETRY_MS = 1000
/** Who is refused is asked for less often: the server may lock the user out. */
const REFUSED_RETRY_MS = 5000
const UNTRUSTED_RETRY_MS = 2000
const SESSION_TIMEOUT_MS = 60_000
const KEEP_ALIVE_MS = 5000
const TRANSACTION_TIMEOUT_MS = 10_000
/** A host that takes the connection and says nothing is given up for another attempt. */
const TRANSPORT_TIMEOUT_MS = 3000
const BUILD_TIMEOUT_MS = 15_000
/** The client's own reconnection repeats some failures without a pause. */
const FAILED_ATTEMPTS = 2

/**
 * A session with an OPC UA server that several nodes share. A short loss is repaired by the client itself: the session goes on and the server
 * repeats what was missed. Where that fails (the server was restarted with other keys, a subscription that stays mute), all is built anew.
 */
export class OpcuaConnection extends SharedLink {
  readonly #settings: OpcuaSettings
  readonly #sessionListeners = new Set<SessionListener>()
  #client: OPCUAClient | undefined
  #session: ClientSession | undefined
  #opcua: Opcua | undefined
  #retry: NodeJS.Timeout | undefined
  #wanted = false

  constructor(settings: OpcuaSettings) {
    super(settings.waiting)
    this.#settings = settings
  }

  /** Calls with each new session, and at once with the present one. Returns the way to stop. */
  onSession(listener: SessionListener): () => void {
    this.#sessionListeners.add(listener)
    if (this.#session !== undefined && this.#opcua !== undefined) listener(this.#session, this.#opcua)
    return () => void this.#sessionListeners.delete(listener)
  }

  /** Calls a method with one text. Throws TAKT_OPCUA_AWAY while there is no session. */
  async call(objectId: string, methodId: string, text: string): Promise<CallMethodResult> {
    const { session, opcua } = this.#present()
    const argument = new opcua.Variant({ dataType: opcua.DataType.String, value: text })
    return this.#within(
      session.call({ objectId: this.#nodeId(opcua, objectId), methodId: this.#nodeId(opcua, methodId), inputArguments: [argument] }),
      `calling ${methodId}`,
    )
  }

  /**
   * Calls a method with named arguments, each as the type that the method declares. A method that takes one text, and not one of that name, is given `text`.
   * Throws TAKT_OPCUA_VALUE for an argument that is missing or does not fit.
   */
  async callNamed(objectId: string, methodId: string, given: Readonly<Record<string, WrittenValue>>, text: string): Promise<CallMethodResult> {
    const { session, opcua } = this.#present()
    const method = this.#nodeId(opcua, methodId)
    const { inputArguments } = await this.#within(session.getArgumentDefinition(method), `reading the arguments of ${methodId}`)
    const [first] = inputArguments
    const takesText =
      inputArguments.length === 1 && first !== undefined && opcua.DataType.String === Number(first.dataType.value) && first.dataType.namespace === 0
    if (takesText && !Object.hasOwn(given, first.name ?? '')) return this.call(objectId, methodId, text)
    const where = `${this.#settings.where}, method ${methodId}`
    const variants: Variant[] = []
    for (const argument of inputArguments) {
      const name = argument.name ?? ''
      if (!Object.hasOwn(given, name)) throw new TaktError('TAKT_OPCUA_VALUE', { what: `the method takes '${name}', which the command does not give`, where })
      variants.push(await this.#within(variantForArgument(session, opcua, argument, given[name] as WrittenValue, where), `the argument ${name}`))
    }
    return this.#within(session.call({ objectId: this.#nodeId(opcua, objectId), methodId: method, inputArguments: variants }), `calling ${methodId}`)
  }

  /** Writes a value as the type that the variable has; the answer is the server's status. Throws TAKT_OPCUA_VALUE, TAKT_OPCUA_ACCESS. */
  async write(nodeId: string, value: WrittenValue): Promise<StatusCode> {
    const { session, opcua } = this.#present()
    const node = this.#nodeId(opcua, nodeId)
    const variant = await this.#within(variantForNode(session, opcua, node, value, `${this.#settings.where}, node ${nodeId}`), `reading the type of ${nodeId}`)
    return this.#within(session.write({ nodeId: node, attributeId: opcua.AttributeIds.Value, value: { value: variant } }), `writing ${nodeId}`)
  }

  /** The present value as plain JavaScript: lists, exact wide integers. */
  async read(nodeId: string): Promise<unknown> {
    const { session, opcua } = this.#present()
    const result = await this.#within(session.read({ nodeId: this.#nodeId(opcua, nodeId), attributeId: opcua.AttributeIds.Value }), `reading ${nodeId}`)
    return plainOf(result.value, opcua)
  }

  /** The children of a node of the address space; of the objects folder without one. */
  async browse(nodeId = 'ObjectsFolder'): Promise<readonly BrowsedNode[]> {
    const { session, opcua } = this.#present()
    const node = this.#nodeId(opcua, nodeId).toString()
    return this.#within(browseNode(session, opcua, node), `browsing ${nodeId}`)
  }

  /** Nodes whose name or id has the text. Ends by itself within the limits. */
  async search(text: string, limits: SearchLimits): Promise<SearchResult> {
    const { session, opcua } = this.#present()
    return this.#within(searchNodes(session, opcua, text, limits), 'searching', limits.timeMs + TRANSACTION_TIMEOUT_MS)
  }

  away(): TaktError {
    return new TaktError('TAKT_OPCUA_AWAY', { where: this.#settings.where })
  }

  /** Drops everything and builds it anew: for users who see that what looks alive is not. `session` guards against a second call for the same loss. */
  rebuild(session: ClientSession, problem: TaktError, afterMs = 0): void {
    if (session === this.#session) this.#renew(problem, afterMs)
  }

  protected async open(): Promise<void> {
    this.#wanted = true
    this.changed('connecting')
    void this.#build()
  }

  protected async shut(): Promise<void> {
    this.#wanted = false
    await this.#drop()
  }

  async #build(): Promise<void> {
    const settings = this.#settings
    const opcua = await loadOpcua().catch((thrown: unknown) => this.changed('away', toTaktError(thrown, settings.where)))
    if (!opcua || !this.#wanted || this.#client !== undefined) return
    const client = opcua.OPCUAClient.create({
      applicationName: 'Takt',
      clientName: 'Takt',
      clientCertificateManager: new opcua.OPCUACertificateManager({
        rootFolder: settings.pkiFolder,
        automaticallyAcceptUnknownCertificate: settings.acceptServerCertificate,
        disableFileWatchers: true,
      }),
      endpointMustExist: false,
      securityMode: opcua.MessageSecurityMode[settings.securityMode],
      securityPolicy: settings.securityMode === 'None' ? opcua.SecurityPolicy.None : opcua.SecurityPolicy[settings.securityPolicy],
      requestedSessionTimeout: SESSION_TIMEOUT_MS,
      keepSessionAlive: true,
      keepAliveInterval: KEEP_ALIVE_MS,
      defaultTransactionTimeout: TRANSACTION_TIMEOUT_MS,
      transportTimeout: TRANSPORT_TIMEOUT_MS,
      transportSettings: CLIENT_TRANSPORT,
      // one retry at the beginning; what was connected once is tried again without end
      connectionStrategy: { maxRetry: 1, initialDelay: RETRY_MS / 2, maxDelay: RETRY_MS, randomisationFactor: 0 },
    })
    this.#client = client
    this.#opcua = opcua
    const present = (): boolean => this.#client === client
    const late = setTimeout(() => {
      if (present()) this.#renew(this.away(), RETRY_MS)
    }, BUILD_TIMEOUT_MS)
    try {
      await client.connect(settings.url)
      if (!present()) return void dispose(client)
      const session = await client.createSession(this.#identity(opcua))
      if (!present()) return void dispose(client)
      this.#attend(client, session, opcua)
    } catch (thrown) {
      if (!present()) return
      const problem = await problemOf(thrown, settings, opcua)
      if (present()) this.#renew(problem, retryAfter(problem))
    } finally {
      clearTimeout(late)
    }
  }

  #attend(client: OPCUAClient, session: ClientSession, opcua: Opcua): void {
    let failures = 0
    const guarded = (act: () => void) => () => {
      if (this.#client === client) act()
    }
    const lost = guarded(() => this.changed('away', this.away()))
    client.on('connection_lost', lost)
    client.on('start_reconnection', lost)
    client.on(
      'connection_reestablished',
      guarded(() => {
        failures = 0
        this.changed('connected')
      }),
    )
    client.on(
      'reconnection_attempt_has_failed',
      guarded(() => {
        if (++failures >= FAILED_ATTEMPTS) this.#renew(this.away(), RETRY_MS)
      }),
    )
    const ended = guarded(() => this.#renew(this.away(), 0))
    client.on('close', ended)
    session.on('session_closed', ended)
    // events of the session that its published types do not list
    const events = session as unknown as NodeJS.EventEmitter
    events.on('session_repaired_failed', ended)
    this.#session = session
    this.changed('connected')
    for (const listener of this.#sessionListeners) listener(session, opcua)
  }

  #renew(problem: TaktError, afterMs: number): void {
    void this.#drop()
    this.changed('away', problem)
    if (this.#wanted) this.#retry = setTimeout(() => void this.#build(), afterMs)
  }

  async #drop(): Promise<void> {
    clearTimeout(this.#retry)
    const client = this.#client
    const session = this.#session
    this.#client = undefined
    this.#session = undefined
    if (client !== undefined) await dispose(client, session)
  }

  #present(): { readonly session: ClientSession; readonly opcua: Opcua } {
    if (this.#session === undefined || this.#opcua === undefined || this.state !== 'connected') throw this.problem ?? this.away()
    return { session: this.#session, opcua: this.#opcua }
  }

  #nodeId({ resolveNodeId }: Opcua, text: string): NodeId {
    try {
      return resolveNodeId(text)
    } catch (cause) {
      throw new TaktError('TAKT_OPCUA_NODE_UNKNOWN', { what: `'${text}' is not a node id`, where: this.#settings.where, cause })
    }
  }

  /** A request during a loss would wait for the reconnection: the asker is told in time. */
  async #within<T>(request: Promise<T>, what: string, timeoutMs = TRANSACTION_TIMEOUT_MS): Promise<T> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(
        () => reject(new TaktError('TAKT_TIMEOUT', { what: `${what} was not answered in ${timeoutMs / 1000} s`, where: this.#settings.where })),
        timeoutMs,
      )
    })
    try {
      return await Promise.race([request, late])
    } catch (cause) {
      if (cause instanceof TaktError) throw cause
      throw new TaktError('TAKT_OPCUA_REFUSED', { what: `${what} failed: ${messageOf(cause)}`, where: this.#settings.where, cause })
    } finally {
      clearTimeout(timer)
      request.catch(() => {})
    }
  }

  #identity({ UserTokenType }: Opcua): UserIdentityInfo {
    const { username, password, userCertificate } = this.#settings
    if (userCertificate !== undefined) {
      const certificateData = new X509Certificate(userCertificate.certificate).raw
      return { type: UserTokenType.Certificate, certificateData, privateKey: userCertificate.key }
    }
    if (username === undefined) return { type: UserTokenType.Anonymous }
    return { type: UserTokenType.UserName, userName: username, password: password ?? '' }
  }
}

function retryAfter({ code }: TaktError): number {
  if (code === 'TAKT_OPCUA_AWAY') return RETRY_MS
  return code === 'TAKT_OPCUA_USER' ? REFUSED_RETRY_MS : UNTRUSTED_RETRY_MS
}
