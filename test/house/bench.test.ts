import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type FaultCase, type FaultRow, verdictOf } from '../../bench/faults/support/case.ts'
import { gapsOf, tally, undeclared } from '../../bench/faults/support/count.ts'
import { ALL_PATCHES, STEPS } from '../../bench/faults/support/patches.ts'
import { cellsOf as faultCells } from '../../bench/faults/support/table.ts'
import { patched } from '../../bench/faults/support/variant.ts'
import { cellsOf, notMeasured } from '../../bench/support/table.ts'
import { packageRoot } from '../../core/base/package-root.ts'

const suitesOf = (folder: string): string[] =>
  readdirSync(join(packageRoot, folder))
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(packageRoot, folder, file))

describe('the benchmarks', () => {
  for (const file of [...suitesOf('bench/suites'), ...suitesOf('bench/suites/execute')]) {
    it(`${file.slice(packageRoot.length + 1)} loads`, async () => {
      assert.equal(typeof ((await import(file)) as { run: unknown }).run, 'function')
    })
  }

  it('show a figure with its unit, its target and whether it was met', () => {
    assert.deepEqual(cellsOf({ what: 'rate', figure: 0.79, unit: '×', target: { atLeast: 0.8 } }), ['rate', '0.79 ×', '≥ 0.8', 'MISSED', ''])
    assert.deepEqual(cellsOf({ what: 'time', figure: 12, unit: 'ms', target: { atMost: 12 } }), ['time', '12.0 ms', '≤ 12', 'met', ''])
    assert.deepEqual(cellsOf(notMeasured({ what: 'rate', unit: '×', target: { atLeast: 0.8 } }, 'needs influxd')), [
      'rate',
      'not measured',
      '≥ 0.8',
      '',
      'needs influxd',
    ])
  })
})

describe('the fault harness', () => {
  for (const file of suitesOf('bench/faults/suites')) {
    it(`${file.slice(packageRoot.length + 1)} loads, and names its cases apart`, async () => {
      const { cases } = (await import(file)) as { cases: readonly FaultCase[] }
      assert.ok(cases.length > 0)
      assert.equal(new Set(cases.map(({ name }) => name)).size, cases.length)
      assert.ok(cases.some(({ promise }) => promise === 'seeded'))
    })
  }

  it('finds the place of every patch in the source', () => {
    for (const patch of ALL_PATCHES) patched(readFileSync(join(packageRoot, patch.file), 'utf8'), patch.file, [patch])
    const files = new Set(STEPS.map(({ patch }) => patch.file))
    for (const file of files) {
      const patches = STEPS.map(({ patch }) => patch).filter((patch) => patch.file === file)
      patched(readFileSync(join(packageRoot, file), 'utf8'), file, patches)
    }
  })

  it('refuses a patch whose place is gone or no longer the only one', () => {
    const patch = { file: 'x.ts', find: 'a()', replace: 'b()' }
    assert.equal(patched('a() + c()', 'x.ts', [patch]), 'b() + c()')
    assert.throws(() => patched('c()', 'x.ts', [patch]), /0 times/)
    assert.throws(() => patched('a() + a()', 'x.ts', [patch]), /2 times/)
  })

  it('counts what is lost and what is doubled, and not its own probes', () => {
    const sent = new Map([['t', [0, 1, 2, 3].map((sequence) => ({ sequence, time: 1000 * sequence }))]])
    const recorded = new Map([['s', new Map([[-1, 5], [0, 1], [1, 3], [3, 1], [4, 2]])]]) // biome-ignore format: one line a message
    const { lost, doubled, missing, evidence } = tally(sent, recorded, () => 's')
    assert.deepEqual({ lost, doubled, missing }, { lost: 1, doubled: 3, missing: [{ sequence: 2, time: 2000 }] })
    assert.equal(evidence, 't 2 lost, t 1 3 times, t 4 2 times')
    assert.equal(tally(sent, new Map(), () => 's').lost, 4)
    assert.deepEqual(undeclared(missing, [{ from: 0, to: 1999 }]), missing)
    assert.deepEqual(undeclared(missing, [{ from: 2000, to: 2000 }]), [])
    assert.deepEqual(gapsOf(missing, [{ from: 0, to: 1999 }]), { declared: 1, undeclared: 1, evidence: '2 lost, 1 ms from a gap' })
  })

  it('keeps no promise where something is lost, doubled, undeclared or unseen', () => {
    const row = (promise: FaultRow['promise'], outcome: FaultRow['outcome']): FaultRow => ({ name: 'case', promise, seconds: 1, ...(outcome && { outcome }) })
    const none = { sent: 10, lost: 0, doubled: 0 }
    assert.equal(verdictOf(row('guaranteed', none)), 'kept')
    assert.equal(verdictOf(row('guaranteed', { ...none, lost: 1 })), 'BROKEN')
    assert.equal(verdictOf(row('guaranteed', { ...none, doubled: 1 })), 'BROKEN')
    assert.equal(verdictOf(row('guaranteed', { ...none, sent: 0 })), 'BROKEN')
    assert.equal(verdictOf(row('telemetry', { ...none, lost: 5, gaps: { declared: 1, undeclared: 0 } })), 'kept')
    assert.equal(verdictOf(row('telemetry', { ...none, lost: 5, gaps: { declared: 1, undeclared: 1 } })), 'BROKEN')
    assert.equal(verdictOf(row('seeded', none)), 'BROKEN')
    assert.equal(verdictOf(row('seeded', { ...none, lost: 1 })), 'kept')
    assert.equal(verdictOf({ ...row('guaranteed', undefined), failure: 'it never started' }), 'BROKEN')
    assert.equal(verdictOf({ ...row('guaranteed', undefined), missing: 'needs mosquitto' }), 'not measured')
    assert.deepEqual(faultCells(row('seeded', none)).slice(0, 5), ['case', 'seeded', '10', '0', '0'])
    assert.ok(faultCells(row('seeded', none)).includes('NOT CAUGHT'))
  })
})
