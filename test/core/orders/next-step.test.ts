import assert from 'node:assert/strict'
import type { JobOrder } from '../../../core/messages/job-order.ts'
import { nextStep, type UnitView } from '../../../core/orders/dispatch/next-step.ts'
import type { UnitState } from '../../../core/orders/follow-machine.ts'

const NOW = 10_000

function job(id: string, more: Partial<JobOrder> = {}): JobOrder {
  return {
    kind: 'job-order',
    id,
    workOrder: 'wo',
    operation: 'op',
    sequence: 0,
    after: [],
    state: 'NotAllowedToStart',
    substate: 'Ready',
    equipment: 'u',
    alternatives: [{ equipment: 'u', setupMs: 100, perPieceMs: 10 }],
    quantity: { value: 10, unit: 'pcs' },
    good: 0,
    scrap: 0,
    lot: null,
    plannedStart: NOW,
    plannedEnd: null,
    actualStart: null,
    actualEnd: null,
    planVersion: 1,
    pinned: false,
    ...more,
  }
}
const allowed = { state: 'AllowedToStart' } as const
const running = { state: 'Running', substate: null } as const
const over = { state: 'Ended', substate: 'Completed' } as const
const repair = (more: Partial<JobOrder> = {}): JobOrder => job('repair', { maintenance: 'planned', deadline: null, ...more })

function step(state: UnitState['state'], jobs: readonly JobOrder[], more: Partial<Omit<UnitView, 'unit'>> & { unit?: Partial<UnitState> } = {}): string {
  const { unit, ...rest } = more
  const view: UnitView = {
    now: NOW,
    unit: { equipment: 'u', state, mode: 'Produce', jobOrder: null, since: 0, ...unit },
    jobs,
    named: undefined,
    elsewhere: new Set(),
    open: true,
    toleranceMs: 0,
    ...rest,
  }
  const next = nextStep(view)
  return 'job' in next ? `${next.do} ${next.job.id}` : next.until === undefined ? next.do : `${next.do} until ${next.until}`
}

