import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ManualClock } from '../../../core/base/clock.ts'
import { ClockWatch, jumpText, setBackSince } from '../../../core/store/clock-watch.ts'
import { openStore } from '../../../core/store/open-store.ts'

const HOUR = 3_600_000
const START = 1_763_810_000_000

describe('the watched clock', () => {
  it('has jumped when it goes on by another time than passed', () => {
    const clock = { now: START, passed: 0 }
    const watch = new ClockWatch({ now: () => clock.now, rate: 1 }, () => clock.passed)
    const after = (clockMs: number, passedMs: number) => {
      clock.now += clockMs
      clock.passed += passedMs
      return watch.look()
    }
    assert.equal(after(10_000, 10_000), undefined)
    assert.deepEqual(after(HOUR + 10, 10), { from: START + 10_000, to: START + 10_010 + HOUR, byMs: HOUR })
    assert.equal(after(1000, 1000), undefined)
    assert.equal(after(10 - HOUR, 10)?.byMs, -HOUR)
    // kept right, and not looked at for a day
    assert.equal(after(24 * HOUR + 40_000, 24 * HOUR), undefined)
    assert.equal(after(-4000, 0), undefined)
  })

  it('is said in words', () => {
    assert.equal(jumpText({ from: 0, to: 0, byMs: -3_605_000 }), 'the clock was set back by 1 h 0 min 5 s')
    assert.equal(jumpText({ from: 0, to: 0, byMs: 61_000 }), 'the clock was set forward by 1 min 1 s')
    assert.equal(setBackSince(START, START - 4000), undefined)
    assert.equal(setBackSince(START, START + HOUR), undefined)
    assert.equal(setBackSince(START, START - HOUR)?.byMs, -HOUR)
  })

  it('is written into the ledger when it jumps, and when it was set back while nobody looked; numbers go on', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'takt-clock-'))
    const clock = new ManualClock(START)
    const note = { type: 'test.event', subject: 's', actor: 'test' }
    const open = () => openStore({ file: join(folder, 'takt.db'), clock, watchClock: true })
    try {
      const store = open()
      await store.transaction((tx) => tx.record(note))
      clock.advance(HOUR)
      await store.transaction((tx) => tx.record(note))
      await store.transaction((tx) => tx.record(note))
      const events = await store.events(0, 10)
      assert.deepEqual(
        events.map(({ sequence, type }) => `${sequence} ${type}`),
        ['1 test.event', '2 test.event', '3 store.clock-jumped', '4 test.event'],
      )
      assert.match(events[2]?.why ?? '', /^the clock was set forward by (1 h|59 min 5\d s)/)
      await store.close()
      clock.advance(-2 * HOUR)
      const again = open()
      await again.transaction((tx) => tx.record(note))
      const [jump] = (await again.events(4, 10)).filter(({ type }) => type === 'store.clock-jumped')
      assert.deepEqual(jump?.after, { from: START + HOUR, to: START - HOUR, byMs: -2 * HOUR })
      assert.equal((await again.verify()).fault, null)
      await again.close()
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
