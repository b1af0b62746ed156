import assert from 'node:assert/strict'
import { checkProcedure } from '../../../core/procedures/check-procedure.ts'

const text = (steps: unknown, more: Record<string, unknown> = {}): unknown => ({ procedure: 'mill-shaft', why: 'new limits', steps, ...more })

describe('procedures that are none', () => {
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
