import type {
  AddressSpace,
  CallMethodResultOptions,
  ExtensionObject,
  ISessionContext,
  Namespace,
  OPCUAServer,
  UAObject,
  UAVariable,
  VariantLike,
} from 'node-opcua'
import { TaktError, toTaktError } from '../../base/error.ts'
import type { Opcua } from '../load-opcua.ts'
import type { Asked, JobDesk, ListedJob, Outcome, Receiver } from './job-desk.ts'
import type { JobOrderRecord, JobResponseRecord } from './job-record.ts'
import type { JobServerOptions } from './job-server.ts'
import { readState, stateFields } from './job-states.ts'
import { readComment, readJobOrder, readJobOrderId } from './read-record.ts'
import { returnStatusOf } from './return-status.ts'
import {
  JOB_CONTROL_URI,
  type JobMethod,
  OBJECT_TYPES,
  ORDER_METHODS,
  type OrderMethod,
  RECEIVER_METHODS,
  RESPONSE_METHODS,
  type ReceiverMethod,
} from './vocabulary.ts'
import { jobOrderFields, jobResponseFields } from './write-record.ts'

/** A list is told to subscribers at most this often; a read always finds it fresh. */
const LIST_MS = 250
const EVENT_SEVERITY = 200
const MOST_RESPONSES = 1000

interface Place {
  readonly receiver: Receiver
  readonly list: UAVariable
  readonly provider: UAObject
  /** the structures of the list, made once for each state of a job order */
  readonly made: WeakMap<ListedJob, ExtensionObject>
  timer: NodeJS.Timeout | undefined
}

type Work = (inputs: readonly VariantLike[], asked: Asked) => Promise<CallMethodResultOptions>

/**
 * The address space: for each receiver a folder with a JobOrderControl (ISA95JobOrderReceiver) and JobOrderResults (ISA95JobResponseProvider), the names that
 * OPC UA for Machinery gives them.
 */
export class JobSpace {
  readonly #opcua: Opcua
  readonly #addressSpace: AddressSpace
  readonly #namespace: number
  readonly #own: Namespace
  readonly #options: JobServerOptions
  readonly #desk: JobDesk
  readonly #places = new Map<string, Place>()
  readonly #forget: () => void

