import type { AddressSpace, DataType, INamespace, OPCUAServer, UAObject, UAVariable, VariantOptions } from 'node-opcua'
import { TaktError, toTaktError } from '../base/error.ts'
import type { Receipt } from '../messages/command.ts'
import type { Equipment, Signal, SignalRole } from '../plant/model.ts'
import type { Plant } from '../plant/plant.ts'
import type { Bindings, WireWrite } from './bindings.ts'
import { type MachineCommand, parseCommand } from './commands.ts'
import type { GaugePublication, Publication } from './happenings.ts'
import { MachineJobReceiver } from './job-receiver.ts'
import type { Face } from './runner.ts'

export interface OpcUaFaceOptions {
  /** address to listen at; loopback unless told otherwise */
  readonly host?: string
  /** 0 takes a free one */
  readonly port: number
  /** folder for the server's own key, certificate and trust lists; made when missing */
  readonly pkiFolder: string
  /** user names and passwords that are taken beside anonymous */
  readonly users?: Readonly<Record<string, string>>
  readonly plant: Plant
  readonly bindings: Bindings
  readonly command: (unit: string, command: MachineCommand) => Receipt
  /** what every unit says when the server begins */
  readonly present: () => readonly Publication[]
  /** plant time, for answers */
  readonly now: () => number
}

export interface OpcUaFace extends Face {
  /** `opc.tcp://…`, with the true port */
  readonly url: string
}

type Opcua = typeof import('node-opcua')

/**
 * The machines that speak OPC UA, behind one server: a folder a unit, variables with plant time as source time, a method a command. A method takes the
 * command as one JSON string and answers with the receipt as one. Values are told to subscriptions as they change (sampling interval 0), so none is lost.
 * Throws TAKT_SIMULATOR_PORT when the port is taken.
 */
export async function startOpcUaFace(options: OpcUaFaceOptions): Promise<OpcUaFace> {
  // loaded late: it takes a second, and not every simulated plant speaks OPC UA
  const opcua = await import('node-opcua')
  // what it prints are hints to server authors; its own switch brings them back
  if (process.env.NODEOPCUA_LOG_LEVEL === undefined) opcua.setWarningLogger(() => {})
  const server = makeServer(opcua, options)
  await server.initialize()
  const { variables, receivers } = addUnits(opcua, server, options)
  const publish = (publications: readonly Publication[]): void => {
    for (const publication of publications) {
      for (const write of options.bindings.writes(publication)) put(opcua, variables.get(write.nodeId), write)
      if (publication.kind === 'status') receivers.get(publication.unit)?.follow(publication)
    }
  }
  // the first client finds the machines as they are
  publish(options.present())
  try {
    await server.start()
  } catch (cause) {
    await server.shutdown().catch(() => {})
    const { what } = toTaktError(cause, 'simulator')
    if (!/EADDRINUSE|EACCES|listen/.test(what)) throw cause
    throw new TaktError('TAKT_SIMULATOR_PORT', { what: `the OPC UA server cannot listen on port ${options.port}: ${what}`, where: 'simulator', cause })
  }
  return {
    url: server.getEndpointUrl(),
    publish,
    pending: (): readonly GaugePublication[] => [],
    close: () => server.shutdown(),
  }
}

