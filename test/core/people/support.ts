import type { ManualClock } from '../../../core/base/clock.ts'
import type { Person } from '../../../core/messages/person.ts'
import { People } from '../../../core/people/people.ts'
import type { PeopleSettings } from '../../../core/people/settings.ts'
import type { Store } from '../../../core/store/store.ts'
import { START, type StoreBench } from '../store/support/store.ts'

/** Costs nothing, so that tests do not wait: what is tested is everything else. */
export const CHEAP = { N: 16, r: 1, p: 1 }
export const PASSWORD = 'seven green bottles'
export const ADMIN = 'person:root.admin'

/** A store with its people: an administrator, and who a test adds. */
export class PeopleBench {
  readonly bench: StoreBench
  readonly clock: ManualClock
  readonly store: Store
  people: People

  constructor(bench: StoreBench, settings: Partial<PeopleSettings> = {}) {
    this.bench = bench
    const opened = this.bench.open()
    this.clock = opened.clock
    this.store = opened.store
    this.people = this.restarted(settings)
  }

  /** What a process that starts anew has: the same store and nothing remembered. */
  restarted(settings: Partial<PeopleSettings> = {}): People {
    this.people = new People(this.store, this.clock, { cost: CHEAP, ...settings })
    return this.people
  }

  async administrator(): Promise<Person> {
    return this.people.firstAdministrator({ id: 'root.admin', name: 'Rita Root', password: PASSWORD })
  }

  /** A person with a password of the own choice. */
  async person(id: string, given: Record<string, unknown> = {}): Promise<Person> {
    await this.people.add({ id, name: `Person ${id}`, password: 'first-time-only-9', ...given }, ADMIN, 'begins to work here')
    return this.people.changePassword(id, 'first-time-only-9', PASSWORD)
  }

  /** The same people at another Node-RED on the same database; a SQLite file has but one, whose memory another does not have. */
  beside(settings: Partial<PeopleSettings> = {}): People {
    const store = this.bench.dialect === 'sqlite' ? this.store : this.bench.open(undefined, {}, undefined, this.clock).store
    return new People(store, this.clock, { cost: CHEAP, ...settings })
  }

  /** Everything that the database holds, as text: where a password must not be. */
  async everything(): Promise<string> {
    const tables = await Promise.all([
      this.store.db.selectFrom('ledger').selectAll().execute(),
      this.store.db.selectFrom('person').selectAll().execute(),
      this.store.db.selectFrom('person_session').selectAll().execute(),
      this.store.db.selectFrom('signature').selectAll().execute(),
      this.store.db.selectFrom('quarantine').selectAll().execute(),
      this.store.db.selectFrom('node_state').selectAll().execute(),
    ])
    return JSON.stringify(tables)
  }

  close(): Promise<void> {
    return this.bench.close()
  }
}

export { START }
