import { ManualClock } from '../../../../../core/base/clock.ts'
import type { TaktError } from '../../../../../core/base/error.ts'
import type { MqttMessage } from '../../../../../core/connect/mqtt-connection.ts'
import type { MqttLine, SampleSink } from '../../../../../core/connect/mqtt-decoder.ts'
import { SparkplugHost } from '../../../../../core/connect/sparkplug/host.ts'
import { type HostMemory, type HostSetting, REORDER_MS } from '../../../../../core/connect/sparkplug/host-setting.ts'
import { boundTargets } from '../../../../../core/connect/sparkplug/host-targets.ts'
import type { Gap } from '../../../../../core/messages/gap.ts'
import type { Sample } from '../../../../../core/messages/sample.ts'
import { validateDocument } from '../../../../../core/messages/validate.ts'
import { checkPlant } from '../../../../../core/plant/check-plant.ts'
import { DEFAULT_TOLERANCE } from '../../../../../core/signal/sample.ts'
import type { EdgePacket } from './foreign-edge.ts'
import { foreignDecode } from './schema.ts'

export const NOW = Date.UTC(2026, 0, 5, 8)
const device = (metric: string) => ({ connection: 'line', device: 'plant/cell/mill', metric })

/** One unit, bound to a device `mill` of the edge node `cell`, and a temperature of the edge node itself. */
export const PLANT = checkPlant(
  {
    plant: 'acme',
    equipment: [
      {
        id: 'acme/mill',
        level: 'workUnit',
        signals: [
          { name: 'state', role: 'packml-state', source: device('State') },
          { name: 'good', role: 'good-count', source: device('Good') },
          { name: 'job', role: 'job-order', source: device('Job') },
          { name: 'vibration', role: 'condition', unit: 'mm/s', source: device('Spindle/Vibration') },
          { name: 'serial', source: device('Serial') },
          { name: 'table', source: device('Table') },
          { name: 'member', role: 'condition', source: device('Motor/Speed') },
          { name: 'inner', role: 'condition', source: device('Motor/Bearing/Temperature') },
          { name: 'cabinet', role: 'condition', source: { connection: 'line', device: 'plant/cell', metric: 'Cabinet' } },
        ],
      },
    ],
  },
  'test',
)

export interface Published {
  readonly topic: string
  readonly payload: Buffer
  readonly qos: number
  readonly retain: boolean
}

/** A host whose broker is the test: what it publishes is kept, time stands still until it is told to pass. */
export class HostBench {
  readonly clock = new ManualClock(NOW)
  readonly published: Published[] = []
  readonly samples: Sample[] = []
  readonly gaps: Gap[] = []
  readonly numbers: Array<readonly [session: string, sequence: number]> = []
  readonly bad: TaktError[] = []
  readonly host: SparkplugHost
  readonly sink: SampleSink = {
    sample: (sample, topic) => {
      if (topic !== `${sample.equipment}/${sample.signal}`) throw new Error(`sample on ${topic}`)
      this.samples.push(validateDocument(sample, 'sample', 'test'))
    },
    document: (document) => void this.gaps.push(validateDocument(document, 'gap', 'test')),
    numbered: (session, sequence) => void this.numbers.push([session, sequence]),
    bad: (problem) => void this.bad.push(problem),
  }
  readonly line: MqttLine = {
    publish: async (topic, payload, { qos, retain = false }) => void this.published.push({ topic, payload: Buffer.from(payload), qos, retain }),
    sink: this.sink,
  }

  constructor(more: Partial<HostSetting> & { readonly memory?: HostMemory } = {}) {
    const { targets } = boundTargets('line', { plant: PLANT, clock: this.clock, tolerance: DEFAULT_TOLERANCE, where: 'a test' })
    this.host = new SparkplugHost({
      hostId: 'takt',
      clock: this.clock,
      timers: this.clock,
      source: 'line',
      where: 'a test',
      limits: {},
      reorderMs: REORDER_MS,
      targets,
      ...more,
    })
  }

  /** Connected, and nothing that was said on the way is kept. */
  connect(): this {
    this.host.will()
    this.host.connected(this.line)
    this.published.length = 0
    return this
  }

  take(packet: EdgePacket, more: Partial<MqttMessage> = {}): void | Promise<void> {
    return this.host.take({ topic: packet.topic, payload: packet.payload, qos: 0, retain: false, dup: false, ...more }, this.sink)
  }

  /** What came out since the last call: signal, value and quality. */
  values(): ReadonlyArray<readonly [string, Sample['value'], Sample['quality']]> {
    return this.samples.splice(0).map(({ signal, value, quality }) => [signal, value, quality] as const)
  }

  codes(): readonly string[] {
    return this.bad.splice(0).map(({ code }) => code)
  }

  /** The rebirth requests since the last call, each as protobufjs reads it. */
  rebirths(): ReadonlyArray<Record<string, any>> {
    return this.published
      .splice(0)
      .filter(({ topic }) => topic.includes('/NCMD/'))
      .map(({ topic, payload, qos, retain }) => ({ topic, qos, retain, ...foreignDecode(payload) }))
  }
}
