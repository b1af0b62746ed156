import assert from 'node:assert/strict'
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { seededRandom } from '../../../core/base/random.ts'
import { verifyFile } from '../../../core/store/verify-file.ts'
import { until } from './support/wait.ts'

const MESSAGES = 200
const RECORDERS = 2
/** as support/delivery-child.ts has them */
const STEPS = ['before-commit', 'after-commit', 'before-send', 'after-send', 'before-effect', 'after-effect', 'before-acknowledge', 'after-acknowledge']

/**
 * A sender that repeats what was not acknowledged, a sensor and two recorders killed at random steps, and a reader of the file that shares no code with them.
 */
describe('guaranteed delivery through kill -9', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'takt-test-delivery-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  for (const kind of ['keyed', 'plain'] as const) {
    it(`records each message once in each recorder, killed at every step (${kind === 'keyed' ? 'numbered' : 'told apart by content'})`, async () => {
      const file = join(folder, 'takt.db')
      const random = seededRandom(kind === 'keyed' ? 3 : 5)
      const acknowledged = new Set<number>()
      const sent = new Set<number>()
      let deaths = 0
      const lives = [...STEPS].sort(() => random() - 0.5)
      for (const dieAt of [...lives, 'never']) {
        const child = start(file, kind, dieAt, 1 + Math.floor(random() * 6), acknowledged)
        const most = dieAt === 'never' ? MESSAGES : Math.min(MESSAGES, sent.size + 10 + Math.floor(random() * 30))
        // a sender repeats what it sent before, in order, and goes on
        for (let n = 1; n <= most; n++) {
          if (acknowledged.has(n)) continue
          child.stdin.write(sent.has(n) ? `${n} again\n` : `${n}\n`)
          sent.add(n)
          if (random() < 0.1) await new Promise((later) => setTimeout(later, 2))
        }
        if (dieAt !== 'never') {
          await Promise.race([once(child, 'close'), until(() => acknowledged.size === sent.size, 'everything acknowledged').catch(() => {})])
          if (child.signalCode === null && child.exitCode === null) child.kill('SIGKILL')
          else deaths++
          if (child.exitCode === null && child.signalCode === null) await once(child, 'close')
          continue
        }
        await until(() => acknowledged.size === MESSAGES, 'everything acknowledged')
        await until(() => count(file) >= MESSAGES * RECORDERS, 'everything recorded')
        // whatever would be doubled has time to be
        await new Promise((later) => setTimeout(later, 300))
        child.kill('SIGKILL')
        await once(child, 'close')
      }
      assert.ok(deaths >= STEPS.length / 2, `it died by itself ${deaths} times`)
      assert.deepEqual(lostAndDoubled(file), { lost: [], doubled: [] })
      assert.equal((await verifyFile(file)).ok, true)
    }).timeout(120_000)
  }

  function start(file: string, kind: string, dieAt: string, countdown: number, acknowledged: Set<number>): ChildProcessWithoutNullStreams {
    const script = fileURLToPath(new URL('support/delivery-child.ts', import.meta.url))
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, file, kind, dieAt, String(countdown)])
    child.stdin.on('error', () => {})
    child.stderr.on('data', (data: Buffer) => process.stderr.write(data))
    createInterface({ input: child.stdout }).on('line', (line) => acknowledged.add(Number(line)))
    return child
  }
})

function count(file: string): number {
  return read(file, `select count(*) as n from ledger where type = 'part.made'`)[0]?.n as number
}

function lostAndDoubled(file: string): { lost: string[]; doubled: string[] } {
  const rows = read(file, `select subject, actor, count(*) as n from ledger where type = 'part.made' group by subject, actor`)
  const times = new Map(rows.map(({ subject, actor, n }) => [`${subject} ${actor}`, n as number]))
  const wanted = Array.from({ length: MESSAGES }, (_, n) => ['gate-1', 'gate-2'].map((actor) => `${n + 1} ${actor}`)).flat()
  return { lost: wanted.filter((name) => !times.has(name)), doubled: [...times].filter(([, n]) => n > 1).map(([name]) => name) }
}

function read(file: string, sql: string): Record<string, unknown>[] {
  const db = new DatabaseSync(file, { readOnly: true })
  try {
    return db.prepare(sql).all()
  } finally {
    db.close()
  }
}
