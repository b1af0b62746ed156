import assert from 'node:assert/strict'
import { assertSafe, parseJson, readPath } from '../../../core/base/json.ts'

const limits = { maxBytes: 1000, where: 'test' }
const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)

describe('parseJson', () => {
  it('parses text and bytes alike', () => {
    assert.deepEqual(parseJson('{"v":1}', limits), { v: 1 })
    assert.deepEqual(parseJson(Buffer.from('{"v":"ü"}'), limits), { v: 'ü' })
  })

  const refused: Array<[string, string, string]> = [
    ['broken text', '{"v":', 'TAKT_MESSAGE_NOT_JSON'],
    ['too much', `"${'x'.repeat(2000)}"`, 'TAKT_MESSAGE_TOO_LARGE'],
    ['too deep', nested(200), 'TAKT_MESSAGE_TOO_DEEP'],
    ['__proto__', '{"a":[{"__proto__":{"x":1}}]}', 'TAKT_MESSAGE_FORBIDDEN_KEY'],
    ['constructor', '{"constructor":1}', 'TAKT_MESSAGE_FORBIDDEN_KEY'],
  ]
  for (const [name, text, code] of refused) {
    it(`refuses ${name} with ${code}`, () => assert.throws(() => parseJson(text, limits), { code }))
  }

  it('does not overflow on depth 10,000', () => {
    assert.throws(() => parseJson(nested(10_000), { maxBytes: 100_000, where: 'test' }), { code: 'TAKT_MESSAGE_TOO_DEEP' })
  })
})

describe('readPath', () => {
  const value = { a: { b: [10, { c: 'x' }] }, 'with space': 1 }

  it('follows dots and indexes', () => {
    assert.equal(readPath(value, '$.a.b[0]'), 10)
    assert.equal(readPath(value, 'a.b.1.c'), 'x')
    assert.equal(readPath(value, '$'), value)
    assert.equal(readPath(value, '$.with space'), 1)
  })

  it('sees own properties only', () => {
    assert.equal(readPath(value, '$.a.toString'), undefined)
    assert.equal(readPath(value, '$.__proto__'), undefined)
    assert.equal(readPath('text', '$.length'), undefined)
    assert.equal(readPath(null, '$.a'), undefined)
  })
})

describe('assertSafe', () => {
  it('lets a Buffer pass without walking it', () => assertSafe({ body: Buffer.alloc(10) }, 'test'))
})