function makeServer(opcua: Opcua, { host = '127.0.0.1', port, pkiFolder, users = {}, plant }: OpcUaFaceOptions): OPCUAServer {
  // a plant to learn on: it takes every client's certificate
  const certificates = new opcua.OPCUACertificateManager({ rootFolder: pkiFolder, automaticallyAcceptUnknownCertificate: true })
  const { None, Basic256Sha256, Aes128_Sha256_RsaOaep, Aes256_Sha256_RsaPss } = opcua.SecurityPolicy
  return new opcua.OPCUAServer({
    host,
    hostname: host,
    port,
    serverInfo: {
      applicationUri: `urn:takt:simulator:${plant.model.plant.replaceAll('/', ':')}`,
      applicationName: { text: plant.model.name ?? plant.model.plant },
    },
    buildInfo: { productName: 'Takt simulated plant' },
    serverCertificateManager: certificates,
    userCertificateManager: certificates,
    securityModes: [opcua.MessageSecurityMode.None, opcua.MessageSecurityMode.Sign, opcua.MessageSecurityMode.SignAndEncrypt],
    securityPolicies: [None, Basic256Sha256, Aes128_Sha256_RsaOaep, Aes256_Sha256_RsaPss],
    allowAnonymous: true,
    allowAnonymousSubscriptionTransferOnUnsecuredChannel: true,
    userManager: { isValidUser: (user: string, password: string) => Object.hasOwn(users, user) && users[user] === password },
    nodesets: [opcua.nodesets.standard, ...(plant.units.some(receiverOf) ? [opcua.nodesets.isa95JobControl] : [])],
    nodesetLoaderOptions: { trustSiblingImages: true },
    isAuditing: false,
    // only a server that says so tells every change: others fold what comes within 50 ms into one
    serverCapabilities: { minSupportedSampleRate: 0 },
  })
}

/** The units in the server's address space; node ids with dots make folders, `Mill2.Status.StateCurrent` lies in Mill2 / Status. */
class UnitNodes {
  readonly variables = new Map<string, UAVariable>()
  readonly #opcua: Opcua
  readonly #addressSpace: AddressSpace
  readonly #objects = new Map<string, UAObject>()

  constructor(opcua: Opcua, addressSpace: AddressSpace) {
    this.#opcua = opcua
    this.#addressSpace = addressSpace
  }

  addVariable(nodeId: string, unit: string, signal: Signal, now: number): void {
    if (this.variables.has(nodeId)) return
    const { dataType, value } = typeOf(this.#opcua, signal.role)
    const variable = this.#namespace(nodeId).addVariable({
      componentOf: this.folder(nodeId, unit),
      browseName: lastPart(nodeId),
      nodeId,
      dataType,
      // changes are told as they happen, not polled
      minimumSamplingInterval: 0,
      description: signal.unit === undefined ? signal.name : `${signal.name} in ${signal.unit}`,
    })
    variable.setValueFromSource({ dataType, value } as VariantOptions, this.#opcua.StatusCodes.UncertainInitialValue, new Date(now))
    this.variables.set(nodeId, variable)
  }

  addMethod(methodId: string, objectId: string, obey: (json: string) => Receipt): void {
    if (this.#addressSpace.findNode(methodId) !== null) return
    const { DataType, StatusCodes, Variant } = this.#opcua
    const method = this.#namespace(methodId).addMethod(this.#object(objectId), {
      nodeId: methodId,
      browseName: lastPart(methodId),
      inputArguments: [{ name: 'command', dataType: DataType.String, description: 'JSON: { id, name, arguments }' }],
      outputArguments: [{ name: 'receipt', dataType: DataType.String, description: 'JSON: { of, status: done | refused | expired | failed, reason }' }],
    })
    method.bindMethod((inputs, _context, callback) => {
      const receipt = obey(String(inputs[0]?.value ?? ''))
      callback(null, { statusCode: StatusCodes.Good, outputArguments: [new Variant({ dataType: DataType.String, value: JSON.stringify(receipt) })] })
    })
  }

  /** The object in which a node lies. */
  folder(nodeId: string, unit: string): UAObject {
    const dot = nodeId.lastIndexOf('.')
    return this.#object(dot > 0 && nodeId.includes(';s=') ? nodeId.slice(0, dot) : `ns=1;s=${unit.slice(unit.lastIndexOf('/') + 1)}`)
  }

  #object(nodeId: string): UAObject {
    let object = this.#objects.get(nodeId)
    if (object === undefined) {
      const inside = nodeId.includes(';s=') && nodeId.includes('.')
      const browseName = lastPart(nodeId)
      object = this.#namespace(nodeId).addObject(
        inside
          ? { componentOf: this.#object(nodeId.slice(0, nodeId.lastIndexOf('.'))), browseName, nodeId }
          : { organizedBy: this.#addressSpace.rootFolder.objects, browseName, nodeId },
      )
      this.#objects.set(nodeId, object)
    }
    return object
  }

  /** The namespace of a node id; those between are made up, so that the indexes of the plant model hold. */
  #namespace(nodeId: string): INamespace {
    const index = Number(/^ns=(\d+);/.exec(nodeId)?.[1] ?? 1)
    for (let next = this.#addressSpace.getNamespaceArray().length; next <= index; next++) this.#addressSpace.registerNamespace(`urn:takt:simulator:ns${next}`)
    return this.#addressSpace.getNamespace(index)
  }
}

