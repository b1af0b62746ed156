import assert from 'node:assert/strict'
import type { Receipt } from '../../../core/messages/command.ts'
import { Plant } from '../../../core/plant/plant.ts'
import { Bindings } from '../../../core/simulate/bindings.ts'
import type { MachineCommand } from '../../../core/simulate/commands.ts'
import type { StatusPublication } from '../../../core/simulate/happenings.ts'
import { SparkplugFace, speaksSparkplug } from '../../../core/simulate/sparkplug-face.ts'
import { packet, readPacket, TYPES } from '../../../core/simulate/sparkplug-packets.ts'
import { ForeignHost, metricOf, valuesOf } from '../connect/sparkplug/support/foreign-host.ts'
import { foreignDecode, foreignEncode } from '../connect/sparkplug/support/schema.ts'
import { Mosquitto, needsMosquitto } from '../connect/support/mosquitto.ts'
import { until } from '../connect/support/wait.ts'

const UNIT = 'acme/mill'
const NOW = 1_700_000_000_000
const device = 'sim/cell/mill'
const source = (metric: string) => ({ connection: 'x', device, metric })
const plant = new Plant({
  plant: 'acme',
  equipment: [
    {
      id: UNIT,
      level: 'workUnit',
      signals: [
        { name: 'state', role: 'packml-state', source: source('State') },
        { name: 'good', role: 'good-count', rollover: 100, source: source('Good') },
        { name: 'job', role: 'job-order', source: source('Job') },
        { name: 'vibration', role: 'condition', source: source('Vibration') },
        { name: 'elsewhere', role: 'condition', source: { connection: 'x', topic: 't' } },
      ],
      commands: [{ name: 'start-job', target: source('Start') }],
    },
  ],
})
const status = (more: Partial<StatusPublication> = {}): StatusPublication => ({
  kind: 'status',
  unit: UNIT,
  time: NOW,
  state: 'Execute',
  mode: 'Produce',
  job: 'jo-1',
  good: 205,
  scrap: 0,
  changed: true,
  ...more,
})

describe('Sparkplug packets of simulated machines', () => {
  it('are read by another codec', () => {
    const bytes = packet(
      NOW,
      255,
      [
        { name: 'Größe', type: TYPES.Double, value: 0.1, time: NOW },
        { name: 'n', type: TYPES.Int64, value: 2 ** 40 + 1, time: NOW },
        { name: 'nothing', type: TYPES.String, value: null, time: NOW },
      ],
      true,
    )
    const timestamp = String(NOW)
    assert.deepEqual(foreignDecode(bytes), {
      timestamp,
      seq: '255',
      metrics: [
        { name: 'Größe', timestamp, datatype: 10, double_value: 0.1 },
        { name: 'n', timestamp, datatype: 4, long_value: String(2 ** 40 + 1) },
        { name: 'nothing', timestamp, datatype: 12, is_null: true },
      ],
    })
  })

  it('read what another codec wrote, and nothing of what is cut off', () => {
    const bytes = foreignEncode({
      timestamp: NOW,
      metrics: [
        { name: 'a', string_value: 'x' },
        { name: 'b', double_value: 1.5 },
        { name: 'c', boolean_value: true },
        { name: 'd', int_value: 7, timestamp: NOW },
      ],
    })
    assert.deepEqual(
      [...(readPacket(bytes) ?? [])],
      [
        ['a', 'x'],
        ['b', 1.5],
        ['c', true],
        ['d', 7],
      ],
    )
    for (let length = 1; length < bytes.length; length++) readPacket(bytes.subarray(0, length))
    assert.equal(readPacket(bytes.subarray(0, bytes.length - 1)), undefined)
    assert.equal(readPacket(Buffer.from([0xff, 0xff, 0xff])), undefined)
  })
})

describe('simulated machines that speak Sparkplug', function () {
  this.timeout(60_000)
  let broker: Mosquitto
  let host: ForeignHost
  let face: SparkplugFace
  let told: Array<readonly [string, MachineCommand]>
  let answer: Receipt['status']

  before(async function () {
    needsMosquitto(this)
    broker = await Mosquitto.start()
  })
  after(() => broker?.remove())
  beforeEach(async () => {
    told = []
    answer = 'done'
    host = await ForeignHost.start(broker.url, 'sim')
    face = new SparkplugFace({
      url: broker.url,
      plant,
      bindings: new Bindings(plant),
      present: () => [],
      now: () => NOW,
      command: (unit, command) => {
        told.push([unit, command])
        return { kind: 'receipt', of: command.id, to: unit, status: answer, time: NOW }
      },
    })
    await host.next('DBIRTH', 'mill')
  })
  afterEach(async () => {
    await face.close()
    await host.stop()
  })

  it('are born with what the plant model binds, and tell what changes', async () => {
    assert.ok(speaksSparkplug(plant))
    assert.deepEqual(valuesOf(await host.next('DBIRTH', 'mill')), { State: null, Good: null, Job: null, Vibration: null, Start: null })
    face.publish([status(), status({ changed: false })])
    face.publish([{ kind: 'condition', unit: UNIT, time: NOW + 5, signal: 'vibration', value: 2.5 }])
    assert.deepEqual(valuesOf(await host.next('DDATA', 'mill')), { State: '6', Good: '5', Job: 'jo-1' })
    const second = await host.next('DDATA', 'mill', 2)
    assert.deepEqual([valuesOf(second), metricOf(second, 'Vibration')?.timestamp], [{ Vibration: 2.5 }, String(NOW + 5)])
    await host.rebirth('cell')
    const again = await host.next('DBIRTH', 'mill', 2)
    assert.deepEqual([valuesOf(again).State, valuesOf(again).Vibration], ['6', 2.5])
    assert.deepEqual(
      host.heard.filter(({ verb }) => verb !== 'NCMD').map(({ payload }) => Number(payload.seq)),
      [0, 1, 2, 3, 0, 1],
    )
  })

  it('take commands, and show what they took', async () => {
    await host.write('cell', 'mill', { name: 'Start', string_value: '{"jobOrder":"jo-2","quantity":5}' })
    await until(() => told.length === 1, 'the command')
    assert.deepEqual([told[0]![0], told[0]![1].name, told[0]![1].arguments], [UNIT, 'start-job', { jobOrder: 'jo-2', quantity: 5 }])
    assert.deepEqual(valuesOf(await host.next('DDATA', 'mill')), { Start: '{"jobOrder":"jo-2","quantity":5}' })
    answer = 'refused'
    await host.write('cell', 'mill', { name: 'Start', string_value: 'now' })
    await until(() => told.length === 2, 'the second command')
    assert.deepEqual(told[1]![1].arguments, { value: 'now' })
    await host.write('cell', 'mill', { name: 'Unknown', string_value: 'x' })
    face.publish([status()])
    assert.deepEqual(Object.keys(valuesOf(await host.next('DDATA', 'mill', 2))), ['State', 'Good', 'Job'])
  })

  it('die with the number of their birth', async () => {
    const born = metricOf(await host.next('NBIRTH'), 'bdSeq')?.long_value
    await face.close()
    assert.equal(metricOf(await host.next('NDEATH'), 'bdSeq')?.long_value, born)
  })
})
