import assert from 'node:assert/strict'
import { type Random, seededRandom } from '../../../core/base/random.ts'
import type { Sample } from '../../../core/messages/sample.ts'
import type { Signal } from '../../../core/plant/model.ts'
import { NEW_UNIT, readFact, stepUnit as stepAt, type UnitFact, type UnitMemory, type UnitStep } from '../../../core/signal/unit.ts'
import { good, job, scrap, state } from './facts.ts'

/** A step at the time of its last arrival. */
const stepUnit = (memory: UnitMemory, facts: readonly UnitFact[]): UnitStep =>
  stepAt(
    memory,
    facts,
    facts.reduce((now, { received }) => Math.max(now, received), 0),
  )

function sample(value: Sample['value'], quality: Sample['quality'] = 'good'): Sample {
  return { kind: 'sample', equipment: 'u', signal: 's', value, quality, time: 1.5, received: 2 }
}

describe('facts of a unit', () => {
  const read = (role: Signal['role'], value: Sample['value']): UnitFact | undefined => readFact(sample(value), { name: 's', role } as Signal, 'here')

  it('come from samples by the role of their signal', () => {
    assert.deepEqual(read('packml-state', 6), { what: 'state', time: 2, received: 2, state: 'Execute' })
    assert.deepEqual(read('job-order', ' jo-1 '), { what: 'job', time: 2, received: 2, job: 'jo-1' })
    assert.deepEqual(read('job-order', ''), { what: 'job', time: 2, received: 2, job: null })
    assert.equal(read('good-count', 7)?.what, 'count')
    assert.equal(read('condition', 7), undefined)
    assert.equal(readFact(sample(6, 'bad'), { name: 's', role: 'packml-state' }, 'here'), undefined)
  })

  it('are refused with a code when a value cannot be one', () => {
    for (const value of [-1, Number.NaN, Number.POSITIVE_INFINITY, 'many', true])
      assert.throws(() => read('good-count', value), { code: 'TAKT_MACHINE_COUNT_INVALID' })
    assert.throws(() => read('packml-state', 99), { code: 'TAKT_MACHINE_STATE_UNKNOWN' })
    assert.throws(() => read('packml-mode', 'x'), { code: 'TAKT_MACHINE_MODE_UNKNOWN' })
    assert.throws(() => read('job-order', 'x'.repeat(201)), { code: 'TAKT_MACHINE_JOB_INVALID' })
  })
})

