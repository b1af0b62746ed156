import type { OPCUAServer } from 'node-opcua'
import { TaktError, toTaktError } from '../../base/error.ts'
import { loadOpcua, type Opcua } from '../load-opcua.ts'
import type { OpcuaSecurityMode } from '../opcua-settings.ts'
import { SERVER_TRANSPORT } from '../opcua-transport.ts'
import type { JobDesk } from './job-desk.ts'
import { JobSpace } from './job-space.ts'
import type { ServerUsers } from './server-users.ts'

export interface JobServerOptions {
  /** address to listen at; `0.0.0.0` for all */
  readonly host: string
  /** 0 takes a free one */
  readonly port: number
  /** the least that a client must use; with `None` the others are offered too */
  readonly security: OpcuaSecurityMode
  readonly users: ServerUsers
  /** own key and certificate, trusted and rejected clients */
  readonly pkiFolder: string
  /** trusts a client's certificate at first sight */
  readonly acceptClientCertificate: boolean
  /** of the plant, for the server's name */
  readonly plant: string
  readonly maxJobOrders: number
  readonly desk: JobDesk
  /** sessions came or went */
  readonly onSessions?: (count: number) => void
  readonly where: string
}

const MOST_SESSIONS = 50

/** An OPC UA server that takes job orders (OPC 10031-4), for an ERP or a line controller. What is asked goes to the desk; what is there to see comes from it. */
export class JobControlServer {
  readonly #server: OPCUAServer
  readonly #space: JobSpace

  private constructor(server: OPCUAServer, space: JobSpace) {
    this.#server = server
    this.#space = space
  }

  /** Throws TAKT_JOB_CONTROL_PORT when it cannot listen. */
  static async start(options: JobServerOptions): Promise<JobControlServer> {
    const opcua = await loadOpcua()
    const server = makeServer(opcua, options)
    let space: JobSpace | undefined
    try {
      await server.initialize()
      space = new JobSpace(opcua, server, options)
      await server.start()
    } catch (cause) {
      space?.close()
      await server.shutdown().catch(() => {})
      const { what } = toTaktError(cause, options.where)
      if (!/EADDRINUSE|EACCES|EADDRNOTAVAIL|listen/.test(what)) throw cause
      throw new TaktError('TAKT_JOB_CONTROL_PORT', { what: `it cannot listen on ${options.host}:${options.port}: ${what}`, where: options.where, cause })
    }
    const tell = (): void => options.onSessions?.(server.engine.currentSessionCount)
    server.on('session_activated', tell)
    server.on('session_closed', () => setImmediate(tell))
    return new JobControlServer(server, space)
  }

  /** `opc.tcp://…`, with the true port. */
  get url(): string {
    return this.#server.getEndpointUrl()
  }

  async close(): Promise<void> {
    this.#space.close()
    await this.#server.shutdown(0)
  }
}

function makeServer(opcua: Opcua, options: JobServerOptions): OPCUAServer {
  const { host, port, security, users, pkiFolder, acceptClientCertificate, plant } = options
  const { MessageSecurityMode: Mode, SecurityPolicy: Policy } = opcua
  const certificates = new opcua.OPCUACertificateManager({
    rootFolder: pkiFolder,
    automaticallyAcceptUnknownCertificate: acceptClientCertificate,
  })
  const hostname = host === '0.0.0.0' || host === '::' ? {} : { hostname: host }
  return new opcua.OPCUAServer({
    host,
    port,
    ...hostname,
    serverInfo: { applicationUri: `urn:takt:job-control:${plant.replaceAll('/', ':')}`, applicationName: { text: `Takt Job Control, ${plant}` } },
    buildInfo: { productName: 'Takt Job Control' },
    serverCertificateManager: certificates,
    userCertificateManager: certificates,
    securityModes: [...(security === 'None' ? [Mode.None] : []), ...(security === 'SignAndEncrypt' ? [] : [Mode.Sign]), Mode.SignAndEncrypt],
    securityPolicies: [...(security === 'None' ? [Policy.None] : []), Policy.Basic256Sha256, Policy.Aes128_Sha256_RsaOaep, Policy.Aes256_Sha256_RsaPss],
    allowAnonymous: users.anonymous,
    userManager: { isValidUser: (name: string, password: string) => users.isValid(name, password) },
    nodesets: [opcua.nodesets.standard, opcua.nodesets.isa95JobControl],
    nodesetLoaderOptions: { trustSiblingImages: true },
    isAuditing: false,
    transportSettings: SERVER_TRANSPORT,
    serverCapabilities: { maxSessions: MOST_SESSIONS, minSupportedSampleRate: 0 },
  })
}
