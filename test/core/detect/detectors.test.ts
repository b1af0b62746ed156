import assert from 'node:assert/strict'
import { type Random, seededRandom } from '../../../core/base/random.ts'
import { type Detector, type DetectorState, scoreOf, twoSidedTail } from '../../../core/detect/detector.ts'
import { type AlarmLimits, detectorOf, type Method } from '../../../core/detect/methods.ts'
import { Track, type TrackState } from '../../../core/detect/track.ts'

const METHODS: readonly Method[] = [
  { name: 'auto' },
  { name: 'limits', low: -20, high: 20 },
  { name: 'rate', maxPerSecond: 5 },
  { name: 'ewma', lambda: 0.2, width: 4, warmup: 50 },
  { name: 'robust-z', window: 100, threshold: 6, warmup: 30 },
  { name: 'stuck', forMs: 20_000, tolerance: 0 },
]

function make(method: Method, state?: DetectorState, alarm?: AlarmLimits): Detector {
  const detector = detectorOf(method, alarm, state)
  assert.ok(detector)
  return detector
}

function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

/** The deviation of each value, a second apart. */
function deviations(detector: Detector, values: readonly number[]): Array<number | null> {
  return values.map((value, at) => detector.update(at * 1000, value, false).deviation)
}

const series = (length: number, at: (n: number) => number): number[] => Array.from({ length }, (_, n) => at(n))

