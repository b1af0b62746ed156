import type { Clock } from '../base/clock.ts'
import { TaktError } from '../base/error.ts'
import type { Person } from '../messages/person.ts'
import type { Actor, Store, StoreReader, StoreTransaction } from '../store/store.ts'
import { checkPassword, hashPassword, sealOf } from './password.ts'
import { checkId, type PersonFields, personFields, printedText } from './person-fields.ts'
import { ADMINISTRATOR, mayDo } from './roles.ts'
import { Sessions } from './sessions.ts'
import { PEOPLE_DEFAULTS, type PeopleSettings } from './settings.ts'
import { SignIn } from './sign-in.ts'

/** Who did a thing, for the ledger: known for certain, which no text in a message can say of itself. */
export function actorOf({ id }: Pick<Person, 'id'>): Actor {
  return `person:${id}`
}

const NOBODY: PersonFields = { name: '', badge: null, login: undefined, active: true, roles: [], certifications: [] }
const WHY_LONGEST = 500

/**
 * The people of a store. Each change is a row of the ledger with who and why, before and after; passwords are apart from it. A person is never removed and an id never
 * given to another: who leaves is put away (`active: false`).
 */
export class People {
  readonly settings: PeopleSettings
  readonly sessions: Sessions
  readonly signIn: SignIn
  readonly #store: Store

  constructor(store: Store, clock: Clock, settings: Partial<PeopleSettings> = {}) {
    this.settings = { ...PEOPLE_DEFAULTS, ...settings }
    this.#store = store
    this.sessions = new Sessions(store, clock, { idleMs: this.settings.idleMs, longestMs: this.settings.sessionMs })
    this.signIn = new SignIn(store, this.settings, this.sessions)
  }

  find(id: string): Promise<Person | undefined> {
    return this.#store.get('person', id)
  }

  list(): Promise<Person[]> {
    return this.#store.list('person')
  }

  /** Who has this name at the dashboard or in Node-RED. */
  async findLogin(login: string): Promise<Person | undefined> {
    const [person] = await this.#store.list('person', { where: { login }, limit: 1 })
    return person
  }

