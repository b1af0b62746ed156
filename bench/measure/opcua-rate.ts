import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packageRoot } from '../../core/base/package-root.ts'
import { freePort } from '../../test/e2e/support/free-port.ts'
import { type FlowNode, NodeRedProcess } from '../../test/e2e/support/node-red-process.ts'

const VARIABLES = 500
const CHANGE_EVERY_MS = 50
const SECONDS = 10

function child(script: string, ...args: string[]): ChildProcess {
  return spawn(process.execPath, [join(packageRoot, 'bench', 'support', script), ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
}

function line(process: ChildProcess, accept: (text: string) => boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    process.stdout?.on('data', (data) => {
      text += data
      const found = text.split('\n').slice(0, -1).find(accept)
      if (found !== undefined) resolve(found)
    })
    process.once('exit', () => reject(new Error(`ended without an answer: ${text}`)))
  })
}

function sensorFlow(url: string): FlowNode[] {
  const signals = Array.from({ length: VARIABLES }, (_, i) => `{ name: v${i}, source: { connection: load, nodeId: 'ns=1;s=v${i}' } }`).join(', ')
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
      publishingMs: 100,
      samplingMs: 0,
      queueSize: 100,
      wires: [['o2']],
    },
    { id: 'o2', z: 'o0', type: 'bench-sink', wires: [] },
  ]
}

/** Changes a second that reach a bare node-opcua client, and those that reach a flow as samples, from the same server one after the other. */
export async function opcuaRate(): Promise<{ bare: number; sensor: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'takt-bench-'))
  const port = await freePort()
  const url = `opc.tcp://127.0.0.1:${port}`
  const server = child('opcua-load-server.ts', String(port), String(VARIABLES), String(CHANGE_EVERY_MS))
  const red = new NodeRedProcess({ userDir: folder, flow: sensorFlow(url), nodesDir: join(packageRoot, 'bench', 'sink') })
  try {
    await line(server, (text) => text === 'ready')
    const bare = Number(await line(child('opcua-bare-client.ts', url, String(VARIABLES), String(SECONDS)), (text) => Number.isFinite(Number(text))))
    await red.start()
    const received = async (): Promise<number> => ((await (await fetch(`${red.url}/bench`)).json()) as { received: number }).received
    await red.until('samples arrive', async () => (await received()) > 0)
    await new Promise((resolve) => setTimeout(resolve, 2000))
    const [from, start] = [await received(), performance.now()]
    await new Promise((resolve) => setTimeout(resolve, SECONDS * 1000))
    const sensor = (((await received()) - from) / (performance.now() - start)) * 1000
    return { bare, sensor }
  } finally {
    await red.stop()
    server.kill()
    rmSync(folder, { recursive: true, force: true })
  }
}
