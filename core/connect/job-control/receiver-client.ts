import type { ClientSession, ExtensionObject, NodeId, Variant, VariantOptions } from 'node-opcua'
import { TaktError } from '../../base/error.ts'
import type { Opcua } from '../load-opcua.ts'
import { messageOf } from '../opcua-problem.ts'
import type { JobOrderRecord, JobResponseRecord } from './job-record.ts'
import { type JobState, readState } from './job-states.ts'
import { readJobOrderId, readJobResponse } from './read-record.ts'
import { describeStatus, isNoError } from './return-status.ts'
import { DATA_TYPES, JOB_CONTROL_URI, type JobMethod, type OrderMethod, PROVIDER_TYPE, RESPONSE_METHODS, type ReceiverMethod } from './vocabulary.ts'
import { jobOrderFields } from './write-record.ts'

/** One entry of a receiver's JobOrderList. `mark` is the parameter that a command of ours leaves there. */
export interface ListedOrder extends JobState {
  readonly id: string
  readonly mark: string | undefined
}

export interface MethodAnswer {
  readonly done: boolean
  /** in words, where it is not done */
  readonly why: string
}

/** Parameter by which job orders that came from Takt are known again; its value is the id of the command. */
export const MARK = 'Takt.Command'

/**
 * What a server offers behind one ISA95JobOrderReceiver, found by browsing: servers name their nodes as they like, and offer only some of the methods.
 * Lives as long as the session.
 */
export class ReceiverClient {
  readonly #session: ClientSession
  readonly #opcua: Opcua
  readonly #receiver: NodeId
  readonly #timeoutMs: number
  readonly #where: string
  #namespace = 0
  #methods = new Map<string, NodeId>()
  #list: NodeId | undefined
  #provider: NodeId | undefined
  #providerMethods = new Map<string, NodeId>()

  private constructor(session: ClientSession, opcua: Opcua, receiver: NodeId, timeoutMs: number, where: string) {
    this.#session = session
    this.#opcua = opcua
    this.#receiver = receiver
    this.#timeoutMs = timeoutMs
    this.#where = where
  }

  /** Throws TAKT_JOB_CONTROL_UNSUPPORTED when there is no receiver at this node, TAKT_OPCUA_NODE_UNKNOWN for a text that is no node id. */
  static async open(session: ClientSession, opcua: Opcua, nodeId: string, timeoutMs: number, where: string): Promise<ReceiverClient> {
    let receiver: NodeId
    try {
      receiver = opcua.resolveNodeId(nodeId)
    } catch (cause) {
      throw new TaktError('TAKT_OPCUA_NODE_UNKNOWN', { what: `'${nodeId}' is not a node id`, where, cause })
    }
    const client = new ReceiverClient(session, opcua, receiver, timeoutMs, where)
    await client.#discover(nodeId)
    return client
  }

  get listNode(): NodeId | undefined {
    return this.#list
  }

  offers(method: ReceiverMethod): boolean {
    return this.#methods.has(method)
  }

