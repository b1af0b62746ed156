import { DEFAULT_COST, type ScryptCost } from './password.ts'
import { DEFAULT_ROLES, type RoleMatrix } from './roles.ts'

/** How people are known in a store. Times are plant ms. */
export interface PeopleSettings {
  /** Who acts must be known, and allowed. Otherwise a name in a message is taken down as what it is: a hint. */
  readonly required: boolean
  readonly roles: RoleMatrix
  /** Wrong passwords after which a person is locked. */
  readonly lockAfter: number
  /** For how long; 0: until somebody unlocks. */
  readonly lockMs: number
  readonly passwordShortest: number
  /** Passwords are to be changed after so long; 0: never. */
  readonly passwordMs: number
  /** A session ends without use after so long, and in any case after `sessionMs`. */
  readonly idleMs: number
  readonly sessionMs: number
  readonly cost: ScryptCost
}

export const PEOPLE_DEFAULTS: PeopleSettings = {
  required: false,
  roles: DEFAULT_ROLES,
  lockAfter: 5,
  lockMs: 15 * 60_000,
  passwordShortest: 12,
  passwordMs: 0,
  idleMs: 15 * 60_000,
  sessionMs: 12 * 3_600_000,
  cost: DEFAULT_COST,
}
