import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import type { EventEmitter } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { connect, createServer, type ListenOptions, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { packageRoot } from '../core/base/package-root.ts'

/**
 * `npm start`: the palette with its reference flow on a simulated plant, in a user directory of its own (`.takt/`).
 * A second start goes on where the first was stopped. Node-RED itself runs in this process, as `node-red --settings settings.js` would.
 */

const HELP = `Runs Takt's reference flow in Node-RED, on a simulated plant.

  --port <n>        port of editor and dashboard (TAKT_PORT; 1880); 0 takes a free one
  --user-dir <dir>  where flows, records and reports are kept (TAKT_USER_DIR; .takt)
  --flow <file>     the flow to begin with (flows/closed-loop.json)
  --no-build        starts what dist/ holds, however old
  --fresh           begin anew: deletes what an earlier start left in the user directory (TAKT_FRESH=1)
`

/** Says which user directories are ours to delete, and which flow was put there. */
const MARK = 'takt-start.json'

interface Options {
  readonly port: number
  readonly userDir: string
  readonly flow: string
  readonly fresh: boolean
  readonly build: boolean
}

async function main(): Promise<void> {
  const options = readOptions()
  // the settings read these
  process.env.TAKT_USER_DIR = options.userDir
  process.env.TAKT_PORT = String(options.port)
  if (options.build) buildWhenStale()
  await refuseSecond(options)
  if (options.fresh) startAnew(options.userDir)
  mkdirSync(options.userDir, { recursive: true })
  const settings = loadSettings()
  placeFlow(options)
  runNodeRed(options, settings)
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', short: 'p', default: process.env.TAKT_PORT || process.env.PORT || '1880' },
      'user-dir': { type: 'string', short: 'u', default: process.env.TAKT_USER_DIR || join(packageRoot, '.takt') },
      flow: { type: 'string', default: join(packageRoot, 'flows/closed-loop.json') },
      fresh: { type: 'boolean', default: process.env.TAKT_FRESH === '1' },
      'no-build': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) {
    console.log(HELP)
    process.exit(0)
  }
  const port = Number(values.port)
  if (!Number.isInteger(port) || port < 0 || port > 65535) fail(`--port ${values.port} is not a port (0 to 65535)`)
  return { port, userDir: resolve(values['user-dir']), flow: resolve(values.flow), fresh: values.fresh, build: !values['no-build'] }
}

function fail(message: string): never {
  console.error(`\n  ${message}\n`)
  process.exit(1)
}

/** The palette that Node-RED loads is `dist/`; it is made anew when a source is younger. */
function buildWhenStale(): void {
  const newest = (path: string): number =>
    statSync(path).isDirectory() ? Math.max(0, ...readdirSync(path).map((entry) => newest(join(path, entry)))) : statSync(path).mtimeMs
  const sources = ['core', 'nodes', 'icons', 'package.json', 'scripts/build.ts'].map((path) => join(packageRoot, path))
  const dist = join(packageRoot, 'dist')
  if (existsSync(dist) && statSync(dist).mtimeMs > Math.max(...sources.map(newest))) return
  console.log('Building the palette …')
  const build = spawnSync(process.execPath, [join(packageRoot, 'scripts/build.ts')], { stdio: 'inherit' })
  if (build.status !== 0) fail('The palette could not be built; the reason is above.')
}

function startAnew(userDir: string): void {
  if (!existsSync(userDir) || readdirSync(userDir).length === 0) return
  if (!existsSync(join(userDir, MARK))) fail(`${userDir} was not made by an earlier start, so --fresh does not delete it.`)
  rmSync(userDir, { recursive: true })
}

