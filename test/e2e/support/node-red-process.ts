import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../../core/base/package-root.ts'
import { freePort } from './free-port.ts'

export interface FlowNode {
  id: string
  type: string
  [property: string]: any
}

export interface NodeRedOptions {
  readonly userDir: string
  readonly flow: readonly FlowNode[]
  /** `node-red` (5) or `node-red-4` (4.1). */
  readonly runtime?: 'node-red' | 'node-red-4'
  readonly env?: Record<string, string>
  /** Options of Node.js itself. */
  readonly nodeOptions?: readonly string[]
  /** A folder with more nodes, besides the palette. */
  readonly nodesDir?: string
  /** The folder of the palette's package, where it is not this one. */
  readonly palette?: string
}

/** A kept connection may be one that Node-RED gives up while it is busy starting. */
const CLOSE = { connection: 'close' }

/** A real Node-RED in a process of its own, with the built palette installed in its user directory. */
export class NodeRedProcess {
  readonly #options: NodeRedOptions
  #child: ChildProcess | undefined
  #log = ''
  port = 0
  /** Environment of the next start. */
  env: Record<string, string>

  constructor(options: NodeRedOptions) {
    this.#options = options
    this.env = options.env ?? {}
    prepare(options)
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  get log(): string {
    return this.#log
  }

  get pid(): number {
    if (this.#child?.pid === undefined) throw new Error('Node-RED is not running')
    return this.#child.pid
  }

  get running(): boolean {
    return this.#child !== undefined
  }

  /** Starts, or starts again, with the flow that the user directory holds; resolves when the flows run. */
  async start(): Promise<void> {
    if (this.port === 0) this.port = await freePort()
    const { userDir, runtime = 'node-red', nodeOptions = [] } = this.#options
    const child = spawn(
      process.execPath,
      [...nodeOptions, join(packageRoot, 'node_modules', runtime, 'red.js'), '-u', userDir, '-s', join(userDir, 'settings.cjs'), '-p', String(this.port)],
      {
        cwd: userDir,
        env: { ...process.env, NODE_OPTIONS: '', ...this.env },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
    this.#child = child
    const from = this.#log.length
    child.stdout?.on('data', (data) => (this.#log += data))
    child.stderr?.on('data', (data) => (this.#log += data))
    await new Promise<void>((resolve, reject) => {
      const fail = (why: string): void => {
        clearTimeout(timer)
        reject(new Error(`${why}\n${this.#log.slice(from)}`))
      }
      const timer = setTimeout(() => fail('Node-RED did not start its flows in 60 s'), 60_000)
      child.stdout?.on('data', () => {
        if (!this.#log.slice(from).includes('Started flows')) return
        clearTimeout(timer)
        resolve()
      })
      child.once('exit', (code, signal) => {
        this.#child = undefined
        fail(`Node-RED ended (${code ?? signal})`)
      })
    })
  }

  /** As the power would go: no handler runs. */
  kill(): Promise<void> {
    return this.#end('SIGKILL')
  }

  stop(): Promise<void> {
    return this.#end('SIGINT')
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    if (child === undefined) return
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    child.kill(signal)
    await ended
    this.#child = undefined
  }

  /** Presses an inject node's button. */
  async inject(id: string): Promise<void> {
    const response = await fetch(`${this.url}/inject/${id}`, {
      method: 'POST',
      headers: CLOSE,
    })
    if (!response.ok) throw new Error(`inject ${id}: ${response.status}`)
  }

  async deploy(flow: readonly FlowNode[]): Promise<void> {
    const response = await fetch(`${this.url}/flows`, {
      method: 'POST',
      headers: { ...CLOSE, 'content-type': 'application/json', 'Node-RED-API-Version': 'v1' },
      body: JSON.stringify(flow),
    })
    if (!response.ok) throw new Error(`deploy: ${response.status} ${await response.text()}`)
  }

  /** Waits until something is true; what fails meanwhile is tried again, and the log's tail is in the error when it never is. */
  async until<T>(what: string, check: () => Promise<T | undefined | false> | T | undefined | false, timeoutMs = 60_000): Promise<T> {
    const end = Date.now() + timeoutMs
    for (let problem = ''; ; ) {
      try {
        const value = await check()
        if (value !== undefined && value !== false) return value
      } catch (error) {
        problem = String(error)
      }
      if (Date.now() > end) throw new Error(`not within ${timeoutMs / 1000} s: ${what} ${problem}\n${this.#log.slice(-6000)}`)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

function prepare({ userDir, flow, nodesDir, palette = packageRoot }: NodeRedOptions): void {
  const scope = join(userDir, 'node_modules', '@takt')
  mkdirSync(scope, { recursive: true })
  if (!existsSync(join(scope, 'node-red-takt'))) symlinkSync(palette, join(scope, 'node-red-takt'), 'dir')
  writeFileSync(
    join(userDir, 'package.json'),
    JSON.stringify({
      name: 'user-dir',
      private: true,
      dependencies: { '@takt/node-red-takt': 'file:.' },
    }),
  )
  writeFileSync(
    join(userDir, 'settings.cjs'),
    `module.exports = { flowFile: 'flows.json', uiHost: '127.0.0.1', credentialSecret: false, editorTheme: { tours: false, projects: { enabled: false } }, telemetry: { enabled: false, updateNotification: false },
  logging: { console: { level: 'info', metrics: false, audit: false } }, contextStorage: { default: { module: 'localfilesystem' } }, nodesDir: ${JSON.stringify(nodesDir)} }\n`,
  )
  // the editor's tips come on a timer, and now and then before there is a place to show them: an exception of its own
  writeFileSync(join(userDir, '.config.users.json'), JSON.stringify({ _: { editor: { view: { 'view-show-tips': false } } } }))
  writeFileSync(join(userDir, 'flows.json'), JSON.stringify(flow, null, 2))
}
