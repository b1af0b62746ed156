import assert from 'node:assert/strict'
import { type Life, STEADY, WEARING } from '../../../bench/measure/prognosis-families.ts'
import { foretold, qualityOf, type Told } from '../../../bench/measure/prognosis-lives.ts'
import { seededRandom } from '../../../core/base/random.ts'
import { type Estimate, Prognoser, type PrognoserState } from '../../../core/detect/prognosis/prognoser.ts'

const MINUTE = 60_000
const START = Date.UTC(2026, 0, 1)
const LIVES = 24
const SHARES = Array.from({ length: 19 }, (_, index) => (index + 1) / 20)

/** A line from 2 to 10 in so many rows, with noise. */
function line(rows: number, seed = 1): number[] {
  const random = seededRandom(seed)
  return Array.from({ length: rows }, (_, row) => 2 + (8 * row) / rows + 0.3 * (random() - 0.5))
}

function run(prognoser: Prognoser, values: readonly number[], from = START, everyMs = MINUTE): Estimate | undefined {
  for (const [row, value] of values.entries()) prognoser.update(from + row * everyMs, value)
  return prognoser.estimate()
}

function assertHolds(estimate: Estimate | undefined, rows: number): void {
  assert.ok(estimate !== undefined, 'no trend')
  const { lower, median, upper } = estimate.rows
  assert.ok(lower <= rows && rows <= upper, `${rows} rows left, told ${lower}–${upper}`)
  assert.ok(Math.abs(median - rows) < 0.4 * rows, `${rows} rows left, told ${median}`)
}

