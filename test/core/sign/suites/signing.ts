import assert from 'node:assert/strict'
import { join } from 'node:path'
import { countingIds } from '../../../../core/base/id.ts'
import { MEANINGS, type Signature } from '../../../../core/messages/signature.ts'
import { DEFAULT_ROLES } from '../../../../core/people/roles.ts'
import { bindingOf, brokenSignature, checkSignature, signaturesOf } from '../../../../core/sign/check-signature.ts'
import { FREE_POLICY, readOrder, Signing, type SigningPolicy, type SigningRequest } from '../../../../core/sign/signing.ts'
import { makeSigningKey, type SigningKey } from '../../../../core/store/anchor-key.ts'
import { ADMIN, PASSWORD, PeopleBench, START } from '../../people/support.ts'
import { created, held, lot, rejection, type StoreBench } from '../../store/support/store.ts'

const codeOf = async (promise: Promise<unknown>): Promise<string> => (await rejection(promise)).code

/** Electronic signatures; both dialects have to pass. */
export function signing(newBench: () => StoreBench): void {
  describe('electronic signatures', () => {
    let bench: PeopleBench
    let key: SigningKey | undefined
    let newId = countingIds()
    beforeEach(async () => {
      bench = new PeopleBench(newBench())
      key = undefined
      newId = countingIds()
      await bench.administrator()
      await bench.person('eva', { name: 'Eva Kern', badge: '4711', roles: ['quality', 'operator'] })
      await bench.person('sven', { name: 'Sven Holm', roles: ['supervisor'], certifications: [{ name: 'release', until: START + 1000 }] })
      await bench.person('otto', { name: 'Otto Oper', roles: [{ role: 'operator', scope: 'acme/line-1' }] })
      for (const id of ['lot-1', 'lot-2']) await bench.store.transaction((tx) => tx.save(lot(id), created))
    })
    afterEach(() => bench.close())

    const signing = (policy: Partial<SigningPolicy> = {}): Signing =>
      new Signing({ store: bench.store, people: bench.people, key, timeZone: () => 'Europe/Berlin', newId, policy: { ...FREE_POLICY, ...policy } })
    const request = (changes: Partial<SigningRequest> = {}): SigningRequest => ({
      record: { kind: 'lot', id: 'lot-1' },
      meaning: 'approved',
      comment: null,
      who: 'eva',
      session: undefined,
      password: PASSWORD,
      connection: undefined,
      ...changes,
    })
    const sign = (changes: Partial<SigningRequest> = {}, policy: Partial<SigningPolicy> = {}) => signing(policy).sign(request(changes))
    const states = async (id = 'lot-1') => (await signaturesOf(bench.store, 'lot', id, key?.publicKey)).map(({ state, what }) => [state, what])
    /** What somebody does who can write to the database, with the triggers out of the way. */
    const tamper = (...statements: string[]): Promise<void> =>
      bench.bench.tamper(bench.bench.file(), async (ask) => {
        for (const statement of statements) await ask(statement)
      })

    it('say printed name, time with offset and meaning, and exactly which record', async () => {
      const { signature } = await sign({ who: '4711', comment: 'all measured' })
      const row = (await bench.store.events(signature.record.ledger - 1, 1))[0]!
      assert.deepEqual(
        [signature.name, signature.person, signature.meaning, signature.at, signature.time, signature.comment, signature.components],
        ['Eva Kern', 'eva', 'approved', '2026-01-05T07:00:00.000+01:00', START, 'all measured', ['badge', 'password']],
      )
      assert.deepEqual([signature.roles, signature.seal], [['quality'], null])
      assert.deepEqual([row.subject, row.hash, signature.record.kind, signature.record.revision], ['lot-1', signature.record.hash, 'lot', 1])
      const [event] = await bench.store.events(signature.ledger! - 1, 1)
      assert.deepEqual([event?.type, event?.actor, event?.why], ['record.signed', 'person:eva', 'all measured'])
      assert.deepEqual(await states(), [['signed', `row ${row.sequence} as signed`]])
      assert.ok((await bench.store.verify()).ok)
    })

    it('ask for both components at the first signing of a session, and for the password at each', async () => {
      const first = await sign()
      const session = first.session ?? ''
      const next = { who: undefined, session, record: { kind: 'lot', id: 'lot-2' } }
      assert.equal(await codeOf(sign({ ...next, password: undefined })), 'TAKT_PERSON_REFUSED')
      assert.equal(await codeOf(sign({ ...next, session: 'made up' })), 'TAKT_PERSON_NOT_SIGNED_IN')
      assert.equal(await codeOf(sign({ ...next, session: undefined })), 'TAKT_PERSON_NOT_SIGNED_IN')
      const second = await sign(next)
      assert.deepEqual([second.signature.person, second.signature.components, second.session], ['eva', ['session', 'password'], null])
      bench.clock.advance(15 * 60_000)
      assert.equal(await codeOf(sign({ ...next, meaning: 'reviewed' })), 'TAKT_PERSON_NOT_SIGNED_IN')
    })

    it('are refused to whom the role does not allow it, there', async () => {
      assert.equal(await codeOf(sign({ who: 'otto', meaning: 'approved' })), 'TAKT_PERSON_NOT_ALLOWED')
      assert.equal(await codeOf(sign({ who: 'otto', meaning: 'performed' })), 'TAKT_PERSON_NOT_ALLOWED')
      // where a record is about says the record, not who signs it
      for (const [id, location] of [
        ['lot-3', 'acme/line-1/mill-2'],
        ['lot-4', 'acme/line-2/mill-7'],
      ] as const)
        await bench.store.transaction((tx) => tx.save(lot(id, { location }), created))
      assert.equal((await sign({ who: 'otto', meaning: 'performed', record: { kind: 'lot', id: 'lot-3' } })).signature.person, 'otto')
      assert.equal(await codeOf(sign({ who: 'otto', meaning: 'performed', record: { kind: 'lot', id: 'lot-4' } })), 'TAKT_PERSON_NOT_ALLOWED')
      assert.equal(await codeOf(sign({ who: 'root.admin' })), 'TAKT_PERSON_NOT_ALLOWED')
      assert.equal(await codeOf(sign({ who: 'nobody' })), 'TAKT_PERSON_REFUSED')
    })

    it('are given with each meaning by the roles that may, and by no other', async () => {
      const roles = Object.keys(DEFAULT_ROLES).filter((role) => role !== 'administrator')
      for (const role of roles) await bench.person(`all-${role}`, { roles: [role] })
      for (const meaning of MEANINGS)
        for (const role of roles) {
          const allowed = DEFAULT_ROLES[role]!.includes(`sign.${meaning}`)
          const told = await sign({ who: `all-${role}`, meaning }).then(() => 'signed', (error: { code: string }) => error.code) // biome-ignore format: one line
          assert.equal(told, allowed ? 'signed' : 'TAKT_PERSON_NOT_ALLOWED', `${role} ${meaning}`)
        }
    })

    it('need the certification that is asked for, as long as it is valid', async () => {
      const policy = { certification: 'release' }
      assert.match((await rejection(sign({}, policy))).message, /TAKT_PERSON_CERTIFICATION: Eva Kern has no certification 'release'/)
      await sign({ who: 'sven' }, policy)
      bench.clock.advance(1000)
      assert.match((await rejection(sign({ who: 'sven', meaning: 'reviewed' }, policy))).message, /'release' of Sven Holm has expired/)
    })

    it('come in their order and from different people, where that is asked for', async () => {
      const policy = { order: readOrder('performed, verified, approved', 'test'), differentPeople: true }
      assert.match((await rejection(sign({ meaning: 'approved' }, policy))).message, /TAKT_SIGN_ORDER: it is to be signed as 'performed' now/)
      const first = await sign({ meaning: 'performed' }, policy)
      assert.deepEqual([first.done, first.of, first.complete], [1, 3, false])
      assert.match((await rejection(sign({ meaning: 'verified' }, policy))).message, /TAKT_SIGN_SAME_PERSON: Eva Kern has signed it as performed/)
      assert.equal((await sign({ who: 'sven', meaning: 'verified' }, policy)).complete, false)
      assert.equal(await codeOf(sign({ who: 'sven', meaning: 'approved' }, policy)), 'TAKT_SIGN_SAME_PERSON')
      await bench.person('mia', { roles: ['quality'] })
      assert.equal((await sign({ who: 'mia' }, policy)).complete, true)
      assert.equal(await codeOf(sign({ who: 'mia', meaning: 'reviewed' }, policy)), 'TAKT_SIGN_TWICE')
      assert.throws(() => readOrder('performed, blessed', 'test'), { code: 'TAKT_CONFIG_INVALID' })
      assert.throws(() => readOrder('approved, approved', 'test'), { code: 'TAKT_CONFIG_INVALID' })
    })

    it('cannot be replayed: the same request signs once, also when it comes twice at once', async () => {
      const outcomes = await Promise.all([1, 2, 3].map(() => sign().then(() => 'signed', (error: { code: string }) => error.code))) // biome-ignore format: one line
      assert.deepEqual(outcomes.toSorted(), ['TAKT_SIGN_TWICE', 'TAKT_SIGN_TWICE', 'signed'])
      assert.equal((await states()).length, 1)
    })

    it('do not go on to a changed record, and say that it was changed', async () => {
      await sign({ record: { kind: 'lot', id: 'lot-1', revision: 1 } })
      const before = (await bench.store.get('lot', 'lot-1'))!
      await bench.store.transaction((tx) => tx.save({ ...before, disposition: 'held' }, held))
      assert.deepEqual(await states(), [['changed', 'revision 1 was signed, revision 2 is in force']])
      // who looked at the old one is told before signing the new one
      assert.match(
        (await rejection(sign({ record: { kind: 'lot', id: 'lot-1', revision: 1 } }))).message,
        /TAKT_SIGN_RECORD_CHANGED: revision 1 was shown, the lot has revision 2/,
      )
      await sign({ record: { kind: 'lot', id: 'lot-1', revision: 2 } })
      assert.deepEqual((await states()).map(([state]) => state), ['changed', 'signed']) // biome-ignore format: one line
    })

    it('are not given for a record that the ledger does not tell like this', async () => {
      await tamper(`update lot set document = replace(document, 'in-process', 'released') where id = 'lot-1'`)
      assert.equal(await codeOf(sign()), 'TAKT_LEDGER_FAULT')
    })

    it('cannot be moved to another record', async () => {
      const { signature } = await sign()
      const other = (await bench.store.get('lot', 'lot-2'))!
      const moved = { ...signature, record: { ...signature.record, id: 'lot-2' } }
      const movedWhole = { ...signature, record: { ...signature.record, id: 'lot-2', ledger: other.ledger! } }
      for (const forged of [moved, movedWhole]) {
        assert.match((await checkSignature(bench.store, forged)).what, /its content does not give its binding/)
        const rebound = { ...forged, binding: bindingOf(forged) }
        assert.match((await checkSignature(bench.store, rebound)).what, /row \d+ of the ledger does not say that it was given/)
      }
      // into the database itself, with everything that goes with it
      const forged = { ...movedWhole, binding: bindingOf(movedWhole) }
      await tamper(`update signature set record_id = 'lot-2', record_ledger = ${other.ledger}, document = '${JSON.stringify(forged)}'`)
      assert.deepEqual(await states('lot-2'), [['broken', `row ${signature.ledger} of the ledger does not say that it was given`]])
      assert.equal((await brokenSignature(bench.store))?.signature.id, signature.id)
      assert.match((await bench.store.verify()).fault?.what ?? '', /the signature sig-1 is not what row \d+ says/)
      // and into the ledger as well: the row is not about that record, and the chain is broken
      await tamper(`update ledger set after = '${JSON.stringify(forged)}' where sequence = ${signature.ledger}`)
      assert.match((await states('lot-2'))[0]![1]!, /is not the one that was signed/)
      assert.match((await bench.store.verify()).fault?.what ?? '', new RegExp(`row ${signature.ledger} was changed`))
    })

    it('do not fit when one byte of the record or of themselves is changed', async () => {
      const { signature } = await sign({ comment: 'fine' })
      const { sha256: _, ...record } = signature.record
      for (const [field, changed] of Object.entries({
        meaning: 'reviewed',
        person: 'sven',
        name: 'Eva Kerm',
        time: signature.time + 1,
        at: signature.at.replace('07', '08'),
        comment: 'fime',
        components: ['id'],
        roles: [],
        id: 'sig-2',
        record: { ...record, sha256: signature.record.sha256.replace(/.$/, (last) => (last === '0' ? '1' : '0')) },
      }))
        assert.equal((await checkSignature(bench.store, { ...signature, [field]: changed } as Signature)).state, 'broken', field)
      await tamper(`update ledger set after = replace(after, 'shaft-a', 'shaft-b') where sequence = ${signature.record.ledger}`)
      assert.deepEqual(await states(), [['broken', `row ${signature.record.ledger} of the ledger is not the one that was signed`]])
    })

    it('cannot be copied, nor written by somebody who has the database and not the key', async () => {
      key = makeSigningKey(join(bench.bench.folder, 'key.pem'))
      const { signature } = await sign()
      assert.deepEqual((await states()).map(([state]) => state), ['signed']) // biome-ignore format: one line
      const copy = { ...signature, id: 'sig-9', meaning: 'responsible' as const }
      const forged = { ...copy, binding: bindingOf(copy) }
      assert.match((await checkSignature(bench.store, forged, key.publicKey)).what, /not sealed by the key/)
      const other = makeSigningKey(join(bench.bench.folder, 'other.pem'))
      const sealed = { ...forged, seal: { key: other.id, signature: other.sign(`takt signature ${forged.binding}`) } }
      assert.match((await checkSignature(bench.store, sealed, key.publicKey)).what, /not sealed by the key/)
      await rejection(
        bench.store.transaction((tx) => tx.db.insertInto('signature').values({ id: 'sig-9', revision: 1, ledger: 1, document: JSON.stringify(signature), record_kind: 'lot', record_id: 'lot-1', record_ledger: signature.record.ledger, meaning: 'approved', person: 'eva', time: 1 }).execute()), // biome-ignore format: one line
      )
      await rejection(bench.store.transaction((tx) => tx.db.deleteFrom('signature').execute()))
      assert.equal((await states()).length, 1)
    })

    it('lock after wrong passwords, and leave no password anywhere', async () => {
      for (let n = 1; n <= 4; n++) assert.equal(await codeOf(sign({ password: `wrong password ${n}` })), 'TAKT_PERSON_REFUSED')
      const error = await rejection(sign({ password: 'wrong password 5' }))
      assert.deepEqual([error.code, error.message.includes('wrong password 5')], ['TAKT_PERSON_LOCKED', false])
      assert.equal(await codeOf(sign()), 'TAKT_PERSON_LOCKED')
      assert.deepEqual(await states(), [])
      const text = await bench.everything()
      assert.ok(!text.includes('wrong password 5') && !text.includes(PASSWORD))
    })

    it('end with who is put away or locked while the password is checked', async () => {
      const signed = sign()
      await bench.people.change('eva', { active: false }, ADMIN, 'left')
      await signed.catch(() => {})
      assert.equal(await codeOf(sign({ meaning: 'reviewed' })), 'TAKT_PERSON_REFUSED')
    })

    it('take a document that the store does not keep into the ledger, once for all who sign it', async () => {
      const report = { kind: 'report', type: 'shift', subject: 'line-1', sha256: 'ab12' }
      const record = { kind: 'report', id: 'shift-line-1', content: report }
      const first = await sign({ record })
      const second = await sign({ record, who: 'sven' })
      assert.equal(first.signature.record.ledger, second.signature.record.ledger)
      assert.deepEqual((await bench.store.events(first.signature.record.ledger - 1, 1))[0]?.after, report)
      assert.deepEqual((await signaturesOf(bench.store, 'report', 'shift-line-1')).map(({ state }) => state), ['signed', 'signed']) // biome-ignore format: one line
      const other = await sign({ record: { ...record, content: { ...report, sha256: 'ab13' } } })
      assert.notEqual(other.signature.record.ledger, first.signature.record.ledger)
      for (const [bad, code] of [
        [{ kind: 'report', id: 'none' }, 'TAKT_SIGN_RECORD_UNKNOWN'],
        [{ kind: 'lot', id: 'lot-9' }, 'TAKT_SIGN_RECORD_UNKNOWN'],
        [{ kind: 'lot', id: "lot-1' or '1'='1" }, 'TAKT_SIGN_RECORD_UNKNOWN'],
        [{ kind: 'signature', id: first.signature.id }, 'TAKT_SIGN_INVALID'],
        [{ kind: 'report', id: 'large', content: { text: 'x'.repeat(1_000_001) } }, 'TAKT_SIGN_INVALID'],
        [{ kind: 'report', id: 'odd', content: JSON.parse('{"__proto__":1}') }, 'TAKT_MESSAGE_FORBIDDEN_KEY'],
      ] as const)
        assert.equal(await codeOf(sign({ record: bad, who: 'eva' })), code)
    })
  })
}
