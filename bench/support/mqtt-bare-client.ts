import { createInterface } from 'node:readline'
import mqtt from 'mqtt'

/**
 * The cheapest subscriber there is: mqtt.js that parses JSON and counts. `node mqtt-bare-client.ts <url> <topic filter> <qos>` says `ready`, and answers
 * each line on standard input with `<received> <ms between the first and the last>` since the line before.
 */

const [url = '', filter = '#', qos = '0'] = process.argv.slice(2)
let received = 0
let first = 0
let last = 0
let sum = 0
const client = await mqtt.connectAsync(url, { protocolVersion: 5, keepalive: 60 })
client.on('message', (_topic, payload) => {
  sum += (JSON.parse(payload.toString()) as { v: number }).v
  received++
  last = performance.now()
  if (first === 0) first = last
})
await client.subscribeAsync(filter, { qos: Number(qos) as 0 | 1 })
console.log('ready')
createInterface({ input: process.stdin }).on('line', () => {
  console.log(`${received} ${last - first} ${sum}`)
  received = first = last = 0
})
