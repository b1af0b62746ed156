import assert from 'node:assert/strict'
import { TaktError } from '../../../core/base/error.ts'
import { checkPassword, DEFAULT_COST, hashPassword, isPassword } from '../../../core/people/password.ts'
import { PASSWORD } from './support.ts'

describe('passwords', () => {
  it('refuses those that are guessed easily, without repeating them', () => {
    const rules = { shortest: 12 }
    for (const [password, what] of [
      ['short', /5 characters where at least 12/],
      ['aaaaaaaaaaaaaaaa', /different characters/],
      ['my-name-is-Eva.Kern', /own name/],
      ['kern kern kern 42', /own name/],
      ['x1y2z3'.repeat(60), /more than 256/],
      [12345678901234, /not a text/],
      ['abc\0defghijklmno', /not a text/],
    ] as const)
      assert.throws(
        () => checkPassword(password, rules, ['eva.kern', 'Eva Kern', null]),
        (error: Error) =>
          error instanceof TaktError && error.code === 'TAKT_PASSWORD_RULES' && what.test(error.what) && !error.message.includes(String(password)),
      )
    assert.equal(checkPassword('Vier Züge fahren', rules, ['eva']), 'Vier Züge fahren')
  })

  it('are hashed by scrypt at the cost that is asked for, off the event loop, each with its own salt', async () => {
    let turns = 0
    const turning = setInterval(() => turns++, 1)
    const [one, two] = await Promise.all([hashPassword(PASSWORD, DEFAULT_COST), hashPassword(PASSWORD, DEFAULT_COST)])
    clearInterval(turning)
    assert.ok(turns > 5, `${turns} turns of the event loop meanwhile`)
    assert.match(one, /^scrypt\$32768\$8\$3\$/)
    assert.notEqual(one, two)
    assert.deepEqual(await Promise.all([isPassword(PASSWORD, one), isPassword(`${PASSWORD}!`, one), isPassword('', one)]), [true, false, false])
    // the same characters, typed on another keyboard
    assert.ok(await isPassword('Zu\u0308ge fahren heute', await hashPassword('Z\u00fcge fahren heute', { N: 16, r: 1, p: 1 })))
  }).timeout(20_000)
})
