import assert from 'node:assert/strict'
import type { MqttClient } from 'mqtt'
import { systemClock } from '../../../../core/base/clock.ts'
import { SparkplugCommandWire } from '../../../../core/connect/command-wire-sparkplug.ts'
import { REORDER_MS } from '../../../../core/connect/sparkplug/host-setting.ts'
import { Mosquitto, needsMosquitto } from '../support/mosquitto.ts'
import { MqttTap, type SentPacket } from '../support/mqtt-tap.ts'
import { until } from '../support/wait.ts'
import { ForeignEdge, metric } from './support/foreign-edge.ts'
import { HostBench, NOW } from './support/host-bench.ts'
import { edgeClient, LiveHost, Witness } from './support/live-host.ts'
import { Requirements } from './support/requirements.ts'
import { foreignDecode } from './support/schema.ts'

const [CONNECT, PUBLISH, SUBSCRIBE, DISCONNECT] = [1, 3, 8, 14]
const STATE = 'spBv1.0/STATE/takt'

interface Connect {
  readonly level: number
  readonly clean: boolean
  readonly sessionExpiry: number
  readonly will: { readonly topic: string; readonly payload: string; readonly qos: number; readonly retain: boolean } | undefined
}

/** Reads a CONNECT as it went over the wire (MQTT 3.1.1 and 5, 3.1). */
function readConnect({ body }: SentPacket): Connect {
  let at = 6
  const level = body[at++] as number
  const flags = body[at++] as number
  at += 2
  const prefixed = (): Buffer => {
    const length = body.readUInt16BE(at)
    at += 2 + length
    return body.subarray(at - length, at)
  }
  const properties = (): Map<number, number> => {
    const found = new Map<number, number>()
    if (level < 5) return found
    const end = at + 1 + (body[at] as number)
    // four-byte and two-byte properties only: all that a host sends
    for (at++; at < end; ) {
      const id = body[at++] as number
      const wide = id === 0x11 || id === 0x27
      found.set(id, wide ? body.readUInt32BE(at) : body.readUInt16BE(at))
      at += wide ? 4 : 2
    }
    return found
  }
  const sessionExpiry = properties().get(0x11) ?? 0
  prefixed()
  if ((flags & 4) === 0) return { level, clean: (flags & 2) !== 0, sessionExpiry, will: undefined }
  properties()
  const will = { topic: prefixed().toString(), payload: prefixed().toString(), qos: (flags >> 3) & 3, retain: (flags & 32) !== 0 }
  return { level, clean: (flags & 2) !== 0, sessionExpiry, will }
}

interface Publish {
  readonly topic: string
  readonly payload: string
  readonly qos: number
  readonly retain: boolean
}

function readPublish({ flags, body }: SentPacket, level: number): Publish {
  const length = body.readUInt16BE(0)
  const qos = (flags >> 1) & 3
  let at = 2 + length + (qos > 0 ? 2 : 0)
  if (level === 5) at += 1 + (body[at] as number)
  return { topic: body.toString('utf8', 2, 2 + length), payload: body.toString('utf8', at), qos, retain: (flags & 1) !== 0 }
}

