import { openSync, writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import mqtt from 'mqtt'
import type { PublisherOrder } from '../support/publisher.ts'

/**
 * A machine that numbers what it sends and keeps its own log of what was acknowledged to it: `node mqtt-publisher.ts <order as JSON>`.
 * One line `<topic> <sequence> <source time>` of the log is one message that the broker has taken. Lines on standard input: `stop`, `rate <n>`.
 */

const order = JSON.parse(process.argv[2] ?? '{}') as PublisherOrder
const { url, topics, log, session, stepMs } = order
let { rate } = order
const TICK_MS = 10
/** Beyond this it waits for acknowledgements. */
const UNDER_WAY = 2000

const file = openSync(log, 'a')
const client = mqtt.connect(url, {
  clientId: `machine-${session}`,
  clean: false,
  protocolVersion: 5,
  properties: { sessionExpiryInterval: 3600 },
  reconnectPeriod: 100,
  connectTimeout: 2000,
  keepalive: 5,
})
client.on('error', () => {})

interface Sent {
  readonly topic: string
  readonly sequence: number
  readonly body: string
}

const next = new Map(topics.map((topic) => [topic, 0]))
const recent: Array<Sent & { readonly at: number }> = []
let underWay = 0
let acknowledged = 0
let stopping = false
let lines = ''
let dice = 1

/** A small generator of its own: the same order makes the same disorder. */
function random(): number {
  dice = (dice * 48271) % 2147483647
  return dice / 2147483647
}

const started = Date.now()
function make(topic: string): Sent {
  const sequence = next.get(topic) ?? 0
  next.set(topic, sequence + 1)
  // source times a fixed step apart, so that every message of a topic has one of its own
  const ts = stepMs === undefined ? Date.now() : started + sequence * stepMs
  return {
    topic,
    sequence,
    body: JSON.stringify({ v: sequence, ts, session, sequence, serial: String(sequence), job: order.job, pad: 'x'.repeat(order.padding ?? 0) }),
  }
}

function publish(message: Sent, first: boolean): void {
  underWay++
  client.publish(message.topic, message.body, { qos: order.qos }, (error) => {
    underWay--
    if (error || !first) return
    acknowledged++
    lines += `${message.topic} ${message.sequence} ${JSON.parse(message.body).ts}\n`
    if (order.resendMs !== undefined) recent.push({ ...message, at: performance.now() })
  })
}

// what a broker took and then lost, the sender still has: it repeats what is not old enough to be safe
let connectedBefore = false
client.on('connect', () => {
  if (connectedBefore && order.resendMs !== undefined) for (const message of recent) publish(message, false)
  connectedBefore = true
})

const held: Sent[] = []
function send(message: Sent): void {
  const { duplicates = 0, shuffle = 0 } = order
  if (shuffle === 0) publish(message, true)
  else {
    held.push(message)
    if (held.length >= shuffle) for (const one of held.splice(0).sort(() => random() - 0.5)) publish(one, true)
  }
  if (random() < duplicates) setTimeout(() => publish(message, false), random() * 3000)
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const [word, value] = line.split(' ')
  if (word === 'stop') stopping = true
  if (word === 'rate') rate = Number(value)
})

await new Promise<void>((resolve) => client.once('connect', () => resolve()))
console.log('ready')
let last = performance.now()
let due = 0
while (!stopping) {
  await pause(TICK_MS)
  const now = performance.now()
  due = Math.min(due + ((now - last) / 1000) * rate, rate)
  last = now
  while (due >= 1 && underWay < UNDER_WAY) {
    due--
    for (const topic of topics) send(make(topic))
  }
  if (!client.connected && order.qos === 0) due = 0
  while (recent.length > 0 && (recent[0]?.at ?? 0) < now - (order.resendMs ?? 0)) recent.shift()
  if (lines !== '') writeSync(file, lines)
  lines = ''
}
for (const message of held.splice(0)) publish(message, true)
// what was sent twice late is still on its way
if ((order.duplicates ?? 0) > 0) await pause(3100)
while (underWay > 0) await pause(TICK_MS)
if (lines !== '') writeSync(file, lines)
console.log(`acknowledged ${acknowledged}`)
// in good order: what is not acknowledged (QoS 0) must leave the process
await client.endAsync()
process.exit(0)
