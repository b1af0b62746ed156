import assert from 'node:assert/strict'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { FaultProxy } from './fault-proxy.ts'

describe('the fault proxy', () => {
  let server: Server
  let proxy: FaultProxy
  const sockets = new Set<Socket>()

  beforeEach(async () => {
    server = createServer((socket) => {
      sockets.add(socket)
      socket.on('error', () => {}).pipe(socket)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    proxy = await FaultProxy.start((server.address() as { port: number }).port)
  })

  afterEach(async () => {
    await proxy.close()
    for (const socket of sockets) socket.destroy()
    sockets.clear()
    await new Promise<void>((resolve) => server.close(() => resolve()))
  })

  /** A client of an echo server, and what has come back. */
  function client(): { socket: Socket; heard: () => string; ended: Promise<string> } {
    const socket = connect(proxy.port, '127.0.0.1')
    let text = ''
    socket.on('data', (data) => (text += data))
    const ended = new Promise<string>((resolve) => {
      socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''))
      socket.once('close', () => resolve('closed'))
    })
    return { socket, heard: () => text, ended }
  }

  async function until(check: () => boolean): Promise<void> {
    for (let i = 0; i < 500 && !check(); i++) await pause(10)
    assert.ok(check())
  }

  it('carries bytes both ways, unchanged and in order', async () => {
    const { socket, heard } = client()
    const sent = 'x'.repeat(300_000) + 'y'.repeat(300_000)
    socket.write(sent)
    await until(() => heard().length === sent.length)
    assert.equal(heard(), sent)
    socket.destroy()
    await until(() => proxy.connections === 0)
  })

  it('cuts: resets what is open, refuses what is new, until restored', async () => {
    const first = client()
    first.socket.write('a')
    await until(() => first.heard() === 'a')
    proxy.cut()
    assert.equal(await first.ended, 'ECONNRESET')
    assert.match(await client().ended, /ECONNRESET|closed/)
    proxy.restore()
    const second = client()
    second.socket.write('b')
    await until(() => second.heard() === 'b')
    second.socket.destroy()
  })

  it('falls silent without closing, and gives what it held back when it is over', async () => {
    const { socket, heard } = client()
    socket.write('a')
    await until(() => heard() === 'a')
    proxy.blackHole()
    socket.write('b')
    await pause(150)
    assert.equal(heard(), 'a')
    assert.equal(proxy.connections, 1)
    proxy.restore()
    await until(() => heard() === 'ab')
    socket.destroy()
  })

  it('falls silent in one direction alone', async () => {
    const { socket, heard } = client()
    proxy.blackHole('down')
    socket.write('a')
    await until(() => sockets.size === 1 && [...sockets][0]!.bytesRead === 1)
    await pause(100)
    assert.equal(heard(), '')
    proxy.restore()
    await until(() => heard() === 'a')
    socket.destroy()
  })

  it('delays and throttles', async () => {
    const { socket, heard } = client()
    socket.write('a')
    await until(() => heard() === 'a')
    proxy.delay(200, 'up')
    let start = performance.now()
    socket.write('b')
    await until(() => heard() === 'ab')
    assert.ok(performance.now() - start >= 190)
    proxy.restore()
    proxy.throttle(100_000)
    start = performance.now()
    socket.write('c'.repeat(20_000))
    await until(() => heard().length === 20_002)
    assert.ok(performance.now() - start >= 190)
    socket.destroy()
  })
})
