import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { mock } from 'node:test'
import type { TaktError } from '../../../core/base/error.ts'
import { listBackups } from '../../../core/store/backup.ts'
import { Chore } from '../../../core/store/chore.ts'
import { Upkeep } from '../../../core/store/upkeep.ts'
import { until } from '../connect/support/wait.ts'
import { created, lot, StoreBench } from './support/store.ts'

const HOUR = 3_600_000

describe('a chore of a store', () => {
  const open: Chore[] = []
  afterEach(() => {
    for (const chore of open.splice(0)) chore.close()
  })
  const chore = (changes: Partial<ConstructorParameters<typeof Chore>[0]>): Chore => {
    const made = new Chore({ where: 'here', everyMs: 20, firstMs: 0, last: () => undefined, run: async () => {}, failed: () => {}, now: Date.now, ...changes })
    open.push(made)
    return made
  }

  it('is done again and again, one at a time, and not once it is closed', async () => {
    let runs = 0
    let atOnce = 0
    const one = chore({
      async run() {
        assert.equal(++atOnce, 1)
        await new Promise((later) => setTimeout(later, 30))
        atOnce--
        runs++
      },
    })
    await Promise.all([one.run(), one.run()])
    await until(() => runs >= 3, 'it ran three times')
    one.close()
    await one.run()
    const before = runs
    await new Promise((later) => setTimeout(later, 80))
    assert.equal(runs, before)
  })

  it('counts from the last time an earlier process did it', async () => {
    let runs = 0
    const run = async (): Promise<void> => void runs++
    chore({ everyMs: 60_000, last: () => Date.now() - 30_000, run })
    // a clock that was set back must not stop it
    chore({ everyMs: 60_000, last: () => Date.now() + 3_600_000, run })
    await until(() => runs === 1, 'one is due')
    await new Promise((later) => setTimeout(later, 50))
    assert.equal(runs, 1)
  })

  it('waits for long, and by a clock that may be set', async () => {
    mock.timers.enable({ apis: ['setTimeout'] })
    try {
      const [plain, slept]: [number[], number[]] = [[], []]
      let now = 0
      const hours = async (count: number): Promise<void> => {
        for (let hour = 0; hour < count; hour++) {
          now += HOUR
          mock.timers.tick(HOUR)
          for (let turn = 0; turn < 10; turn++) await Promise.resolve()
        }
      }
      const daily = { everyMs: 24 * HOUR, firstMs: HOUR, now: () => now }
      const last = (): number | undefined => (slept.length === 0 ? undefined : (slept.at(-1) as number) * HOUR)
      chore({ ...daily, run: async () => void plain.push(now / HOUR) })
      chore({ ...daily, last, run: async () => void slept.push(now / HOUR) })
      await hours(50)
      assert.deepEqual([plain, slept], [[1, 25, 49], [1, 25, 49]]) // biome-ignore format: one line
      // a day passes while the machine sleeps
      now += 24 * HOUR
      await hours(2)
      assert.deepEqual([plain.length, slept.length], [3, 4])
    } finally {
      mock.timers.reset()
    }
  })

  it('is tried again sooner when it failed, and tells why each time', async () => {
    const failures: TaktError[] = []
    chore({ everyMs: 3_600_000, retryMs: 5, run: () => Promise.reject(new Error('no')), failed: (error) => failures.push(error) })
    await until(() => failures.length >= 2, 'it failed twice')
    assert.equal(failures[0]?.code, 'TAKT_INTERNAL')
  })
})

describe('upkeep of a store', () => {
  let bench: StoreBench
  beforeEach(() => {
    bench = new StoreBench()
  })
  afterEach(() => bench.close())

  it('backs up and archives what it was told to, records it, and says what fails', async () => {
    const { store, clock } = bench.open()
    for (let n = 0; n < 5; n++) await store.transaction((tx) => tx.record({ type: 'count.recorded', subject: 'u', actor: 'node:1', after: { n } }))
    clock.advance(100 * 86_400_000)
    await store.transaction((tx) => tx.save(lot('lot-1'), created))
    const done: string[] = []
    const failures: TaktError[] = []
    const [backups, archive] = [join(bench.folder, 'backups'), join(bench.folder, 'archive')]
    const upkeep = new Upkeep({
      store,
      source: { file: bench.file() },
      backup: { everyMs: 3_600_000, folder: backups, keep: 2 },
      archive: { olderThanMs: 31 * 86_400_000, folder: archive },
      plantNow: () => clock.now(),
      now: Date.now,
      done: (what) => done.push(what),
      failed: (error) => failures.push(error),
    })
    try {
      await upkeep.backup?.run()
      await upkeep.archive?.run()
      await upkeep.archive?.run()
      assert.match(done[0] ?? '', /backed up to .*up to row 6$/)
      assert.match(done[1] ?? '', /moved 5 rows of the ledger into 1 files/)
      assert.deepEqual([done.length, failures.length, listBackups(backups).length], [2, 0, 1])
      const types = (await store.events(5, 10)).map(({ type }) => type)
      assert.deepEqual(types, ['lot.created', 'store.backed-up', 'ledger.archived', 'ledger.trimmed'])
      assert.equal((await bench.verify(bench.file(), { archive })).fault, null)
    } finally {
      upkeep.close()
    }

    const file = bench.file('a-file')
    writeFileSync(file, '')
    const stuck = new Upkeep({
      store,
      source: { file: bench.file() },
      backup: { everyMs: 3_600_000, folder: file, keep: 2 },
      plantNow: () => clock.now(),
      now: Date.now,
      firstMs: 0,
      done: (what) => done.push(what),
      failed: (error) => failures.push(error),
    })
    await until(() => failures.length === 1, 'the backup failed')
    stuck.close()
    assert.equal(failures[0]?.code, 'TAKT_BACKUP_FOLDER')
    assert.ok(existsSync(file))
  })
})
