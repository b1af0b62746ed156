import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { seededRandom } from '../../../../core/base/random.ts'
import { Spool } from '../../../../core/connect/influx/spool.ts'
import { encodeRecord, linesOfRecord, recordAt, scanSegment } from '../../../../core/connect/influx/spool-record.ts'

interface Dropped {
  readonly rows: number
  readonly from: number
  readonly to: number
}

describe('spool', () => {
  let folder: string
  let dropped: Dropped[]
  let damaged: number
  const opened: Spool[] = []
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'takt-spool-'))
    dropped = []
    damaged = 0
  })
  afterEach(async () => {
    for (const spool of opened.splice(0)) await spool.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const open = async (maxBytes = 10_000_000, at = folder): Promise<Spool> => {
    const spool = await Spool.open({
      folder: at,
      maxBytes,
      where: 'test',
      dropped: (rows, from, to) => void dropped.push({ rows, from, to }),
      damaged: (bytes) => void (damaged += bytes),
    })
    opened.push(spool)
    return spool
  }
  const batch = (n: number, rows = 3): { lines: string[]; from: number; to: number } => ({
    lines: Array.from({ length: rows }, (_, i) => `m,s=a v="${n}.${i}\nsecond line" ${n * 1000 + i}`),
    from: n * 1000,
    to: n * 1000 + rows - 1,
  })
  const drain = async (spool: Spool): Promise<string[]> => {
    const lines: string[] = []
    for (let next = await spool.peek(); next !== undefined; next = await spool.peek()) {
      lines.push(...next.rows.lines)
      await next.remove()
    }
    return lines
  }
  const segments = (): string[] => readdirSync(folder).sort()

  it('gives back what it took, oldest first, also after it was opened anew', async () => {
    const spool = await open()
    for (let n = 0; n < 20; n++) await spool.append(batch(n))
    assert.equal(spool.rows, 60)
    await spool.close()
    const again = await open()
    assert.equal(again.rows, 60)
    assert.deepEqual(await drain(again), Array.from({ length: 20 }, (_, n) => batch(n).lines).flat())
    assert.deepEqual([again.rows, again.bytes, segments()], [0, 0, []])
  })

  it('takes more while it is read', async () => {
    const spool = await open()
    await spool.append(batch(1))
    const first = await spool.peek()
    await spool.append(batch(2))
    await first?.remove()
    assert.deepEqual(await drain(spool), batch(2).lines)
  })

  it('drops the oldest when it is full, tells how many and of which time, and never what was taken already', async () => {
    const size = encodeRecord(batch(0)).length
    const spool = await open(size * 16)
    await spool.append(batch(0))
    await spool.append(batch(1))
    await (await spool.peek())?.remove()
    for (let n = 2; n < 40; n++) await spool.append(batch(n))
    const lines = await drain(spool)
    assert.ok(dropped.length > 0)
    const rows = dropped.reduce((sum, gap) => sum + gap.rows, 0)
    assert.equal(rows + lines.length, 39 * 3)
    assert.equal(dropped[0]?.from, 1000)
    // gaps and what is left follow each other without a hole
    const firstLeft = Number(/ (\d+)$/.exec(lines[0] ?? '')?.[1])
    assert.ok((dropped.at(-1)?.to ?? 0) < firstLeft && firstLeft - (dropped.at(-1)?.to ?? 0) <= 1000)
    assert.ok(lines.at(-1)?.endsWith(' 39002'))
  })

  it('refuses a batch that could never fit', async () => {
    const spool = await open(200)
    await assert.rejects(spool.append(batch(1, 100)), { code: 'TAKT_HISTORIAN_SPOOL' })
    await spool.append({ lines: ['m v=1 1'], from: 1, to: 1 })
    assert.equal(spool.rows, 1)
  })

  it('ignores a torn tail wherever the crash cut it, and goes on', async () => {
    const dice = seededRandom(4711)
    for (let round = 0; round < 60; round++) {
      const spool = await open()
      for (let n = 0; n < 5; n++) await spool.append(batch(n))
      await spool.close()
      const file = join(folder, segments()[0]!)
      const size = statSync(file).size
      const last = encodeRecord(batch(4)).length
      // never beyond the last record: what came before it was flushed
      truncateSync(file, size - 1 - Math.floor(dice() * (last - 1)))
      if (dice() < 0.5) appendFileSync(file, Buffer.from(Array.from({ length: 40 }, () => Math.floor(dice() * 256))))
      const again = await open()
      await again.append(batch(9))
      assert.deepEqual(
        await drain(again),
        [0, 1, 2, 3, 9].flatMap((n) => batch(n).lines),
      )
      await again.close()
    }
    assert.equal(damaged, 0)
  })

  it('finds what stands behind a damaged place, and tells that it is damaged', async () => {
    const dice = seededRandom(99)
    for (let round = 0; round < 40; round++) {
      damaged = 0
      const spool = await open()
      for (let n = 0; n < 6; n++) await spool.append(batch(n))
      await spool.close()
      const file = join(folder, segments()[0]!)
      const bytes = readFileSync(file)
      const size = encodeRecord(batch(2)).length
      const at = encodeRecord(batch(0)).length + size + Math.floor(dice() * size)
      bytes[at] = (bytes[at] ?? 0) ^ (1 + Math.floor(dice() * 255))
      writeFileSync(file, bytes)
      const again = await open()
      const lines = await drain(again)
      assert.deepEqual(
        lines,
        [0, 1, 3, 4, 5].flatMap((n) => batch(n).lines),
      )
      assert.equal(damaged, size)
    }
  })

  it('reads any bytes without a fault', () => {
    const dice = seededRandom(5)
    for (let round = 0; round < 300; round++) {
      const bytes = Buffer.from(Array.from({ length: Math.floor(dice() * 400) }, () => Math.floor(dice() * 256)))
      if (dice() < 0.5) bytes.write('TKr1', 0)
      assert.deepEqual(scanSegment(bytes).records, [])
    }
    const record = encodeRecord(batch(1))
    assert.deepEqual(linesOfRecord(record), batch(1).lines)
    assert.equal(recordAt(record, 0)?.rows, 3)
  })

  it('goes on when somebody deletes its files', async () => {
    const spool = await open(encodeRecord(batch(0)).length * 8)
    for (let n = 0; n < 5; n++) await spool.append(batch(n))
    rmSync(join(folder, segments()[0]!))
    const lines = await drain(spool)
    assert.equal(lines.length, 12)
    assert.ok(damaged > 0)
  })

  it('tells when its folder cannot be made', async () => {
    writeFileSync(join(folder, 'file'), '')
    await assert.rejects(open(1_000_000, join(folder, 'file', 'spool')), { code: 'TAKT_HISTORIAN_SPOOL' })
  })

  it('a full disk: gives up the oldest, keeps the newest, and all is well again when there is room', async function () {
    this.timeout(30_000)
    const disk = join(folder, 'disk')
    if (!mountSmallDisk(disk)) return this.skip()
    try {
      const at = join(disk, 'spool')
      const spool = await open(100_000_000, at)
      const rows = batch(1, 2000)
      for (let n = 0; n < 40; n++) await spool.append(rows)
      assert.ok(dropped.length > 0, 'something was given up')
      assert.equal(spool.rows + dropped.reduce((sum, gap) => sum + gap.rows, 0), 40 * 2000)
      // nothing of ours is left to give up: the disk is filled by others
      await drain(spool)
      spawnSync('dd', ['if=/dev/zero', `of=${join(disk, 'filler')}`, 'bs=4k'])
      await assert.rejects(spool.append(rows), { code: 'TAKT_HISTORIAN_SPOOL' })
      rmSync(join(disk, 'filler'))
      await spool.append(rows)
      assert.equal((await drain(spool)).length, 2000)
      await spool.close()
    } finally {
      execFileSync('umount', [disk])
    }
  })
})

/** Needs root; a runner without it leaves this test out. */
function mountSmallDisk(path: string): boolean {
  execFileSync('mkdir', ['-p', path])
  return spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', path], { stdio: 'ignore' }).status === 0
}
