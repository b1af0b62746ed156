import { createInterface } from 'node:readline'
import { AttributeIds, ClientMonitoredItemGroup, ClientSubscription, MessageSecurityMode, OPCUAClient, TimestampsToReturn } from 'node-opcua'

/**
 * The cheapest client there is: subscribes and counts. `node opcua-bare-client.ts <url> <variables>` says `ready`, and answers each line on standard
 * input with `<received> <ms between the first and the last>` since the line before.
 */

const [url = '', variables = '500'] = process.argv.slice(2)
const client = OPCUAClient.create({ endpointMustExist: false, securityMode: MessageSecurityMode.None })
await client.connect(url)
const session = await client.createSession()
const subscription = ClientSubscription.create(session, {
  requestedPublishingInterval: 100,
  maxNotificationsPerPublish: 0,
  requestedMaxKeepAliveCount: 10,
  requestedLifetimeCount: 100,
  publishingEnabled: true,
  priority: 1,
})
const items = Array.from({ length: Number(variables) }, (_, i) => ({ nodeId: `ns=1;s=v${i}`, attributeId: AttributeIds.Value }))
const group = ClientMonitoredItemGroup.create(subscription, items, { samplingInterval: 0, discardOldest: true, queueSize: 100 }, TimestampsToReturn.Both)
let received = 0
let first = 0
let last = 0
group.on('changed', () => {
  received++
  last = performance.now()
  if (first === 0) first = last
})
group.on('initialized', () => setTimeout(() => console.log('ready'), 2000))
createInterface({ input: process.stdin }).on('line', () => {
  console.log(`${received} ${last - first}`)
  received = first = last = 0
})
