import assert from 'node:assert/strict'
import { countingIds } from '../../../core/base/id.ts'
import { AnomalyWatch, type WatchSetting } from '../../../core/detect/anomaly-watch.ts'
import { type ContextBy, Making } from '../../../core/detect/making.ts'
import { RunningUnits } from '../../../core/detect/running-units.ts'
import { CONTEXTS_KEPT } from '../../../core/detect/track.ts'
import type { Anomaly } from '../../../core/messages/anomaly.ts'
import type { MachineState } from '../../../core/messages/machine-state.ts'
import type { Sample } from '../../../core/messages/sample.ts'
import { validateDocument } from '../../../core/messages/validate.ts'
import { noisy } from './support/series.ts'

const UNIT = 'acme/line/mill-1'

function machineState(since: number, state: MachineState['state'], jobOrder: string | null = null): MachineState {
  return { kind: 'machine-state', equipment: UNIT, state, mode: 'Produce', since, element: null, reason: null, jobOrder, time: since }
}

interface Made {
  readonly watch: AnomalyWatch
  readonly running: RunningUnits
  readonly making: Making
  readonly forgotten: string[]
  /** Judges values of a product, a second apart, and gives what was told. */
  readonly run: (values: readonly number[], context?: Sample['context'], signal?: string, equipment?: string) => Anomaly[]
}

let clock = 0

function make(by: ContextBy, saved?: unknown, setting: Partial<WatchSetting> = {}, ask?: ConstructorParameters<typeof Making>[2]): Made {
  const running = new RunningUnits(['Execute', 'Idle'], 0)
  const making = new Making(by, running, ask)
  const forgotten: string[] = []
  const watch = new AnomalyWatch(
    {
      method: { name: 'ewma', lambda: 0.2, width: 5, warmup: 50 },
      latch: { holdOffMs: 0, clearAfterMs: 0, persistMs: 1e12 },
      maxSignals: 100,
      running,
      making,
      ids: countingIds(),
      select: () => ({}),
      forgotten: () => {},
      contextForgotten: (equipment, signal, context) => forgotten.push(`${equipment}/${signal} ${context}`),
      ...setting,
    },
    saved,
  )
  const run: Made['run'] = (values, context, signal = 'power', equipment = UNIT) =>
    values.flatMap((value) => {
      const time = (clock += 1000)
      const sample: Sample = { kind: 'sample', equipment, signal, value, quality: 'good', time, received: time, ...(context === undefined ? {} : { context }) }
      const track = watch.trackOf(sample)
      return (track === undefined ? undefined : watch.judge(track, sample)) ?? []
    })
  return { watch, running, making, forgotten, run }
}

const light = (seed: number, length = 100): number[] => noisy(seed, length, () => 10)
const heavy = (seed: number, length = 100): number[] => noisy(seed, length, () => 40)