describe('unit', () => {
  const names = (step: UnitStep): string[] => step.states.map(({ state: name, since, jobOrder }) => `${name}@${since} ${jobOrder ?? '-'}`)

  it('tells each change of state once, with its time element', () => {
    const first = stepUnit(NEW_UNIT, [state(10, 'Idle')])
    assert.deepEqual(names(first), ['Idle@10 -'])
    assert.equal(stepUnit(first.memory, [state(20, 'Idle'), state(30, 'Idle')]).learned, false)
    const second = stepUnit(first.memory, [state(40, 'Execute'), job(40, 'a')])
    assert.deepEqual(names(second), ['Execute@40 a'])
    assert.equal(second.states[0]?.element, 'APT')
  })

  it('says nothing of a unit whose state is not known yet', () => {
    const { states, memory } = stepUnit(NEW_UNIT, [job(10, 'a'), good(10, 5)])
    assert.deepEqual(states, [])
    assert.deepEqual(names(stepUnit(memory, [state(20, 'Execute')])), ['Execute@20 a'])
  })

  it('goes through every state of a batch, whatever order it came in', () => {
    const step = stepUnit(NEW_UNIT, [state(30, 'Complete'), state(10, 'Idle'), job(20, 'a'), state(20, 'Execute')])
    assert.deepEqual(names(step), ['Idle@10 -', 'Execute@20 a', 'Complete@30 a'])
  })

  it('is not led astray by a state that comes late', () => {
    const { memory } = stepUnit(NEW_UNIT, [state(10, 'Idle'), state(20, 'Execute')])
    assert.deepEqual(names(stepUnit(memory, [state(15, 'Aborted')])), [])
  })

  it('stays as it is when guaranteed facts of one moment come again, one by one', () => {
    const at = (order: number, fact: UnitFact): UnitFact => ({ ...fact, order })
    const facts = [
      at(1, state(10, 'Idle')),
      at(2, job(20, 'a')),
      at(3, job(20, 'b')),
      at(4, state(20, 'Execute')),
      at(5, state(20, 'Held')),
      at(6, state(20, 'Execute')),
    ]
    let memory = NEW_UNIT
    for (const fact of facts) memory = stepUnit(memory, [fact]).memory
    assert.deepEqual([memory.present?.state, memory.present?.jobOrder], ['Execute', 'b'])
    // a fact that was lost between its neighbours is still taken
    const lost = stepUnit(
      [facts[0]!, facts[1]!].reduce((known, fact) => stepUnit(known, [fact]).memory, NEW_UNIT),
      [facts[2]!],
    )
    assert.equal(lost.learned, true)
    for (const fact of facts) {
      const step = stepUnit(memory, [fact])
      assert.deepEqual([step.learned, names(step)], [false, []])
      memory = step.memory
    }
  })

  it('counts the last part before the state that ends the job', () => {
    let { memory } = stepUnit(NEW_UNIT, [job(10, 'a'), good(10, 0), state(10, 'Execute')])
    const step = stepUnit(memory, [state(20, 'Complete'), good(20, 1)])
    assert.deepEqual(names(step), ['Complete@20 a'])
    assert.deepEqual(
      step.parts.map(({ jobOrder, added }) => [jobOrder, added.good]),
      [['a', 1]],
    )
    memory = step.memory
    assert.deepEqual(stepUnit(memory, [good(20, 1), state(20, 'Complete')]).parts, [])
  })

  it('falls silent and comes back as what it is when it is heard again', () => {
    let step = stepUnit(NEW_UNIT, [state(10, 'Execute')])
    step = stepUnit(step.memory, [{ what: 'silent', time: 50, received: 80, why: 'nothing heard for 30 s' }])
    assert.deepEqual(names(step), ['NoSignal@50 -'])
    assert.equal(step.states[0]?.element, null)
    assert.equal(step.states[0]?.reason, 'nothing heard for 30 s')
    assert.deepEqual(names(stepUnit(step.memory, [{ what: 'heard', time: 90, received: 90 }])), ['Execute@90 -'])
    // a server says again what it said before: the unit was not seen in between
    assert.deepEqual(names(stepUnit(step.memory, [{ ...state(10, 'Execute'), received: 95 }])), ['Execute@95 -'])
  })

  it('books parts anew, without new parts, when a job order is learned late', () => {
    let step = stepUnit(NEW_UNIT, [job(0, 'a'), good(0, 0)])
    step = stepUnit(step.memory, [good(20, 1), good(30, 2)])
    step = stepUnit(step.memory, [{ ...job(25, 'b'), received: 35 }])
    assert.deepEqual(step.parts.map(({ jobOrder, difference, added }) => [jobOrder, difference.good, added.good]).toSorted(), [
      ['a', -1, 0],
      ['b', 1, 0],
    ])
  })

  it('takes a message that comes again and again for no clock set back', () => {
    const hour = 3_600_000
    let { memory } = stepUnit(NEW_UNIT, [job(hour, 'a'), good(hour, 10), good(2 * hour, 11), state(2 * hour, 'Complete')])
    for (let time = 2 * hour; time < 4 * hour; time += 90_000) {
      const again = { time: hour, received: time }
      const step = stepUnit(memory, [
        { ...good(0, 10), ...again },
        { ...state(0, 'Execute'), ...again },
      ])
      assert.equal(step.learned, false)
      memory = step.memory
    }
  })

  it('takes the time of arrival when a clock was set back for good', () => {
    const hour = 3_600_000
    let { memory } = stepUnit(NEW_UNIT, [job(2 * hour, 'a'), good(2 * hour, 10), state(2 * hour, 'Execute')])
    let parts = 0
    let last = ''
    for (let second = 1; second <= 120; second++) {
      const late = { time: hour + second * 1000, received: 2 * hour + second * 1000 }
      const step = stepUnit(memory, [
        { ...good(0, 10 + second), ...late },
        { ...state(0, second < 110 ? 'Execute' : 'Complete'), ...late },
      ])
      memory = step.memory
      for (const change of step.parts) parts += change.added.good
      last = step.states.at(-1)?.state ?? last
    }
    assert.equal(parts, 120)
    assert.equal(last, 'Complete')
  })
})

