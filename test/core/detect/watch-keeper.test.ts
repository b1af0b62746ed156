import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ManualClock } from '../../../core/base/clock.ts'
import { countingIds } from '../../../core/base/id.ts'
import { StateFile } from '../../../core/base/state-file.ts'
import { StateFolder } from '../../../core/base/state-folder.ts'
import { AnomalyWatch, type WatchSetting } from '../../../core/detect/anomaly-watch.ts'
import { Making } from '../../../core/detect/making.ts'
import { folderRecords, type RecordMemory, storeRecords } from '../../../core/detect/record-memory.ts'
import { RunningUnits } from '../../../core/detect/running-units.ts'
import { WatchKeeper } from '../../../core/detect/watch-keeper.ts'
import type { WatchChanges } from '../../../core/detect/watch-records.ts'
import type { Anomaly } from '../../../core/messages/anomaly.ts'
import type { Sample } from '../../../core/messages/sample.ts'
import { openStore } from '../../../core/store/open-store.ts'
import { noisy } from './support/series.ts'

const UNIT = 'acme/mill-1'

function sample(time: number, value: number, signal = 'vibration', product?: string): Sample {
  return { kind: 'sample', equipment: UNIT, signal, value, quality: 'good', time, received: time, ...(product === undefined ? {} : { context: { product } }) }
}

const setting = (over: Partial<WatchSetting> = {}): WatchSetting => ({
  method: { name: 'ewma', lambda: 0.2, width: 5, warmup: 30 },
  latch: { holdOffMs: 0, clearAfterMs: 0, persistMs: 1e12 },
  maxSignals: 1000,
  running: new RunningUnits(['Execute'], 0),
  ids: countingIds(),
  select: () => ({}),
  forgotten: () => {},
  ...over,
})

/** A memory that notes what is written. */
class Noted implements RecordMemory {
  readonly records = new Map<string, unknown>()
  readonly writes: WatchChanges[] = []
  broken = false

  load(): Promise<Map<string, unknown>> {
    return Promise.resolve(new Map(this.records))
  }

  async write(changes: WatchChanges): Promise<void> {
    if (this.broken) throw new Error('the disk is full')
    this.writes.push(changes)
    for (const [key, state] of changes.put) this.records.set(key, JSON.parse(JSON.stringify(state)))
    for (const key of changes.drop) this.records.delete(key)
  }

  async remove(): Promise<void> {
    this.records.clear()
  }

  get keys(): string[] {
    return [...this.records.keys()].toSorted()
  }
}

const keeperOf = (memory: RecordMemory, over: Partial<WatchSetting> = {}, atOnce = 600): WatchKeeper =>
  new WatchKeeper({
    memory,
    make: (saved) => new AnomalyWatch(setting(over), saved),
    failed: (thrown) => {
      throw thrown
    },
    now: () => 0,
    atOnce,
  })

const judge = (watch: AnomalyWatch, given: Sample): Anomaly | undefined => {
  const track = watch.trackOf(given)
  return track === undefined ? undefined : watch.judge(track, given)
}
const product = (): Partial<WatchSetting> => {
  const running = new RunningUnits(['Execute'], 0)
  return { running, making: new Making('product', running) }
}

