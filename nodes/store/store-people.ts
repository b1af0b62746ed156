import type { NodeAPI } from 'node-red'
import { systemClock } from '../../core/base/clock.ts'
import type { People } from '../../core/people/people.ts'
import { peopleOf } from '../../core/people/people-of.ts'
import type { Evidence } from '../../core/people/who-acts.ts'
import type { SigningKey } from '../../core/store/anchor-key.ts'
import type { Store } from '../../core/store/store.ts'
import type { PlantNode } from '../plant/plant.ts'
import type { Message } from '../shared/define-node.ts'
import { evidenceOf, KnownConnections } from '../shared/known-connections.ts'
import type { PeopleSet } from './people-fields.ts'

/** Who is known in a store, for the nodes that let people act. */
export interface KnownPeople {
  readonly people: People
  /** Signs the ledger's head and signatures; undefined: they are not signed. */
  readonly key: SigningKey | undefined
  /** What a message carries to know somebody by. */
  evidenceOf(message: Message): Evidence
  /** The store closes. */
  close(): void
}

export function knownPeople(RED: NodeAPI, store: Store, plant: PlantNode | undefined, { settings, logins, key }: PeopleSet): KnownPeople {
  const connections = KnownConnections.of(RED)
  const people = peopleOf(store, plant?.clock ?? systemClock, settings)
  const forget = connections.onEnd((connection) => people.sessions.endConnection(connection))
  return { people, key, evidenceOf: (message) => evidenceOf(message, connections, logins), close: forget }
}
