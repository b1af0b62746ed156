import assert from 'node:assert/strict'
import { GENESIS, type LedgerRow, nextRow } from '../../../core/store/ledger.ts'
import { LEDGER_COLUMNS, packRows, unpackRows, WaitingRows } from '../../../core/store/waiting-rows.ts'

const row = (subject: string, change: Partial<LedgerRow> = {}): LedgerRow => ({
  ...nextRow(GENESIS, { type: 'part.made', subject, actor: 'node:1', why: null, before: null, after: '{}', time: 5 }),
  ...change,
})

describe('rows of the ledger that wait', () => {
  let sent: string[]
  let rows: WaitingRows

  beforeEach(() => {
    sent = []
    rows = new WaitingRows({ send: (some) => sent.push(...some.map(({ subject }) => subject)), makeSavepoint: () => sent.push('savepoint') })
  })

  it('makes no savepoint for parts that only append, and forgets the rows of one that is undone', () => {
    rows.begin()
    rows.append(row('a'))
    assert.equal(rows.keep(), false)
    rows.begin()
    rows.append(row('b'))
    assert.equal(rows.drop(), false)
    rows.flush()
    assert.deepEqual(sent, ['a'])
  })

  it('sends what others appended before the savepoint, and a part’s own rows after it', () => {
    rows.begin()
    rows.append(row('a'))
    rows.keep()
    rows.begin()
    rows.append(row('b'))
    rows.before('update lot set material = 1', true)
    rows.append(row('c'))
    assert.deepEqual(sent, ['a', 'savepoint'])
    assert.equal(rows.drop(), true)
    rows.flush()
    assert.deepEqual(sent, ['a', 'savepoint'])
  })

  it('sends the rows before a statement that looks at the ledger, also one that only reads', () => {
    rows.begin()
    rows.append(row('a'))
    rows.before('select document from lot', false)
    assert.deepEqual(sent, [])
    rows.before('select after from "ledger"', false)
    assert.deepEqual(sent, ['savepoint', 'a'])
  })

  it('keeps no more than so much text, nor so many rows', () => {
    rows.begin()
    rows.append(row('large', { after: `"${'x'.repeat(70_000)}"` }))
    assert.deepEqual(sent, ['savepoint', 'large'])
    for (let n = 0; n < 511; n++) rows.append(row('small'))
    assert.equal(rows.count, 511)
    rows.append(row('last'))
    assert.equal(rows.count, 0)
  })

  it('gives packed rows back as they were, whatever they say', () => {
    const odd = [
      row('plain'),
      row('', { why: '', before: '{"a":1}', after: null }),
      row('=\n\u0001 🚀', { type: '=', actor: '', why: '=', before: '"\\u0000"', after: '""', time: -1.5 }),
    ]
    const back: unknown[] = []
    unpackRows(packRows(odd), (...values) => back.push(values))
    assert.deepEqual(
      back,
      odd.map((one) => LEDGER_COLUMNS.map((column) => one[column])),
    )
    unpackRows(packRows([]), () => assert.fail('there is none'))
  })
})
