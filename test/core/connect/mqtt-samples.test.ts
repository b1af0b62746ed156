import assert from 'node:assert/strict'
import { ManualClock } from '../../../core/base/clock.ts'
import type { TaktError } from '../../../core/base/error.ts'
import type { MqttMessage } from '../../../core/connect/mqtt-connection.ts'
import type { MqttDecoder } from '../../../core/connect/mqtt-decoder.ts'
import { bindingDecoders, type MqttSampleSetting, templateDecoder } from '../../../core/connect/mqtt-samples.ts'
import type { Sample } from '../../../core/messages/sample.ts'
import { validateDocument } from '../../../core/messages/validate.ts'
import { checkPlant } from '../../../core/plant/check-plant.ts'

const NOW = Date.UTC(2026, 0, 5, 8)
const status = { connection: 'line', topic: 'm/status', time: '$.ts' }
const plant = checkPlant(
  {
    plant: 'acme',
    equipment: [
      {
        id: 'acme/mill',
        level: 'workUnit',
        signals: [
          { name: 'state', role: 'packml-state', source: { ...status, value: '$.state' } },
          { name: 'good', role: 'good-count', source: { ...status, value: '$.good' } },
          { name: 'job', role: 'job-order', source: { ...status, value: '$.job' } },
          { name: 'load', role: 'condition', unit: '%', source: { connection: 'line', topic: 'm/load' } },
          { name: 'order', role: 'job-order', source: { connection: 'line', topic: 'm/order' } },
          { name: 'door', source: { connection: 'line', topic: 'm/door' } },
          {
            name: 'diameter',
            role: 'characteristic',
            source: { connection: 'line', topic: 'm/gauge', value: '$.v', time: '$.ts', context: { jobOrder: '$.job', serial: '$.part.serial' } },
          },
          { name: 'elsewhere', source: { connection: 'other', topic: 'm/x' } },
        ],
      },
    ],
  },
  'test',
)
const setting: MqttSampleSetting = { clock: new ManualClock(NOW), where: 'a test', maxBytes: 1000, source: 'line' }

function run(decoders: readonly MqttDecoder[], topic: string, payload: string | Buffer): { samples: Sample[]; bad: string[] } {
  const samples: Sample[] = []
  const bad: string[] = []
  const message: MqttMessage = { topic, payload: Buffer.from(payload), qos: 0, retain: false, dup: false }
  for (const decoder of decoders.filter((each) => each.filter === topic || each.filter.includes('#'))) {
    decoder.decode(message, {
      sample: (sample, to) => {
        assert.equal(to, `${sample.equipment}/${sample.signal}`)
        samples.push(validateDocument(sample, 'sample', 'test'))
      },
      bad: (problem: TaktError) => bad.push(problem.code),
      document: () => assert.fail('a JSON message brings samples only'),
      numbered: () => assert.fail('nothing numbers these messages'),
    })
  }
  return { samples, bad }
}

