import { systemClock } from '../../../../core/base/clock.ts'
import { MqttConnection } from '../../../../core/connect/mqtt-connection.ts'
import { UnsPublisher } from '../../../../core/connect/uns-publisher.ts'
import { checkPlant } from '../../../../core/plant/check-plant.ts'
import { openStore } from '../../../../core/store/open-store.ts'

/**
 * A process that writes numbered documents for the namespace, says each one that is safe, and is killed by whoever started it:
 * `<store file> <broker url> <first number>`. Without a number it writes nothing, and only sends what others left behind.
 */
const [file = '', url = '', first] = process.argv.slice(2)

const store = openStore({ file, clock: systemClock })
const connection = new MqttConnection({
  url: () => Promise.resolve(url),
  protocolVersion: 5,
  clientId: `writer-${process.pid}`,
  cleanSession: true,
  sessionExpirySeconds: 0,
  keepaliveSeconds: 15,
  receiveMaximum: 100,
  maximumPacketBytes: 100_000,
  where: 'the writer',
})
const plant = checkPlant({ plant: 'acme', equipment: [{ id: 'acme/mill', level: 'workUnit' }] }, 'the writer')
const publisher = new UnsPublisher({
  plant: () => plant,
  connection,
  store,
  template: '',
  prefix: '',
  delivery: 'guaranteed',
  retain: false,
  clearEnded: false,
  schema: false,
  destination: 'uns:test',
  where: 'the writer',
  problem: () => {},
})
connection.register({ linkChanged: (state, problem) => publisher.linkChanged(state, problem) })
publisher.start()

for (let good = Number(first); first !== undefined; good++) {
  const planned = [
    publisher.plan({ kind: 'count', equipment: 'acme/mill', jobOrder: null, good: 1, scrap: 0, total: { good, scrap: 0 }, time: systemClock.now() }),
  ]
  await store.transaction((tx) => publisher.enqueue(tx, planned))
  publisher.send(planned)
  process.stdout.write(`${good}\n`)
}