  /** The first person of a store, who may add the others. Only while nobody may: throws TAKT_PERSON_EXISTS. Needs the file, so it is for the command line. */
  async firstAdministrator(given: { readonly id: unknown; readonly name: unknown; readonly password: unknown }): Promise<Person> {
    const where = 'first administrator'
    const id = checkId(given.id, where)
    const name = printedText(given.name, 'the name', 200, where)
    const secret = await this.#hash(given.password, [id, name])
    return this.#store.transaction(async (tx) => {
      const there = await this.#administrators(tx)
      if (there.length > 0)
        throw new TaktError('TAKT_PERSON_EXISTS', { what: `there is an administrator already: ${there.map(({ id }) => id).join(', ')}`, where })
      const fields: PersonFields = { ...NOBODY, name, roles: [{ role: ADMINISTRATOR }] }
      return this.#put(tx, { id, fields, type: 'person.added', by: 'command-line', why: 'first administrator of this store', secret, mustChange: false })
    })
  }

  /** Adds a person: `{ id, name, badge?, login?, roles?, certifications?, password? }`. The password is to be changed at first use. Throws TAKT_PERSON_INVALID, TAKT_PERSON_EXISTS. */
  async add(given: unknown, by: Actor, why: unknown): Promise<Person> {
    const where = 'new person'
    const { id: givenId, password, ...rest } = (typeof given === 'object' && given !== null ? given : {}) as Readonly<Record<string, unknown>>
    const id = checkId(givenId, where)
    const fields = personFields({ name: '', ...rest }, NOBODY, this.settings.roles, `person ${id}`)
    const reason = reasonOf(why, where)
    const secret = password === undefined || password === null || password === '' ? null : await this.#hash(password, [id, fields.name, fields.badge])
    return this.#store.transaction((tx) => this.#put(tx, { id, fields, type: 'person.added', by, why: reason, secret, mustChange: true }))
  }

  /** Changes fields of a person. Throws TAKT_PERSON_UNKNOWN, TAKT_PERSON_INVALID, TAKT_PERSON_EXISTS, TAKT_PERSON_LAST_ADMINISTRATOR. */
  async change(id: string, changes: unknown, by: Actor, why: unknown): Promise<Person> {
    const where = `person ${id}`
    const reason = reasonOf(why, where)
    return this.#store.transaction(async (tx) => {
      const before = await personOf(tx, id)
      const fields = personFields(changes, { ...before, login: before.login }, this.settings.roles, where)
      const { login: _login, ...kept } = before
      const after: Person = { ...kept, ...withLogin(fields) }
      await this.#assertFree(tx, after)
      await this.#assertAdministered(tx, after)
      const type = before.active === after.active ? 'person.changed' : after.active ? 'person.activated' : 'person.deactivated'
      // who may do other things than before proves once more who it is
      if (!after.active || JSON.stringify(after.roles) !== JSON.stringify(before.roles)) await this.sessions.endAll(tx, id)
      return tx.save(after, { type, actor: by, why: reason })
    })
  }

  /** Somebody else gives a person a password, to be changed at first use; it also unlocks. Throws TAKT_PASSWORD_RULES. */
  async setPassword(id: string, password: unknown, by: Actor, why: unknown): Promise<Person> {
    const reason = reasonOf(why, `person ${id}`)
    return this.#replacePassword(id, password, { by, why: reason, mustChange: true })
  }

  /** A person changes the own password, knowing the old one. Throws what `signIn.authenticate` throws, TAKT_PASSWORD_RULES. */
  async changePassword(who: unknown, old: unknown, password: unknown): Promise<Person> {
    const { person } = await this.signIn.authenticate(who, old, { beforeChange: true })
    if (typeof password === 'string' && password === old) throw new TaktError('TAKT_PASSWORD_RULES', { what: 'it is the present one', where: 'new password' })
    return this.#replacePassword(person.id, password, { by: actorOf(person), why: 'changed by the person', mustChange: false })
  }

  /** Throws TAKT_PERSON_UNKNOWN, TAKT_PERSON_LAST_ADMINISTRATOR. */
  async lock(id: string, by: Actor, why: unknown): Promise<Person> {
    const reason = reasonOf(why, `person ${id}`)
    return this.#store.transaction(async (tx) => {
      const person = await personOf(tx, id)
      const after: Person = { ...person, locked: { since: tx.now, until: null, why: reason } }
      await this.#assertAdministered(tx, after)
      await this.sessions.endAll(tx, id)
      return tx.save(after, { type: 'person.locked', actor: by, why: reason })
    })
  }

  async unlock(id: string, by: Actor, why: unknown): Promise<Person> {
    const reason = reasonOf(why, `person ${id}`)
    return this.#store.transaction(async (tx) => {
      const person = await personOf(tx, id)
      await tx.db.updateTable('person_secret').set({ failures: 0, last_failure: null }).where('person', '=', id).execute()
      return person.locked === null ? person : tx.save({ ...person, locked: null }, { type: 'person.unlocked', actor: by, why: reason })
    })
  }

  async #replacePassword(id: string, password: unknown, event: { readonly by: Actor; readonly why: string; readonly mustChange: boolean }): Promise<Person> {
    const { name, badge } = await personOf(this.#store, id)
    const secret = await this.#hash(password, [id, name, badge])
    return this.#store.transaction(async (tx) => {
      const person = await personOf(tx, id)
      await this.sessions.endAll(tx, id)
      await writeSecret(tx, id, secret)
      const after: Person = { ...person, locked: event.mustChange ? null : person.locked, password: this.#passwordOf(secret, tx.now, event.mustChange) }
      return tx.save(after, { type: 'person.password-changed', actor: event.by, why: event.why })
    })
  }

  async #put(
    tx: StoreTransaction,
    put: {
      readonly id: string
      readonly fields: PersonFields
      readonly type: string
      readonly by: Actor
      readonly why: string
      readonly secret: string | null
      readonly mustChange: boolean
    },
  ): Promise<Person> {
    const { id, fields, type, by, why, secret, mustChange } = put
    if ((await tx.get('person', id)) !== undefined)
      throw new TaktError('TAKT_PERSON_EXISTS', { what: `the id '${id}' is taken; ids are never given again`, where: `person ${id}` })
    const person: Person = {
      kind: 'person',
      id,
      ...withLogin(fields),
      locked: null,
      password: secret === null ? null : this.#passwordOf(secret, tx.now, mustChange),
    }
    await this.#assertFree(tx, person)
    if (secret !== null) await writeSecret(tx, id, secret)
    return tx.save(person, { type, actor: by, why })
  }

  #passwordOf(secret: string, now: number, mustChange: boolean): Person['password'] {
    const { passwordMs } = this.settings
    return { since: now, expires: passwordMs === 0 ? null : now + passwordMs, mustChange, seal: sealOf(secret) }
  }

  #hash(password: unknown, names: ReadonlyArray<string | null>): Promise<string> {
    return hashPassword(checkPassword(password, { shortest: this.settings.passwordShortest }, names), this.settings.cost)
  }

  /** Badge and login are one person's. */
  async #assertFree(tx: StoreTransaction, { id, badge, login }: Person): Promise<void> {
    for (const [column, value] of [
      ['badge', badge],
      ['login', login],
    ] as const) {
      if (value === null || value === undefined) continue
      const [other] = (await tx.list('person', { where: { [column]: value } })).filter((person) => person.id !== id)
      if (other !== undefined) throw new TaktError('TAKT_PERSON_EXISTS', { what: `the ${column} belongs to ${other.id}`, where: `person ${id}` })
    }
  }

  /** Somebody must be left who can manage people. */
  async #assertAdministered(tx: StoreTransaction, after: Person): Promise<void> {
    const manages = (person: Person): boolean => person.locked?.until !== null && mayDo(person, 'people.manage', '', this.settings.roles)
    if (manages({ ...after, locked: after.locked ?? ALIVE })) return
    const others = await this.#administrators(tx)
    if (others.some((person) => person.id !== after.id) || !others.some((person) => person.id === after.id)) return
    throw new TaktError('TAKT_PERSON_LAST_ADMINISTRATOR', { where: `person ${after.id}` })
  }

  async #administrators(tx: StoreTransaction): Promise<Person[]> {
    const active = await tx.list('person', { where: { active: 1 } })
    return active.filter((person) => (person.locked === null || person.locked.until !== null) && mayDo(person, 'people.manage', '', this.settings.roles))
  }
}

