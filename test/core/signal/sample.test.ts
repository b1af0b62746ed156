import assert from 'node:assert/strict'
import { ManualClock } from '../../../core/base/clock.ts'
import { TaktError } from '../../../core/base/error.ts'
import { validateDocument } from '../../../core/messages/validate.ts'
import { checkPlant } from '../../../core/plant/check-plant.ts'
import { makeSample, numberOf, qualityOfStatus, type RawSample, roleRank } from '../../../core/signal/sample.ts'

const NOW = Date.UTC(2026, 0, 5, 8)
const clock = new ManualClock(NOW)
const plant = checkPlant(
  {
    plant: 'acme',
    equipment: [
      {
        id: 'acme/line/mill',
        level: 'workUnit',
        signals: [
          { name: 'state', role: 'packml-state' },
          { name: 'job', role: 'job-order' },
          { name: 'good', role: 'good-count' },
          { name: 'spindle.vibration', role: 'condition', unit: 'mm/s' },
          { name: 'note' },
        ],
      },
    ],
  },
  'test',
)

function make(raw: Partial<RawSample> & { readonly value: unknown }, tolerance?: { futureMs: number; ageMs: number }) {
  const setting = { plant, clock, where: 'a test', ...(tolerance === undefined ? {} : { tolerance }) }
  return makeSample({ topic: raw.equipment === undefined ? 'acme/line/mill/spindle.vibration' : undefined, ...raw }, setting)
}

function codeOf(run: () => unknown): string {
  try {
    run()
  } catch (thrown) {
    assert.ok(thrown instanceof TaktError, String(thrown))
    assert.match(thrown.where, /a test/)
    return thrown.code
  }
  return 'nothing thrown'
}

const topicOf = (signal: string) => `acme/line/mill/${signal}`

