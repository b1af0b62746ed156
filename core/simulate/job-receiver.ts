import type { AddressSpace, ExtensionObject, OPCUAServer, UAObject, UAVariable, VariantLike } from 'node-opcua'
import { TaktError } from '../base/error.ts'
import type { Receipt } from '../messages/command.ts'
import type { MachineCommand } from './commands.ts'
import type { StatusPublication } from './happenings.ts'

type Opcua = typeof import('node-opcua')

const NAMESPACE = 'http://opcfoundation.org/UA/ISA95-JOBCONTROL_V2/'
/** What this machine can be asked; it cannot pause. */
const METHODS = ['Store', 'StoreAndStart', 'Start', 'RevokeStart', 'Stop', 'Abort', 'Cancel', 'Clear'] as const
type Method = (typeof METHODS)[number]
const STATES = { NotAllowedToStart: 1, AllowedToStart: 2, Running: 3, Ended: 5, Aborted: 6 } as const
type State = keyof typeof STATES
const SUBSTATES = { Ready: 2, Loaded: 3, Completed: 1 } as const
type Substate = keyof typeof SUBSTATES
/** A machine's memory is small. */
const MOST_ORDERS = 20

/** ReturnStatus: one bit each, low word and high word. */
const NO_ERROR = [0, 1] as const
const UNKNOWN_ID = [0, 2] as const
const INVALID_STATE = [0, 8] as const
const UNABLE = [0, 16] as const
const INVALID_REQUEST = [1, 0] as const
type Status = readonly [high: number, low: number]

interface Order {
  readonly id: string
  /** as it came */
  readonly jobOrder: ExtensionObject
  readonly arguments: Readonly<Record<string, unknown>>
  state: State
  substate: Substate | null
  good: number
  scrap: number
  start: number | null
  end: number | null
}

export interface JobReceiverOptions {
  /** equipment id */
  readonly unit: string
  /** node id of the receiver; its responses are at the same id with JobOrderResults behind */
  readonly nodeId: string
  readonly parent: UAObject
  readonly command: (unit: string, command: MachineCommand) => Receipt
  readonly now: () => number
}

/**
 * A machine's job order receiver (OPC 10031-4): it keeps a few job orders, begins the first that is allowed when it is free, and says how each stands and what it made.
 * Written apart from the client and the server that Takt has, so that they are tested against something else than themselves.
 */
export class MachineJobReceiver {
  readonly #opcua: Opcua
  readonly #addressSpace: AddressSpace
  readonly #options: JobReceiverOptions
  readonly #namespace: number
  readonly #list: UAVariable
  readonly #results: UAObject
  readonly #orders = new Map<string, Order>()
  /** taken off the list, and perhaps still what the unit names */
  readonly #forgotten = new Set<string>()
  #status: StatusPublication | undefined
  #feeding = false

  constructor(opcua: Opcua, server: OPCUAServer, options: JobReceiverOptions) {
    const { addressSpace } = server.engine
    if (addressSpace === null) throw new TaktError('TAKT_INTERNAL', { what: 'the OPC UA server has no address space', where: 'simulator' })
    this.#opcua = opcua
    this.#addressSpace = addressSpace
    this.#options = options
    this.#namespace = addressSpace.getNamespaceIndex(NAMESPACE)
    const { nodeId } = options
    const control = this.#instance('ISA95JobOrderReceiverObjectType', 'JobOrderControl', nodeId, METHODS)
    this.#results = this.#instance('ISA95JobResponseProviderObjectType', 'JobOrderResults', `${nodeId}.JobOrderResults`, ['RequestJobResponseByJobOrderID'])
    this.#results.setEventNotifier(1)
    this.#results.addReference({ referenceType: 'HasNotifier', isForward: false, nodeId: addressSpace.rootFolder.objects.server.nodeId })
    this.#list = control.getChildByName('JobOrderList', this.#namespace) as UAVariable
    this.#list.minimumSamplingInterval = 0
    for (const method of METHODS) this.#bind(control, method, (input) => [this.#word(this.#ask(method, input?.value))])
    this.#bind(this.#results, 'RequestJobResponseByJobOrderID', (input) => this.#respond(String(input?.value ?? '')))
    this.#tell()
  }

  /** What the unit says about itself. */
  follow(status: StatusPublication): void {
    this.#status = status
    const { job, state, made, time } = status
    if (job !== '' && !this.#forgotten.has(job) && status.mode === 'Produce') {
      const order = this.#orders.get(job) ?? this.#found(job)
      const before = `${order.state} ${order.substate} ${order.good} ${order.scrap}`
      if (order.state === 'AllowedToStart' || order.state === 'Running') {
        order.good = made?.good ?? order.good
        order.scrap = made?.scrap ?? order.scrap
        this.#move(order, state, time)
      }
      if (before !== `${order.state} ${order.substate} ${order.good} ${order.scrap}`) this.#changed(order, before.split(' ')[0] !== order.state)
    }
    this.#feed()
  }

