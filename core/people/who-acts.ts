import { TaktError } from '../base/error.ts'
import type { Person } from '../messages/person.ts'
import type { Actor } from '../store/store.ts'
import { actorOf, type People } from './people.ts'
import { type Action, mayDo } from './roles.ts'

/** What there is to know somebody by. None of it is a name that a message could have made up. */
export interface Evidence {
  /** Token of a session. */
  readonly session?: string | undefined
  /** The dashboard connection that a message came over. */
  readonly connection?: string | undefined
  /** The user as whoever checked the login says: the dashboard's server, or the web server. */
  readonly login?: string | undefined
}

/** Who it is, known for certain; undefined where nothing says so. A person who was put away or locked meanwhile is nobody. */
export async function identify(people: People, { session, connection, login }: Evidence): Promise<Person | undefined> {
  const { sessions } = people
  const id =
    (await sessions.personOf(session, connection ?? null)) ?? (session === undefined ? undefined : await sessions.personOf(undefined, connection ?? null))
  const person = id === undefined ? (login === undefined ? undefined : await people.findLogin(login)) : await people.find(id)
  return person === undefined || !person.active || person.locked !== null ? undefined : person
}

const RESERVED = /^(?:node|person|store|command-line)\b/i

/** A name from a message as what it is: said, not known. It cannot pass for a person or a node. */
export function hintOf(said: unknown): Actor | undefined {
  if (typeof said !== 'string' || said.trim() === '') return undefined
  const name = said.replaceAll('\0', '\uFFFD').toWellFormed().trim().slice(0, 200)
  return RESERVED.test(name) ? `'${name}'` : name
}

/**
 * Who a person's act is booked to, in the words of the ledger. Where people must be known: throws TAKT_PERSON_NOT_SIGNED_IN and TAKT_PERSON_NOT_ALLOWED, and what the
 * message says of itself counts for nothing. Where they need not: a person who is known, else the hint, else undefined. `scope`: the equipment that it is about, empty
 * for what concerns the whole plant.
 */
export async function whoMay(people: People, evidence: Evidence, action: Action, scope: string, said: unknown, where: string): Promise<Actor | undefined> {
  const person = await identify(people, evidence)
  if (!people.settings.required) return person === undefined ? hintOf(said) : actorOf(person)
  if (person === undefined) throw new TaktError('TAKT_PERSON_NOT_SIGNED_IN', { where })
  assertMay(people, person, action, scope, where)
  return actorOf(person)
}

/** Throws TAKT_PERSON_NOT_ALLOWED. */
export function assertMay(people: People, person: Person, action: Action, scope: string, where: string): void {
  if (mayDo(person, action, scope, people.settings.roles)) return
  throw new TaktError('TAKT_PERSON_NOT_ALLOWED', { what: `${person.name} (${person.id}) may not do '${action}'${scope === '' ? '' : ` at ${scope}`}`, where })
}
