import { TaktError } from '../base/error.ts'
import type { IdSource } from '../base/id.ts'
import { isoText } from '../base/iso-text.ts'
import type { Person } from '../messages/person.ts'
import { MEANINGS, type Meaning, type Signature } from '../messages/signature.ts'
import { actorOf, type People } from '../people/people.ts'
import { certificationFault, mayDo } from '../people/roles.ts'
import { assertMay } from '../people/who-acts.ts'
import type { SigningKey } from '../store/anchor-key.ts'
import type { Store, StoreTransaction } from '../store/store.ts'
import { type BoundRecord, bindRecord, type RecordRequest } from './bound-record.ts'
import { bindingOf, sealText, type Unbound } from './check-signature.ts'

/** What is asked of the signatures of a record. */
export interface SigningPolicy {
  /** The meanings that it needs, in their order; empty: any, in any order. */
  readonly order: readonly Meaning[]
  /** Each by another person. */
  readonly differentPeople: boolean
  /** A certification that who signs must have; undefined: none. */
  readonly certification: string | undefined
}

export const FREE_POLICY: SigningPolicy = { order: [], differentPeople: false, certification: undefined }

/** A signature that a person wants to give. */
export interface SigningRequest {
  readonly record: RecordRequest
  readonly meaning: Meaning
  readonly comment: string | null
  /** id or badge; undefined in a session */
  readonly who: string | undefined
  readonly session: string | undefined
  readonly password: unknown
  /** The dashboard connection that the request came over. */
  readonly connection: string | undefined
}

export interface Signed {
  readonly signature: Signature
  /** Of the meanings that the policy asks for, how many the record has as it is now. */
  readonly done: number
  readonly of: number
  readonly complete: boolean
  /** For the next signatures of the same person; null where one was used, or where the dashboard connection stands for it. */
  readonly session: string | null
}

export interface SigningParts {
  readonly store: Store
  readonly people: People
  readonly key: SigningKey | undefined
  readonly timeZone: () => string
  readonly newId: IdSource
  readonly policy: SigningPolicy
}

/**
 * Gives electronic signatures after 21 CFR 11: two components, of which the password is asked for each time and the other at the first signing of a session; bound to the
 * record's place and content. Refusals are coded and change nothing but the ledger, which tells of wrong passwords.
 */
export class Signing {
  readonly #parts: SigningParts

  constructor(parts: SigningParts) {
    this.#parts = parts
  }

  async sign(request: SigningRequest): Promise<Signed> {
    const { store, people } = this.#parts
    const { who, session, connection = null } = request
    const inSession = who === undefined ? await people.sessions.personOf(session, connection) : undefined
    if (who === undefined && inSession === undefined)
      throw new TaktError('TAKT_PERSON_NOT_SIGNED_IN', { what: 'the first signing of a session asks for both: person and password', where: 'sign' })
    const { person, by } = await people.signIn.authenticate(who ?? inSession, request.password)
    const components: Signature['components'] = [who === undefined ? 'session' : by, 'password']
    return store.transaction(async (tx) => {
      const signed = await this.#give(tx, person.id, components, request)
      // a person who goes on signing need not give the first component again
      const token = who === undefined ? null : await people.sessions.begin(tx, { person: person.id, connection, by })
      return { ...signed, session: connection === null ? token : null }
    })
  }

  async #give(tx: StoreTransaction, id: string, components: Signature['components'], request: SigningRequest): Promise<Omit<Signed, 'session'>> {
    const { people, key, timeZone, newId, policy } = this.#parts
    const { meaning, comment } = request
    const person = (await tx.get('person', id)) as Person
    const where = `${request.record.kind} ${request.record.id}`
    // as the person is now, not as it was when the password began to be checked
    if (!person.active || person.locked !== null) throw new TaktError('TAKT_PERSON_REFUSED', { where })
    const { record, scope } = await bindRecord(tx, request.record, actorOf(person))
    assertMay(people, person, `sign.${meaning}`, scope, where)
    const lacking = policy.certification === undefined ? undefined : certificationFault(person, policy.certification, tx.now)
    if (lacking !== undefined) throw new TaktError('TAKT_PERSON_CERTIFICATION', { what: lacking, where })
    const before = await validSignatures(tx, record)
    assertFits(before, person, meaning, policy, where)
    const unbound: Unbound = {
      kind: 'signature',
      id: newId('sig'),
      record,
      meaning,
      person: person.id,
      name: person.name,
      roles: [...new Set(person.roles.map(({ role }) => role))].filter((role) =>
        mayDo({ ...person, roles: [{ role }] }, `sign.${meaning}`, scope, people.settings.roles),
      ),
      time: tx.now,
      at: isoText(tx.now, timeZone()),
      comment,
      components,
    }
    const binding = bindingOf(unbound)
    const seal = key === undefined ? null : { key: key.id, signature: key.sign(sealText(binding)) }
    const signature = await tx.save({ ...unbound, binding, seal }, { type: 'record.signed', actor: actorOf(person), why: comment ?? `${meaning} ${where}` })
    const meanings = [...before.map((given) => given.meaning), meaning]
    const done = policy.order.filter((needed) => meanings.includes(needed)).length
    return { signature, done, of: policy.order.length, complete: policy.order.length > 0 && done === policy.order.length }
  }
}

/** The signatures of the record as it is: those of an earlier revision do not count for this one. */
function validSignatures(tx: StoreTransaction, { kind, id, ledger }: BoundRecord): Promise<Signature[]> {
  return tx.list('signature', { where: { record_kind: kind, record_id: id, record_ledger: ledger }, orderBy: 'ledger' })
}

function assertFits(before: readonly Signature[], person: Person, meaning: Meaning, policy: SigningPolicy, where: string): void {
  const { order, differentPeople } = policy
  if (before.some((given) => given.person === person.id && given.meaning === meaning))
    throw new TaktError('TAKT_SIGN_TWICE', { what: `${person.name} has signed it as ${meaning} already`, where })
  if (order.length > 0) {
    const next = order.find((needed) => !before.some((given) => given.meaning === needed))
    if (next === undefined) throw new TaktError('TAKT_SIGN_TWICE', { what: 'it has all the signatures that it needs', where })
    if (next !== meaning) throw new TaktError('TAKT_SIGN_ORDER', { what: `it is to be signed as '${next}' now, not as '${meaning}'`, where })
  }
  const own = differentPeople ? before.find((given) => given.person === person.id) : undefined
  if (own !== undefined) throw new TaktError('TAKT_SIGN_SAME_PERSON', { what: `${person.name} has signed it as ${own.meaning} already`, where })
}

/** `performed, verified`: meanings by commas. Throws TAKT_CONFIG_INVALID. */
export function readOrder(text: string | undefined, where: string): Meaning[] {
  const words = (text ?? '')
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '')
  const unknown = words.find((word) => !MEANINGS.includes(word as Meaning))
  if (unknown !== undefined) throw new TaktError('TAKT_CONFIG_INVALID', { what: `'${unknown}' is none of the meanings ${MEANINGS.join(', ')}`, where })
  if (new Set(words).size !== words.length) throw new TaktError('TAKT_CONFIG_INVALID', { what: 'a meaning stands twice in the order of signatures', where })
  return words as Meaning[]
}
