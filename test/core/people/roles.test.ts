import assert from 'node:assert/strict'
import type { Person } from '../../../core/messages/person.ts'
import { ACTIONS, type Action, certificationFault, DEFAULT_ROLES, mayDo, roleMatrix } from '../../../core/people/roles.ts'

function person(changes: Partial<Person> = {}): Person {
  return { kind: 'person', id: 'anna', name: 'Anna', badge: null, active: true, roles: [], certifications: [], locked: null, password: null, ...changes }
}

/** The one matrix, as a person reads it: a mark for each cell that is allowed. What has no mark is refused. */
const MATRIX = `
                     operator supervisor quality maintenance planner engineer administrator
disruption.decide    .        x          .       x           .       x        .
disruption.autonomy  .        .          .       .           .       x        .
plan.pin             .        x          .       .           x       .        .
plan.approve         .        x          .       .           x       .        .
plan.adopt           .        .          .       .           x       x        .
lot.hold             x        x          x       .           .       .        .
lot.release          .        .          x       .           .       .        .
lot.scrap            .        .          x       .           .       .        .
unit.hold            x        x          x       x           .       .        .
unit.release         .        x          x       x           .       .        .
order.release        .        x          .       .           x       .        .
order.hold           .        x          .       .           x       .        .
order.cancel         .        .          .       .           x       .        .
order.close          .        .          .       .           x       .        .
order.command        x        x          .       x           .       .        .
order.maintenance    x        x          .       x           .       .        .
anomaly.judge        x        x          .       x           .       x        .
people.manage        .        .          .       .           .       .        x
people.unlock        .        x          .       .           .       .        x
ledger.verify        .        .          x       .           .       x        x
procedure.perform    x        x          x       x           .       .        .
procedure.propose    .        .          .       .           .       x        .
procedure.approve    .        x          x       .           .       x        .
procedure.concede    .        .          x       .           .       .        .
sign.performed       x        x          .       x           .       .        .
sign.verified        .        x          x       x           .       x        .
sign.reviewed        .        x          x       .           .       x        .
sign.approved        .        x          x       .           .       .        .
sign.rejected        .        x          x       .           .       .        .
sign.responsible     .        .          x       .           .       .        .
`

describe('roles and actions', () => {
  const [head = '', ...lines] = MATRIX.trim().split('\n')
  const roles = head.trim().split(/\s+/)
  const rows = lines.map((line) => line.split(/\s+/) as [Action, ...string[]])

  it('has a row for every action and a column for every role', () => {
    assert.deepEqual(rows.map(([action]) => action).toSorted(), [...ACTIONS].toSorted())
    assert.deepEqual(roles.toSorted(), Object.keys(DEFAULT_ROLES).toSorted())
  })

  for (const [action, ...cells] of rows) {
    for (const [column, role] of roles.entries()) {
      const allowed = cells[column] === 'x'
      it(`${role} ${allowed ? 'may' : 'may not'} ${action}`, () => {
        assert.equal(mayDo(person({ roles: [{ role }] }), action, '', DEFAULT_ROLES), allowed)
        assert.equal(mayDo(person({ roles: [{ role, scope: 'acme/a' }] }), action, 'acme/a/mill-1', DEFAULT_ROLES), allowed)
        assert.equal(mayDo(person({ roles: [{ role, scope: 'acme/a' }] }), action, 'acme/b', DEFAULT_ROLES), false)
        assert.equal(mayDo(person({ roles: [{ role }], active: false }), action, '', DEFAULT_ROLES), false)
      })
    }
  }

  it('denies what nobody has said', () => {
    assert.equal(mayDo(person(), 'lot.hold', '', DEFAULT_ROLES), false)
    assert.equal(mayDo(person({ roles: [{ role: 'nobody-knows' }] }), 'lot.hold', '', DEFAULT_ROLES), false)
    assert.equal(mayDo(person({ roles: [{ role: 'constructor' }] }), 'lot.hold', '', DEFAULT_ROLES), false)
    assert.equal(mayDo(person({ roles: [{ role: 'quality' }] }), 'toString' as Action, '', DEFAULT_ROLES), false)
  })

  it('counts a role at its equipment and below it, and nowhere else', () => {
    const local = person({ roles: [{ role: 'quality', scope: 'acme/line-1' }] })
    for (const [scope, allowed] of [
      ['acme/line-1', true],
      ['acme/line-1/mill-2', true],
      ['acme/line-10', false],
      ['acme', false],
      // what concerns the whole plant is more than a line
      ['', false],
    ] as const)
      assert.equal(mayDo(local, 'lot.release', scope, DEFAULT_ROLES), allowed, scope)
  })

  it('takes the roles that a plant sets over its own, and refuses what is none', () => {
    const matrix = roleMatrix({ operator: ['lot.hold', 'lot.scrap'], 'night-shift': ['plan.pin'] }, 'store')
    assert.deepEqual([matrix.operator, matrix['night-shift'], matrix.quality], [['lot.hold', 'lot.scrap'], ['plan.pin'], DEFAULT_ROLES.quality])
    for (const [wrong, what] of [
      [{ operator: ['lot.everything'] }, /'lot.everything', which is no action/],
      [{ operator: 'lot.hold' }, /is no list/],
      [{ 'Night Shift': [] }, /is no name of a role/],
      [{ __proto__: null, administrator: ['ledger.verify'] }, /must keep people.manage/],
      [['operator'], /an object/],
    ] as const)
      assert.throws(() => roleMatrix(wrong, 'store'), { code: 'TAKT_CONFIG_INVALID', what })
  })

  it('knows a certification that is missing, one that has expired, and one of two that has not', () => {
    const certified = person({ certifications: [{ name: 'laser', until: 100 }, { name: 'crane', until: null }, { name: 'crane', until: 5 }] }) // biome-ignore format: one line
    assert.match(certificationFault(certified, 'forklift', 50) ?? '', /Anna has no certification 'forklift'/)
    assert.equal(certificationFault(certified, 'laser', 99), undefined)
    assert.match(certificationFault(certified, 'laser', 100) ?? '', /has expired/)
    assert.equal(certificationFault(certified, 'crane', 1e15), undefined)
  })
})
