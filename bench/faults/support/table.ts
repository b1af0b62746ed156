import { type FaultRow, verdictOf } from './case.ts'

const HEAD = ['case', 'promise', 'sent', 'lost', 'doubled', 'violated', 'gaps', 'in no gap', 's', '', '']

export function cellsOf(row: FaultRow): readonly string[] {
  const { name, promise, outcome, missing, failure, seconds } = row
  const number = (value: number | undefined): string => (value === undefined ? '' : value.toLocaleString('en'))
  const verdict = verdictOf(row)
  const said = promise !== 'seeded' || verdict === 'not measured' ? verdict : verdict === 'kept' ? 'caught' : 'NOT CAUGHT'
  return [
    name,
    promise,
    number(outcome?.sent),
    number(outcome?.lost),
    number(outcome?.doubled),
    number(outcome?.violated),
    number(outcome?.gaps?.declared),
    number(outcome?.gaps?.undeclared),
    seconds.toFixed(0),
    said,
    missing ?? failure?.split('\n')[0]?.slice(0, 160) ?? outcome?.note ?? '',
  ]
}

const NUMERIC = new Set([2, 3, 4, 5, 6, 7, 8])

/** Prints a row as soon as it is known, and the whole table at the end. */
export function lineOf(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((cell, column) => (NUMERIC.has(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
    .join('  ')
    .trimEnd()
}

/** Prints all rows and one line of verdict; true when no promise was broken and every seeded fault was caught. */
export function printFaults(name: string, rows: readonly FaultRow[], servicesRequired: boolean): boolean {
  const table = [HEAD, ...rows.map(cellsOf)]
  const widths = HEAD.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)))
  for (const row of table) console.log(lineOf(row, widths))
  const verdicts = rows.map((row) => ({ row, verdict: verdictOf(row) }))
  const broken = verdicts.filter(({ verdict }) => verdict === 'BROKEN')
  const unmeasured = verdicts.filter(({ verdict }) => verdict === 'not measured')
  const seeded = verdicts.filter(({ row }) => row.promise === 'seeded')
  const caught = seeded.filter(({ verdict }) => verdict === 'kept').length
  const parts = [
    broken.length === 0 ? `every promise kept in ${verdicts.length - unmeasured.length} cases` : `${broken.length} of ${verdicts.length} cases broken`,
    ...(unmeasured.length === 0 ? [] : [`${unmeasured.length} not measured`]),
    ...(seeded.length === 0 ? [] : [`seeded faults caught: ${caught === seeded.length ? 'yes' : 'no'} (${caught} of ${seeded.length})`]),
  ]
  console.log(`\n${name}: ${parts.join('; ')}`)
  return broken.length === 0 && !(servicesRequired && unmeasured.length > 0)
}