/** Two Node-REDs on one user directory would write the same records; on one port they could not both listen. Better said before anything has begun. */
async function refuseSecond({ port, userDir }: Options): Promise<void> {
  if (!(await lock(userDir))) fail(`A Takt runs already on ${userDir}. Stop it, or choose another directory: npm start -- --user-dir <dir> --port <n>`)
  const probe = createServer()
  const free = await listens(probe, { port, host: process.env.TAKT_HOST || '127.0.0.1' })
  probe.close()
  if (!free)
    fail(
      `Port ${port} is in use, perhaps by another Node-RED. Stop that program, or choose another port: npm start -- --port ${port === 65535 ? 1880 : port + 1}`,
    )
}

/** Holds a pipe named after the directory for as long as this process lives, however it ends; false where another process holds it. */
async function lock(userDir: string): Promise<boolean> {
  const name = `takt-${createHash('sha256').update(userDir).digest('hex').slice(0, 16)}`
  const path = process.platform === 'win32' ? `\\\\.\\pipe\\${name}` : join(tmpdir(), `${name}.sock`)
  const holder = createServer().unref()
  if (await listens(holder, { path })) return true
  const held = await new Promise<boolean>((answer) => {
    const socket = connect(path, () => answer(true)).once('error', () => answer(false))
    socket.once('connect', () => socket.destroy())
  })
  if (held) return false
  rmSync(path, { force: true })
  return listens(holder, { path })
}

function listens(server: Server, where: ListenOptions): Promise<boolean> {
  return new Promise((done, refuse) => {
    server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? done(false) : refuse(error)))
    server.listen(where, () => done(true))
  })
}

interface Settings {
  nodesDir?: string[]
  readonly uiHost: string
  readonly https?: unknown
}

const require = createRequire(import.meta.url)
const SETTINGS_FILE = join(packageRoot, 'settings.js')

/** The settings refuse what is not safe. */
function loadSettings(): Settings {
  try {
    const settings = require(SETTINGS_FILE) as Settings
    // the checkout itself is the palette; an installed one is found by its place in node_modules
    settings.nodesDir = [packageRoot]
    return settings
  } catch (thrown) {
    return fail(thrown instanceof Error ? thrown.message : String(thrown))
  }
}

/**
 * Copies the flow on the first start. Later, a newer reference flow replaces one that nobody has changed; a changed one is left alone.
 */
function placeFlow({ userDir, flow }: Options): void {
  const target = join(userDir, 'flows.json')
  const mark = join(userDir, MARK)
  if (!existsSync(flow)) fail(`There is no flow ${flow}.`)
  const shipped = readFileSync(flow)
  const hash = (content: Buffer): string => createHash('sha256').update(content).digest('hex')
  if (existsSync(target)) {
    const placed = existsSync(mark) ? (JSON.parse(readFileSync(mark, 'utf8')) as { flow: string }).flow : undefined
    const unchanged = hash(readFileSync(target)) === placed
    if (hash(shipped) === placed) return
    if (!unchanged) return console.log(`Your flow in ${target} is kept; the shipped one is newer. To have that: npm start -- --fresh`)
  }
  writeFileSync(target, shipped)
  writeFileSync(mark, JSON.stringify({ flow: hash(shipped) }))
}

/** Node-RED's own program, in this process: it reads the settings, starts, and stops at Ctrl-C. */
function runNodeRed({ port, userDir }: Options, settings: Settings): void {
  const program = join(dirname(require.resolve('node-red/package.json')), 'red.js')
  process.argv.splice(1, Number.POSITIVE_INFINITY, program, '--settings', SETTINGS_FILE, '--userDir', userDir, '--port', String(port))
  require(program)

  const RED = require('node-red') as { readonly events: EventEmitter; readonly server: Server }
  RED.events.once('flows:started', () => (RED.server.listening ? say() : RED.server.once('listening', say)))

  function say(): void {
    const address = RED.server.address()
    const at = `${settings.https ? 'https' : 'http'}://${settings.uiHost}:${typeof address === 'object' ? address?.port : port}`
    console.log(`
  Takt is running on a simulated plant.

    Dashboard  ${at}/dashboard
    Editor     ${at}/
    Records    ${userDir}

  Ctrl-C stops it; npm start goes on where it was.
`)
  }
}

await main()
