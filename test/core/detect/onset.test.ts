import assert from 'node:assert/strict'
import { type Random, seededRandom } from '../../../core/base/random.ts'
import { scoreOf } from '../../../core/detect/detector.ts'
import { detectorOf } from '../../../core/detect/methods.ts'
import { Onset } from '../../../core/detect/onset/onset.ts'
import { Track, type TrackState } from '../../../core/detect/track.ts'

const MINUTE_MS = 60_000
const START = Date.UTC(2026, 0, 5)
const LATCH = { holdOffMs: 0, clearAfterMs: 60_000, persistMs: 600_000, confirm: 3, clearConfirm: 10 }

function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

const series = (length: number, at: (n: number) => number): number[] => Array.from({ length }, (_, n) => at(n))

/** The strength of each value, five minutes apart. */
function strengths(onset: Onset, values: readonly number[], from = 0): number[] {
  return values.map((value, at) => onset.update(START + (from + at) * 5 * MINUTE_MS, value))
}

/** Noise about a level, with a day of 288 values. */
function daily(seed: number, length: number, extra: (n: number) => number = () => 0): number[] {
  const random = seededRandom(seed)
  return series(length, (n) => 50 + 10 * Math.sin((2 * Math.PI * n) / 288) + normal(random) + extra(n))
}

const alarms = (seen: readonly number[]): number[] => seen.flatMap((strength, at) => (strength >= 1 ? [at] : []))

