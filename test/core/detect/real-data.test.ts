import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { countingIds } from '../../../core/base/id.ts'
import { packageRoot } from '../../../core/base/package-root.ts'
import { AnomalyWatch } from '../../../core/detect/anomaly-watch.ts'
import { RunningUnits } from '../../../core/detect/running-units.ts'
import type { Sample } from '../../../core/messages/sample.ts'

const folder = join(resolve(packageRoot, process.env.TAKT_BENCH_DATA ?? '../shared'), 'bench', 'nab')
const FILE = 'realKnownCause/ambient_temperature_system_failure.csv'
const DAY_MS = 86_400_000

describe('anomalies in recorded data', () => {
  it('are found in the labelled windows of an office whose heating failed, with hardly any elsewhere', function () {
    if (!existsSync(join(folder, 'data', FILE))) {
      console.log(`    no data in ${folder}: set TAKT_BENCH_DATA to the folder that holds bench/nab`)
      this.skip()
    }
    const utc = (text: string): number => Date.parse(`${text.slice(0, 19).replace(' ', 'T')}Z`)
    const labels = JSON.parse(readFileSync(join(folder, 'labels', 'combined_windows.json'), 'utf8')) as Record<string, [string, string][]>
    const windows = labels[FILE]!.map(([from, to]) => ({ from: utc(from), to: utc(to) }))
    const rows = readFileSync(join(folder, 'data', FILE), 'utf8')
      .trim()
      .split('\n')
      .slice(1)
    assert.equal(windows.length, 2)
    assert.ok(rows.length > 7000)

    // as the anomaly node is when it is dropped into a flow
    const watch = new AnomalyWatch({
      method: { name: 'auto' },
      latch: { holdOffMs: 0, clearAfterMs: 60_000, persistMs: 1_800_000 },
      maxSignals: 10,
      running: new RunningUnits(['Execute'], 0),
      ids: countingIds(),
      select: () => ({}),
      forgotten: () => {},
    })
    const raised: number[] = []
    for (const row of rows) {
      const [stamp = '', value] = row.split(',')
      const time = utc(stamp)
      const sample: Sample = { kind: 'sample', equipment: 'office', signal: 'temperature', value: Number(value), quality: 'good', time, received: time }
      const track = watch.trackOf(sample)
      if (track !== undefined && watch.judge(track, sample)?.state === 'raised') raised.push(time)
    }
    const inside = (time: number): boolean => windows.some(({ from, to }) => time >= from - 2 * DAY_MS && time <= to)
    for (const { from, to } of windows) {
      assert.ok(
        raised.some((time) => time >= from - 2 * DAY_MS && time <= to),
        `nothing raised from ${new Date(from).toISOString()} to ${new Date(to).toISOString()}`,
      )
    }
    const elsewhere = raised.filter((time) => !inside(time))
    assert.ok(elsewhere.length <= 2, `${elsewhere.length} elsewhere: ${elsewhere.map((time) => new Date(time).toISOString())}`)
  })
})
