import type { StoreReader } from '../store/store.ts'

type Db = Pick<StoreReader, 'db'>

/** What lies in a container by itself: lot to quantity. */
export async function contentsOf({ db }: Db, container: string): Promise<ReadonlyMap<string, number>> {
  const rows = await db.selectFrom('lot_content').select(['lot', 'quantity']).where('container', '=', container).orderBy('lot').execute()
  return new Map(rows.map(({ lot, quantity }) => [lot, quantity]))
}

/** The containers around a lot, the nearest first. */
export async function packedIn({ db }: Db, lot: string): Promise<readonly string[]> {
  const around = new Set<string>()
  for (let inner = [lot]; inner.length > 0; ) {
    const rows = await db.selectFrom('lot_content').select('container').where('lot', 'in', inner).orderBy('container').execute()
    inner = rows.map(({ container }) => container).filter((container) => !around.has(container))
    for (const container of inner) around.add(container)
  }
  return [...around]
}

/** Everything in a container, also in containers in it, and what left with it when it was shipped. */
export async function everIn(reader: Db, container: string): Promise<readonly string[]> {
  const lots = new Set<string>()
  for (let outer = [container]; outer.length > 0; ) {
    const rows = await reader.db.selectFrom('lot_content').select('lot').where('container', 'in', outer).execute()
    outer = rows.map(({ lot }) => lot).filter((lot) => !lots.has(lot))
    for (const lot of outer) lots.add(lot)
  }
  const shipped = await reader.db.selectFrom('lot_shipment').select('lot').distinct().where('container', '=', container).execute()
  for (const { lot } of shipped) lots.add(lot)
  lots.delete(container)
  return [...lots]
}
