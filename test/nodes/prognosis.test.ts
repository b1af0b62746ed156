import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Node } from 'node-red'
import { seededRandom } from '../../core/base/random.ts'
import type { Sample } from '../../core/messages/sample.ts'
import { validateDocument } from '../../core/messages/validate.ts'
import registerDisruption from '../../nodes/disruption/disruption.ts'
import registerPlant from '../../nodes/plant/plant.ts'
import registerPrognosis from '../../nodes/prognosis/prognosis.ts'
import registerSensor from '../../nodes/sensor/sensor.ts'
import registerStore from '../../nodes/store/store.ts'
import { loadExample } from './support/example.ts'
import { collect, helper, loadFlow, nextMessage } from './support/helper.ts'
import { MILL, machinePlant } from './support/machine-plant.ts'

const MINUTE = 60_000

describe('prognosis node', () => {
  let folder: string
  let random: () => number
  let clock: number
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'takt-prognosis-'))
    helper.settings({ userDir: folder } as never)
    random = seededRandom(5)
    clock = 1_700_000_000_000
  })
  afterEach(async () => {
    await helper.unload()
    helper.settings({})
    rmSync(folder, { recursive: true, force: true })
  })

  async function load(properties: Record<string, unknown> = {}): Promise<{ prognosis: Node; out: Node; charted: Node; caught: Node }> {
    const node = await loadFlow(
      [registerPlant, registerStore, registerPrognosis],
      [
        { id: 'f1', type: 'tab' },
        machinePlant(),
        { id: 'b0', type: 'takt-store', file: 'takt.db' },
        { id: 'n0', z: 'f1', type: 'takt-prognosis', plant: 'a1', wires: [['d0'], ['d1']], ...properties },
        { id: 'd0', z: 'f1', type: 'helper' },
        { id: 'd1', z: 'f1', type: 'helper' },
        { id: 'c0', z: 'f1', type: 'catch', scope: ['n0'], wires: [['e0']] },
        { id: 'e0', z: 'f1', type: 'helper' },
      ],
    )
    return { prognosis: node('n0'), out: node('d0'), charted: node('d1'), caught: node('e0') }
  }

  const sample = (value: Sample['value'], signal = 'vibration'): Record<string, unknown> => {
    const time = (clock += MINUTE)
    const payload: Sample = { kind: 'sample', equipment: MILL, signal, value, quality: 'good', time, received: time }
    return { topic: `${MILL}/${signal}`, payload }
  }
  /** From 2 to 10, the alarm limit, in 400 values. */
  const worn = (row: number): number => 2 + (8 * row) / 400 + 0.3 * (random() - 0.5)
  const send = (node: Node, ...messages: Record<string, unknown>[]): void => {
    for (const message of messages) node.receive(message as never)
  }

  /** Node-RED hands messages on one by one: waits until so many have arrived. */
  const arrived = async (messages: readonly unknown[], count: number): Promise<void> => {
    for (let n = 0; n < 500 && messages.length < count; n++) await new Promise((resolve) => setTimeout(resolve, 5))
    assert.equal(messages.length, count)
  }

  it('foretells when a signal reaches its alarm limit, and says so again only when it matters', async () => {
    const { prognosis, out, charted } = await load()
    const told = collect(out)
    const shown = collect(charted)
    const first = nextMessage(out)
    for (let row = 0; row < 300; row++) send(prognosis, sample(worn(row)))
    await arrived(shown, 300)
    const { topic, payload } = await first
    assert.equal(topic, `${MILL}/prognosis`)
    validateDocument(payload, 'prognosis', 'test')
    assert.deepEqual([payload.equipment, payload.indicator, payload.threshold, payload.unit], [MILL, 'vibration', 10, 'mm/s'])
    const end = 1_700_000_000_000 + 401 * MINUTE
    const last = told.at(-1)!.payload
    const left = end - last.time
    assert.ok(last.remainingMs.lower <= left && left <= last.remainingMs.upper, JSON.stringify([last.remainingMs, left]))
    assert.ok(told.length > 1 && told.length < 15, `${told.length} told`)
    const chart = shown.at(-1)!.prognosis as { value: number; projected: { line: { time: number; value: number }[] } }
    assert.ok(Math.abs(chart.value - 7.8) < 0.4, `${chart.value}`)
    assert.equal(chart.projected.line[1]!.value, 10)
    assert.ok(Math.abs(chart.projected.line[1]!.time - end) < 50 * MINUTE)
    assert.equal((shown[0]!.prognosis as { projected: unknown }).projected, null)
  })

  it('says nothing of a signal without a trend', async () => {
    const { prognosis, out, charted } = await load()
    const told = collect(out)
    const shown = collect(charted)
    for (let row = 0; row < 300; row++) send(prognosis, sample(3 + 0.3 * (random() - 0.5)))
    await arrived(shown, 300)
    assert.equal(told.length, 0)
  })

  for (const [where, properties] of [
    ['a file', {}],
    ['the store', { store: 'b0' }],
  ] as const) {
    it(`remembers what it learned through a redeploy, in ${where}`, async () => {
      const first = await load(properties)
      const before = collect(first.out)
      const seen = collect(first.charted)
      const values = Array.from({ length: 300 }, (_, row) => worn(row))
      for (const value of values.slice(0, 200)) send(first.prognosis, sample(value))
      await arrived(seen, 200)
      const told = before.length
      assert.ok(told > 0)
      await helper.unload()
      if (where === 'a file') assert.deepEqual(readdirSync(join(folder, 'takt')), ['prognosis-n0.json'])
      const second = await load(properties)
      const shown = collect(second.charted)
      const one = nextMessage(second.charted)
      send(second.prognosis, sample(values[200]!))
      await one
      assert.ok((shown[0]!.prognosis as { projected: unknown }).projected !== null, 'foretold from the first value on')
      const after = collect(second.out)
      for (const value of values.slice(201)) send(second.prognosis, sample(value))
      await arrived(shown, 100)
      assert.ok(after.length < 6, `${after.length} told again`)
    })
  }

  it('does not look at values of a unit that does not run', async () => {
    const { prognosis, out, charted } = await load()
    const told = collect(out)
    const since = clock
    send(prognosis, {
      payload: { kind: 'machine-state', equipment: MILL, state: 'Idle', mode: 'Produce', since, element: null, reason: null, jobOrder: null, time: since },
    })
    const shown = collect(charted)
    for (let row = 0; row < 300; row++) send(prognosis, sample(worn(row)))
    await arrived(shown, 300)
    assert.equal(told.length, 0)
    assert.equal((shown.at(-1)!.prognosis as { projected: unknown }).projected, null)
  })

  it('follows the anomaly scores beside the samples', async () => {
    const { prognosis, out } = await load({ indicator: 'score' })
    const first = nextMessage(out)
    for (let row = 0; row < 300; row++) {
      const deviation = 0.2 + (1.6 * row) / 350 + 0.1 * (random() - 0.5)
      send(prognosis, { ...sample(3), anomaly: { score: 1 - 2 ** -(deviation * deviation), raised: false } })
    }
    const { payload } = await first
    assert.deepEqual([payload.indicator, payload.threshold], ['vibration', 0.94])
    assert.ok(payload.value > 0 && payload.value < 1)
  })

  it('passes over what is no number, and quarantines what is no sample', async () => {
    const { prognosis, charted, caught } = await load({ store: 'b0' })
    const errors = collect(caught)
    const last = nextMessage(charted)
    send(
      prognosis,
      { topic: `${MILL}/vibration`, payload: Number.NaN },
      { payload: { kind: 'sample', equipment: MILL, signal: 'vibration' } },
      sample('text'),
      sample(99, 'unknown'),
      { topic: `${MILL}/vibration`, payload: 3 },
    )
    await last
    assert.deepEqual(
      errors.map(({ payload }) => payload.code),
      ['TAKT_SAMPLE_VALUE_NOT_FINITE', 'TAKT_MESSAGE_INVALID'],
    )
  })

  for (const [what, properties, code] of [
    ['signal is unknown', { filter: `${MILL}/vibraton` }, 'TAKT_SIGNAL_UNKNOWN'],
    ['signal has no limit', { filter: `${MILL}/good`, roles: 'all' }, 'TAKT_CONFIG_INVALID'],
    ['signal has another role', { filter: `${MILL}/good` }, 'TAKT_CONFIG_INVALID'],
    ['threshold is no number', { threshold: 'high' }, 'TAKT_CONFIG_INVALID'],
    ['threshold is missing', { plant: '' }, 'TAKT_CONFIG_INVALID'],
    ['score is out of range', { indicator: 'score', threshold: '7.1' }, 'TAKT_CONFIG_INVALID'],
    ['direction is none', { direction: 'up' }, 'TAKT_CONFIG_INVALID'],
  ] as const) {
    it(`says that the ${what}`, async () => {
      const { prognosis, caught } = await load(properties)
      const error = nextMessage(caught)
      send(prognosis, sample(1))
      assert.match(JSON.stringify((await error).error), new RegExp(code))
    })
  }

  it('has an example that works: a prognosis proposes a repair before its lower end', async () => {
    const { node, press } = await loadExample('prognosis.json', [registerPlant, registerStore, registerSensor, registerPrognosis, registerDisruption])
    const foretold = nextMessage(node('prognoses'))
    const proposed = nextMessage(node('waits for a person'))
    for (let value = 0; value < 100; value++) press('ten a second')
    press('wear')
    for (let value = 0; value < 700; value++) press('ten a second')
    const prognosis = (await foretold).payload
    const { payload } = await proposed
    assert.deepEqual([payload.kind, payload.action, payload.status, payload.cause], ['disruption', 'maintain-before', 'proposed', { prognosis: 'vibration' }])
    assert.ok(Math.abs(payload.deadline - (prognosis.time + 0.8 * prognosis.remainingMs.lower)) < 1)
  })
})
