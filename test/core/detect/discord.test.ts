import assert from 'node:assert/strict'
import { seededRandom } from '../../../core/base/random.ts'
import type { Method } from '../../../core/detect/methods.ts'
import { periodOf } from '../../../core/detect/period.ts'
import { ShapeMemory } from '../../../core/detect/shape-memory.ts'
import { assertLearnsNothing, assertQuietOnConstants, assertRestarts, assertSturdy, deviations, make, noisy, rowsOut, series } from './support/series.ts'

const DISCORD: Method = { name: 'discord', memory: 1024, caution: 1 }
const GIVEN: Method = { name: 'discord', shape: 16, memory: 128, caution: 1 }
const wave = (n: number): number => Math.sin((2 * Math.PI * n) / 40) + 0.5 * Math.sin((4 * Math.PI * n) / 40)

describe('discord', () => {
  it('sees a cycle of another shape, of another size, a quicker one and one that is missing', () => {
    const changed: Record<string, (n: number) => number> = {
      shape: (n) => Math.sign(wave(n)),
      size: (n) => 1.6 * wave(n),
      frequency: (n) => wave(1500 + 1.5 * (n - 1500)),
      missing: () => 0,
    }
    for (const [what, other] of Object.entries(changed)) {
      const values = noisy(3, 2500, (n) => 20 + (n >= 1500 && n < 1540 ? other(n) : wave(n)), 0.05)
      const out = rowsOut(make(DISCORD), values)
      assert.ok(out.length > 0 && out.every((row) => row >= 1500 && row < 1600), `${what}: ${out}`)
    }
  })

  it('is quiet on waves that wander in level and size, and on noise', () => {
    for (let seed = 1; seed <= 5; seed++) {
      const random = seededRandom(seed)
      let level = 0
      const values = noisy(seed, 3000, (n) => (level += 0.05 * (random() - 0.5)) + (1 + 0.1 * Math.sin(n / 300)) * wave(n), 0.1)
      assert.deepEqual(rowsOut(make(DISCORD), values), [], `seed ${seed}, waves`)
      assert.deepEqual(
        rowsOut(
          make(DISCORD),
          noisy(seed, 3000, () => 50),
        ),
        [],
        `seed ${seed}, noise`,
      )
    }
  })

  it('says how far the stretch is from its nearest, and what is usual', () => {
    const detector = make(DISCORD)
    const values = noisy(3, 1530, (n) => (n >= 1500 ? 0 : wave(n)), 0.05)
    const seen = deviations(detector, values)
    assert.ok((seen.at(-1) ?? 0) > 1)
    const [evidence] = detector.evidence()
    assert.ok((evidence?.value ?? 0) > (evidence?.upper ?? 9) && (evidence?.upper ?? 0) > (evidence?.expected ?? 9))
    assert.match(evidence?.text ?? '', /^the last 40 values/)
  })

  it('compares with every window of its past, as computed the plain way, also over gaps', () => {
    const random = seededRandom(5)
    const [window, size, floor] = [8, 64, 0.01]
    const memory = new ShapeMemory(window, size, floor)
    const values = noisy(5, 400, (n) => 1e4 + Math.sin(n / 3), 0.1)
    // what is remembered, with the row it came at: neighbours in a window must be neighbours in time
    let past: Array<{ row: number; value: number }> = []
    const moments = (list: number[]): [number, number] => {
      const mean = list.reduce((sum, value) => sum + value / list.length, 0)
      return [mean, list.reduce((sum, value) => sum + (value - mean) ** 2 / list.length, 0)]
    }
    let compared = 0
    values.forEach((value, row) => {
      const distance = memory.distance(value)
      const latest = values.slice(Math.max(0, row - window + 1), row + 1)
      let nearest = Number.POSITIVE_INFINITY
      for (let at = 0; at + window <= past.length && latest.length === window; at++) {
        const part = past.slice(at, at + window)
        if (part.at(-1)!.row - part[0]!.row !== window - 1) continue
        const other = part.map((item) => item.value)
        const [[mean, variance], [otherMean, otherVariance]] = [moments(latest), moments(other)]
        const covariance = latest.reduce((sum, item, n) => sum + ((item - mean) * (other[n]! - otherMean)) / window, 0)
        const scale = Math.sqrt(Math.max(variance, floor) * Math.max(otherVariance, floor))
        nearest = Math.min(nearest, Math.sqrt(Math.max(0, (variance + otherVariance - 2 * covariance) / scale)))
      }
      if (nearest === Number.POSITIVE_INFINITY) assert.equal(distance, nearest, `row ${row}`)
      else {
        compared++
        assert.ok(Math.abs(distance - nearest) < 1e-3, `row ${row}: ${distance}, ${nearest}`)
      }
      const isWorthIt = !(row > 120 && row < 140) && random() > 0.01
      memory.remember(isWorthIt)
      if (row >= window && isWorthIt) past = [...past, { row: row - window, value: values[row - window]! }].slice(-size)
    })
    assert.ok(compared > 300)
  })

  it('finds the cycle by itself, or says that there is none', () => {
    for (const period of [12, 40, 97, 150]) {
      const found = periodOf(
        noisy(2, 512, (n) => n / 100 + wave((n * 40) / period), 0.2),
        4,
        256,
      )
      assert.ok(found !== undefined && Math.abs(found - period) <= 1 + period / 50, `${period}: ${found}`)
    }
    assert.equal(
      periodOf(
        noisy(2, 512, () => 0),
        4,
        256,
      ),
      undefined,
    )
    assert.equal(
      periodOf(
        series(512, () => 3),
        4,
        256,
      ),
      undefined,
    )
  })

  it('remembers nothing while an alarm stands, and still knows the old shape afterwards', () => {
    const measuring = ['seen', 'recent', 'products', 'refreshed', 'quiet', 'junction']
    assertLearnsNothing(
      GIVEN,
      noisy(4, 400, wave, 0.05),
      noisy(5, 400, (n) => Math.sign(wave(n))),
      measuring,
    )
    const values = noisy(6, 6000, (n) => (n >= 2000 && n < 5000 ? Math.sign(wave(n)) : wave(n)), 0.05)
    const seen = deviations(make(DISCORD), values)
    assert.ok(seen.slice(2050, 5000).every((deviation) => (deviation ?? 0) >= 0.7))
    assert.ok(seen.slice(5100).every((deviation) => (deviation ?? 9) < 0.7))
  })

  it('is quiet on constants, sturdy, and goes on after a restart at any row', () => {
    for (const method of [DISCORD, GIVEN]) {
      assertQuietOnConstants(method)
      assertSturdy(method)
    }
    assertRestarts(
      GIVEN,
      noisy(6, 500, (n) => (n > 300 && n < 340 ? -1 : wave(n)), 0.05),
    )
    assertRestarts(
      { name: 'discord', memory: 256, caution: 1 },
      noisy(6, 600, (n) => (n > 500 && n < 540 ? -1 : wave(n)), 0.05),
    )
  })

  it('costs a bounded time and a bounded memory, whatever comes', () => {
    const detector = make(DISCORD)
    noisy(1, 3000, wave).forEach((value, at) => void detector.update(at, value, false))
    const size = JSON.stringify(detector.state).length
    noisy(2, 3000, wave).forEach((value, at) => void detector.update(at, value, false))
    assert.ok(Math.abs(JSON.stringify(detector.state).length / size - 1) < 0.05)
    assert.ok(size < 50_000, String(size))
  })
})
