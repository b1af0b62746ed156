import { createInterface } from 'node:readline'
import mqtt from 'mqtt'

/**
 * The cheapest subscriber there is: mqtt.js that parses JSON and counts. `node mqtt-bare-client.ts <url> <topic filter> <qos> [client id]` says `ready`, and
 * answers each line on standard input with `<received> <ms between the first and the last>` since the line before. With a client id its session is kept.
 */

const [url = '', filter = '#', qos = '0', clientId] = process.argv.slice(2)
let received = 0
let first = 0
let last = 0
let sum = 0
const session = clientId === undefined ? {} : { clientId, clean: false, properties: { sessionExpiryInterval: 3600, receiveMaximum: 1000 } }
const client = mqtt.connect(url, { protocolVersion: 5, keepalive: 60, ...session })
// what a kept session holds comes at once
client.on('message', (_topic, payload) => {
  sum += (JSON.parse(payload.toString()) as { v: number }).v
  received++
  last = performance.now()
  if (first === 0) first = last
})
await new Promise<void>((resolve) => void client.once('connect', () => resolve()))
await client.subscribeAsync(filter, { qos: Number(qos) as 0 | 1 })
console.log('ready')
createInterface({ input: process.stdin }).on('line', () => {
  console.log(`${received} ${last - first} ${sum}`)
  received = first = last = 0
})
