export interface Row {
  readonly what: string
  /** NaN where it could not be measured. */
  readonly figure: number
  readonly unit: string
  /** What is asked of the figure; without one the row informs only. */
  readonly target?: { readonly atMost: number } | { readonly atLeast: number }
  readonly note?: string
  /** Why there is no figure on this machine: `needs influxd`. It is then neither met nor missed, and the verdict says so. */
  readonly missing?: string
}

/** A row without a figure. */
export function notMeasured(row: Omit<Row, 'figure' | 'missing'>, missing: string): Row {
  return { ...row, figure: Number.NaN, missing }
}

function meets({ figure, target }: Row): boolean {
  if (target === undefined) return true
  return 'atMost' in target ? figure <= target.atMost : figure >= target.atLeast
}

function digits(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2)
}

/** A row's cells: what, figure, target, verdict, note. */
export function cellsOf(row: Row): readonly string[] {
  const target = row.target === undefined ? '' : 'atMost' in row.target ? `≤ ${row.target.atMost}` : `≥ ${row.target.atLeast}`
  if (row.missing !== undefined) return [row.what, 'not measured', target, '', row.missing]
  return [row.what, `${digits(row.figure)} ${row.unit}`.trim(), target, row.target === undefined ? '' : meets(row) ? 'met' : 'MISSED', row.note ?? '']
}

/** Prints the figures beside their targets and one line of verdict; true when every target is met, as far as it could be measured. */
export function printTable(name: string, rows: readonly Row[]): boolean {
  const table = [['', 'figure', 'target', '', ''], ...rows.map(cellsOf)]
  const widths = table[0]?.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0))) ?? []
  for (const row of table)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
  const targets = rows.filter((row) => row.target !== undefined)
  const unmeasured = targets.filter((row) => row.missing !== undefined).length
  const missed = targets.filter((row) => row.missing === undefined && !meets(row)).length
  const met = unmeasured === 0 ? 'every target met' : `${targets.length - unmeasured} targets met`
  const verdict = missed === 0 ? met : `${missed} of ${targets.length} targets missed`
  console.log(`\n${name}: ${verdict}${unmeasured === 0 ? '' : `, ${unmeasured} not measured`}`)
  return missed === 0
}