describe('the next step of a unit', () => {
  it('is none before the unit has spoken, and none while it cannot be heard', () => {
    assert.deepEqual(nextStep({ now: NOW, unit: undefined, jobs: [job('a')], named: undefined, elsewhere: new Set(), open: true, toleranceMs: 0 }), {
      do: 'wait',
    })
    assert.equal(step('NoSignal', [job('a')]), 'wait')
  })

  for (const state of ['Idle', 'Complete', 'Stopped'] as const)
    it(`is the next job order of the plan when the unit is ${state}`, () =>
      assert.equal(step(state, [job('b', { plannedStart: NOW - 1 }), job('a', { plannedStart: NOW - 2 })]), 'start a'))

  for (const state of ['Execute', 'Starting', 'Held', 'Suspended', 'Aborted', 'Resetting', 'Completing'] as const)
    it(`is none when the unit is ${state}`, () => assert.equal(step(state, [job('a')]), 'wait'))

  for (const mode of ['Maintenance', 'Manual'] as const) it(`is none in mode ${mode}`, () => assert.equal(step('Idle', [job('a')], { unit: { mode } }), 'wait'))

  it('waits until the job order before it has ended in the store', () => {
    const present = job('p', running)
    assert.equal(step('Complete', [present, job('a')], { named: present, unit: { jobOrder: 'p' } }), 'wait')
    assert.equal(step('Complete', [job('a')], { named: job('p', over), unit: { jobOrder: 'p' } }), 'start a')
  })

  it('waits for the planned start, or for the time before it that is allowed when the unit is open', () => {
    const later = job('a', { plannedStart: NOW + 500 })
    assert.equal(step('Idle', [later]), `wait until ${NOW + 500}`)
    assert.equal(step('Idle', [later], { toleranceMs: 100 }), `wait until ${NOW + 400}`)
    assert.equal(step('Idle', [later], { toleranceMs: 500 }), 'start a')
    assert.equal(step('Idle', [later], { toleranceMs: 500, open: false }), `wait until ${NOW + 500}`)
  })

  it('begins nothing that is not ready or not planned', () => {
    assert.equal(step('Idle', [job('a', { substate: 'Waiting' }), job('b', { plannedStart: null })]), 'wait')
    assert.equal(step('Idle', [job('a', { substate: 'Waiting', plannedStart: NOW - 5 }), job('b')]), 'start b')
  })

  it('tells the unit what was allowed, and begins nothing else meanwhile', () => {
    assert.equal(step('Idle', [job('a', allowed), job('b', { plannedStart: 0 })]), 'tell a')
    assert.equal(step('Execute', [job('a', allowed), job('b')]), 'wait')
    assert.equal(step('Starting', [job('a', allowed)], { named: job('a', allowed), unit: { jobOrder: 'a' } }), 'acknowledged a')
    assert.equal(step('Idle', [job('a', allowed)], { elsewhere: new Set(['a']) }), 'wait')
  })

  it('takes back what a unit was told that failed before it took it, and then has it repaired', () => {
    assert.equal(step('Aborted', [job('a', allowed), repair()]), 'revoke a')
    assert.equal(step('Aborted', [job('a'), repair({ plannedStart: null })]), 'start repair')
    assert.equal(step('Aborted', [job('a'), repair({ pinned: true, plannedStart: NOW + 500 })]), `wait until ${NOW + 500}`, 'a person has put it off')
    assert.equal(step('Aborted', [job('a'), repair({ pinned: true })]), 'start repair')
    assert.equal(step('Aborted', [job('a'), repair(allowed)]), 'tell repair')
    assert.equal(step('Aborted', [job('p', running), repair()], { named: job('p', running), unit: { jobOrder: 'p' } }), 'wait')
    assert.equal(step('Aborting', [job('a'), repair()]), 'wait')
    assert.equal(step('Aborted', [repair(running)], { unit: { mode: 'Maintenance', jobOrder: 'repair' } }), 'wait')
  })

  it('begins a planned repair when its time has come and the unit is not working', () => {
    assert.equal(step('Execute', [repair()]), 'wait')
    assert.equal(step('Complete', [repair({ plannedStart: NOW - 1 }), job('a')]), 'start repair')
    assert.equal(step('Complete', [repair(), job('a')]), 'start repair')
    assert.equal(step('Complete', [repair({ plannedStart: NOW + 900 }), job('a')]), 'start a')
  })

  it('begins nothing that would keep an unplanned repair from its deadline', () => {
    // job order a takes 200
    assert.equal(step('Idle', [repair({ plannedStart: null, deadline: NOW + 150 }), job('a')]), `wait until ${NOW + 150}`)
    assert.equal(step('Idle', [repair({ plannedStart: null, deadline: NOW + 250 }), job('a')]), 'start a')
    assert.equal(step('Idle', [repair({ plannedStart: null, deadline: NOW }), job('a')]), 'start repair')
  })

  it('stops a unit that works on what people have ended', () => {
    assert.equal(step('Execute', [], { named: job('p', over), unit: { jobOrder: 'p' } }), 'stop p')
    assert.equal(step('Complete', [], { named: job('p', over), unit: { jobOrder: 'p' } }), 'wait')
  })

  it('leaves alone an idle unit that is loaded with what was taken back', () => {
    const back = job('p', { substate: 'Waiting' })
    assert.equal(step('Idle', [back, job('a')], { named: back, unit: { jobOrder: 'p' } }), 'wait')
    const ready = job('p')
    assert.equal(step('Idle', [ready, job('a', { plannedStart: 0 })], { named: ready, unit: { jobOrder: 'p' } }), 'start p')
  })

  it('waits for the material, and lets others go before what waits for it', () => {
    const late = job('late', { materialAt: NOW + 500 })
    assert.equal(step('Idle', [late]), `wait until ${NOW + 500}`)
    assert.equal(step('Idle', [late, job('b', { plannedStart: NOW })]), 'start b')
    assert.equal(step('Idle', [job('there', { materialAt: NOW })]), 'start there')
    assert.equal(step('Idle', [job('unknown', { materialAt: null })]), 'start unknown')
  })

  it('begins nothing early that gets its parts from what still runs', () => {
    const soon = job('soon', { plannedStart: NOW + 100, after: ['before'] })
    const early = { toleranceMs: 1000 }
    assert.equal(step('Idle', [soon], early), 'start soon')
    assert.equal(step('Idle', [soon], { ...early, overlapping: new Set(['soon']) }), `wait until ${NOW + 100}`)
    assert.equal(step('Idle', [job('due', { after: ['before'] })], { overlapping: new Set(['due']) }), 'start due')
  })
})
