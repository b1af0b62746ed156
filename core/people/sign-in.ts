import { TaktError } from '../base/error.ts'
import type { Person } from '../messages/person.ts'
import type { Store, StoreReader, StoreTransaction } from '../store/store.ts'
import { hashPassword, isPassword, PASSWORD_LONGEST, sealOf } from './password.ts'
import type { Sessions } from './sessions.ts'
import type { PeopleSettings } from './settings.ts'

export interface Authenticated {
  readonly person: Person
  /** What the person was found by. */
  readonly by: 'id' | 'badge'
}

export interface AuthenticateOptions {
  /** The password is about to be changed: one that has expired is taken. */
  readonly beforeChange?: boolean
}

const WHERE = 'sign in'
const NAME_LONGEST = 200
/** The ledger grows for ever: attempts in nobody's name are told together, once in so much plant time. */
const UNKNOWN_TOLD_EVERY_MS = 60_000

/**
 * Proves who somebody is by id or badge and password. Each attempt is counted in the database before the password is looked at, so that neither a restart nor attempts
 * side by side give more of them; after some wrong ones the person is locked. It always takes as long as a password takes to check, and never says which part was wrong.
 */
export class SignIn {
  readonly #store: Store
  readonly #settings: PeopleSettings
  readonly #sessions: Sessions
  #nobody: Promise<string> | undefined
  #unknownTold = Number.NEGATIVE_INFINITY
  #unknown = 0

  constructor(store: Store, settings: PeopleSettings, sessions: Sessions) {
    this.#store = store
    this.#settings = settings
    this.#sessions = sessions
  }

  /** Throws TAKT_PERSON_REFUSED, TAKT_PERSON_LOCKED, TAKT_PASSWORD_EXPIRED, TAKT_PEOPLE_BUSY; none of them holds the password. */
  async authenticate(who: unknown, password: unknown, options: AuthenticateOptions = {}): Promise<Authenticated> {
    const given = typeof password === 'string' && password.length <= PASSWORD_LONGEST && password.isWellFormed() ? password : ''
    const found = await findPerson(this.#store, who)
    const secret = found === undefined ? undefined : await this.#store.transaction((tx) => this.#begin(tx, found.person.id))
    // takes as long for a person that there is not
    const right = await isPassword(given, secret ?? (await this.#secretOfNobody()))
    if (found === undefined || secret === undefined) {
      await this.#tellUnknown()
      throw refused()
    }
    const { id } = found.person
    if (!right || given === '') throw await this.#failed(id)
    const person = await this.#store.transaction((tx) => this.#succeeded(tx, id, secret))
    if (person.password?.mustChange === true && options.beforeChange !== true)
      throw new TaktError('TAKT_PASSWORD_EXPIRED', { what: 'the password was given by somebody else and has to be changed first', where: WHERE })
    if ((person.password?.expires ?? Number.POSITIVE_INFINITY) <= (await this.#now()) && options.beforeChange !== true)
      throw new TaktError('TAKT_PASSWORD_EXPIRED', { where: WHERE })
    return { person, by: found.by }
  }

  /** Begins a session; its token is one of the two components of what is signed in it. Throws what `authenticate` throws. */
  async start(who: unknown, password: unknown, connection: string | null): Promise<{ readonly person: Person; readonly token: string }> {
    const { person, by } = await this.authenticate(who, password)
    const token = await this.#store.transaction(async (tx) => {
      const now = await tx.get('person', person.id)
      // locked or put away since the password was found right
      if (now?.active !== true || now.locked !== null) throw refused()
      return this.#sessions.begin(tx, { person: person.id, connection, by })
    })
    return { person, token }
  }

  /** Counts the attempt, and gives what the password is compared with; undefined for a person who has none or was put away. */
  async #begin(tx: StoreTransaction, id: string): Promise<string | undefined> {
    let person = (await tx.get('person', id)) as Person
    if (!person.active || person.password === null) return undefined
    const row = await tx.db.selectFrom('person_secret').selectAll().where('person', '=', id).executeTakeFirst()
    if (row === undefined || sealOf(row.secret) !== person.password.seal) return undefined
    let { failures } = row
    if (person.locked !== null) {
      if (person.locked.until === null || person.locked.until > tx.now) throw locked(person)
      person = await tx.save({ ...person, locked: null }, { type: 'person.unlocked', actor: 'store', why: 'its time has passed' })
      failures = 0
    }
    // attempts that are under way side by side are failures until they are none
    if (failures >= this.#settings.lockAfter) throw new TaktError('TAKT_PERSON_LOCKED', { what: 'there are too many attempts at once', where: WHERE })
    await tx.db
      .updateTable('person_secret')
      .set({ failures: failures + 1, last_failure: tx.now })
      .where('person', '=', id)
      .execute()
    return row.secret
  }

  async #failed(id: string): Promise<TaktError> {
    const { lockAfter, lockMs } = this.#settings
    const after = await this.#store.transaction(async (tx) => {
      const person = (await tx.get('person', id)) as Person
      const { failures = 0 } = (await tx.db.selectFrom('person_secret').select('failures').where('person', '=', id).executeTakeFirst()) ?? {}
      await tx.record({ type: 'person.sign-in-refused', subject: id, actor: 'store', why: 'wrong password', after: { failures } })
      if (failures < lockAfter || person.locked !== null) return person
      const why = `${failures} wrong passwords`
      const lock = { since: tx.now, until: lockMs === 0 ? null : tx.now + lockMs, why }
      await this.#sessions.endAll(tx, id)
      return tx.save({ ...person, locked: lock }, { type: 'person.locked', actor: 'store', why })
    })
    return after.locked === null ? refused() : locked(after)
  }

