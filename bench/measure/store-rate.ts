import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../core/base/clock.ts'
import { type Arrival, inboxOf } from '../../core/store/inbox.ts'
import { openStore } from '../../core/store/open-store.ts'
import type { Store, StoreTransaction } from '../../core/store/store.ts'

const SOURCE = 'bench/sensor'
const UNIT = 'acme/berlin/line-1/mill-2'
const ROUNDS = 3

function arrival(n: number): Arrival {
  const payload = {
    kind: 'sample',
    equipment: UNIT,
    signal: 'good',
    value: n,
    quality: 'good',
    time: 1_763_810_000_000 + n,
    received: 1_763_810_000_050 + n,
  } as const
  return {
    source: SOURCE,
    key: { session: 'bench', sequence: n },
    content: `acme/line-1/mill-2/good {"v":${n}}`,
    messages: [{ topic: `${UNIT}/good`, payload }],
  }
}

/** Calls `work` for every number from `from` up to `to`, so many at a time. Resolves with calls a second. */
async function rate(from: number, to: number, atOnce: number, work: (n: number) => Promise<unknown>): Promise<number> {
  let next = from
  const begin = performance.now()
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (next < to) await work(next++)
    }),
  )
  return ((to - from) / (performance.now() - begin)) * 1000
}

/** What a store on this disk takes in a second: SQLite, synchronous FULL. The best of several rounds: others may use the machine. */
export async function storeRates(): Promise<{
  readonly inboxOneByOne: number
  readonly inbox20: number
  readonly inbox1000: number
  readonly replay: number
  readonly effects: number
}> {
  const folder = mkdtempSync(join(tmpdir(), 'takt-bench-'))
  const store: Store = openStore({ file: join(folder, 'takt.db'), clock: systemClock })
  const inbox = inboxOf(store)
  let n = 0
  const best = async (count: number, atOnce: number, work: (n: number) => Promise<unknown>): Promise<number> => {
    const rates: number[] = []
    for (let round = 0; round < ROUNDS; round++) rates.push(await rate(n, (n += count), atOnce, work))
    return Math.max(...rates)
  }
  const effect = (key: number) => (tx: StoreTransaction) =>
    tx.once(`bench ${key}`).then(() => tx.record({ type: 'bench.done', subject: 'bench', actor: 'bench', after: { key } }))
  try {
    await store.head()
    const accept = (sequence: number): Promise<unknown> => inbox.accept(arrival(sequence))
    const inboxOneByOne = await best(300, 1, accept)
    const inbox20 = await best(10_000, 20, accept)
    const inbox1000 = await best(40_000, 1000, accept)
    const effects = await best(5000, 64, (key) => store.transaction(effect(key)))
    const begin = performance.now()
    let rows = 0
    for (let after = 0, size = 200; size === 200; ) {
      const page = await inbox.unsettled(SOURCE, after, 200)
      size = page.length
      rows += size
      after = page.at(-1)?.id ?? after
    }
    return { inboxOneByOne, inbox20, inbox1000, replay: (rows / (performance.now() - begin)) * 1000, effects }
  } finally {
    await store.close()
    rmSync(folder, { recursive: true, force: true })
  }
}
