import assert from 'node:assert/strict'
import type { ManualClock } from '../../../../core/base/clock.ts'
import type { ProcedureStep } from '../../../../core/messages/procedure.ts'
import { closeWorkOrder, commandJobOrder } from '../../../../core/orders/control-work-order.ts'
import { endJobOrder } from '../../../../core/orders/end-job-order.ts'
import { openProcedure } from '../../../../core/orders/procedure-gate.ts'
import { restartRun, settleRun, viewRun } from '../../../../core/procedures/run.ts'
import type { Store } from '../../../../core/store/store.ts'
import { code, tester } from '../../orders/fixture.ts'
import type { StoreBench } from '../../store/support/store.ts'
import { begin, inForce, JOB, known, NODE, opened, perform, planned, RIGHT, runs, STEPS, view } from '../support.ts'

/** Both dialects have to pass. */
export function steps(newBench: () => StoreBench): void {
  describe('a procedure, step by step', () => {
    let bench: StoreBench
    let store: Store
    let clock: ManualClock

    beforeEach(async () => {
      bench = newBench()
      ;({ store, clock } = opened(bench))
      await inForce(store)
      await planned(store)
    })
    afterEach(() => bench.close())

    const job = async () => (await store.get('job-order', JOB))!
    const command = (name: string) => store.transaction((tx) => commandJobOrder(tx, JOB, name, tester))
    const prepared = async () => {
      await begin(store)
      for (const step of ['read', 'lot', 'tool']) await perform(store, step, RIGHT[step])
    }
    const settled = () => store.transaction(async (tx) => settleRun(tx, await viewRun(tx, JOB), NODE))
    async function whole(): Promise<void> {
      await prepared()
      await runs(store)
      await perform(store, 'width', RIGHT.width)
      await perform(store, 'note', RIGHT.note)
      clock.advance(2_000_000)
      await settled()
      await perform(store, 'pack', RIGHT.pack)
    }

    it('keeps a job order from starting until the steps before it are done', async () => {
      assert.match((await openProcedure(store, await job(), 'start'))!, /mill-shaft@1 has not been begun/)
      assert.equal(await code(command('Start')), 'TAKT_PROCEDURE_OPEN')
      await begin(store)
      await perform(store, 'read')
      await perform(store, 'lot', RIGHT.lot)
      assert.equal(await code(command('Start')), 'TAKT_PROCEDURE_OPEN')
      await perform(store, 'tool', RIGHT.tool)
      assert.equal((await command('Start')).state, 'AllowedToStart')
    })

    it('writes down who did what when, with the limits that held, and takes the way that the value decides', async () => {
      await whole()
      const { run } = await perform(store, 'last').then(({ view }) => view)
      assert.equal(run.phase, 'done')
      assert.deepEqual(
        run.done.map(({ step, by, value }) => [step, by, value ?? null]),
        [
          ['read', 'Anna', null],
          ['lot', 'Anna', 'lot-wo-1'],
          ['tool', 'Anna', 'cutter-7'],
          ['width', 'Anna', 9.8],
          ['which', NODE, 9.8],
          ['note', 'Anna', null],
          ['cool', NODE, 60_000],
          ['pack', 'Anna', 'box'],
          ['last', 'Anna', null],
        ],
      )
      const width = run.done.find(({ step }) => step === 'width')
      assert.deepEqual({ ...width, time: 0 }, { step: 'width', type: 'measure', by: 'Anna', time: 0, value: 9.8, unit: 'mm', lower: 9.5, upper: 10.5 })
      const rows = (await store.events(0, 1000)).filter(({ type }) => type === 'procedure-run.step-done' || type === 'procedure-run.done')
      assert.deepEqual(
        rows.map(({ why }) => why),
        run.done.map(({ step, type }) => `${type} ${step}`),
      )
      assert.equal((await store.verify()).ok, true)
    })

    it('refuses what is skipped, done before, unknown, not on the way or too early', async () => {
      assert.equal(await code(perform(store, 'read')), 'TAKT_PROCEDURE_NOT_BEGUN')
      await begin(store)
      assert.equal(await code(perform(store, 'lot', RIGHT.lot)), 'TAKT_PROCEDURE_STEP_ORDER')
      assert.equal(await code(perform(store, 'nothing')), 'TAKT_PROCEDURE_STEP_UNKNOWN')
      await perform(store, 'read')
      assert.equal(await code(perform(store, 'read')), 'TAKT_PROCEDURE_STEP_DONE')
      await perform(store, 'lot', RIGHT.lot)
      await perform(store, 'tool', RIGHT.tool)
      assert.equal(await code(perform(store, 'width', RIGHT.width)), 'TAKT_PROCEDURE_NOT_STARTED')
      await runs(store)
      await perform(store, 'width', { value: '10,2' })
      assert.equal(await code(perform(store, 'note', RIGHT.note)), 'TAKT_PROCEDURE_STEP_ORDER', 'the branch led past it')
      assert.equal(await code(perform(store, 'cool')), 'TAKT_PROCEDURE_WAIT')
      assert.equal((await view(store)).step?.id, 'cool')
    })

    it('does a step once when it is asked for many times at once', async () => {
      await begin(store)
      const codes = await Promise.all(Array.from({ length: 8 }, () => code(perform(store, 'read'))))
      assert.deepEqual(codes.sort(), ['TAKT_PROCEDURE_STEP_DONE', ...codes.slice(1, 7).map(() => 'TAKT_PROCEDURE_STEP_DONE'), 'no error'])
      assert.deepEqual(
        (await view(store)).run.done.map(({ step }) => step),
        ['read'],
      )
    })

    it('leaves the step open when a value lies outside the limits, and holds the lot', async () => {
      await prepared()
      await runs(store)
      const { refused, view: after } = await perform(store, 'width', { value: 11 })
      assert.equal(refused?.code, 'TAKT_PROCEDURE_OUTSIDE')
      assert.match(refused!.what, /11 mm is outside 9.5 to 10.5; lot lot-wo-1 is held/)
      assert.deepEqual([after.run.step, after.run.refused], ['width', 1])
      const lot = await store.get('lot', 'lot-wo-1')
      assert.deepEqual([lot?.disposition, lot?.reason?.includes('11 mm')], ['held', true])
      assert.equal(await code(perform(store, 'width', { value: 11, concession: 'the drawing allows it' })), 'TAKT_PERSON_NOT_ALLOWED')
      const conceded = await perform(store, 'width', { value: 11, concession: 'the drawing allows it' }, { ...known(), mayConcede: true })
      assert.equal(conceded.view.run.done.find(({ step }) => step === 'width')?.value, 11)
      assert.equal((await store.events(0, 1000)).filter(({ type }) => type === 'procedure-run.conceded')[0]?.why, 'the drawing allows it')
    })

    it('takes only what is asked for', async () => {
      await begin(store)
      await perform(store, 'read')
      for (const value of ['other', '', undefined, 7, 'x'.repeat(1_000_000), 'a\0b', '\ud800', "'; drop table lot; --"]) {
        assert.match(await code(perform(store, 'lot', { value })), /TAKT_PROCEDURE_(SCAN_WRONG|STEP_INVALID)/)
      }
      await perform(store, 'lot', RIGHT.lot)
      assert.equal(await code(perform(store, 'tool', { value: 'cutter-9' })), 'TAKT_PROCEDURE_SCAN_WRONG')
      await perform(store, 'tool', RIGHT.tool)
      await runs(store)
      for (const value of ['ten', Number.NaN, Number.POSITIVE_INFINITY, '', '1e999', '0x10', '1.2.3', undefined])
        assert.equal(await code(perform(store, 'width', { value })), 'TAKT_PROCEDURE_STEP_INVALID')
      assert.equal(await code(perform(store, 'width', { value: 1, unit: 'inch' })), 'TAKT_PROCEDURE_UNIT')
      await perform(store, 'width', RIGHT.width)
      assert.equal(await code(perform(store, 'note')), 'TAKT_PROCEDURE_STEP_INVALID', 'not confirmed')
      assert.equal((await view(store)).run.step, 'note')
    })

    it('asks for role and certification where a step does', async () => {
      const steps: ProcedureStep[] = [{ id: 'check', type: 'confirm', text: 'Look', before: 'start', role: 'quality', certifications: ['calliper'] }]
      await inForce(store, steps)
      await begin(store)
      const confirm = { confirm: true }
      const roles = [{ role: 'quality', scope: 'p/mill-1' }]
      assert.equal(await code(perform(store, 'check', confirm)), 'TAKT_PERSON_NOT_SIGNED_IN')
      assert.equal(await code(perform(store, 'check', confirm, known())), 'TAKT_PROCEDURE_ROLE')
      assert.equal(await code(perform(store, 'check', confirm, known({ roles: [{ role: 'quality', scope: 'p/saw' }] }))), 'TAKT_PROCEDURE_ROLE')
      assert.equal(await code(perform(store, 'check', confirm, known({ roles }))), 'TAKT_PERSON_CERTIFICATION')
      const expired = [{ name: 'calliper', until: 999_999 }]
      assert.equal(await code(perform(store, 'check', confirm, known({ roles, certifications: expired }))), 'TAKT_PERSON_CERTIFICATION')
      const held = [{ name: 'calliper', until: 1_000_001 }]
      assert.equal((await perform(store, 'check', confirm, known({ roles, certifications: held }))).view.run.phase, 'done')
    })

    it('keeps the version that the job order began with', async () => {
      await begin(store)
      await inForce(store, STEPS.slice(0, 1))
      assert.equal((await view(store)).procedure.id, 'mill-shaft@1')
      await perform(store, 'read')
      assert.equal((await view(store)).step?.id, 'lot')
      assert.equal((await begin(store)).run.procedure, 'mill-shaft@1', 'beginning again changes nothing')
    })

    it('keeps a job order from being stopped or closed by people while steps are open, and reports what a machine ended', async () => {
      await prepared()
      await runs(store)
      assert.equal(await code(command('Stop')), 'TAKT_PROCEDURE_OPEN')
      await store.transaction(async (tx) => endJobOrder(tx, (await tx.get('job-order', JOB))!, 'Complete', 2_500_000, tester))
      const [missing] = (await store.events(0, 1000)).filter(({ type }) => type === 'procedure-run.missing')
      assert.match(missing!.why!, /step 'width' of mill-shaft@1 is open/)
      assert.equal(await code(store.transaction((tx) => closeWorkOrder(tx, 'wo-1', tester))), 'TAKT_PROCEDURE_OPEN')
      // late is better than never
      await perform(store, 'width', { value: 10.2 })
      clock.advance(2_000_000)
      await settled()
      await perform(store, 'pack', { choice: 'bag' })
      await store.transaction((tx) => closeWorkOrder(tx, 'wo-1', tester))
      assert.equal((await job()).substate, 'Closed')
    })

    it('reports a machine that begins before it may', async () => {
      await begin(store)
      await runs(store)
      const [missing] = (await store.events(0, 1000)).filter(({ type }) => type === 'procedure-run.missing')
      assert.match(missing!.why!, /step 'read' of mill-shaft@1 comes before its start/)
    })

    it('is prepared anew at another unit', async () => {
      await prepared()
      const restart = () => store.transaction((tx) => restartRun(tx, JOB, 'Anna', 'moved'))
      assert.equal(await code(restart()), 'TAKT_PROCEDURE_NOT_MOVED')
      const before = await job()
      await store.transaction((tx) => tx.save<'job-order'>({ ...before, equipment: 'p/mill-2' }, { type: 'job-order.progress', ...tester }))
      assert.match((await openProcedure(store, await job(), 'start'))!, /prepared at p\/mill-1/)
      assert.equal(await code(perform(store, 'width', RIGHT.width)), 'TAKT_PROCEDURE_MOVED')
      const { run } = await restart()
      assert.deepEqual([run.equipment, run.step, run.done.length, run.procedure], ['p/mill-2', 'read', 0, 'mill-shaft@1'])
    })

    it('refuses to begin what there is not, or not yet', async () => {
      assert.equal(await code(begin(store, 'other')), 'TAKT_PROCEDURE_NONE')
      const before = await job()
      const { procedure: _, ...free } = before
      const saved = await store.transaction((tx) => tx.save<'job-order'>({ ...free, equipment: null }, { type: 'job-order.progress', ...tester }))
      assert.equal(await code(begin(store)), 'TAKT_PROCEDURE_NONE')
      assert.equal(await code(begin(store, 'drill')), 'TAKT_PROCEDURE_NOT_IN_FORCE')
      assert.equal(await code(begin(store, 'mill-shaft')), 'TAKT_PROCEDURE_NO_UNIT')
      await store.transaction((tx) => tx.save<'job-order'>({ ...saved, equipment: 'p/mill-1' }, { type: 'job-order.progress', ...tester }))
      // a message may name it: from then on the job order waits for it
      await begin(store, 'mill-shaft')
      assert.equal(await code(command('Start')), 'TAKT_PROCEDURE_OPEN')
      await command('Abort')
      assert.equal(await code(perform(store, 'read')), 'TAKT_PROCEDURE_OVER')
    })
  })
}
