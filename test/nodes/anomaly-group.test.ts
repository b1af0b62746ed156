import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Node } from 'node-red'
import { groupSet } from '../../bench/support/group-sets.ts'
import type { ScoredRow } from '../../core/detect/group/group-watch.ts'
import { validateDocument } from '../../core/messages/validate.ts'
import registerAnomalyGroup from '../../nodes/anomaly-group/anomaly-group.ts'
import registerPlant from '../../nodes/plant/plant.ts'
import registerStore, { type StoreNode } from '../../nodes/store/store.ts'
import { until } from '../core/connect/support/wait.ts'
import { loadExample } from './support/example.ts'
import { collect, helper, loadFlow, nextMessage } from './support/helper.ts'

const UNIT = 'acme/line-1/pump-1'
const SIGNALS = ['flow', 'pressure', 'current', 'speed']
const PLANT = {
  plant: 'acme',
  equipment: [{ id: UNIT, level: 'workUnit', signals: [{ name: 'state', role: 'packml-state' }, ...SIGNALS.map((name) => ({ name, role: 'condition' }))] }],
}

describe('anomaly group node', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'takt-anomaly-group-'))
    helper.settings({ userDir: folder } as never)
  })
  afterEach(async () => {
    await helper.unload()
    helper.settings({})
    rmSync(folder, { recursive: true, force: true })
  })

  interface Loaded {
    readonly group: Node
    readonly out: Node
    readonly scored: Node
    readonly caught: Node
    readonly node: (id: string) => Node
  }

  async function load(properties: Record<string, unknown> = {}): Promise<Loaded> {
    const node = await loadFlow(
      [registerPlant, registerStore, registerAnomalyGroup],
      [
        { id: 'f1', type: 'tab' },
        { id: 'a1', type: 'takt-plant', name: 'P', source: 'inline', model: JSON.stringify(PLANT), clock: 'system' },
        { id: 'b0', type: 'takt-store', file: 'takt.db' },
        {
          id: 'n0',
          z: 'f1',
          type: 'takt-anomaly-group',
          plant: 'a1',
          equipment: UNIT,
          signals: '',
          learnFor: '100',
          clearAfter: '0',
          wires: [['d0'], ['d1']],
          ...properties,
        },
        { id: 'd0', z: 'f1', type: 'helper' },
        { id: 'd1', z: 'f1', type: 'helper' },
        { id: 'c0', z: 'f1', type: 'catch', scope: ['n0'], wires: [['e0']] },
        { id: 'e0', z: 'f1', type: 'helper' },
      ],
    )
    return { group: node('n0'), out: node('d0'), scored: node('d1'), caught: node('e0'), node }
  }

  let clock = 1_700_000_000_000
  beforeEach(() => {
    clock = 1_700_000_000_000
  })
  const rows = groupSet({ seed: 14, size: 4, rows: 500, from: 300, to: 360, fault: 'level', strength: 8, memory: [0.2, 0.6], warming: 0 })
  const sample = (signal: string, value: unknown): Record<string, unknown> => ({
    kind: 'sample',
    equipment: UNIT,
    signal,
    value,
    quality: 'good',
    time: clock,
    received: clock,
  })
  const send = (node: Node, payload: unknown): void => node.receive({ payload } as never)
  const sendRows = (node: Node, from: number, to: number): void => {
    for (const { values } of rows.slice(from, to)) {
      clock += 1000
      send(
        node,
        values.map((value, i) => sample(SIGNALS[i]!, value)),
      )
    }
  }

  it('raises and clears on its first output, and tells of every row on its second', async () => {
    const { group, out, scored } = await load()
    const told = collect(scored)
    const seen = collect(out)
    const raised = nextMessage(out)
    sendRows(group, 0, 330)
    const first = await raised
    assert.equal(first.topic, `${UNIT}/anomaly`)
    const anomaly = validateDocument(first.payload, 'anomaly', 'test')
    assert.deepEqual([anomaly.state, anomaly.method, anomaly.equipment], ['raised', 'group', UNIT])
    assert.ok(anomaly.since >= 1_700_000_301_000 && anomaly.since < 1_700_000_306_000, `since row ${(anomaly.since - 1_700_000_000_000) / 1000}`)
    assert.ok(anomaly.signals.every((signal) => SIGNALS.includes(signal)))
    assert.equal(anomaly.evidence.length, anomaly.signals.length)
    assert.ok(anomaly.evidence.every(({ value, expected }) => typeof value === 'number' && typeof expected === 'number'))
    sendRows(group, 330, 500)
    await until(() => told.length >= 499 && seen.some(({ payload }) => payload.state === 'cleared'), 'all rows were told of, and the alarm is cleared')
    const cleared = seen.find(({ payload }) => payload.state === 'cleared')?.payload
    assert.equal(cleared?.id, anomaly.id)
    assert.ok(cleared.time > 1_700_000_360_000 && cleared.time < 1_700_000_450_000, `cleared at row ${(cleared.time - 1_700_000_000_000) / 1000}`)
    assert.equal(told.length, 499)
    const rowsTold = told.map(({ payload }) => payload as ScoredRow)
    assert.equal(rowsTold[0]!.score, null)
    assert.ok(rowsTold.slice(312, 359).every(({ score, raised: isRaised, contributions }) => score! >= 0.5 && isRaised && contributions.length > 0))
  })

  it('holds values of slower signals, for as long as it is told', async () => {
    const { group, scored } = await load({ hold: '5' })
    const told = collect(scored)
    for (const [at, { values }] of rows.slice(0, 120).entries()) {
      clock += 1000
      send(group, sample('flow', values[0]!))
      send(group, sample('pressure', values[1]!))
      send(group, sample('current', values[2]!))
      // the fourth tells every third time, and falls silent
      if (at % 3 === 0 && at < 60) send(group, sample('speed', values[3]!))
    }
    await wait(5)
    const last = told.map(({ payload }) => payload as ScoredRow)
    assert.ok(last.length >= 110, `${last.length} rows`)
    assert.ok(last.at(-1)!.score !== null)
    assert.ok(last.slice(-40).every(({ contributions }) => contributions.every(({ signal, value }) => (signal === 'speed') === (value === null))))
  })

  it('neither learns nor judges while the unit does not run', async () => {
    const { group, scored } = await load()
    const told = collect(scored)
    send(group, sample('state', 'Idle'))
    sendRows(group, 0, 50)
    await wait(5)
    assert.equal(told.length, 0)
    send(group, sample('state', 'Execute'))
    sendRows(group, 50, 80)
    await wait(5)
    assert.equal(told.length, 29)
  })

  it('remembers what it learned, and the standing alarm, through a redeploy: in a file', async () => {
    const first = await load()
    const raised = nextMessage(first.out)
    sendRows(first.group, 0, 330)
    const { id } = (await raised).payload
    await helper.unload()
    assert.deepEqual(readdirSync(join(folder, 'takt')), ['anomaly-group-n0.json'])
    const second = await load()
    const seen = collect(second.out)
    sendRows(second.group, 330, 480)
    await wait(20)
    const ended = seen.find(({ payload }) => payload.state === 'cleared')
    assert.equal(ended?.payload.id, id)
  })

  it('remembers in the store too, records each anomaly before it tells, and learns anew when told', async () => {
    const first = await load({ store: 'b0' })
    const raised = nextMessage(first.out)
    sendRows(first.group, 0, 330)
    const { payload } = await raised
    assert.deepEqual(await (first.node('b0') as StoreNode).store.get('anomaly', payload.id), payload)
    await helper.unload()
    const second = await load({ store: 'b0' })
    // a person may say what the alarm was worth, also after a restart
    const said = nextMessage(second.out)
    second.group.receive({ payload: { command: 'confirm', anomaly: payload.id, by: 'eva' } } as never)
    const { detector, detectorName, state, verdict } = (await said).payload
    assert.deepEqual([detector, detectorName, state, verdict.decision, verdict.by], ['n0', 'group of pump-1', payload.state, 'confirmed', 'eva'])
    const cleared = nextMessage(second.out)
    second.group.receive({ retrain: true } as never)
    const stored = (await cleared).payload
    assert.deepEqual([stored.id, stored.state, stored.evidence[0].source], [payload.id, 'cleared', 'retrain'])
  })

  it('passes over what is no value of its signals, and refuses what is no sample', async () => {
    const { group, caught, scored } = await load({ store: 'b0' })
    const errors = collect(caught)
    const told = collect(scored)
    sendRows(group, 0, 20)
    for (const value of [Number.NaN, 'text', true, Number.POSITIVE_INFINITY]) send(group, sample('flow', value))
    for (const time of [clock, clock - 5000]) send(group, { ...sample('flow', 7), time })
    send(group, { ...sample('flow', 7), equipment: 'acme/other' })
    send(group, { kind: 'sample', equipment: UNIT, signal: 'flow' })
    group.receive({ topic: 'nowhere/x', payload: 7 } as never)
    group.receive({ payload: 7 } as never)
    sendRows(group, 20, 40)
    await until(() => errors.length >= 3 && told.length >= 39, 'all of it was heard')
    assert.deepEqual(errors.map(({ payload }) => payload.code).toSorted(), ['TAKT_EQUIPMENT_UNKNOWN', 'TAKT_MESSAGE_INVALID', 'TAKT_SAMPLE_SIGNAL_MISSING'])
    assert.equal(told.length, 39)
  })

  for (const [what, properties, code] of [
    ['signal that the plant does not know', { signals: 'flow, torque' }, 'TAKT_SIGNAL_UNKNOWN'],
    ['equipment that the plant does not know', { equipment: 'acme/line-9' }, 'TAKT_EQUIPMENT_UNKNOWN'],
    ['single signal', { signals: 'flow' }, 'TAKT_CONFIG_INVALID'],
    ['missing plant', { plant: '' }, 'TAKT_CONFIG_INVALID'],
    ['missing equipment', { equipment: '' }, 'TAKT_CONFIG_INVALID'],
    ['text for a number', { hold: 'long' }, 'TAKT_CONFIG_INVALID'],
    ['state that is none', { judgeOnlyIn: 'Running' }, 'TAKT_CONFIG_INVALID'],
    ['learning time that is none', { learnFor: '3' }, 'TAKT_CONFIG_INVALID'],
    ['unit of time that is none', { learnFor: '30', learnUnit: 'shifts' }, 'TAKT_CONFIG_INVALID'],
    ['sensitivity that is none', { sensitivity: 'total' }, 'TAKT_CONFIG_INVALID'],
  ] as const) {
    it(`says that it is told a ${what}`, async () => {
      const { group, caught } = await load(properties)
      const error = nextMessage(caught)
      send(group, sample('flow', 1))
      assert.match(JSON.stringify((await error).error), new RegExp(code))
    })
  }

  const shown = (node: Node): { fill: string; text: string } | undefined =>
    (node as unknown as { status: { lastCall?: { args: [{ fill: string; text: string }] } } }).status.lastCall?.args[0]

  it('shows how far it has learned', async () => {
    const { group } = await load()
    sendRows(group, 0, 61)
    await until(() => shown(group)?.text === 'learning 60/100, 4 signals', 'it shows that it learns')
    assert.equal(shown(group)?.fill, 'grey')
    sendRows(group, 61, 130)
    await until(() => shown(group)?.fill === 'green', 'it shows that it judges')
  })

  it('says when a plant model that was loaded anew lacks one of its signals, and goes on when it is there again', async () => {
    const file = join(folder, 'plant.json')
    const without = structuredClone(PLANT)
    without.equipment[0]?.signals.pop()
    writeFileSync(file, JSON.stringify(PLANT))
    const node = await loadFlow(
      [registerPlant, registerAnomalyGroup],
      [
        { id: 'f1', type: 'tab' },
        { id: 'a1', type: 'takt-plant', name: 'P', source: 'file', file, clock: 'system' },
        { id: 'n0', z: 'f1', type: 'takt-anomaly-group', plant: 'a1', equipment: UNIT, signals: 'flow, speed', wires: [[], []] },
        { id: 'c0', z: 'f1', type: 'catch', scope: ['n0'], wires: [['e0']] },
        { id: 'e0', z: 'f1', type: 'helper' },
      ],
    )
    const said = (): string[] => (node('n0') as unknown as { error: { args: unknown[][] } }).error.args.map(([error]) => (error as { code: string }).code)
    writeFileSync(file, JSON.stringify(without))
    await until(() => said().includes('TAKT_SIGNAL_UNKNOWN') && shown(node('n0'))?.fill === 'red', 'it says so')
    assert.match(shown(node('n0'))?.text ?? '', /speed/)
    writeFileSync(file, JSON.stringify(PLANT))
    await until(() => shown(node('n0'))?.text === 'learning 0/300, 2 signals', 'it goes on')
  })

  it('has an example that works', async () => {
    const { node, press } = await loadExample('anomaly-group.json', [registerPlant, registerAnomalyGroup])
    const told = collect(node('anomalies'))
    const standing = (): boolean => told.length > 0 && told.at(-1)?.payload.state !== 'cleared'
    const row = async (): Promise<void> => {
      press('ten a second')
      // rows are told apart by their time of arrival
      await wait(2)
    }
    // its values are drawn anew each time: chance can look like an anomaly, and passes; of 300 rows alone that wander slowly too little can be learned
    for (let at = 0; at < 1000 || (standing() && at < 2500); at++) await row()
    const before = told.length
    press('slip')
    for (let at = 0; at < 2500 && told.length === before; at++) await row()
    const payload = told[before]?.payload
    assert.deepEqual([payload.state, payload.method], ['raised', 'group'])
    assert.ok(payload.signals.includes('current'), payload.signals.join())
  }).timeout(60_000)
})
