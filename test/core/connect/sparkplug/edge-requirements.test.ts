import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { systemClock } from '../../../../core/base/clock.ts'
import type { MqttSettings } from '../../../../core/connect/mqtt-options.ts'
import { DATA_TYPES as T } from '../../../../core/connect/sparkplug/datatypes.ts'
import { type EdgeMemory, type EdgeSetting, SparkplugEdge } from '../../../../core/connect/sparkplug/edge.ts'
import { MqttEdgeTransport } from '../../../../core/connect/sparkplug/edge-mqtt.ts'
import type { EdgeValue } from '../../../../core/connect/sparkplug/edge-unit.ts'
import { Mosquitto, needsMosquitto } from '../support/mosquitto.ts'
import { MqttTap } from '../support/mqtt-tap.ts'
import { until } from '../support/wait.ts'
import { type ClientPacket, clientPackets } from './support/client-packets.ts'
import { type Heard, read } from './support/fake-transport.ts'
import { ForeignHost, metricOf } from './support/foreign-host.ts'
import { Requirements } from './support/requirements.ts'
import { foreignDecode } from './support/schema.ts'

/**
 * The requirements of Sparkplug 3.0 on edge nodes, by their ids: what our edge node tells a real broker, taken from the wire and read by protobufjs.
 */
const requirements = new Requirements('edge-ids.tsv', {})

type Publish = Heard & { readonly qos: number; readonly retain: boolean; readonly connection: number }
type Of<K extends ClientPacket['type']> = Extract<ClientPacket, { type: K }>

const GROUP = 'conform'
const EDGE = 'takt'
const NOW = 1_700_000_000_000
const DATA_TYPES = new Set<number>(Object.values(T))

/** One edge node with a tap before each of its brokers. */
class Bench {
  readonly edge: SparkplugEdge
  readonly taps: readonly MqttTap[]
  host!: ForeignHost
  readonly version: 4 | 5

  private constructor(taps: readonly MqttTap[], version: 4 | 5, more: Partial<EdgeSetting>, memory: EdgeMemory | undefined) {
    this.taps = taps
    this.version = version
    let now = NOW
    const settings = taps.map(
      (tap): MqttSettings => ({
        url: () => Promise.resolve(tap.url),
        protocolVersion: version,
        clientId: 'not used',
        // what a persistent session of other nodes would ask for must not reach the edge node's own connection
        cleanSession: false,
        sessionExpirySeconds: 3600,
        keepaliveSeconds: 15,
        receiveMaximum: 100,
        maximumPacketBytes: 1_000_000,
        where: 'a test',
      }),
    )
    this.edge = new SparkplugEdge(
      {
        group: GROUP,
        edge: EDGE,
        aliases: false,
        servers: taps.length,
        capacity: 1000,
        gatherMs: 10,
        settleMs: 50,
        patienceMs: 500,
        now: () => now++,
        timer: systemClock,
        memory: { load: () => memory, save: () => {} },
        transport: new MqttEdgeTransport(settings, `conform-${Math.random().toString(16).slice(2)}`),
        where: 'a test',
        ...more,
      },
      { changed: () => {}, command: () => {}, bad: () => {}, dropped: () => {} },
    )
  }

  static async start(brokers: readonly Mosquitto[], version: 4 | 5, more: Partial<EdgeSetting> = {}, memory?: EdgeMemory): Promise<Bench> {
    const taps = await Promise.all(brokers.map((broker) => MqttTap.start(broker.port)))
    const bench = new Bench(taps, version, more, memory)
    bench.host = await ForeignHost.start(brokers[0]!.url, GROUP)
    return bench
  }

  packets(server = 0): ClientPacket[] {
    return clientPackets(this.taps[server]!.sent)
  }

  of<K extends ClientPacket['type']>(type: K, server = 0): Array<Of<K>> {
    return this.packets(server).filter((packet): packet is Of<K> => packet.type === type)
  }

  published(server = 0): Publish[] {
    return this.of('publish', server).map(({ topic, payload, qos, retain, connection }) => ({ ...read(topic, payload), qos, retain, connection }))
  }