interface Machines {
  readonly variables: ReadonlyMap<string, UAVariable>
  /** by equipment; only of those that the plant model hands job orders to */
  readonly receivers: ReadonlyMap<string, MachineJobReceiver>
}

function addUnits(opcua: Opcua, server: OPCUAServer, { plant, command, now }: OpcUaFaceOptions): Machines {
  const { addressSpace } = server.engine
  if (addressSpace === null) throw new TaktError('TAKT_INTERNAL', { what: 'the OPC UA server has no address space', where: 'simulator' })
  const nodes = new UnitNodes(opcua, addressSpace)
  const receivers = new Map<string, MachineJobReceiver>()
  for (const unit of plant.units) {
    for (const signal of unit.signals ?? []) if (signal.source?.nodeId !== undefined) nodes.addVariable(signal.source.nodeId, unit.id, signal, now())
    for (const { name, target } of unit.commands ?? []) {
      if (target.methodId === undefined || target.objectId === undefined) continue
      const where = `${unit.id} ${name}`
      nodes.addMethod(target.methodId, target.objectId, (json) => answer(unit.id, where, now, () => command(unit.id, parseCommand(json, where, name))))
    }
    const nodeId = receiverOf(unit)
    if (nodeId !== undefined)
      receivers.set(unit.id, new MachineJobReceiver(opcua, server, { unit: unit.id, nodeId, parent: nodes.folder(nodeId, unit.id), command, now }))
  }
  return { variables: nodes.variables, receivers }
}

/** The node to which the plant model hands this unit's job orders. */
function receiverOf({ commands }: Equipment): string | undefined {
  return commands?.find(({ target }) => target.jobReceiver !== undefined)?.target.jobReceiver
}

/** What the machine answers; a command that it cannot read is answered too. */
function answer(unit: string, where: string, now: () => number, obey: () => Receipt): Receipt {
  try {
    return obey()
  } catch (thrown) {
    const { code, what } = toTaktError(thrown, where)
    return { kind: 'receipt', of: '', to: unit, status: 'failed', code, reason: what, time: now() }
  }
}

function put(opcua: Opcua, variable: UAVariable | undefined, { value, time }: WireWrite): void {
  variable?.setValueFromSource({ dataType: variable.dataType.value as DataType, value } as VariantOptions, opcua.StatusCodes.Good, new Date(time))
}

function typeOf(opcua: Opcua, role: SignalRole | undefined): { readonly dataType: DataType; readonly value: number | string } {
  switch (role) {
    case 'packml-state':
    case 'packml-mode':
      return { dataType: opcua.DataType.Int32, value: 0 }
    case 'good-count':
    case 'scrap-count':
      return { dataType: opcua.DataType.UInt32, value: 0 }
    case 'job-order':
      return { dataType: opcua.DataType.String, value: '' }
    default:
      return { dataType: opcua.DataType.Double, value: 0 }
  }
}

/** `StateCurrent` of `ns=1;s=Mill2.Status.StateCurrent`. */
function lastPart(nodeId: string): string {
  return nodeId.slice(Math.max(nodeId.lastIndexOf('.'), nodeId.lastIndexOf('=')) + 1)
}
