import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packageRoot } from '../../core/base/package-root.ts'
import { freePort } from '../../test/e2e/support/free-port.ts'
import { type FlowNode, NodeRedProcess } from '../../test/e2e/support/node-red-process.ts'
import { Child } from '../support/child.ts'

export interface OpcuaLoad {
  readonly variables: number
  readonly everyMs: number
  readonly seconds: number
}

/** What a reader made of a load. */
export interface OpcuaRate {
  /** Changes a second, between the first and the last that it got. */
  readonly rate: number
  /** Changes of the server's variables. */
  readonly sent: number
  readonly lost: number
}

export const TEN_THOUSAND: OpcuaLoad = { variables: 500, everyMs: 50, seconds: 10 }
export const FORTY_THOUSAND: OpcuaLoad = { variables: 1000, everyMs: 25, seconds: 10 }

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

function sensorFlow(url: string, variables: number): FlowNode[] {
  const signals = Array.from({ length: variables }, (_, i) => `{ name: v${i}, source: { connection: load, nodeId: 'ns=1;s=v${i}' } }`).join(', ')
  return [
    { id: 'o0', type: 'tab', label: 'opcua' },
    {
      id: 'cc01',
      type: 'takt-plant',
      name: 'bench',
      source: 'inline',
      model: `plant: bench\nequipment:\n  - { id: bench/unit, level: workUnit, signals: [${signals}] }\n`,
      clock: 'system',
    },
    { id: 'cc02', type: 'takt-opcua-endpoint', name: 'load', url, securityMode: 'None', securityPolicy: 'None', acceptServerCertificate: true },
    {
      id: 'o1',
      z: 'o0',
      type: 'takt-opcua-sensor',
      plant: 'cc01',
      endpoint: 'cc02',
      mode: 'bindings',
      publishing: 100,
      sampling: 0,
      queueSize: 100,
      wires: [['o2']],
    },
    { id: 'o2', z: 'o0', type: 'bench-sink', wires: [] },
  ]
}

/** As the contrib palette's documentation subscribes many variables: one message with all of them. */
function contribFlow(url: string, variables: number): FlowNode[] {
  const items = Array.from({ length: variables }, (_, i) => ({ nodeId: `ns=1;s=v${i}` }))
  return [
    { id: 'o0', type: 'tab', label: 'opcua' },
    { id: 'cc02', type: 'OpcUa-Endpoint', endpoint: url, secpol: 'None', secmode: 'None', none: true, login: false, usercert: false },
    {
      id: 'o3',
      z: 'o0',
      type: 'inject',
      props: [{ p: 'topic', vt: 'str' }, { p: 'payload' }, { p: 'interval', v: '50', vt: 'num' }],
      topic: 'multiple',
      payload: JSON.stringify(items),
      payloadType: 'json',
      once: true,
      onceDelay: 3,
      repeat: '',
      crontab: '',
      wires: [['o1']],
    },
    {
      id: 'o1',
      z: 'o0',
      type: 'OpcUa-Client',
      endpoint: 'cc02',
      action: 'subscribe',
      deadbandtype: 'a',
      deadbandvalue: 1,
      time: 50,
      timeUnit: 'ms',
      certificate: 'n',
      localfile: '',
      localkeyfile: '',
      useTransport: false,
      maxChunkCount: '',
      maxMessageSize: '',
      receiveBufferSize: '',
      sendBufferSize: '',
      wires: [['o2'], [], []],
    },
    { id: 'o2', z: 'o0', type: 'bench-sink', wires: [] },
  ]
}

/** Starts the server with this load, and stops it whatever happens. */
async function withServer<T>(load: OpcuaLoad, measure: (url: string, go: () => Promise<number>) => Promise<T>): Promise<T> {
  const port = await freePort()
  const server = new Child('opcua-load-server.ts', String(port), String(load.variables), String(load.everyMs))
  const rounds = Math.round((load.seconds * 1000) / load.everyMs)
  try {
    await server.line()
    return await measure(`opc.tcp://127.0.0.1:${port}`, async () => {
      await server.ask(`go ${rounds}`)
      return rounds * load.variables
    })
  } finally {
    server.kill()
  }
}

/** What a bare node-opcua client gets of a load. */
export function bareRate(load: OpcuaLoad): Promise<OpcuaRate> {
  return withServer(load, async (url, go) => {
    const client = new Child('opcua-bare-client.ts', url, String(load.variables))
    try {
      await client.line()
      await client.ask('reset')
      const sent = await go()
      await pause(3000)
      const [received = 0, ms = 0] = (await client.ask('count')).split(' ').map(Number)
      return { rate: (received / ms) * 1000, sent, lost: sent - received }
    } finally {
      client.kill()
    }
  })
}

/** What reaches a flow, through the opcua sensor or the contrib palette installed in `contribModules`. */
export function flowRate(load: OpcuaLoad, contribModules?: string): Promise<OpcuaRate> {
  const folder = mkdtempSync(join(tmpdir(), 'takt-bench-'))
  return withServer(load, async (url, go) => {
    const flow = contribModules === undefined ? sensorFlow(url, load.variables) : contribFlow(url, load.variables)
    if (contribModules !== undefined) installContrib(folder, contribModules)
    const red = new NodeRedProcess({ userDir: folder, flow, nodesDir: join(packageRoot, 'bench', 'sink') })
    const read = async (query = ''): Promise<{ received: number; first: number; last: number }> =>
      (await (await fetch(`${red.url}/bench${query}`)).json()) as { received: number; first: number; last: number }
    try {
      await red.start()
      // every variable's first value: from then on all changes count
      await red.until('first values arrive', async () => (await read()).received >= load.variables)
      await pause(2000)
      await read('?reset')
      const sent = await go()
      await pause(3000)
      const { received, first, last } = await read()
      return { rate: (received / (last - first)) * 1000, sent, lost: sent - received }
    } finally {
      await red.stop()
    }
  }).finally(() => rmSync(folder, { recursive: true, force: true }))
}

/** Its dependencies stay where they were installed; Node-RED finds the palette in the user directory. */
function installContrib(userDir: string, modules: string): void {
  const own = join(userDir, 'node_modules')
  if (!existsSync(own)) mkdirSync(own, { recursive: true })
  symlinkSync(join(modules, 'node-red-contrib-opcua'), join(own, 'node-red-contrib-opcua'), 'dir')
}

/** Changes a second that reach a bare node-opcua client, and those that reach a flow as samples, from the same server one after the other. */
export async function opcuaRate(): Promise<{ bare: number; sensor: number }> {
  return { bare: (await bareRate(TEN_THOUSAND)).rate, sensor: (await flowRate(TEN_THOUSAND)).rate }
}
