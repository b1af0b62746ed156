import { AttributeIds, ClientMonitoredItemGroup, ClientSubscription, MessageSecurityMode, OPCUAClient, TimestampsToReturn } from 'node-opcua'

/** The cheapest client there is: subscribes and counts. `node opcua-bare-client.ts <url> <variables> <seconds>` prints changes a second. */

const [url = '', variables = '500', seconds = '10'] = process.argv.slice(2)
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
group.on('changed', () => received++)
await new Promise((resolve) => setTimeout(resolve, 2000))
const [from, start] = [received, performance.now()]
await new Promise((resolve) => setTimeout(resolve, Number(seconds) * 1000))
console.log(((received - from) / (performance.now() - start)) * 1000)
process.exit(0)