  /** Hands over a job order. Throws TAKT_TIMEOUT, TAKT_OPCUA_REFUSED, TAKT_JOB_CONTROL_UNSUPPORTED. */
  async order(method: OrderMethod, record: JobOrderRecord, comment?: string): Promise<MethodAnswer> {
    const { DataType } = this.#opcua
    const value = await this.#within(
      this.#session.constructExtensionObject(this.#typeId(DATA_TYPES.jobOrder), jobOrderFields(record, this.#opcua) as Record<string, unknown>),
      'the type of job orders',
    )
    return this.#call(method, [{ dataType: DataType.ExtensionObject, value }, this.#comment(comment)])
  }

  command(method: JobMethod, jobOrder: string, comment?: string): Promise<MethodAnswer> {
    return this.#call(method, [{ dataType: this.#opcua.DataType.String, value: jobOrder }, this.#comment(comment)])
  }

  /** The receiver's JobOrderList; `undefined` where it cannot be read. */
  async jobs(): Promise<readonly ListedOrder[] | undefined> {
    if (this.#list === undefined) return undefined
    const { value, statusCode } = await this.#within(
      this.#session.read({ nodeId: this.#list, attributeId: this.#opcua.AttributeIds.Value }),
      'reading the JobOrderList',
    )
    return statusCode.isNotGood() ? undefined : listedOrders(value, this.#where)
  }

  /** What the machine says it made; `undefined` where it offers no responses or has none for this job order. */
  async response(jobOrder: string): Promise<JobResponseRecord | undefined> {
    const methodId = this.#providerMethods.get(RESPONSE_METHODS[0])
    if (this.#provider === undefined || methodId === undefined) return undefined
    const { DataType } = this.#opcua
    const request = this.#session.call({ objectId: this.#provider, methodId, inputArguments: [{ dataType: DataType.String, value: jobOrder }] as Variant[] })
    const { outputArguments } = await this.#within(request, 'asking for the job response')
    const [response, status] = outputArguments ?? []
    if (!isNoError(status?.value) || response?.value === null || response?.value === undefined) return undefined
    const record = readJobResponse(response.value, this.#where)
    return record.jobOrder === jobOrder ? record : undefined
  }

  async #discover(nodeId: string): Promise<void> {
    const namespaces = await this.#within(this.#session.readNamespaceArray(), 'reading the namespaces')
    this.#namespace = namespaces.indexOf(JOB_CONTROL_URI)
    if (this.#namespace < 0) throw this.#unsupported(`the server does not have the namespace ${JOB_CONTROL_URI}`)
    const children = await this.#children(this.#receiver)
    this.#methods = this.#methodsAmong(children)
    this.#list = children.find(({ browseName, nodeClass }) => browseName.name === 'JobOrderList' && nodeClass === this.#opcua.NodeClass.Variable)?.nodeId
    if (this.#methods.size === 0 && this.#list === undefined) throw this.#unsupported(`${nodeId} is no job order receiver`)
    await this.#findProvider()
  }

  /** The responses lie beside the receiver, as in OPC UA for Machinery: below the same parent, by their type. */
  async #findProvider(): Promise<void> {
    const { BrowseDirection, NodeClass, resolveNodeId } = this.#opcua
    const parents = await this.#browse(this.#receiver, BrowseDirection.Inverse, NodeClass.Object)
    const type = resolveNodeId(`ns=${this.#namespace};i=${PROVIDER_TYPE}`).toString()
    for (const { nodeId } of parents) {
      for (const sibling of await this.#children(nodeId)) {
        const methods = sibling.nodeClass === NodeClass.Object ? this.#methodsAmong(await this.#children(sibling.nodeId)) : new Map<string, NodeId>()
        if (sibling.typeDefinition.toString() !== type && !methods.has(RESPONSE_METHODS[0])) continue
        this.#provider = sibling.nodeId
        this.#providerMethods = methods
        return
      }
    }
  }

  #methodsAmong(children: readonly Found[]): Map<string, NodeId> {
    const methods = children.filter(({ nodeClass, browseName }) => nodeClass === this.#opcua.NodeClass.Method && browseName.namespaceIndex === this.#namespace)
    return new Map(methods.map(({ browseName, nodeId }) => [browseName.name ?? '', nodeId]))
  }

  #children(nodeId: NodeId): Promise<readonly Found[]> {
    const { BrowseDirection, NodeClass } = this.#opcua
    return this.#browse(nodeId, BrowseDirection.Forward, NodeClass.Object | NodeClass.Variable | NodeClass.Method)
  }

  async #browse(nodeId: NodeId, browseDirection: number, nodeClassMask: number): Promise<readonly Found[]> {
    const request = { nodeId, referenceTypeId: 'HierarchicalReferences', includeSubtypes: true, browseDirection, nodeClassMask, resultMask: 0x3f }
    const { statusCode, references } = await this.#within(this.#session.browse(request), `browsing ${nodeId.toString()}`)
    if (statusCode.isNotGood()) throw this.#unsupported(`${nodeId.toString()}: ${statusCode.name}`)
    return (references ?? []) as unknown as readonly Found[]
  }

  async #call(method: ReceiverMethod, inputArguments: readonly VariantOptions[]): Promise<MethodAnswer> {
    const methodId = this.#methods.get(method)
    if (methodId === undefined) throw this.#unsupported(`the receiver does not offer ${method}`)
    const call = this.#session.call({ objectId: this.#receiver, methodId, inputArguments: [...inputArguments] as Variant[] })
    const { statusCode, outputArguments } = await this.#within(call, `calling ${method}`)
    const [status] = outputArguments ?? []
    // without a return status the method itself failed: no right, wrong arguments
    if (status === undefined || status.value === null) return { done: statusCode.isGood(), why: `${statusCode.name}: ${statusCode.description}` }
    // a method that was not successful answers Uncertain with its reasons in the return status
    const done = statusCode.isGood() && isNoError(status.value)
    return { done, why: done ? '' : describeStatus(status.value) }
  }

  #comment(text: string | undefined): VariantOptions {
    const { DataType, VariantArrayType } = this.#opcua
    return { dataType: DataType.LocalizedText, arrayType: VariantArrayType.Array, value: text === undefined ? [] : [{ text }] }
  }

  #typeId(id: number): NodeId {
    return this.#opcua.resolveNodeId(`ns=${this.#namespace};i=${id}`)
  }

  #unsupported(what: string): TaktError {
    return new TaktError('TAKT_JOB_CONTROL_UNSUPPORTED', { what, where: this.#where })
  }

  async #within<T>(request: Promise<T>, what: string): Promise<T> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(
        () => reject(new TaktError('TAKT_TIMEOUT', { what: `${what} was not answered in ${this.#timeoutMs / 1000} s`, where: this.#where })),
        this.#timeoutMs,
      )
    })
    request.catch(() => {})
    try {
      return await Promise.race([request, late])
    } catch (cause) {
      if (cause instanceof TaktError) throw cause
      throw new TaktError('TAKT_OPCUA_REFUSED', { what: `${what} failed: ${messageOf(cause)}`, where: this.#where, cause })
    } finally {
      clearTimeout(timer)
    }
  }
}

/** The entries of a JobOrderList that can be read; what is no job order is left out. */
export function listedOrders(list: Variant, where: string): readonly ListedOrder[] {
  const entries: readonly unknown[] = Array.isArray(list.value) ? list.value : []
  return entries.flatMap((entry) => {
    const { jobOrder, state } = entry as { jobOrder?: ExtensionObject & { jobOrderID?: unknown; jobOrderParameters?: unknown }; state?: unknown }
    const read = readState(state)
    if (jobOrder === undefined || jobOrder === null || read === undefined) return []
    try {
      return [{ id: readJobOrderId(jobOrder.jobOrderID, where), mark: markOf(jobOrder.jobOrderParameters), ...read }]
    } catch {
      return []
    }
  })
}

function markOf(parameters: unknown): string | undefined {
  const list: readonly { ID?: unknown; value?: { value?: unknown } }[] = Array.isArray(parameters) ? parameters : []
  const value = list.find(({ ID }) => ID === MARK)?.value?.value
  return typeof value === 'string' ? value : undefined
}

interface Found {
  readonly nodeId: NodeId
  readonly browseName: { readonly name: string | null; readonly namespaceIndex: number }
  readonly nodeClass: number
  readonly typeDefinition: NodeId
}
