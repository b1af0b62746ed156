import { hasInfluxd } from '../../test/core/connect/support/influxd.ts'
import { mosquittoThere } from '../faults/support/broker.ts'
import { floodMemory } from '../measure/flood-memory.ts'
import { historianRate } from '../measure/historian-rate.ts'
import { messageCpu, SAMPLE_FLOWS } from '../measure/message-cpu.ts'
import { mqttFastRate, mqttGuaranteedRate } from '../measure/mqtt-rate.ts'
import { bareRate, FORTY_THOUSAND, flowRate, TEN_THOUSAND } from '../measure/opcua-rate.ts'
import { sparkplugDecode } from '../measure/sparkplug-decode.ts'
import { installContrib } from '../support/contrib.ts'
import { notMeasured, type Row } from '../support/table.ts'

/** Rows that come from one measurement; where it fails, its targets are missed and the others go on. */
interface Section {
  readonly name: string
  readonly rows: () => Promise<readonly Row[]>
}

const minutes = Number(process.env.BENCH_MINUTES ?? 10)

const SECTIONS: readonly Section[] = [
  {
    name: 'mqtt fast',
    async rows() {
      const ratio = { what: '  ratio', unit: '×', target: { atLeast: 0.8 } } as const
      if (!mosquittoThere) return [notMeasured({ ...ratio, what: 'mqtt sensor, fast, over bare mqtt.js' }, 'needs mosquitto')]
      const { bare, sensor } = await mqttFastRate()
      return [
        { what: "bare mqtt.js subscriber that parses JSON, mosquitto's queue", figure: bare, unit: 'messages/s' },
        { what: 'mqtt sensor, fast → sink, the same', figure: sensor, unit: 'messages/s' },
        { ...ratio, figure: sensor / bare },
      ]
    },
  },
  {
    name: 'mqtt cpu',
    async rows() {
      const { functionFlow, taktFlow } = await messageCpu(SAMPLE_FLOWS)
      return [
        { what: 'mqtt in → function that makes a sample → sink, CPU a message', figure: functionFlow, unit: 'us' },
        { what: 'mqtt sensor, fast → sink, CPU a message', figure: taktFlow, unit: 'us' },
        { what: '  ratio', figure: taktFlow / functionFlow, unit: '×', target: { atMost: 0.5 } },
      ]
    },
  },
  {
    name: 'mqtt guaranteed',
    async rows() {
      const row = { what: 'mqtt sensor, guaranteed (SQLite, synchronous FULL) → sink', unit: 'messages/s', target: { atLeast: 5000 } } as const
      return [mosquittoThere ? { ...row, figure: await mqttGuaranteedRate() } : notMeasured(row, 'needs mosquitto')]
    },
  },
  {
    name: 'opcua',
    async rows() {
      const bare = await bareRate(TEN_THOUSAND)
      const sensor = await flowRate(TEN_THOUSAND)
      return [
        { what: 'bare node-opcua client, 10,000 changes/s', figure: bare.rate, unit: 'changes/s' },
        { what: 'opcua sensor → sink, 10,000 changes/s', figure: sensor.rate, unit: 'samples/s' },
        { what: '  ratio', figure: sensor.rate / bare.rate, unit: '×', target: { atLeast: 0.8 } },
        { what: '  lost', figure: sensor.lost, unit: `of ${sensor.sent}`, target: { atMost: 0 } },
      ]
    },
  },
  {
    name: 'opcua contrib',
    async rows() {
      const sensor = await flowRate(FORTY_THOUSAND)
      const row = { what: 'opcua sensor → sink, 40,000 changes/s', figure: sensor.rate, unit: 'samples/s', note: `${sensor.lost} of ${sensor.sent} lost` }
      const ratio = { what: '  ratio', unit: '×', target: { atLeast: 10 } } as const
      const contrib = await installContrib().catch((error: Error) => error)
      if (contrib instanceof Error) return [row, notMeasured(ratio, contrib.message)]
      try {
        const { rate, lost, sent } = await flowRate(FORTY_THOUSAND, contrib.modules)
        return [
          row,
          { what: 'node-red-contrib-opcua → sink, 40,000 changes/s', figure: rate, unit: 'messages/s', note: `${lost} of ${sent} lost` },
          { ...ratio, figure: sensor.rate / rate },
        ]
      } finally {
        contrib.remove()
      }
    },
  },
  {
    name: 'historian',
    async rows() {
      const ratio = { what: '  ratio', unit: '×', target: { atLeast: 0.8 } } as const
      if (!hasInfluxd()) return [notMeasured({ ...ratio, what: 'historian over bare influx' }, 'needs influxd')]
      const { bare, historian } = await historianRate()
      return [
        { what: 'bare influx client, batches of 5,000', figure: bare, unit: 'points/s' },
        { what: 'samples → historian, until they stand in the database', figure: historian, unit: 'points/s' },
        { ...ratio, figure: historian / bare },
      ]
    },
  },
  {
    name: 'sparkplug',
    async rows() {
      const { own, protobufjs } = sparkplugDecode()
      return [
        { what: 'protobufjs, Sparkplug payloads decoded', figure: protobufjs, unit: 'payloads/s' },
        { what: 'own codec, the same payloads, values checked', figure: own, unit: 'payloads/s' },
        { what: '  ratio', figure: own / protobufjs, unit: '×', target: { atLeast: 1 } },
      ]
    },
  },
  {
    name: 'memory',
    async rows() {
      const half = minutes / 2
      const note = 'highest of the last quarter over highest of the second'
      const fast = await floodMemory('fast', half)
      const guaranteed = await floodMemory('guaranteed', half)
      return [
        {
          what: `resident after ${half} min of more than it can take, fast → sink`,
          figure: fast.rss,
          unit: 'MB',
          note: `${fast.rate.toFixed(0)} messages/s came through`,
        },
        { what: '  growth', figure: fast.growth, unit: '×', target: { atMost: 1.1 }, note },
        {
          what: `resident after ${half} min of more than it can take, guaranteed → machine state`,
          figure: guaranteed.rss,
          unit: 'MB',
          note: `${guaranteed.rate.toFixed(0)} documents/s came out`,
        },
        { what: '  growth', figure: guaranteed.growth, unit: '×', target: { atMost: 1.1 }, note },
      ]
    },
  },
]

/** Connect: what it costs to take plant data in and to write it out. BENCH_ONLY=text: only the sections whose name has it. */
export async function run(): Promise<readonly Row[]> {
  const rows: Row[] = []
  for (const { name, rows: measure } of SECTIONS.filter((section) => section.name.includes(process.env.BENCH_ONLY ?? ''))) {
    try {
      rows.push(...(await measure()))
    } catch (error) {
      console.error(error)
      rows.push({ what: name, figure: Number.NaN, unit: '', target: { atLeast: 0 }, note: (error as Error).message.split('\n')[0] ?? '' })
    }
  }
  return rows
}
