import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  DataType,
  MessageSecurityMode,
  OPCUACertificateManager,
  OPCUAServer,
  Range,
  SecurityPolicy,
  StatusCodes,
  type UAVariable,
  Variant,
  VariantArrayType,
} from 'node-opcua'
import { freePort } from './mosquitto.ts'

const VARIABLES: Readonly<Record<string, { dataType: DataType; value: unknown }>> = {
  State: { dataType: DataType.Int32, value: 4 },
  Mode: { dataType: DataType.Int32, value: 1 },
  Job: { dataType: DataType.String, value: '' },
  Good: { dataType: DataType.UInt32, value: 0 },
  Scrap: { dataType: DataType.UInt32, value: 0 },
  Vibration: { dataType: DataType.Double, value: 3.1 },
  Big: { dataType: DataType.Int64, value: [0, 7] },
  Door: { dataType: DataType.Boolean, value: false },
  Setpoint: { dataType: DataType.Double, value: 0 },
  Order: { dataType: DataType.String, value: '' },
}

/** Arrays and structures, which only some tests set. */
const SHAPES: Readonly<Record<string, Variant>> = {
  Speeds: new Variant({ dataType: DataType.Double, arrayType: VariantArrayType.Array, value: [1, 2, 3] }),
  Wide: new Variant({
    dataType: DataType.Int64,
    arrayType: VariantArrayType.Array,
    value: [
      [0, 5],
      [0xffffffff, 0xfffffffe],
    ],
  }),
  Grid: new Variant({ dataType: DataType.Int32, arrayType: VariantArrayType.Matrix, dimensions: [2, 2], value: [11, 12, 21, 22] }),
  Range: new Variant({ dataType: DataType.ExtensionObject, value: new Range({ low: -5, high: 55 }) }),
}

export interface TestServerOptions {
  readonly user?: { readonly name: string; readonly password: string } | undefined
  /** Names of variables of which the server keeps a history. */
  readonly history?: readonly string[]
  readonly securityModes?: readonly MessageSecurityMode[]
  readonly securityPolicies?: readonly SecurityPolicy[]
  /** Users may come with a certificate; taken is any (true) or none. */
  readonly userCertificates?: boolean
  readonly acceptClients?: boolean
}

/** A small machine behind a real OPC UA server. Restarts on the same port with the same certificate; a restart forgets all sessions. */
export class OpcuaTestServer {
  readonly port: number
  readonly calls: string[] = []
  /** What the method answers. */
  answer = StatusCodes.Good
  reply = ''
  readonly #folder: string
  readonly #options: TestServerOptions
  #server: OPCUAServer | undefined
  #variables = new Map<string, UAVariable>()

  private constructor(port: number, folder: string, options: TestServerOptions) {
    this.port = port
    this.#folder = folder
    this.#options = options
  }

  static async start(user?: { name: string; password: string }, options: TestServerOptions = {}): Promise<OpcuaTestServer> {
    const server = new OpcuaTestServer(await freePort(), mkdtempSync(join(tmpdir(), 'takt-opcua-')), { user, ...options })
    await server.start()
    return server
  }

  get url(): string {
    return `opc.tcp://127.0.0.1:${this.port}`
  }