  verbs(server = 0): string[] {
    return this.published(server).map(({ verb }) => verb)
  }

  /** Waits until the edge node has said this so many times. */
  said(verb: string, count = 1, server = 0): Promise<void> {
    return until(() => this.verbs(server).filter((each) => each === verb).length >= count, `${count} ${verb}; said ${this.verbs(server).join(' ')}`)
  }

  async stop(): Promise<void> {
    await this.edge.stop()
    await this.host.stop()
    for (const tap of this.taps) await tap.stop()
  }
}

const value = (name: string, datatype: EdgeValue['datatype'], is: EdgeValue['value'], more: Partial<EdgeValue> = {}): EdgeValue => ({
  name,
  datatype,
  value: is,
  time: NOW - 1000,
  ...more,
})

const members = (rpm: number, on: boolean) => [
  { name: 'rpm', datatype: T.Double, value: rpm },
  { name: 'on', datatype: T.Boolean, value: on },
]
const motor = (rpm: number, more: object = {}) => ({ templateRef: 'motor', metrics: members(rpm, true), parameters: [], ...more })
const templates = new Map([['motor', { version: '1.0', metrics: members(0, false), parameters: [{ name: 'maker', type: T.String, value: 'none' }] }]])
const parameter = { name: 'maker', type: T.String, value: 'acme' }

const DEVICE_VALUES: readonly EdgeValue[] = [
  value('Int8', T.Int8, -5),
  value('Int16', T.Int16, -500),
  value('Int32', T.Int32, -50_000),
  value('Int64', T.Int64, -(2n ** 60n)),
  value('UInt8', T.UInt8, 255),
  value('UInt16', T.UInt16, 65_535),
  value('UInt32', T.UInt32, 4_294_967_295),
  value('UInt64', T.UInt64, 2n ** 64n - 1n),
  value('Float', T.Float, 1.5),
  value('Double', T.Double, 0.1, { unit: 'mm/s' }),
  value('Boolean', T.Boolean, true),
  value('String', T.String, 'Größe'),
  value('DateTime', T.DateTime, NOW),
  value('Text', T.Text, 'text'),
  value('UUID', T.UUID, '123e4567-e89b-12d3-a456-426614174000'),
  value('Bytes', T.Bytes, Uint8Array.of(1, 2, 255)),
  value('DoubleArray', T.DoubleArray, [1.5, 2.5]),
  value('nothing', T.Double, null),
  value('table', T.DataSet, {
    columns: ['job', 'start', 'late', 'cost', 'size', 'ratio'],
    types: [T.String, T.DateTime, T.Boolean, T.Double, T.UInt32, T.Float],
    rows: [['jo-1', NOW, false, 1.5, 7, 0.5]],
  }),
  value('spindle', T.Template, motor(1000, { parameters: [parameter] })),
]

