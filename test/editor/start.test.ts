import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packageRoot } from '../../core/base/package-root.ts'

/** What a newcomer meets first: `npm start`, and the settings it runs with. */

const PASSWORD = 'rolling-mill'
const HASH = '$2b$08$S.J9TG3PPpEsDaHG.aEOBuz3z7p59HyYDyrec4J.QnLgyf9CAnjli'

const FLOW = [
  { id: 'f0f0', type: 'tab', label: 'Test' },
  { id: 'b0b0', type: 'ui-base', name: 'Test', path: '/dashboard', includeClientData: true, acceptsClientConfig: [] },
]

class Start {
  readonly #child: ChildProcess
  readonly ended: Promise<number | null>
  output = ''

  constructor(args: readonly string[], env: Record<string, string> = {}) {
    this.#child = spawn(process.execPath, [join(packageRoot, 'scripts/start.ts'), '--no-build', ...args], {
      env: { ...process.env, NODE_OPTIONS: '', TAKT_PORT: '', TAKT_USER_DIR: '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child.stdout?.on('data', (data) => (this.output += data))
    this.#child.stderr?.on('data', (data) => (this.output += data))
    this.ended = new Promise((resolve) => this.#child.once('exit', (code) => resolve(code)))
  }

  /** The editor's address, once it is printed. */
  async address(): Promise<string> {
    let over = false
    void this.ended.then(() => (over = true))
    while (!over) {
      const found = /Editor +(http\S+)\//.exec(this.output)?.[1]
      if (found !== undefined) return found
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    throw new Error(`it ended\n${this.output}`)
  }

  stop(signal: NodeJS.Signals = 'SIGINT'): Promise<number | null> {
    this.#child.kill(signal)
    return this.ended
  }
}

describe('npm start', function () {
  this.timeout(90_000)
  let folder: string
  let userDir: string
  let flow: string
  const running: Start[] = []
  const start = (args: readonly string[] = [], env: Record<string, string> = {}): Start => {
    const started = new Start(['--user-dir', userDir, '--flow', flow, '--port', '0', ...args], env)
    running.push(started)
    return started
  }

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'takt-start-'))
    userDir = join(folder, 'user')
    flow = join(folder, 'flow.json')
    writeFileSync(flow, JSON.stringify(FLOW))
  })

  afterEach(async () => {
    await Promise.all(running.splice(0).map((started) => started.stop('SIGKILL')))
    rmSync(folder, { recursive: true, force: true })
  })

