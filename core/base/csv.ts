/** One record of a CSV file; `line` is the line of the file that it begins on, the header being line 1. */
export interface CsvRecord {
  readonly line: number
  readonly cells: readonly string[]
}

/** A record that cannot be read, and why. */
export interface CsvFault {
  readonly line: number
  readonly what: string
}

export interface Csv {
  readonly header: readonly string[]
  readonly records: readonly CsvRecord[]
  readonly faults: readonly CsvFault[]
}

/**
 * Reads CSV by RFC 4180: fields may be quoted, quoted fields may hold delimiters, line breaks and doubled quotes; lines end in CRLF, LF or CR; empty lines are
 * passed over. Without a `delimiter` the one that the header uses most is taken: comma, semicolon or tab. Records that cannot be read are named, the others kept.
 */
export function parseCsv(text: string, delimiter: string = delimiterOf(text)): Csv {
  const faults: CsvFault[] = []
  const records = [...readRecords(text.startsWith('\ufeff') ? text.slice(1) : text, delimiter, faults)]
  const header = records.shift()?.cells.map((cell) => cell.trim()) ?? []
  const twice = header.find((name, index) => name !== '' && header.indexOf(name) !== index)
  if (twice !== undefined) faults.push({ line: 1, what: `the column '${twice}' is there twice` })
  const good = records.filter(({ line, cells }) => {
    if (cells.length === header.length) return true
    faults.push({ line, what: `${cells.length} fields where the header has ${header.length}` })
    return false
  })
  return { header, records: good, faults: faults.sort((a, b) => a.line - b.line) }
}

function* readRecords(text: string, delimiter: string, faults: CsvFault[]): Generator<CsvRecord> {
  let at = 0
  let line = 1
  let start = 1
  let cells: string[] = []
  let broken: string | undefined

  while (at < text.length) {
    let cell: string
    if (text[at] === '"') {
      const end = closingQuote(text, at)
      if (end === -1) {
        faults.push({ line: start, what: 'a quoted field is not closed; the rest of the file cannot be read' })
        return
      }
      const quoted = text.slice(at + 1, end)
      line += quoted.match(/\r\n|\r|\n/g)?.length ?? 0
      cell = quoted.replaceAll('""', '"')
      at = end + 1
      const next = text[at]
      if (at < text.length && next !== '\r' && next !== '\n' && !text.startsWith(delimiter, at)) {
        broken = 'text follows a closing quote'
        at = endOfCell(text, at, delimiter)
      }
    } else {
      const end = endOfCell(text, at, delimiter)
      cell = text.slice(at, end)
      if (cell.includes('"')) broken = 'a quote stands inside a field that is not quoted'
      at = end
    }
    cells.push(cell)
    if (text.startsWith(delimiter, at)) {
      at += delimiter.length
      if (at < text.length && text[at] !== '\r' && text[at] !== '\n') continue
      cells.push('')
    }
    // the end of a record: of its line, or of the file
    at += text.startsWith('\r\n', at) ? 2 : 1
    line++
    const blank = cells.length === 1 && cells[0] === ''
    if (broken !== undefined) faults.push({ line: start, what: broken })
    else if (!blank) yield { line: start, cells }
    cells = []
    broken = undefined
    start = line
  }
}

function closingQuote(text: string, open: number): number {
  for (let at = text.indexOf('"', open + 1); at !== -1; at = text.indexOf('"', at + 2)) {
    if (text[at + 1] !== '"') return at
  }
  return -1
}

function endOfCell(text: string, from: number, delimiter: string): number {
  let at = from
  while (at < text.length && text[at] !== '\r' && text[at] !== '\n' && !text.startsWith(delimiter, at)) at++
  return at
}

function delimiterOf(text: string): string {
  const header = text.slice(0, endOfCell(text, 0, '\n'))
  const count = (delimiter: string): number => header.split(delimiter).length
  return [',', ';', '\t'].reduce((best, delimiter) => (count(delimiter) > count(best) ? delimiter : best))
}