for (const version of [4, 5] as const) {
  for (const aliases of version === 5 ? [true] : [false]) {
    describe(`Sparkplug edge node, requirements, MQTT ${version === 5 ? '5' : '3.1.1'}${aliases ? ', with aliases' : ''}`, function () {
      this.timeout(60_000)
      let broker: Mosquitto
      let bench: Bench
      let connect: Of<'connect'>
      let published: Publish[]
      let nbirth: Publish
      let dbirth: Publish
      let rebirth: Publish[]
      let packets: ClientPacket[]
      const of = (verb: string): Publish[] => published.filter((message) => message.verb === verb)
      const numbered = (): Publish[] => published.filter(({ verb }) => verb !== 'NDEATH')

      // one whole life: birth, data of node and device, death of the device, a second life of it, rebirth, end
      before(async function () {
        needsMosquitto(this)
        broker = await Mosquitto.start()
        bench = await Bench.start([broker], version, { aliases, templates }, { bdSeq: 254 })
        const { edge } = bench
        edge.update(undefined, [value('oee', T.Double, 0.5), value('pump', T.Template, motor(5))])
        edge.update('mill', DEVICE_VALUES)
        edge.update('saw', [value('speed', T.Double, 1)])
        edge.start()
        await bench.said('DBIRTH', 2)
        edge.update(undefined, [value('oee', T.Double, 0.6, { time: NOW })])
        edge.update('mill', [
          value('Double', T.Double, 0.2, { time: NOW, quality: 'bad' }),
          value('Int8', T.Int8, -6, { time: NOW + 1 }),
          value('spindle', T.Template, motor(1001), { time: NOW + 2 }),
        ])
        await bench.said('DDATA')
        edge.deviceDied('mill')
        await bench.said('DDEATH')
        edge.update('mill', [value('Double', T.Double, 0.3, { time: NOW + 10 })])
        await bench.said('DBIRTH', 3)
        await pause(1100)
        const before = bench.published().length
        await bench.host.rebirth(EDGE)
        await bench.said('NBIRTH', 2)
        await bench.said('DBIRTH', 5)
        // more than 256 messages
        for (let count = 0; count < 300; count++) {
          edge.update('saw', [value('speed', T.Double, count + 2, { time: NOW + 100 + count })])
          await pause(12)
        }
        await edge.stop()
        packets = bench.packets()
        published = bench.published()
        rebirth = published.slice(before)
        connect = bench.of('connect')[0]!
        nbirth = of('NBIRTH')[0]!
        dbirth = of('DBIRTH').find(({ device }) => device === 'mill')!
      })
      after(async () => {
        await bench?.stop()
        await broker?.remove()
      })

      requirements.shows(
        'the session is clean, and its will is the death with the number of the birth',
        `principles-persistence-clean-session-311 principles-persistence-clean-session-50 message-flow-edge-node-birth-publish-will-message
         message-flow-edge-node-birth-publish-will-message-topic message-flow-edge-node-birth-publish-will-message-payload
         message-flow-edge-node-birth-publish-will-message-qos message-flow-edge-node-birth-publish-will-message-will-retained
         payloads-ndeath-will-message payloads-ndeath-will-message-qos payloads-ndeath-will-message-retain payloads-ndeath-bdseq payloads-ndeath-seq
         topics-ndeath-topic topics-ndeath-payload topics-ndeath-seq`,
        () => {
          assert.deepEqual([connect.version, connect.clean, connect.sessionExpiry ?? 0], [version, true, 0])
          const { topic, payload, qos, retain } = connect.will!
          assert.deepEqual([topic, qos, retain], [`spBv1.0/${GROUP}/NDEATH/${EDGE}`, 1, false])
          const death = foreignDecode(payload)
          assert.deepEqual([death.metrics.length, death.metrics[0].name, death.metrics[0].datatype, death.metrics[0].long_value], [1, 'bdSeq', T.Int64, '255'])
          assert.equal('seq' in death, false)
        },
      )

      requirements.shows(
        'commands are subscribed to with QoS 1 before the birth, which is the first thing that is said',
        `message-flow-edge-node-ncmd-subscribe message-flow-device-dcmd-subscribe message-flow-edge-node-birth-publish-connect
         principles-birth-certificates-order message-flow-device-birth-publish-nbirth-wait payloads-dbirth-order payloads-ndata-order payloads-ddata-order`,
        () => {
          const order = packets.map((packet) => packet.type)
          assert.ok(order.indexOf('connect') < order.indexOf('subscribe') && order.indexOf('subscribe') < order.indexOf('publish'))
          const filters = new Map(bench.of('subscribe').flatMap(({ filters: each }) => each))
          assert.deepEqual([filters.get(`spBv1.0/${GROUP}/NCMD/${EDGE}`), filters.get(`spBv1.0/${GROUP}/DCMD/${EDGE}/+`)], [1, 1])
          assert.deepEqual(
            published.slice(0, 3).map(({ verb, device }) => `${verb} ${device ?? ''}`),
            ['NBIRTH ', 'DBIRTH mill', 'DBIRTH saw'],
          )
          const data = published.findIndex(({ verb }) => verb === 'NDATA' || verb === 'DDATA')
          assert.ok(data >= 3)
        },
      )

      requirements.shows(
        'NBIRTH: topic, QoS, time, number, bdSeq and Rebirth',
        `message-flow-edge-node-birth-publish-nbirth-topic message-flow-edge-node-birth-publish-nbirth-payload
         message-flow-edge-node-birth-publish-nbirth-payload-bdseq message-flow-edge-node-birth-publish-nbirth-payload-seq
         message-flow-edge-node-birth-publish-nbirth-qos message-flow-edge-node-birth-publish-nbirth-retained topics-nbirth-topic topics-nbirth-mqtt
         topics-nbirth-timestamp topics-nbirth-seq-num topics-nbirth-bdseq-included topics-nbirth-bdseq-matching topics-nbirth-rebirth-metric
         payloads-nbirth-timestamp payloads-nbirth-seq payloads-nbirth-bdseq payloads-nbirth-bdseq-repeat payloads-nbirth-rebirth-req payloads-nbirth-qos
         payloads-nbirth-retain payloads-sequence-num-req-nbirth operational-behavior-data-commands-rebirth-name
         operational-behavior-data-commands-rebirth-datatype operational-behavior-data-commands-rebirth-value
         operational-behavior-data-commands-rebirth-name-aliases`,
        () => {
          assert.deepEqual([nbirth.topic, nbirth.qos, nbirth.retain], [`spBv1.0/${GROUP}/NBIRTH/${EDGE}`, 0, false])
          const { timestamp, seq } = nbirth.payload
          assert.ok(Number(timestamp) >= NOW && Number(timestamp) < NOW + 1_000_000)
          assert.equal(seq, '0')
          const bdSeq = metricOf(nbirth, 'bdSeq')!
          assert.deepEqual([bdSeq.datatype, bdSeq.long_value], [T.Int64, '255'])
          const control = metricOf(nbirth, 'Node Control/Rebirth')!
          assert.deepEqual([control.datatype, control.boolean_value, 'alias' in control], [T.Boolean, false, false])
        },
      )

      requirements.shows(
        'DBIRTH: topic, QoS, time and number',
        `message-flow-device-birth-publish-dbirth-topic message-flow-device-birth-publish-dbirth-match-edge-node-topic
         message-flow-device-birth-publish-dbirth-payload message-flow-device-birth-publish-dbirth-qos message-flow-device-birth-publish-dbirth-retained
         topics-dbirth-topic topics-dbirth-mqtt topics-dbirth-timestamp topics-dbirth-seq payloads-dbirth-timestamp payloads-dbirth-seq
         payloads-dbirth-seq-inc payloads-dbirth-qos payloads-dbirth-retain`,
        () => {
          assert.deepEqual([dbirth.topic, dbirth.qos, dbirth.retain, dbirth.payload.seq], [`spBv1.0/${GROUP}/DBIRTH/${EDGE}/mill`, 0, false, '1'])
          assert.ok(Number(dbirth.payload.timestamp) >= NOW)
        },
      )

      requirements.shows(
        'births have every metric with name, data type and present value, or null',
        `topics-nbirth-metrics topics-dbirth-metrics operational-behavior-data-publish-nbirth-values operational-behavior-data-publish-dbirth-values
         payloads-metric-datatype-req payloads-metric-datatype-value payloads-metric-datatype-value-type payloads-name-requirement
         payloads-name-birth-data-requirement payloads-metric-timestamp-in-utc case-sensitivity-metric-names`,
        () => {
          for (const { payload } of [nbirth, dbirth]) {
            for (const metric of payload.metrics) {
              assert.ok(metric.name !== '' && DATA_TYPES.has(metric.datatype), metric.name)
              const values = Object.keys(metric).filter((key) => key.endsWith('_value'))
              assert.equal(values.length, metric.is_null === true ? 0 : 1, metric.name)
              assert.ok(Number(metric.timestamp) >= NOW - 1000 && Number(metric.timestamp) < NOW + 1_000_000)
            }
          }
          assert.equal(metricOf(dbirth, 'nothing')!.is_null, true)
          assert.deepEqual(
            DEVICE_VALUES.map(({ name }) => metricOf(dbirth, name)!)
              .flatMap(({ int_value, long_value, float_value, double_value }) => [int_value ?? long_value ?? float_value ?? double_value ?? []])
              .flat()
              .slice(0, 10),
            [2 ** 32 - 5, 2 ** 32 - 500, 2 ** 32 - 50_000, String(2n ** 64n - 2n ** 60n), 255, 65_535, 4_294_967_295, String(2n ** 64n - 1n), 1.5, 0.1],
          )
          const folded = dbirth.payload.metrics.map(({ name }: any) => name.toLowerCase())
          assert.equal(new Set(folded).size, folded.length)
          const problems = bench.edge.update('mill', [value('DOUBLE', T.Double, 1)])
          assert.deepEqual(
            problems.map(({ code }) => code),
            ['TAKT_SPARKPLUG_NAME'],
          )
        },
      )

      requirements.shows(
        'aliases are unique, stand in births beside the name, and alone in data; without aliases the name stands everywhere',
        'payloads-alias-uniqueness payloads-alias-birth-requirement payloads-alias-data-cmd-requirement',
        () => {
          const births = [
            nbirth,
            dbirth,
            ...of('DBIRTH')
              .filter(({ device }) => device === 'saw')
              .slice(0, 1),
          ].flatMap(({ payload }) => payload.metrics)
          const own = births.filter(({ name, datatype }: any) => !['bdSeq', 'Node Control/Rebirth', 'motor'].includes(name) && datatype !== undefined)
          const used = own.flatMap(({ alias }: any) => alias ?? [])
          assert.deepEqual([used.length, new Set(used).size], aliases ? [own.length, own.length] : [0, 0])
          for (const { payload } of [...of('NDATA'), ...of('DDATA')])
            for (const metric of payload.metrics) assert.deepEqual(['name' in metric, 'alias' in metric], [!aliases, aliases])
        },
      )

      requirements.shows(
        'NDATA and DDATA: topic, QoS, time, number, what changed, in order of time, without data types',
        `topics-ndata-topic topics-ndata-mqtt topics-ndata-timestamp topics-ndata-seq-num topics-ndata-payload topics-ddata-topic topics-ddata-mqtt
         topics-ddata-timestamp topics-ddata-seq-num topics-ddata-payload payloads-ndata-timestamp payloads-ndata-seq payloads-ndata-qos payloads-ndata-retain
         payloads-ddata-timestamp payloads-ddata-seq payloads-ddata-qos payloads-ddata-retain payloads-metric-datatype-not-req`,
        () => {
          const [ndata, ddata] = [of('NDATA')[0]!, of('DDATA')[0]!]
          assert.deepEqual([ndata.topic, ddata.topic], [`spBv1.0/${GROUP}/NDATA/${EDGE}`, `spBv1.0/${GROUP}/DDATA/${EDGE}/mill`])
          for (const { qos, retain, payload } of [...of('NDATA'), ...of('DDATA')]) {
            assert.deepEqual([qos, retain], [0, false])
            assert.ok(Number(payload.timestamp) >= NOW)
            assert.ok(payload.metrics.every((metric: any) => !('datatype' in metric) && Number(metric.timestamp) >= NOW))
          }
          assert.equal(ndata.payload.metrics[0].double_value, 0.6)
          assert.deepEqual(
            ddata.payload.metrics.map(({ timestamp, double_value, int_value }: any) => [Number(timestamp), double_value ?? int_value]),
            [
              [NOW, 0.2],
              [NOW + 1, 2 ** 32 - 6],
              [NOW + 2, undefined],
            ],
          )
        },
      )

      requirements.shows(
        'every message but the death has a number, one more than the last, after 255 comes 0',
        'payloads-sequence-num-always-included payloads-ddeath-seq payloads-ddeath-seq-inc payloads-ddeath-seq-number topics-ddeath-seq-num',
        () => {
          let next = 0
          for (const { verb, payload } of numbered()) {
            if (verb === 'NBIRTH') next = 0
            assert.equal(Number(payload.seq), next)
            next = (next + 1) % 256
          }
          assert.ok(numbered().length > 300)
        },
      )

      requirements.shows(
        'a lost device gets a DDEATH',
        'operational-behavior-device-ddeath topics-ddeath-topic topics-ddeath-mqtt payloads-ddeath-timestamp',
        () => {
          const [death, ...others] = of('DDEATH')
          assert.deepEqual([death!.topic, death!.qos, death!.retain, others.length], [`spBv1.0/${GROUP}/DDEATH/${EDGE}/mill`, 0, false, 0])
          assert.ok(Number(death!.payload.timestamp) >= NOW)
        },
      )

      requirements.shows(
        'a rebirth request brings NBIRTH and all DBIRTHs at once, with the bdSeq of the will, and no data between',
        `operational-behavior-data-commands-rebirth-action-1 operational-behavior-data-commands-rebirth-action-2
         operational-behavior-data-commands-rebirth-action-3`,
        () => {
          const at = rebirth.findIndex(({ verb }) => verb === 'NBIRTH')
          assert.deepEqual(
            rebirth.slice(at, at + 3).map(({ verb, device }) => `${verb} ${device ?? ''}`),
            ['NBIRTH ', 'DBIRTH mill', 'DBIRTH saw'],
          )
          assert.equal(metricOf(rebirth[at]!, 'bdSeq')!.long_value, '255')
          assert.equal(bench.of('connect').length, 1)
        },
      )

      requirements.shows(
        'an intended end is an NDEATH and then a DISCONNECT, with MQTT 5 one with will',
        `operational-behavior-edge-node-intentional-disconnect-ndeath operational-behavior-edge-node-intentional-disconnect-packet
         payloads-ndeath-will-message-publisher payloads-ndeath-will-message-publisher-disconnect-mqtt311
         payloads-ndeath-will-message-publisher-disconnect-mqtt50`,
        () => {
          const [death, end] = packets.slice(-2) as [Of<'publish'>, Of<'disconnect'>]
          assert.deepEqual([death.type, end.type, end.reason], ['publish', 'disconnect', version === 5 ? 4 : 0])
          const last = published.at(-1)!
          assert.deepEqual([last.verb, last.retain, last.payload.metrics.length, metricOf(last, 'bdSeq')!.long_value], ['NDEATH', false, 1, '255'])
          assert.equal('seq' in last.payload, false)
        },
      )

      requirements.shows(
        'properties have as many keys as values, each with its type; Quality is an Int32 of 0, 192 or 500',
        `payloads-propertyset-keys-array-size payloads-propertyset-values-array-size payloads-metric-propertyvalue-type-req
         payloads-metric-propertyvalue-type-type payloads-metric-propertyvalue-type-value payloads-propertyset-quality-value-type
         payloads-propertyset-quality-value-value`,
        () => {
          const sets = published.flatMap(({ payload }) => payload.metrics.flatMap(({ properties }: any) => properties ?? []))
          assert.ok(sets.length > DEVICE_VALUES.length)
          const codes = new Set<number>()
          for (const { keys, values } of sets) {
            assert.equal(keys.length, values.length)
            for (const [index, { type, int_value }] of values.entries()) {
              assert.ok(DATA_TYPES.has(type))
              if (keys[index] !== 'Quality') continue
              assert.equal(type, T.Int32)
              codes.add(int_value)
            }
          }
          assert.deepEqual([...codes].sort(), [0, 192])
        },
      )

      requirements.shows(
        'DataSets say their columns, as many types, and rows of those types',
        `payloads-dataset-column-size payloads-dataset-column-num-headers payloads-dataset-types-def payloads-dataset-types-num payloads-dataset-types-type
         payloads-dataset-types-value payloads-dataset-parameter-type-req payloads-template-dataset-value`,
        () => {
          const { num_of_columns, columns, types, rows } = metricOf(dbirth, 'table')!.dataset_value
          assert.deepEqual([num_of_columns, columns.length, types.length], ['6', 6, 6])
          assert.ok(types.every((type: number) => type >= T.Int8 && type <= T.Text))
          assert.deepEqual(
            rows[0].elements.map((element: any) => Object.keys(element)[0]),
            ['string_value', 'long_value', 'boolean_value', 'double_value', 'int_value', 'float_value'],
          )
        },
      )

      requirements.shows(
        'template definitions stand in the NBIRTH only, with all members and parameters',
        `payloads-template-definition-nbirth payloads-template-definition-nbirth-only payloads-template-definition-is-definition
         payloads-template-definition-ref payloads-template-definition-members payloads-template-definition-parameters
         payloads-template-definition-parameters-default payloads-template-is-definition payloads-template-is-definition-definition
         payloads-template-ref-definition payloads-template-version payloads-template-parameter-name-required payloads-template-parameter-name-type
         payloads-template-parameter-value-type payloads-template-parameter-type-req payloads-template-parameter-type-value payloads-template-parameter-value`,
        () => {
          const definition = metricOf(nbirth, 'motor')!.template_value
          assert.deepEqual([definition.is_definition, 'template_ref' in definition, definition.version], [true, false, '1.0'])
          assert.deepEqual(
            definition.metrics.map(({ name, datatype }: any) => [name, datatype]),
            [
              ['rpm', T.Double],
              ['on', T.Boolean],
            ],
          )
          assert.deepEqual(definition.parameters, [{ name: 'maker', type: T.String, string_value: 'none' }])
          const others = published.filter(({ verb }) => verb !== 'NBIRTH').flatMap(({ payload }) => payload.metrics)
          assert.ok(others.every(({ template_value }: any) => template_value?.is_definition !== true))
        },
      )

      requirements.shows(
        'template instances name their definition and have its members and no others',
        `payloads-template-instance-is-definition payloads-template-instance-ref payloads-template-instance-members
         payloads-template-instance-members-birth payloads-template-instance-members-data payloads-template-instance-parameters
         payloads-template-is-definition-instance payloads-template-ref-instance`,
        () => {
          const data = of('DDATA')[0]!.payload.metrics[2].template_value
          for (const instance of [metricOf(nbirth, 'pump')!.template_value, metricOf(dbirth, 'spindle')!.template_value, data]) {
            assert.deepEqual([instance.is_definition, instance.template_ref], [false, 'motor'])
            assert.deepEqual(
              instance.metrics.map(({ name }: any) => name),
              ['rpm', 'on'],
            )
          }
          assert.equal(metricOf(dbirth, 'spindle')!.template_value.parameters[0].string_value, 'acme')
          const wrong = [
            motor(1, { templateRef: 'pump' }),
            motor(1, { metrics: members(1, true).slice(1) }),
            motor(1, { parameters: [{ ...parameter, name: 'x' }] }),
          ]
          const problems = bench.edge.update(
            'mill',
            wrong.map((each, index) => value(`wrong ${index}`, T.Template, each)),
          )
          assert.deepEqual(
            problems.map(({ code }) => code),
            ['TAKT_SPARKPLUG_VALUE', 'TAKT_SPARKPLUG_VALUE', 'TAKT_SPARKPLUG_VALUE'],
          )
        },
      )
    })
  }
}