  it('brings up editor and dashboard, prints where they are, answers to no other name, keeps a log, stops at Ctrl-C and goes on where it was', async () => {
    const first = start()
    const url = await first.address()
    assert.match(first.output, /Dashboard +http:\/\/127\.0\.0\.1:\d+\/dashboard/)
    const [editor, dashboard] = await Promise.all([fetch(url), fetch(`${url}/dashboard`)])
    assert.match(await editor.text(), /<title>Takt/)
    assert.equal(dashboard.status, 200)
    assert.equal(await statusFor(url, 'somewhere.example'), 403, 'no web page can borrow it')
    const changed = [...FLOW, { id: 'c0c0', type: 'comment', z: 'f0f0', name: 'mine', x: 100, y: 100, wires: [] }]
    const deploy = await fetch(`${url}/flows`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(changed) })
    assert.equal(deploy.status, 204)
    assert.equal(await first.stop(), 0)

    // who did what, and secrets that only this user can read
    const log = readdirSync(userDir).find((file) => /^audit-\d{4}-\d\d\.log$/.test(file)) ?? ''
    const entries = readFileSync(join(userDir, log), 'utf8').trim().split('\n')
    assert.ok(entries.map((line) => JSON.parse(line) as { event: string }).some((entry) => entry.event === 'flows.set'))
    for (const file of [log, 'credential-secret']) assert.equal(statSync(join(userDir, file)).mode & 0o077, 0, file)

    // the shipped flow has become newer meanwhile: what people changed is kept
    writeFileSync(flow, JSON.stringify([...FLOW, { id: 'd0d0', type: 'tab', label: 'newer' }]))
    const second = start()
    const flows = (await (await fetch(`${await second.address()}/flows`)).json()) as Array<{ name?: string }>
    assert.ok(flows.some((node) => node.name === 'mine'))
    assert.match(second.output, /Your flow .* is kept/)
  })

  it('says when it runs already, comes up after a kill, takes a newer reference flow that nobody has changed, and begins anew when told to', async () => {
    const first = start()
    await first.address()
    const beside = start(['--fresh'])
    assert.equal(await beside.ended, 1)
    assert.match(beside.output, /runs already/)
    await first.stop('SIGKILL')
    writeFileSync(flow, JSON.stringify([...FLOW, { id: 'd0d0', type: 'tab', label: 'newer' }]))
    const second = start()
    const url = await second.address()
    assert.match(await (await fetch(`${url}/flows`)).text(), /newer/)
    await second.stop()
    writeFileSync(join(userDir, 'something.txt'), 'old')
    const third = start(['--fresh'])
    await third.address()
    assert.ok(!existsSync(join(userDir, 'something.txt')))
  })

  it('deletes no directory that it did not make', async () => {
    const foreign = join(folder, 'foreign')
    writeFileSync(flow, JSON.stringify(FLOW))
    rmSync(foreign, { recursive: true, force: true })
    userDir = folder
    const refused = start(['--fresh'])
    assert.equal(await refused.ended, 1)
    assert.match(refused.output, /not made by an earlier start/)
    assert.ok(existsSync(flow))
  })

  it('says clearly when the port is taken', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as { port: number }
    const refused = start(['--port', String(port)])
    assert.equal(await refused.ended, 1)
    assert.match(refused.output, new RegExp(`Port ${port} is in use`))
    assert.match(refused.output, new RegExp(`--port ${port + 1}`))
    other.close()
  })

  it('opens to others only with a password', async () => {
    const refused = start([], { TAKT_HOST: '0.0.0.0' })
    assert.equal(await refused.ended, 1)
    assert.match(refused.output, /TAKT_ADMIN_PASSWORD_HASH/)
  })

  it('asks for it: editor, dashboard and the socket behind its buttons', async () => {
    const guarded = start([], { TAKT_ADMIN_PASSWORD_HASH: HASH })
    const url = await guarded.address()
    assert.equal((await fetch(`${url}/flows`)).status, 401)
    assert.equal((await fetch(`${url}/dashboard`)).status, 401)
    const authorization = `Basic ${Buffer.from(`admin:${PASSWORD}`).toString('base64')}`
    const page = await fetch(`${url}/dashboard`, { headers: { authorization } })
    assert.equal(page.status, 200)
    const cookie = page.headers.get('set-cookie')?.split(';')[0] ?? ''
    assert.match(page.headers.get('set-cookie') ?? '', /HttpOnly; SameSite=Strict/)
    assert.match(await connectSocket(url, ''), /open the dashboard page first/)
    assert.match(await connectSocket(url, `${cookie.slice(0, -1)}x`), /open the dashboard page first/)
    assert.match(await connectSocket(url, cookie), /"sid"/)
    const login = await fetch(`${url}/auth/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ client_id: 'node-red-editor', grant_type: 'password', scope: '*', username: 'admin', password: PASSWORD }),
    })
    assert.equal(login.status, 200)
  })
})

/** What a request for the flows gets that names this host; fetch sets no Host header. */
function statusFor(url: string, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) =>
    request(`${url}/flows`, { headers: { host } }, (response) => resolve(response.statusCode))
      .once('error', reject)
      .end(),
  )
}

/** A Socket.IO handshake over polling; returns the server's answer to the request to connect. */
async function connectSocket(url: string, cookie: string): Promise<string> {
  const at = `${url}/dashboard/socket.io/?EIO=4&transport=polling`
  const hello = await (await fetch(at, { headers: { cookie } })).text()
  const { sid } = JSON.parse(hello.slice(1)) as { sid: string }
  await fetch(`${at}&sid=${sid}`, { method: 'POST', headers: { cookie, 'content-type': 'text/plain' }, body: '40' })
  return (await fetch(`${at}&sid=${sid}`, { headers: { cookie } })).text()
}
