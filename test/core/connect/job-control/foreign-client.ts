import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type CallMethodResult,
  type ClientSession,
  DataType,
  MessageSecurityMode,
  OPCUACertificateManager,
  OPCUAClient,
  resolveNodeId,
  SecurityPolicy,
  UserTokenType,
  type Variant,
  VariantArrayType,
  type VariantOptions,
} from 'node-opcua'

export interface Login {
  readonly user?: string
  readonly password?: string
  readonly mode?: MessageSecurityMode
  readonly pki?: string
}

/** A client that knows the specification and nothing of Takt: calls by the type's method ids, reads structures as they come. */
export class ForeignClient {
  readonly session: ClientSession
  readonly #client: OPCUAClient
  readonly #namespace: number
  readonly #folder: string

  private constructor(client: OPCUAClient, session: ClientSession, namespace: number, folder: string) {
    this.#client = client
    this.session = session
    this.#namespace = namespace
    this.#folder = folder
  }

  /** `receiver` is the equipment whose folder is used. */
  static async connect(url: string, receiver: string, { user, password = '', mode = MessageSecurityMode.None, pki }: Login = {}): Promise<ForeignClient> {
    const client = OPCUAClient.create({
      endpointMustExist: false,
      securityMode: mode,
      securityPolicy: mode === MessageSecurityMode.None ? SecurityPolicy.None : SecurityPolicy.Basic256Sha256,
      connectionStrategy: { maxRetry: 0 },
      // small chunks are cheap, and a long message is many of them
      transportSettings: { receiveBufferSize: 16_384, sendBufferSize: 16_384 },
      clientCertificateManager: new OPCUACertificateManager({
        rootFolder: pki ?? join(tmpdir(), 'takt-test-foreign-pki'),
        automaticallyAcceptUnknownCertificate: true,
        disableFileWatchers: true,
      }),
    })
    try {
      await client.connect(url)
      const session = await client.createSession(
        user === undefined ? { type: UserTokenType.Anonymous } : { type: UserTokenType.UserName, userName: user, password },
      )
      const namespaces = await session.readNamespaceArray()
      return new ForeignClient(client, session, namespaces.indexOf('http://opcfoundation.org/UA/ISA95-JOBCONTROL_V2/'), `ns=1;s=JobControl:${receiver}`)
    } catch (error) {
      await client.disconnect().catch(() => {})
      throw error
    }
  }

  get namespace(): number {
    return this.#namespace
  }

  get control(): string {
    return `${this.#folder}.JobOrderControl`
  }

  get results(): string {
    return `${this.#folder}.JobOrderResults`
  }

  async order(method: 'Store' | 'StoreAndStart' | 'Update', fields: Record<string, unknown>): Promise<Answer> {
    const value = await this.session.constructExtensionObject(resolveNodeId(`ns=${this.#namespace};i=3008`), fields)
    return this.call(method, [{ dataType: DataType.ExtensionObject, value }, comment('asked by a test')])
  }

  command(method: string, id: unknown): Promise<Answer> {
    return this.call(method, [{ dataType: DataType.String, value: id }, comment()])
  }

  async call(method: string, inputArguments: readonly VariantOptions[]): Promise<Answer> {
    const request = { objectId: this.control, methodId: `ns=${this.#namespace};i=${METHODS[method]}`, inputArguments: [...inputArguments] as Variant[] }
    return answerOf(await this.session.call(request))
  }

  /** The response, and the status beside it. */
  async response(id: string): Promise<{ readonly status: Answer; readonly response: Record<string, unknown> | null }> {
    const methodId = `ns=${this.#namespace};i=7002`
    const result = await this.session.call({ objectId: this.results, methodId, inputArguments: [{ dataType: DataType.String, value: id }] as Variant[] })
    return { status: answerOf(result, 1), response: (result.outputArguments?.[0]?.value ?? null) as Record<string, unknown> | null }
  }

  async responses(state: readonly object[]): Promise<{ readonly status: Answer; readonly responses: ReadonlyArray<Record<string, unknown>> }> {
    const type = resolveNodeId(`ns=${this.#namespace};i=3006`)
    const value = await Promise.all(state.map((fields) => this.session.constructExtensionObject(type, fields as Record<string, unknown>)))
    const result = await this.session.call({
      objectId: this.results,
      methodId: `ns=${this.#namespace};i=7014`,
      inputArguments: [{ dataType: DataType.ExtensionObject, arrayType: VariantArrayType.Array, value }] as Variant[],
    })
    return { status: answerOf(result, 1), responses: (result.outputArguments?.[0]?.value ?? []) as ReadonlyArray<Record<string, unknown>> }
  }

  async list(): Promise<
    ReadonlyArray<{ readonly jobOrder: Record<string, unknown>; readonly state: ReadonlyArray<{ readonly stateText: { readonly text: string } }> }>
  > {
    const { value } = await this.session.read({ nodeId: `${this.control}-JobOrderList`, attributeId: 13 })
    return value.value ?? []
  }

  /** `4711: Running`, one a job order. */
  async states(): Promise<readonly string[]> {
    return (await this.list()).map(({ jobOrder, state }) => `${jobOrder.jobOrderID}: ${state.map(({ stateText }) => stateText.text).join('/')}`)
  }

  close(): Promise<void> {
    return this.#client.disconnect()
  }
}

export interface Answer {
  readonly code: string
  /** the two words of the ReturnStatus */
  readonly status: readonly [number, number] | undefined
}

/** Words of a ReturnStatus, from the table of the specification. */
export const STATUS = {
  noError: [0, 1],
  unknownId: [0, 2],
  invalidState: [0, 8],
  unableToAccept: [0, 16],
  invalidRequest: [1, 0],
} as const

const METHODS: Readonly<Record<string, number>> = {
  Store: 7001,
  StoreAndStart: 7004,
  Start: 7005,
  Stop: 7006,
  Pause: 7007,
  Resume: 7008,
  Update: 7009,
  Abort: 7010,
  Cancel: 7011,
  Clear: 7012,
  RevokeStart: 7013,
}

function answerOf({ statusCode, outputArguments }: CallMethodResult, index = 0): Answer {
  return { code: statusCode.name, status: outputArguments?.[index]?.value as [number, number] | undefined }
}

export function comment(text?: string): VariantOptions {
  return { dataType: DataType.LocalizedText, arrayType: VariantArrayType.Array, value: text === undefined ? [] : [{ text }] }
}

export const quantity = (value: number): object => ({ ID: 'Quantity', value: { dataType: DataType.Double, value } })
