import { TaktError } from '../base/error.ts'
import type { Person } from '../messages/person.ts'
import { MEANINGS } from '../messages/signature.ts'

/** Everything that a person may be asked to be allowed for. What is not named here nobody may. */
export const ACTIONS = [
  'disruption.decide',
  'disruption.autonomy',
  'plan.pin',
  'plan.approve',
  'plan.adopt',
  'lot.hold',
  'lot.release',
  'lot.scrap',
  'unit.hold',
  'unit.release',
  'order.release',
  'order.hold',
  'order.cancel',
  'order.close',
  'order.command',
  'order.maintenance',
  'anomaly.judge',
  'people.manage',
  'people.unlock',
  'ledger.verify',
  'procedure.perform',
  'procedure.propose',
  'procedure.approve',
  'procedure.concede',
  ...MEANINGS.map((meaning) => `sign.${meaning}` as const),
] as const
export type Action = (typeof ACTIONS)[number]

/** Which role may do what. A plant replaces or adds roles in its store's settings. */
export type RoleMatrix = Readonly<Record<string, readonly Action[]>>

/** Duties are kept apart: who makes does not release, and who manages people neither makes nor releases. */
export const DEFAULT_ROLES: RoleMatrix = {
  operator: ['lot.hold', 'unit.hold', 'order.command', 'order.maintenance', 'anomaly.judge', 'procedure.perform', 'sign.performed'],
  supervisor: [
    'disruption.decide',
    'plan.pin',
    'plan.approve',
    'lot.hold',
    'unit.hold',
    'unit.release',
    'order.release',
    'order.hold',
    'order.command',
    'order.maintenance',
    'anomaly.judge',
    'people.unlock',
    'procedure.perform',
    'procedure.approve',
    'sign.performed',
    'sign.verified',
    'sign.reviewed',
    'sign.approved',
    'sign.rejected',
  ],
  quality: [
    'lot.hold',
    'lot.release',
    'lot.scrap',
    'unit.hold',
    'unit.release',
    'ledger.verify',
    'procedure.perform',
    'procedure.approve',
    'procedure.concede',
    'sign.verified',
    'sign.reviewed',
    'sign.approved',
    'sign.rejected',
    'sign.responsible',
  ],
  maintenance: [
    'disruption.decide',
    'unit.hold',
    'unit.release',
    'order.command',
    'order.maintenance',
    'anomaly.judge',
    'procedure.perform',
    'sign.performed',
    'sign.verified',
  ],
  planner: ['plan.pin', 'plan.approve', 'plan.adopt', 'order.release', 'order.hold', 'order.cancel', 'order.close'],
  engineer: [
    'disruption.decide',
    'disruption.autonomy',
    'plan.adopt',
    'anomaly.judge',
    'ledger.verify',
    'procedure.propose',
    'procedure.approve',
    'sign.verified',
    'sign.reviewed',
  ],
  administrator: ['people.manage', 'people.unlock', 'ledger.verify'],
}

/** The role that the first person of a store gets; a plant may give it other actions but cannot take `people.manage` away. */
export const ADMINISTRATOR = 'administrator'

/** Roles as a plant sets them, `{ "night-shift": ["lot.hold"] }`: one that is named replaces the default of that name. Throws TAKT_CONFIG_INVALID. */
export function roleMatrix(set: unknown, where: string): RoleMatrix {
  if (set === undefined || set === null) return DEFAULT_ROLES
  const invalid = (what: string): never => {
    throw new TaktError('TAKT_CONFIG_INVALID', { what, where })
  }
  if (typeof set !== 'object' || Array.isArray(set)) return invalid('roles are an object: role → list of actions')
  const named = Object.entries(set).map(([role, actions]) => {
    if (!/^[a-z][a-z0-9-]{0,59}$/.test(role)) return invalid(`'${role.slice(0, 60)}' is no name of a role: small letters, digits and dashes`)
    if (!Array.isArray(actions)) return invalid(`what the role '${role}' may do is no list`)
    const unknown = actions.find((action) => !ACTIONS.includes(action as Action))
    if (unknown !== undefined) return invalid(`the role '${role}' may '${String(unknown).slice(0, 60)}', which is no action: ${ACTIONS.join(', ')}`)
    return [role, actions as Action[]] as const
  })
  const matrix: RoleMatrix = { ...DEFAULT_ROLES, ...Object.fromEntries(named) }
  if (!matrix[ADMINISTRATOR]?.includes('people.manage')) return invalid(`the role '${ADMINISTRATOR}' must keep people.manage: nobody else could give it back`)
  return matrix
}

/** True when the person is active and has a role that may do it there. `scope`: an equipment; empty: what concerns the whole plant, for which only roles without a scope count. */
export function mayDo(person: Person, action: Action, scope: string, matrix: RoleMatrix): boolean {
  return person.active && person.roles.some(({ role, scope: within }) => Object.hasOwn(matrix, role) && matrix[role]?.includes(action) && covers(within, scope))
}

/** Does the person have this role at the equipment? */
export function hasRole(person: Person, role: string, scope: string): boolean {
  return person.active && person.roles.some((held) => held.role === role && covers(held.scope, scope))
}

function covers(within: string | undefined, scope: string): boolean {
  return within === undefined || within === '' || scope === within || scope.startsWith(`${within}/`)
}

/** What is wrong with a certification at a time, plant ms; undefined: the person has it. */
export function certificationFault(person: Person, name: string, now: number): string | undefined {
  const held = person.certifications.filter((certification) => certification.name === name)
  if (held.length === 0) return `${person.name} has no certification '${name}'`
  if (held.some(({ until }) => until === null || until > now)) return undefined
  return `the certification '${name}' of ${person.name} has expired`
}