/** Stands for "not locked" where only a lock without an end counts. */
const ALIVE = { since: 0, until: 0, why: '' }

/** Throws TAKT_PERSON_UNKNOWN. */
async function personOf(store: StoreReader, id: string): Promise<Person> {
  const person = await store.get('person', id)
  if (person === undefined) throw new TaktError('TAKT_PERSON_UNKNOWN', { what: `there is no person '${id.slice(0, 64)}'`, where: 'people' })
  return person
}

async function writeSecret(tx: StoreTransaction, person: string, secret: string): Promise<void> {
  await tx.db
    .insertInto('person_secret')
    .values({ person, secret, failures: 0, last_failure: null })
    .onConflict((conflict) => conflict.column('person').doUpdateSet({ secret, failures: 0, last_failure: null }))
    .execute()
}

function withLogin({ login, ...fields }: PersonFields): Omit<PersonFields, 'login'> & { readonly login?: string } {
  return { ...fields, ...(login === undefined ? {} : { login }) }
}

/** Every change of a person has a reason. */
function reasonOf(why: unknown, where: string): string {
  if (typeof why !== 'string' || why.trim() === '') throw new TaktError('TAKT_PERSON_INVALID', { what: 'a reason is needed: why', where })
  return printedText(why, 'the reason', WHY_LONGEST, where)
}
