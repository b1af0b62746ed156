import assert from 'node:assert/strict'
import { Latch, type LatchOptions } from '../../../core/detect/latch.ts'

const options: LatchOptions = { holdOffMs: 0, confirm: 1, clearAfterMs: 0, clearConfirm: 1, persistMs: 1e12 }

/** `time deviation` pairs, and what each changed. */
function run(setting: Partial<LatchOptions>, steps: ReadonlyArray<readonly [number, number]>): Array<string | undefined> {
  const latch = new Latch({ ...options, ...setting })
  let id = 0
  return steps.map(([time, deviation]) => {
    const change = latch.update(time, deviation, () => `a${++id}`)
    return change === undefined ? undefined : `${change} ${latch.alarm === null ? '' : `${latch.alarm.id} ${latch.alarm.severity}`}`.trim()
  })
}

describe('latch', () => {
  it('raises once, holds between the two thresholds, clears, and raises anew under another id', () => {
    assert.deepEqual(
      run({}, [
        [0, 0.5],
        [1, 1.2],
        [2, 0.8],
        [3, 1.1],
        [4, 0.6],
        [5, 0.5],
        [6, 1],
      ]),
      [undefined, 'raised a1 low', undefined, undefined, 'cleared', undefined, 'raised a2 low'],
    )
  })

  it('waits for the hold-off in time, and for values in a row', () => {
    assert.deepEqual(
      run({ holdOffMs: 10 }, [
        [0, 2],
        [5, 2],
        [6, 0],
        [7, 2],
        [16, 2],
        [17, 2],
      ]),
      [undefined, undefined, undefined, undefined, undefined, 'raised a1 medium'],
    )
    assert.deepEqual(
      run({ confirm: 3 }, [
        [0, 2],
        [1, 2],
        [2, 0],
        [3, 2],
        [4, 2],
        [5, 2],
      ]).at(-1),
      'raised a1 medium',
    )
  })

  it('says since when it is out', () => {
    const latch = new Latch({ ...options, holdOffMs: 10 })
    for (const time of [100, 105, 110]) latch.update(time, 1.2, () => 'a')
    assert.equal(latch.alarm?.since, 100)
  })

  it('clears only when it was back for long enough', () => {
    assert.deepEqual(
      run({ clearAfterMs: 10, clearConfirm: 3 }, [
        [0, 1],
        [10, 0],
        [25, 0],
        [26, 0.9],
        [27, 0],
        [30, 0],
        [36, 0],
        [37, 0],
      ]),
      ['raised a1 low', undefined, undefined, undefined, undefined, undefined, undefined, 'cleared'],
    )
  })

  it('grows more severe with the deviation and with time, and never less', () => {
    assert.deepEqual(
      run({ persistMs: 100 }, [
        [0, 1],
        [10, 1.6],
        [20, 1],
        [30, 3],
        [40, 1],
      ]),
      ['raised a1 low', 'updated a1 medium', undefined, 'updated a1 high', undefined],
    )
    assert.deepEqual(
      run({ persistMs: 100 }, [
        [0, 1],
        [99, 1],
        [100, 1],
        [900, 1],
      ]),
      ['raised a1 low', undefined, 'updated a1 medium', undefined],
    )
  })
})
