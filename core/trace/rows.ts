/** Values of one `in (…)`: databases bound the parameters of a statement. */
const AT_ONCE = 2000

/** Reads by many keys, a bounded number a statement. */
export async function readMany<K, R>(keys: readonly K[], read: (some: readonly K[]) => Promise<readonly R[]>): Promise<R[]> {
  const rows: R[] = []
  for (const some of slicesOf(keys, AT_ONCE)) for (const row of await read(some)) rows.push(row)
  return rows
}

export function* slicesOf<T>(items: readonly T[], size: number): Iterable<readonly T[]> {
  for (let from = 0; from < items.length; from += size) yield items.slice(from, from + size)
}
