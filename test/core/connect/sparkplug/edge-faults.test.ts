import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { FaultProxy } from '../../../support/fault-proxy.ts'
import { Mosquitto, needsMosquitto } from '../support/mosquitto.ts'
import { until } from '../support/wait.ts'
import { ForeignHost, metricOf } from './support/foreign-host.ts'

/** Every count that a host of another make heard, live or late, in births or in data. */
const countsOf = (host: ForeignHost): number[] =>
  host.heard.flatMap((message) => message.payload.metrics.filter(({ name }: any) => name === 'count').map(({ long_value }: any) => Number(long_value ?? 0)))

describe('Sparkplug edge node, faults', function () {
  this.timeout(120_000)
  let broker: Mosquitto
  let proxy: FaultProxy
  let host: ForeignHost
  let folder: string
  const children: ChildProcess[] = []

  before(async function () {
    needsMosquitto(this)
  })
  beforeEach(async () => {
    broker = await Mosquitto.start()
    proxy = await FaultProxy.start(broker.port)
    folder = mkdtempSync(join(tmpdir(), 'takt-edge-faults-'))
    host = await ForeignHost.start(broker.url, 'killed')
  })
  afterEach(async () => {
    for (const child of children.splice(0)) await kill(child)
    await host?.stop()
    await proxy?.close()
    await broker?.remove()
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  })

  function start(): ChildProcess {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'support/edge-child.ts'), `mqtt://127.0.0.1:${proxy.port}`, join(folder, 'edge.json')], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    children.push(child)
    return child
  }
  async function kill(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }
  const bdSeqs = (verb: string) => host.of(verb).map((message) => metricOf(message, 'bdSeq')?.long_value)

  it('killed, its death arrives with the number of its birth, and the next life has the next number', async () => {
    for (let life = 0; life < 3; life++) {
      const child = start()
      await host.next('NBIRTH', undefined, life + 1)
      await host.next('DBIRTH', 'mill', life + 1)
      await kill(child)
      await host.next('NDEATH', undefined, life + 1)
    }
    assert.deepEqual(
      [bdSeqs('NBIRTH'), bdSeqs('NDEATH')],
      [
        ['0', '1', '2'],
        ['0', '1', '2'],
      ],
    )
  })

  it('cut off, it tells later what it could not tell, in a session with the next number', async () => {
    start()
    await until(() => countsOf(host).length > 10, 'counts')
    for (let cut = 1; cut <= 3; cut++) {
      proxy.cut()
      await pause(1500)
      proxy.restore()
      await host.next('DBIRTH', 'mill', cut + 1)
      const seen = Math.max(...countsOf(host))
      await until(() => Math.max(...countsOf(host)) > seen + 10, 'it goes on')
    }
    await until(() => isWhole(countsOf(host)), 'no count is missing')
    // resets while the network was down were sessions as well, if short ones
    const numbers = bdSeqs('NBIRTH').map(Number)
    assert.deepEqual(
      numbers,
      [...new Set(numbers)].toSorted((one, other) => one - other),
    )
    assert.ok(numbers.length >= 4)
  })

  it('in a black hole, it tells again what the network swallowed', async () => {
    start()
    await until(() => countsOf(host).length > 10, 'counts')
    proxy.blackHole('up', 'down')
    await host.next('NDEATH')
    await pause(2000)
    // what the hole held back must not arrive after all: both sides have given the connection up
    proxy.drop()
    proxy.restore()
    await host.next('DBIRTH', 'mill', 2)
    const seen = Math.max(...countsOf(host))
    await until(() => Math.max(...countsOf(host)) > seen + 5, 'it goes on')
    await until(() => isWhole(countsOf(host)), 'no count is missing')
  })

  it('survives the end of the broker', async () => {
    start()
    await until(() => countsOf(host).length > 10, 'counts')
    await broker.stop('SIGKILL')
    await pause(1500)
    await broker.start()
    const births = host.of('NBIRTH').length
    await host.next('NBIRTH', undefined, births + 1).catch(() => {})
    // the host was away as well: it asks for what it missed, as hosts do
    await host.stop()
    host = await ForeignHost.start(broker.url, 'killed')
    await until(async () => {
      await host.rebirth('child')
      await pause(300)
      return host.of('DBIRTH', 'mill').length > 0
    }, 'a birth')
    await until(() => countsOf(host).length > 10, 'it goes on')
  })
})

/** From the first to the last, none is missing. */
function isWhole(counts: readonly number[]): boolean {
  const all = new Set(counts)
  for (let count = 0; count <= Math.max(...counts); count++) if (!all.has(count)) return false
  return true
}
