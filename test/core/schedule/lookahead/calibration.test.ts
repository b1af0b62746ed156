import assert from 'node:assert/strict'
import { type Random, seededRandom } from '../../../../core/base/random.ts'
import { type Life, LifetimeTruth, learnLifetime } from '../../../../core/schedule/lookahead/lifetime.ts'
import { LogNormalTruth, learnLogNormal, typicalLogNormal } from '../../../../core/schedule/lookahead/log-normal.ts'
import { lookAhead } from '../../../../core/schedule/lookahead/look-ahead.ts'
import { input, operation, unit } from './beliefs.ts'

const HOUR = 3_600_000
const UNITS = 3
const JOBS = 4
const MEAN_LIFE = 40 * HOUR
const REPAIR = typicalLogNormal(2 * HOUR, 0.5, 2, 6)
const RATIO = typicalLogNormal(1, 0.12, 4, 8)
const WEIGHT = 2

/** A machine as it really is, which nobody knows: drawn from what is believed before anything was seen. */
interface Machine {
  readonly life: () => number
  readonly repair: () => number
  readonly ratio: () => number
}

function machine(random: Random): Machine {
  const [life, repair, ratio] = [new LifetimeTruth(), new LogNormalTruth(), new LogNormalTruth()]
  life.draw(learnLifetime(MEAN_LIFE, WEIGHT, []), random)
  repair.draw(REPAIR, random)
  ratio.draw(RATIO, random)
  return { life: () => life.remaining(0, 1, random), repair: () => repair.value(random), ratio: () => ratio.value(random) }
}

/** What the plant then really does with a chain of jobs on each unit, each order going from unit to unit: written apart from the twin. */
function live(machines: readonly Machine[], left: number[]): { ends: number[]; failed: boolean[] } {
  const free = machines.map(() => 0)
  const failed = machines.map(() => false)
  const ends = Array.from({ length: JOBS }, (_, job) => {
    let ready = 0
    machines.forEach((truth, unitIndex) => {
      let at = Math.max(ready, free[unitIndex] ?? 0, (job + unitIndex) * 2 * HOUR)
      let rest = 2 * HOUR * truth.ratio()
      while (rest > (left[unitIndex] ?? 0)) {
        at += (left[unitIndex] ?? 0) + truth.repair()
        rest -= left[unitIndex] ?? 0
        left[unitIndex] = truth.life()
        failed[unitIndex] = true
      }
      left[unitIndex] = (left[unitIndex] ?? 0) - rest
      at += rest
      free[unitIndex] = at
      ready = at
    })
    return ready
  })
  return { ends, failed }
}

/** A plant with so many past failures and jobs a unit: what the lookahead says of it, and what then happens. */
function world(seed: number, past: number): { said: number[]; came: number[]; insideTenToNinety: number; saidFailure: number[]; cameFailure: number[] } {
  const random = seededRandom(seed)
  const machines = Array.from({ length: UNITS }, () => machine(random))
  const left: number[] = []
  const units = machines.map((truth) => {
    const lives: Life[] = Array.from({ length: past }, () => ({ operatingMs: truth.life(), failed: true }))
    // it has worked for a while since the last repair
    let [life, ageMs] = [0, 0]
    do [life, ageMs] = [truth.life(), random() * 20 * HOUR]
    while (life < ageMs)
    left.push(life - ageMs)
    return unit({
      lifetime: learnLifetime(MEAN_LIFE, WEIGHT, lives, ageMs),
      ageMs,
      repair: learnLogNormal(
        REPAIR,
        Array.from({ length: past }, () => Math.log(truth.repair())),
      ),
      ratio: learnLogNormal(
        RATIO,
        Array.from({ length: 2 * past }, () => Math.log(truth.ratio())),
      ),
    })
  })
  const operations = Array.from({ length: JOBS }, (_, job) =>
    machines.map((_truth, unitIndex) => {
      const after = unitIndex === 0 ? [] : [job * UNITS + unitIndex - 1]
      return operation({ order: job, unit: unitIndex, start: (job + unitIndex) * 2 * HOUR, workMs: 2 * HOUR, after })
    }),
  ).flat()
  const orders = Array.from({ length: JOBS }, (_, job) => ({ id: `o${job}`, due: (job + UNITS) * 2 * HOUR + random() * 3 * HOUR, weight: 1 }))
  const { orders: outlook, failure } = lookAhead(input({ units, operations, orders }), { runs: 200, seed })
  const { ends, failed } = live(machines, left)
  return {
    said: outlook.map((order) => order?.onTime ?? Number.NaN),
    came: ends.map((end, job) => (end <= (orders[job]?.due ?? 0) ? 1 : 0)),
    insideTenToNinety: ends.filter((end, job) => end >= (outlook[job]?.p10 ?? 0) && end <= (outlook[job]?.p90 ?? 0)).length,
    saidFailure: [...failure],
    cameFailure: failed.map(Number),
  }
}

