import assert from 'node:assert/strict'
import { parseCsv } from '../../../core/base/csv.ts'

const cells = (text: string, delimiter?: string): readonly (readonly string[])[] => parseCsv(text, delimiter).records.map((record) => record.cells)

describe('CSV', () => {
  it('reads quoted fields with delimiters, doubled quotes and line breaks', () => {
    const csv = parseCsv('a,b\r\n"x, y","say ""so"""\r\n"two\nlines",z\r\n')
    assert.deepEqual(csv.header, ['a', 'b'])
    assert.deepEqual(csv.records, [
      { line: 2, cells: ['x, y', 'say "so"'] },
      { line: 3, cells: ['two\nlines', 'z'] },
    ])
    assert.deepEqual(csv.faults, [])
  })

  it('counts the lines of the file, through quoted line breaks and empty lines', () => {
    const csv = parseCsv('a,b\n"1\r\n1",2\n\n3,4\n5\n')
    assert.deepEqual(
      csv.records.map(({ line }) => line),
      [2, 5],
    )
    assert.deepEqual(csv.faults, [{ line: 6, what: '1 fields where the header has 2' }])
  })

  it('takes CR, LF and CRLF, a byte-order mark, a missing last line end, and empty fields at the end', () => {
    assert.deepEqual(parseCsv('\ufeffa,b\n1,2').header, ['a', 'b'])
    assert.deepEqual(cells('a,b\r1,2\r3,4'), [
      ['1', '2'],
      ['3', '4'],
    ])
    assert.deepEqual(cells('a,b,c\n1,,\n,,\n""\n1,2,'), [
      ['1', '', ''],
      ['', '', ''],
      ['1', '2', ''],
    ])
    assert.deepEqual(cells('a,b\n1,'), [['1', '']])
  })

  it('finds the delimiter by the header', () => {
    assert.deepEqual(cells('a;b;c,d\n1;2;3,4'), [['1', '2', '3,4']])
    assert.deepEqual(cells('a\tb\n1\t2'), [['1', '2']])
    assert.deepEqual(cells('a|b\n1|2', '|'), [['1', '2']])
  })

  it('names what it cannot read and keeps the rest', () => {
    const csv = parseCsv('a,b\n1"x,2\n"1"x,2\n3,4\n5,6,7\n"open,8\n9,10\n')
    assert.deepEqual(
      csv.records.map((record) => record.cells),
      [['3', '4']],
    )
    assert.deepEqual(
      csv.faults.map((fault) => fault.line),
      [2, 3, 5, 6],
    )
  })

  it('says when a column is there twice', () => {
    assert.deepEqual(parseCsv('a,a\n1,2').faults, [{ line: 1, what: "the column 'a' is there twice" }])
  })

  it('reads nothing from nothing', () => {
    assert.deepEqual(parseCsv(''), { header: [], records: [], faults: [] })
  })
})