describe('Sparkplug edge node, requirements on the primary host', function () {
  this.timeout(60_000)
  let brokers: Mosquitto[]
  let bench: Bench | undefined
  let hosts = 0
  let primaryHost: string

  before(async function () {
    needsMosquitto(this)
    brokers = [await Mosquitto.start(), await Mosquitto.start()]
  })
  after(async () => {
    for (const broker of brokers ?? []) await broker.remove()
  })
  beforeEach(() => {
    primaryHost = `host-${++hosts}`
  })
  afterEach(async () => {
    await bench?.stop()
    bench = undefined
  })

  async function start(servers = 1): Promise<Bench> {
    bench = await Bench.start(brokers.slice(0, servers), 5, { primaryHost })
    bench.edge.update('mill', [value('speed', T.Double, 1)])
    return bench
  }

  requirements.shows(
    'no birth before the STATE of its own host says online, with a time that is not older than the last',
    `message-flow-edge-node-birth-publish-phid-wait message-flow-edge-node-birth-publish-phid-wait-id message-flow-edge-node-birth-publish-phid-wait-online
     message-flow-edge-node-birth-publish-phid-wait-timestamp operational-behavior-edge-node-birth-sequence-wait`,
    async () => {
      const { edge, host, said, verbs } = bound(await start())
      await host.state(primaryHost, false, 1000)
      edge.start()
      await until(() => edge.state === 'waiting', 'it waits')
      await host.state('another host', true, 5000)
      await host.state(primaryHost, true, 999)
      await host.state(primaryHost, false, 1001)
      await pause(300)
      assert.deepEqual([verbs(), edge.state], [[], 'waiting'])
      await host.state(primaryHost, true, 1001)
      await said('DBIRTH')
      assert.deepEqual(verbs(), ['NBIRTH', 'DBIRTH'])
    },
  )

  requirements.shows(
    'when the host goes it says NDEATH, disconnects and begins anew; an offline of the past is not heard',
    `message-flow-edge-node-birth-publish-phid-offline operational-behavior-edge-node-termination-host-offline
     operational-behavior-edge-node-termination-host-offline-reconnect operational-behavior-edge-node-termination-host-offline-timestamp`,
    async () => {
      const running = await start()
      const { edge, host, said, verbs } = bound(running)
      await host.state(primaryHost, true, 1000)
      edge.start()
      await said('DBIRTH')
      await host.state(primaryHost, false, 999)
      await pause(300)
      assert.deepEqual([edge.state, verbs()], ['online', ['NBIRTH', 'DBIRTH']])
      await host.state(primaryHost, false, 1000)
      await said('NDEATH')
      await until(() => running.of('connect').length === 2, 'a new session')
      const order = running.packets().map(({ type }) => type)
      assert.deepEqual(order.slice(order.lastIndexOf('publish')), ['publish', 'disconnect', 'connect', ...order.slice(order.lastIndexOf('connect') + 1)])
      await until(() => edge.state === 'waiting', 'it waits')
      await host.state(primaryHost, true, 2000)
      await said('NBIRTH', 2)
      const numbers = running
        .published()
        .filter(({ verb }) => verb === 'NBIRTH')
        .map((birth) => metricOf(birth, 'bdSeq')!.long_value)
      assert.deepEqual(numbers, ['0', '1'])
    },
  )

  requirements.shows(
    'of several servers it uses one at a time, and goes to the next one until it finds its host',
    `operational-behavior-primary-application-state-with-multiple-servers-single-server
     operational-behavior-primary-application-state-with-multiple-servers-state-subs
     operational-behavior-primary-application-state-with-multiple-servers-walk`,
    async () => {
      const running = await start(2)
      const { edge, host } = bound(running)
      const second = await ForeignHost.start(brokers[1]!.url, GROUP)
      try {
        await host.state(primaryHost, false, 1000)
        await second.state(primaryHost, true, 1000)
        edge.start()
        await running.said('DBIRTH', 1, 1)
        assert.deepEqual([running.verbs(0).filter((verb) => verb !== 'NDEATH'), edge.server], [[], 1])
        for (const server of [0, 1])
          assert.ok(running.of('subscribe', server).some(({ filters }) => filters.some(([filter]) => filter === `spBv1.0/STATE/${primaryHost}`)))
        assert.equal(running.packets(0).at(-1)!.type, 'disconnect', 'the first one was left')
        await host.state(primaryHost, true, 2000)
        await second.state(primaryHost, false, 2000)
        await running.said('NDEATH', 1, 1)
        await running.said('DBIRTH', 1, 0)
        assert.equal(running.packets(1).at(-1)!.type, 'disconnect')
      } finally {
        await second.stop()
      }
    },
  )

  const bound = (running: Bench) => ({
    edge: running.edge,
    host: running.host,
    said: (verb: string, count = 1) => running.said(verb, count),
    verbs: () => running.verbs(),
  })
})

describe('Sparkplug edge node, the book of requirements', () => {
  requirements.keepBook()
})
