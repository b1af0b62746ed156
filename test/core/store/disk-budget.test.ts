import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ManualClock } from '../../../core/base/clock.ts'
import { Intake } from '../../../core/connect/intake.ts'
import { DEFAULT_DISK_LIMITS, DiskBudget, type DiskLevel, type DiskSpace, diskLevel, isDiskAt, setDiskBudget } from '../../../core/store/disk-budget.ts'
import { inboxOf } from '../../../core/store/inbox.ts'
import { openStore } from '../../../core/store/open-store.ts'
import { sampleRingOf } from '../../../core/store/sample-ring.ts'
import { until } from '../connect/support/wait.ts'
import { plain, SOURCE, sample } from './support/arrivals.ts'
import { StoreBench } from './support/store.ts'

const GIB = 2 ** 30

describe('disk budget', () => {
  it('tells levels by the share in use, and only where little is free', () => {
    const level = (percent: number, totalGib: number, before: DiskLevel = 'free'): DiskLevel =>
      diskLevel({ usedBytes: (totalGib * GIB * percent) / 100, freeBytes: (totalGib * GIB * (100 - percent)) / 100 }, DEFAULT_DISK_LIMITS, before)
    assert.deepEqual(
      [50, 69, 70, 85, 94, 95, 100].map((percent) => level(percent, 16)),
      ['free', 'free', 'thin', 'stop', 'stop', 'refuse', 'refuse'],
    )
    assert.equal(level(97, 1000), 'free', '30 GiB are room enough')
    assert.equal(level(99.5, 1000), 'refuse')
    // a level that holds is left two percent below its limit
    assert.equal(level(84, 16, 'stop'), 'stop')
    assert.equal(level(82, 16, 'stop'), 'thin')
    assert.equal(level(94, 16, 'thin'), 'stop')
  })

  it('follows the file system, tells of each change once, and does not mind one that cannot be asked', async () => {
    let space: DiskSpace | Error = { usedBytes: 1, freeBytes: 99 }
    const budget = new DiskBudget('/nowhere/takt.db', {
      everyMs: 5,
      read: async () => {
        if (space instanceof Error) throw space
        return space
      },
    })
    try {
      const told: DiskLevel[] = []
      budget.watch((level) => told.push(level))
      await budget.check()
      space = { usedBytes: 86, freeBytes: 14 }
      await until(() => told.length === 1, 'the first change')
      assert.ok(budget.isAt('thin') && budget.isAt('stop') && !budget.isAt('refuse'))
      space = new Error('gone')
      await budget.check()
      assert.equal(budget.level, 'stop')
      space = { usedBytes: 10, freeBytes: 90 }
      await until(() => told.length === 2, 'the second change')
      assert.deepEqual(told, ['stop', 'free'])
    } finally {
      budget.close()
    }
  })

  it('thins and stops the ring of samples, and records the gap when samples are kept again', async () => {
    const bench = new StoreBench()
    try {
      const { store } = bench.open(':memory:')
      let level: DiskLevel = 'free'
      const ring = sampleRingOf(store, { everyMs: 1, diskLevel: () => level })
      const append = (from: number, to: number): void => {
        for (let n = from; n < to; n++) ring.append(sample(n))
      }
      const { equipment, signal, time } = sample(0)
      append(0, 20)
      level = 'thin'
      append(20, 40)
      level = 'stop'
      append(40, 60)
      level = 'free'
      append(60, 62)
      await ring.flush()
      const kept = (await ring.recent(equipment, signal, 0, time + 1e6, 1000)).map(({ value }) => value)
      assert.deepEqual(kept, [...Array.from({ length: 20 }, (_, n) => n), 29, 39, 60, 61])
      await until(async () => (await store.head()).sequence === 1, 'the gap is recorded')
      const [gap] = await store.events(0, 1)
      assert.equal(gap?.type, 'source.gap')
      const { why, ...rest } = gap!.after as { why: string }
      assert.deepEqual(rest, { kind: 'gap', source: 'sample ring', from: sample(40).time, to: sample(60).time, code: 'TAKT_STORE_DISK_BUDGET' })
      assert.match(why, /nearly full/)
    } finally {
      await bench.close()
    }
  })

  describe('on a file system that fills up', () => {
    let folder: string | undefined
    before(function () {
      const made = mkdtempSync(join(tmpdir(), 'takt-test-disk-'))
      try {
        execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', made], { stdio: 'pipe' })
        folder = made
      } catch (error) {
        rmSync(made, { recursive: true, force: true })
        console.log(`      skipped: a small file system cannot be mounted here (${(error as Error).message.split('\n')[0]})`)
        this.skip()
      }
    })
    after(() => {
      if (folder === undefined) return
      execFileSync('umount', [folder])
      rmSync(folder, { recursive: true, force: true })
    })

    it('sees the levels, and loses nothing guaranteed through a full disk', async () => {
      const at = (name: string): string => join(folder as string, name)
      const file = at('takt.db')
      const store = openStore({ file, clock: new ManualClock(0), onFailure: () => {} })
      const budget = new DiskBudget(file, { everyMs: 20 })
      setDiskBudget(store, budget)
      const got: number[] = []
      const intake = new Intake({
        inbox: inboxOf(store),
        source: SOURCE,
        send: (messages) => void got.push(...messages.map(({ payload }) => (payload as { value: number }).value)),
        patienceMs: 60_000,
      })
      try {
        await intake.take(plain(0))
        writeFileSync(at('ballast-1'), Buffer.alloc(9 * 2 ** 20))
        await until(() => isDiskAt(store, 'thin'), 'thin')
        // whatever is left is taken too
        let ballast = 2
        try {
          for (; ballast < 100; ballast++) writeFileSync(at(`ballast-${ballast}`), Buffer.alloc(2 ** 18))
        } catch (error) {
          assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC')
        }
        await until(() => isDiskAt(store, 'refuse'), 'refuse')
        const taken = Promise.all(Array.from({ length: 3000 }, (_, n) => intake.take(plain(n + 1))))
        await until(() => intake.figures.oldestMs > 300, 'the store refuses')
        for (let n = 1; n <= ballast; n++) rmSync(at(`ballast-${n}`), { force: true })
        await taken
        await until(() => budget.level === 'free', 'free again')
        assert.deepEqual(
          got,
          Array.from({ length: 3001 }, (_, n) => n),
        )
        assert.equal((await inboxOf(store).unsettled(SOURCE, 0, 5000)).length, 3001)
      } finally {
        await intake.stop()
        budget.close()
        await store.close()
      }
    }).timeout(60_000)
  })
})
