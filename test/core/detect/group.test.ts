import assert from 'node:assert/strict'
import { groupScorer } from '../../../bench/support/group-scores.ts'
import { type Fault, type GroupSetting, groupSet, judge, seeded } from '../../../bench/support/group-sets.ts'
import { eigenOfSymmetric } from '../../../core/detect/group/eigen.ts'
import { GroupDetector } from '../../../core/detect/group/group-detector.ts'

const RIG: GroupSetting = { seed: 1, size: 8, rows: 1100, from: 550, to: 900, fault: 'none', strength: 0, memory: [0.3, 0.95], warming: 0 }
const PROCESS: GroupSetting = { ...RIG, size: 52, rows: 1200, from: 500, to: 1200 }
const SEEDS = [11, 12, 13, 14]

function judged(setting: GroupSetting, fault: Fault | 'none', strength: number): ReturnType<typeof judge> {
  return judge(
    SEEDS.map((seed) => {
      const set = groupSet({ ...setting, seed, fault, strength })
      const score = groupScorer(setting.size)
      return { labels: set.map(({ label }) => label), scores: set.map(({ values }, at) => score(at * 1000, values)) }
    }),
  )
}

const rowsOf = (setting: Partial<GroupSetting>): number[][] => groupSet({ ...RIG, ...setting }).map(({ values }) => values)

describe('group detector', () => {
  it('keeps quiet on normal rows, also where a signal warms up slowly', () => {
    for (const setting of [RIG, { ...RIG, warming: 1.5 }, PROCESS]) {
      const { falseAlarmRate } = judged(setting, 'none', 0)
      assert.ok(falseAlarmRate < 0.12, `${setting.size} signals, warming ${setting.warming}: ${falseAlarmRate}`)
    }
  })

  for (const [name, setting, fault, strength, f1, delay] of [
    ['a rig', RIG, 'level', 3, 0.8, 15],
    ['a rig', RIG, 'drift', 3, 0.7, 150],
    ['a rig', RIG, 'spread', 3, 0.7, 60],
    ['a process', PROCESS, 'level', 3, 0.95, 15],
    ['a process', PROCESS, 'drift', 3, 0.8, 250],
    ['a process', PROCESS, 'relation', 1, 0.7, 100],
  ] as const) {
    it(`sees a fault of ${name} and stays with it: ${fault}`, () => {
      const found = judged(setting, fault, strength)
      assert.ok(found.f1 >= f1 && found.delay <= delay && found.falseAlarmRate <= 0.15, JSON.stringify(found))
    })
  }

  it('says who is guilty: contributions add up to the square of the deviation', () => {
    const detector = new GroupDetector({ size: 6, caution: 1 })
    const rows = rowsOf({ size: 6, rows: 450, seed: 5 })
    const level = rows[0] ?? []
    let blamed = 0
    rows.forEach((values, at) => {
      // as far off as three of its spreads
      const spread = Math.sqrt(rows.slice(0, 400).reduce((sum, other) => sum + (other[3]! - level[3]!) ** 2, 0) / 400)
      const score = detector.update(at < 400 ? values : values.map((value, i) => (i === 3 ? value + 5 * spread : value)), false)
      if (score.deviation === null) return
      const sum = score.contributions.reduce((total, part) => total + part, 0)
      assert.ok(Math.abs(sum - score.deviation ** 2) < 1e-9 * (1 + sum))
      if (at >= 420) {
        assert.ok(score.deviation >= 1)
        if (score.contributions.indexOf(Math.max(...score.contributions)) === 3) blamed++
      }
    })
    assert.ok(blamed >= 25, `${blamed} of 30`)
  })

  it('does not learn a fault as normal, recovers after it, and begins anew when told', () => {
    const rows = rowsOf({ seed: 3, rows: 5000, from: 600, to: 4800, fault: 'level', strength: 5 })
    const detector = new GroupDetector({ size: 8, caution: 1 })
    const deviations = rows.map((row) => detector.update(row, false).deviation ?? 0)
    assert.ok(deviations.slice(620, 4800).filter((deviation) => deviation >= 1).length > 0.98 * 4180)
    assert.ok(deviations.slice(4900).filter((deviation) => deviation >= 1).length < 30)
    detector.forget()
    assert.deepEqual([detector.update(rows[0]!, false).deviation, detector.rows], [null, 1])
  })

  it('does not learn while it is told that an alarm stands', () => {
    const detector = new GroupDetector({ size: 8, caution: 1 })
    const rows = rowsOf({ rows: 400 })
    for (const row of rows.slice(0, 300)) detector.update(row, false)
    const before = detector.rows
    for (const row of rows.slice(300)) detector.update(row, true)
    assert.equal(detector.rows, before)
  })

  it('goes on after a restart at any row as if it had never stopped', () => {
    const rows = rowsOf({ rows: 700, from: 400, to: 500, fault: 'level', strength: 4, seed: 8 })
    const random = seeded(4)
    const holey = rows.map((row) => row.map((value) => (random() < 0.05 ? Number.NaN : value)))
    const whole = new GroupDetector({ size: 8, caution: 1 })
    let restarted = new GroupDetector({ size: 8, caution: 1 })
    holey.forEach((row, at) => {
      if (at % 7 === 3 || at < 60) restarted = new GroupDetector({ size: 8, caution: 1 }, JSON.parse(JSON.stringify(restarted.state)))
      const expected = whole.update(row, false)
      const found = restarted.update(row, false)
      assert.deepEqual(
        [found.deviation, found.source, [...found.contributions], [...found.expected]],
        [expected.deviation, expected.source, [...expected.contributions], [...expected.expected]],
        `row ${at}`,
      )
    })
  })

  it('fills gaps from the other signals, and does not judge a row of gaps', () => {
    const rows = rowsOf({ seed: 2, rows: 900 })
    const random = seeded(9)
    const detector = new GroupDetector({ size: 8, caution: 1 })
    let alarms = 0
    for (const row of rows)
      if (
        (detector.update(
          row.map((value) => (random() < 0.2 ? Number.NaN : value)),
          false,
        ).deviation ?? 0) >= 1
      )
        alarms++
    assert.ok(alarms < 0.15 * rows.length, `${alarms} alarms`)
    const { rows: learned } = detector
    const gaps = [1, 2, Number.NaN, Number.NaN, Number.POSITIVE_INFINITY, Number.NaN, undefined as never, 'x' as never]
    assert.equal(detector.update(gaps, false).deviation, null)
    assert.equal(detector.rows, learned)
  })

  it('takes constants, a signal that never had a value, huge values and short rows', () => {
    const detector = new GroupDetector({ size: 3, caution: 1 })
    for (let at = 0; at < 400; at++) {
      const { deviation } = detector.update([5, 0, Number.NaN], false)
      assert.ok(deviation === null || deviation < 1, `row ${at}: ${deviation}`)
    }
    detector.update([5, 1e308, -1e308], false)
    detector.update([5], false)
    detector.update([], false)
    for (let at = 0; at < 100; at++) assert.ok(Number.isFinite(detector.update([5 + (at % 2), at * 1e300, at], false).deviation ?? 0))
    let moved = new GroupDetector({ size: 2, caution: 1 }).update([0, 0], false).deviation
    const still = new GroupDetector({ size: 2, caution: 1 })
    for (let at = 0; at < 200; at++) moved = still.update([20, 300], false).deviation
    assert.ok((moved ?? 1) < 1)
    for (let at = 0; at < 20; at++) moved = still.update([20, 330], false).deviation
    assert.ok((moved ?? 0) >= 1, 'a signal that never moved has moved by a tenth')
  })

  it('has no use for a state of another number of signals, or of another kind', () => {
    const other = new GroupDetector({ size: 3, caution: 1 })
    other.update([1, 2, 3], false)
    for (const saved of [other.state, null, 'x', { format: 2 }, []]) assert.equal(new GroupDetector({ size: 2, caution: 1 }, saved).rows, 0)
  })
})

