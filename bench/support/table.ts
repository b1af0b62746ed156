export interface Row {
  readonly what: string
  readonly figure: number
  readonly unit: string
  /** What is asked of the figure; without one the row informs only. */
  readonly target?: { readonly atMost: number } | { readonly atLeast: number }
  readonly note?: string
}

function meets({ figure, target }: Row): boolean {
  if (target === undefined) return true
  return 'atMost' in target ? figure <= target.atMost : figure >= target.atLeast
}

function digits(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2)
}

/** Prints the figures beside their targets and one line of verdict; true when every target is met. */
export function printTable(name: string, rows: readonly Row[]): boolean {
  const cells = rows.map((row) => {
    const target = row.target === undefined ? '' : 'atMost' in row.target ? `≤ ${row.target.atMost}` : `≥ ${row.target.atLeast}`
    return [row.what, `${digits(row.figure)} ${row.unit}`.trim(), target, row.target === undefined ? '' : meets(row) ? 'met' : 'MISSED', row.note ?? '']
  })
  const table = [['', 'figure', 'target', '', ''], ...cells]
  const widths = table[0]?.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0))) ?? []
  for (const row of table)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
  const missed = rows.filter((row) => !meets(row))
  console.log(`\n${name}: ${missed.length === 0 ? 'every target met' : `${missed.length} of ${rows.filter((row) => row.target).length} targets missed`}`)
  return missed.length === 0
}