  async start(): Promise<void> {
    const { user, history = [], securityModes, securityPolicies, userCertificates, acceptClients = true } = this.#options
    const server = new OPCUAServer({
      port: this.port,
      hostname: '127.0.0.1',
      serverCertificateManager: new OPCUACertificateManager({ rootFolder: join(this.#folder, 'pki'), automaticallyAcceptUnknownCertificate: acceptClients }),
      ...(userCertificates === undefined
        ? {}
        : {
            userCertificateManager: new OPCUACertificateManager({
              rootFolder: join(this.#folder, 'users'),
              automaticallyAcceptUnknownCertificate: userCertificates,
            }),
          }),
      securityModes: [...(securityModes ?? [MessageSecurityMode.None, MessageSecurityMode.SignAndEncrypt])],
      securityPolicies: [...(securityPolicies ?? [SecurityPolicy.None, SecurityPolicy.Basic256Sha256])],
      allowAnonymous: user === undefined,
      ...(user === undefined ? {} : { userManager: { isValidUser: (name: string, password: string) => name === user.name && password === user.password } }),
      // 0: every change is told; otherwise changes within 50 ms would be made one
      serverCapabilities: { maxSessions: 50, minSupportedSampleRate: 0 },
      maxConnectionsPerEndpoint: 50,
      buildInfo: { productName: 'test machine' },
    })
    await server.initialize()
    const addressSpace = server.engine.addressSpace!
    const namespace = addressSpace.getOwnNamespace()
    const machine = namespace.addObject({ organizedBy: addressSpace.rootFolder.objects, browseName: 'Machine', nodeId: 's=Machine' })
    this.#variables = new Map(
      Object.entries(VARIABLES).map(([name, { dataType, value }]) => [
        name,
        namespace.addVariable({
          componentOf: machine,
          browseName: name,
          nodeId: `s=${name}`,
          dataType,
          value: scalar(dataType, value),
          minimumSamplingInterval: 0,
        }),
      ]),
    )
    for (const [name, value] of Object.entries(SHAPES)) {
      const variable = namespace.addVariable({
        componentOf: machine,
        browseName: name,
        nodeId: `s=${name}`,
        dataType: name === 'Range' ? 'Range' : value.dataType,
        ...(value.arrayType === VariantArrayType.Scalar ? {} : { valueRank: value.dimensions?.length ?? 1, arrayDimensions: value.dimensions ?? [0] }),
        minimumSamplingInterval: 0,
      })
      variable.setValueFromSource(value)
      this.#variables.set(name, variable)
    }
    for (const name of history) addressSpace.installHistoricalDataNode(this.#variables.get(name)!, { maxOnlineValues: 10_000 })
    const method = namespace.addMethod(machine, {
      browseName: 'Command',
      nodeId: 's=Machine.Command',
      inputArguments: [{ name: 'command', description: { text: 'JSON' }, dataType: DataType.String }],
      outputArguments: [{ name: 'answer', description: { text: 'JSON' }, dataType: DataType.String }],
    })
    method.bindMethod((inputs, _context, callback) => {
      this.calls.push(String(inputs[0]?.value))
      callback(null, { statusCode: this.answer, outputArguments: [new Variant({ dataType: DataType.String, value: this.reply })] })
    })
    const setup = namespace.addMethod(machine, {
      browseName: 'Setup',
      nodeId: 's=Machine.Setup',
      inputArguments: [
        { name: 'program', description: { text: 'name' }, dataType: DataType.String },
        { name: 'speed', description: { text: '1/min' }, dataType: DataType.UInt16 },
        { name: 'serial', description: { text: 'of the tool' }, dataType: DataType.Int64 },
        { name: 'steps', description: { text: 'numbers' }, dataType: DataType.Int32, valueRank: 1 },
      ],
      outputArguments: [],
    })
    setup.bindMethod((inputs, _context, callback) => {
      this.calls.push(inputs.map(({ value }) => String(value)).join(' '))
      callback(null, { statusCode: this.answer, outputArguments: [] })
    })
    await server.start()
    this.#server = server
  }

  /** Sets a variable; `status` and `time` as the machine would report them. */
  set(name: string, value: unknown, { time, status = StatusCodes.Good }: { time?: number; status?: typeof StatusCodes.Good } = {}): void {
    const variable = this.#variables.get(name)!
    variable.setValueFromSource(scalar(VARIABLES[name]!.dataType, value), status, time === undefined ? new Date() : new Date(time))
  }

  /** Sets an array or a structure as it is. */
  shape(name: string, value: Variant): void {
    this.#variables.get(name)!.setValueFromSource(value)
  }

  /** How many subscriptions the server holds. */
  get subscriptions(): number {
    return this.#server?.engine.currentSubscriptionCount ?? 0
  }

  get(name: string): unknown {
    return this.#variables.get(name)!.readValue().value.value
  }

  async stop(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    await server?.shutdown(0)
  }

  async remove(): Promise<void> {
    await this.stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** An Int64 is a pair of words here: without the array type it would be taken for a list. */
function scalar(dataType: DataType, value: unknown): Variant {
  return new Variant(value === null ? { dataType: DataType.Null } : { dataType, arrayType: VariantArrayType.Scalar, value })
}