describe('eigenvectors of a symmetric matrix', () => {
  for (const size of [1, 2, 3, 8, 60]) {
    it(`${size} × ${size}: each is only stretched, and all are square to each other`, () => {
      const random = seeded(size)
      const matrix = new Float64Array(size * size)
      for (let i = 0; i < size; i++) for (let j = i; j < size; j++) matrix[i * size + j] = matrix[j * size + i] = random() - (i === j ? 0 : 0.5)
      const { values, vectors } = eigenOfSymmetric(matrix, size)
      const dot = (a: number, b: number): number => {
        let sum = 0
        for (let i = 0; i < size; i++) sum += vectors[a * size + i]! * vectors[b * size + i]!
        return sum
      }
      for (let v = 0; v < size; v++) {
        if (v > 0) assert.ok(values[v]! <= values[v - 1]!)
        for (let i = 0; i < size; i++) {
          let stretched = 0
          for (let j = 0; j < size; j++) stretched += matrix[i * size + j]! * vectors[v * size + j]!
          assert.ok(Math.abs(stretched - values[v]! * vectors[v * size + i]!) < 1e-10)
        }
        for (let other = 0; other < size; other++) assert.ok(Math.abs(dot(v, other) - (v === other ? 1 : 0)) < 1e-10)
      }
    })
  }

  it('takes equal values, zeros and a diagonal', () => {
    assert.deepEqual([...eigenOfSymmetric(new Float64Array(9), 3).values], [0, 0, 0])
    assert.deepEqual([...eigenOfSymmetric(Float64Array.from([2, 0, 0, 0, 7, 0, 0, 0, 2]), 3).values], [7, 2, 2])
  })
})