describe('bindingDecoders', () => {
  const decoders = bindingDecoders(plant, 'line', setting)
  const take = (topic: string, payload: string | Buffer) => run(decoders, topic, payload)

  it('has one decoder a topic, of this connection only', () => {
    assert.deepEqual(
      decoders.map((decoder) => decoder.filter),
      ['m/status', 'm/load', 'm/order', 'm/door', 'm/gauge'],
    )
  })

  it('makes every signal of a message a sample: the job first, the state last', () => {
    const { samples, bad } = take('m/status', JSON.stringify({ state: 'Complete', job: 'jo-1', good: 7, ts: NOW - 10 }))
    assert.deepEqual(bad, [])
    assert.deepEqual(
      samples.map((sample) => [sample.signal, sample.value, sample.time]),
      [
        ['job', 'jo-1', NOW - 10],
        ['good', 7, NOW - 10],
        ['state', 'Complete', NOW - 10],
      ],
    )
    assert.deepEqual(samples[0]?.origin, { source: 'line' })
  })

  it('takes what is there when only some of the values are', () => {
    const { samples, bad } = take('m/status', JSON.stringify({ good: 8, ts: '2026-01-05T08:00:00Z' }))
    assert.deepEqual([samples.length, bad], [1, []])
  })

  it('keeps the good values of a message of which one is bad', () => {
    const { samples, bad } = take('m/status', JSON.stringify({ good: 'many', state: 'Idle', ts: NOW }))
    assert.deepEqual(
      samples.map((sample) => sample.signal),
      ['state'],
    )
    assert.deepEqual(bad, ['TAKT_SAMPLE_VALUE_TYPE'])
  })

  it('reads plain payloads as their role needs them', () => {
    assert.equal(take('m/load', '12.5').samples[0]?.value, 12.5)
    assert.equal(take('m/load', ' 7\n').samples[0]?.value, 7)
    assert.equal(take('m/order', '00042').samples[0]?.value, '00042')
    assert.equal(take('m/order', '').samples[0]?.value, '')
    assert.equal(take('m/door', 'true').samples[0]?.value, true)
    assert.equal(take('m/door', 'open').samples[0]?.value, 'open')
    assert.equal(take('m/door', '"shut"').samples[0]?.value, 'shut')
    assert.equal(take('m/load', '3').samples[0]?.time, NOW)
  })

  it('reads what was being made from the payload', () => {
    const { samples } = take('m/gauge', JSON.stringify({ v: 40.01, ts: NOW, job: 'jo-1', part: { serial: 17 }, lot: 'lot-1' }))
    assert.deepEqual(samples[0]?.context, { jobOrder: 'jo-1', serial: '17' })
  })

  const bad: ReadonlyArray<readonly [string, string, string, string | Buffer]> = [
    ['no JSON', 'TAKT_MESSAGE_NOT_JSON', 'm/status', '{"state": '],
    ['NaN in JSON', 'TAKT_MESSAGE_NOT_JSON', 'm/gauge', '{"v": NaN}'],
    ['Infinity by overflow', 'TAKT_SAMPLE_VALUE_NOT_FINITE', 'm/gauge', '{"v": 1e999}'],
    ['NaN as plain text', 'TAKT_SAMPLE_VALUE_NOT_FINITE', 'm/load', 'nan'],
    ['a text for a number', 'TAKT_SAMPLE_VALUE_TYPE', 'm/load', 'hot'],
    ['bytes that are no text', 'TAKT_MESSAGE_ENCODING', 'm/load', Buffer.from([0xff, 0xfe, 0x00, 0x9c])],
    ['an empty payload', 'TAKT_SAMPLE_VALUE_MISSING', 'm/load', ''],
    ['a document for a value', 'TAKT_SAMPLE_VALUE_TYPE', 'm/load', '{"v": 1}'],
    ['none of the values', 'TAKT_SAMPLE_VALUE_MISSING', 'm/status', '{"ts": 1}'],
    ['a number where a document is due', 'TAKT_SAMPLE_VALUE_MISSING', 'm/status', '17'],
    ['null for a value', 'TAKT_SAMPLE_VALUE_MISSING', 'm/gauge', '{"v": null}'],
    ['an oversized document', 'TAKT_MESSAGE_TOO_LARGE', 'm/gauge', JSON.stringify({ v: 1, pad: 'x'.repeat(2000) })],
    ['an oversized plain payload', 'TAKT_MESSAGE_TOO_LARGE', 'm/door', 'x'.repeat(1001)],
    ['a future time', 'TAKT_SAMPLE_TIME_FUTURE', 'm/gauge', JSON.stringify({ v: 1, ts: NOW + 3_600_000 })],
    ['an ancient time', 'TAKT_SAMPLE_TIME_ANCIENT', 'm/gauge', JSON.stringify({ v: 1, ts: 12 })],
    ['__proto__', 'TAKT_MESSAGE_FORBIDDEN_KEY', 'm/gauge', '{"v": 1, "__proto__": {"polluted": true}}'],
    ['constructor, deep inside', 'TAKT_MESSAGE_FORBIDDEN_KEY', 'm/gauge', '{"v": 1, "a": [{"constructor": 1}]}'],
    ['very deep nesting', 'TAKT_MESSAGE_TOO_DEEP', 'm/gauge', `{"v": 1, "a": ${'['.repeat(100)}${']'.repeat(100)}}`],
  ]
  for (const [what, code, topic, payload] of bad) {
    it(`refuses ${what}`, () => assert.deepEqual(take(topic, payload), { samples: [], bad: [code] }))
  }
})

describe('templateDecoder', () => {
  const mapping = { filter: '#', template: '{equipment}/{signal}', target: '{equipment}/{signal}', value: undefined, time: undefined }

  it('finds the signal in the topic', () => {
    const decoder = templateDecoder(mapping, plant, setting)
    assert.equal(run([decoder], 'acme/mill/load', '3').samples[0]?.signal, 'load')
    assert.equal(run([decoder], 'acme/mill/load', '4').samples[0]?.value, 4)
  })

  it('maps topics of another form, with paths into JSON', () => {
    const decoder = templateDecoder({ ...mapping, template: 'plc/{unit}/{what}/raw', target: 'acme/{unit}/{what}', value: '$.v', time: '$.t' }, plant, setting)
    const { samples } = run([decoder], 'plc/mill/load/raw', JSON.stringify({ v: 5, t: NOW - 1 }))
    assert.deepEqual([samples[0]?.value, samples[0]?.time], [5, NOW - 1])
  })

  it('refuses topics that lead nowhere', () => {
    const decoder = templateDecoder(mapping, plant, setting)
    assert.deepEqual(run([decoder], 'acme/saw/load', '3').bad, ['TAKT_EQUIPMENT_UNKNOWN'])
    assert.deepEqual(run([decoder], 'acme/mill/colour', '3').bad, ['TAKT_SIGNAL_UNKNOWN'])
    assert.deepEqual(run([decoder], '__proto__/load', '3').bad, ['TAKT_EQUIPMENT_UNKNOWN'])
    assert.deepEqual(run([decoder], 'load', '3').bad, ['TAKT_SAMPLE_SIGNAL_MISSING'])
  })

  it('refuses a template that is none', () => {
    assert.throws(() => templateDecoder({ ...mapping, template: '{a}/{a}' }, plant, setting), { code: 'TAKT_CONFIG_INVALID' })
  })
})