describe('memory of a watch', () => {
  it('is written signal by signal, only what changed, and after an alarm only what belongs to it', async () => {
    const memory = new Noted()
    const keeper = keeperOf(memory)
    const watch = await keeper.open()
    for (const signal of ['a', 'b', 'c']) judge(watch, sample(1, 1, signal))
    await keeper.save()
    assert.deepEqual(memory.keys, [`["${UNIT}","a"]`, `["${UNIT}","b"]`, `["${UNIT}","c"]`, 'about'])
    await keeper.save()
    assert.equal(memory.writes.length, 1, 'nothing changed, nothing is written')
    judge(watch, sample(2, 2, 'a'))
    judge(watch, sample(2, 2, 'b'))
    keeper.alarmed(UNIT, 'b')
    await keeper.saveAlarms()
    assert.deepEqual([...(memory.writes[1]?.put.keys() ?? [])], [`["${UNIT}","b"]`])
    await keeper.save()
    assert.deepEqual([...(memory.writes[2]?.put.keys() ?? [])], [`["${UNIT}","a"]`])
    await keeper.saveAlarms()
    assert.equal(memory.writes.length, 3)
  })

  it('writes so many signals at once at most, those that wait longest first, and all of them in the end', async () => {
    const memory = new Noted()
    const keeper = keeperOf(memory, {}, 100)
    const watch = await keeper.open()
    for (let n = 0; n < 250; n++) judge(watch, sample(n, 1, `s${n}`))
    const written = (): number => memory.keys.filter((key) => key.startsWith('[')).length
    await keeper.save()
    assert.equal(written(), 100)
    for (let n = 0; n < 100; n++) judge(watch, sample(1000, 1, `s${n}`))
    await keeper.save()
    assert.equal(written(), 200)
    await keeper.saveAll()
    assert.equal(written(), 250)
    assert.equal(watch.hasChanges, false)
  })

  it('goes on after a restart at any row as if there had been none, in all contexts', async () => {
    const plan = noisy(3, 400, (n) => (n % 80 < 40 ? 10 : 30) + (n > 370 ? 9 : 0))
    const run = async (every: number): Promise<string[]> => {
      const memory = new Noted()
      let keeper = keeperOf(memory, product())
      let watch = await keeper.open()
      const rows: string[] = []
      for (const [at, value] of plan.entries()) {
        if (at % every === 0) {
          await keeper.saveAll()
          keeper = keeperOf(memory, { ...product(), ids: () => 'an' })
          watch = await keeper.open()
        }
        const given = sample(at * 1000, value, 'vibration', at % 80 < 40 ? 'A' : 'B')
        const told = judge(watch, given)
        rows.push(JSON.stringify([watch.trackOf(given)?.scored(), told?.state, told?.evidence]))
      }
      return rows
    }
    const whole = await run(1e9)
    assert.ok(whole.some((row) => row.includes('"raised"')))
    for (const every of [1, 7, 41]) assert.deepEqual(await run(every), whole, `every ${every}`)
  })

  it('writes a context when it is left, not with every value, and removes those that are forgotten', async () => {
    const memory = new Noted()
    const keeper = keeperOf(memory, { ...product(), contextBytes: 900 })
    const watch = await keeper.open()
    const visit = async (name: string, from: number): Promise<string[]> => {
      for (let n = 0; n < 5; n++) judge(watch, sample(from + n, 1, 'vibration', name))
      const before = memory.writes.length
      await keeper.save()
      return memory.writes
        .slice(before)
        .flatMap(({ put }) => [...put.keys()].map((key) => (key === 'about' ? key : ((JSON.parse(key) as string[])[2] ?? 'own'))))
    }
    assert.deepEqual(await visit('A', 0), ['about', '', 'own'])
    assert.deepEqual(await visit('A', 10), ['own'])
    assert.deepEqual(await visit('B', 20), ['A', 'own'])
    assert.deepEqual(await visit('B', 30), ['own'])
    for (let n = 0; n < 10; n++) await visit(`P${n}`, 100 * n + 100)
    const contexts = memory.keys.filter((key) => key.startsWith('[')).map((key) => (JSON.parse(key) as string[])[2])
    assert.ok(contexts.length <= 5, `bounded by bytes over all signals: ${contexts}`)
    assert.ok(contexts.includes('P8') && !contexts.includes('A'))
    watch.command({ command: 'forget' })
    await keeper.save()
    assert.deepEqual(memory.keys, ['about'])
  })

  it('takes on the one record of versions before, and removes it', async () => {
    const old = new AnomalyWatch(setting(product()))
    for (const [at, value] of noisy(1, 100, () => 10).entries()) judge(old, sample(at * 1000, value, 'vibration', at < 50 ? 'A' : 'B'))
    const memory = new Noted()
    memory.records.set('watch', JSON.parse(JSON.stringify(old.state)))
    const watch = await keeperOf(memory, product()).open()
    assert.deepEqual(memory.keys, [`["${UNIT}","vibration",""]`, `["${UNIT}","vibration","A"]`, `["${UNIT}","vibration"]`, 'about', 'orders', 'units'])
    const given = sample(1e6, 11, 'vibration', 'A')
    judge(old, given)
    judge(watch, given)
    assert.deepEqual(watch.trackOf(given)?.scored(), old.trackOf(given)?.scored())
    assert.notEqual(watch.trackOf(given)?.scored().expected, null)
  })

  it('writes again what could not be written, and drops what another method had learned', async () => {
    const memory = new Noted()
    const keeper = keeperOf(memory)
    const watch = await keeper.open()
    judge(watch, sample(1, 1))
    memory.broken = true
    await assert.rejects(keeper.save(), /disk is full/)
    memory.broken = false
    await keeper.save()
    assert.deepEqual(memory.keys, [`["${UNIT}","vibration"]`, 'about'])
    memory.records.set('scorecard', { of: 'somebody else' })
    const other = keeperOf(memory, { method: { name: 'limits', high: 5 } })
    await other.open()
    await other.save()
    assert.deepEqual(memory.keys, ['about', 'scorecard'])
    assert.equal((memory.records.get('about') as { method: string }).method, 'limits')
  })

  it('lives in a store, or in a folder, and leaves nothing when the node is removed', async () => {
    const store = openStore({ file: ':memory:', clock: new ManualClock(0) })
    const folder = mkdtempSync(join(tmpdir(), 'takt-watch-'))
    try {
      const path = join(folder, 'anomaly-1')
      for (const memory of [storeRecords(store, 'n1'), folderRecords(new StateFolder(path), new StateFile(`${path}.json`))]) {
        const first = keeperOf(memory)
        const watch = await first.open()
        // names may hold anything
        for (let n = 0; n < 1100; n++) judge(watch, sample(1, n, n === 0 ? '../../\u0000"\ud800' : `s${n}`))
        await first.saveAll()
        const again = await keeperOf(memory).open()
        assert.equal((again.state as { tracks: [string, unknown[]][] }).tracks[0]?.[1].length, 1000)
        await first.remove()
        assert.equal((await memory.load()).size, 0)
      }
      assert.deepEqual(readdirSync(folder), [])
      writeFileSync(`${path}.json`, '{"format":1,"method":"ewma","tracks":[],"units":{}}')
      await folderRecords(new StateFolder(path), new StateFile(`${path}.json`)).write({ put: new Map([['a', 1]]), drop: ['watch'] })
      writeFileSync(join(path, 'half.json'), '["b", {"x"')
      assert.deepEqual([...(await new StateFolder(path).load())], [['a', 1]])
      assert.deepEqual(readdirSync(folder), ['anomaly-1'])
    } finally {
      rmSync(folder, { recursive: true, force: true })
      await store.close()
    }
  })
})
