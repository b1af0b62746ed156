import type { Clock } from '../base/clock.ts'
import { systemClock } from '../base/clock.ts'
import type { Store } from '../store/store.ts'
import { People } from './people.ts'
import type { PeopleSettings } from './settings.ts'

const known = new WeakMap<Store, People>()

/** The people of a store, one for all who use it. The first caller sets how people are known; the store node is the first. */
export function peopleOf(store: Store, clock: Clock = systemClock, settings: Partial<PeopleSettings> = {}): People {
  let people = known.get(store)
  if (people === undefined) {
    people = new People(store, clock, settings)
    known.set(store, people)
  }
  return people
}
