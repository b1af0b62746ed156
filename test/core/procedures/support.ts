import { ManualClock } from '../../../core/base/clock.ts'
import type { Person } from '../../../core/messages/person.ts'
import type { Procedure, ProcedureStep } from '../../../core/messages/procedure.ts'
import { createWorkOrder } from '../../../core/orders/create-work-order.ts'
import { followMachine } from '../../../core/orders/follow-machine.ts'
import { releaseWorkOrder } from '../../../core/orders/release-work-order.ts'
import { checkPlant } from '../../../core/plant/check-plant.ts'
import { checkProcedure } from '../../../core/procedures/check-procedure.ts'
import { type Performer, performStep } from '../../../core/procedures/perform.ts'
import { beginRun, viewRun } from '../../../core/procedures/run.ts'
import type { StepRequest } from '../../../core/procedures/step-request.ts'
import { decideVersion, differenceNow, proposeVersion } from '../../../core/procedures/versions.ts'
import type { Store } from '../../../core/store/store.ts'
import { PLANT, tester } from '../orders/fixture.ts'
import type { StoreBench } from '../store/support/store.ts'

/** The plant of the orders' tests, whose milling has a procedure. */
export const plant = checkPlant(
  {
    ...PLANT,
    workMasters: PLANT.workMasters?.map((master) => ({
      ...master,
      operations: master.operations
        .filter(({ id }) => id === '20-mill')
        .map(({ after: _, ...operation }) => ({ ...operation, procedure: 'mill-shaft', alternatives: [{ equipment: 'p/mill-1', perPieceMs: 20 }] })),
    })),
  },
  'test',
)

/** A store whose clock stands at a round time. */
export const opened = (bench: StoreBench, clock = new ManualClock(1_000_000)) => bench.open(undefined, {}, undefined, clock)

export const JOB = 'jo-wo-1-20-mill'
export const NODE = 'node:test'
export const anna: Performer = { actor: 'Anna', person: undefined, mayConcede: false }

export const STEPS: ProcedureStep[] = [
  { id: 'read', type: 'instruct', text: 'Put on gloves', before: 'start' },
  { id: 'lot', type: 'scan', scan: 'lot', before: 'start' },
  { id: 'tool', type: 'scan', scan: 'tool', tools: ['cutter-7', 'cutter-8'], before: 'start' },
  { id: 'width', type: 'measure', unit: 'mm', lower: 9.5, upper: 10.5, hold: true },
  { id: 'which', type: 'branch', of: 'width', ways: [{ below: 10, to: 'note' }, { to: 'cool' }] },
  { id: 'note', type: 'confirm', text: 'Narrow: tell the setter' },
  { id: 'cool', type: 'wait', durationMs: 60_000 },
  {
    id: 'pack',
    type: 'branch',
    ways: [
      { choice: 'box', to: 'last' },
      { choice: 'bag', to: 'end' },
    ],
  },
  { id: 'last', type: 'instruct', text: 'Close the box' },
]

/** Proposed by one, approved by another. */
export function inForce(store: Store, steps: readonly ProcedureStep[] = STEPS, name = 'mill-shaft'): Promise<Procedure> {
  const text = checkProcedure({ procedure: name, title: 'Mill a shaft', why: 'first', steps }, 'test')
  return store.transaction(async (tx) => {
    const { id } = await proposeVersion(tx, text, 'Eva')
    const { sha256 } = await differenceNow(tx, id)
    return decideVersion(tx, { procedure: id, approved: true, sha256, why: 'looks right' }, 'Sven')
  })
}

/** A released order whose one job order is planned on the mill. */
export async function planned(store: Store): Promise<void> {
  await store.transaction(async (tx) => {
    const { order } = await createWorkOrder(tx, plant, { id: 'wo-1', product: 'shaft', quantity: 10 }, tester)
    await releaseWorkOrder(tx, plant, order.id, tester)
    const [job] = await tx.list('job-order', { where: { work_order: 'wo-1' } })
    await tx.save<'job-order'>({ ...job!, equipment: 'p/mill-1', plannedStart: tx.now }, { type: 'job-order.progress', ...tester })
  })
}

export const begin = (store: Store, reference?: string) => store.transaction((tx) => beginRun(tx, JOB, reference, 'Anna'))
export const view = (store: Store) => viewRun(store, JOB)
export const runs = (store: Store, since = 2_000_000) =>
  store.transaction((tx) => followMachine(tx, { equipment: 'p/mill-1', state: 'Execute', jobOrder: JOB, mode: 'Produce', since }, tester))

export function perform(store: Store, step: string, given: Partial<StepRequest> = {}, who: Performer = anna) {
  const request: StepRequest = { jobOrder: JOB, step, value: undefined, unit: undefined, choice: undefined, confirm: false, concession: undefined, ...given }
  return store.transaction((tx) => performStep(tx, request, who, undefined, NODE))
}

/** What each step of STEPS asks for. */
export const RIGHT: Readonly<Record<string, Partial<StepRequest>>> = {
  read: {},
  lot: { value: 'lot-wo-1' },
  tool: { value: 'cutter-7' },
  width: { value: 9.8, unit: 'mm' },
  note: { confirm: true },
  pack: { choice: 'box' },
  last: {},
}

export const known = (more: Partial<Person> = {}): Performer => ({
  actor: 'person:eva',
  mayConcede: false,
  person: { kind: 'person', id: 'eva', name: 'Eva Kern', badge: '4711', active: true, roles: [], certifications: [], locked: null, password: null, ...more },
})
