import { createServer, type Socket } from 'node:net'
import { createInterface } from 'node:readline'

/**
 * A broker that only sends, as fast as it is read, so that what is measured is the subscriber: `node mqtt-blaster.ts <port> <qos> <topic prefix> [window]`.
 * A line `go <messages>` on standard input sends that many to the subscriber, 100 bytes of JSON each, and answers `done` when they are written
 * (QoS 0) or acknowledged (QoS 1, with `window` under way; there each message is a reading of its own, counting up). MQTT 3.1.1 and 5.
 */

const [port = '0', qosText = '0', prefix = 'takt/unit', windowText = '100'] = process.argv.slice(2)
const qos = Number(qosText)
const window = Number(windowText)
const SIGNALS = 20
const PREPARED = 1000
const CHUNK = 200
/** Readings keep their number of digits, so that they can be written over. */
const FIRST_READING = 1_000_000_000
const TS_AT = '{"ts":'.length
const V_AT = '{"ts":1763810000123,"v":'.length

/** Fixed header with the remaining length, MQTT 2.1.4. */
function packet(first: number, body: Buffer): Buffer {
  const length: number[] = []
  for (let rest = body.length; ; ) {
    const digit = rest % 128
    rest = Math.floor(rest / 128)
    length.push(rest > 0 ? digit | 128 : digit)
    if (rest === 0) break
  }
  return Buffer.concat([Buffer.from([first, ...length]), body])
}

let version = 4
interface Prepared {
  readonly bytes: Buffer
  readonly idAt: number
  readonly payloadAt: number
}

function publish(i: number): Prepared {
  const topic = Buffer.from(`${prefix}/s${i % SIGNALS}`)
  const v = qos === 0 ? 3 + Math.sin(i / 50) : FIRST_READING
  const payload = Buffer.from(JSON.stringify({ ts: Date.now(), v, unit: 'mm/s', gateway: 'line-1-edge', status: 'ok', n: i }))
  const id = qos === 0 ? [] : [0, 0]
  const body = Buffer.concat([Buffer.from([topic.length >> 8, topic.length & 255]), topic, Buffer.from([...id, ...(version === 5 ? [0] : [])]), payload])
  const bytes = packet(0x30 | (qos << 1), body)
  return { bytes, idAt: bytes.length - body.length + 2 + topic.length, payloadAt: bytes.length - payload.length }
}

let subscriber: Socket | undefined
let prepared: Prepared[] = []
let toSend = 0
let sent = 0
let acknowledged = 0
let reading = 0
let paused = false

function pump(): void {
  const socket = subscriber
  if (socket === undefined) return
  while (!paused && sent < toSend) {
    const count = Math.min(CHUNK, toSend - sent, qos === 0 ? CHUNK : window - (sent - acknowledged))
    if (count <= 0) return
    const chunk = Array.from({ length: count }, () => {
      const { bytes, idAt, payloadAt } = prepared[sent % PREPARED] as Prepared
      sent++
      if (qos === 0) return bytes
      const own = Buffer.from(bytes)
      own.writeUInt16BE((sent % 65_535) + 1, idAt)
      own.write(String(Date.now()), payloadAt + TS_AT, 'latin1')
      own.write(String(FIRST_READING + reading++), payloadAt + V_AT, 'latin1')
      return own
    })
    if (!socket.write(Buffer.concat(chunk))) {
      paused = true
      socket.once('drain', () => {
        paused = false
        pump()
        finish()
      })
    }
  }
  finish()
}

function finish(): void {
  if (toSend === 0 || sent < toSend || paused || (qos > 0 && acknowledged < toSend)) return
  toSend = sent = acknowledged = 0
  console.log('done')
}

function answer(socket: Socket, first: number, body: Buffer): void {
  const type = first >> 4
  if (type === 1) {
    version = body[6] ?? 4
    socket.write(version === 5 ? Buffer.from([0x20, 3, 0, 0, 0]) : Buffer.from([0x20, 2, 0, 0]))
  } else if (type === 8) {
    const id = [body[0] ?? 0, body[1] ?? 0]
    socket.write(packet(0x90, Buffer.from([...id, ...(version === 5 ? [0] : []), qos])))
    prepared = Array.from({ length: PREPARED }, (_, i) => publish(i))
    subscriber = socket
    console.log('subscribed')
  } else if (type === 4) {
    acknowledged++
    if (sent - acknowledged <= window / 2) pump()
    finish()
  } else if (type === 12) socket.write(Buffer.from([0xd0, 0]))
}

createServer((socket) => {
  let rest: Buffer = Buffer.alloc(0)
  socket.setNoDelay(true)
  socket.on('error', () => {})
  socket.on('close', () => {
    if (subscriber === socket) subscriber = undefined
  })
  socket.on('data', (data) => {
    rest = rest.length === 0 ? data : Buffer.concat([rest, data])
    for (;;) {
      const read = whole(rest)
      if (read === undefined) return
      const { from, to } = read
      const [first = 0, body] = [rest[0], rest.subarray(from, to)]
      rest = rest.subarray(to)
      answer(socket, first, body)
    }
  })
}).listen(Number(port), '127.0.0.1', () => console.log('ready'))

/** Where the body of the first packet lies; undefined while it is not all there. */
function whole(bytes: Buffer): { from: number; to: number } | undefined {
  let length = 0
  for (let at = 1; at < bytes.length && at < 5; at++) {
    const digit = bytes[at] ?? 0
    length += (digit & 127) * 128 ** (at - 1)
    if (digit < 128) return bytes.length >= at + 1 + length ? { from: at + 1, to: at + 1 + length } : undefined
  }
  return undefined
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const [word, count] = line.split(' ')
  if (word !== 'go') return
  sent = acknowledged = 0
  toSend = Number(count)
  pump()
})