describe('Sparkplug B 3.0: requirements of host applications', function () {
  this.timeout(60_000)
  const requirements = new Requirements('host-ids.tsv', {})
  const ids = new Set<string>()
  const shows = (what: string, shown: readonly string[], show: () => Promise<void> | void): void => {
    for (const id of shown) ids.add(id)
    requirements.shows(what, shown.join(' '), show)
  }
  let broker: Mosquitto
  let tap: MqttTap
  let witness: Witness
  let host: LiveHost | undefined
  let client: MqttClient | undefined

  before(async function () {
    needsMosquitto(this)
    broker = await Mosquitto.start()
  })
  beforeEach(async () => {
    tap = await MqttTap.start(broker.port)
    witness = await new Witness(broker.url).ready()
  })
  afterEach(async () => {
    await host?.stop()
    await client?.endAsync(true)
    host = client = undefined
    await witness.stop()
    await tap.stop()
  })
  after(() => broker?.remove())

  const published = (level = 5): readonly Publish[] => tap.sent.filter(({ type }) => type === PUBLISH).map((packet) => readPublish(packet, level))
  const connects = (): readonly Connect[] => tap.sent.filter(({ type }) => type === CONNECT).map(readConnect)
  const start = async (more: ConstructorParameters<typeof LiveHost>[1] = {}): Promise<LiveHost> => {
    host = await new LiveHost(tap.url, more).connected()
    return host
  }

  shows('connects with a clean session (3.1.1)', ['message-flow-phid-sparkplug-clean-session-311'], async () => {
    await start({ protocolVersion: 4 })
    assert.deepEqual([connects()[0]?.level, connects()[0]?.clean], [4, true])
  })

  shows('connects with a clean start and no session expiry (5)', ['message-flow-phid-sparkplug-clean-session-50'], async () => {
    await start()
    assert.deepEqual([connects()[0]?.level, connects()[0]?.clean, connects()[0]?.sessionExpiry], [5, true, 0])
  })

  for (const protocolVersion of [4, 5] as const) {
    shows(
      `leaves a will in its CONNECT that says it is offline (MQTT level ${protocolVersion})`,
      [
        'message-flow-edge-node-birth-publish-will-message-topic',
        'operational-behavior-host-application-connect-will',
        'operational-behavior-host-application-connect-will-topic',
        'operational-behavior-host-application-connect-will-payload',
        'operational-behavior-host-application-connect-will-qos',
        'operational-behavior-host-application-connect-will-retained',
        'payloads-state-will-message',
        'payloads-state-will-message-payload',
        'payloads-state-will-message-qos',
        'payloads-state-will-message-retain',
        'host-topic-phid-death-required',
        'host-topic-phid-death-topic',
        'host-topic-phid-death-payload',
        'host-topic-phid-death-qos',
        'host-topic-phid-death-retain',
      ],
      async () => {
        const before = Date.now()
        await start({ protocolVersion })
        const will = connects()[0]?.will
        assert.deepEqual([will?.topic, will?.qos, will?.retain], [STATE, 1, true])
        const payload = JSON.parse(will?.payload ?? '')
        assert.deepEqual(Object.keys(payload).sort(), ['online', 'timestamp'])
        assert.equal(payload.online, false)
        assert.ok(payload.timestamp >= before - 1 && payload.timestamp <= Date.now() + 1)
      },
    )

    shows(
      `subscribes, and then its first message is its birth, retained, with QoS 1 and the time of its will (MQTT level ${protocolVersion})`,
      [
        'components-ph-state',
        'conformance-primary-host',
        'intro-sparkplug-host-state',
        'principles-birth-certificates-order',
        'host-topic-phid-birth-message',
        'host-topic-phid-birth-payload',
        'host-topic-phid-birth-payload-timestamp',
        'host-topic-phid-birth-qos',
        'host-topic-phid-birth-required',
        'host-topic-phid-birth-retain',
        'host-topic-phid-birth-sub-required',
        'host-topic-phid-birth-topic',
        'message-flow-phid-sparkplug-state-publish',
        'message-flow-phid-sparkplug-state-publish-payload',
        'message-flow-phid-sparkplug-state-publish-payload-timestamp',
        'message-flow-phid-sparkplug-subscription',
        'operational-behavior-host-application-connect-birth',
        'operational-behavior-host-application-connect-birth-payload',
        'operational-behavior-host-application-connect-birth-qos',
        'operational-behavior-host-application-connect-birth-retained',
        'operational-behavior-host-application-connect-birth-topic',
        'payloads-state-birth',
        'payloads-state-birth-payload',
        'payloads-state-subscribe',
      ],
      async () => {
        await start({ protocolVersion })
        await until(() => published(protocolVersion).length > 0, 'the host has published')
        const order = tap.sent.map(({ type }) => type).filter((type) => [CONNECT, SUBSCRIBE, PUBLISH].includes(type))
        assert.deepEqual(order, [CONNECT, SUBSCRIBE, PUBLISH])
        const subscribe = tap.sent.find(({ type }) => type === SUBSCRIBE)
        assert.ok(subscribe?.body.includes('spBv1.0/#'), 'the filter that takes the messages of edge nodes and STATE')
        const [birth] = published(protocolVersion)
        assert.deepEqual([birth?.topic, birth?.qos, birth?.retain], [STATE, 1, true])
        const payload = JSON.parse(birth?.payload ?? '')
        assert.deepEqual(payload, { online: true, timestamp: JSON.parse(connects()[0]?.will?.payload ?? '').timestamp })
        await witness.see(({ topic, payload: seen }) => topic === STATE && String(seen) === birth?.payload, 'the birth is out')
      },
    )
  }

  shows('says again that it is online when somebody says that it is not', ['message-flow-hid-sparkplug-state-message-delivered'], async () => {
    await start()
    const birth = await witness.see(({ topic }) => topic === STATE, 'the birth')
    await new Promise((resolve) => setTimeout(resolve, 1100))
    witness.packets.length = 0
    await witness.client.publishAsync(STATE, JSON.stringify({ online: false, timestamp: Date.now() }), { qos: 1, retain: true })
    const said = await witness.see(({ topic, payload }) => topic === STATE && String(payload).includes('true'), 'the birth again')
    assert.equal(String(said.payload), String(birth.payload))
    assert.deepEqual([said.qos, said.retain], [1, true])
    assert.deepEqual(
      host?.bad.map(({ code }) => code),
      ['TAKT_SPARKPLUG_STATE_FOREIGN'],
    )
  })

  shows(
    'that goes says so before it disconnects, with the time of its going',
    [
      'operational-behavior-host-application-termination',
      'operational-behavior-host-application-disconnect-intentional',
      'operational-behavior-host-application-death-topic',
      'operational-behavior-host-application-death-payload',
      'operational-behavior-host-application-death-qos',
      'operational-behavior-host-application-death-retained',
      'host-topic-phid-death-payload-timestamp-disconnect-clean',
    ],
    async () => {
      await start()
      await new Promise((resolve) => setTimeout(resolve, 30))
      const before = Date.now()
      await host?.stop()
      host = undefined
      await until(() => tap.sent.some(({ type }) => type === DISCONNECT), 'the host has disconnected')
      const order = tap.sent.map(({ type }) => type)
      assert.ok(order.lastIndexOf(PUBLISH) < order.indexOf(DISCONNECT))
      const death = published().at(-1)
      assert.deepEqual([death?.topic, death?.qos, death?.retain], [STATE, 1, true])
      const { online, timestamp } = JSON.parse(death?.payload ?? '')
      assert.equal(online, false)
      assert.ok(timestamp >= before - 1, 'the time of its going, not of its coming')
      const late = new Witness(broker.url, STATE)
      try {
        assert.equal(String((await late.see(({ retain }) => retain, 'what lies retained')).payload), death?.payload)
      } finally {
        await late.stop()
      }
    },
  )

  shows(
    'that is cut off has its will published, with the time of its birth',
    ['host-topic-phid-death-payload-timestamp-disconnect-with-no-disconnect-packet'],
    async () => {
      await start()
      const birth = await witness.see(({ topic }) => topic === STATE, 'the birth')
      witness.packets.length = 0
      tap.cut()
      const death = await witness.see(({ topic, payload }) => topic === STATE && String(payload).includes('false'), 'the will')
      assert.deepEqual(JSON.parse(String(death.payload)), { online: false, timestamp: JSON.parse(String(birth.payload)).timestamp })
    },
  )

  shows(
    'on two brokers says on each that it is online, first of all, with a time of its own',
    [
      'operational-behavior-host-application-multi-server-timestamp',
      'operational-behavior-primary-application-state-with-multiple-servers-state',
      'operational-behavior-primary-application-state-with-multiple-servers-state-subs',
    ],
    async () => {
      const second = await Mosquitto.start()
      const other = await new Witness(second.url).ready()
      let twin: LiveHost | undefined
      try {
        await start()
        const first = await witness.see(({ topic }) => topic === STATE, 'on the first broker')
        await new Promise((resolve) => setTimeout(resolve, 20))
        twin = await new LiveHost(second.url).connected()
        const there = await other.see(({ topic }) => topic === STATE, 'on the second broker')
        assert.equal(other.packets[0], there)
        assert.ok(JSON.parse(String(there.payload)).timestamp > JSON.parse(String(first.payload)).timestamp)
        // the loss of one says nothing about the other
        witness.packets.length = 0
        tap.cut()
        await witness.see(({ topic, payload }) => topic === STATE && String(payload).includes('false'), 'the will on the first')
        assert.equal(other.packets.length, 1)
      } finally {
        await twin?.stop()
        await other.stop()
        await second.remove()
      }
    },
  )

  shows(
    'holds everything of an edge node and its devices for stale from when it hears of its death',
    [
      'operational-behavior-edge-node-termination-host-action-ndeath-node-offline',
      'operational-behavior-edge-node-termination-host-action-ndeath-node-tags-stale',
      'operational-behavior-edge-node-termination-host-action-ndeath-devices-offline',
      'operational-behavior-edge-node-termination-host-action-ndeath-devices-tags-stale',
    ],
    async () => {
      const { samples, format } = await start()
      const edge = new ForeignEdge('plant', 'cell', Date.now)
      client = await edgeClient(broker.url, edge.death(Date.now() - 60_000))
      for (const { topic, payload } of [edge.birth([metric.double('Cabinet', 31)]), edge.deviceBirth('mill', [metric.double('Spindle/Vibration', 2.5)])])
        client.publish(topic, payload)
      await until(() => samples.length === 2, 'the births')
      assert.equal(format.host.figures.alive, 1)
      samples.length = 0
      const before = Date.now()
      // the socket ends without DISCONNECT: the broker publishes the will
      client.stream.destroy()
      await until(() => samples.length === 2, 'the death')
      assert.equal(format.host.figures.alive, 0)
      assert.deepEqual(samples.map(({ signal, value, quality }) => [signal, value, quality]).sort(), [
        ['cabinet', 31, 'bad'],
        ['vibration', 2.5, 'bad'],
      ])
      assert.ok(
        samples.every(({ time }) => time >= before - 1 && time <= Date.now()),
        'the time at which it was heard',
      )
    },
  )

  shows(
    'holds everything of a device for stale from the time that its death says',
    [
      'operational-behavior-edge-node-termination-host-action-ddeath-devices-offline',
      'operational-behavior-edge-node-termination-host-action-ddeath-devices-tags-stale',
    ],
    async () => {
      const { samples, format } = await start()
      const edge = new ForeignEdge('plant', 'cell', Date.now)
      client = await edgeClient(broker.url, edge.death())
      const birth = [edge.birth([metric.double('Cabinet', 31)]), edge.deviceBirth('mill', [metric.double('Spindle/Vibration', 2.5)])]
      await new Promise((resolve) => setTimeout(resolve, 20))
      const at = Date.now() - 5
      for (const { topic, payload } of [...birth, edge.deviceDeath('mill', at)]) client.publish(topic, payload)
      await until(() => samples.length === 3, 'birth and death')
      const { signal, quality, time } = samples[2] ?? {}
      assert.deepEqual([signal, quality, time], ['vibration', 'bad', at])
      assert.equal(format.host.figures.alive, 1, 'the edge node lives')
    },
  )

  shows(
    'waits for messages that are missing for a time that can be set, and asks for a rebirth when they do not come',
    ['operational-behavior-host-reordering-param', 'operational-behavior-host-reordering-start', 'operational-behavior-host-reordering-rebirth'],
    () => {
      for (const reorderMs of [REORDER_MS, 500, 10_000]) {
        const bench = new HostBench({ reorderMs }).connect()
        const edge = new ForeignEdge('plant', 'cell', () => NOW)
        bench.take(edge.birth([metric.double('Cabinet', 31)]))
        edge.data([metric.double('Cabinet', 32)])
        void bench.take(edge.data([metric.double('Cabinet', 33)]))
        bench.clock.advance(reorderMs - 1)
        assert.deepEqual(bench.rebirths(), [])
        bench.clock.advance(1)
        assert.equal(bench.rebirths().length, 1)
      }
    },
  )

  shows('goes on as if nothing had been when what was missing comes in time', ['operational-behavior-host-reordering-success'], () => {
    const bench = new HostBench().connect()
    const edge = new ForeignEdge('plant', 'cell', () => NOW)
    bench.take(edge.birth([metric.double('Cabinet', 31)]))
    const [first, second] = [edge.data([metric.double('Cabinet', 32)]), edge.data([metric.double('Cabinet', 33)])]
    void bench.take(second)
    bench.clock.advance(REORDER_MS - 1)
    bench.take(first)
    bench.clock.advance(60_000)
    assert.deepEqual(
      bench.values().map(([, value]) => value),
      [31, 32, 33],
    )
    assert.deepEqual(bench.rebirths(), [])
  })

  shows(
    'asks for a rebirth by NCMD: QoS 0, not retained, with a time and without a number',
    [
      'operational-behavior-data-commands-ncmd-verb',
      'operational-behavior-data-commands-ncmd-rebirth-verb',
      'operational-behavior-data-commands-ncmd-rebirth-name',
      'operational-behavior-data-commands-ncmd-rebirth-value',
      'payloads-ncmd-qos',
      'payloads-ncmd-retain',
      'payloads-ncmd-seq',
      'payloads-ncmd-timestamp',
      'payloads-name-cmd-requirement',
      'topics-ncmd-mqtt',
      'topics-ncmd-payload',
      'topics-ncmd-timestamp',
      'topics-ncmd-topic',
    ],
    async () => {
      await start()
      const edge = new ForeignEdge('plant', 'cell', Date.now)
      client = await edgeClient(broker.url, edge.death())
      const before = Date.now()
      const { topic, payload } = edge.data([{ alias: 3, double_value: 1 }])
      client.publish(topic, payload)
      const command = await witness.see((packet) => packet.topic === 'spBv1.0/plant/NCMD/cell', 'the rebirth request')
      assert.deepEqual([command.qos, command.retain], [0, false])
      const { timestamp, seq, metrics } = foreignDecode(command.payload as Buffer)
      assert.equal(seq, undefined)
      assert.ok(Number(timestamp) >= before - 1 && Number(timestamp) <= Date.now() + 1)
      assert.deepEqual(metrics, [{ name: 'Node Control/Rebirth', timestamp, datatype: 11, boolean_value: true }])
    },
  )

  shows(
    'writes metrics that births have, as their types, by NCMD and DCMD: QoS 0, not retained, with a time and without a number',
    [
      'operational-behavior-data-commands-ncmd-metric-name',
      'operational-behavior-data-commands-ncmd-metric-value',
      'operational-behavior-data-commands-dcmd-verb',
      'operational-behavior-data-commands-dcmd-metric-name',
      'operational-behavior-data-commands-dcmd-metric-value',
      'payloads-dcmd-qos',
      'payloads-dcmd-retain',
      'payloads-dcmd-seq',
      'payloads-dcmd-timestamp',
      'topics-dcmd-mqtt',
      'topics-dcmd-payload',
      'topics-dcmd-timestamp',
      'topics-dcmd-topic',
    ],
    async () => {
      const { connection } = await start()
      const wire = new SparkplugCommandWire(connection, { timeoutMs: 3000, now: () => systemClock.now(), where: 'a test' })
      try {
        const edge = new ForeignEdge('plant', 'cell', Date.now)
        client = await edgeClient(broker.url, edge.death())
        const target = { connection: 'line', device: 'plant/cell/mill', metric: 'Speed' }
        const command = (id: string, value: number | boolean) => ({ kind: 'command' as const, id, to: 'acme/mill', name: 'set', arguments: { value } })
        wire.expect(target)
        const told = wire.send(command('c1', 1500), target)
        await witness.see(({ topic }) => topic === 'spBv1.0/plant/NCMD/cell', 'births are asked for')
        for (const { topic, payload } of [edge.birth([metric.boolean('Lamp', false)]), edge.deviceBirth('mill', [metric.int('Speed', 0)])])
          client.publish(topic, payload)
        const before = Date.now() - 5000
        const device = await witness.see(({ topic }) => topic.includes('/DCMD/'), 'the DCMD')
        assert.deepEqual([device.topic, device.qos, device.retain], ['spBv1.0/plant/DCMD/cell/mill', 0, false])
        const written = foreignDecode(device.payload as Buffer)
        assert.equal(written.seq, undefined)
        assert.ok(Number(written.timestamp) > before)
        assert.deepEqual([written.metrics[0].name, written.metrics[0].int_value], ['Speed', 1500])
        await told
        assert.equal((await wire.send(command('c2', 1500), { ...target, metric: 'Torque' })).code, 'TAKT_SPARKPLUG_METRIC_UNKNOWN')
        assert.equal((await wire.send(command('c3', true), target)).code, 'TAKT_SPARKPLUG_VALUE')
        witness.packets.length = 0
        await wire.send(command('c4', true), { connection: 'line', device: 'plant/cell', metric: 'Lamp' })
        const node = await witness.see(({ topic }) => topic === 'spBv1.0/plant/NCMD/cell', 'the NCMD')
        assert.deepEqual([node.qos, node.retain, foreignDecode(node.payload as Buffer).metrics[0].boolean_value], [0, false, true])
      } finally {
        wire.close()
      }
    },
  )

  it('no requirement that was shown is left behind', () => assert.ok(ids.size >= 89, `${ids.size} are shown`))
  requirements.keepBook()
})