describe('makeSample', () => {
  it('makes a document that its schema accepts', () => {
    const sample = make({ value: 3.21, time: NOW - 5, origin: { source: 'line-mqtt' }, context: { jobOrder: 'jo-1', serial: 7, rubbish: true } })
    assert.deepEqual(validateDocument(sample, 'sample', 'test'), {
      kind: 'sample',
      equipment: 'acme/line/mill',
      signal: 'spindle.vibration',
      value: 3.21,
      unit: 'mm/s',
      quality: 'good',
      time: NOW - 5,
      received: NOW,
      origin: { source: 'line-mqtt' },
      context: { jobOrder: 'jo-1', serial: '7' },
    })
  })

  it('takes the time of arrival where there is none, and reads epoch ms, ISO 8601 and dates', () => {
    assert.equal(make({ value: 1 }).time, NOW)
    assert.equal(make({ value: 1, time: null }).time, NOW)
    assert.equal(make({ value: 1, time: String(NOW - 1) }).time, NOW - 1)
    assert.equal(make({ value: 1, time: '2026-01-05T09:00:00+01:00' }).time, NOW)
    assert.equal(make({ value: 1, time: new Date(NOW - 7) }).time, NOW - 7)
  })

  it('gives each role the type that it needs', () => {
    assert.equal(make({ value: ' 3.5e1 ' }).value, 35)
    assert.equal(make({ value: true }).value, 1)
    assert.equal(make({ value: 12n, topic: topicOf('good') }).value, 12)
    assert.equal(make({ value: '17', topic: topicOf('state') }).value, 17)
    assert.equal(make({ value: 'Execute', topic: topicOf('state') }).value, 'Execute')
    assert.equal(make({ value: 4711, topic: topicOf('job') }).value, '4711')
    assert.equal(make({ value: null, topic: topicOf('job') }).value, '')
    assert.equal(make({ value: '12', topic: topicOf('note') }).value, '12')
    assert.equal(make({ value: false, topic: topicOf('note') }).value, false)
  })

  it('takes equipment and signal apart as well as a topic', () => {
    assert.equal(make({ equipment: 'acme/line/mill', signal: 'good', value: 4 }).signal, 'good')
  })

  it('reads qualities by name and by OPC UA status code', () => {
    assert.equal(make({ value: 1, quality: 'UncertainLastUsableValue' }).quality, 'uncertain')
    assert.equal(make({ value: 1, quality: 0x80340000 }).quality, 'bad')
    assert.equal(qualityOfStatus(0x40920000), 'uncertain')
    assert.equal(qualityOfStatus(0), 'good')
  })

  const bad: ReadonlyArray<readonly [string, string, Partial<RawSample> & { value: unknown }]> = [
    ['NaN', 'TAKT_SAMPLE_VALUE_NOT_FINITE', { value: Number.NaN }],
    ['Infinity', 'TAKT_SAMPLE_VALUE_NOT_FINITE', { value: Number.NEGATIVE_INFINITY }],
    ['NaN as text', 'TAKT_SAMPLE_VALUE_NOT_FINITE', { value: 'NaN' }],
    ['a number too large for a double, as text', 'TAKT_SAMPLE_VALUE_TYPE', { value: '1e999' }],
    ['a text for a number', 'TAKT_SAMPLE_VALUE_TYPE', { value: 'warm' }],
    ['an object', 'TAKT_SAMPLE_VALUE_TYPE', { value: { v: 1 } }],
    ['a list', 'TAKT_SAMPLE_VALUE_TYPE', { value: [1] }],
    ['a boolean count', 'TAKT_SAMPLE_VALUE_TYPE', { value: true, topic: topicOf('good') }],
    ['an integer beyond 2^53', 'TAKT_SAMPLE_VALUE_TYPE', { value: 2n ** 60n, topic: topicOf('good') }],
    ['a very long text', 'TAKT_MESSAGE_TOO_LARGE', { value: 'x'.repeat(100_001), topic: topicOf('note') }],
    ['no value', 'TAKT_SAMPLE_VALUE_MISSING', { value: undefined }],
    ['null', 'TAKT_SAMPLE_VALUE_MISSING', { value: null }],
    ['a time that is none', 'TAKT_SAMPLE_TIME_INVALID', { value: 1, time: 'yesterday' }],
    ['a time of a wrong type', 'TAKT_SAMPLE_TIME_INVALID', { value: 1, time: {} }],
    ['a time not finite', 'TAKT_SAMPLE_TIME_INVALID', { value: 1, time: Number.POSITIVE_INFINITY }],
    ['a future time', 'TAKT_SAMPLE_TIME_FUTURE', { value: 1, time: NOW + 60_001 }],
    ['microseconds for milliseconds', 'TAKT_SAMPLE_TIME_FUTURE', { value: 1, time: NOW * 1000 }],
    ['an ancient time', 'TAKT_SAMPLE_TIME_ANCIENT', { value: 1, time: 0 }],
    ['a time before 1970', 'TAKT_SAMPLE_TIME_ANCIENT', { value: 1, time: '1601-01-01T00:00:00Z' }],
    ['a quality that is none', 'TAKT_SAMPLE_QUALITY_UNKNOWN', { value: 1, quality: 'so-so' }],
    ['no topic', 'TAKT_SAMPLE_SIGNAL_MISSING', { value: 1, topic: undefined }],
    ['a topic that is no text', 'TAKT_SAMPLE_SIGNAL_MISSING', { value: 1, topic: 7 }],
    ['unknown equipment', 'TAKT_EQUIPMENT_UNKNOWN', { value: 1, topic: 'acme/line/saw/load' }],
    ['an unknown signal', 'TAKT_SIGNAL_UNKNOWN', { value: 1, topic: topicOf('colour') }],
    ['__proto__ as equipment', 'TAKT_EQUIPMENT_UNKNOWN', { value: 1, topic: '__proto__/polluted' }],
    ['__proto__ as a signal', 'TAKT_SIGNAL_UNKNOWN', { value: 1, topic: topicOf('__proto__') }],
  ]
  for (const [what, code, raw] of bad) {
    it(`refuses ${what}`, () =>
      assert.equal(
        codeOf(() => make(raw)),
        code,
      ))
  }

  it('takes other tolerances, and widens the one for the future where plant time runs fast', () => {
    const tolerance = { futureMs: 10, ageMs: 1000 }
    assert.equal(make({ value: 1, time: NOW + 10 }, tolerance).time, NOW + 10)
    assert.equal(
      codeOf(() => make({ value: 1, time: NOW + 11 }, tolerance)),
      'TAKT_SAMPLE_TIME_FUTURE',
    )
    assert.equal(
      codeOf(() => make({ value: 1, time: NOW - 1001 }, tolerance)),
      'TAKT_SAMPLE_TIME_ANCIENT',
    )
    const fast = { now: () => NOW, rate: 60, after: () => () => {} }
    assert.equal(makeSample({ topic: topicOf('note'), value: 1, time: NOW + 600 }, { plant, clock: fast, where: 'a test', tolerance }).time, NOW + 600)
  })

  it('never lets a context reach the prototype', () => {
    const context = JSON.parse('{"__proto__": {"jobOrder": "jo-evil"}}') as unknown
    assert.equal(make({ value: 1, context }).context, undefined)
    const inherited = Object.create({ jobOrder: 'jo-evil' }) as unknown
    assert.equal(make({ value: 1, context: inherited }).context, undefined)
  })
})

describe('roleRank', () => {
  it('puts the job before its counts, and the state last', () => {
    const roles = ['packml-state', 'condition', 'good-count', 'packml-mode', 'job-order'] as const
    assert.deepEqual(
      [...roles].sort((a, b) => roleRank(a) - roleRank(b)),
      ['job-order', 'good-count', 'condition', 'packml-mode', 'packml-state'],
    )
  })
})

describe('numberOf', () => {
  it('reads decimal numbers only', () => {
    assert.deepEqual(['1', '-2.5', '.5', '1e3', '0x10', '', ' ', '1_000', '1,5'].map(numberOf), [
      1,
      -2.5,
      0.5,
      1000,
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
    ])
  })
})