describe('baselines by context', () => {
  it('by product: a change of set-point is no anomaly, a heavy load on a light product is', () => {
    const plain = make('none')
    plain.run(light(1), { product: 'A' })
    assert.equal(plain.run(heavy(2), { product: 'B' })[0]?.state, 'raised', 'without contexts it is one')
    const { run } = make('product')
    for (let round = 0; round < 3; round++) {
      assert.deepEqual(run(light(3 * round), { product: 'A' }), [])
      assert.deepEqual(run(heavy(3 * round + 1), { product: 'B' }), [])
    }
    const [raised] = run(heavy(9, 10), { product: 'A' })
    assert.equal(raised?.state, 'raised')
    assert.ok(Math.abs((raised?.evidence[0]?.expected ?? 0) - 10) < 1)
    const [cleared] = run(heavy(10, 30), { product: 'B' })
    assert.deepEqual([cleared?.state, cleared?.id], ['cleared', raised?.id], 'one alarm a signal: it is as it should be for what is made now')
  })

  it('goes on after a restart at any row as if there had been none, in all its contexts', () => {
    const plan = Array.from({ length: 12 }, (_, at) => ({ product: `P${at % 3}`, values: noisy(at, 60, () => 10 + 20 * (at % 3) + (at === 10 ? 15 : 0)) }))
    const scores = (every: number): string[] => {
      clock = 0
      let made = make('product')
      let rows = 0
      return plan.flatMap(({ product, values }) =>
        values.map((value) => {
          if (rows++ % every === 0) made = make('product', JSON.parse(JSON.stringify(made.watch.state)), { ids: () => 'an' })
          const told = made.run([value], { product })
          const track = made.watch.trackOf({ equipment: UNIT, signal: 'power' })
          return JSON.stringify([track?.scored(), told.map(({ state, evidence }) => [state, evidence])])
        }),
      )
    }
    const whole = scores(1e9)
    assert.ok(whole.some((row) => row.includes('raised":true')))
    for (const every of [1, 7, 50]) assert.deepEqual(scores(every), whole, `every ${every}`)
  })

  it('keeps twenty contexts a signal, forgets the one left longest ago, and says so', () => {
    const { run, forgotten, watch } = make('product')
    for (let n = 0; n < 3 * CONTEXTS_KEPT; n++) run(light(n, 3), { product: n % 2 === 0 ? 'often' : `P${n}` })
    // besides the one in use nineteen are kept: `often`, seventeen or eighteen others, and the one without a name that nobody used
    assert.equal(forgotten.length, CONTEXTS_KEPT / 2 + 2)
    assert.deepEqual(forgotten.slice(1, 3), [`${UNIT}/power P1`, `${UNIT}/power P3`])
    assert.ok(!forgotten.some((name) => name.endsWith('often')))
    const track = watch.trackOf({ equipment: UNIT, signal: 'power' })
    assert.equal(track?.state.others?.length, CONTEXTS_KEPT - 1)
  })

  it('by machine state: what is usual in Execute is not in Idle', () => {
    const { run, running } = make('state')
    for (let round = 0; round < 3; round++) {
      running.told(machineState(clock, 'Execute'))
      assert.deepEqual(run(heavy(round)), [])
      running.told(machineState(clock, 'Idle'))
      assert.deepEqual(run(light(round)), [])
    }
    assert.equal(run(heavy(7, 10))[0]?.state, 'raised')
  })

  it('by operation: from job orders and work orders that were heard of', () => {
    const { run, running, making } = make('operation')
    making.told({ kind: 'work-order', id: 'wo', product: 'A' })
    for (const operation of ['rough', 'finish']) making.told({ kind: 'job-order', id: `job-${operation}`, workOrder: 'wo', operation })
    for (let round = 0; round < 3; round++) {
      running.told(machineState(clock, 'Execute', 'job-rough'))
      assert.deepEqual(run(heavy(round)), [])
      running.told(machineState(clock, 'Execute', 'job-finish'))
      assert.deepEqual(run(light(round)), [])
    }
    assert.equal(making.of({ equipment: UNIT }), 'A/finish')
    assert.equal(making.of({ equipment: UNIT, context: { jobOrder: 'job-rough', product: 'B' } }), 'B/rough')
  })

  it('asks once for a job order that it never heard of, and judges nothing until it knows', async () => {
    const asked: string[] = []
    const { run, running, making, watch } = make('product', undefined, {}, async (job) => {
      asked.push(job)
      await Promise.resolve()
      if (job === 'broken') throw new Error('no such thing')
      return [
        { kind: 'job-order', id: job, workOrder: 'wo', operation: 'op' },
        { kind: 'work-order', id: 'wo', product: 'A' },
      ]
    })
    running.told(machineState(0, 'Execute', 'job-1'))
    run(light(1))
    assert.equal(watch.trackOf({ equipment: UNIT, signal: 'power' })?.state.context, undefined)
    await new Promise((resolve) => setImmediate(resolve))
    run(light(2))
    assert.equal(watch.trackOf({ equipment: UNIT, signal: 'power' })?.state.context, 'A')
    running.told(machineState(clock, 'Execute', 'broken'))
    assert.equal(making.of({ equipment: UNIT }), null)
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(making.of({ equipment: UNIT }), '', 'nobody knows: the baseline of what has no name')
    assert.deepEqual(asked, ['job-1', 'broken'])
  })

  it('remembers what the orders said through a restart', () => {
    const first = make('product')
    first.making.told({ kind: 'job-order', id: 'j', workOrder: 'wo', operation: 'op' })
    first.making.told({ kind: 'work-order', id: 'wo', product: '__proto__' })
    const second = make('product', JSON.parse(JSON.stringify(first.watch.state)))
    assert.equal(second.making.of({ equipment: UNIT, context: { jobOrder: 'j' } }), '__proto__')
    assert.doesNotThrow(() => second.run(light(1), { jobOrder: 'j' }))
  })
})

