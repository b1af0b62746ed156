import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { packageRoot } from '../../../core/base/package-root.ts'
import { OpcuaTestServer } from './support/opcua-server.ts'
import { until } from './support/wait.ts'

const KILLS = 3

/** The same process again and again, killed at any moment, while the machine goes on counting. */
describe('an OPC UA client killed at any moment', function () {
  this.timeout(180_000)
  let folder: string
  let server: OpcuaTestServer
  let child: ChildProcess | undefined

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'takt-opcua-killed-'))
    server = await OpcuaTestServer.start()
  })
  after(async () => {
    child?.kill('SIGKILL')
    await server.remove()
    rmSync(folder, { recursive: true, force: true })
  })

  it('loses no count and takes none twice, and asks for no gap', async () => {
    const log = join(folder, 'log')
    const start = (): ChildProcess =>
      spawn(
        process.execPath,
        [join(packageRoot, 'test/core/connect/support/opcua-child.ts'), server.url, join(folder, 'pki'), log, join(folder, 'state.json')],
        { stdio: 'ignore' },
      )
    const lines = (): string[] => (existsSync(log) ? readFileSync(log, 'utf8').split('\n').filter(Boolean) : [])
    const counts = (): number[] => lines().map((line) => Number(line.split(' ').at(-1)))
    let count = 0
    const machine = setInterval(() => server.set('Good', ++count), 20)
    try {
      for (let kill = 0; kill < KILLS; kill++) {
        child = start()
        const before = lines().length
        await until(() => lines().length > before, 'values come', 60_000)
        // from the first value to well beyond the first saved state
        await pause((kill * 337) % 900)
        const ended = once(child, 'exit')
        child.kill('SIGKILL')
        await ended
      }
      child = start()
      await pause(500)
    } finally {
      clearInterval(machine)
    }
    await until(() => counts().includes(count), 'the last count', 60_000)
    const seen = counts().filter((value) => value > 0)
    assert.deepEqual(
      lines().filter((line) => line.startsWith('gap')),
      [],
    )
    const [first = 0] = seen
    assert.deepEqual(
      seen,
      Array.from({ length: count - first + 1 }, (_, i) => first + i),
    )
  })
})
