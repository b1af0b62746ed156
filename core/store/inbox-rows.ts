import type { Arrival } from './inbox.ts'
import { insertRows } from './insert-rows.ts'
import type { StoreTransaction } from './store.ts'

/** An arrival as it is stored. */
export interface Entry {
  readonly source: string
  readonly key: Arrival['key'] | undefined
  readonly repeated: boolean
  readonly hash: string
  /** JSON of the messages */
  readonly body: string
}

export interface Outcome {
  readonly verdict: 'new' | 'known' | 'contradicts'
  readonly id: number
}

interface Known {
  readonly id: number
  readonly hash: string
}

/** Writes the arrivals of one commit that are not known yet, in their order; `now` is real time. Returns what became of each, in the same order. */
export async function commitArrivals(tx: StoreTransaction, entries: readonly Entry[], now: number): Promise<readonly Outcome[]> {
  const [last, byKey, byContent] = await Promise.all([lastId(tx), knownKeys(tx, entries), knownContents(tx, entries)])
  let next = last + 1
  const rows: Array<readonly [number, string, string | null, number | null, string, number]> = []
  const pending: Array<readonly [number, string, string]> = []
  const outcomes = entries.map((entry): Outcome => {
    const { source, key, hash, body } = entry
    const known = key === undefined ? (entry.repeated ? byContent.get(contentName(entry)) : undefined) : byKey.get(keyName(source, key))
    if (known !== undefined) return { verdict: known.hash === hash ? 'known' : 'contradicts', id: known.id }
    const id = next++
    // what comes twice in one group is known the second time
    if (key !== undefined) byKey.set(keyName(source, key), { id, hash })
    else byContent.set(contentName(entry), { id, hash })
    rows.push([id, source, key?.session ?? null, key?.sequence ?? null, hash, now])
    pending.push([id, source, body])
    return { verdict: 'new', id }
  })
  await Promise.all([
    insertRows(tx.db, 'inbox', ['id', 'source', 'session', 'sequence', 'content_hash', 'received'], rows),
    insertRows(tx.db, 'inbox_pending', ['id', 'source', 'body'], pending),
  ])
  return outcomes
}

/** Numbers are never used again: the newest row always stays. */
async function lastId(tx: StoreTransaction): Promise<number> {
  const row = await tx.db
    .selectFrom('inbox')
    .select(({ fn }) => fn.max('id').as('id'))
    .executeTakeFirst()
  return row?.id ?? 0
}

const IN_ONE_QUERY = 500

async function knownKeys(tx: StoreTransaction, entries: readonly Entry[]): Promise<Map<string, Known>> {
  const bySession = new Map<string, { source: string; session: string; sequences: number[] }>()
  for (const { source, key } of entries) {
    if (key === undefined) continue
    const name = JSON.stringify([source, key.session])
    const group = bySession.get(name)
    if (group === undefined) bySession.set(name, { source, session: key.session, sequences: [key.sequence] })
    else group.sequences.push(key.sequence)
  }
  const known = new Map<string, Known>()
  const read = async (source: string, session: string, sequences: readonly number[]): Promise<void> => {
    const rows = await tx.db
      .selectFrom('inbox')
      .select(['id', 'sequence', 'content_hash'])
      .where('source', '=', source)
      .where('session', '=', session)
      // a run of numbers is one range; only what lies inside it is asked for
      .where('sequence', '>=', Math.min(...sequences))
      .where('sequence', '<=', Math.max(...sequences))
      .where('sequence', 'is not', null)
      .execute()
    for (const { id, sequence, content_hash } of rows) known.set(keyName(source, { session, sequence: sequence as number }), { id, hash: content_hash })
  }
  await Promise.all([...bySession.values()].flatMap(({ source, session, sequences }) => runsOf(sequences).map((run) => read(source, session, run))))
  return known
}

/** Numbers in runs without large holes, so that a range of the table holds little else than what is asked for. */
function runsOf(sequences: readonly number[]): number[][] {
  const sorted = [...sequences].sort((a, b) => a - b)
  const runs: number[][] = []
  for (const sequence of sorted) {
    const run = runs.at(-1)
    const first = run?.[0] ?? Number.NEGATIVE_INFINITY
    if (run !== undefined && sequence - (run.at(-1) as number) <= 4 && sequence - first < IN_ONE_QUERY) run.push(sequence)
    else runs.push([sequence])
  }
  return runs
}

async function knownContents(tx: StoreTransaction, entries: readonly Entry[]): Promise<Map<string, Known>> {
  const asked = [...new Set(entries.filter(({ key, repeated }) => key === undefined && repeated).map(({ hash }) => hash))]
  const known = new Map<string, Known>()
  for (let from = 0; from < asked.length; from += IN_ONE_QUERY) {
    const rows = await tx.db
      .selectFrom('inbox')
      .select(['id', 'source', 'content_hash'])
      .where('content_hash', 'in', asked.slice(from, from + IN_ONE_QUERY))
      .where('sequence', 'is', null)
      .execute()
    for (const { id, source, content_hash: hash } of rows) known.set(contentName({ source, hash }), { id, hash })
  }
  return known
}

function keyName(source: string, key: NonNullable<Arrival['key']>): string {
  return `${source}\0${key.session}\0${key.sequence}`
}

function contentName({ source, hash }: Pick<Entry, 'source' | 'hash'>): string {
  return `${source}\0${hash}`
}