describe('prognosis', () => {
  describe('interval', () => {
    const among: Told[] = []
    for (const [name, family] of Object.entries(WEARING)) {
      it(`holds the truth of ${name} as often as it says`, () => {
        const told = Array.from({ length: LIVES }, (_, index): Life => family(5000 + index)).flatMap((life) => foretold(life, SHARES))
        among.push(...told)
        const { coverage, prognoses, error } = qualityOf(told)
        assert.ok(prognoses > 40, `${prognoses} prognoses`)
        assert.ok(coverage > 0.78 && coverage < 0.985, `${coverage}`)
        assert.ok(error < 0.55, `median error ${error}`)
      })
    }

    it('holds it in all of them together between 80 and 95 times of a hundred, at every part of life', () => {
      for (const [from, to] of [
        [0, 0.35],
        [0.35, 0.6],
        [0.6, 0.8],
        [0.8, 1],
        [0, 1],
      ] as const) {
        // biome-ignore format: one line
        const { coverage } = qualityOf(among.filter(({ consumed }) => consumed > from && consumed <= to))
        assert.ok(coverage > 0.8 && coverage < 0.96, `${coverage} from ${from} to ${to}`)
      }
    })

    it('grows with the horizon', () => {
      const width = (share: number): number => {
        const { rows } = run(new Prognoser({ threshold: 10 }), line(600).slice(0, 600 * share)) ?? assert.fail('no trend')
        return rows.upper - rows.lower
      }
      assert.ok(width(0.4) > width(0.7) && width(0.7) > width(0.9))
    })

    for (const [name, family] of Object.entries(STEADY)) {
      it(`is seldom given to ${name}`, () => {
        const { share } = qualityOf(Array.from({ length: 12 }, (_, index) => foretold(family(6000 + index))).flat())
        assert.ok(share < 0.04, `${share}`)
      })
    }
  })

  it('foretells falling signals as rising ones', () => {
    assertHolds(
      run(
        new Prognoser({ threshold: -10 }),
        line(400)
          .slice(0, 300)
          .map((value) => -value),
      ),
      100,
    )
    assertHolds(run(new Prognoser({ threshold: 10 }), line(400).slice(0, 300)), 100)
  })

  it('says reached at the threshold, and nothing away from it', () => {
    assert.equal(run(new Prognoser({ threshold: 8 }), line(400))?.trend, 'reached')
    assert.equal(run(new Prognoser({ threshold: 12, direction: 'rising' }), line(400).reverse()), undefined)
  })

  it('is not thrown by outliers', () => {
    const values = line(400)
      .slice(0, 300)
      .map((value, row) => (row % 37 === 36 ? value + (row % 2 === 0 ? 40 : -40) : value))
    assertHolds(run(new Prognoser({ threshold: 10 }), values), 100)
  })

  it('begins anew after a repair, and foretells the next end', () => {
    const prognoser = new Prognoser({ threshold: 10 })
    assert.ok(run(prognoser, line(400).slice(0, 360)) !== undefined)
    const next = line(500, 2)
    assert.equal(run(prognoser, next.slice(0, 25), START + 360 * MINUTE), undefined)
    assertHolds(run(prognoser, next.slice(25, 400), START + 385 * MINUTE), 100)
  })

  it('takes irregular times as they are, and cuts gaps', () => {
    const random = seededRandom(3)
    const irregular = new Prognoser({ threshold: 10 })
    let time = START
    const values = line(400)
    for (let row = 0; row < 300; row++) {
      // values of the true time, read at irregular ones
      time += MINUTE * (0.3 + 1.4 * random())
      const value = 2 + (8 * (time - START)) / (400 * MINUTE) + 0.3 * (random() - 0.5)
      irregular.update(time, value)
    }
    const left = START + 400 * MINUTE - time
    const { lower, upper } = irregular.estimate() ?? assert.fail('no trend')
    assert.ok(lower <= left && left <= upper)

    const gapped = new Prognoser({ threshold: 10 })
    run(gapped, values.slice(0, 150))
    // a weekend
    assertHolds(run(gapped, values.slice(150, 300), START + 3000 * MINUTE), 100)
  })

  it('passes over what is no number, what comes again, and what comes late, and goes on after a clock was set back', () => {
    const prognoser = new Prognoser({ threshold: 10 })
    const values = line(400)
    run(prognoser, values.slice(0, 200))
    const before = JSON.stringify(prognoser.estimate())
    const now = START + 199 * MINUTE
    assert.equal(prognoser.update(now + MINUTE, Number.NaN), 'not-a-number')
    assert.equal(prognoser.update(now + MINUTE, Number.POSITIVE_INFINITY), 'not-a-number')
    assert.equal(prognoser.update(Number.NaN, 3), 'not-a-number')
    assert.equal(prognoser.update(now + MINUTE, 'x' as never), 'not-a-number')
    assert.equal(prognoser.update(now, 99), 'repeated')
    assert.equal(prognoser.update(now - MINUTE, 99), 'late')
    assert.equal(JSON.stringify(prognoser.estimate()), before)
    const back = START - 5000 * MINUTE
    const outcomes = values.slice(200, 300).map((value, row) => prognoser.update(back + row * MINUTE, value))
    assert.deepEqual([outcomes.filter((outcome) => outcome === 'late').length, outcomes.at(-1)], [9, 'taken'])
    assertHolds(prognoser.estimate(), 100)
  })

  it('goes on exactly after a restart at any row, from plain JSON that does not grow', () => {
    const life = WEARING['gamma process with shocks']?.(7) ?? assert.fail()
    // with a repair and bad values in it
    const values = [...life.values.slice(0, 500), Number.NaN, ...life.values.slice(0, 120)]
    const whole = new Prognoser({ threshold: life.threshold })
    let broken = new Prognoser({ threshold: life.threshold })
    for (const [row, value] of values.entries()) {
      whole.update(START + row * MINUTE, value)
      broken = new Prognoser({ threshold: life.threshold }, JSON.parse(JSON.stringify(broken.state)) as PrognoserState)
      broken.update(START + row * MINUTE, value)
      assert.deepEqual(broken.estimate(), whole.estimate(), `row ${row}`)
    }
    assert.deepEqual(broken.state, whole.state)
    assert.ok(JSON.stringify(whole.state).length < 8000)
  })

  it('says nothing of constants and of steps between constants', () => {
    const prognoser = new Prognoser({ threshold: 10 })
    assert.equal(run(prognoser, new Array<number>(500).fill(3)), undefined)
    assert.equal(run(prognoser, new Array<number>(500).fill(4), START + 500 * MINUTE), undefined)
  })
})
