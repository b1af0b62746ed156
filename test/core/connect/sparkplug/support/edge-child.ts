import { systemClock } from '../../../../../core/base/clock.ts'
import { StateFile } from '../../../../../core/base/state-file.ts'
import { DATA_TYPES } from '../../../../../core/connect/sparkplug/datatypes.ts'
import { type EdgeMemory, SparkplugEdge } from '../../../../../core/connect/sparkplug/edge.ts'
import { MqttEdgeTransport } from '../../../../../core/connect/sparkplug/edge-mqtt.ts'

/** An edge node in a process of its own, so that it can be killed: `node edge-child.ts <broker url> <state file>`. Tells a new number twenty times a second. */
const [url = '', file = ''] = process.argv.slice(2)
const state = new StateFile(file)
const edge = new SparkplugEdge(
  {
    group: 'killed',
    edge: 'child',
    aliases: false,
    servers: 1,
    capacity: 1000,
    gatherMs: 10,
    settleMs: 20,
    patienceMs: 1000,
    now: () => systemClock.now(),
    timer: systemClock,
    memory: { load: () => state.load() as EdgeMemory | undefined, save: (memory) => state.save(memory) },
    transport: new MqttEdgeTransport(
      [
        {
          url: () => Promise.resolve(url),
          protocolVersion: 5,
          clientId: '',
          cleanSession: true,
          sessionExpirySeconds: 0,
          keepaliveSeconds: 1,
          receiveMaximum: 100,
          maximumPacketBytes: 1_000_000,
          where: 'the child',
        },
      ],
      'killed-child',
    ),
    where: 'the child',
  },
  { changed: () => {}, command: () => {}, bad: () => {}, dropped: () => {} },
)
let value = 0
setInterval(() => edge.update('mill', [{ name: 'count', datatype: DATA_TYPES.Int64, value: value++, time: systemClock.now() }]), 50)
edge.start()