  #move(order: Order, state: StatusPublication['state'], time: number): void {
    if (state === 'Idle' || state === 'Resetting') order.substate = order.state === 'AllowedToStart' ? 'Loaded' : null
    if (state === 'Starting' || state === 'Execute' || state === 'Completing') {
      order.state = 'Running'
      order.substate = null
      order.start ??= time
    }
    const begun = order.state === 'Running'
    if (state === 'Complete' && begun) this.#end(order, 'Ended', time)
    if ((state === 'Aborted' || state === 'Stopped') && begun) this.#end(order, 'Aborted', time)
  }

  #end(order: Order, state: 'Ended' | 'Aborted', time: number): void {
    order.state = state
    order.substate = state === 'Ended' ? 'Completed' : null
    order.end = time
  }

  /** The unit works on something that is not on the list: it was begun before this server was. */
  #found(id: string): Order {
    const jobOrder = this.#make('ISA95JobOrderDataType', { jobOrderID: id })
    const order: Order = { id, jobOrder, arguments: {}, state: 'AllowedToStart', substate: 'Loaded', good: 0, scrap: 0, start: null, end: null }
    this.#orders.set(id, order)
    return order
  }

  /** Gives the unit its next job order when it is free; later, because what it says of itself now must be said first. */
  #feed(): void {
    if (this.#feeding) return
    const status = this.#status
    if (status === undefined || status.mode !== 'Produce' || !['Idle', 'Complete', 'Stopped'].includes(status.state)) return
    if ([...this.#orders.values()].some(({ state, substate }) => state === 'Running' || substate === 'Loaded')) return
    const next = [...this.#orders.values()].find(({ state }) => state === 'AllowedToStart')
    if (next === undefined) return
    this.#feeding = true
    setImmediate(() => {
      this.#feeding = false
      if (next.state !== 'AllowedToStart' || !this.#orders.has(next.id)) return
      const { command, unit } = this.#options
      const receipt = command(unit, { id: '', name: 'start-job', arguments: { ...next.arguments, jobOrder: next.id } })
      // what it cannot make is not tried for ever
      const hopeless = receipt.status === 'refused' && /argument/.test(receipt.reason ?? '')
      if (hopeless) this.#end(next, 'Aborted', this.#options.now())
      if (hopeless) this.#changed(next, true)
    })
  }

  #ask(method: Method, input: unknown): Status {
    if (method === 'Store' || method === 'StoreAndStart') return this.#store(method, input)
    const order = this.#orders.get(String(input ?? ''))
    if (order === undefined) return UNKNOWN_ID
    const legal: Readonly<Record<typeof method, readonly State[]>> = {
      Start: ['NotAllowedToStart'],
      RevokeStart: ['AllowedToStart'],
      Stop: ['Running'],
      Abort: ['NotAllowedToStart', 'AllowedToStart', 'Running'],
      Cancel: ['NotAllowedToStart', 'AllowedToStart'],
      Clear: ['Ended', 'Aborted'],
    }
    if (!legal[method].includes(order.state)) return INVALID_STATE
    // it cannot give back what is clamped
    if (order.substate === 'Loaded' && (method === 'RevokeStart' || method === 'Cancel')) return INVALID_STATE
    return this.#obey(method, order)
  }

  #obey(method: Exclude<Method, 'Store' | 'StoreAndStart'>, order: Order): Status {
    const { now, command, unit } = this.#options
    if (method === 'Cancel' || method === 'Clear') {
      this.#orders.delete(order.id)
      this.#forgotten.add(order.id)
      this.#tell()
      return NO_ERROR
    }
    if (method === 'Start') order.state = 'AllowedToStart'
    if (method === 'RevokeStart') order.state = 'NotAllowedToStart'
    if (method === 'Stop' || method === 'Abort') {
      const onUnit = order.state === 'Running' || order.substate === 'Loaded'
      this.#end(order, method === 'Stop' ? 'Ended' : 'Aborted', now())
      if (onUnit) command(unit, { id: '', name: 'stop', arguments: { jobOrder: order.id } })
    }
    this.#changed(order, true)
    this.#feed()
    return NO_ERROR
  }

  #store(method: 'Store' | 'StoreAndStart', input: unknown): Status {
    const jobOrder = input as (ExtensionObject & { readonly jobOrderID?: unknown }) | null
    const id = jobOrder?.jobOrderID
    if (jobOrder === null || jobOrder === undefined || typeof id !== 'string' || id === '' || id.length > 200) return INVALID_REQUEST
    if (this.#orders.has(id) || this.#orders.size >= MOST_ORDERS) return UNABLE
    const state = method === 'Store' ? 'NotAllowedToStart' : 'AllowedToStart'
    const order: Order = { id, jobOrder, arguments: argumentsOf(jobOrder), state, substate: 'Ready', good: 0, scrap: 0, start: null, end: null }
    this.#forgotten.delete(id)
    this.#orders.set(id, order)
    this.#changed(order, true)
    this.#feed()
    return NO_ERROR
  }

  #respond(id: string): VariantLike[] {
    const order = this.#orders.get(id)
    const { DataType } = this.#opcua
    const value = order === undefined ? null : this.#response(order)
    return [{ dataType: DataType.ExtensionObject, value }, this.#word(order === undefined ? UNKNOWN_ID : NO_ERROR)]
  }

  #response(order: Order): ExtensionObject {
    const { DataType, Variant } = this.#opcua
    const count = (ID: string, value: number): object => ({ ID, value: new Variant({ dataType: DataType.UInt32, value }) })
    return this.#make('ISA95JobResponseDataType', {
      jobResponseID: `response-${order.id}`,
      jobOrderID: order.id,
      ...(order.start === null ? {} : { startTime: new Date(order.start) }),
      ...(order.end === null ? {} : { endTime: new Date(order.end) }),
      jobState: this.#stateFields(order),
      jobResponseData: [count('Good', order.good), count('Scrap', order.scrap)],
    })
  }

  #stateFields({ state, substate }: Order): object[] {
    const top = { browsePath: { elements: [] }, stateText: { text: state }, stateNumber: STATES[state] }
    if (substate === null) return [top]
    const elements = [{ isInverse: false, includeSubtypes: true, targetName: { namespaceIndex: this.#namespace, name: substate } }]
    return [top, { browsePath: { elements }, stateText: { text: substate }, stateNumber: SUBSTATES[substate] }]
  }

  #changed(order: Order, moved: boolean): void {
    this.#tell()
    const type = this.#addressSpace.findEventType('ISA95JobOrderStatusEventType', this.#namespace)
    if (!moved || type === null) return
    const { DataType, VariantArrayType } = this.#opcua
    const jobState = this.#stateFields(order).map((fields) => this.#make('ISA95StateDataType', fields))
    this.#results.raiseEvent(type, {
      message: { dataType: DataType.LocalizedText, value: { text: `${order.id} is ${order.state}` } },
      jobOrder: { dataType: DataType.ExtensionObject, value: order.jobOrder },
      jobState: { dataType: DataType.ExtensionObject, arrayType: VariantArrayType.Array, value: jobState },
      jobResponse: { dataType: DataType.ExtensionObject, value: this.#response(order) },
    })
  }

  #tell(): void {
    const { DataType, VariantArrayType, StatusCodes } = this.#opcua
    const value = [...this.#orders.values()].map((order) =>
      this.#make('ISA95JobOrderAndStateDataType', { jobOrder: order.jobOrder, state: this.#stateFields(order) }),
    )
    const list = { dataType: DataType.ExtensionObject, arrayType: VariantArrayType.Array, value }
    this.#list.setValueFromSource(list, StatusCodes.Good, new Date(this.#options.now()))
  }

  #make(type: string, fields: object): ExtensionObject {
    const dataType = this.#addressSpace.findDataType(type, this.#namespace)
    if (dataType === null) throw new TaktError('TAKT_INTERNAL', { what: `the nodeset has no ${type}`, where: 'simulator' })
    return this.#addressSpace.constructExtensionObject(dataType, fields as Record<string, unknown>)
  }

  #instance(type: string, browseName: string, nodeId: string, optionals: readonly string[]): UAObject {
    const found = this.#addressSpace.findObjectType(type, this.#namespace)
    if (found === null) throw new TaktError('TAKT_INTERNAL', { what: `the nodeset has no ${type}`, where: 'simulator' })
    return found.instantiate({ browseName, componentOf: this.#options.parent, nodeId, optionals: [...optionals] })
  }

  #bind(object: UAObject, name: string, work: (input: VariantLike | undefined) => VariantLike[]): void {
    object.getMethodByName(name, this.#namespace)?.bindMethod((inputs, _context, callback) => {
      const { StatusCodes } = this.#opcua
      const outputArguments = work(inputs[0])
      const words = outputArguments.at(-1)?.value as Status
      callback(null, { statusCode: words === NO_ERROR ? StatusCodes.Good : StatusCodes.Uncertain, outputArguments })
    })
  }

  #word(value: Status): VariantLike {
    const { DataType, VariantArrayType } = this.#opcua
    return { dataType: DataType.UInt64, arrayType: VariantArrayType.Scalar, value }
  }
}

/** What the job order says, as the arguments that the unit understands: its parameters, else work master, material and quantity. */
function argumentsOf(jobOrder: ExtensionObject): Record<string, unknown> {
  const { jobOrderParameters, workMasterID, materialRequirements } = jobOrder as unknown as {
    readonly jobOrderParameters?: ReadonlyArray<{ readonly ID?: string; readonly value?: { readonly value?: unknown } }> | null
    readonly workMasterID?: ReadonlyArray<{ readonly ID?: string }> | null
    readonly materialRequirements?: ReadonlyArray<{ readonly materialLotID?: string; readonly quantity?: string }> | null
  }
  const [product, operation] = (workMasterID?.[0]?.ID ?? '').split('/')
  const [material] = materialRequirements ?? []
  const given: Record<string, unknown> = { product, operation, lot: material?.materialLotID, quantity: Number(material?.quantity) }
  for (const { ID, value } of jobOrderParameters ?? []) if (ID !== undefined && ID !== null) given[ID] = value?.value
  return given
}