describe('counts of a unit', () => {
  /** A unit's life as each of its signals tells it, and the truth. */
  function life(random: Random, length: number) {
    const rollover = random() < 0.5 ? 200 : undefined
    const jobs: UnitFact[] = [job(0, 'job-0')]
    const goods: UnitFact[] = []
    const scraps: UnitFact[] = [scrap(0, 40)]
    const truth = new Map<string, { good: number; scrap: number }>()
    let raw = Math.floor(random() * 150)
    let bad = 40
    let name = 'job-0'
    goods.push(good(0, raw, rollover))
    for (let time = 1; time < length; time++) {
      if (random() < 0.1) {
        name = `job-${time}`
        jobs.push(job(time, name))
      }
      const totals = truth.get(name) ?? { good: 0, scrap: 0 }
      truth.set(name, totals)
      const made = Math.floor(random() * 4)
      if (rollover === undefined && random() < 0.05) {
        // a reset, and parts made since
        raw = Math.min(made, raw - 1)
        if (raw < 0) raw = 0
        totals.good += raw
      } else {
        totals.good += made
        raw = rollover === undefined ? raw + made : (raw + made) % rollover
      }
      goods.push(good(time, raw, rollover))
      if (random() < 0.3) {
        bad++
        totals.scrap++
        scraps.push(scrap(time, bad))
      }
    }
    return { streams: [jobs, goods, scraps], truth }
  }

  /** Each stream in its order; between streams any order, up to a lag; some facts twice. */
  function shuffle(streams: readonly UnitFact[][], lag: number, random: Random): UnitFact[] {
    const due = streams.flatMap((stream) => {
      let earliest = 0
      return stream.map((fact) => {
        earliest = Math.max(earliest, fact.time + random() * lag)
        return { at: earliest, fact }
      })
    })
    const again = due.filter(() => random() < 0.2).map(({ at, fact }) => ({ at: at + random() * lag, fact }))
    return [...due, ...again].sort((a, b) => a.at - b.at).map(({ fact }) => fact)
  }

  function replay(arrivals: readonly UnitFact[], random: Random): Map<string, { good: number; scrap: number; added: number }> {
    let memory: UnitMemory = NEW_UNIT
    const totals = new Map<string, { good: number; scrap: number; added: number }>()
    for (let at = 0; at < arrivals.length; ) {
      const size = 1 + Math.floor(random() * 4)
      const step = stepUnit(memory, arrivals.slice(at, at + size))
      at += size
      // a restart now and then
      memory = random() < 0.3 ? (JSON.parse(JSON.stringify(step.memory)) as UnitMemory) : step.memory
      for (const { jobOrder, difference, added } of step.parts) {
        const old = totals.get(jobOrder ?? '') ?? { good: 0, scrap: 0, added: 0 }
        assert.ok(added.good >= 0 && added.scrap >= 0)
        totals.set(jobOrder ?? '', {
          good: old.good + difference.good,
          scrap: old.scrap + difference.scrap,
          added: old.added + added.good + added.scrap,
        })
      }
    }
    return totals
  }

  it('are the same for any interleaving, repetition and batching of the same samples, through rollovers, resets and restarts', () => {
    for (let seed = 1; seed <= 300; seed++) {
      const random = seededRandom(seed)
      const { streams, truth } = life(random, seed % 3 === 0 ? 10 : 120)
      const arrivals = shuffle(streams, 6, random)
      const totals = replay(arrivals, random)
      let made = 0
      for (const [name, { good: parts, scrap: bad }] of truth) {
        const counted = totals.get(name) ?? { good: 0, scrap: 0 }
        assert.deepEqual([counted.good, counted.scrap], [parts, bad], `seed ${seed}, ${name}`)
        made += parts + bad
      }
      const unbooked = totals.get('')
      assert.ok(unbooked === undefined || (unbooked.good === 0 && unbooked.scrap === 0), `seed ${seed}: parts without a job order`)
      assert.equal(
        [...totals.values()].reduce((sum, { added }) => sum + added, 0),
        made,
        `seed ${seed}: deltas`,
      )
    }
  })
})
