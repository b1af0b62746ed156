import assert from 'node:assert/strict'
import type { ProcedureStep } from '../../../../core/messages/procedure.ts'
import { procedureInForce } from '../../../../core/orders/procedure-gate.ts'
import { checkPlant } from '../../../../core/plant/check-plant.ts'
import { checkProcedure } from '../../../../core/procedures/check-procedure.ts'
import { plantProcedures, proposeFromPlant } from '../../../../core/procedures/from-plant.ts'
import { decideVersion, differenceNow, proposeVersion } from '../../../../core/procedures/versions.ts'
import type { Store } from '../../../../core/store/store.ts'
import { code, PLANT } from '../../orders/fixture.ts'
import type { StoreBench } from '../../store/support/store.ts'
import { inForce, opened, STEPS } from '../support.ts'

const text = (steps: unknown, more: Record<string, unknown> = {}): unknown => ({ procedure: 'mill-shaft', why: 'new limits', steps, ...more })

/** Both dialects have to pass. */
export function versions(newBench: () => StoreBench): void {
  describe('versions of a procedure', () => {
    let bench: StoreBench
    let store: Store
    beforeEach(() => {
      bench = newBench()
      ;({ store } = opened(bench))
    })
    afterEach(() => bench.close())

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

    it('come with the plant model as drafts, never in force by themselves, and once', async () => {
      const modelOf = (procedures: unknown) => plantProcedures(checkPlant({ ...PLANT, procedures }, 'test'))
      const propose = async (procedures: unknown) => {
        const { texts } = modelOf(procedures)
        return (await store.transaction((tx) => proposeFromPlant(tx, texts, 'node:plant'))).map(({ id, state, author }) => [id, state, author])
      }
      const model = (steps: unknown) => [{ id: 'mill-shaft', title: 'Mill a shaft', steps }]
      assert.deepEqual(await propose(model(STEPS)), [['mill-shaft@1', 'draft', 'node:plant']])
      assert.deepEqual(await propose(model(STEPS)), [], 'it waits')
      const { sha256 } = await differenceNow(store, 'mill-shaft@1')
      await approve('mill-shaft@1', sha256)
      assert.deepEqual(await propose(model(STEPS)), [], 'it is in force')
      // a change of the file waits for its approver, and what runs goes on as it was
      const narrower = STEPS.map((step) => (step.id === 'width' ? { ...step, upper: 10.2 } : step))
      assert.deepEqual(await propose(model(narrower)), [['mill-shaft@2', 'draft', 'node:plant']])
      assert.equal((await procedureInForce(store, 'mill-shaft'))?.id, 'mill-shaft@1')
      await approve('mill-shaft@2', undefined, 'Sven', false)
      assert.deepEqual(await propose(model(narrower)), [], 'refused is refused')
      const wider = STEPS.map((step) => (step.id === 'width' ? { ...step, upper: 10.6 } : step))
      await propose(model(wider))
      await approve('mill-shaft@3', (await differenceNow(store, 'mill-shaft@3')).sha256)
      assert.deepEqual(await propose(model(STEPS)), [['mill-shaft@4', 'draft', 'node:plant']], 'the file went back to a text that was replaced')
      assert.deepEqual(await propose(undefined), [])
      // one that makes no sense does not keep the others away
      const { texts, problems } = modelOf([...model(STEPS), { id: 'none', steps: [{ id: 'a', type: 'confirm', text: 'x', next: 'a' }] }])
      assert.deepEqual(
        [texts.length, problems.map(({ code: told, where }) => [told, where])],
        [1, [['TAKT_PROCEDURE_INVALID', 'procedure none of the plant model']]],
      )
      assert.throws(() => modelOf([...model(STEPS), ...model(STEPS)]), /\/procedures\/1\/id/)
      assert.throws(() => modelOf([{ id: 'x', steps: [{ id: 'a', type: 'dance' }] }]), { code: 'TAKT_PLANT_INVALID' })
    })
  })
}
