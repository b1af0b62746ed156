import assert from 'node:assert/strict'
import { hasKind, validateAnyDocument, validateDocument } from '../../../core/messages/validate.ts'

const sample = { kind: 'sample', equipment: 'acme/mill-1', signal: 'load', value: 3.2, quality: 'good', time: 1_763_810_000_000, received: 1_763_810_000_010 }

describe('validateDocument', () => {
  it('passes a document through unchanged', () => assert.equal(validateDocument(sample, 'sample', 'test'), sample))

  it('names every path that is wrong', () => {
    assert.throws(
      () => validateDocument({ ...sample, quality: 'fine', time: 'now', equipment: '' }, 'sample', 'test'),
      (error: Error) => /\/quality/.test(error.message) && /\/time must be number/.test(error.message) && /\/equipment/.test(error.message),
    )
  })

  it('refuses what could alter objects', () => {
    assert.throws(() => validateDocument(JSON.parse('{"kind":"sample","__proto__":{}}'), 'sample', 'test'), { code: 'TAKT_MESSAGE_FORBIDDEN_KEY' })
  })

  it('holds job orders to the states of OPC 10031-4', () => {
    const job = {
      kind: 'job-order',
      id: 'jo-1',
      workOrder: 'wo-1',
      operation: '10',
      sequence: 0,
      after: [],
      state: 'Running',
      substate: null,
      equipment: null,
      alternatives: [],
      quantity: { value: 1, unit: 'pcs' },
      good: 0,
      scrap: 0,
      lot: null,
      plannedStart: null,
      plannedEnd: null,
      actualStart: null,
      actualEnd: null,
      planVersion: null,
      pinned: false,
    }
    validateDocument(job, 'job-order', 'test')
    assert.throws(() => validateDocument({ ...job, state: 'Busy' }, 'job-order', 'test'), { code: 'TAKT_MESSAGE_INVALID' })
  })
})

describe('validateAnyDocument', () => {
  it('says what came and what would be taken', () => {
    assert.throws(() => validateAnyDocument(sample, ['count', 'machine-state'], 'test'), /a sample where one of count, machine-state is taken/)
    assert.throws(() => validateAnyDocument(7, ['count'], 'test'), /a number where one of count/)
  })
})

describe('hasKind', () => {
  it('knows our kinds by own property only', () => {
    assert.ok(hasKind({ kind: 'plan' }))
    assert.ok(!hasKind({ kind: 'toString' }))
    assert.ok(!hasKind(Object.create({ kind: 'plan' })))
  })
})
