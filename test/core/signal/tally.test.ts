import assert from 'node:assert/strict'
import { seededRandom } from '../../../core/base/random.ts'
import { countStep } from '../../../core/signal/counter.ts'
import { attribute, EMPTY_TALLY, jobAt, nameJob, readCounter, settle, type Tally } from '../../../core/signal/tally.ts'

function goodOf(tally: Tally): Record<string, number> {
  return Object.fromEntries([...attribute(tally)].map(([job, parts]) => [job ?? '-', parts.good]))
}

describe('counter', () => {
  it('counts on through a rollover', () => {
    assert.equal(countStep(65_535, 0, 65_536), 1)
    assert.equal(countStep(65_530, 3, 65_536), 9)
    assert.equal(countStep(99, 0, 100), 1)
  })

  it('begins again after a reset', () => {
    assert.equal(countStep(412, 0, undefined), 0)
    assert.equal(countStep(412, 7, undefined), 7)
    assert.equal(countStep(412, 7, 65_536), 7)
  })

  it('loses no parts to a reading in between', () => {
    const random = seededRandom(1)
    for (let run = 0; run < 2000; run++) {
      const rollover = random() < 0.5 ? undefined : 1000
      const from = Math.floor(random() * 1000)
      const made = Math.floor(random() * 400)
      const early = Math.floor(random() * made)
      const at = (parts: number): number => (rollover === undefined ? from + parts : (from + parts) % rollover)
      assert.equal(countStep(from, at(early), rollover) + countStep(at(early), at(made), rollover), countStep(from, at(made), rollover))
    }
  })
})

describe('tally', () => {
  it('takes the first reading as the baseline', () => {
    const tally = readCounter(nameJob(EMPTY_TALLY, 0, 'a'), 'good', 'good', 10, 412)
    assert.deepEqual(goodOf(tally), {})
    assert.deepEqual(goodOf(readCounter(tally, 'good', 'good', 20, 415)), { a: 3 })
  })

  it('books parts on the job order that was named at the time of the count, also when it is learned later', () => {
    let tally = nameJob(EMPTY_TALLY, 0, 'a')
    tally = readCounter(tally, 'good', 'good', 10, 0)
    tally = readCounter(tally, 'good', 'good', 20, 1)
    tally = readCounter(tally, 'good', 'good', 40, 3)
    assert.deepEqual(goodOf(tally), { a: 3 })
    tally = nameJob(tally, 30, 'b')
    assert.deepEqual(goodOf(tally), { a: 1, b: 2 })
    // a late reading tells that one of the two was made before the change
    tally = readCounter(tally, 'good', 'good', 25, 2)
    assert.deepEqual(goodOf(tally), { a: 2, b: 1 })
  })

  it('books a count and a job order of the same moment together', () => {
    let tally = readCounter(nameJob(EMPTY_TALLY, 0, 'a'), 'good', 'good', 10, 0)
    tally = readCounter(nameJob(tally, 30, 'b'), 'good', 'good', 30, 1)
    assert.deepEqual(goodOf(tally), { b: 1 })
  })

  it('is not changed by what it knows already', () => {
    let tally = nameJob(EMPTY_TALLY, 0, 'a')
    for (const [time, raw] of [
      [10, 65_534],
      [20, 65_535],
      [30, 0],
      [40, 1],
    ] as const)
      tally = readCounter(tally, 'good', 'good', time, raw, 65_536)
    const known = tally
    for (const [time, raw] of [
      [30, 0],
      [10, 65_534],
      [40, 1],
      [25, 65_535],
      [20, 65_535],
      [5, 65_000],
    ] as const)
      tally = readCounter(tally, 'good', 'good', time, raw, 65_536)
    assert.equal(tally, known)
    assert.equal(nameJob(tally, 0, 'a'), known)
    assert.equal(nameJob(tally, 33, 'a'), known)
    assert.deepEqual(goodOf(tally), { a: 3 })
  })

  it('ignores a late reading that would make parts up', () => {
    let tally = readCounter(EMPTY_TALLY, 'good', 'good', 10, 5)
    tally = readCounter(tally, 'good', 'good', 30, 7)
    for (const raw of [0, 6.5, 900]) tally = readCounter(tally, 'good', 'good', 20, raw)
    assert.deepEqual(goodOf(tally), { '-': 2 })
  })

  it('stays small and keeps what it booked', () => {
    let tally = EMPTY_TALLY
    for (let time = 0; time < 1000; time++) tally = settle(readCounter(nameJob(tally, time, `job-${time >> 3}`), 'good', 'good', time, time))
    assert.ok(JSON.stringify(tally).length < 3000)
    assert.equal(jobAt(tally, 999), 'job-124')
    assert.equal(nameJob(tally, 3, 'other'), tally)
    assert.equal(readCounter(tally, 'good', 'good', 3, 7), tally)
  })

  it('counts under names that objects have', () => {
    const tally = readCounter(readCounter(EMPTY_TALLY, 'toString', 'good', 1, 1), 'toString', 'good', 2, 3)
    assert.deepEqual(goodOf(tally), { '-': 2 })
  })
})
