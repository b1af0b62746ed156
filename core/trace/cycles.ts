import { sql } from 'kysely'
import { TaktError } from '../base/error.ts'
import type { StoreReader } from '../store/store.ts'
import { readMany } from './rows.ts'
import type { Stock } from './stock-book.ts'

/**
 * Refuses that a lot becomes its own ancestor: none of the lots that are given may lead, through what was made from them, to one that is taken.
 * Only lots that something was made from already can; a new one costs nothing.
 */
export async function refuseCycle({ db }: StoreReader, given: readonly Stock[], taken: readonly Stock[], where: string): Promise<void> {
  if (given.length === 0 || taken.length === 0) return
  const nodes = given.map(({ node }) => node)
  const used = await readMany(nodes, (some) => db.selectFrom('genealogy_edge').select('source').distinct().where('source', 'in', some).execute())
  const ends = new Map(taken.map((stock) => [stock.node, stock]))
  for (const { source } of used) {
    const found = await readMany([...ends.keys()], async (some) => {
      const { rows } = await sql<{ node: number }>`
        with recursive down(node) as (
          select cast(${source} as bigint)
          union
          select edge.target from down cross join genealogy_edge edge where edge.source = down.node
        )
        select node from down where node in (${sql.join(some)}) limit 1`.execute(db)
      return rows
    })
    const hit = ends.get(Number(found[0]?.node))
    if (hit === undefined) continue
    const lot = given.find(({ node }) => node === source)?.lot.id
    throw new TaktError('TAKT_TRACE_CYCLE', { what: `lot '${hit.lot.id}' was made from lot '${lot}', so it cannot go into it`, where })
  }
}
