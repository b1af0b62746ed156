import type { NodeAPI } from 'node-red'
import { type Clock, systemClock } from '../../core/base/clock.ts'
import type { Person } from '../../core/messages/person.ts'
import type { People } from '../../core/people/people.ts'
import { peopleOf } from '../../core/people/people-of.ts'
import type { Action } from '../../core/people/roles.ts'
import type { PeopleSettings } from '../../core/people/settings.ts'
import { type Evidence, hintOf, identify, whoMay } from '../../core/people/who-acts.ts'
import type { SigningKey } from '../../core/store/anchor-key.ts'
import type { Actor, Store } from '../../core/store/store.ts'
import type { Message } from './define-node.ts'
import { evidenceOf, KnownConnections, type LoginRules } from './known-connections.ts'

export interface PeopleSet {
  readonly settings: PeopleSettings
  readonly logins: LoginRules
  readonly key: SigningKey | undefined
}

/** Who is known in a store, for the nodes that let people act. */
export interface KnownPeople {
  readonly people: People
  /** Signs the ledger's head and signatures; undefined: they are not signed. */
  readonly key: SigningKey | undefined
  /** What a message carries to know somebody by. */
  evidenceOf(message: Message): Evidence
  /** The store node closes. */
  close(): void
}

const byStore = new WeakMap<Store, KnownPeople>()

/** Begins to know people in a store. Of several store nodes with one database the first says how. */
export function knowPeople(RED: NodeAPI, store: Store, clock: Clock = systemClock, { settings, logins, key }: PeopleSet): KnownPeople {
  const connections = KnownConnections.of(RED)
  const people = peopleOf(store, clock, settings)
  // a store that is away forgets it by itself: nobody comes over that connection again
  const close = connections.onEnd((connection) => void people.sessions.endConnection(connection).catch(() => {}))
  const known: KnownPeople = { people, key, evidenceOf: (message) => evidenceOf(message, connections, logins), close }
  if (!byStore.has(store)) byStore.set(store, known)
  return known
}

/**
 * Who a person's act is booked to. Where the store says that people must be known: throws TAKT_PERSON_NOT_SIGNED_IN, TAKT_PERSON_NOT_ALLOWED. Else the person who is known,
 * or what the message says (`said`) as a hint, or undefined. `scope`: the equipment that it is about, as the store says; empty: the whole plant.
 */
export function whoActs(store: Store | undefined, message: Message, action: Action, scope: string, said: unknown, where: string): Promise<Actor | undefined> {
  const known = store === undefined ? undefined : byStore.get(store)
  return known === undefined ? Promise.resolve(hintOf(said)) : whoMay(known.people, known.evidenceOf(message), action, scope, said, where)
}

/** The person that a message comes from, known for certain; undefined: nobody is, whatever the message says. */
export function knownPerson(store: Store, message: Message): Promise<Person | undefined> {
  const known = byStore.get(store)
  return known === undefined ? Promise.resolve(undefined) : identify(known.people, known.evidenceOf(message))
}