  constructor(opcua: Opcua, server: OPCUAServer, options: JobServerOptions) {
    const { addressSpace } = server.engine
    if (addressSpace === null) throw new TaktError('TAKT_INTERNAL', { what: 'the OPC UA server has no address space', where: options.where })
    this.#opcua = opcua
    this.#addressSpace = addressSpace
    this.#namespace = addressSpace.getNamespaceIndex(JOB_CONTROL_URI)
    this.#own = addressSpace.getOwnNamespace()
    this.#options = options
    this.#desk = options.desk
    for (const receiver of this.#desk.receivers) this.#places.set(receiver.equipment, this.#place(receiver))
    this.#forget = this.#desk.listen({
      changed: (receiver, job, response) => this.#raise(receiver, job, response),
      listChanged: (receiver) => this.#listChanged(receiver),
    })
  }

  close(): void {
    this.#forget()
    for (const place of this.#places.values()) clearTimeout(place.timer)
  }

  #place(receiver: Receiver): Place {
    const { objects } = this.#addressSpace.rootFolder
    const id = `JobControl:${receiver.equipment}`
    const folder = this.#own.addObject({
      organizedBy: objects,
      browseName: receiver.equipment,
      displayName: receiver.name,
      nodeId: `s=${id}`,
      notifierOf: objects.server,
      eventNotifier: 1,
    })
    const control = this.#instance(OBJECT_TYPES.receiver, 'JobOrderControl', folder, `${id}.JobOrderControl`, RECEIVER_METHODS)
    const provider = this.#instance(OBJECT_TYPES.provider, 'JobOrderResults', folder, `${id}.JobOrderResults`, RESPONSE_METHODS)
    provider.setEventNotifier(1)
    provider.addReference({ referenceType: 'HasNotifier', isForward: false, nodeId: folder.nodeId })
    for (const method of RECEIVER_METHODS) this.#bind(control, method, (inputs, asked) => this.#receive(receiver.equipment, method, inputs, asked), true)
    this.#bind(provider, RESPONSE_METHODS[0], async ([id]) => this.#response(receiver.equipment, id), false)
    this.#bind(provider, RESPONSE_METHODS[1], async ([state]) => this.#responses(receiver.equipment, state), false)
    this.#describe(control, receiver)
    const place: Place = { receiver, provider, list: this.#variable(control, 'JobOrderList'), made: new WeakMap(), timer: undefined }
    place.list.minimumSamplingInterval = 0
    this.#tellList(place)
    return place
  }

  #instance(type: string, browseName: string, folder: UAObject, id: string, optionals: readonly string[]): UAObject {
    const found = this.#addressSpace.findObjectType(type, this.#namespace)
    if (found === null) throw new TaktError('TAKT_INTERNAL', { what: `the nodeset has no ${type}`, where: this.#options.where })
    return found.instantiate({ browseName, componentOf: folder, nodeId: `s=${id}`, optionals: [...optionals] })
  }

  #variable(object: UAObject, name: string): UAVariable {
    const found = object.getChildByName(name, this.#namespace)
    if (found === null) throw new TaktError('TAKT_INTERNAL', { what: `the receiver has no ${name}`, where: this.#options.where })
    return found as UAVariable
  }

  /** What a job order may name. */
  #describe(control: UAObject, { workMasters, materials, units }: Receiver): void {
    const { DataType, VariantArrayType } = this.#opcua
    const texts = (name: string, value: readonly string[]): void =>
      this.#variable(control, name).setValueFromSource({ dataType: DataType.String, arrayType: VariantArrayType.Array, value: [...value] })
    texts('MaterialClassID', [])
    texts('MaterialDefinitionID', materials)
    texts('EquipmentID', units)
    texts('PhysicalAssetID', [])
    texts('PersonnelID', [])
    const masters = workMasters.map((ID) => this.#make('ISA95WorkMasterDataType', { ID }))
    this.#variable(control, 'WorkMaster').setValueFromSource({ dataType: DataType.ExtensionObject, arrayType: VariantArrayType.Array, value: masters })
    this.#variable(control, 'MaxDownloadableJobOrders').setValueFromSource({ dataType: DataType.UInt16, value: this.#options.maxJobOrders })
  }

  #bind(object: UAObject, name: string, work: Work, controls: boolean): void {
    const method = object.getMethodByName(name, this.#namespace)
    method?.bindMethod((inputs, context, callback) => {
      const user = userOf(context)
      if (controls && !this.#options.users.mayControl(user)) return callback(null, { statusCode: this.#opcua.StatusCodes.BadUserAccessDenied })
      Promise.resolve()
        .then(() => work(inputs, { user, comment: controls ? readComment(inputs[1]?.value, name) : undefined }))
        .catch((thrown: unknown): CallMethodResultOptions => this.#refused(name, toTaktError(thrown, this.#options.where)))
        .then((result) => callback(null, result))
    })
  }

  /** What could not even be read. Who asks for responses gets none with it. */
  #refused(name: string, { code }: TaktError): CallMethodResultOptions {
    const bits = [code.startsWith('TAKT_JOB_CONTROL_') ? ('InvalidRequest' as const) : ('TryAgainLater' as const)]
    const status = this.#status({ bits })
    if (name === RESPONSE_METHODS[0]) return this.#answer({ bits }, [this.#structure(null), status])
    return this.#answer({ bits }, name === RESPONSE_METHODS[1] ? [this.#structures([]), status] : [status])
  }

  async #receive(receiver: string, method: ReceiverMethod, inputs: readonly VariantLike[], asked: Asked): Promise<CallMethodResultOptions> {
    const where = `${this.#options.where}, ${method}`
    const [first] = inputs
    const outcome = isOrderMethod(method)
      ? await this.#desk.order(receiver, method, readJobOrder(first?.value, where), asked)
      : await this.#desk.command(receiver, method as JobMethod, readJobOrderId(first?.value, where), asked)
    // who reads the list after the answer must find what it has done
    this.#flush(receiver)
    return this.#answer(outcome, [this.#status(outcome)])
  }

  #response(receiver: string, id: VariantLike | undefined): CallMethodResultOptions {
    const found = this.#desk.response(receiver, readJobOrderId(id?.value, this.#options.where))
    const outcome: Outcome = { bits: [found === undefined ? 'UnknownJobOrderId' : 'NoError'] }
    return this.#answer(outcome, [this.#structure(found === undefined ? null : this.#responseObject(found)), this.#status(outcome)])
  }

  #responses(receiver: string, state: VariantLike | undefined): CallMethodResultOptions {
    const wanted = readState(state?.value)
    if (wanted === undefined)
      return this.#answer({ bits: ['InvalidJobOrderStatus'] }, [this.#structures([]), this.#status({ bits: ['InvalidJobOrderStatus'] })])
    const found = this.#desk
      .list(receiver)
      .filter((job) => job.state === wanted.state && (wanted.substate === null || job.substate === wanted.substate))
      .slice(0, MOST_RESPONSES)
      .flatMap(({ record }) => this.#desk.response(receiver, record.id) ?? [])
    return this.#answer({ bits: ['NoError'] }, [this.#structures(found.map((response) => this.#responseObject(response))), this.#status({ bits: ['NoError'] })])
  }

  /** A call that was not successful answers Uncertain: a Bad status would carry no return status. */
  #answer({ bits }: Outcome, outputArguments: VariantLike[]): CallMethodResultOptions {
    const { StatusCodes } = this.#opcua
    return { statusCode: bits.includes('NoError') ? StatusCodes.Good : StatusCodes.Uncertain, outputArguments }
  }

  #status({ bits }: Outcome): VariantLike {
    const { DataType, VariantArrayType } = this.#opcua
    return { dataType: DataType.UInt64, arrayType: VariantArrayType.Scalar, value: returnStatusOf(bits) }
  }

  #structure(value: ExtensionObject | null): VariantLike {
    return { dataType: this.#opcua.DataType.ExtensionObject, value }
  }

  #structures(value: ExtensionObject[]): VariantLike {
    const { DataType, VariantArrayType } = this.#opcua
    return { dataType: DataType.ExtensionObject, arrayType: VariantArrayType.Array, value }
  }

  #make(type: string, fields: object): ExtensionObject {
    const dataType = this.#addressSpace.findDataType(type, this.#namespace)
    if (dataType === null) throw new TaktError('TAKT_INTERNAL', { what: `the nodeset has no ${type}`, where: this.#options.where })
    return this.#addressSpace.constructExtensionObject(dataType, fields as Record<string, unknown>)
  }

  #orderObject(record: JobOrderRecord): ExtensionObject {
    return this.#make('ISA95JobOrderDataType', jobOrderFields(record, this.#opcua))
  }

  #responseObject(response: JobResponseRecord): ExtensionObject {
    return this.#make('ISA95JobResponseDataType', jobResponseFields(response, this.#namespace, this.#opcua))
  }

  #stateObjects(job: ListedJob): ExtensionObject[] {
    return stateFields(job, this.#namespace).map((fields) => this.#make('ISA95StateDataType', fields))
  }

  #raise(receiver: string, job: ListedJob, response: JobResponseRecord | undefined): void {
    const place = this.#places.get(receiver)
    const type = this.#addressSpace.findEventType(OBJECT_TYPES.statusEvent, this.#namespace)
    if (place === undefined || type === null) return
    const { DataType, VariantArrayType } = this.#opcua
    const { record, state, substate } = job
    place.provider.raiseEvent(type, {
      message: { dataType: DataType.LocalizedText, value: { text: `${record.id} is ${substate === null ? state : `${state} (${substate})`}` } },
      severity: { dataType: DataType.UInt16, value: EVENT_SEVERITY },
      jobOrder: { dataType: DataType.ExtensionObject, value: this.#orderObject(record) },
      jobState: { dataType: DataType.ExtensionObject, arrayType: VariantArrayType.Array, value: this.#stateObjects(job) },
      ...(response === undefined ? {} : { jobResponse: { dataType: DataType.ExtensionObject, value: this.#responseObject(response) } }),
    })
  }

  #listChanged(receiver: string): void {
    const place = this.#places.get(receiver)
    if (place === undefined) return
    place.timer ??= setTimeout(() => this.#tellList(place), LIST_MS)
  }

  #flush(receiver: string): void {
    const place = this.#places.get(receiver)
    if (place?.timer !== undefined) this.#tellList(place)
  }

  #tellList(place: Place): void {
    clearTimeout(place.timer)
    place.timer = undefined
    const value = this.#desk.list(place.receiver.equipment).map((job) => this.#listEntry(place, job))
    const { DataType, VariantArrayType } = this.#opcua
    place.list.setValueFromSource({ dataType: DataType.ExtensionObject, arrayType: VariantArrayType.Array, value })
  }

  #listEntry({ made }: Place, job: ListedJob): ExtensionObject {
    let entry = made.get(job)
    if (entry === undefined) {
      entry = this.#make('ISA95JobOrderAndStateDataType', { jobOrder: this.#orderObject(job.record), state: this.#stateObjects(job) })
      made.set(job, entry)
    }
    return entry
  }
}

function isOrderMethod(method: ReceiverMethod): method is OrderMethod {
  return (ORDER_METHODS as readonly string[]).includes(method)
}

function userOf(context: ISessionContext): string {
  return context.getUserName?.() || 'anonymous'
}
