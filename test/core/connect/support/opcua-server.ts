import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  DataType,
  MessageSecurityMode,
  OPCUACertificateManager,
  OPCUAServer,
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

/** A small machine behind a real OPC UA server. Restarts on the same port with the same certificate; a restart forgets all sessions. */
export class OpcuaTestServer {
  readonly port: number
  readonly calls: string[] = []
  /** What the method answers. */
  answer = StatusCodes.Good
  reply = ''
  readonly #folder: string
  readonly #user: { name: string; password: string } | undefined
  #server: OPCUAServer | undefined
  #variables = new Map<string, UAVariable>()

  private constructor(port: number, folder: string, user: { name: string; password: string } | undefined) {
    this.port = port
    this.#folder = folder
    this.#user = user
  }

  static async start(user?: { name: string; password: string }): Promise<OpcuaTestServer> {
    const server = new OpcuaTestServer(await freePort(), mkdtempSync(join(tmpdir(), 'takt-opcua-')), user)
    await server.start()
    return server
  }

  get url(): string {
    return `opc.tcp://127.0.0.1:${this.port}`
  }

  async start(): Promise<void> {
    const user = this.#user
    const server = new OPCUAServer({
      port: this.port,
      hostname: '127.0.0.1',
      serverCertificateManager: new OPCUACertificateManager({ rootFolder: join(this.#folder, 'pki'), automaticallyAcceptUnknownCertificate: true }),
      securityModes: [MessageSecurityMode.None, MessageSecurityMode.SignAndEncrypt],
      securityPolicies: [SecurityPolicy.None, SecurityPolicy.Basic256Sha256],
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
    await server.start()
    this.#server = server
  }

  /** Sets a variable; `status` and `time` as the machine would report them. */
  set(name: string, value: unknown, { time, status = StatusCodes.Good }: { time?: number; status?: typeof StatusCodes.Good } = {}): void {
    const variable = this.#variables.get(name)!
    variable.setValueFromSource(scalar(VARIABLES[name]!.dataType, value), status, time === undefined ? new Date() : new Date(time))
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
