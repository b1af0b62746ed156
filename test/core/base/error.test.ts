import assert from 'node:assert/strict'
import { TaktError, toTaktError } from '../../../core/base/error.ts'

describe('TaktError', () => {
  it('says what, where and what to do in its message', () => {
    const error = new TaktError('TAKT_EQUIPMENT_UNKNOWN', { what: "there is no 'mill-9'", where: "sensor 'A'" })
    assert.match(error.message, /^TAKT_EQUIPMENT_UNKNOWN: there is no 'mill-9' \(sensor 'A'\)\. To do: add it to the plant model/)
  })

  it('wraps whatever was thrown, once', () => {
    const cause = new RangeError('boom')
    const wrapped = toTaktError(cause, 'here')
    assert.equal(wrapped.code, 'TAKT_INTERNAL')
    assert.equal(wrapped.cause, cause)
    assert.equal(toTaktError(wrapped, 'elsewhere'), wrapped)
    assert.equal(toTaktError('text', 'here').what, 'text')
  })
})