describe('commands to the watch', () => {
  it('retrain: clears the alarm and learns anew what is there now', () => {
    const { run, watch } = make('product')
    run(light(1), { product: 'A' })
    const [raised] = run(heavy(2), { product: 'A' })
    assert.equal(raised?.state, 'raised')
    const { signals, cleared } = watch.command({ command: 'retrain', equipment: UNIT })
    assert.equal(signals, 1)
    assert.deepEqual([cleared[0]?.id, cleared[0]?.state, cleared[0]?.evidence[0]?.source], [raised?.id, 'cleared', 'retrain'])
    validateDocument(cleared[0], 'anomaly', 'test')
    assert.deepEqual(run(heavy(3), { product: 'A' }), [])
    assert.equal(run(light(4, 20), { product: 'A' })[0]?.state, 'raised')
  })

  it('freeze: judges and does not learn, until unfreeze; through a restart', () => {
    const cusum = { method: { name: 'cusum', allowance: 0.5, decision: 12, warmup: 50 } } as const
    const first = make('none', undefined, cusum)
    first.run(light(1))
    first.watch.command({ command: 'freeze' })
    const learned = (made: Made): unknown => made.watch.trackOf({ equipment: UNIT, signal: 'power' })?.state.detector.n
    const second = make('none', JSON.parse(JSON.stringify(first.watch.state)), cusum)
    second.run(light(2))
    assert.equal(learned(second), 100)
    assert.equal(second.run(heavy(3, 5))[0]?.state, 'raised')
    const third = make('none', undefined, cusum)
    third.run(light(1))
    third.watch.command({ command: 'freeze' })
    third.watch.command({ command: 'unfreeze' })
    third.run(light(2))
    assert.ok((learned(third) as number) > 150)
  })

  it('forget: drops what is meant and nothing else, also what was not heard of since the start', () => {
    const first = make('none')
    for (const [signal, equipment] of [
      ['power', UNIT],
      ['heat', UNIT],
      ['power', 'acme/line/mill-10'],
      ['power', 'other'],
    ] as const)
      first.run(light(1), undefined, signal, equipment)
    const second = make('none', JSON.parse(JSON.stringify(first.watch.state)))
    assert.equal(second.watch.command({ command: 'forget', equipment: UNIT, signal: 'heat' }).signals, 1)
    assert.equal(second.watch.command({ command: 'forget', equipment: UNIT }).signals, 1, 'mill-10 is not below mill-1')
    assert.equal(second.watch.command({ command: 'forget', equipment: 'acme' }).signals, 1)
    assert.equal(second.watch.command({ command: 'forget', equipment: 'acme' }).signals, 0)
    assert.equal(second.watch.command({ command: 'freeze', signal: 'power' }).signals, 1)
    assert.deepEqual(
      (second.watch.state as { tracks: [string, unknown[]][] }).tracks.filter(([, tracks]) => tracks.length > 0).map(([unit]) => unit),
      ['other'],
    )
    assert.deepEqual(second.run(heavy(4)), [], 'begun anew')
  })
})
