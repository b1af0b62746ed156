/** Rows with the names of their columns said once: they cross to another thread at half the cost. */
export interface PackedRows {
  readonly columns: readonly string[]
  /** row after row */
  readonly values: readonly unknown[]
}

/** Fewer are not worth it. */
export const PACKED_FROM = 32

/** Of a query's answer: all rows have the same columns. */
export function packAnswer(rows: readonly unknown[]): PackedRows {
  const columns = Object.keys(rows[0] ?? {})
  const values = new Array<unknown>(rows.length * columns.length)
  let at = 0
  for (const row of rows) for (const column of columns) values[at++] = (row as Record<string, unknown>)[column]
  return { columns, values }
}

export function unpackAnswer({ columns, values }: PackedRows): unknown[] {
  const rows: unknown[] = []
  for (let at = 0; at < values.length; ) {
    const row: Record<string, unknown> = {}
    for (const column of columns) row[column] = values[at++]
    rows.push(row)
  }
  return rows
}