describe('onset', () => {
  it('sees a step and a spike where they begin, and tells each once', () => {
    for (const seed of [1, 2, 3]) {
      const step = alarms(
        strengths(
          new Onset(),
          daily(seed, 2400, (n) => (n >= 2000 ? 25 : 0)),
        ),
      ).filter((at) => at >= 1900)
      assert.ok(step[0] !== undefined && step[0] >= 2000 && step[0] <= 2002, `seed ${seed}: ${step}`)
      assert.ok(step.length <= 3, `seed ${seed}: told ${step.length} times`)
      const spike = alarms(
        strengths(
          new Onset(),
          daily(seed, 2400, (n) => (n === 2000 ? -40 : 0)),
        ),
      ).filter((at) => at >= 1900)
      assert.equal(spike[0], 2000, `seed ${seed}`)
    }
  })

  it('sees a day that is not like the others, though every value of it is usual', () => {
    const flat = daily(4, 4000, (n) => (n >= 3456 + 40 && n < 3456 + 104 ? -10 * Math.sin((2 * Math.PI * n) / 288) : 0))
    const seen = alarms(strengths(new Onset(), flat)).filter((at) => at >= 3400)
    assert.ok(
      seen.some((at) => at >= 3456 + 40 && at < 3456 + 104),
      String(seen),
    )
  })

  it('is quiet on noise, on days, and on a signal that does not move', () => {
    let told = 0
    for (const seed of [1, 2, 3, 4, 5]) {
      const random = seededRandom(seed)
      told += alarms(
        strengths(
          new Onset(),
          series(5000, () => normal(random)),
        ),
      ).length
      told += alarms(strengths(new Onset(), daily(seed, 5000))).length
    }
    // one in a thousand values at the most
    assert.ok(told <= 50, `${told} in 50,000 values`)
    for (const constant of [0, 7, -1e-12, 123_456_789.123])
      assert.ok(
        strengths(
          new Onset(),
          series(2000, () => constant),
        ).every((strength) => strength === 0),
      )
  })

  it('says the first change of a signal that never moved', () => {
    const seen = strengths(
      new Onset(),
      series(1010, (n) => (n < 1000 ? 7 : 8)),
    )
    assert.deepEqual(alarms(seen).slice(0, 1), [1000])
  })

  it('judges alike in any unit', () => {
    const values = daily(6, 2500, (n) => (n >= 2000 ? 20 : 0))
    const plain = strengths(new Onset(), values)
    for (const unit of [2 ** 30, 2 ** -30]) {
      const scaled = strengths(
        new Onset(),
        values.map((value) => value * unit),
      )
      // a power of two: not a digit is lost
      assert.deepEqual(
        scaled.map((strength) => strength.toFixed(9)),
        plain.map((strength) => strength.toFixed(9)),
      )
    }
  })

  it('does not look ahead: what was said stays when other values follow', () => {
    const values = daily(7, 2500)
    const whole = strengths(new Onset(), values)
    assert.deepEqual(strengths(new Onset(), [...values.slice(0, 1500), ...series(100, () => 1e6)]).slice(0, 1500), whole.slice(0, 1500))
  })

  it('goes on exactly as before when it is written and read at any row', () => {
    const values = daily(8, 1500, (n) => (n >= 1200 && n < 1230 ? 30 : 0))
    const whole = strengths(new Onset(), values)
    assert.ok(alarms(whole).length > 0)
    for (const every of [1, 7, 211]) {
      let onset = new Onset()
      const seen = values.map((value, at) => {
        if (at % every === 0) onset = new Onset(JSON.parse(JSON.stringify(onset.state)))
        return onset.update(START + at * 5 * MINUTE_MS, value)
      })
      assert.deepEqual(seen, whole, `every ${every}`)
    }
  })

  it('begins anew with a state that makes no sense', () => {
    const values = daily(9, 400)
    const fresh = strengths(new Onset(), values)
    const nan = Buffer.from(new Float64Array([Number.NaN]).buffer).toString('base64')
    const long = Buffer.alloc(1_000_000, 1).toString('base64')
    for (const [singles, doubles] of [
      [undefined, undefined],
      [3, {}],
      ['AAA', 'AA'],
      ['', nan],
      [long, ''],
    ] as const) {
      assert.deepEqual(strengths(new Onset({ singles, doubles }), values), fresh)
    }
  })

  it('passes over what is no measurement, and learns nothing from it', () => {
    const values = daily(10, 900)
    const clean = new Onset()
    const dirty = new Onset()
    values.forEach((value, at) => {
      const time = START + at * 5 * MINUTE_MS
      for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, -1e300]) assert.equal(dirty.update(time, bad), 0)
      assert.equal(dirty.update(Number.NaN, value), 0)
      assert.equal(dirty.update(time, value), clean.update(time, value))
    })
  })

  it('bears equal times, gaps and clocks that go back', () => {
    const random = seededRandom(12)
    const onset = new Onset()
    let time = START
    for (let n = 0; n < 6000; n++) {
      const dice = random()
      time += dice < 0.1 ? 0 : dice < 0.12 ? -40 * 86_400_000 : dice < 0.14 ? 45 * 86_400_000 : MINUTE_MS
      const strength = onset.update(time, normal(random))
      assert.ok(strength >= 0 && Number.isFinite(strength), `row ${n}: ${strength}`)
    }
    assert.ok(onset.update(time + MINUTE_MS, 1000) > 1)
  })

  it('can speak again after a clock was set back by years while it held off', () => {
    const onset = new Onset()
    strengths(onset, daily(13, 2000))
    const late = START + 2000 * 5 * MINUTE_MS
    assert.ok(onset.update(late, 500) >= 1)
    const early = late - 3 * 365 * 86_400_000
    let told = 0
    const values = daily(14, 1000, (n) => (n === 900 ? 2000 : 0))
    values.forEach((value, at) => {
      if (onset.update(early + at * 5 * MINUTE_MS, value) >= 1 && at === 900) told++
    })
    assert.equal(told, 1)
  })

  it('tells what is worse again at once, and what is alike again later', () => {
    const at = (extra: (n: number) => number): number[] => alarms(strengths(new Onset(), daily(15, 3600, extra))).filter((row) => row >= 1990)
    const worse = at((n) => (n === 2000 ? 16 : n === 2010 ? 400 : 0))
    assert.ok(worse.includes(2010), String(worse))
    const soon = at((n) => (n === 2000 || n === 2030 ? 60 : 0))
    assert.ok(soon.includes(2000) && !soon.includes(2030), String(soon))
    const later = at((n) => (n === 2000 ? 60 : n === 3300 ? 90 : 0))
    assert.ok(later.includes(2000) && later.includes(3300), String(later))
  })

  it('learns nothing while it is told not to: what was usual is usual still', () => {
    const values = daily(18, 3000)
    const strange = daily(19, 400, (n) => 60 + 20 * Math.sin(n / 3))
    const [told, untold] = [true, false].map((learns) => {
      const onset = new Onset()
      strengths(onset, values.slice(0, 2000))
      strange.forEach((value, at) => {
        onset.update(START + (2000 + at) * 5 * MINUTE_MS, value, learns)
      })
      // normal for long enough that a hold-off is over, then as strange again
      strengths(onset, values.slice(2400), 2400)
      const later = strange.map((value, at) => onset.update(START + (3000 + at) * 5 * MINUTE_MS, value))
      return later.filter((strength) => strength > 0.999).length
    }) as [number, number]
    assert.ok(untold > 3 * told, `${told} and ${untold} rows of 400 as strange as an onset`)
  })

  it('is not told again and again while what began goes on and is not learned', () => {
    const onset = new Onset()
    strengths(onset, daily(20, 2000))
    const told = daily(21, 3000, () => 40).filter((value, at) => onset.update(START + (2000 + at) * 5 * MINUTE_MS, value, false) >= 1).length
    assert.ok(told >= 1 && told <= 4, `${told} times in ten days`)
  })

  it('learns not while its signal is frozen, while a confirmed alarm stands, nor what is beyond the limits of the plant', () => {
    const auto = { name: 'auto' } as const
    const values = daily(22, 2400, (n) => (n >= 2000 ? 60 : 0))
    const onsetOf = (limits: { high?: number }, at2010?: (track: Track) => void): unknown => {
      const track = new Track(detectorOf(auto, limits)!, LATCH)
      values.forEach((value, at) => {
        track.update(START + at * 5 * MINUTE_MS, value, () => 'a')
        if (at === 2010) at2010?.(track)
      })
      const { onset, onsetNumbers, n } = track.state.detector
      return [onset, onsetNumbers, n]
    }
    const free = onsetOf({})
    const kept = [
      onsetOf({}, (track) => {
        track.frozen = true
      }),
      onsetOf({}, (track) => assert.equal(track.judgedBy('a', 'confirmed'), true)),
      onsetOf({ high: 90 }),
    ] as Array<[string, string, number]>
    for (const [at, [singles, , n]] of kept.entries()) {
      assert.notEqual(singles, (free as string[])[0], String(at))
      assert.ok(n <= 2011, `${at}: baseline of ${n} values`)
    }
    assert.deepEqual(kept[0], kept[1], 'a confirmed alarm freezes what is known as a command does')
  })

  it('remembers no more than 64 KB', () => {
    const onset = new Onset()
    strengths(onset, daily(16, 12_000))
    assert.ok(onset.bytes <= 65_536, `${onset.bytes} bytes`)
    assert.ok(JSON.stringify(onset.state).length <= 65_536)
    assert.ok(JSON.stringify(new Onset().state).length < 100)
  })

  it('travels with every sample of auto, beside the state, through restarts, and other methods have none', () => {
    const values = daily(17, 1300, (n) => (n >= 1200 ? 30 : 0))
    const plain = strengths(new Onset(), values).map(scoreOf)
    const auto = { name: 'auto' } as const
    const run = (every: number): Array<number | undefined> => {
      let track = new Track(detectorOf(auto, { high: 500 })!, LATCH)
      return values.map((value, at) => {
        if (at % every === every - 1) {
          const state = JSON.parse(JSON.stringify(track.state)) as TrackState
          track = new Track(detectorOf(auto, { high: 500 }, state.detector)!, LATCH, state)
        }
        track.update(START + at * 5 * MINUTE_MS, value, () => 'a')
        return track.scored().onset
      })
    }
    assert.deepEqual(run(1e9), plain)
    assert.deepEqual(run(50), plain)
    assert.ok(plain.slice(1200).some((score) => score >= 0.5))

    const track = new Track(detectorOf(auto, undefined)!, LATCH)
    track.update(START, 1, () => 'a')
    assert.equal(track.scored().onset, 0)
    track.update(START, 1, () => 'a')
    assert.equal('onset' in track.scored(), false, 'a repetition was not judged')
    const limits = new Track(detectorOf({ name: 'limits', high: 5 }, undefined)!, LATCH)
    limits.update(START, 9, () => 'a')
    assert.equal('onset' in limits.scored(), false)
  })
})
