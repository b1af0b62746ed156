import { resolve } from 'node:path'
import type { NodeAPI } from 'node-red'
import { TaktError } from '../../core/base/error.ts'
import { parseJson } from '../../core/base/json.ts'
import { roleMatrix } from '../../core/people/roles.ts'
import { PEOPLE_DEFAULTS } from '../../core/people/settings.ts'
import { readSigningKey } from '../../core/store/anchor-key.ts'
import type { PeopleSet } from '../shared/known-people.ts'
import { numberSetting } from '../shared/settings.ts'

/** What the store's dialog says of people and of the key that signs. */
export interface PeopleFields {
  /** who acts must be known and allowed */
  peopleKnown?: boolean
  /** JSON: role → list of actions, over the default roles; empty: those alone */
  roles?: string
  lockAfter?: string | number
  /** 0: until somebody unlocks */
  lockMinutes?: string | number
  passwordLength?: string | number
  /** 0: never */
  passwordDays?: string | number
  idleMinutes?: string | number
  /** where the dashboard's server and the web server have the name of a user who logged in; empty: they are not asked */
  dashboardUser?: string
  httpUser?: string
  /** private key that signs head and signatures; relative to the user directory; empty: they are not signed */
  keyFile?: string
}

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

/** Reads the fields. Throws TAKT_CONFIG_INVALID, TAKT_LEDGER_KEY. */
export function peopleSet(RED: NodeAPI, config: PeopleFields, where: string): PeopleSet {
  const number = numberSetting(where)
  const { lockAfter, lockMs, passwordShortest, passwordMs, idleMs } = PEOPLE_DEFAULTS
  const roles = config.roles?.trim() ?? ''
  const keyFile = config.keyFile?.trim() ?? ''
  return {
    settings: {
      ...PEOPLE_DEFAULTS,
      required: config.peopleKnown === true,
      roles: roleMatrix(roles === '' ? undefined : rolesOf(roles, where), `${where}, roles`),
      lockAfter: number(config.lockAfter, 'wrong passwords', lockAfter, 1, 100),
      lockMs: number(config.lockMinutes, 'locked for', lockMs / MINUTE, 0, 525_600) * MINUTE,
      passwordShortest: number(config.passwordLength, 'password length', passwordShortest, 8, 128),
      passwordMs: number(config.passwordDays, 'password days', passwordMs / DAY, 0, 3650) * DAY,
      idleMs: number(config.idleMinutes, 'session without use', idleMs / MINUTE, 1, 1440) * MINUTE,
    },
    logins: { dashboard: config.dashboardUser?.trim() ?? '', http: config.httpUser?.trim() ?? '' },
    key: keyFile === '' ? undefined : readSigningKey(resolve(RED.settings.userDir ?? process.cwd(), keyFile)),
  }
}

function rolesOf(text: string, where: string): unknown {
  try {
    return parseJson(text, { maxBytes: 100_000, where: `${where}, roles` })
  } catch (thrown) {
    // a wrong setting, not a wrong message
    throw new TaktError('TAKT_CONFIG_INVALID', { what: `roles: ${thrown instanceof TaktError ? thrown.what : String(thrown)}`, where, cause: thrown })
  }
}
