import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { sql } from 'kysely'
import { hintOf, identify, whoMay } from '../../../../core/people/who-acts.ts'
import { rejection, type StoreBench } from '../../store/support/store.ts'
import { ADMIN, PASSWORD, PeopleBench, START } from '../support.ts'

const codeOf = async (promise: Promise<unknown>): Promise<string> => (await rejection(promise)).code

/** The people of a store; both dialects have to pass. */
export function people(newBench: () => StoreBench): void {
  describe('people: the list', () => {
    let bench: PeopleBench
    beforeEach(async () => {
      bench = new PeopleBench(newBench())
      await bench.administrator()
    })
    afterEach(() => bench.close())

    it('has no password of its own: the first administrator is made once, by command', async () => {
      const { people } = bench
      assert.equal(await codeOf(people.firstAdministrator({ id: 'second', name: 'Second', password: PASSWORD })), 'TAKT_PERSON_EXISTS')
      assert.equal(await codeOf(people.signIn.authenticate('admin', 'admin')), 'TAKT_PERSON_REFUSED')
      assert.deepEqual(await people.list().then((all) => all.map(({ id, roles }) => [id, roles])), [['root.admin', [{ role: 'administrator' }]]])
      // the database refuses to forget somebody
      const forgotten = rejection(bench.store.transaction((tx) => tx.db.deleteFrom('person').execute()))
      assert.match((await forgotten).message, /rows of person are never removed/)
    })

    it('writes each change into the ledger: who, why, before and after, and never a password', async () => {
      const { people, store } = bench
      await people.add({ id: 'eva', name: 'Eva Kern', badge: '4711', password: 'correct-horse-1' }, ADMIN, 'new colleague')
      await people.change(
        'eva',
        { roles: ['quality', { role: 'operator', scope: 'acme/line-1' }], certifications: [{ name: 'laser', until: START + 5 }] },
        ADMIN,
        'is trained',
      )
      await people.changePassword('4711', 'correct-horse-1', 'battery-staple-2')
      await people.lock('eva', ADMIN, 'on holiday')
      await people.unlock('eva', ADMIN, 'is back')
      await people.change('eva', { active: false }, ADMIN, 'left the company')
      const events = (await store.events(1, 100)).filter(({ subject }) => subject === 'eva')
      assert.deepEqual(
        events.map(({ type, actor, why }) => [type, actor, why]),
        [
          ['person.added', ADMIN, 'new colleague'],
          ['person.changed', ADMIN, 'is trained'],
          ['person.password-changed', 'person:eva', 'changed by the person'],
          ['person.locked', ADMIN, 'on holiday'],
          ['person.unlocked', ADMIN, 'is back'],
          ['person.deactivated', ADMIN, 'left the company'],
        ],
      )
      const [, changed] = events
      assert.deepEqual((changed!.before as { roles: unknown }).roles, [])
      assert.deepEqual((changed!.after as { roles: unknown }).roles, [{ role: 'quality' }, { role: 'operator', scope: 'acme/line-1' }])
      const secrets = await store.db.selectFrom('person_secret').select('secret').execute()
      const text = await bench.everything()
      for (const hidden of ['correct-horse-1', 'battery-staple-2', PASSWORD, ...secrets.flatMap(({ secret }) => secret.split('$').slice(4))])
        assert.ok(!text.includes(hidden), hidden)
      assert.ok((await store.verify()).ok)
    })

    it('shows by the ledger that somebody gave himself a role in the database', async () => {
      await bench.person('eva')
      await bench.store.transaction((tx) =>
        sql`update person set document = replace(document, '"roles":[]', '"roles":[{"role":"administrator"}]') where id = 'eva'`.execute(tx.db),
      )
      const { fault } = await bench.store.verify()
      assert.match(fault?.what ?? '', /the person eva is not what row \d+ says/)
    })

    it('gives no id, badge or login twice, not even that of a person who left', async () => {
      const { people } = bench
      await bench.person('eva', { badge: '4711', login: 'ekern' })
      await people.change('eva', { active: false }, ADMIN, 'left')
      for (const again of [{ id: 'eva' }, { id: 'other', badge: '4711' }, { id: 'other', login: 'ekern' }])
        assert.equal(await codeOf(people.add({ name: 'Another Eva', ...again }, ADMIN, 'new')), 'TAKT_PERSON_EXISTS', JSON.stringify(again))
      await bench.person('mia')
      assert.equal(await codeOf(people.change('mia', { badge: '4711' }, ADMIN, 'takes it over')), 'TAKT_PERSON_EXISTS')
    })

    it('keeps somebody who can manage people', async () => {
      const { people } = bench
      for (const last of [{ active: false }, { roles: [] }, { roles: [{ role: 'administrator', scope: 'acme/line-1' }] }])
        assert.equal(await codeOf(people.change('root.admin', last, ADMIN, 'no more')), 'TAKT_PERSON_LAST_ADMINISTRATOR')
      assert.equal(await codeOf(people.lock('root.admin', ADMIN, 'no more')), 'TAKT_PERSON_LAST_ADMINISTRATOR')
      await bench.person('deputy', { roles: ['administrator'] })
      assert.equal((await people.change('root.admin', { active: false }, 'person:deputy', 'left')).active, false)
    })

    it('refuses what is no person, and says which field', async () => {
      const { people } = bench
      const bad: ReadonlyArray<readonly [Record<string, unknown>, RegExp]> = [
        [{ id: 'Eva' }, /the id has 1 to 64 small letters/],
        [{ id: '' }, /the id/],
        [{ id: 'x'.repeat(65) }, /the id/],
        [{ id: "eva'; drop table person;--" }, /the id/],
        [{ id: 'eva', name: '' }, /the name is empty/],
        [{ id: 'eva', name: 'Eva\0Kern' }, /the name has characters that cannot be printed/],
        [{ id: 'eva', name: 'Eva \ud800' }, /cannot be printed/],
        [{ id: 'eva', name: 'Eva \u202enreK' }, /cannot be printed/],
        [{ id: 'eva', name: 'x'.repeat(1_000_000) }, /more than 200 characters/],
        [{ id: 'eva', name: 'Eva', badge: 'b'.repeat(101) }, /the badge has more than 100/],
        [{ id: 'eva', name: 'Eva', roles: ['emperor'] }, /'emperor' is none of the roles/],
        [{ id: 'eva', name: 'Eva', roles: 'operator' }, /roles is a list/],
        [{ id: 'eva', name: 'Eva', role: ['operator'] }, /'role' is none of/],
        [{ id: 'eva', name: 'Eva', active: 'yes' }, /active is true or false/],
        [{ id: 'eva', name: 'Eva', certifications: [{ name: 'laser', until: 'soon' }] }, /no time/],
      ]
      for (const [given, what] of bad) {
        const error = await rejection(people.add({ name: 'Eva', ...given }, ADMIN, 'new'))
        assert.deepEqual([error.code, what.test(error.what)], ['TAKT_PERSON_INVALID', true], error.message.slice(0, 300))
      }
      assert.equal(
        await codeOf(people.add(JSON.parse('{"id":"eva","name":"E","__proto__":{"roles":["administrator"]}}'), ADMIN, 'new')),
        'TAKT_MESSAGE_FORBIDDEN_KEY',
      )
      assert.equal(await codeOf(people.add({ id: 'eva', name: 'Eva' }, ADMIN, '  ')), 'TAKT_PERSON_INVALID')
      assert.equal(await codeOf(people.change('nobody', { name: 'N' }, ADMIN, 'why not')), 'TAKT_PERSON_UNKNOWN')
      assert.equal((await people.list()).length, 1)
    })

    it('stores SQL, HTML and odd scripts in a name as what they are', async () => {
      const names = ["Robert'); DROP TABLE person;--", '<script>alert(1)</script>', '李小龍', 'Zoë Ærø-Ñandú', '=HYPERLINK("http://x")']
      for (const [index, name] of names.entries()) await bench.person(`p${index}`, { name })
      assert.deepEqual(
        (await bench.people.list()).filter(({ id }) => id.startsWith('p')).map(({ name }) => name),
        names.map((name) => name.normalize('NFC')),
      )
      assert.ok((await bench.store.verify()).ok)
    })
  })

  describe('people: passwords', () => {
    it('given by somebody else have to be changed, expire where that is set, and end sessions', async () => {
      const bench = new PeopleBench(newBench(), { passwordMs: 1000 })
      try {
        const { people, clock } = bench
        await bench.administrator()
        await people.add({ id: 'eva', name: 'Eva', password: 'first-time-only-9' }, ADMIN, 'new')
        assert.equal(await codeOf(people.signIn.authenticate('eva', 'first-time-only-9')), 'TAKT_PASSWORD_EXPIRED')
        assert.equal(await codeOf(people.changePassword('eva', 'first-time-only-9', 'first-time-only-9')), 'TAKT_PASSWORD_RULES')
        await people.changePassword('eva', 'first-time-only-9', PASSWORD)
        const { token } = await people.signIn.start('eva', PASSWORD, null)
        assert.equal((await identify(people, { session: token }))?.id, 'eva')
        clock.advance(1000)
        assert.equal(await codeOf(people.signIn.authenticate('eva', PASSWORD)), 'TAKT_PASSWORD_EXPIRED')
        await people.setPassword('eva', 'again-first-time-9', ADMIN, 'forgot it')
        assert.equal(await identify(people, { session: token }), undefined)
      } finally {
        await bench.close()
      }
    })
  })

  describe('people: signing in', () => {
    let bench: PeopleBench
    beforeEach(async () => {
      bench = new PeopleBench(newBench())
      await bench.administrator()
      await bench.person('eva', { badge: '4711', login: 'ekern' })
    })
    afterEach(() => bench.close())
    const wrong = (who = 'eva') => codeOf(bench.people.signIn.authenticate(who, 'a wrong one'))

    it('takes id or badge with the password, and says of nothing else what was wrong', async () => {
      const { signIn } = bench.people
      assert.deepEqual([(await signIn.authenticate('eva', PASSWORD)).by, (await signIn.authenticate(' EVA ', PASSWORD)).by], ['id', 'id'])
      assert.deepEqual(await signIn.authenticate('4711', PASSWORD).then(({ by, person }) => [by, person.id]), ['badge', 'eva'])
      const inputs: ReadonlyArray<readonly [unknown, unknown]> = [
        ['nobody', PASSWORD],
        ['eva', 'a wrong one'],
        ['eva', undefined],
        ['eva', ''],
        ['eva', { $ne: '' }],
        ['eva', 'x'.repeat(1_000_000)],
        ['eva\0', PASSWORD],
        ["eva' or '1'='1", PASSWORD],
        ['x'.repeat(1_000_000), PASSWORD],
        [{ toString: () => 'eva' }, PASSWORD],
        [undefined, PASSWORD],
      ]
      const messages = new Set<string>()
      for (const [who, password] of inputs) {
        const error = await rejection(signIn.authenticate(who, password))
        assert.equal(error.code, 'TAKT_PERSON_REFUSED')
        messages.add(error.message)
        await bench.people.unlock('eva', ADMIN, 'next try')
      }
      assert.equal(messages.size, 1)
    })

    it('locks after five wrong passwords, also over a restart, and for the right one too', async () => {
      for (let n = 1; n <= 3; n++) assert.equal(await wrong(), 'TAKT_PERSON_REFUSED')
      bench.restarted()
      assert.equal(await wrong(), 'TAKT_PERSON_REFUSED')
      assert.equal(await wrong(), 'TAKT_PERSON_LOCKED')
      bench.restarted()
      assert.equal(await codeOf(bench.people.signIn.authenticate('eva', PASSWORD)), 'TAKT_PERSON_LOCKED')
      const events = (await bench.store.events(0, 100)).filter(({ type }) => type.startsWith('person.sign-in') || type === 'person.locked')
      assert.deepEqual(
        events.map(({ type, why }) => [type, why]),
        [...Array.from({ length: 5 }, () => ['person.sign-in-refused', 'wrong password']), ['person.locked', '5 wrong passwords']],
      )
      bench.clock.advance(15 * 60_000)
      assert.equal((await bench.people.signIn.authenticate('eva', PASSWORD)).person.locked, null)
      // and it counts from the beginning again
      for (let n = 1; n <= 4; n++) assert.equal(await wrong(), 'TAKT_PERSON_REFUSED')
      await bench.people.signIn.authenticate('eva', PASSWORD)
      assert.equal(await wrong(), 'TAKT_PERSON_REFUSED')
    })

    it('gives no more attempts to those who try side by side', async () => {
      const codes = await Promise.all(Array.from({ length: 20 }, () => wrong()))
      assert.ok(codes.filter((code) => code === 'TAKT_PERSON_REFUSED').length <= 5, codes.join())
      assert.equal(await codeOf(bench.people.signIn.authenticate('eva', PASSWORD)), 'TAKT_PERSON_LOCKED')
      const compared = (await bench.store.events(0, 100)).filter(({ type }) => type === 'person.sign-in-refused')
      assert.ok(compared.length <= 5)
    })

    it('stays locked until somebody unlocks, where that is set', async () => {
      bench.restarted({ lockMs: 0, lockAfter: 1 })
      assert.equal(await wrong(), 'TAKT_PERSON_LOCKED')
      bench.clock.advance(1e10)
      assert.equal(await codeOf(bench.people.signIn.authenticate('eva', PASSWORD)), 'TAKT_PERSON_LOCKED')
      await bench.people.unlock('eva', ADMIN, 'was on the telephone')
      assert.equal((await bench.people.signIn.authenticate('eva', PASSWORD)).person.id, 'eva')
    })

    it('tells of attempts in nobody’s name together, and not what was typed', async () => {
      for (let n = 0; n < 30; n++) await wrong(`secret-typed-in-the-wrong-field-${n}`)
      bench.clock.advance(60_000)
      await wrong('one more')
      const told = (await bench.store.events(0, 200)).filter(({ subject }) => subject === 'unknown')
      assert.deepEqual(
        told.map(({ after }) => after),
        [{ attempts: 1 }, { attempts: 30 }],
      )
      assert.ok(!(await bench.everything()).includes('secret-typed'))
    })

    it('refuses a hash that was put into the database', async () => {
      await bench.person('mallory')
      await bench.store.transaction((tx) =>
        sql`update person_secret set secret = (select secret from person_secret where person = 'mallory') where person = 'root.admin'`.execute(tx.db),
      )
      assert.equal(await codeOf(bench.people.signIn.authenticate('root.admin', PASSWORD)), 'TAKT_PERSON_REFUSED')
    })

    it('keeps sessions to who began them, to their connection and to their time', async () => {
      const { people, clock } = bench
      const { token } = await people.signIn.start('eva', PASSWORD, null)
      const bound = await people.signIn.start('eva', PASSWORD, 'socket-1')
      const who = async (evidence: Parameters<typeof identify>[1]) => (await identify(people, evidence))?.id
      assert.equal(await who({ session: token }), 'eva')
      assert.equal(await who({ session: bound.token, connection: 'socket-1' }), 'eva')
      assert.equal(await who({ connection: 'socket-1' }), 'eva')
      assert.equal(await who({ session: bound.token, connection: 'socket-2' }), undefined)
      assert.equal(await who({ session: bound.token }), undefined)
      assert.equal(await who({ session: 'guessed' }), undefined)
      assert.equal(await who({ connection: 'socket-9' }), undefined)
      assert.equal(await who({ login: 'ekern' }), 'eva')
      assert.equal(await who({ login: 'eva' }), undefined)
      await people.sessions.endConnection('socket-1')
      assert.equal(await who({ connection: 'socket-1' }), undefined)
      clock.advance(14 * 60_000)
      assert.equal(await who({ session: token }), 'eva')
      clock.advance(15 * 60_000)
      assert.equal(await who({ session: token }), undefined)
      const late = await people.signIn.start('eva', PASSWORD, null)
      await people.change('eva', { active: false }, ADMIN, 'left')
      assert.equal(await who({ session: late.token }), undefined)
      assert.equal(await who({ login: 'ekern' }), undefined)
    })

    it('keeps sessions at every Node-RED on the database and over a restart, and ends them everywhere at once', async () => {
      const other = bench.beside()
      const at = async (people: typeof other, token: string) => (await identify(people, { session: token }))?.id
      const { token } = await bench.people.signIn.start('eva', PASSWORD, null)
      assert.deepEqual([await at(other, token), await at(bench.restarted(), token)], ['eva', 'eva'])
      // used at one, it is used for all
      bench.clock.advance(14 * 60_000)
      assert.equal(await at(other, token), 'eva')
      bench.clock.advance(14 * 60_000)
      assert.equal(await at(bench.people, token), 'eva')
      const ends: ReadonlyArray<readonly [string, () => Promise<unknown>]> = [
        ['signed out', async () => other.sessions.end((await newest()) ?? '')],
        ['locked', () => other.lock('eva', ADMIN, 'on holiday')],
        ['put away', () => other.change('eva', { active: false }, ADMIN, 'left')],
        ['other roles', () => other.change('eva', { roles: ['quality'] }, ADMIN, 'trained')],
        ['password', () => other.setPassword('eva', 'again-first-time-9', ADMIN, 'forgot it')],
      ]
      let last: string | undefined
      const newest = async () => last
      for (const [why, end] of ends) {
        last = (await bench.people.signIn.start('eva', PASSWORD, null)).token
        assert.equal(await at(bench.people, last), 'eva', why)
        await end()
        await bench.people.change('eva', { active: true }, ADMIN, 'is back')
        await bench.people.unlock('eva', ADMIN, 'is back')
        assert.equal(await at(bench.people, last), undefined, why)
      }
    })

    it('counts wrong passwords at all Node-REDs together', async () => {
      const both = [bench.people, bench.beside()] as const
      const wrongAt = (n: number) => codeOf(both[n % 2]!.signIn.authenticate('eva', 'a wrong one'))
      for (let n = 1; n <= 4; n++) assert.equal(await wrongAt(n), 'TAKT_PERSON_REFUSED')
      assert.equal(await wrongAt(5), 'TAKT_PERSON_LOCKED')
      for (const people of both) assert.equal(await codeOf(people.signIn.authenticate('eva', PASSWORD)), 'TAKT_PERSON_LOCKED')
      await both[0].unlock('eva', ADMIN, 'forgot it')
      const atOnce = await Promise.all(Array.from({ length: 12 }, (_, n) => wrongAt(n)))
      assert.ok(atOnce.filter((code) => code === 'TAKT_PERSON_REFUSED').length <= 5, atOnce.join())
    })

    it('has no session that the ledger does not tell of, and no token in the database', async () => {
      const { token } = await bench.people.signIn.start('eva', PASSWORD, 'socket-1')
      const text = await bench.everything()
      assert.ok(!text.includes(token) && !text.includes('socket-1'))
      await bench.store.transaction((tx) =>
        tx.db
          .insertInto('person_session')
          .values({ token: hash('sha256', 'mine'), person: 'root.admin', connection: null, ledger: 1, started: START, used: START, ends: START + 1e9 })
          .execute(),
      )
      assert.equal(await identify(bench.people, { session: 'mine' }), undefined)
      // somebody else's beginning does not do either
      await bench.store.transaction((tx) => sql`update person_session set person = 'root.admin'`.execute(tx.db))
      assert.equal(await identify(bench.people, { session: token, connection: 'socket-1' }), undefined)
    })

    it('believes no name in a message where people must be known, and takes it as a hint where not', async () => {
      const { token } = await bench.people.signIn.start('eva', PASSWORD, null)
      const ask = (session: string | undefined, said: unknown, scope = '') => whoMay(bench.people, { session }, 'lot.release', scope, said, 'test')
      assert.equal(await ask(undefined, 'Eva'), 'Eva')
      assert.equal(await ask(undefined, 'person:eva'), "'person:eva'")
      assert.equal(await ask(undefined, 'node:x'), "'node:x'")
      assert.equal(await ask(undefined, { id: 'eva' }), undefined)
      assert.equal(await ask(token, 'somebody else'), 'person:eva')
      assert.deepEqual([hintOf('Personnel'), hintOf(' a\0b ')], ['Personnel', 'a\uFFFDb'])

      bench.restarted({ required: true })
      let { token: again } = await bench.people.signIn.start('eva', PASSWORD, null)
      assert.equal(await codeOf(ask(undefined, 'person:eva')), 'TAKT_PERSON_NOT_SIGNED_IN')
      assert.equal(await codeOf(ask(again, 'eva')), 'TAKT_PERSON_NOT_ALLOWED')
      await bench.people.change('eva', { roles: [{ role: 'quality', scope: 'acme/line-1' }] }, ADMIN, 'trained')
      assert.equal(await codeOf(ask(again, 'eva')), 'TAKT_PERSON_NOT_SIGNED_IN', 'a session of before the roles changed')
      ;({ token: again } = await bench.people.signIn.start('eva', PASSWORD, null))
      assert.equal(await ask(again, undefined, 'acme/line-1/mill-1'), 'person:eva')
      assert.equal(await codeOf(ask(again, undefined, 'acme/line-2')), 'TAKT_PERSON_NOT_ALLOWED')
    })
  })
}