describe('detectors', () => {
  it('limits: 1 at the limit, below 1 inside, with a margin to clear', () => {
    const limits = make({ name: 'limits', low: 0, high: 10 })
    assert.equal(limits.update(0, 10, false).deviation, 1)
    assert.equal(limits.update(0, 0, false).deviation, 1)
    assert.ok((limits.update(0, 9.6, false).deviation ?? 9) < 0.7)
    assert.ok((limits.update(0, 5, false).deviation ?? 9) === 0)
    assert.equal(limits.update(0, 12, false).deviation, 3)
    assert.deepEqual(limits.evidence(), [{ source: 'limits', value: 12, lower: 0, upper: 10 }])
    const low = make({ name: 'limits', low: 5 })
    assert.ok((low.update(0, 4.9, false).deviation ?? 0) > 1)
    assert.equal(low.update(0, 400, false).deviation, 0)
  })

  it('limits: taken from the signal where the method names none', () => {
    assert.equal(detectorOf({ name: 'limits' }, undefined), undefined)
    assert.equal(make({ name: 'limits' }, undefined, { high: 7.1 }).update(0, 7.1, false).deviation, 1)
  })

  it('rate: change per second, and nothing from two values of one moment', () => {
    const rate = make({ name: 'rate', maxPerSecond: 2 })
    assert.equal(rate.update(0, 10, false).deviation, null)
    assert.equal(rate.update(1000, 12, false).deviation, 1)
    assert.equal(rate.update(1000, 99, false).deviation, 0)
    assert.equal(rate.update(3000, 4, false).deviation, 2)
    assert.equal(rate.evidence()[0]?.value, -4)
  })

  it('ewma: sees a small shift that lasts, and no single value', () => {
    const random = seededRandom(3)
    const values = series(600, (n) => 50 + normal(random) + (n === 300 ? 6 : 0) + (n >= 500 ? 3 : 0))
    const seen = deviations(make({ name: 'ewma', lambda: 0.1, width: 5, warmup: 100 }), values)
    assert.ok(seen.slice(0, 100).every((deviation) => deviation === null))
    assert.ok(seen.slice(100, 500).every((deviation) => (deviation ?? 0) < 1))
    assert.ok(seen.slice(520).every((deviation) => (deviation ?? 0) > 1))
  })

  it('robust-z: median and median absolute deviation, as computed the plain way', () => {
    const random = seededRandom(5)
    const values = series(400, (n) => Math.round(10 * normal(random)) / 10 + (n % 50 === 49 ? 30 : 0))
    const window = 41
    const detector = make({ name: 'robust-z', window, threshold: 6, warmup: 10 })
    const median = (list: number[]): number => {
      const sorted = list.toSorted((a, b) => a - b)
      const half = sorted.length >> 1
      return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
    }
    for (const [at, value] of values.entries()) {
      const { deviation, expected } = detector.update(at, value, false)
      const past = values.slice(Math.max(0, at - window), at)
      if (past.length < 10) {
        assert.equal(deviation, null)
        continue
      }
      const middle = median(past)
      const mad = median(past.map((other) => Math.abs(other - middle)))
      assert.ok(Math.abs((expected ?? 0) - middle) < 1e-9)
      const sigma = Math.max(1.4826 * mad, 1e-9 + 1e-3 * Math.abs(middle))
      assert.ok(Math.abs((deviation ?? 0) - Math.abs(value - middle) / sigma / 6) < 1e-9, `row ${at}`)
    }
  })

  it('stuck: the same value for too long, but not over a gap', () => {
    const stuck = make({ name: 'stuck', forMs: 10_000, tolerance: 0.1 })
    assert.deepEqual(deviations(stuck, [1, 1.05, 0.95, 1, 1, 1, 1, 1, 1, 1, 1]).at(-1), 1)
    const gap = make({ name: 'stuck', forMs: 10_000, tolerance: 0 })
    gap.update(0, 7, false)
    assert.equal(gap.update(3_600_000, 7, false).deviation, 0)
  })

  describe('auto', () => {
    const auto = (): Detector => make({ name: 'auto' })
    const first = (values: readonly number[], from: number): number =>
      deviations(auto(), values).findIndex((deviation, at) => at >= from && (deviation ?? 0) >= 1)

    it('is quiet on noise, on a slow wander and on signals that do not move', () => {
      for (let seed = 1; seed <= 10; seed++) {
        const random = seededRandom(seed)
        let wander = 0
        const noise = series(5000, () => {
          wander = 0.97 * wander + 0.1 * normal(random)
          return 50 + wander + normal(random)
        })
        assert.equal(first(noise, 0), -1, `seed ${seed}`)
      }
      assert.equal(
        first(
          series(1000, () => 7),
          0,
        ),
        -1,
      )
      assert.equal(
        first(
          series(1000, (n) => (n % 2 === 0 ? 0 : 1e-12)),
          0,
        ),
        -1,
      )
    })

    it('sees a slow drift, also one that begins while it still learns', () => {
      const random = seededRandom(2)
      const at = first(
        series(3000, (n) => 50 + normal(random) + Math.max(0, n - 1000) / 150),
        0,
      )
      assert.ok(at > 1200 && at < 1900, String(at))
      const early = first(
        series(600, (n) => 50 + normal(random) + Math.max(0, n - 40) / 20),
        0,
      )
      assert.ok(early > 60 && early < 220, String(early))
    })

    it('sees a shift down as well as up, a spike, and a flat line', () => {
      const random = seededRandom(4)
      for (const shift of [-8, 8]) {
        const at = first(
          series(1200, (n) => 50 + normal(random) + (n >= 1000 ? shift : 0)),
          0,
        )
        assert.ok(at >= 1000 && at < 1010, String(at))
      }
      assert.equal(
        first(
          series(1200, (n) => 50 + normal(random) + (n === 1000 ? 15 : 0)),
          0,
        ),
        1000,
      )
      const stuck = first(
        series(1200, (n) => (n >= 1000 ? 50.3 : 50 + normal(random))),
        0,
      )
      assert.ok(stuck > 1020 && stuck < 1060, String(stuck))
    })

    it('minds the alarm limits of the plant from the first value on', () => {
      const detector = make({ name: 'auto' }, undefined, { high: 60 })
      assert.equal(detector.update(0, 50, false).deviation, 0)
      assert.ok((detector.update(1000, 66, false).deviation ?? 0) > 1)
      assert.equal(detector.evidence()[0]?.source, 'limits')
    })

    it('says why: what it saw, what it expected, and how improbable that is', () => {
      const random = seededRandom(6)
      const detector = auto()
      deviations(
        detector,
        series(1030, (n) => 50 + normal(random) + (n >= 1000 ? 12 : 0)),
      )
      const level = detector.evidence().find(({ source }) => source === 'level')
      assert.ok(level !== undefined)
      assert.ok(Math.abs((level.expected ?? 0) - 50) < 0.5)
      assert.ok((level.value ?? 0) > (level.upper ?? 99))
      assert.ok((level.p ?? 1) < 1e-6)
    })

    it('speaks earlier when it is less cautious', () => {
      const random = seededRandom(8)
      const values = series(3000, (n) => 50 + normal(random) + Math.max(0, n - 1000) / 150)
      const times = [0.7, 1, 1.5].map((caution) => deviations(make({ name: 'auto', caution }), values).findIndex((deviation) => (deviation ?? 0) >= 1))
      assert.ok(times[0]! < times[1]! && times[1]! < times[2]!, String(times))
    })
  })

  it('give the same scores when their state is written and read at any row', () => {
    const random = seededRandom(11)
    const values = series(700, (n) => 10 * normal(random) + (n > 500 ? 40 : 0))
    for (let n = 620; n < 650; n++) values[n] = 3
    for (const method of METHODS) {
      const options = { holdOffMs: 1000, clearAfterMs: 2000, persistMs: 10_000, confirm: 2, clearConfirm: 3 }
      const run = (every: number): string[] => {
        let id = 0
        let track = new Track(make(method, undefined, { high: 95 }), options)
        return values.map((value, at) => {
          if (at % every === 0) {
            const state = JSON.parse(JSON.stringify(track.state)) as TrackState
            track = new Track(make(method, state.detector, { high: 95 }), options, state)
          }
          const alarm = track.update(at * 1000, value, () => `a${++id}`)
          return JSON.stringify([track.scored(), alarm ?? null])
        })
      }
      const whole = run(1_000_000)
      for (const every of [1, 7, 93]) assert.deepEqual(run(every), whole, `${method.name}, every ${every}`)
    }
  })

  it('keep a state that is plain, small JSON', () => {
    const random = seededRandom(1)
    for (const method of METHODS) {
      const detector = make(method)
      deviations(
        detector,
        series(5000, () => normal(random)),
      )
      const text = JSON.stringify(detector.state)
      assert.deepEqual(JSON.parse(text), detector.state, method.name)
      const most = method.name === 'auto' ? 65_536 : method.name === 'robust-z' ? 3000 : 500
      assert.ok(text.length < most, `${method.name}: ${text.length}`)
    }
  })

  it('begin anew with a state that makes no sense', () => {
    for (const method of METHODS) {
      const broken = { n: 'x', ring: { a: 1 }, first: [null, 'x'], time: null, mean: Number.NaN } as unknown as DetectorState
      const detector = make(method, broken)
      assert.doesNotThrow(() =>
        deviations(
          detector,
          series(200, (n) => n % 7),
        ),
      )
    }
  })
})

describe('scores', () => {
  it('are 0.5 at the threshold and rise to 1', () => {
    assert.equal(scoreOf(0), 0)
    assert.equal(scoreOf(1), 0.5)
    assert.ok(scoreOf(2) > 0.93 && scoreOf(2) < 0.95)
    assert.ok(scoreOf(1e9) <= 1)
  })

  it('rest on the tail of the normal distribution', () => {
    for (const [z, p] of [
      [0, 1],
      [1, 0.3173],
      [1.959964, 0.05],
      [3, 0.0026998],
      [5, 5.733e-7],
      [6, 1.9732e-9],
      [7, 2.5596e-12],
    ] as const) {
      assert.ok(Math.abs(twoSidedTail(z) / p - 1) < 0.05, `z ${z}: ${twoSidedTail(z)}`)
    }
    assert.ok(twoSidedTail(60) >= 0)
  })
})