  /** The person as it is now: it may have been locked or put away, or have got another password, while this one was checked. */
  async #succeeded(tx: StoreTransaction, id: string, secret: string): Promise<Person> {
    const person = (await tx.get('person', id)) as Person
    const row = await tx.db.selectFrom('person_secret').select('secret').where('person', '=', id).executeTakeFirst()
    if (!person.active || row?.secret !== secret) throw refused()
    if (person.locked !== null) throw locked(person)
    await tx.db.updateTable('person_secret').set({ failures: 0, last_failure: null }).where('person', '=', id).execute()
    return person
  }

  async #tellUnknown(): Promise<void> {
    this.#unknown++
    await this.#store.transaction(async (tx) => {
      if (tx.now - this.#unknownTold < UNKNOWN_TOLD_EVERY_MS && tx.now >= this.#unknownTold) return
      // what was typed may be a password in the wrong field, so it is not written down
      await tx.record({ type: 'person.sign-in-refused', subject: 'unknown', actor: 'store', why: 'nobody who may sign in', after: { attempts: this.#unknown } })
      this.#unknownTold = tx.now
      this.#unknown = 0
    })
  }

  #secretOfNobody(): Promise<string> {
    this.#nobody ??= hashPassword('nobody', this.#settings.cost)
    return this.#nobody
  }

  /** Plant time. */
  #now(): Promise<number> {
    return this.#store.transaction(async (tx) => tx.now)
  }
}

/** A person by id, or by badge. */
async function findPerson(store: StoreReader, who: unknown): Promise<{ readonly person: Person; readonly by: 'id' | 'badge' } | undefined> {
  if (typeof who !== 'string' || who.length > NAME_LONGEST || who.includes('\0') || !who.isWellFormed()) return undefined
  const name = who.normalize('NFC').trim()
  if (name === '') return undefined
  const person = await store.get('person', name.toLowerCase())
  if (person !== undefined) return { person, by: 'id' }
  const [holder] = await store.list('person', { where: { badge: name }, limit: 1 })
  return holder === undefined ? undefined : { person: holder, by: 'badge' }
}

function refused(): TaktError {
  return new TaktError('TAKT_PERSON_REFUSED', { where: WHERE })
}

function locked({ locked: lock }: Person): TaktError {
  const until = lock?.until ?? null
  const how = until === null ? 'until somebody unlocks it' : `until ${new Date(until).toISOString()}`
  return new TaktError('TAKT_PERSON_LOCKED', { what: `the person is locked ${how}`, where: WHERE })
}