const WORLDS = 400

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

/** Mean squared difference of what was said and what came. */
const brier = (said: readonly number[], came: readonly number[]): number => mean(said.map((probability, index) => (probability - (came[index] ?? 0)) ** 2))

/** Mean difference of what was said and how often it came, among groups of like predictions (expected calibration error). */
function unreliability(said: readonly number[], came: readonly number[]): number {
  const groups = [...Map.groupBy(said.keys(), (index) => Math.min(4, Math.floor((said[index] ?? 0) * 5))).values()]
  const off = groups.map((group) => Math.abs(mean(group.map((index) => said[index] ?? 0)) - mean(group.map((index) => came[index] ?? 0))) * group.length)
  return off.reduce((sum, one) => sum + one, 0) / said.length
}

describe('the probabilities of the lookahead', () => {
  for (const past of [0, 3, 20]) {
    it(`are what comes true, with ${past} failures and ${2 * past} jobs of history a unit`, () => {
      const worlds = Array.from({ length: WORLDS }, (_, seed) => world(seed + 1, past))
      const said = worlds.flatMap((one) => one.said)
      const came = worlds.flatMap((one) => one.came)
      assert.ok(unreliability(said, came) < 0.04, `on time: ${unreliability(said, came)}`)
      // better by far than to say the same of every order
      assert.ok(brier(said, came) < 0.75 * mean(came) * (1 - mean(came)), `Brier score ${brier(said, came)}`)
      const inside = worlds.reduce((sum, one) => sum + one.insideTenToNinety, 0) / came.length
      assert.ok(Math.abs(inside - 0.8) < 0.04, `between the 10 and the 90 % completion: ${inside}`)

      const saidFailure = worlds.flatMap((one) => one.saidFailure)
      const cameFailure = worlds.flatMap((one) => one.cameFailure)
      assert.ok(unreliability(saidFailure, cameFailure) < 0.04, `failures: ${unreliability(saidFailure, cameFailure)}`)
    })
  }

  it('learn from history what a machine is like: how long it lives, whether it wears out, how long its jobs take', () => {
    const random = seededRandom(9)
    const lives = Array.from({ length: 40 }, () => ({ operatingMs: 100 * HOUR * (-Math.log(1 - random())) ** (1 / 4), failed: true }))
    const learned = learnLifetime(20 * HOUR, 1, lives)
    const sure = (shape: number): number => learned.candidates.find((candidate) => candidate.shape === shape)?.weight ?? 0
    assert.ok(sure(4) > 0.99, 'it wears out')
    const truth = new LifetimeTruth()
    const lifetimes = Array.from({ length: 2000 }, () => {
      truth.draw(learned, random)
      return truth.remaining(0, 1, random) / HOUR
    })
    assert.ok(Math.abs(mean(lifetimes) - 100 * 0.9064) < 5, `${mean(lifetimes)} h`)
    // lives that ended in maintenance are no failures, but say that it lasts
    const maintained = learnLifetime(20 * HOUR, 1, lives.map((life) => ({ ...life, failed: false }))) // biome-ignore format: one line
    truth.draw(maintained, random)
    assert.ok(truth.remaining(0, 1, random) > 100 * HOUR)
    const ratio = learnLogNormal(
      RATIO,
      Array.from({ length: 100 }, (_, index) => Math.log(index % 2 === 0 ? 1.2 : 1.3)),
    )
    assert.ok(Math.abs(Math.exp(ratio.mean) - 1.25) < 0.02)
  })
})
