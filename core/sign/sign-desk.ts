import { TaktError } from '../base/error.ts'
import type { Person } from '../messages/person.ts'
import type { Meaning } from '../messages/signature.ts'
import { actorOf } from '../people/people.ts'
import type { Action } from '../people/roles.ts'
import { assertMay, type Evidence, identify } from '../people/who-acts.ts'
import { signHead } from '../store/anchor.ts'
import type { Verification } from '../store/store.ts'
import { brokenSignature, signaturesOf } from './check-signature.ts'
import { fieldsOf, readRecord, readSigning, readWho, type Secrets } from './read-request.ts'
import { Signing, type SigningParts } from './signing.ts'

export const SIGN_TOPICS = [
  'sign',
  'signatures',
  'sign-in',
  'sign-out',
  'verify',
  'head',
  'people/list',
  'people/add',
  'people/change',
  'people/lock',
  'people/unlock',
  'people/password',
  'people/new-password',
] as const
export type SignTopic = (typeof SIGN_TOPICS)[number]

export interface DeskRequest {
  readonly topic: SignTopic
  /** Without its passwords. */
  readonly payload: unknown
  readonly secrets: Secrets
  readonly evidence: Evidence
}

export interface DeskAnswer {
  readonly topic: string
  readonly payload: unknown
  /** Token for what follows; for messages that come over no dashboard connection. */
  readonly session?: string
  /** False where it is what people should look at: a ledger that is not whole. */
  readonly good: boolean
}

export interface SignDeskParts extends SigningParts {
  readonly where: string
  /** The meaning of a request that names none. */
  readonly meaning: Meaning | undefined
}

/** What people do about themselves and records: sign, sign in, manage people, have the ledger checked. Refuses with coded errors that hold no password. */
export class SignDesk {
  readonly #parts: SignDeskParts
  readonly #signing: Signing

  constructor(parts: SignDeskParts) {
    this.#parts = parts
    this.#signing = new Signing(parts)
  }

  async handle(request: DeskRequest): Promise<DeskAnswer> {
    const { topic, payload } = request
    const { where, store, key } = this.#parts
    switch (topic) {
      case 'sign':
        return this.#sign(request)
      case 'sign-in':
        return this.#signIn(request)
      case 'sign-out':
        return this.#signOut(request)
      case 'verify':
        return this.#verify()
      case 'head':
        return answer('ledger/head', signHead(await store.head(), key))
      case 'signatures': {
        const { kind, id } = readRecord(payload, where)
        return answer('signatures', { record: { kind, id }, signatures: await signaturesOf(store, kind, id, key?.publicKey) })
      }
      default:
        return this.#people(request, topic)
    }
  }

  async #sign({ payload, secrets, evidence }: DeskRequest): Promise<DeskAnswer> {
    const { where, meaning } = this.#parts
    const { session, connection } = evidence
    const {
      signature,
      session: token,
      ...progress
    } = await this.#signing.sign({
      ...readSigning(payload, meaning, where),
      password: secrets.password,
      session,
      connection,
    })
    return { ...answer(`signed/${signature.record.kind}/${signature.record.id}`, { ...signature, ...progress }), ...(token === null ? {} : { session: token }) }
  }

  async #signIn({ payload, secrets, evidence }: DeskRequest): Promise<DeskAnswer> {
    const { people, where } = this.#parts
    const connection = evidence.connection ?? null
    const { person, token } = await people.signIn.start(readWho(fieldsOf(payload, where)), secrets.password, connection)
    // who came over a dashboard connection is known by it; a token would only travel
    return { ...answer('signed-in', shown(person)), ...(connection === null ? { session: token } : {}) }
  }

  async #signOut({ evidence }: DeskRequest): Promise<DeskAnswer> {
    const { sessions } = this.#parts.people
    if (evidence.session !== undefined) await sessions.end(evidence.session)
    if (evidence.connection !== undefined) await sessions.endConnection(evidence.connection)
    return answer('signed-out', null)
  }

  /** The ledger, and each signature against what it signed. */
  async #verify(): Promise<DeskAnswer> {
    const { store, key } = this.#parts
    const verification = await store.verify()
    const broken = verification.ok ? await brokenSignature(store, key?.publicKey) : undefined
    const result: Verification =
      broken === undefined
        ? verification
        : { ...verification, ok: false, fault: { sequence: broken.signature.ledger ?? 0, what: `the signature ${broken.signature.id}: ${broken.what}` } }
    return { topic: 'ledger/verified', payload: result, good: result.ok }
  }

  async #people(
    { payload, secrets, evidence }: DeskRequest,
    topic: Exclude<SignTopic, 'sign' | 'sign-in' | 'sign-out' | 'verify' | 'head' | 'signatures'>,
  ): Promise<DeskAnswer> {
    const { people, where } = this.#parts
    if (topic === 'people/list') {
      await this.#needs(evidence, 'people.unlock')
      return answer(topic, await people.list())
    }
    const { why, person: id, ask: _ask, ...fields } = fieldsOf(payload, where)
    if (topic === 'people/password') {
      const changed = await people.changePassword(readWho({ person: id, badge: fields.badge }), secrets.password, secrets.newPassword)
      return answer(topic, shown(changed))
    }
    const by = actorOf(await this.#needs(evidence, topic === 'people/unlock' ? 'people.unlock' : 'people.manage'))
    if (topic === 'people/add') return answer(topic, await people.add({ ...fields, password: secrets.newPassword ?? secrets.password }, by, why))
    if (typeof id !== 'string') throw new TaktError('TAKT_PERSON_INVALID', { what: 'it names no person: {person, why, …}', where })
    switch (topic) {
      case 'people/change':
        return answer(topic, await people.change(id, fields, by, why))
      case 'people/lock':
        return answer(topic, await people.lock(id, by, why))
      case 'people/unlock':
        return answer(topic, await people.unlock(id, by, why))
      case 'people/new-password':
        return answer(topic, await people.setPassword(id, secrets.newPassword ?? secrets.password, by, why))
    }
  }

  /** People are managed by known people only, whatever is set. */
  async #needs(evidence: Evidence, action: Action): Promise<Person> {
    const { people, where } = this.#parts
    const person = await identify(people, evidence)
    if (person === undefined) throw new TaktError('TAKT_PERSON_NOT_SIGNED_IN', { where })
    assertMay(people, person, action, '', where)
    return person
  }
}

function answer(topic: string, payload: unknown): DeskAnswer {
  return { topic, payload, good: true }
}

function shown({ id, name, roles, certifications }: Person): Pick<Person, 'id' | 'name' | 'roles' | 'certifications'> {
  return { id, name, roles, certifications }
}
