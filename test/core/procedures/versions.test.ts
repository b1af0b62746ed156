import assert from 'node:assert/strict'
import type { ProcedureStep } from '../../../core/messages/procedure.ts'
import { checkProcedure } from '../../../core/procedures/check-procedure.ts'
import { decideVersion, differenceNow, proposeVersion } from '../../../core/procedures/versions.ts'
import type { Store } from '../../../core/store/store.ts'
import { code, memoryStore } from '../orders/fixture.ts'
import { inForce, STEPS } from './support.ts'

const text = (steps: unknown, more: Record<string, unknown> = {}): unknown => ({ procedure: 'mill-shaft', why: 'new limits', steps, ...more })

describe('versions of a procedure', () => {
  let store: Store
  beforeEach(() => {
    ;({ store } = memoryStore())
  })
  afterEach(() => store.close())

  const propose = (steps: readonly ProcedureStep[], author = 'Eva') =>
    store.transaction((tx) => proposeVersion(tx, checkProcedure(text(steps), 'test'), author))
  const approve = (procedure: string, sha256: unknown, by = 'Sven', approved = true) =>
    store.transaction((tx) => decideVersion(tx, { procedure, approved, sha256, why: 'seen' }, by))

  it('are approved by another person than the author, who has seen what they change', async () => {
    await inForce(store)
    const [first, ...rest] = STEPS
    const steps = [
      first!,
      ...rest
        .filter(({ id }) => id !== 'note')
        .map((step) => (step.id === 'which' ? { ...step, ways: [{ to: 'cool' }] } : step.id === 'width' ? { ...step, upper: 10.2 } : step)),
      { id: 'label', type: 'confirm', text: 'Labelled?' } as const,
    ]
    const proposed = await propose(steps)
    assert.deepEqual([proposed.id, proposed.state], ['mill-shaft@2', 'draft'])
    const difference = await differenceNow(store, 'mill-shaft@2')
    assert.deepEqual(
      difference.steps.map(({ step, change }) => `${change} ${step}`),
      ['removed note', 'changed width', 'changed which', 'added label'],
    )
    assert.deepEqual([difference.against, difference.steps[1]?.before?.upper, difference.steps[1]?.after?.upper], ['mill-shaft@1', 10.5, 10.2])
    assert.equal(await code(approve('mill-shaft@2', difference.sha256, 'Eva')), 'TAKT_PROCEDURE_SAME_PERSON')
    assert.equal(await code(approve('mill-shaft@2', undefined)), 'TAKT_PROCEDURE_CHANGED')
    assert.equal((await approve('mill-shaft@2', difference.sha256)).state, 'approved')
    assert.equal((await store.get('procedure', 'mill-shaft@1'))?.state, 'replaced')
    assert.equal(await code(approve('mill-shaft@2', difference.sha256)), 'TAKT_PROCEDURE_DECIDED')
  })

  it('are not approved on a difference that is not true any more', async () => {
    await inForce(store)
    await propose(STEPS.slice(0, 2))
    const seen = await differenceNow(store, 'mill-shaft@2')
    await inForce(store, STEPS.slice(0, 3))
    assert.equal(await code(approve('mill-shaft@2', seen.sha256)), 'TAKT_PROCEDURE_CHANGED')
    assert.equal((await approve('mill-shaft@2', undefined, 'Sven', false)).state, 'refused')
    assert.equal(await code(approve('mill-shaft@9', 'x')), 'TAKT_PROCEDURE_UNKNOWN')
  })

  it('show steps that were moved, and of a first version all as added', async () => {
    const steps: ProcedureStep[] = ['a', 'b', 'c'].map((id) => ({ id, type: 'instruct', text: id }))
    const first = await inForce(store, steps)
    assert.equal(first.version, 1)
    await propose([steps[1]!, steps[0]!, steps[2]!])
    const { steps: changes } = await differenceNow(store, 'mill-shaft@2')
    assert.ok(changes.length > 0 && changes.every(({ change }) => change === 'moved'))
  })

  const step = (more: Record<string, unknown>): unknown[] => [{ id: 'a', type: 'instruct', text: 'x', ...more }]
  const bad: ReadonlyArray<readonly [string, unknown, RegExp]> = [
    ['no object', 'text', /must be object/],
    ['no steps', text([]), /fewer than 1/],
    ['201 steps', text(Array.from({ length: 201 }, (_, at) => ({ id: `s${at}`, type: 'instruct', text: 'x' }))), /more than 200/],
    ['no reason', { procedure: 'x', steps: step({}) }, /'why'/],
    ['a name that is none', text(step({}), { procedure: 'Mill Shaft@1' }), /pattern/],
    ['an unknown field', text(step({ colour: 'red' })), /additional properties/],
    ['an unknown type', text(step({ type: 'dance' })), /allowed values/],
    ['a text of a megabyte', text(step({ text: 'x'.repeat(1_000_000) })), /more than 2000/],
    ['a NUL', text(step({ text: 'a\0b' })), /cannot be printed/],
    ['a lone surrogate', text(step({ text: 'a\ud800' })), /cannot be printed/],
    ['text turned round', text(step({ text: 'a\u202eb' })), /cannot be printed/],
    ['an id twice', text([...step({}), ...step({})]), /used twice/],
    ['an instruction without text', text([{ id: 'a', type: 'instruct' }]), /needs 'text'/],
    ['limits on an instruction', text(step({ lower: 1 })), /has no 'lower'/],
    ['a measurement without unit', text([{ id: 'a', type: 'measure' }]), /needs 'unit'/],
    ['limits the wrong way round', text([{ id: 'a', type: 'measure', unit: 'mm', lower: 2, upper: 1 }]), /above upper/],
    ['a tool without tools', text([{ id: 'a', type: 'scan', scan: 'tool' }]), /needs 'tools'/],
    ['a wait of nothing', text([{ id: 'a', type: 'wait', durationMs: 0 }]), /> 0/],
    ['a step that leads back', text([...step({}), { id: 'b', type: 'confirm', text: 'x', next: 'a' }]), /does not come later/],
    ['a step that leads nowhere', text(step({ next: 'z' })), /no step 'z'/],
    [
      'a step that none leads to',
      text([
        { id: 'a', type: 'instruct', text: 'x', next: 'end' },
        { id: 'b', type: 'confirm', text: 'x' },
      ]),
      /no way leads/,
    ],
    ['what comes before the start after what does not', text([...step({}), { id: 'b', type: 'confirm', text: 'x', before: 'start' }]), /before the start/],
    ['a branch on what was not measured', text([...step({}), { id: 'b', type: 'branch', of: 'a', ways: [{ to: 'end' }] }]), /no measurement/],
    [
      'a branch without a way for the rest',
      text([
        { id: 'a', type: 'measure', unit: 'mm' },
        { id: 'b', type: 'branch', of: 'a', ways: [{ above: 1, to: 'end' }] },
      ]),
      /for all other values/,
    ],
    [
      'a choice of the same twice',
      text([
        {
          id: 'b',
          type: 'branch',
          ways: [
            { choice: 'x', to: 'end' },
            { choice: 'x', to: 'end' },
          ],
        },
      ]),
      /same choice/,
    ],
  ]
  for (const [what, given, expected] of bad) {
    it(`refuse ${what}`, () => {
      assert.throws(
        () => checkProcedure(given, 'test'),
        (error: { code: string; message: string }) => {
          assert.equal(error.code, 'TAKT_PROCEDURE_INVALID')
          assert.match(error.message, expected)
          return true
        },
      )
    })
  }

  it('refuse keys that could alter objects', () => {
    assert.throws(() => checkProcedure(JSON.parse('{"procedure":"x","why":"y","steps":[{"__proto__":{}}]}'), 'test'), { code: 'TAKT_MESSAGE_FORBIDDEN_KEY' })
  })
})
