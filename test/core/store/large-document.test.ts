import assert from 'node:assert/strict'
import { isLargeDocument, LargeDocument, nextLargeRow } from '../../../core/store/large-document.ts'
import { GENESIS, nextRow } from '../../../core/store/ledger.ts'
import { toStoredJson } from '../../../core/store/values.ts'

const rows = Array.from({ length: 1234 }, (_, i) => ({ id: `jo-"${i}"`, text: `läuft \\ \u2028 später\n𝒳 ${i}`, start: i / 3, none: null, left: undefined }))

describe('a large document', () => {
  it('gives the text and the hash that it gives when it is written at once', async () => {
    for (const document of [
      { kind: 'plan', rows, empty: [], absent: undefined, few: rows.slice(0, 3) },
      { revision: 3, ledger: 9, kind: 'plan', rows },
    ]) {
      assert.ok(isLargeDocument(document))
      const { text, escaped } = (await LargeDocument.of(document, 'here')).at({ revision: 4, ledger: 10 })
      assert.equal(text, toStoredJson({ ...document, revision: 4, ledger: 10 }, 'here'))
      const content = { type: 'plan.published', subject: '7', actor: 'node:1', why: 'said "so"', before: '{"a":"b"}', after: text, time: 1_768_194_000_000 }
      assert.deepEqual(nextLargeRow(GENESIS, content, escaped), nextRow(GENESIS, content))
    }
    assert.ok(!isLargeDocument({ kind: 'plan', rows: rows.slice(0, 200) }))
  })

  it('is refused when it holds what cannot be stored exactly', async () => {
    await assert.rejects(LargeDocument.of({ rows: [...rows, { start: Number.NaN }] }, 'plan 7'), { code: 'TAKT_STORE_VALUE' })
  })
})
